"""Many fittings of one runner: solved side by side, compared, one of them recommended.

Takes a case and a folder; gives a `FitResult` and writes `outcomes.parquet` (one row a fitting),
`strides/*.nc` and `study.json` there. Strides the folder already holds are used again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from bladerun._lib import data_files
from bladerun._lib.files import atomic, write_parquet
from bladerun._lib.threads import cores
from bladerun.body.variation import Variation, draw
from bladerun.case import ADJUSTED, SWEPT, Case
from bladerun.dataset.files import read_stride
from bladerun.gait.outcomes import flat, outcomes
from bladerun.model import build_model
from bladerun.status import Status
from bladerun.study import answer, drawn, executors, job, knee_answer, recommend, strides, today, visits
from bladerun.study._fit_result import FitResult
from bladerun.study._pace import Pace
from bladerun.study.executors import Executor
from bladerun.study.intervals import intervals
from bladerun.study.job import Inputs
from bladerun.study.knee_comparison import KneeComparison, asked_for, compare_knees
from bladerun.study.landing_window import LandingWindow
from bladerun.study.landings import window_of
from bladerun.study.solved_again import solved_again
from bladerun.study.strides import Asked, Strides
from bladerun.study.today import HeldToday
from bladerun.study.visits import Visit

Progress = Callable[[int, int, str, float | None], None]
"""Called with visits done, visits in all, what is being solved, and seconds left (None while unknown)."""


def fit(
    case: Case,
    out: str | Path,
    *,
    workers: int | None = None,
    progress: Progress | None = None,
    ensemble: int | None = None,
    hold: bool = False,
    widen: bool = True,
    look_in: str | Path | None = None,
) -> FitResult:
    """Solve every combination in the case's sweep, and the fitting worn today, and recommend one.

    Each fitting is solved twice, from a neighbour on the way up through the grid and from another on the way
    down; where the two disagree, once more from the best neighbour. The lowest objective counts, the
    differences are the scatter. A fitting that does not converge is a row. A sweep of knees alone compares
    those, on the fitting worn today, and no blade settings.

    Parameters
    ----------
    case
        The runner, with a fitting and a sweep.
    out
        The folder for tables and strides; those it already holds are used again.
    workers
        Processes, one a core by default; 1 solves in this process.
    progress
        Called with visits done, visits in all, what is being solved, and seconds left (None while unknown).
    ensemble
        How many times more each fitting is solved, with uncertain inputs varied by the same draws for all;
        0 for no intervals. By default so many as models/sweep.toml says, of the fittings that the answer
        speaks of alone; those of the others are estimated (`drawn`).
    hold
        Also run the recommended fitting under the controls of today's stride, a minute more.
    widen
        Also solve every change of one setting from today's fitting, and where the best lies at the edge of
        the sweep, fittings beyond it, step by step.
    look_in
        A folder of such folders: strides that one of them holds, the page's too, are copied and not solved
        again.

    Returns
    -------
    FitResult
        Every fitting, and the recommended one.

    Raises
    ------
    InputError
        Before anything is solved, where there is nothing to fit, a fitting cannot be built or `out` cannot be
        written to.
    """
    grid, blades = visits.grid(case), not asked_for(case) or bool(set(SWEPT) & set(case.sweep))
    widen = widen and blades
    grid = visits.beside(grid, case) if widen else grid
    for fitting in grid.fittings.values():
        build_model(case.runner, case.amputation, fitting)
    folder, workers = Path(out), workers or cores()
    with (
        strides.opened(folder, look_in) as kept,
        executors.opened(min(workers, 2 * len(grid.fittings)), here=workers == 1) as executor,
    ):
        run = _Run(case, grid, kept, executor, progress)
        limits = run.solve(widen)
        table = run.table()
        members = run.members(*_to_draw(table, grid.current, ensemble), folder)
        members = drawn.spread(table, members, grid.current)
        result = _answer(case, table, grid.current, members, limits, folder)
        window = run.window(result.recommended or result.current) if blades else None
        held_today = run.today(members)
        knees = run.knees(ensemble)

    result = replace(result, window=window, today=held_today)
    result = _with_knees(result, knees, blades) if knees else result
    if hold and result.comparison and result.recommended != result.current:
        if progress:
            progress(len(run.results), len(run.results), "the same controls on the recommended fitting", None)
        result = replace(result, held=_held(result))
    write_parquet(result.table, folder / "outcomes.parquet")
    if knees:
        write_parquet(knees.table, folder / "knees.parquet")
    with atomic(folder / "study.json") as tmp:
        tmp.write_text(json.dumps(result.to_dict(), indent=2, allow_nan=False) + "\n", encoding="utf-8")
    return result


def _answer(case, table, current, members, limits, folder) -> FitResult:
    """What is recommended and why; limits: sentences about those of the sweep that were met."""
    table = table.join(intervals(members))
    best, indistinct = recommend.recommend(table, members)
    recommended = best and recommend.chosen(table, best, current, members)
    why = recommend.why(table, recommended, current, indistinct, members, best)
    comparable = recommended is not None and table.at[current, "status"] == Status.CONVERGED
    return FitResult(
        case=case,
        table=table,
        recommended=recommended,
        current=current,
        indistinct=indistinct,
        first=answer.first_step(table, recommended, current),
        why=" ".join([why, *limits]),
        comparison=recommend.compare(table, str(recommended), current, members) if comparable else [],
        weights=recommend.weights(case.priorities),
        folder=folder,
        members=members,
    )


def _with_knees(result: FitResult, knees: KneeComparison, blades: bool) -> FitResult:
    """The result with what the knees say; blades: whether settings of the blade were compared too."""
    why = result.why if blades else "Knees are compared, the blade's settings stay as they are today."
    return replace(result, knees=knees, why=f"{why} {knee_answer.in_words(knees, result.case.amputation)}")


class _Run:
    """Visits of one comparison: what was asked for each, and what came of it."""

    def __init__(
        self, case: Case, grid: visits.Grid, kept: Strides, executor: Executor, progress: Progress | None
    ):
        self.case, self.grid, self.strides = case, grid, kept
        self.plan: visits.Plan = {}
        self.results: visits.Results = {}
        self.asked: dict[Visit, Asked] = {}
        self._executor, self._tell = executor, progress or (lambda *_: None)

    def solve(self, widen: bool) -> list[str]:
        """Every fitting; gives a sentence for each limit that was met.

        widen: also fittings beyond the sweep, while the best lies at its edge.
        """
        for left in range(data_files.toml("sweep.toml")["wider"]["times"] if widen else 0, -1, -1):
            self._visit(visits.plan(self.grid))
            self._visit(visits.plan_again(self.grid, self.plan, self.results))
            table = self.table()
            best, _ = recommend.recommend(table)
            if best is None or not widen or not recommend.worth_changing(table, best, self.grid.current):
                break
            wider, limits = visits.beyond(self.grid, best, recommend.edges(table, best), self.case)
            if len(wider.fittings) == len(self.grid.fittings) or not left:
                return limits  # all steps are taken, or limits are met
            self.grid = wider
        return []

    def table(self) -> pd.DataFrame:
        """One row a fitting: the converged visit of lowest objective, and how far its visits lie apart."""
        rows = {}
        for name, fitting in self.grid.fittings.items():
            found = self._converged(name)
            row = {**fitting.row(), "current": name == self.grid.current, "visits": len(found)}
            if found:
                row |= job.best_of([_numbers(self.results[visit]) for visit in found])
                row["stride"] = f"{strides.FOLDER}/{self.strides.path(self.asked[found[0]]).name}"
            else:
                failed = [result for visit, result in self.results.items() if visit.name == name]
                said = max(failed, key=lambda result: result["status"] == Status.TOO_WEAK)
                row |= {"status": said["status"], "why": said["why"], "stride": ""}
            rows[name] = row
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("name")

    def members(self, names: list[str], count: int, folder: Path) -> pd.DataFrame:
        """These fittings solved again with each draw, from their own best strides."""
        best = {name: found[0] for name in names if (found := self._converged(name))}
        if not count or not best:
            (folder / "members.parquet").unlink(missing_ok=True)  # of a run before this one
            return pd.DataFrame()
        table = self._drawn(best, draw(count, own=self.case.reference and self.case.reference.motion))
        write_parquet(table, folder / "members.parquet")
        return table

    def today(self, members: pd.DataFrame) -> HeldToday | None:
        """Today's fitting beside what was measured on it; members: of the ensemble, empty without one."""
        known, best = self.case.reference, self._converged(self.grid.current)[:1]
        if known is None or not best:
            return None
        stride, wide = read_stride(self.strides.path(self.asked[best[0]])), pd.DataFrame()
        if self.grid.current in members.index.get_level_values(0):
            count = int(members.loc[self.grid.current].index.max())
            wide = self._drawn({self.grid.current: best[0]}, draw(count))
        return today.held_today(known, stride, members, wide, self.grid.current)

    def _drawn(self, best: Mapping[str, Visit], varied: list[Variation]) -> pd.DataFrame:
        """Fittings by their best visits, solved again with each variation; member 0 is the visit itself."""
        pace = Pace(self._executor.size)

        def tell(solved: int, left: int, name: str, member: int) -> None:
            done = len(self.results) + solved
            text = f"{visits.describe(self.grid.fittings[name])}, draw {member}"
            self._tell(done, done + left, text, pace.left_s(solved, left))

        return solved_again(
            {name: self.asked[visit] for name, visit in best.items()},
            {name: _numbers(self.results[visit]) for name, visit in best.items()},
            varied,
            self.strides,
            self._executor,
            numbers=lambda row: _numbers(recommend.weighed(row, self.case.priorities)),
            tell=tell,
        )

    def knees(self, ensemble: int | None) -> KneeComparison | None:
        """Today's fitting on the knees of the sweep; None where it names none."""
        if not asked_for(self.case):
            return None

        def tell(done: int, count: int, text: str) -> None:
            self._tell(done, count, text, None)

        draws = data_files.toml("sweep.toml")["ensemble"]["draws"] if ensemble is None else ensemble
        return compare_knees(self.case, self.strides, self._executor, draws, tell)

    def window(self, name: str) -> LandingWindow | None:
        """How far the landing on this fitting may move; None where it did not converge."""
        if not (found := self._converged(name)):
            return None

        def tell(done: int, count: int, text: str) -> None:
            self._tell(done, count, text, None)

        return window_of(self.asked[found[0]], self.case, self.strides, self._executor, tell)

    def _converged(self, name: str) -> list[Visit]:
        return visits.converged(name, self.plan, self.results)

    def _visit(self, todo: visits.Plan) -> None:
        """Add these visits to the plan, and to `results` what came of those that are not in it yet."""
        self.plan |= todo
        pace, begun, solved = Pace(self._executor.size), set(self.results), 0

        def tell(visit: Visit) -> None:
            done, total = len(self.results), len(self.plan)
            text = pace.words(done, visits.describe(self.grid.fittings[visit.name]))
            self._tell(done, total, text, pace.left_s(solved, total - done))

        def take() -> tuple[Visit, Asked] | None:
            visit = visits.ready(todo, self.results, begun)
            if visit is None:
                return None
            begun.add(visit)
            tell(visit)
            before = visits.start_of(visit, self.plan, self.results)
            inputs = Inputs.of(self.case, self.grid.fittings[visit.name])
            self.asked[visit] = Asked(inputs, before and self.asked[before], visit.way)
            return visit, self.asked[visit]

        for visit, found in self.strides.each(self._executor, take):
            self.results[visit] = recommend.weighed(found.row, self.case.priorities)
            solved += not found.kept
            tell(visit)


