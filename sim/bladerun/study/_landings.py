"""Strides of one fitting that land further ahead than the runner would, and closer, each from the one before.

Takes a case, a fitting and the stride that stands for it; gives the table of a `LandingWindow` and writes the
strides beside that one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from bladerun._lib.data_files import toml
from bladerun.case import Case
from bladerun.dataset.files import read_stride
from bladerun.errors import InputError
from bladerun.fitting import Fitting
from bladerun.status import Status
from bladerun.study import executors, job
from bladerun.study._solved import Solve, kept
from bladerun.study.job import Inputs
from bladerun.study.landing_window import SHIFT, LandingWindow, landing_ahead_m, landing_window, row_of


def window_of(
    case: Case, fitting: Fitting, own: Path, executor: Any, tell: Callable[[int, int, str], None]
) -> LandingWindow:
    """The window of a fitting whose converged stride is the file `own`.

    executor: of `executors.opened`. tell: called with strides done, in all, and what was solved.
    """
    stride, facts = read_stride(own), toml("sweep.toml")["landing"]
    side = case.amputation.side
    sides = ("left", "right") if side == "both" else (side,)
    ahead, inputs = landing_ahead_m(stride), Inputs.of(case, fitting)
    rows = {0.0: row_of(job.numbers(stride), sides)}
    reached = {1: own, -1: own}
    for k in range(1, facts["steps"] + 1):
        todo = []
        for way, start in list(reached.items()):
            shift = way * k * facts["step_mm"]
            try:
                task = replace(case.task, landing_ahead_m=ahead + shift / 1e3)
            except InputError:  # further than a task may ask
                del reached[way]
                continue
            path = own.with_name(f"{own.stem}_landing{shift:+g}.nc")
            todo.append(((way, shift), Solve(replace(inputs, task=task), start, (), path)))
        waiting = iter(todo)
        paths = {key: asked.path for key, asked in todo}
        for key, done in executors.run(executor, lambda waiting=waiting: next(waiting, None), kept):
            way, shift = key
            row = executors.answered(done, executor)
            rows[shift] = row_of(row, sides)
            tell(len(rows) - 1, 2 * facts["steps"], f"landing {shift:+g} mm")
            if row["status"] == Status.CONVERGED:
                reached[way] = paths[key]
            else:
                del reached[way]
    table = pd.DataFrame.from_dict(rows, orient="index").sort_index().rename_axis(SHIFT)
    return landing_window(table, sides)
