"""A predicted stride beside a measured runner, outcome by outcome.

Takes a Stride dataset and what was measured; gives `Compared` rows with a verdict each, and one of them all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import xarray as xr

from bladerun._lib.data_files import toml
from bladerun.gait.outcomes import OUTCOMES, flat, outcomes

AGREES, DIFFERS, UNKNOWN = "agrees", "differs", "cannot tell"


class Outcomes(Protocol):
    """What was measured of a runner: a `Measured`, or the [reference] of a runner's file."""

    def mean_and_sd(self, column: str) -> tuple[float, float]:
        """Of an outcome, by the columns of `flat`; NaN where it was not measured, SD NaN of one stride."""
        ...


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


def compare(stride: xr.Dataset, measured: Outcomes) -> list[Compared]:
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


def whole(rows: Sequence[Compared]) -> str:
    """One verdict of all: `AGREES` where as many rows agree as models/motion.toml [misfit] asks for,
    `UNKNOWN` where too few can tell."""
    facts, told = toml("motion.toml")["misfit"], [row for row in rows if row.verdict != UNKNOWN]
    if len(told) < facts["least_outcomes"]:
        return UNKNOWN
    agree = sum(row.verdict == AGREES for row in told)
    return AGREES if agree >= facts["agree_share"] * len(told) else DIFFERS


def _verdict(predicted: float, mean: float, sd: float, unit: str) -> str:
    if math.isnan(sd):
        return UNKNOWN
    known = toml("motion.toml")["accuracy"]
    accuracy = known.get(unit, known["other_share"] * abs(mean))
    return AGREES if abs(predicted - mean) <= 2 * math.hypot(sd, accuracy) else DIFFERS