def _to_draw(table, current, ensemble) -> tuple[list[str], int]:
    """The fittings to be solved with varied facts, and how often."""
    if ensemble is not None:
        return list(table.index), ensemble
    best, _ = recommend.recommend(table)
    if best is None:
        return [], 0
    recommended = recommend.chosen(table, best, current)
    first = answer.first_step(table, recommended, current)
    limit = recommend.weights()["constraint"]
    by_score = table.score[table[limit["key"]] >= limit["minimum"]].sort_values(kind="stable").index
    spoken_of = [current, recommended, first, best, *by_score[:2]]
    names = drawn.to_draw(table, [name for name in spoken_of if name], current)
    return names, data_files.toml("sweep.toml")["ensemble"]["draws"]


def _held(result: FitResult) -> dict[str, Any]:
    """What becomes of today's stride on the recommended fitting where nothing is optimised again."""
    from bladerun.forward.unadapted import hold, other_fitting  # slow to load, and seldom asked for

    row = result.table.loc[str(result.recommended)]
    today = read_stride(result.stride(result.current))
    model = other_fitting(today, {key: float(row[key]) for key in ADJUSTED})
    stride = hold(today, model)
    told = {key: stride.attrs[key] for key in ("status", "why", "feedback_share")}
    return told | (flat(outcomes(stride)) if told["status"] == Status.HELD else {})


def _numbers(row: dict[str, Any]) -> dict[str, Any]:
    """What a table has of a row."""
    return {key: value for key, value in row.items() if key != "from_nothing"}
