"""What was seen of this runner on the fitting worn today: outcomes read off a film.

Takes the section [measured] of a runner's file; gives `Seen`. Nothing is solved with it: a prediction for
today's fitting is held against it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, NamedTuple

from bladerun._lib import data_files
from bladerun._lib.kinds import SIGNED, ByName, Kind, Number, Record, check
from bladerun._lib.table import Table

_POSITIVE = Number(to=float)


class Value(NamedTuple):
    """An outcome as it was seen, in its own unit.

    Parameters
    ----------
    mean
        Over the strides.
    accuracy
        How far marks and frame rate leave the mean off, SD.
    sd
        Between strides; left out for a single one.
    strides
        How many it is the mean of.
    """

    mean: SIGNED
    accuracy: Annotated[float, _POSITIVE]
    sd: Annotated[float, _POSITIVE] | None = None
    strides: Annotated[int, Number(1, whole=True, to=int)] = 1


@cache
def _columns() -> Mapping[str, Kind]:
    """Outcomes that a film can give, of the whole stride or of each leg: columns of tables of results."""
    film = data_files.toml("motion.toml")["film"]
    of_legs = [f"{key}_{leg}" for key in film["of_leg"] for leg in ("left", "right")]
    return dict.fromkeys([*film["of_runner"], *of_legs], Record(Value))


@dataclass(frozen=True)
class Seen:
    """What was seen of the runner on a film, on today's fitting.

    Parameters
    ----------
    speed_m_s
        How fast the runner ran on it.
    outcomes
        Each as {mean, accuracy, sd, strides}, by the names of columns of results: "contact_time_s_left".

    Raises
    ------
    InputError
        For what is no outcome that a film can give, and for what is no number.
    """

    speed_m_s: Annotated[float, Number(0.0, 20.0, "m/s", over=True, to=float)]
    outcomes: Annotated[
        Mapping[str, Value], ByName(_columns, what="outcome", said="a table of outcomes by name")
    ]

    def __post_init__(self) -> None:
        check(self)
        object.__setattr__(self, "outcomes", Table(self.outcomes))

    def mean_and_sd(self, column: str) -> tuple[float, float]:
        """Of an outcome, over strides; NaN where it was not seen, SD NaN of one stride."""
        if column not in self.outcomes:
            return math.nan, math.nan
        found = self.outcomes[column]
        return found.mean, math.nan if found.sd is None else found.sd
