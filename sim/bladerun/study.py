"""Many fittings of one runner: solved side by side, compared, one of them recommended.

Takes a case and a folder; gives a `FitResult` and writes `outcomes.parquet` (one row a fitting),
`strides/*.nc`, `study.json` and `report.html` there. Strides the folder already holds are used again.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bladerun import __version__, _facts, _recommend, _visits
from bladerun._files import atomic, output_dir
from bladerun._visits import Visit
from bladerun.case import Case, Task
from bladerun.fitting import Fitting
from bladerun.model import build_model
from bladerun.outcomes import flat, outcomes
from bladerun.report import write_report
from bladerun.runner import Amputation, Runner
from bladerun.stride import solve

Progress = Callable[[int, int, str, float | None], None]
"""Called with visits done, visits in all, what is being solved, and seconds left (None while unknown)."""


@dataclass(frozen=True)
class FitResult:
    """What a study found.

    table: one row a fitting, indexed by its name: settings, status and why, score and trade-offs, objective,
    every outcome (`contact_time_s_left`), each with `<column>_scatter`, the largest difference between the
    converged visits of that fitting (`visits` counts them), NaN with fewer than two. NaN throughout where
    none converged.
    recommended, current: names of rows; recommended is None where no fitting qualifies.
    indistinct: rows whose score cannot be told apart from that of the recommended one.
    comparison: the trade-offs of recommended and current side by side (empty where either has none).
    """

    case: Case
    table: pd.DataFrame
    recommended: str | None
    current: str
    indistinct: list[str]
    why: str
    comparison: list[dict[str, Any]]
    weights: dict[str, Any]
    folder: Path

    @property
    def report(self) -> Path:
        return self.folder / "report.html"

    def stride(self, name: str) -> Path:
        """The file of the stride that stands for a fitting."""
        return self.folder / self.table.at[name, "stride"]

    def to_dict(self) -> dict[str, Any]:
        """For JSON: inputs, recommendation and every row; None for NaN."""
        rows = {name: _plain(row.to_dict()) for name, row in self.table.iterrows()}
        return {
            "version": __version__,
            "runner": asdict(self.case.runner),
            "amputation": asdict(self.case.amputation),
            "task": asdict(self.case.task),
            "converged": int((self.table.status == "converged").sum()),
            "fittings": len(self.table),
            "recommended": self.recommended and {"name": self.recommended, **rows[self.recommended]},
            "current": {"name": self.current, **rows[self.current]},
            "indistinct": self.indistinct,
            "why": self.why,
            "comparison": [_plain(row) for row in self.comparison],
            "weights": self.weights,
            "report": str(self.report),
            "table": str(self.folder / "outcomes.parquet"),
        }


def fit(
    case: Case, out: str | Path, *, workers: int | None = None, progress: Progress | None = None
) -> FitResult:
    """Solve every combination in the case's sweep, and the fitting worn today, and recommend one.

    Each fitting is solved twice, from a neighbour on the way up through the grid and from another on the way
    down; where the two disagree, once more from the best neighbour. The lowest objective counts, the
    differences are the scatter. workers: processes, one a core by default; 1 solves in this process.
    Raises InputError, before anything is solved, where there is nothing to fit, a fitting cannot be built or
    `out` cannot be written to. A fitting that does not converge is a row.
    """
    grid = _visits.grid(case)
    for fitting in grid.fittings.values():
        build_model(case.runner, case.amputation, fitting)
    folder = output_dir(out)
    output_dir(folder / "strides")
    workers = workers or _visits.cores()
    plan = _visits.plan(grid)
    results: _visits.Results = {}
    _solve_all(plan, plan, results, case, grid, folder, workers, progress)
    again = _visits.plan_again(grid, plan, results)
    plan |= again
    _solve_all(again, plan, results, case, grid, folder, workers, progress)

    table = _table(grid, plan, results)
    recommended, indistinct = _recommend.recommend(table)
    comparable = recommended is not None and table.at[grid.current, "status"] == "converged"
    result = FitResult(
        case=case,
        table=table,
        recommended=recommended,
        current=grid.current,
        indistinct=indistinct,
        why=_recommend.why(table, recommended, grid.current, indistinct),
        comparison=_recommend.compare(table, str(recommended), grid.current) if comparable else [],
        weights=_recommend.weights(),
        folder=folder,
    )
    with atomic(folder / "outcomes.parquet") as tmp:
        table.to_parquet(tmp)
    with atomic(folder / "study.json") as tmp:
        tmp.write_text(json.dumps(result.to_dict(), indent=2, allow_nan=False) + "\n", encoding="utf-8")
    write_report(result)
    return result


@dataclass(frozen=True)
class _Job:
    """One visit, as a process needs it: what to solve, from which stride of which fitting, where to write."""

    runner: Runner
    amputation: Amputation
    task: Task
    fitting: Fitting
    start: tuple[Path, Fitting] | None
    path: Path
    identity: str


def _solve_all(todo, plan, results, case, grid, folder, workers, progress) -> None:
    """Fill `results` for the visits of `todo`, whose starts are in `plan`."""

    def job(visit: Visit) -> _Job:
        before = _visits.start_of(visit, plan, results)
        start = before and (_path(folder, before), grid.fittings[before.name])
        fitting = grid.fittings[visit.name]
        identity = _identity(case, fitting)
        return _Job(case.runner, case.amputation, case.task, fitting, start, _path(folder, visit), identity)

    begin, known = time.monotonic(), len(results)
    for visit in _visits.run(todo, results, job, _visit, workers):
        if progress:
            solved = sum(not result["kept"] for result in list(results.values())[known:])
            left = known + len(todo) - len(results)
            pace = (time.monotonic() - begin) / solved if solved else None
            text = _visits.describe(grid.fittings[visit.name])
            progress(len(results), known + len(todo), text, pace and pace * left)


def _path(folder: Path, visit: Visit) -> Path:
    return folder / "strides" / f"{visit.name}_{visit.way}.nc"


def _visit(job: _Job) -> dict[str, Any]:
    """The numbers of one visit: from its file if that is of the same inputs, else solved and written."""
    stride = _kept(job)
    if stride is not None:
        return {**_numbers(stride), "kept": True}
    stride = _solved(job)
    stride.attrs["identity"] = job.identity
    with atomic(job.path) as tmp:
        stride.to_netcdf(tmp, engine="h5netcdf")
    return {**_numbers(stride), "kept": False}


def _kept(job: _Job) -> xr.Dataset | None:
    """The stride solved before from the same inputs; None if there is none that can be read."""
    try:
        stride = xr.load_dataset(job.path, engine="h5netcdf")
    except (OSError, ValueError, KeyError):
        return None
    return stride if stride.attrs.get("identity") == job.identity else None


def _solved(job: _Job) -> xr.Dataset:
    """From the start to the fitting, over some in between if it is far; each from the last that converged."""
    start, path = None, [job.fitting]
    if job.start:
        start = xr.load_dataset(job.start[0], engine="h5netcdf")
        path = _visits.bridge(job.start[1], job.fitting)
    for fitting in path[:-1]:
        stride = solve(build_model(job.runner, job.amputation, fitting), job.task, start=start)
        if stride.attrs["status"] != "not converged":
            start = stride
    return solve(build_model(job.runner, job.amputation, path[-1]), job.task, start=start)


def _numbers(stride: xr.Dataset) -> dict[str, Any]:
    """What the table needs of a stride; outcomes only if it converged."""
    attrs = stride.attrs
    if attrs["status"] != "converged":
        return {"status": attrs["status"], "why": attrs["why"], "objective": math.nan}
    values = flat(outcomes(stride))
    return {
        "status": attrs["status"],
        "why": attrs["why"],
        "objective": float(attrs["objective"]),
        **_recommend.weigh(values, attrs["amputation_side"]),
        **values,
    }


def _table(grid: _visits.Grid, plan: _visits.Plan, results: _visits.Results) -> pd.DataFrame:
    """One row a fitting: the converged visit of lowest objective, and how far its visits lie apart."""
    rows = {}
    for name, fitting in grid.fittings.items():
        found = _visits.converged(name, plan, results)
        visits = [results[visit] for visit in found]
        row = {**asdict(fitting), "current": name == grid.current, "visits": len(visits)}
        if not visits:
            failed = [result for visit, result in results.items() if visit.name == name]
            said = max(failed, key=lambda result: result["status"] == "too weak")
            rows[name] = row | {"status": said["status"], "why": said["why"], "stride": ""}
            continue
        best = visits[0]
        for key, value in best.items():
            if key == "kept":
                continue
            row[key] = value
            if isinstance(value, float):
                spread = [visit[key] for visit in visits]
                row[f"{key}_scatter"] = max(spread) - min(spread) if len(spread) > 1 else math.nan
        row["stride"] = str(_path(Path(), found[0]))
        rows[name] = row
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("name")


def _identity(case: Case, fitting: Fitting) -> str:
    """A hash of everything that decides a stride: inputs, facts and the program."""
    inputs = [asdict(part) for part in (case.runner, case.amputation, fitting, case.task)]
    return hashlib.sha256(f"{json.dumps(inputs)} {_program()}".encode()).hexdigest()


_AFTER_THE_STRIDE = {
    "_console.py", "_definitions.py", "_elastica.py", "_leg.py", "_periodic.py", "_posture.py",
    "_recommend.py", "_visits.py", "bench.py", "case.py", "cli", "forward.py", "outcomes.py", "plots.py",
    "outcomes.toml", "recommendation.toml", "report", "sketch.py", "study.py", "validation", "words.toml",
}  # fmt: skip


@cache
def _program() -> str:
    """A hash of the version, the facts and the code that a stride comes from."""
    digest = hashlib.sha256(__version__.encode())
    for root in (Path(__file__).parent, _facts.models_dir()):
        for file in sorted(root.rglob("*.*")):
            part = file.relative_to(root)
            if file.suffix in (".py", ".toml", ".xml", ".csv") and not _AFTER_THE_STRIDE & set(part.parts):
                digest.update(str(part).encode() + file.read_bytes())
    return digest.hexdigest()


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """Python numbers, None for NaN."""
    values = {key: value.item() if isinstance(value, np.generic) else value for key, value in row.items()}
    return {key: None if isinstance(v, float) and math.isnan(v) else v for key, v in values.items()}
