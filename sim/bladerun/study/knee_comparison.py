"""Which knee? Today's fitting solved on each knee that a runner's file names, at each of its speeds.

Takes a case whose sweep names knees or settings of theirs; gives a `KneeComparison`. Only the knee differs:
no other setting of the fitting is searched for anew, and no knee is recommended.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from bladerun._lib.json_values import json_value
from bladerun.body.legs import SIDES
from bladerun.body.variation import draw
from bladerun.case import Case
from bladerun.fitting import resolve
from bladerun.knees import SETTINGS, knee_title, on_each_knee
from bladerun.status import Status
from bladerun.study import executors, recommend
from bladerun.study.executors import Executor
from bladerun.study.intervals import intervals
from bladerun.study.job import Inputs
from bladerun.study.solved_again import solved_again
from bladerun.study.strides import FOLDER, Asked, Strides

Tell = Callable[[int, int, str], None]
"""Called with strides done, strides in all, and what was solved."""


@dataclass(frozen=True)
class KneeComparison:
    """What a comparison of knees found.

    Attributes
    ----------
    table
        One row a knee and speed, indexed by a name: `speed_m_s`, `title` of the knee with its settings,
        whether it is worn `today`, `status`, `why`, the file of its `stride`, score, trade-offs and every
        outcome; with an ensemble also `<column>_low` and `<column>_high`.
    members
        One row a knee, speed and draw, as `table`; empty without an ensemble.
    """

    table: pd.DataFrame
    members: pd.DataFrame

    @property
    def speeds(self) -> list[float]:
        """Those that were compared, slow to fast."""
        return sorted(self.table.speed_m_s.unique())

    def at(self, speed_m_s: float) -> pd.DataFrame:
        """The rows of one speed."""
        return self.table.loc[self.table.speed_m_s == speed_m_s]

    def differ(self, column: str, one: str, other: str) -> bool:
        """Whether two rows differ in a column by what matters, and beyond what is uncertain."""
        table = self.table.assign(**{f"{column}_scatter": np.nan})
        apart = recommend.told_apart(table, column, one, [other], self.members)[other]
        gap = self.table.at[one, column] - self.table.at[other, column]
        return recommend.verdict(column, apart, gap) in ("matters", "differs")

    def to_dict(self) -> list[dict[str, Any]]:
        """For JSON."""
        return json_value(self.table.reset_index().to_dict("records"))


def asked_for(case: Case) -> bool:
    """Whether the case's sweep names knees or settings of theirs."""
    return bool(set(SETTINGS) & set(case.sweep))


def compare_knees(case: Case, strides: Strides, executor: Executor, draws: int, tell: Tell) -> KneeComparison:
    """Every knee at every speed, and each with so many draws of what is uncertain."""
    wanted = _wanted(case)
    first = {_start_of(inputs): name for name, inputs in reversed(wanted.items())}
    asked = {name: Asked(wanted[name]) for name in reversed(first.values())}
    rows: dict[str, dict[str, Any]] = {}

    def solve(todo: dict[str, Asked]) -> None:
        for name, found in strides.each(executor, executors.in_turn(todo.items())):
            rows[name] = recommend.weighed(found.row, case.priorities)
            tell(len(rows), len(wanted) * (1 + draws), name)

    solve(asked)
    usable = [one for name, one in asked.items() if Status(rows[name]["status"]).usable_as_start]
    later = {name: Asked.from_nearest(each, usable) for name, each in wanted.items() if name not in asked}
    solve(later)
    asked |= later
    table = pd.DataFrame.from_dict(
        {name: _row(case, asked[name], rows[name], strides) for name in wanted}, orient="index"
    ).rename_axis("name")
    members = _members(case, asked, rows, draws, strides, executor, tell)
    return KneeComparison(table.join(intervals(members)), members)


def _wanted(case: Case) -> dict[str, Inputs]:
    """What is solved, by name: of each speed today's fitting first."""
    assert case.fitting is not None
    today = resolve(case.fitting, case.runner)
    fittings = on_each_knee(today, case.amputation, {k: case.sweep[k] for k in SETTINGS if k in case.sweep})
    return {
        f"{knee_title(fitting, case.amputation)} at {speed:g} m/s": replace(
            Inputs.of(case, fitting), task=replace(case.task, speed_m_s=speed)
        )
        for speed in case.sweep.get("speed_m_s", (case.task.speed_m_s,))
        for fitting in fittings
    }


def _start_of(inputs: Inputs) -> tuple[Any, ...]:
    """What a stride has in common with those that may start from it."""
    assert inputs.fitting is not None
    return inputs.task, *(inputs.fitting.of(side).knee for side in SIDES)


def _row(case: Case, asked: Asked, row: dict[str, Any], strides: Strides) -> dict[str, Any]:
    fitting, amputation = asked.inputs.fitting, case.amputation
    assert fitting is not None and case.fitting is not None
    solved = row["status"] == Status.CONVERGED
    return {
        "speed_m_s": asked.inputs.task.speed_m_s,
        "title": knee_title(fitting, amputation),
        "today": fitting == resolve(case.fitting, case.runner),
        "stride": f"{FOLDER}/{strides.path(asked).name}" if solved else "",
        **{key: value for key, value in row.items() if key != "from_nothing"},
    }


def _members(
    case: Case,
    asked: dict[str, Asked],
    rows: dict[str, dict[str, Any]],
    draws: int,
    strides: Strides,
    executor: Executor,
    tell: Tell,
) -> pd.DataFrame:
    own = {name: one for name, one in asked.items() if rows[name]["status"] == Status.CONVERGED}
    if not draws or not own:
        return pd.DataFrame()

    def numbers(row: dict[str, Any]) -> dict[str, Any]:
        return recommend.weighed(row, case.priorities)

    return solved_again(
        own,
        {name: rows[name] for name in own},
        draw(draws, own=case.reference and case.reference.motion),
        strides,
        executor,
        numbers=numbers,
        tell=lambda done, left, name, member: tell(
            len(asked) + done, len(asked) + done + left, f"{name}, draw {member}"
        ),
    )
