"""Cohorts made to run: every runner in every condition, and blades on the bench.

Takes a `Cohort`; gives a table, a row for each runner and condition with what was measured. Strides are kept
in a folder and used again where nothing that decides them has changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from bladerun.blade.bench import run_bench
from bladerun.blade.catalog import load_blade
from bladerun.body.runner import ABLE_BODIED, Amputation, Runner
from bladerun.dataset.files import read_stride, write_stride
from bladerun.errors import InputError
from bladerun.fitting import Fitting, altered, blade_of, resolve
from bladerun.model import build_model
from bladerun.status import Status
from bladerun.stride import solve
from bladerun.study import executors, fingerprint
from bladerun.task import Task
from bladerun.validation._measures import measures
from bladerun.validation.finding import Cohort

Progress = Callable[[int, int, str, float | None], None]
_STEPS = {"category": 1.0, "height_mm": 10.0, "toe_out_deg": 5.0, "sagittal_deg": 5.0}  # of nearness


@dataclass(frozen=True)
class Member:
    """One runner of a cohort in its conditions: what one process solves."""

    cohort: str
    number: int
    runner: Runner
    amputation: Amputation
    conditions: tuple[Mapping[str, Any], ...]
    folder: Path


def run_cohorts(
    cohorts: list[Cohort],
    folder: Path,
    *,
    runners: int | None,
    workers: int,
    progress: Progress | None = None,
) -> dict[str, pd.DataFrame]:
    """A table for each cohort. runners: only the first so many of each."""
    members = [member for cohort in cohorts for member in _members(cohort, folder)[:runners]]
    tables = {cohort.name: _on_bench(cohort) for cohort in cohorts if not cohort.runners}
    rows: dict[str, list[dict[str, Any]]] = {cohort.name: [] for cohort in cohorts if cohort.runners}
    for done, (member, found) in enumerate(_in_processes(members, workers), 1):
        rows[member.cohort] += found
        if progress:
            progress(done, len(members), f"{member.cohort}, runner {member.number}", None)
    return tables | {name: pd.DataFrame(found) for name, found in rows.items()}


def _in_processes(members: list[Member], workers: int) -> Iterator[tuple[Member, list[dict[str, Any]]]]:
    """Members with their rows, as they end; the longest begin first."""
    jobs = [(member, member) for member in sorted(members, key=lambda member: -len(member.conditions))]
    with executors.opened(min(workers, len(members)), here=workers == 1 or not members) as executor:
        yield from executors.answers(executor, jobs, _rows)


def _members(cohort: Cohort, folder: Path) -> list[Member]:
    members = []
    for number, person in enumerate(cohort.runners, 1):
        measures_of = {key: value for key, value in person.items() if key != "side"}
        amputation = Amputation(side=person.get("side", "none"))
        members.append(
            Member(cohort.name, number, Runner(**measures_of), amputation, cohort.conditions, folder)
        )
    return members


def _rows(member: Member) -> list[dict[str, Any]]:
    """What one runner does in every condition; a condition that was not solved has no measures."""
    solved: list[tuple[Mapping[str, Any], xr.Dataset]] = []
    rows = []
    for condition in member.conditions:
        stride = _stride(member, condition, _nearest(condition, solved))
        row = {"runner": member.number, **condition, "status": stride.attrs["status"]}
        row["stiffness_kn_m"] = _stiffness_kn_m(member, condition)
        if stride.attrs["status"] == Status.CONVERGED:
            solved.append((condition, stride))
            row |= measures(stride)
        rows.append(row)
    return rows


def _stride(member: Member, condition: Mapping[str, Any], start: xr.Dataset | None) -> xr.Dataset:
    """From its file if that is of the same inputs, else solved; from nothing where `start` leads nowhere."""
    fitting, task = _fitting(member, condition), Task(float(condition["speed_m_s"]))
    amputation = member.amputation if fitting else ABLE_BODIED
    inputs = [asdict(part) if part else None for part in (member.runner, amputation, fitting, task)]
    identity = hashlib.sha256(f"{json.dumps(inputs)} {fingerprint.of_strides()}".encode()).hexdigest()
    path = member.folder / f"{identity[:16]}.nc"
    with contextlib.suppress(InputError):
        return read_stride(path)
    model = build_model(member.runner, amputation, fitting)
    stride = solve(model, task, start=start)
    if start is not None and stride.attrs["status"] == Status.NOT_CONVERGED:
        stride = solve(model, task)
    write_stride(stride, path)
    return stride


def _fitting(member: Member, condition: Mapping[str, Any]) -> Fitting | None:
    """The condition's fitting, its category counted from the recommended one; None without a blade."""
    if condition["blade"] == "none":
        return None
    settings = {key: value for key, value in condition.items() if key not in ("speed_m_s", "category")}
    usual = resolve(Fitting(**settings), member.runner)
    return altered(usual, category=float(usual.category) + condition.get("category", 0))


def _stiffness_kn_m(member: Member, condition: Mapping[str, Any]) -> float:
    """Of the category on the tester, which is what studies regress on."""
    fitting = _fitting(member, condition)
    return blade_of(fitting).stiffness_n_m(float(fitting.category))[0] / 1e3 if fitting else math.nan


def _nearest(
    condition: Mapping[str, Any], solved: list[tuple[Mapping[str, Any], xr.Dataset]]
) -> xr.Dataset | None:
    """A stride on the same kind of blade at the same speed, in the fewest steps."""
    near = [
        (sum(abs(condition.get(key, 0) - other.get(key, 0)) / step for key, step in _STEPS.items()), number)
        for number, (other, _) in enumerate(solved)
        if all(condition.get(key) == other.get(key) for key in ("blade", "speed_m_s"))
    ]
    return solved[min(near)[1]][1] if near else None


def _on_bench(cohort: Cohort) -> pd.DataFrame:
    """Every blade and category as the tester finds it."""
    rows = []
    for condition in cohort.conditions:
        blade, setting = load_blade(condition["blade"]), dict(condition)
        result = run_bench(
            blade,
            condition["category"],
            angle_deg=condition.get("angle_deg", 0.0),
            height_mm=condition.get("height_mm", 0.0),
            peak_load_n=condition.get("peak_load_n"),
        )
        (_, coupling), (_, along) = result.stiffness_axes_kn_m
        rows.append(
            {"runner": f"{blade.name} {condition['category']}", **setting}
            | {
                "stiffness_kn_m": result.stiffness_secant_kn_m,
                "return_percent": 100 * (1 - result.hysteresis_fraction),
                "quadratic_gain_percent": 100 * (result.r2_quadratic - result.r2_linear),
                "toe_forward_mm_per_mm": result.toe_forward_mm_per_mm,
                "coupling_over_axial": coupling / along,
            }
        )
    return pd.DataFrame(rows)
