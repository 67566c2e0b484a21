"""One stride with the facts behind it varied: how far each of its outcomes may be off.

Takes a case, its solved stride and a number of draws (`bladerun.body.variation`); gives a table indexed by
(name, member) as `intervals` takes it, member 0 the stride itself, the others solved again from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace

import pandas as pd
import xarray as xr

from bladerun._lib.threads import cores
from bladerun.body.variation import NOMINAL, draw
from bladerun.case import Case
from bladerun.dataset import netcdf
from bladerun.errors import InputError
from bladerun.status import Status
from bladerun.study import executors, job
from bladerun.study._pace import Pace
from bladerun.study._processes import WorkerLost
from bladerun.study.job import Inputs, Job

NAME = "stride"  # of the one fitting in the table

Progress = Callable[[int, int, str, float | None], None]
"""Called with members done, members in all, what was solved, and seconds left."""


def ensemble(
    case: Case,
    stride: xr.Dataset,
    count: int,
    *,
    seed: int = 0,
    workers: int | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Solve a stride again with its uncertain inputs varied.

    Parameters
    ----------
    case
        The runner, on the fitting of the stride.
    stride
        The stride as the facts have it, member 0; the others start from it.
    count
        How many more, from 1.
    seed
        Of the draws.
    workers
        Processes, one a core by default; 1 solves in this process.
    progress
        Called with members done, members in all, what was solved, and seconds left.

    Returns
    -------
    pandas.DataFrame
        Status, objective, every outcome and the varied inputs (`variation.strength`, ...) of each member.

    Raises
    ------
    InputError
        Where `count` is not a whole number from 1.
    """
    if type(count) is not int or count < 1:
        raise InputError(f"{count!r} is not allowed; a whole number of draws from 1", key="count")
    draws = [NOMINAL, *draw(count, seed, case.reference and case.reference.motion)]
    start = netcdf.packed(stride)
    rows = {0: job.numbers(stride)}
    jobs = executors.in_turn(
        (member, Job(replace(Inputs.of(case, case.fitting), variation=one), ((start, ()),)))
        for member, one in enumerate(draws)
        if member
    )
    workers = workers or cores()
    with executors.opened(min(workers, count), here=workers == 1) as executor:
        pace = Pace(executor.size)
        for member, done in executors.run(executor, jobs, job.work):
            gone = isinstance(done, WorkerLost)
            rows[member] = {"status": Status.LOST.value, "why": str(done)} if gone else done.row
            if progress:
                left_s = pace.left_s(len(rows) - 1, count + 1 - len(rows))
                progress(len(rows) - 1, count, f"draw {member}", left_s)
    table = pd.DataFrame.from_dict(
        {
            (NAME, member): rows[member] | {f"variation.{k}": v for k, v in asdict(one).items()}
            for member, one in enumerate(draws)
        },
        orient="index",
    )
    table.index = pd.MultiIndex.from_tuples(table.index, names=["name", "member"])
    return table
