"""Cohorts made to run: every runner in every condition, and blades on the bench.

Takes a `Cohort`; gives a table, a row for each runner and condition with what was measured. Strides are kept
in a folder and used again where nothing that decides them has changed.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd

from bladerun.blade.bench import run_bench
from bladerun.blade.catalog import load_blade
from bladerun.body.runner import ABLE_BODIED, Amputation, Runner
from bladerun.dataset.files import read_stride
from bladerun.fitting import Fitting, altered, blade_of, resolve
from bladerun.status import Status
from bladerun.study import executors, strides
from bladerun.study.job import Inputs
from bladerun.study.strides import Asked, Strides
from bladerun.task import Task
from bladerun.validation._measures import measures
from bladerun.validation.finding import Cohort

Progress = Callable[[int, int, str, float | None], None]


class Member:
    """One runner of a cohort, put in its conditions one after the other.

    left: the conditions still to come, the first of them being asked for. rows: what was measured.
    """

    def __init__(self, cohort: Cohort, number: int, person: Mapping[str, Any]):
        self.cohort, self.number = cohort.name, number
        limb = {key: value for key, value in person.items() if key in _LIMB}
        self.runner = Runner(**{key: value for key, value in person.items() if key not in limb})
        self.amputation = Amputation(**{"side": "none", **limb})
        self.left, self.rows = deque(cohort.conditions), []
        self._solved: dict[str, list[Asked]] = defaultdict(list)

    def ask(self) -> Asked:
        """The next stride, from the nearest solved one on the same kind of blade."""
        condition = self.left[0]
        fitting, task = _fitting(self.runner, condition), _task(condition)
        inputs = Inputs(self.runner, self.amputation if fitting else ABLE_BODIED, fitting, task)
        self.asked = Asked.from_nearest(inputs, self._solved[condition["blade"]])
        return self.asked

    def answer(self, row: Mapping[str, Any], kept: Strides) -> None:
        """What became of it; a condition that was not solved has no measures."""
        condition, fitting = self.left.popleft(), self.asked.inputs.fitting
        found = {"runner": self.number, **condition, "status": row["status"]}
        found["stiffness_kn_m"] = _stiffness_kn_m(fitting) if fitting else math.nan
        if row["status"] == Status.CONVERGED:
            self._solved[condition["blade"]].append(self.asked)
            found |= measures(read_stride(kept.path(self.asked)))
        self.rows.append(found)


def run_cohorts(
    cohorts: list[Cohort],
    out: Path,
    *,
    runners: int | None,
    workers: int,
    progress: Progress | None = None,
) -> dict[str, pd.DataFrame]:
    """A table for each cohort. runners: only the first so many of each."""
    people = [
        Member(cohort, number, person)
        for cohort in cohorts
        for number, person in enumerate(cohort.runners[:runners], 1)
    ]
    ready = deque(sorted(people, key=lambda member: -len(member.left)))  # the longest begin first
    count = sum(len(member.left) for member in people)

    def take() -> tuple[Member, Asked] | None:
        member = ready.popleft() if ready else None
        return member and (member, member.ask())

    with (
        strides.opened(out) as kept,
        executors.opened(min(workers, len(people)), here=workers == 1 or not people) as executor,
    ):
        for done, (member, found) in enumerate(kept.each(executor, take), 1):
            member.answer(found.row, kept)
            if member.left:
                ready.appendleft(member)
            if progress:
                progress(done, count, f"{member.cohort}, runner {member.number}", None)
    tables = {cohort.name: _on_bench(cohort) for cohort in cohorts if not cohort.runners}
    for cohort in cohorts:
        if cohort.runners:
            mine = (member for member in people if member.cohort == cohort.name)
            tables[cohort.name] = pd.DataFrame([row for member in mine for row in member.rows])
    return tables


_ASKED = tuple(field.name for field in fields(Task))
_LIMB = tuple(field.name for field in fields(Amputation))


def _task(condition: Mapping[str, Any]) -> Task:
    return Task(**{key: value for key, value in condition.items() if key in _ASKED})


def _fitting(runner: Runner, condition: Mapping[str, Any]) -> Fitting | None:
    """The condition's fitting, its category counted from the recommended one; None without a blade."""
    if condition["blade"] == "none":
        return None
    settings = {key: value for key, value in condition.items() if key not in (*_ASKED, "category")}
    usual = resolve(Fitting(**settings), runner)
    return altered(usual, category=float(usual.category) + condition.get("category", 0))


def _stiffness_kn_m(fitting: Fitting) -> float:
    """Of the category on the tester, which is what studies regress on."""
    return blade_of(fitting).stiffness_n_m(float(fitting.category))[0] / 1e3


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
