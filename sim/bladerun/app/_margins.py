"""How far the numbers on the page may be off.

Takes the work done so far, a point and the one it is compared with; gives the margins of both and of their
difference, and in words what is in them. At first that is numerical scatter alone; once both were solved
again with the facts varied (`Work.vary`), the intervals of an ensemble, in whose differences what both
fittings have in common cancels (`bladerun.study.intervals`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from bladerun.app import _neighbourhood as near
from bladerun.app._neighbourhood import Point
from bladerun.app._work import Work
from bladerun.status import Status
from bladerun.study.intervals import FEWEST, LEVEL, difference, intervals

Margin = Mapping[str, float]  # half-widths, by the column of an outcome

_SURE = 2.0  # standard deviations of scatter
_UNKNOWN = "± follows when enough neighbouring fittings are solved."
_SCATTER = (
    "± is numerical scatter alone: how far results stray between neighbouring fittings without any reason. "
    "What is unknown about blade, body and way of running comes on top: “How sure is this?” adds it."
)
_VARIED = (
    "± is where {level:.0f} % of results lie when the blade's stiffness and loss, strength, masses, socket "
    "and way of running are varied as far as they are unknown, {count} times, alike for both fittings; "
    "numerical scatter is in it. Not in it: this runner's pain and habits, other ground, errors of the model."
)
_TOO_FEW = " With them varied too few strides converged to say more."
_ESTIMATED = (
    " In the ± of an estimate is also how far solved fittings lie from what their neighbours say of them."
)
_UNSURE = (
    "An estimate with so much changed has no ±: it adds up what each change does alone. "
    "Solved exactly, it has one."
)


class Margins(NamedTuple):
    """Of a point, of the one it is compared with, and of their difference; None while nothing is known.

    words: what is in the margins, and what is not. varied: whether the facts behind them were varied.
    """

    here: Margin | None
    there: Margin | None
    change: Margin | None
    words: str
    varied: bool


def margins(work: Work, point: Point, against: Point) -> Margins:
    """The ensemble's where both points have one of enough members, else numerical scatter; that and the error
    of interpolation for a point that was not solved."""
    members = table(work, {point, against})
    if members is not None:
        half = {}
        bounds = intervals(members)
        for one in (point, against):
            row = bounds.loc[str(one)]
            half[one] = {
                key[:-4]: float(row[f"{key[:-4]}_high"] - row[key]) / 2
                for key in row.index
                if key.endswith("_low")
            }
        pair = difference(members, str(point), str(against))
        change = ((pair.high - pair.low) / 2).to_dict()
        count = min(map(len, (_good(work, one) for one in (point, against))))
        words = _VARIED.format(level=100 * LEVEL, count=count)
        return Margins(half[point], half[against], change, words, True)
    known = scatter(work)
    if known is None:
        return Margins(None, None, None, _UNKNOWN, False)
    here, there = _of(work, point, known), _of(work, against, known)
    if here is None or there is None:
        return Margins(here, there, None, _UNSURE, False)
    tried = any(len(work.members.get(one, {})) == len(work.draws) for one in (point, against))
    estimated = not work.portraits.keys() >= {point, against}
    change = {key: math.hypot(here[key], there[key]) for key in known}
    return Margins(here, there, change, _SCATTER + _ESTIMATED * estimated + _TOO_FEW * tried, False)


def _of(work: Work, point: Point, known: Margin) -> Margin | None:
    """Of one point; known: numerical scatter, which is all of it where the point was solved."""
    if point in work.portraits:
        return known
    off = near.stray(point, work.middle, work.known())
    return None if off is None else {key: known[key] + far for key, far in zip(known, off, strict=True)}


def scatter(work: Work) -> Margin | None:
    """Twice the standard deviation of numerical scatter; None before enough neighbours are solved."""
    found = near.scatter(work.middle, work.known())
    if found is None or work.middle not in work.portraits:
        return None
    keys = work.portraits[work.middle].keys
    return {key: _SURE * sd for key, sd in zip(keys, found.tolist(), strict=True)}


def table(work: Work, points: set[Point]) -> pd.DataFrame | None:
    """Members of these points as `intervals` takes them, named by `str`; None where one has too few."""
    members = solved_members(work, points)
    return members if len(members.index.unique("name")) == len(points) else None


def solved_members(work: Work, points: set[Point]) -> pd.DataFrame:
    """Members of those of these points that have enough, named by `str`."""
    rows = {}
    for point in points:
        if len(_good(work, point)) < FEWEST or point not in work.portraits:
            continue
        rows[str(point), 0] = {"status": Status.CONVERGED.value, **work.portraits[point].numbers}
        rows |= {(str(point), member): row for member, row in _good(work, point).items()}
    index = pd.MultiIndex.from_tuples(rows, names=["name", "member"])
    return pd.DataFrame(list(rows.values()), index=index)


def _good(work: Work, point: Point) -> dict[int, dict]:
    every = work.members.get(point, {})
    return {member: row for member, row in every.items() if row["status"] == Status.CONVERGED}
