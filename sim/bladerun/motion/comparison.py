"""A predicted stride beside a measured runner, outcome by outcome.

Takes a Stride dataset and a `Measured`; gives `Compared` rows with a verdict each.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import xarray as xr

from bladerun._lib.data_files import toml
from bladerun.gait.outcomes import OUTCOMES, flat, outcomes
from bladerun.motion.measured import Measured

AGREES, DIFFERS, UNKNOWN = "agrees", "differs", "cannot tell"


class Compared(NamedTuple):
    """One outcome, of one leg or of the runner ("").

    sd: of the strides measured, NaN of one alone. verdict: `AGREES` where the difference is at most twice
    what strides differ by and measuring is off by (models/motion.toml [accuracy]), `DIFFERS` where it is
    more, `UNKNOWN` where one stride alone was measured.
    """

    key: str
    title: str
    unit: str
    side: str
    predicted: float
    mean: float
    sd: float
    verdict: str


def compare(stride: xr.Dataset, measured: Measured) -> list[Compared]:
    """Every outcome that both have, in the order of `OUTCOMES`."""
    predicted, rows = flat(outcomes(stride)), []
    for row in OUTCOMES:
        for side in ("left", "right") if row.per_leg else ("",):
            column = f"{row.key}_{side}" if side else row.key
            mean, sd = measured.mean_and_sd(column)
            if math.isfinite(predicted[column]) and math.isfinite(mean):
                verdict = _verdict(predicted[column], mean, sd, row.unit)
                rows.append(Compared(*row[:3], side, predicted[column], mean, sd, verdict))
    return rows


def _verdict(predicted: float, mean: float, sd: float, unit: str) -> str:
    if math.isnan(sd):
        return UNKNOWN
    known = toml("motion.toml")["accuracy"]
    accuracy = known.get(unit, known["other_share"] * abs(mean))
    return AGREES if abs(predicted - mean) <= 2 * math.hypot(sd, accuracy) else DIFFERS
