"""Strides of one fitting that land further ahead than the runner would, and closer, each from the one before.

Takes a case and the stride that stands for one of its fittings; gives the table of a `LandingWindow`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pandas as pd

from bladerun._lib.data_files import toml
from bladerun.case import Case
from bladerun.dataset.files import read_stride
from bladerun.errors import InputError
from bladerun.status import Status
from bladerun.study import job
from bladerun.study.executors import Executor, in_turn
from bladerun.study.landing_window import SHIFT, LandingWindow, landing_ahead_m, landing_window, row_of
from bladerun.study.strides import Asked, Strides
from bladerun.task import Task


def window_of(
    own: Asked, case: Case, strides: Strides, executor: Executor, tell: Callable[[int, int, str], None]
) -> LandingWindow:
    """The window of a converged stride. tell: called with strides done, in all, and what was solved."""
    stride, count = read_stride(strides.path(own)), 2 * toml("sweep.toml")["landing"]["steps"]
    ahead, asked = landing_ahead_m(stride), {0.0: own}
    rows = {0.0: row_of(job.numbers(stride), blades(case))}
    while todo := following(rows, case.task, ahead):
        for shift, (start, task) in todo.items():
            asked[shift] = Asked(replace(own.inputs, task=task), asked[start])
        jobs = in_turn([(shift, asked[shift]) for shift in todo])
        for shift, found in strides.each(executor, jobs):
            rows[shift] = row_of(found.row, blades(case))
            tell(len(rows) - 1, count, f"landing {shift:+g} mm")
    return window_from(rows, case)


def following(
    rows: Mapping[float, Mapping[str, Any]], task: Task, ahead_m: float
) -> dict[float, tuple[float, Task]]:
    """The landings to solve next, by shift in mm: the shift of the stride to start from, and what to ask.

    rows: of the table by shift, as far as they are solved, with that of 0. ahead_m: where the runner lands.
    At most one further ahead and one closer; none where the last one did not converge or enough are solved.
    """
    facts, found = toml("sweep.toml")["landing"], {}
    for way in (1, -1):
        shift = start = 0.0
        while shift in rows and rows[shift]["status"] == Status.CONVERGED:
            start, shift = shift, shift + way * facts["step_mm"]
        if shift in rows or abs(shift) > facts["steps"] * facts["step_mm"]:
            continue
        with suppress(InputError):  # further than a task may ask
            found[shift] = start, replace(task, landing_ahead_m=ahead_m + shift / 1e3)
    return found


def window_from(rows: Mapping[float, Mapping[str, Any]], case: Case) -> LandingWindow:
    """The window of rows by shift."""
    table = pd.DataFrame.from_dict(dict(rows), orient="index").sort_index().rename_axis(SHIFT)
    return landing_window(table, blades(case))


def blades(case: Case) -> tuple[str, ...]:
    """The sides that wear a blade."""
    side = case.amputation.side
    return ("left", "right") if side == "both" else (side,)
