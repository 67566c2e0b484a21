"""Who runs: a person's measures, strength and flexibility, and what an amputation took.

Takes numbers and words from a runner's file; gives a `Runner` and an `Amputation` that have checked every
value against models/body.toml, the muscle groups of models/muscles.toml, the joints of models/runner.xml.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Annotated, Any

import mujoco

from bladerun._lib import data_files
from bladerun._lib.kinds import ByName, Kind, Number, Span, TableOr, Word, check
from bladerun._lib.table import Table
from bladerun.body.joints import without_side
from bladerun.body.legs import Own, check_both, check_legs, of_leg
from bladerun.errors import InputError

SEXES = ("female", "male")
SIDES = ("none", "left", "right", "both")
LEVELS = ("transtibial", "transfemoral")
_RANGE = data_files.toml("body.toml")["range"]
_FIT = data_files.toml("body.toml")["socket_fit"]
_SHORTEST_M = data_files.toml("body.toml")["residual_limb"]["shortest_m"]


def _factor(key: str) -> Number:
    return Number(*_RANGE[key])


@cache
def _groups() -> Mapping[str, Kind]:
    return {row["group"]: _factor("strength") for row in data_files.toml("muscles.toml")["muscle"].values()}


@cache
def _joints() -> Mapping[str, Kind]:
    return {joint: Span(Number(*ends, unit="deg"), "angle") for joint, ends in joint_limits_deg().items()}


@dataclass(frozen=True)
class Runner:
    """A person who runs.

    Parameters
    ----------
    mass_kg
        What the scales show in running kit, prostheses included, as fitting charts count it; that of an adult
        of this height.
    height_m
        Stature without shoes.
    sex
        Chooses the table of segments.
    strength
        Factor on every muscle and motor, or on each muscle group named, `{ hip_abductors = 0.7 }`, of both
        legs, all else as usual.
    joint_range_deg
        Least and greatest angle of joints that move less than usual, by their names without side:
        `{ hip_flexion = [-10, 120] }` for tight hip flexors. It must leave room for running at the task's
        speed.

    Raises
    ------
    InputError
        Outside the ranges of models/body.toml and models/runner.xml, and for unknown groups and joints.

    References
    ----------
    Segments: de Leva 1996, doi 10.1016/0021-9290(95)00178-6.
    """

    mass_kg: Annotated[float, Number(*_RANGE["mass_kg"], unit="kg (adults)")]
    height_m: Annotated[float, Number(*_RANGE["height_m"], unit="m (adults)")]
    sex: Annotated[str, Word(SEXES, listed=True)] = "male"
    strength: Annotated[
        float | Mapping[str, float],
        TableOr(ByName(_groups, "muscle group", said="a table of muscle groups"), _factor("strength")),
    ] = 1.0
    joint_range_deg: Annotated[
        Mapping[str, Sequence[float]], ByName(_joints, "joint", said="a table of joints")
    ] = Table()

    def __post_init__(self) -> None:
        check(self)
        _check_build(self.mass_kg, self.height_m)

    def strength_of(self, group: str) -> float:
        """Factor on the force of a muscle group; "" stands for the motors of trunk, arms and toes."""
        return self.strength.get(group, 1.0) if isinstance(self.strength, Mapping) else self.strength

    def of_mass(self, mass_kg: float) -> "Runner":
        """The same person lighter or heavier, no stronger and no weaker than now.

        Parameters
        ----------
        mass_kg
            On the scales, prostheses included.

        Raises
        ------
        InputError
            As the class does.
        """
        share = self.mass_kg / mass_kg  # strength is counted relative to mass
        if isinstance(self.strength, Mapping):
            strength: Any = {group: share * self.strength_of(group) for group in _groups()}
        else:
            strength = share * self.strength
        return replace(self, mass_kg=mass_kg, strength=strength)


@dataclass(frozen=True)
class Amputation:
    """What is missing.

    Parameters
    ----------
    side
        Which leg, or both.
    level
        Below the knee, transtibial, or above it, transfemoral.
    residual_limb_m
        Knee joint line to the end of the limb, above the knee hip joint centre to the end of the bone; the
        usual length for the stature where left out.
    residual_strength
        What atrophy leaves of the strength of muscles that cross the knee, with a leg lost above it of those
        of the hip too; the published factor where left out.
    gastrocnemius
        Lost, or reattached to the back of the bone's end, where it flexes the knee. Below the knee only.
    myoplasty
        Whether muscles from the pelvis past the knee (rectus femoris, hamstrings, tensor fasciae latae) are
        reattached over the bone's end or lost. Above the knee only.
    volume_loss_percent
        Volume that the limb has lost since the socket fitted, as by an hour of running: the limb sinks and
        turns in it before it is held (`bladerun.body.socket_fit`). Below the knee only.
    socks_ply
        One sock pulled on since, which refills the socket. Below the knee only.

    left, right
        What a leg has of its own instead, by the same names, where both are amputated; `of` gives the
        amputation of a leg.

    Raises
    ------
    InputError
        Outside the ranges of models/body.toml, and for other words; sources: its [residual_limb].
    """

    side: Annotated[str, Word(SIDES)] = "none"
    level: Annotated[str, Word(LEVELS)] = "transtibial"
    residual_limb_m: Annotated[float, Number(_SHORTEST_M, unit="m")] | None = None
    residual_strength: Annotated[float, _factor("residual_strength")] | None = None
    gastrocnemius: Annotated[str, Word(("lost", "reattached"))] = "lost"
    volume_loss_percent: Annotated[float, Number(*_FIT["volume_loss_percent"], unit="%")] = 0.0
    socks_ply: Annotated[float, Number(_FIT["sock_ply"][0], _FIT["sock_ply"][-1], unit="ply")] = 0.0
    myoplasty: Annotated[str, Word(("reattached", "lost"))] = "reattached"
    left: Annotated[Mapping[str, Any], Own(lambda: Amputation)] = Table()
    right: Annotated[Mapping[str, Any], Own(lambda: Amputation)] = Table()

    def __post_init__(self) -> None:
        check(self)
        check_legs(self, "amputation")
        check_both(self, self.side)
        if self.level == "transfemoral" and self.gastrocnemius != "lost":
            raise InputError("lost with a leg above the knee; leave it out", key="gastrocnemius")
        for key in ("volume_loss_percent", "socks_ply"):
            if self.level == "transfemoral" and getattr(self, key):
                raise InputError("for amputations below the knee; leave it out", key=key)
        if self.level == "transtibial" and self.myoplasty != "reattached":
            raise InputError("for amputations above the knee; leave it out", key="myoplasty")

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

    @property
    def above_knee(self) -> tuple[str, ...]:
        """The sides that end above the knee: a part of ("right", "left")."""
        return tuple(side for side in self.sides if self.of(side).level == "transfemoral")

    @property
    def untested(self) -> str:
        """What of running so measurements do not confirm; empty below the knee in a socket that fits."""
        said = []
        if self.above_knee:
            said.append(
                "Above the knee measured cost differs from the predicted one; knee and socket are assumed."
            )
        if any(limb.volume_loss_percent for limb in map(self.of, self.sides)):
            said.append("What a limb that loses volume does to running was never measured.")
        return " ".join(said)

    def strength_of(self, group: str, suffix: str) -> float:
        """Factor on the force of a muscle group of a side.

        Parameters
        ----------
        group
            Name of the muscle group.
        suffix
            The side, "r" or "l".
        """
        if suffix not in self.suffixes:
            return 1.0
        leg = self.of({"r": "right", "l": "left"}[suffix])
        limb = leg.facts["residual_limb"]
        if group not in limb["weaker"]:
            return 1.0
        return limb["strength"] if leg.residual_strength is None else leg.residual_strength

    @property
    def facts(self) -> Mapping[str, Any]:
        """What models/body.toml says of residual limb and socket at this level, of `of` one leg."""
        body = data_files.toml("body.toml")
        return body if self.level == "transtibial" else body["transfemoral"]

    def residual_limb(self, runner: Runner) -> float:
        """Length in m of the residual limb, of `of` one leg; InputError where it does not fit the segment."""
        body, limb = data_files.toml("body.toml"), self.facts["residual_limb"]
        segment = {"transtibial": "shank", "transfemoral": "thigh"}[self.level]
        whole = body["segment"][segment]["length_h"] * runner.height_m
        shortest = limb.get("shortest_m", round(limb.get("shortest_h", 0.0) * runner.height_m, 3))
        length = self.residual_limb_m
        if length is None:
            length = limb["length_h"] * runner.height_m
        if not shortest <= length < whole:
            raise InputError(
                f"{length:g} m is not allowed; from {shortest:g} m to less "
                f"than the {segment} of {whole:.3f} m",
                key="residual_limb_m",
                allowed=(shortest, whole),
            )
        return length


ABLE_BODIED = Amputation()


def _check_build(mass_kg: float, height_m: float) -> None:
    """InputError for a mass that is not one of an adult of this height."""
    low, high = _RANGE["mass_kg"]
    indices = data_files.toml("body.toml")["build"]["body_mass_index_kg_m2"]
    least, most = (index * height_m**2 for index in indices)
    if not least <= mass_kg <= most:
        allowed = f"{math.ceil(max(low, least))} to {math.floor(min(high, most))} kg"
        raise InputError(
            f"{mass_kg:g} kg at {height_m:g} m is not allowed; {allowed} at that height", key="mass_kg"
        )


@cache
def joint_limits_deg() -> dict[str, tuple[float, float]]:
    """The range of every hinge of the pattern that has one, by its name without side."""
    spec = mujoco.MjSpec.from_file(str(data_files.models_dir() / "runner.xml"))
    hinges = [joint for joint in spec.joints if joint.type == mujoco.mjtJoint.mjJNT_HINGE]
    return {without_side(joint.name): tuple(joint.range) for joint in hinges if any(joint.range)}
