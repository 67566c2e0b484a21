"""What the page draws over its sliders: every number along each of them, and where the blade may land.

Takes the work done so far; gives plain JSON. Each slider alone is moved, the others stay as worn today.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from bladerun.app import _neighbourhood as near
from bladerun.app._compared import Compared
from bladerun.app._neighbourhood import Point
from bladerun.app._view import NUMBERS, plain
from bladerun.app._work import Work
from bladerun.report.words import landing_words
from bladerun.status import Status
from bladerun.study.drawn import spread
from bladerun.study.intervals import intervals
from bladerun.study.landings import blades, window_from
from bladerun.study.recommend import matters


def curves(work: Work, known: Compared | None) -> list[dict[str, Any]]:
    """A row a number of the page: title, unit, the least change that matters, and by slider what is solved.

    x, y; low, high: the ends of what is unknown, None where it was not varied. As far as it is solved.
    """
    if work.middle not in work.portraits:
        return []
    side = work.portraits[work.middle].side
    bounds = _bounds(known)
    rows = []
    for key, title, unit, factor in NUMBERS:
        column = key + side if key.endswith("_") else key
        least = matters(column)
        axes = {axis: _curve(work, known, bounds, axis, column, factor) for axis in Point._fields}
        rows.append({"title": title, "unit": unit, "matters": least and factor * least, "axes": axes})
    return plain(rows)


def _curve(work: Work, known: Compared | None, bounds: pd.DataFrame, axis: str, column: str, factor: float):
    arm = near.arm(axis, work.middle, work.portraits)
    names = {point: name for name, point in known.points.items()} if known else {}
    ends = {}
    for end in ("low", "high"):
        found = bounds[f"{column}_{end}"].to_dict() if f"{column}_{end}" in bounds else {}
        ends[end] = [factor * found.get(names.get(point), np.nan) for point in arm]
    y = [factor * work.portraits[point].numbers[column] for point in arm]
    return {"x": [getattr(point, axis) for point in arm], "y": y, **ends}


def _bounds(known: Compared | None) -> pd.DataFrame:
    """Intervals of every fitting, by what was varied of some of them, as `fit` has it."""
    if known is None or known.current not in known.members.index.unique("name"):
        return pd.DataFrame()
    return intervals(spread(known.table, known.members, known.current))


def window(work: Work, known: Compared | None) -> dict[str, Any]:
    """Where the blade may land on the fitting to try, or today's: words and what is drawn once it is solved.

    done, total: of its strides; total 0 before it is begun, and where it is not to be solved.
    """
    name = known and (known.recommended or known.current)
    if known is None or not work.landings.get(point := known.points[str(name)]):
        return {"done": 0, "total": 0}
    rows = work.landed(point)
    left = len(work.next_landings(point))
    if left:
        return {"done": len(rows) - 1, "total": len(rows) - 1 + left}
    found = window_from(rows, work.case)
    solved = found.table[found.table.status == Status.CONVERGED]
    return plain(
        {
            "words": landing_words(found),
            "fitting": "today" if name == known.current else "first",
            "closer": found.closer_mm,
            "further": found.further_mm,
            "shift": solved.index.to_numpy(float),
            "cost": solved.cost_j_kg_m.to_numpy(float),
            "recoil": {s: solved[f"recoil_direction_deg_{s}"].to_numpy(float) for s in blades(work.case)},
        }
    )
