"""The sweet spot as a window: where a blade may land and still return up and forward at little more cost.

Takes strides whose landing was prescribed, further ahead of where this runner lands and closer; gives the
window around the runner's own landing, and what ends it on either side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from bladerun._lib.data_files import toml
from bladerun.status import Status
from bladerun.study.recommend import weights

SHIFT = "shift_mm"  # index of the table: how much further ahead than by themselves, closer negative
_COST, _RECOIL = "cost_j_kg_m", "recoil_direction_deg"


@dataclass(frozen=True)
class LandingWindow:
    """closer_mm <= 0 <= further_mm: how far the landing may move; closer_by, further_by: what ends it there.

    An end is "cost", "popping up", "falling forward", or "not known" where what was solved ends inside.
    table: indexed by `SHIFT`, 0 = as this runner lands: status, cost_j_kg_m and, of each blade,
    recoil_direction_deg, blade_energy_returned_j and landing_offset_m with its side.
    """

    closer_mm: float
    further_mm: float
    closer_by: str
    further_by: str
    table: pd.DataFrame

    def to_dict(self) -> dict[str, float | str]:
        """Without the table, for JSON."""
        ends = ("closer_mm", "further_mm", "closer_by", "further_by")
        return {key: getattr(self, key) for key in ends}


def landing_ahead_m(stride: xr.Dataset) -> float:
    """How far ahead of the pelvis the middle of a blade's sole lands: what `Task.landing_ahead_m` asks for.

    The mean of both where both legs wear one; NaN without.
    """
    found = []
    for k, side in ((0, "right"), (stride.sizes["time"] // 2, "left")):
        if ((stride.joint_part == "blade") & (stride.joint_side == side)).any():
            sole = stride.contact_position.values[k, stride.contact_side.values == side, 0].mean()
            found.append(float(sole - stride.q.sel(joint="pelvis_tx").values[k]))
    return float(np.mean(found)) if found else math.nan


def landing_window(table: pd.DataFrame, sides: tuple[str, ...]) -> LandingWindow:
    """The window of a table as `LandingWindow` has it; needs the row 0.

    It ends where the cost exceeds the least one by what matters (models/recommendation.toml) or a recoil
    leaves "up and forward" (models/words.toml); between rows values are taken along straight lines.
    """
    solved = table[table.status == Status.CONVERGED].sort_index()
    dearest = solved[_COST].min() + next(r["matters"] for r in weights()["tradeoff"] if r["key"] == _COST)
    edges = toml("words.toml")["recoil"]
    limits = [(_COST, -math.inf, dearest, "cost")]
    for side in sides:
        limits += [
            (f"{_RECOIL}_{side}", -math.inf, edges["popping_up_above"], "popping up"),
            (f"{_RECOIL}_{side}", edges["falling_forward_below"], math.inf, "falling forward"),
        ]
    closer = _end(solved.loc[:0].iloc[::-1], limits)
    further = _end(solved.loc[0:], limits)
    return LandingWindow(closer[0], further[0], closer[1], further[1], table)


def _end(rows: pd.DataFrame, limits) -> tuple[float, str]:
    """How far one may go from the first row on, and which limit is met there."""
    shifts = rows.index.to_numpy(float)
    found = [(shifts[-1], "not known")]
    for column, low, high, name in limits:
        for i in range(len(rows)):
            value = rows[column].iloc[i]
            if low <= value <= high:
                continue
            edge = high if value > high else low
            before = rows[column].iloc[i - 1] if i else value
            share = (edge - before) / (value - before) if i else 0.0
            start = shifts[i - 1] if i else shifts[0]
            found.append((float(start + share * (shifts[i] - start)), name))
            break
    return min(found, key=lambda end: abs(end[0]))


def row_of(numbers: dict, sides: tuple[str, ...]) -> dict[str, object]:
    """What a table keeps of one stride's numbers."""
    keys = [
        f"{key}_{side}" for key in (_RECOIL, "blade_energy_returned_j", "landing_offset_m") for side in sides
    ]
    return {key: numbers.get(key, math.nan) for key in (_COST, *keys)} | {"status": numbers["status"]}
