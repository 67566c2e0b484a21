"""A search: Optuna proposes points, the engine solves them, until the study has had its trials.

Takes a study file with a [search] and a folder; gives the table of rows there and an Optuna study, in a
journal file beside it or in a database that several machines share. Run again, it goes on where it was: a
trial that was under way is solved again under its own number.
"""

from __future__ import annotations

import socket
from collections import deque
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bladerun._lib.messages import say
from bladerun.body.variation import NOMINAL, draw
from bladerun.errors import InputError
from bladerun.status import Status
from bladerun.study import _store, executors, fingerprint
from bladerun.study._dask import Cluster, Files
from bladerun.study._grown import may_have_more_trials
from bladerun.study._optuna import (
    JOURNAL,
    best,
    mend,
    name_of,
    opened,
    patiently,
    running_trial,
    sampler,
    state,
    suggested,
)
from bladerun.study._pace import Pace
from bladerun.study._plan import between
from bladerun.study._processes import WorkerLost
from bladerun.study._sweep import SOLVER, Progress, StudyResult, lost, result, rows, schema, settings
from bladerun.study.file import Study, load_study
from bladerun.study.job import SEED, STRIDE, Done, Inputs, Job, checked, work
from bladerun.study.nearness import hops
from bladerun.study.parameters import changed

if TYPE_CHECKING:
    import optuna

_FAR = 1e9  # by which a constraint is passed where its outcome has no number


def optimise(
    study: Study | str | Path,
    out: str | Path,
    *,
    workers: int | None = None,
    cluster: str | None = None,
    cluster_tls: Files | None = None,
    storage: str | None = None,
    progress: Progress | None = None,
    solver: str = SOLVER,
) -> StudyResult:
    """Search until the study file's number of trials is done.

    Parameters
    ----------
    study
        A study with a [search], or the path of its file.
    out
        The folder for tables and strides; a search goes on from what it holds.
    workers, cluster, cluster_tls, solver
        As for `sweep`.
    storage
        A database for Optuna, `postgresql://...`, which clients on several machines may share, each with its
        own folder.
    progress
        Called with trials done, trials in all, what was solved last, and seconds left (None while unknown).

    Returns
    -------
    StudyResult
        What the folder holds, with the best trials. A trial without an answer is told as failed.

    Raises
    ------
    InputError
        For a study without a [search], and for what `sweep` refuses.
    """
    study = study if isinstance(study, Study) else load_study(study)
    if study.search is None:
        raise InputError("this study has a [design]; use `bladerun sweep`", key="[design]")
    folder, elsewhere = Path(out), Cluster(cluster, cluster_tls) if cluster else None
    about = {
        "kind": "optimise",
        "program": fingerprint.of_rows(),
        "study": study.document,
        "rows": rows(study),
    }
    about |= {
        "settings": settings(study),
        "solver": solver,
        "storage": storage or JOURNAL,
        "name": name_of(study),
    }
    with _store.opened(
        folder, schema(study), about, lambda before: may_have_more_trials(before, study.document)
    ) as store:
        run = _SearchRun(study, store, folder, solver, storage)
        known = len(store.done)
        with ExitStack() as stack:
            executor = None if run.over else stack.enter_context(executors.opened(workers, elsewhere))
            pace = Pace(executor.size if executor else 1)
            if progress and executor:
                progress(known, rows(study), pace.words(known, "begun"), None)
            for number, done in executors.run(executor, run.take, work) if executor else ():
                gone = isinstance(done, WorkerLost)
                run.finish(number, lost(done, run.inputs(number)) if gone else checked(done))
                if progress:
                    done_now, total = len(store.done), rows(study)
                    left_s = pace.left_s(done_now - known, max(total - done_now, 0))
                    progress(done_now, total, f"trial {run.trial_of(number)}", left_s)
        if run.differs and storage is None:
            run = _SearchRun(study, store, folder, solver, storage)
            run.take()  # tells what the rows say; all are kept
    return StudyResult(folder, result(folder).counts, best(run.found, study.search))


