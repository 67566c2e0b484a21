"""What the runner is asked to do.

Takes numbers from a runner's file, a study or a command line; gives a `Task` that has checked them. A new
field is added here, with its range, unit and what it is, and used in `environment.py` or wherever it acts;
files, studies, commands and strides read the fields of this class.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from bladerun._lib.kinds import Number, check


def _within(low: float, high: float, unit: str) -> Number:
    return Number(low, high, unit, words=f"a number from {low} to {high} {unit}")


@dataclass(frozen=True)
class Task:
    """Steady running, forward. Slope and pull are not yet validated against measurements.

    Parameters
    ----------
    speed_m_s
        Speed along the ground; the reference curves cover 2.5 to 4.5 and are extended a little beyond.
    slope_percent
        Rise of the ground over the horizontal distance, uphill positive. Acts as tilted gravity on a runner
        whose x axis runs along the ground and whose z axis stands on it.
    horizontal_force_bw
        Constant pull at the centre of mass of the pelvis along the ground, forward positive.
    landing_ahead_m
        How far ahead of the pelvis' origin the middle of a blade's sole lands; where the runner would land
        by themselves if left out.

    Raises
    ------
    InputError
        Outside these ranges, or for what is no number.
    """

    speed_m_s: Annotated[float, _within(2.0, 5.0, "m/s")]
    slope_percent: Annotated[float, _within(-15.0, 15.0, "%")] = 0.0
    horizontal_force_bw: Annotated[float, _within(-0.2, 0.2, "body weights")] = 0.0
    landing_ahead_m: Annotated[float, _within(-0.2, 0.6, "m")] | None = None

    def __post_init__(self) -> None:
        check(self)

    def __str__(self) -> str:
        """In words: "3.3 m/s, 5 % uphill, pulled backward by 0.04 body weights"."""
        way = "uphill" if self.slope_percent > 0 else "downhill"
        ground = f"{abs(self.slope_percent):g} % {way}" if self.slope_percent else "on level ground"
        words = [f"{self.speed_m_s:g} m/s", ground]
        if pull := self.horizontal_force_bw:
            words.append(f"pulled {'forward' if pull > 0 else 'backward'} by {abs(pull):g} body weights")
        if self.landing_ahead_m is not None:
            words.append(f"landing {self.landing_ahead_m:g} m ahead of the pelvis")
        return ", ".join(words)

    @property
    def untested(self) -> str:
        """What of it was not yet validated against measurements; empty where nothing is."""
        if self.slope_percent or self.horizontal_force_bw:
            return "Running on a slope or against a pull is not validated against measurements yet."
        return ""
