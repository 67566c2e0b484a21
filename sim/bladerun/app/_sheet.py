"""The sheet of what is on the page: the fitting worn today beside the one on the sliders.

Takes the work done so far, whose it is and a point; gives the PDF. No copy stays on this machine.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from bladerun.app import _neighbourhood as near
from bladerun.app._compared import compared
from bladerun.app._neighbourhood import Point
from bladerun.app._work import Work
from bladerun.case import Case
from bladerun.errors import InputError
from bladerun.report.sheet import write_sheet
from bladerun.study import FitResult
from bladerun.study.intervals import intervals


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
    known = compared(work)
    current, name = known.current, known.name(chosen)
    members = known.members
    if not {current, name} <= set(members.index.unique("name")):
        members = members.iloc[:0]
    with TemporaryDirectory(prefix="bladerun-") as folder:
        result = FitResult(
            case=replace(case, fitting=near.at(work.case, today)[0]),
            table=known.table.join(intervals(members)),
            recommended=None,
            current=current,
            indistinct=[],
            why="",
            comparison=[],
            weights={},
            folder=Path(folder),
            members=members,
        )
        return write_sheet(result, name)[1].read_bytes()
