"""What the runner is asked to do.

Takes numbers from a runner's file, a study or a command line; gives a `Task` that has checked them. A new
field is added here, with its range, unit and help, and used in `environment.py` or wherever it acts; files,
studies, commands and strides read the fields of this class.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from bladerun.errors import InputError


def _quantity(low: float, high: float, unit: str, help: str) -> dict[str, Any]:
    return {"range": (low, high), "unit": unit, "help": help}


@dataclass(frozen=True)
class Task:
    """Steady running, forward.

    Parameters
    ----------
    speed_m_s
        Speed along the ground, m/s, 2.0 to 5.0: the reference curves cover 2.5 to 4.5 and are extended a
        little beyond.
    slope_percent
        Rise of the ground over the horizontal distance, %, uphill positive, -15 to 15. Acts as tilted gravity
        on a runner whose x axis runs along the ground and whose z axis stands on it. Not yet held against
        measurements.
    horizontal_force_bw
        Constant pull at the centre of mass of the pelvis along the ground, body weights, forward positive,
        -0.2 to 0.2. Not yet held against measurements.

    landing_ahead_m
        How far ahead of the pelvis' origin the middle of a blade's sole lands, m, -0.2 to 0.6; where the
        runner would land by themselves if left out.

    Raises
    ------
    InputError
        Outside these ranges, or for what is no number.
    """

    speed_m_s: float = field(metadata=_quantity(2.0, 5.0, "m/s", "steady speed"))
    slope_percent: float = field(
        default=0.0, metadata=_quantity(-15.0, 15.0, "%", "slope of the ground, uphill positive")
    )
    horizontal_force_bw: float = field(
        default=0.0,
        metadata=_quantity(-0.2, 0.2, "body weights", "constant pull at the pelvis, forward positive"),
    )
    landing_ahead_m: float | None = field(
        default=None, metadata=_quantity(-0.2, 0.6, "m", "where a blade lands ahead of the pelvis")
    )

    def __post_init__(self) -> None:
        for entry in fields(self):
            value, (low, high) = getattr(self, entry.name), entry.metadata["range"]
            if value is None and entry.default is None:
                continue
            if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
                raise InputError(
                    f"{value!r} is not allowed; a number from {low} to {high} {entry.metadata['unit']}",
                    key=entry.name,
                    allowed=(low, high),
                )

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
        """What of it was not yet held against measurements; empty where nothing is."""
        if self.slope_percent or self.horizontal_force_bw:
            return "Running on a slope or against a pull was not held against measurements yet."
        return ""
