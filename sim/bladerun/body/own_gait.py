"""How one runner runs: what was measured on the fitting worn today, in place of able-bodied running.

Takes the part `reference` of the file that `bladerun measure` writes; gives an `OwnGait`, which
`bladerun.body.reference_gait.reference` puts in the place of its curves, and the outcomes measured with it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bladerun._lib.data_files import toml
from bladerun._lib.files import content_of
from bladerun._lib.kinds import Special
from bladerun._lib.table import Table
from bladerun.errors import InputError, nearest

PERCENT = np.linspace(0.0, 100.0, 51)  # of a stride, at which curves are kept
_LEGS = ("hip_flexion", "knee_flexion")  # what has to be known of both legs before their curves are
_TRUNK = "lumbar_extension"
_FARTHEST = 180.0  # deg
_MOST_BYTES = 20_000_000


class Curve(NamedTuple):
    """mean, sd: (51,) of strides, at `PERCENT` from the touchdown of the joint's own leg, of the right leg
    for a joint without side; deg, m for pelvis_tz (about its own mean)."""

    mean: tuple[float, ...]
    sd: tuple[float, ...]


class Spread(NamedTuple):
    """Mean and SD over strides."""

    mean: float
    sd: float


@dataclass(frozen=True)
class OwnGait:
    """How a runner runs today, as far as it was measured.

    Parameters
    ----------
    speed_m_s
        At which it was measured.
    strides
        How many.
    side
        That is amputated, as in `Amputation`.
    joints
        A `Curve` for each joint that was measured, by its name in the model.
    stride_time_s
        Two steps.
    left_after_right
        Touchdown of the left foot after that of the right, as a share of the stride.
    step_width_m
        Between the heels, of a blade the middle of its sole; None where it was not measured.

    Raises
    ------
    InputError
        For what is no such thing, and where no joint was measured.
    """

    speed_m_s: float
    strides: int
    side: str
    joints: Mapping[str, Curve]
    stride_time_s: Spread
    left_after_right: float
    step_width_m: Spread | None = None

    def __post_init__(self) -> None:
        curves = {name: Curve(*(tuple(map(float, each)) for each in c)) for name, c in self.joints.items()}
        object.__setattr__(self, "joints", Table(curves))
        object.__setattr__(self, "stride_time_s", Spread(*self.stride_time_s))
        if self.step_width_m is not None:
            object.__setattr__(self, "step_width_m", Spread(*self.step_width_m))
        sizes = {len(each) for curve in curves.values() for each in curve}
        values = np.array(list(curves.values()), float) if sizes == {len(PERCENT)} else np.array([np.nan])
        whole = np.isfinite(values).all() and abs(values).max() <= _FARTHEST and values[:, 1].min() >= 0
        time, sd = self.stride_time_s
        if not (whole and 0.2 < time < 2 and 0 <= sd < 1 and 0.2 < self.left_after_right < 0.8):
            raise InputError("not how somebody runs, as `bladerun measure` writes it")

    @classmethod
    def of_json(cls, table: Any) -> OwnGait:
        """That of which `plain` made this table. Raises InputError where it is none."""
        try:
            joints = {name: Curve(**curve) for name, curve in table["joints"].items()}
            width = table["step_width_m"] and Spread(**table["step_width_m"])
            own = {"joints": joints, "stride_time_s": Spread(**table["stride_time_s"]), "step_width_m": width}
            return cls(**{**table, **own})
        except (TypeError, ValueError, KeyError, AttributeError):
            raise InputError("not how somebody runs, as `bladerun measure` writes it") from None

    @property
    def known(self) -> tuple[str, ...]:
        """What of `Variation` this measurement narrows."""
        legs = all(f"{joint}_{side}" in self.joints for joint in _LEGS for side in "rl")
        return ("reference_amplitude", "reference_phase") * legs + ("trunk_lean",) * (_TRUNK in self.joints)

    def sd(self, joint: str, phase: np.ndarray, speed_m_s: float) -> np.ndarray:
        """SD (len(phase),) of a curve at this speed, at phases from its leg's touchdown, deg or m: of
        strides, of measuring, and of carrying it from the speed at which it was measured."""
        strides = np.interp(phase, PERCENT / 100, self.joints[joint].sd, period=1)
        return self.off("m" if joint == "pelvis_tz" else "deg", speed_m_s, strides)

    def off(self, unit: str, speed_m_s: float, strides: Any) -> Any:
        """The same of what strides differ by so much, in "deg", "m" or "s" (models/motion.toml)."""
        facts = toml("motion.toml")
        carried = facts["reference"]["carried"][unit] * (speed_m_s - self.speed_m_s)
        return np.sqrt(strides**2 + facts["accuracy"][unit] ** 2 + carried**2)

    def check_speed(self, speed_m_s: float) -> None:
        """InputError where it says nothing of running at this speed."""
        most = toml("motion.toml")["reference"]["carried_most_m_s"]
        if round(abs(speed_m_s - self.speed_m_s), 1) > most:
            raise InputError(
                f"measured at {self.speed_m_s:.2f} m/s, asked for at {speed_m_s:g} m/s; at most {most:g} m/s "
                "away is allowed",
                key="speed_m_s",
            )

    def check_side(self, side: str) -> None:
        """InputError where it is of a runner amputated on another side."""
        if side != self.side:
            said = {"none": "without an amputation", "both": "amputated on both sides"}
            had, has = (said.get(each, f"amputated on the {each} side") for each in (self.side, side))
            raise InputError(
                f"measured as of a runner {had}, not {has}; give `bladerun measure` this --runner"
            )


@dataclass(frozen=True)
class Today:
    """The section [reference] of a runner's file.

    Parameters
    ----------
    motion
        How the runner runs today; in a file the name of what `bladerun measure` wrote, beside it.
    outcomes
        Mean and SD over strides by the columns of `bladerun.gait.outcomes.flat`, to hold predictions against.
    file
        What it was read from.
    """

    motion: OwnGait
    outcomes: Mapping[str, Spread] = field(default_factory=Table)
    file: str = ""

    def mean_and_sd(self, column: str) -> tuple[float, float]:
        """Of an outcome, as `Measured.mean_and_sd`."""
        return self.outcomes.get(column, (math.nan, math.nan))


def today_of(table: Any, folder: str | Path) -> Today:
    """The section [reference] as a file has it, or as JSON made of one. Raises InputError, with its key."""
    if isinstance(table, Today):
        return table
    if not isinstance(table, Mapping):
        raise InputError(SECTION.said)
    name = table.get("motion")
    if isinstance(name, Mapping):
        outcomes = {key: Spread(**each) for key, each in table["outcomes"].items()}
        return Today(OwnGait.of_json(name), Table(outcomes), table["file"])
    for key in table:
        if key != "motion":
            raise InputError(f"not a known key; {nearest(str(key), ('motion',))}", key=str(key))
    if not isinstance(name, str) or not name.endswith(".json"):
        raise InputError(f"{name!r} is not allowed; the name of what `bladerun measure` wrote", key="motion")
    try:
        return read_today(Path(folder) / name)
    except InputError as error:
        raise InputError(f"{name}: {error.what}", key="motion") from None


def _section() -> dict[str, Any]:
    said = "What `bladerun measure` wrote of this runner on today's fitting, a file beside this one."
    motion = {"type": "string", "pattern": "[.]json$", "description": said}
    properties = {"motion": motion}
    return {"type": "object", "properties": properties, "required": ["motion"], "additionalProperties": False}


SECTION = Special(
    'a section with motion = "measured.json"', lambda v: v if v is None else today_of(v, "."), _section
)


def read_today(path: str | Path) -> Today:
    """What `bladerun measure` wrote, as a reference. Raises InputError for another file, and where too few
    strides were measured."""
    try:
        said = json.loads(content_of(path, _MOST_BYTES))
        outcomes = dict(_columns(said["outcomes"]))
        gait = said["reference"]
    except InputError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError("not the measured.json that `bladerun measure` writes", file=path) from None
    if gait is None:
        least = toml("motion.toml")["reference"]["least_strides"]
        raise InputError(f"measured on fewer than {least} strides, or without a joint of the legs", file=path)
    try:
        return Today(OwnGait.of_json(gait), Table(outcomes), str(path))
    except InputError as error:
        raise error.at(path) from None


def _columns(outcomes: Mapping[str, Any]) -> Iterator[tuple[str, Spread]]:
    """By the columns of `flat`."""
    for key, value in outcomes.items():
        for side, each in [("", value)] if "mean" in value else [(f"_{s}", v) for s, v in value.items()]:
            sd = math.nan if each["sd"] is None else float(each["sd"])
            yield f"{key}{side}", Spread(float(each["mean"]), sd)
