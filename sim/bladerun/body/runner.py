"""Who runs: a person's measures, strength and flexibility, and what an amputation took.

Takes numbers and words from a runner's file; gives a `Runner` and an `Amputation` that have checked every
value against models/body.toml, the muscle groups of models/muscles.toml, the joints of models/runner.xml.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import mujoco

from bladerun._lib import data_files
from bladerun._lib.table import Table
from bladerun.body.joints import without_side
from bladerun.body.legs import check_both, check_legs, of_leg
from bladerun.errors import InputError, nearest

SEXES = ("female", "male")
SIDES = ("none", "left", "right", "both")
GASTROCNEMIUS = ("lost", "reattached")


@dataclass(frozen=True)
class Runner:
    """A person who runs.

    mass_kg: everything that is weighed on the scales in running kit, prostheses included (as fitting charts
    count it); 40 to 140, and that of an adult of this height. height_m: stature without shoes, 1.35 to 2.10.
    sex: "male" or "female", chooses the segment table. strength: factor from 0.2 to 3 on every muscle and
    motor, or on each muscle group named (`{"hip_abductors": 0.7}`; groups: models/muscles.toml) of both
    legs, all else as usual. joint_range_deg: least and greatest angle of joints that move less than
    models/runner.xml lets them, by their names without side: `{"hip_flexion": (-10, 120)}` for tight hip
    flexors. Raises InputError.
    """

    mass_kg: float
    height_m: float
    sex: str = "male"
    strength: float | Mapping[str, float] = 1.0
    joint_range_deg: Mapping[str, Sequence[float]] = Table()

    def __post_init__(self):
        for key, unit in (("mass_kg", " kg (adults)"), ("height_m", " m (adults)")):
            _check_number(getattr(self, key), key, *_range(key), unit)
        _check_build(self.mass_kg, self.height_m)
        if self.sex not in SEXES:
            raise InputError(f"{self.sex!r} is not one of {', '.join(SEXES)}", key="sex")
        if isinstance(self.strength, Mapping):
            object.__setattr__(self, "strength", _by_group(self.strength))
        else:
            _check_number(self.strength, "strength", *_range("strength"))
        object.__setattr__(self, "joint_range_deg", _ranges(self.joint_range_deg))

    def strength_of(self, group: str) -> float:
        """Factor on the force of a muscle group; "" stands for the motors of trunk, arms and toes."""
        return self.strength.get(group, 1.0) if isinstance(self.strength, Mapping) else self.strength


@dataclass(frozen=True)
class Amputation:
    """What is missing. side: none, left, right or both; level: transtibial.

    residual_limb_m: knee joint line to the end of the limb; None takes the usual length for the stature.
    residual_strength: what atrophy leaves of the strength of muscles that cross the knee, 0.2 to 1; None
    takes the published one. gastrocnemius: "lost", or "reattached" to the back of the bone's end, where it
    flexes the knee. Sources: [residual_limb] in models/body.toml.
    left, right: what a leg has of its own instead, by the same names, where both are amputated
    (`left={"residual_limb_m": 0.14}`); `of` gives the amputation of a leg. Raises InputError.
    """

    side: str = "none"
    level: str = "transtibial"
    residual_limb_m: float | None = None
    residual_strength: float | None = None
    gastrocnemius: str = "lost"
    left: Mapping[str, Any] = Table()
    right: Mapping[str, Any] = Table()

    def __post_init__(self):
        for key, known in (("side", SIDES), ("gastrocnemius", GASTROCNEMIUS)):
            value = getattr(self, key)
            if value not in known:
                raise InputError(f"{value!r} is not allowed; {nearest(str(value), known)}", key=key)
        if self.level != "transtibial":
            raise InputError(f"{self.level!r} is not allowed; transtibial only", key="level")
        if self.residual_limb_m is not None:
            _check_number(self.residual_limb_m, "residual_limb_m", 0.0, math.inf, " m")
        if self.residual_strength is not None:
            _check_number(self.residual_strength, "residual_strength", *_range("residual_strength"))
        check_legs(self, "amputation")
        check_both(self, self.side)

    def of(self, side: str) -> "Amputation":
        """That of one leg, "left" or "right"."""
        return replace(of_leg(self, side), side=side)

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The amputated sides as name endings: a part of ("r", "l")."""
        return {"none": (), "left": ("l",), "right": ("r",), "both": ("r", "l")}[self.side]

    @property
    def sides(self) -> tuple[str, ...]:
        """The amputated sides: a part of ("right", "left")."""
        return {"none": (), "left": ("left",), "right": ("right",), "both": ("right", "left")}[self.side]

    def strength_of(self, group: str, suffix: str) -> float:
        """Factor on the force of a muscle group of a side, "r" or "l"."""
        limb = data_files.toml("body.toml")["residual_limb"]
        if suffix not in self.suffixes or group not in limb["weaker"]:
            return 1.0
        weaker = self.of({"r": "right", "l": "left"}[suffix]).residual_strength
        return limb["strength"] if weaker is None else weaker

    def residual_limb(self, runner: Runner) -> float:
        """Length in m of the residual limb, of `of` one leg; InputError where it does not fit the shank."""
        body = data_files.toml("body.toml")
        shank = body["segment"]["shank"]["length_h"] * runner.height_m
        shortest = body["residual_limb"]["shortest_m"]
        length = self.residual_limb_m
        if length is None:
            length = body["residual_limb"]["length_h"] * runner.height_m
        if not shortest <= length < shank:
            raise InputError(
                f"{length:g} m is not allowed; from {shortest:g} m to less than the shank of {shank:.3f} m",
                key="residual_limb_m",
                allowed=(shortest, shank),
            )
        return length


