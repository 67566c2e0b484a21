"""A predicted stride beside a measured runner, outcome by outcome.

Takes a Stride dataset and a `Measured`, or the outcomes of one and what was seen on a film; gives `Compared`
rows with a verdict each.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import xarray as xr

from bladerun._lib.data_files import toml
from bladerun.gait.outcomes import OUTCOMES, flat, outcomes
from bladerun.motion.measured import Measured
from bladerun.seen import Seen

AGREES, DIFFERS, UNKNOWN = "agrees", "differs", "cannot tell"


class Compared(NamedTuple):
    """One outcome, of one leg or of the runner ("").

    sd: of the strides measured, NaN of one alone. verdict: `AGREES` where the difference is at most twice
    what strides differ by and measuring is off by (models/motion.toml [accuracy]; of a film what its marks
    leave open), `DIFFERS` where it is more, `UNKNOWN` where one stride alone was measured.
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
    return _compared(flat(outcomes(stride)), measured, _laboratory)


def compare_seen(predicted: Mapping[str, float], seen: Seen) -> list[Compared]:
    """The same for what was seen on a film. predicted: outcomes by the columns of `flat`."""
    return _compared(predicted, seen, lambda column, *_: seen.outcomes[column].accuracy)


def _compared(
    predicted: Mapping[str, float], measured: Measured | Seen, accuracy: Callable[[str, str, float], float]
) -> list[Compared]:
    """accuracy: SD of measuring, by column, unit and mean."""
    rows = []
    for row in OUTCOMES:
        for side in ("left", "right") if row.per_leg else ("",):
            column = f"{row.key}_{side}" if side else row.key
            mean, sd = measured.mean_and_sd(column)
            value = predicted.get(column, math.nan)
            if math.isfinite(value) and math.isfinite(mean):
                verdict = _verdict(value, mean, sd, accuracy(column, row.unit, mean))
                rows.append(Compared(*row[:3], side, value, mean, sd, verdict))
    return rows


def _laboratory(_: str, unit: str, mean: float) -> float:
    known = toml("motion.toml")["accuracy"]
    return known.get(unit, known["other_share"] * abs(mean))


def _verdict(predicted: float, mean: float, sd: float, accuracy: float) -> str:
    if math.isnan(sd):
        return UNKNOWN
    return AGREES if abs(predicted - mean) <= 2 * math.hypot(sd, accuracy) else DIFFERS
