"""Today's fitting, predicted and measured: is the prediction right where that is seen, and what did it gain?

Takes what was measured of a runner on today's fitting, the stride predicted for it, and its members drawn
with and without what the measurement tells; gives a `HeldToday`. If it is wrong there, it says so before it
advises.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bladerun.body.own_gait import Today
from bladerun.motion.comparison import Compared, compare, whole
from bladerun.study.intervals import intervals
from bladerun.study.recommend import weights


@dataclass(frozen=True)
class HeldToday:
    """What came of it.

    Attributes
    ----------
    file
        What the runner was measured in.
    measured_m_s, predicted_m_s
        Speeds.
    strides
        How many were measured.
    rows
        Outcome by outcome.
    verdict
        Of all rows, as of one.
    narrowed
        For each trade-off half its interval of today's fitting: `with` the measurement, and `without`, with
        the reference as uncertain as for a runner who was not measured. Empty without an ensemble.
    """

    file: str
    measured_m_s: float
    predicted_m_s: float
    strides: int
    rows: tuple[Compared, ...]
    verdict: str
    narrowed: tuple[Mapping[str, Any], ...]

    @property
    def share(self) -> float | None:
        """Intervals with the measurement as a share of those without, median of the trade-offs."""
        ratios = [row["with"] / row["without"] for row in self.narrowed if row["without"] > 0]
        return float(np.median(ratios)) if ratios else None

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        rows = [{**row._asdict(), "sd": row.sd if np.isfinite(row.sd) else None} for row in self.rows]
        return {
            "file": self.file,
            "measured_m_s": self.measured_m_s,
            "predicted_m_s": self.predicted_m_s,
            "strides": self.strides,
            "verdict": self.verdict,
            "outcomes": rows,
            "narrowed": [dict(row) for row in self.narrowed],
            "narrowed_to_share": self.share,
        }


def held_today(
    known: Today, stride: xr.Dataset, members: pd.DataFrame, wide: pd.DataFrame, current: str
) -> HeldToday:
    """members, wide: tables indexed by (name, member), drawn with what was measured and without; both may be
    empty. current: the name of today's fitting in them."""
    rows = tuple(compare(stride, known))
    return HeldToday(
        file=known.file,
        measured_m_s=known.motion.speed_m_s,
        predicted_m_s=float(stride.attrs["speed_m_s"]),
        strides=known.motion.strides,
        rows=rows,
        verdict=whole(rows),
        narrowed=_narrowed(members, wide, current),
    )


def _narrowed(members: pd.DataFrame, wide: pd.DataFrame, current: str) -> tuple[Mapping[str, Any], ...]:
    if wide.empty:
        return ()
    found = []
    bounds = [intervals(table).loc[current] for table in (members, wide)]
    for row in weights()["tradeoff"]:
        key = row["key"]
        low, high = f"{key}_low", f"{key}_high"
        half = [float(each.get(high, np.nan) - each.get(low, np.nan)) / 2 for each in bounds]
        if np.isfinite(half).all():
            found.append(
                {"key": key, "title": row["title"], "unit": row["unit"], "with": half[0], "without": half[1]}
            )
    return tuple(found)
