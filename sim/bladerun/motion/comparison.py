"""A predicted stride beside a measured runner, outcome by outcome.

Takes a Stride dataset and what was measured, or the outcomes of one and what was seen on a film; gives
`Compared` rows with a verdict each, and one of them all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

import xarray as xr

from bladerun._lib.data_files import toml
from bladerun.gait.outcomes import OUTCOMES, flat, outcomes
from bladerun.seen import Seen

AGREES, DIFFERS, UNKNOWN = "agrees", "differs", "cannot tell"


class Outcomes(Protocol):
    """What was measured of a runner: a `Measured`, or the [reference] of a runner's file."""

    def mean_and_sd(self, column: str) -> tuple[float, float]:
        """Of an outcome, by the columns of `flat`; NaN where it was not measured, SD NaN of one stride."""
        ...


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


def compare(stride: xr.Dataset, measured: Outcomes) -> list[Compared]:
    """Every outcome that both have, in the order of `OUTCOMES`."""
    return _compared(flat(outcomes(stride)), measured, _laboratory)


def compare_seen(predicted: Mapping[str, float], seen: Seen) -> list[Compared]:
    """The same for what was seen on a film. predicted: outcomes by the columns of `flat`."""
    return _compared(predicted, seen, lambda column, *_: seen.outcomes[column].accuracy)


def whole(rows: Sequence[Compared]) -> str:
    """One verdict of all: `AGREES` where as many rows agree as models/motion.toml [misfit] asks for,
    `UNKNOWN` where too few can tell."""
    facts, told = toml("motion.toml")["misfit"], [row for row in rows if row.verdict != UNKNOWN]
    if len(told) < facts["least_outcomes"]:
        return UNKNOWN
    agree = sum(row.verdict == AGREES for row in told)
    return AGREES if agree >= facts["agree_share"] * len(told) else DIFFERS


def _compared(
    predicted: Mapping[str, float], measured: Outcomes, accuracy: Callable[[str, str, float], float]
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
