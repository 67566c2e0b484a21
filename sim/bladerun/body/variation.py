"""How far the facts behind a prediction may be off: one draw is a `Variation`, and this applies it.

Takes multipliers, or a number of draws and a seed (distributions: models/uncertainty.toml); gives
`Variation`s, and changes a composed body as one of them says. The same draws serve every fitting, so that
their differences are paired.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any

import mujoco
import numpy as np
from scipy.stats import norm, qmc

from bladerun._lib.data_files import toml
from bladerun._lib.kinds import Number, check
from bladerun.body.joints import PARTS, side_of
from bladerun.body.own_gait import OwnGait
from bladerun.body.passive_laws import DAMPERS, scale_laws
from bladerun.errors import InputError

_TRUNK = ("pelvis", "torso")
_LIMBS = ("upper_arm", "forearm", "thigh", "shank", "achilles", "foot", "toes")
_FACTOR = Annotated[float, Number(over=True)]
_GREATEST_FORCE = 2  # where MuJoCo keeps it among a muscle's parameters


@dataclass(frozen=True)
class Variation:
    """Multipliers on what a prediction is made of, 1 as the facts have it, and shifts.

    Parameters
    ----------
    blade_stiffness
        Every spring of a blade, as a stiffer laminate would: fibre strain at a given bend stays.
    blade_loss
        Its damping at its stiffness.
    strength
        Every muscle and motor.
    trunk_mass
        Pelvis, trunk and head; arms and legs take what is left of the runner's mass.
    socket_stiffness
        Springs and dampers between limb and socket.
    socket_rotation
        Those about the limb's long axis, once more.
    thigh_socket_stiffness
        Those of a socket on a thigh, once more.
    knee_damping
        The damper of a prosthetic knee, in flexion and extension.
    fore_aft_mm, sagittal_deg, toe_out_deg
        How much further than meant the blade is shifted forward, flexed and turned out at its clamp,
        usually 0.
    reference_amplitude
        The legs' reference angles about their means.
    reference_phase
        Share of a stride by which they come later than those of pelvis, trunk and arms, usually 0.
    hip_rotation_deg
        By how much more the legs' reference is rotated inward at the hip, usually 0.
    trunk_lean
        Shift of the trunk's mean forward lean in SD between people, usually 0.
    tracking_weight
        That of models/cost.toml.

    Raises
    ------
    InputError
        For what is no number, or out of range.
    """

    blade_stiffness: _FACTOR = 1.0
    blade_loss: _FACTOR = 1.0
    strength: _FACTOR = 1.0
    trunk_mass: _FACTOR = 1.0
    socket_stiffness: _FACTOR = 1.0
    socket_rotation: _FACTOR = 1.0
    thigh_socket_stiffness: _FACTOR = 1.0
    knee_damping: _FACTOR = 1.0
    fore_aft_mm: Annotated[float, Number(-50, over=True)] = 0.0
    sagittal_deg: Annotated[float, Number(-20, over=True)] = 0.0
    toe_out_deg: Annotated[float, Number(-20, over=True)] = 0.0
    reference_amplitude: _FACTOR = 1.0
    reference_phase: Annotated[float, Number(-0.5, over=True)] = 0.0
    hip_rotation_deg: Annotated[float, Number(-30, over=True)] = 0.0
    trunk_lean: Annotated[float, Number(-5, over=True)] = 0.0
    tracking_weight: _FACTOR = 1.0

    def __post_init__(self) -> None:
        check(self)


def names() -> tuple[str, ...]:
    """What is varied, in the order of `draw` and `quantiles`."""
    return tuple(field.name for field in fields(Variation))


NOMINAL = Variation()
ABOVE_KNEE = ("thigh_socket_stiffness", "knee_damping")


def draw_variations(count: int, seed: int = 0, own: OwnGait | None = None) -> list[Variation]:
    """The first points of a scrambled Sobol sequence, seen through models/uncertainty.toml's distributions.

    Parameters
    ----------
    count
        How many.
    seed
        Of the scrambling.
    own
        How the runner runs, where that was measured: what it tells is varied less.

    Returns
    -------
    list of Variation
        The same ones for the same seed, whatever the count.
    """
    varied, power = names(), max(count - 1, 0).bit_length()
    above = [varied.index(name) for name in ABOVE_KNEE]
    others = np.setdiff1d(np.arange(len(varied)), above)
    # dimensions of their own, further on, so that what acts above the knee alone moves no draw below it
    further = qmc.Sobol(len(varied), rng=np.random.default_rng([seed, 1])).random_base2(power)
    points = np.empty_like(further)
    points[:, above] = further[:, len(others) :]
    points[:, others] = qmc.Sobol(len(others), rng=seed).random_base2(power)
    return [quantiles(point, own) for point in points[:count]]


draw = draw_variations  # its name inside the package


def quantiles(share: np.ndarray, own: OwnGait | None = None) -> Variation:
    """The variation at these quantiles, one a name of `names` in (0, 1), of models/uncertainty.toml's
    distributions; of what `own` tells, of those with a measurement."""
    facts = dict(toml("uncertainty.toml"))
    facts |= {name: facts[name]["measured"] for name in (own.known if own else ())}
    return Variation(**{k: _quantile(facts[k], float(p)) for k, p in zip(names(), share, strict=True)})


def _quantile(fact: Mapping[str, Any], p: float) -> float:
    match fact["distribution"]:
        case "normal":
            return float(fact["sd"] * norm.ppf(p))
        case "lognormal":
            return math.exp(fact["sd"] * norm.ppf(p))
        case "uniform":
            return fact["low"] + p * (fact["high"] - fact["low"])
        case "loguniform":
            return fact["low"] * (fact["high"] / fact["low"]) ** p
    raise InputError(f"no distribution is called {fact['distribution']!r}", file="models/uncertainty.toml")


def vary(spec, variation: Variation) -> None:
    """Change a composed body, an `MjSpec`, as the variation says; not at all where it is nominal."""
    part_of = {joint.name: PARTS[int(joint.userdata[1])] for joint in spec.joints}
    above_knee = {side_of(name) for name, part in part_of.items() if part == "knee unit"}
    for joint in spec.joints:
        part = part_of[joint.name]
        if part == "blade":
            _scale(joint, variation.blade_stiffness, variation.blade_loss)
        elif part == "socket":
            rotates = joint.name.startswith("socket_rotation")
            stiffness = variation.socket_stiffness * (variation.socket_rotation if rotates else 1.0)
            stiffness *= variation.thigh_socket_stiffness if side_of(joint.name) in above_knee else 1.0
            _scale(joint, stiffness, 1.0)
            scale_laws(spec, joint.name, stiffness)
        elif part == "knee unit":
            scale_laws(spec, joint.name, variation.knee_damping, DAMPERS)
    for actuator in spec.actuators:
        if actuator.trntype == mujoco.mjtTrn.mjTRN_TENDON:
            for parameters in (actuator.gainprm, actuator.biasprm):
                parameters[_GREATEST_FORCE] *= variation.strength
        else:
            actuator.ctrlrange = actuator.ctrlrange * variation.strength
    if variation.trunk_mass != 1.0:
        _move_mass(spec, variation.trunk_mass)


def _scale(joint, stiffness: float, loss: float) -> None:
    joint.stiffness = np.asarray(joint.stiffness) * stiffness
    joint.damping = np.asarray(joint.damping) * (stiffness * loss)


def _move_mass(spec, trunk: float) -> None:
    """Masses and inertias of the trunk times `trunk`, those of the limbs so that the sum stays."""
    parts = [body for body in spec.bodies if body.name in _TRUNK]
    limbs = [body for body in spec.bodies if side_of(body.name) and body.name[:-2] in _LIMBS]
    moved = (trunk - 1.0) * sum(body.mass for body in parts)
    limb = 1.0 - moved / sum(body.mass for body in limbs)
    for bodies, factor in ((parts, trunk), (limbs, limb)):
        for body in bodies:
            body.mass *= factor
            body.inertia = body.inertia * factor
