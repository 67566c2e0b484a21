"""The fittings solved around a runner's, as a comparison by the rules of `bladerun fit`, and what it lacks.

Takes the work done so far; gives its fittings at today's speed as a table, with members where the facts were
varied, the fitting that the rules choose, and what must be solved besides before that is final: once all
neighbours are known, fittings beyond the best one's edge and with the next best change on top of it, then
today's and the chosen one with the facts varied, then landings elsewhere on the chosen one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from bladerun._lib.data_files import toml
from bladerun.app import _neighbourhood as near
from bladerun.app._margins import scatter, solved_members
from bladerun.app._neighbourhood import Point
from bladerun.app._work import Task, Work
from bladerun.case import SWEPT
from bladerun.fitting import Fitting
from bladerun.status import Status
from bladerun.study import recommend, visits
from bladerun.study.answer import changes


@dataclass(frozen=True)
class Compared:
    """table: one row a fitting, as of a `FitResult`, failed ones without numbers. members: the same for those
    that were varied often enough. points, fittings: by the name of a row. current: today's row.
    """

    table: pd.DataFrame
    members: pd.DataFrame
    points: dict[str, Point]
    fittings: dict[str, Fitting]
    current: str

    def name(self, point: Point) -> str:
        """Of the row of a point."""
        return next(name for name, one in self.points.items() if one == point)

    @cached_property
    def best(self) -> str | None:
        return recommend.recommend(self.table, self.members)[0]

    @cached_property
    def recommended(self) -> str | None:
        """The row to recommend, which may be today's; None where none qualifies."""
        return self.best and recommend.chosen(self.table, self.best, self.current, self.members)

    @cached_property
    def candidate(self) -> str | None:
        """The same as far as numerical scatter says: it is what must be looked at more closely."""
        return self.best and recommend.chosen(self.table, self.best, self.current)

    @property
    def is_change(self) -> bool:
        """Whether there is a candidate other than today's."""
        return self.candidate not in (None, self.current)


def compared(work: Work) -> Compared:
    """The comparison as far as it is known; today's fitting must be solved, or have failed."""
    middle, rows, points, fittings = work.middle, {}, {}, {}
    margin = scatter(work) or {}
    for point in [*work.portraits, *work.failed]:
        if point.speed_m_s != middle.speed_m_s:
            continue
        fitting = near.fitting_of(work.case, point)
        name = visits.name_of(fitting)
        points[name], fittings[name], rows[name] = point, fitting, fitting.row()
        if point in work.failed:
            rows[name] |= {"status": work.failed[point].partition(":")[0], "stride": ""}
            continue
        one = work.portraits[point]
        rows[name] |= {"status": Status.CONVERGED.value, "stride": str(work.path(point).absolute())}
        rows[name] |= one.numbers | {f"{key}_scatter": margin.get(key, math.nan) for key in one.keys}
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("name")
    names = {str(point): name for name, point in points.items()}
    members = solved_members(work, set(points.values())).rename(names, level="name")
    return Compared(table, members, points, fittings, names[str(middle)])


def lacking(work: Work, known: Compared | None = None) -> list[Task]:
    """What is to be solved next for the answer about today's fitting; nothing once it is final.

    known: the comparison as far as it is known, if it is at hand.
    """
    around = _unfinished(work, map(Task, work.around))
    if around or work.middle not in work.portraits:
        return around
    known = known or compared(work)
    spoken_of = [known.current, *([known.best, known.candidate] if known.is_change else [])]
    draws = [Task(known.points[str(name)], 1 + k) for k in range(len(work.draws)) for name in spoken_of]
    further = _unfinished(work, map(Task, _further(work, known)))
    return further or _unfinished(work, draws) or _landings(work, known)


def limits(work: Work, known: Compared) -> list[str]:
    """A sentence for every limit of the blade at which the best fitting lies."""
    return _beyond(work, known)[1]


def _further(work: Work, known: Compared) -> list[Point]:
    """Beyond the best fitting's edge, and the next best change of another setting on top of it."""
    if not known.is_change:
        return []
    best, found = known.points[str(known.best)], _beyond(work, known)[0]
    for row in changes(known.table, known.current):
        other = known.points[row["name"]]
        moved = getattr(best, row["axis"]) != getattr(work.middle, row["axis"])
        if row["gain"] > 0 and row["holds"] and not moved:
            found.append(best._replace(**{row["axis"]: getattr(other, row["axis"])}))
            break
    return [point for point in found if near.allowed(work.case, point)]


def _beyond(work: Work, known: Compared) -> tuple[list[Point], list[str]]:
    """Fittings a step beyond what is compared, where the best one is its edge, and limits in words."""
    if not known.is_change:
        return [], []
    grid = visits.Grid(known.fittings, {}, known.current)
    edges = recommend.edges(known.table, str(known.best))
    wider, limits = visits.beyond(grid, str(known.best), edges, work.case)
    most = near.size()["arms"] + toml("sweep.toml")["wider"]["times"]
    points = [
        work.middle._replace(**{axis: float(getattr(fitting, axis)) for axis in SWEPT})
        for name, fitting in wider.fittings.items()
        if name not in known.fittings
    ]
    near_enough = [point for point in points if near.steps_away(point, work.middle) <= most + 1e-9]
    return near_enough, limits


def _landings(work: Work, known: Compared) -> list[Task]:
    point = known.points[known.recommended or known.current]
    return [Task(point, shift_mm=shift) for shift in work.next_landings(point)]


def _unfinished(work: Work, tasks) -> list[Task]:
    return [task for task in tasks if not work.finished(task)]
