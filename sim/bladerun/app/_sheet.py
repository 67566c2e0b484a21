"""The sheet of what is on the page: the fitting worn today beside the one on the sliders.

Takes the work done so far, whose it is and a point; gives the PDF. No copy stays on this machine.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from bladerun.app import _neighbourhood as near
from bladerun.app._margins import scatter
from bladerun.app._margins import table as known_members
from bladerun.app._neighbourhood import Point
from bladerun.app._work import Work
from bladerun.case import Case
from bladerun.errors import InputError
from bladerun.report.sheet import write_sheet
from bladerun.status import Status
from bladerun.study import FitResult
from bladerun.study.intervals import intervals
from bladerun.study.visits import name_of


def sheet(work: Work, case: Case, chosen: Point) -> bytes:
    """Both fittings must be solved, at the same speed; else InputError says which is not yet.

    case: with the names and notes to print; the rest of it is what `work` solved.
    """
    today = work.middle
    for point, words in ((today, "the fitting worn today"), (chosen, "this fitting")):
        if point not in work.portraits:
            raise InputError(f"{words} is not solved yet; wait for it, then export the sheet")
    if chosen.speed_m_s != today.speed_m_s:
        raise InputError(
            f"compares fittings at one speed; set the speed back to {today.speed_m_s:g} m/s", key="sheet"
        )
    table = _table(work)
    names = [name_of(near.at(work.case, point)[0]) for point in (today, chosen)]
    members = known_members(work, {today, chosen})
    if members is None:
        members = pd.DataFrame()
    else:
        members = members.rename({str(today): names[0], str(chosen): names[1]}, level="name")
        table = table.join(intervals(members))
    with TemporaryDirectory(prefix="bladerun-") as folder:
        result = FitResult(
            case=replace(case, fitting=near.at(work.case, today)[0]),
            table=table,
            recommended=None,
            current=names[0],
            indistinct=[],
            why="",
            comparison=[],
            weights={},
            folder=Path(folder),
            members=members,
        )
        return write_sheet(result, names[1])[1].read_bytes()


def _table(work: Work) -> pd.DataFrame:
    """One row a fitting solved at today's speed, with numerical scatter as the page shows it."""
    margin = scatter(work) or {}
    rows = {}
    for point, one in list(work.portraits.items()):
        if point.speed_m_s != work.middle.speed_m_s:
            continue
        fitting = near.at(work.case, point)[0]
        rows[name_of(fitting)] = {
            **fitting.row(),
            "status": Status.CONVERGED.value,
            "stride": str(work.paths[point].absolute()),
            **one.numbers,
            **{f"{key}_scatter": margin.get(key, math.nan) for key in one.keys},
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("name")