ABLE_BODIED = Amputation()


def _range(key: str) -> tuple[float, float]:
    low, high = data_files.toml("body.toml")["range"][key]
    return low, high


def _check_build(mass_kg: float, height_m: float) -> None:
    """InputError for a mass that is not one of an adult of this height."""
    low, high = _range("mass_kg")
    indices = data_files.toml("body.toml")["build"]["body_mass_index_kg_m2"]
    least, most = (index * height_m**2 for index in indices)
    if not least <= mass_kg <= most:
        allowed = f"{math.ceil(max(low, least))} to {math.floor(min(high, most))} kg"
        raise InputError(
            f"{mass_kg:g} kg at {height_m:g} m is not allowed; {allowed} at that height", key="mass_kg"
        )


def _by_group(strength: Mapping[str, float]) -> Table:
    groups = {row["group"] for row in data_files.toml("muscles.toml")["muscle"].values()}
    for group, factor in strength.items():
        if group not in groups:
            raise InputError(f"not a known muscle group; {nearest(group, groups)}", key=f"strength.{group}")
        _check_number(factor, f"strength.{group}", *_range("strength"))
    return Table(strength)


def _ranges(asked: Mapping[str, Sequence[float]]) -> Table:
    if not isinstance(asked, Mapping):
        raise InputError(f"{asked!r} is not allowed; a table of joints", key="joint_range_deg")
    limits = joint_limits_deg()
    for joint, pair in asked.items():
        key = f"joint_range_deg.{joint}"
        if joint not in limits:
            raise InputError(f"not a known joint; {nearest(joint, limits)}", key=key)
        low, high = limits[joint]
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise InputError(f"{pair!r} is not allowed; two angles, least and greatest", key=key)
        for angle in pair:
            _check_number(angle, key, low, high, " deg")
        if not pair[0] < pair[1]:
            raise InputError(f"{pair!r} is not allowed; the least angle comes first", key=key)
    return Table({joint: tuple(pair) for joint, pair in asked.items()})


@cache
def joint_limits_deg() -> dict[str, tuple[float, float]]:
    """The range of every hinge of the pattern that has one, by its name without side."""
    spec = mujoco.MjSpec.from_file(str(data_files.models_dir() / "runner.xml"))
    hinges = [joint for joint in spec.joints if joint.type == mujoco.mjtJoint.mjJNT_HINGE]
    return {without_side(joint.name): tuple(joint.range) for joint in hinges if any(joint.range)}


def _check_number(value: object, key: str, low: float, high: float, unit: str = "") -> None:
    allowed = (
        f"a number from {low:g} to {high:g}{unit}" if math.isfinite(high) else f"more than {low:g}{unit}"
    )
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise InputError(f"{value!r} is not allowed; {allowed}", key=key, allowed=(low, high))