class _SearchRun:
    """Trials under way. Row t (1 + ensemble) + m is member m of trial t."""

    def __init__(self, study: Study, store: _store.Store, folder: Path, solver: str, storage: str | None):
        assert study.search is not None
        self._study, self._search, self._store = study, study.search, store
        self._folder, self._solver = folder, solver
        (self._runner,) = study.runners
        own = study.runners[self._runner].reference
        self._variations = [NOMINAL, *draw(study.settings.ensemble, study.settings.seed, own)]
        self._client = f"{socket.gethostname()}:{folder.resolve()}"
        self._points: dict[int, tuple[Any, ...]] = {}
        self._left: dict[int, int] = {}
        self._running: dict[int, optuna.Trial | optuna.trial.FrozenTrial] = {}
        self._waiting: deque[int] = deque()
        self._seeds: set[int] = set()
        self.differs = False  # a row that was lost came out otherwise when it was solved again
        self.found = opened(study, folder, storage, name_of(study)) if storage else self._from_journal()
        known = set(store.seeds())
        for trial in patiently(self.found.get_trials):
            self._recall(trial, storage, known)
        if storage is None:
            self._restore()

    def _from_journal(self) -> optuna.Study:
        """The Optuna study of the folder; a journal that does not say what the rows say begins anew."""
        journal, args = self._folder / JOURNAL, (self._study, self._folder, None, name_of(self._study))
        mend(journal)
        if journal.exists():
            try:
                found = opened(*args)
                if all(self._agrees(trial) for trial in found.get_trials(deepcopy=False)):
                    return found
            except Exception:  # whatever comes of a record that is whole and not as it was written
                if not journal.exists() or not self._store.done:
                    raise
            journal.replace(journal.with_name(f"{JOURNAL}.damaged"))
            say(f"{journal}: mended: was damaged; what it is to say of trials is taken from their rows")
        return opened(*args)

    def _agrees(self, trial: optuna.trial.FrozenTrial) -> bool:
        """Whether a trial is what its rows say."""
        first, known = trial.number * len(self._variations), self._kept(trial.number)
        if any(known.get(name, value) != value for name, value in trial.params.items()):
            return False
        rows = range(first, first + len(self._variations))
        if not known or not trial.state.is_finished() or not self._store.done.issuperset(rows):
            return True
        self._points[trial.number] = tuple(known.values())
        return (trial.values, trial.constraints) == self._answer(trial.number)

    @property
    def over(self) -> bool:
        """No trial is under way, and there are enough."""
        return not self._waiting and self._begun() >= self._search.trials

    def _begun(self) -> int:
        """Trials in all, but for those that wait to be asked for again."""
        trials = patiently(lambda: self.found.get_trials(deepcopy=False))
        return sum(trial.state.name != "WAITING" for trial in trials)

    def take(self) -> tuple[int, Job] | None:
        """The next row: of a trial under way, else of a new one."""
        while not self._waiting:  # a trial whose rows are kept adds none
            if not self._ask():
                return None
        number, program = self._waiting.popleft(), fingerprint.signature()
        try:
            inputs = self.inputs(number)
        except InputError as error:
            return number, Job(str(error), program=program)
        settings = self._study.settings
        keep = STRIDE if settings.keep_strides else SEED
        return number, Job(inputs, self._ways(number), keep, settings.time_limit_s, self._solver, program)

    def finish(self, number: int, done: Done) -> None:
        """Keep the row; with the last of its trial, tell Optuna."""
        trial, member = divmod(number, len(self._variations))
        usable = done.stride is not None and Status(done.row["status"]).usable_as_start
        self._store.add(
            self._described(number) | done.row,
            stride=done.stride if self._study.settings.keep_strides else None,
            seeds={str(trial): done.stride} if usable and member == 0 else {},
        )
        if usable and member == 0:
            self._seeds.add(trial)
        self._left[trial] -= 1
        if not self._left[trial]:
            self._tell(trial)

    def trial_of(self, number: int) -> int:
        return number // len(self._variations)

    def _ask(self) -> bool:
        """Begin a new trial, unless there are enough."""
        if self._begun() >= self._search.trials:
            return False
        trial = patiently(self.found.ask)
        patiently(lambda: trial.set_user_attr("client", self._client))
        point = tuple(patiently(lambda p=p: suggested(trial, p)) for p in self._study.parameters)
        self._begin(trial, point)
        return True

    def _begin(self, running: optuna.Trial | optuna.trial.FrozenTrial, point: tuple[Any, ...]) -> None:
        trial = running.number
        self._running[trial], self._points[trial] = running, point
        rows = range(trial * len(self._variations), (trial + 1) * len(self._variations))
        todo = [number for number in rows if number not in self._store.done]
        self._left[trial] = len(todo)
        self._waiting.extend(todo)
        if not todo:
            self._tell(trial)

    def _recall(self, trial: optuna.trial.FrozenTrial, storage: str | None, seeds: set[str]) -> None:
        """Go on with what an earlier client left under way, or whose rows were lost; use its strides as
        starts."""
        names = [p.name for p in self._study.parameters]
        complete = set(names) <= set(trial.params)
        ours = trial.user_attrs.get("client") == self._client or storage is None
        if trial.state.name == "RUNNING" and ours and not complete:
            known = self._kept(trial.number) if storage is None else {}
            if known:
                running = patiently(
                    lambda: running_trial(self.found, self._folder, storage, trial.number, known)
                )
                self._begin(running, tuple(suggested(running, p) for p in self._study.parameters))
                return
            patiently(lambda: self.found.tell(trial.number, state=state("FAIL"), skip_if_finished=True))
        if not complete:
            return
        self._points[trial.number] = tuple(trial.params[name] for name in names)
        if str(trial.number) in seeds:
            self._seeds.add(trial.number)
        if trial.state.name == "RUNNING" and ours:
            running = patiently(lambda: running_trial(self.found, self._folder, storage, trial.number))
            self._begin(running, self._points[trial.number])
        elif ours and trial.state.is_finished():
            self._begin(trial, self._points[trial.number])

    def _restore(self) -> None:
        """Ask again for trials whose rows are kept and whose records a journal that was cut has lost."""
        known = len(patiently(lambda: self.found.get_trials(deepcopy=False)))
        for trial in range(known, 1 + max(self._store.done, default=-1) // len(self._variations)):
            patiently(lambda t=trial: self.found.enqueue_trial(self._kept(t)))
        trials = len(patiently(lambda: self.found.get_trials(deepcopy=False)))
        self.found.sampler = sampler(self._search, trials)  # else it would draw again what those have

    def _kept(self, trial: int) -> dict[str, Any]:
        """The point of a trial as its rows have it; empty without one."""
        first = trial * len(self._variations)
        rows = (
            self._store.row(n) for n in range(first, first + len(self._variations)) if n in self._store.done
        )
        row = next(rows, None)
        return {p.name: p.like(row[p.name]) for p in self._study.parameters} if row else {}

    def _tell(self, trial: int) -> None:
        """What came of a trial whose rows are all kept, unless Optuna knows it."""
        running, (values, excesses) = self._running.pop(trial), self._answer(trial)
        told = patiently(lambda: self.found.get_trials(deepcopy=False)[trial])
        if told.state.is_finished():  # and rows of it were lost since
            self.differs |= not self._agrees(told)
            return
        if values is None:
            patiently(lambda: self.found.tell(trial, state=state("FAIL"), skip_if_finished=True))
            return
        for text, excess in excesses.items():
            if text not in told.constraints:
                patiently(lambda t=text, e=excess: running.set_constraint(t, e))
        patiently(lambda: self.found.tell(trial, values, skip_if_finished=True))

    def _answer(self, trial: int) -> tuple[list[float] | None, dict[str, float]]:
        """Objectives, means over the ensemble, and by how much constraints are passed, at worst; none unless
        all objectives have one."""
        first = trial * len(self._variations)
        rows = [self._store.row(first + m) for m in range(len(self._variations))]
        answered = [row for row in rows if row["status"] == Status.CONVERGED]
        if rows[0]["status"] != Status.CONVERGED:
            return None, {}
        side = self.inputs(first).amputation.side
        values = [
            float(np.mean([objective.value(row, side) for row in answered]))
            for objective in self._search.objectives
        ]
        if not np.all(np.isfinite(values)):
            return None, {}
        return values, {
            each.text: min(max(each.excess(row, side) for row in answered), _FAR)
            for each in self._search.constraints
        }

    def inputs(self, number: int) -> Inputs:
        """What a row is solved from; InputError where its values do not go together."""
        trial, member = divmod(number, len(self._variations))
        inputs = self._study.inputs(self._runner, self._points[trial])
        variation = vars(self._variations[member])
        return inputs if member == 0 else changed(inputs, {f"variation.{k}": v for k, v in variation.items()})

    def _described(self, number: int) -> dict[str, Any]:
        trial, member = divmod(number, len(self._variations))
        row = {"number": number, "runner": self._runner, "member": member}
        pairs = zip(self._study.parameters, self._points[trial], strict=True)
        row |= {p.name: float(v) if p.numeric else str(v) for p, v in pairs}
        if len(self._variations) > 1:
            row |= {f"variation.{key}": value for key, value in vars(self._variations[member]).items()}
        return row

    def _ways(self, number: int) -> tuple[tuple[bytes | None, tuple[Inputs, ...]], ...]:
        """From the nearest stride of an earlier trial, or the two nearest; a lost row begins as it did."""
        trial = self.trial_of(number)
        ways = []
        earlier = [t for t in self._seeds if t < trial]
        for other in sorted(earlier, key=lambda t: (self._distance(t, trial), t)):
            if len(ways) > self._study.settings.both_ways:
                break
            if self._kind(other) != self._kind(trial):
                continue
            way = between(self._study, self._runner, self._points[other], self._points[trial])
            if way is None:
                break
            ways.append((self._store.seed(str(other)), way))
        return tuple(ways) or ((None, ()),)

    def _distance(self, one: int, other: int) -> float:
        return sum(hops(self._study.parameters, self._points[one], self._points[other]))

    def _kind(self, trial: int) -> list[Any]:
        return [v for p, v in zip(self._study.parameters, self._points[trial], strict=True) if p.apart]
