"""A sweep: every point of a study's design solved, for every runner, with its ensemble.

Takes a study file and a folder; gives the table of rows there (`_store`). Run again, it goes on where it was,
and tries again the rows that no worker came back from.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from bladerun._lib import data_files
from bladerun.body.variation import names
from bladerun.errors import InputError
from bladerun.status import Status
from bladerun.study import _store, executors, fingerprint
from bladerun.study._dask import Cluster, Files
from bladerun.study._grown import may_have_more_points, stages
from bladerun.study._objective import columns
from bladerun.study._pace import Pace
from bladerun.study._plan import Plans
from bladerun.study._processes import WorkerLost
from bladerun.study.design import MOST
from bladerun.study.file import Study, load_study
from bladerun.study.job import Done, Inputs, checked, work

Progress = Callable[[int, int, str, float | None], None]
"""Called with rows done, rows in all, what was solved last, and seconds left (None while unknown)."""

SOLVER = "bladerun.study.job:solved"


@dataclass(frozen=True)
class StudyResult:
    """What a study's folder holds.

    Attributes
    ----------
    folder
        Where it is.
    counts
        Rows by status.
    best
        Of a search, trials that no other beats.
    """

    folder: Path
    counts: dict[str, int]
    best: list[dict[str, Any]] = field(default_factory=list)

    def table(self) -> pd.DataFrame:
        """One row a stride; needs memory for all of them."""
        return _store.table(self.folder).to_pandas()

    def to_dict(self) -> dict[str, Any]:
        return {
            "table": str(self.folder / _store.TABLE),
            "rows": sum(self.counts.values()),
            **_by(self.counts),
        }


def _by(counts: dict[str, int]) -> dict[str, Any]:
    return {"status": counts}


def sweep(
    study: Study | str | Path,
    out: str | Path,
    *,
    workers: int | None = None,
    cluster: str | None = None,
    cluster_tls: Files | None = None,
    progress: Progress | None = None,
    solver: str = SOLVER,
) -> StudyResult:
    """Solve every row of a study that has a design, and keep each as soon as it is known.

    Parameters
    ----------
    study
        A study with a [design], or the path of its file.
    out
        The folder for tables and strides; a study goes on from what it holds.
    workers
        Processes here, one a core by default.
    cluster
        A running Dask scheduler, `tcp://host:port` or `tls://host:port`, instead.
    cluster_tls
        PEM files of the authority, one's own certificate and its key, for `tls://`.
    progress
        Called with rows done, rows in all, what was solved last, and seconds left (None while unknown).
    solver
        `module:function` as `bladerun.study.job.Solver`, for tests and benchmarks.

    Returns
    -------
    StudyResult
        What the folder holds. A row that finds no stride says why.

    Raises
    ------
    InputError
        Only for what concerns the study as a whole: one without a [design] or with too many rows, a folder
        that is in use by another client, holds another study or is full, a cluster that is gone.
    """
    study = study if isinstance(study, Study) else load_study(study)
    if study.search is not None:
        raise InputError("this study has a [search]; use `bladerun optimise`", key="[search]")
    if rows(study) > MOST:
        raise InputError(f"{rows(study)} rows are too many for one study; at most {MOST}, so divide it")
    folder, elsewhere = Path(out), Cluster(cluster, cluster_tls) if cluster else None
    with opened(study, folder, solver) as store:
        plans = Plans(stages(study, store.grown_from), store, solver)
        known = len(store.done)
        if known < plans.total:
            with executors.opened(workers, elsewhere) as executor:
                pace = Pace(executor.size)
                if progress:
                    progress(known, plans.total, pace.words(known, "begun"), None)
                for count, (number, done) in enumerate(
                    executors.run(executor, plans.take, work), start=known + 1
                ):
                    plan = plans.of(number)
                    again = isinstance(done, WorkerLost)
                    done = lost(done, plan.inputs(number)) if isinstance(done, WorkerLost) else checked(done)
                    plan.finish(number, done, again)
                    if progress:
                        left = pace.left_s(count - known, plans.total - count)
                        progress(count, plans.total, f"row {number}: {done.row['status']}", left)
    return result(folder)


def opened(study: Study, folder: Path, solver: str = SOLVER) -> AbstractContextManager[_store.Store]:
    """A sweep's rows in a folder, made or gone on with, for this client alone; raises as `_store.opened`."""
    about = {
        "kind": "sweep",
        "program": fingerprint.of_rows(),
        "study": study.document,
        "settings": settings(study),
        "rows": rows(study),
        "solver": solver,
    }
    return _store.opened(folder, schema(study), about, lambda before: may_have_more_points(before, study))


def settings(study: Study) -> dict[str, Any]:
    """Cost and environment, whole, of what a study does not vary."""
    inputs = next(iter(study.runners.values()))
    return {"cost": inputs.cost.to_dict(), "environment": inputs.environment.to_dict()}


def lost(error: WorkerLost, inputs: Inputs) -> Done:
    """The row of a job that no worker came back from."""
    identity = inputs.identity(fingerprint.of_rows())
    return Done({"status": Status.LOST.value, "why": str(error), "visits": 0, "identity": identity})


def rows(study: Study) -> int:
    """How many rows a study has."""
    points = study.search.trials if study.search else study.points.size
    return len(study.runners) * points * (1 + study.settings.ensemble)


def expected_s(study: Study, workers: int) -> float:
    """About how long it takes, from what a row has taken elsewhere (models/sweep.toml)."""
    facts = data_files.toml("sweep.toml")["expected"]
    each = facts["near_s"] * (2 if study.settings.both_ways else 1)
    return (rows(study) * each + len(study.runners) * facts["first_s"]) / workers


def schema(study: Study) -> pa.Schema:
    """The columns of the table: which row, its parameters, how it went, outcomes and their scatter."""
    fields = [("identity", pa.string(), ""), ("number", pa.int64(), ""), ("runner", pa.string(), "")]
    fields += [("member", pa.int64(), "")]
    fields += [(p.name, pa.float64() if p.numeric else pa.string(), "") for p in study.parameters]
    if study.settings.ensemble:
        fields += [(f"variation.{name}", pa.float64(), "-") for name in names()]
    fields += [("status", pa.string(), ""), ("why", pa.string(), ""), ("visits", pa.int64(), "")]
    fields += [(name, pa.float64(), unit) for name, unit in columns().items()]
    if study.settings.both_ways:
        fields += [(f"{name}_scatter", pa.float64(), unit) for name, unit in columns().items()]
    fields += [("seconds", pa.float64(), "s"), ("worker", pa.string(), "")]
    return pa.schema([pa.field(name, kind, metadata={"unit": unit}) for name, kind, unit in fields])


def result(folder: Path) -> StudyResult:
    """What a folder holds now."""
    status = _store.table(folder, ["status"]).column("status").value_counts().to_pylist()
    return StudyResult(folder, {each["values"]: each["counts"] for each in status})
