"""Who runs: a person's measures, and the body that follows from them.

Takes mass, height, sex, strength and an amputation; gives the scaled, amputated body as a `mujoco.MjSpec`.
The able-bodied pattern is models/runner.xml, the segment data models/body.toml (sources there).
"""

import math
from dataclasses import dataclass

import mujoco
import numpy as np

from bladerun import _facts
from bladerun.errors import InputError, nearest

SEXES = ("female", "male")
SIDES = ("none", "left", "right", "both")
_PATTERN_HEIGHT_M, _PATTERN_MASS_KG = 1.75, 75.0  # what models/runner.xml is drawn for
_F0 = 2  # where MuJoCo keeps a muscle's greatest force among its parameters


@dataclass(frozen=True)
class Runner:
    """A person who runs.

    mass_kg: everything that is weighed on the scales in running kit, prostheses included (as fitting charts
    count it); 35 to 140. height_m: stature without shoes, 1.35 to 2.10. sex: "male" or "female", chooses the
    segment table. strength: factor on every joint's greatest moment, 0.2 to 3. Raises InputError.
    """

    mass_kg: float
    height_m: float
    sex: str = "male"
    strength: float = 1.0

    def __post_init__(self):
        for key, unit in (("mass_kg", " kg"), ("height_m", " m"), ("strength", "")):
            low, high = _facts.toml("body.toml")["range"][key]
            _check_number(getattr(self, key), key, low, high, unit)
        if self.sex not in SEXES:
            raise InputError(f"{self.sex!r} is not one of {', '.join(SEXES)}", key="sex")


@dataclass(frozen=True)
class Amputation:
    """What is missing. side: none, left, right or both; level: transtibial.

    residual_limb_m: knee joint line to the end of the limb; None takes the usual length for the stature.
    """

    side: str = "none"
    level: str = "transtibial"
    residual_limb_m: float | None = None

    def __post_init__(self):
        if self.side not in SIDES:
            raise InputError(f"{self.side!r} is not allowed; {nearest(str(self.side), SIDES)}", key="side")
        if self.level != "transtibial":
            raise InputError(f"{self.level!r} is not allowed; known: transtibial", key="level")
        if self.residual_limb_m is not None:
            _check_number(self.residual_limb_m, "residual_limb_m", 0.0, math.inf, " m")

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The amputated sides as name endings: a part of ("r", "l")."""
        return {"none": (), "left": ("l",), "right": ("r",), "both": ("r", "l")}[self.side]

    def residual_limb(self, runner: Runner) -> float:
        """Length of the residual limb in m; InputError where it does not fit the runner's shank."""
        body = _facts.toml("body.toml")
        shank = body["segment"]["shank"]["length_h"] * runner.height_m
        shortest = body["residual_limb"]["shortest_m"]
        length = self.residual_limb_m
        if length is None:
            length = body["residual_limb"]["length_h"] * runner.height_m
        if not shortest <= length < shank:
            raise InputError(
                f"{length:g} m is not allowed; from {shortest:g} m to less than the shank of {shank:.3f} m",
                key="residual_limb_m",
            )
        return length


ABLE_BODIED = Amputation()


def sound_leg_below_knee_m(runner: Runner) -> float:
    """Knee joint centre to the ground, standing upright in running shoes, m."""
    spec = _pattern()
    scale = runner.height_m / _PATTERN_HEIGHT_M
    return float(spec.body("pelvis").pos[2] + spec.body("shank_r").pos[2]) * scale


def build_body(runner: Runner, amputation: Amputation = ABLE_BODIED, prosthesis_kg: float = 0.0):
    """The runner's body as an `MjSpec`: runner.xml scaled, with a socket in place of each missing foot.

    Lengths scale with stature, the shoes' stiffness with mass, masses with the segment table, girths with
    sqrt(mass / height). The remaining body gets the mass that makes body and prostheses together weigh
    `runner.mass_kg`; `prosthesis_kg` is one prosthesis without its socket, attached later under the bodies
    `socket_r` and `socket_l`.
    """
    spec = _pattern()
    residual = amputation.residual_limb(runner)
    _scale_geometry(spec, runner)
    _scale_strength(spec, runner)
    _scale_muscles(spec, runner)

    unit, shank = _segments(runner, mass_kg=1.0), _length("shank", runner)
    stump = _residual_limb(unit["shank"], shank, residual / shank)
    sides = len(amputation.suffixes)
    lost = sides * (unit["shank"].mass + unit["foot"].mass - stump.mass)
    worn = sides * (_facts.toml("body.toml")["socket"]["mass_kg"] + prosthesis_kg)
    intact_kg = (runner.mass_kg - worn) / (1.0 - lost)
    _set_inertia(spec, runner, intact_kg)
    for suffix in amputation.suffixes:
        _amputate(spec, suffix, residual, stump.times(intact_kg))
    return spec


# --- Segments --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Rigid:
    """Mass (kg), centre of mass (3,) and principal inertia (3,) about it, in the frame of its body."""

    mass: float
    com: np.ndarray
    inertia: np.ndarray

    def at(self, offset) -> "_Rigid":
        return _Rigid(self.mass, self.com + offset, self.inertia)

    def times(self, factor: float) -> "_Rigid":
        return _Rigid(self.mass * factor, self.com, self.inertia * factor)


def _compose(*parts: _Rigid) -> _Rigid:
    """Several as one (parallel axes); products of inertia are left out: every part lies close to one axis."""
    mass = sum(p.mass for p in parts)
    com = np.sum([p.mass * p.com for p in parts], axis=0) / mass
    inertia = np.sum([p.inertia + p.mass * _about(p.com - com) for p in parts], axis=0)
    return _Rigid(mass, com, inertia)


def _without(whole: _Rigid, part: _Rigid) -> _Rigid:
    return _compose(whole, part.times(-1.0))


def _about(d: np.ndarray) -> np.ndarray:
    return d @ d - d * d


def _length(segment: str, runner: Runner) -> float:
    return _facts.toml("body.toml")["segment"][segment]["length_h"] * runner.height_m


def _segments(runner: Runner, mass_kg: float) -> dict[str, _Rigid]:
    """Rigid segments of a body of `mass_kg`, each hanging down (-z) from its upper end at the origin.

    The foot's origin is the heel on the ground and its length runs forward.
    """
    table = _facts.toml("body.toml")["segment"]
    paired = ("upper_arm", "forearm", "hand", "thigh", "shank", "foot")
    whole = sum(row[runner.sex]["mass"] * (2 if name in paired else 1) for name, row in table.items())
    out = {}
    for name, row in table.items():
        length, data = _length(name, runner), row[runner.sex]
        mass = data["mass"] / whole * mass_kg
        along = np.array([1.0, 0.0, 0.0]) if name == "foot" else np.array([0.0, 0.0, -1.0])
        inertia = mass * (np.array(data["radius"]) * length) ** 2
        out[name] = _Rigid(mass, along * data["com"] * length, inertia)
    return out


def _set_inertia(spec, runner: Runner, intact_kg: float) -> None:
    """Write every body's inertial from the segment table."""
    seg = _segments(runner, intact_kg)
    up = {n: np.array([0.0, 0.0, _length(n, runner)]) for n in ("lower_trunk", "middle_trunk", "upper_trunk")}
    waist = spec.body("torso").pos
    trunk_axis = np.array([-waist[0], 0.0, 0.0])  # the trunk's centres stand above the hips, not the spine
    vertex = np.array([0.0, 0.0, spec.site("head").pos[2]])
    _put(spec, "pelvis", seg["lower_trunk"].at(up["lower_trunk"]))
    torso = _compose(
        seg["middle_trunk"].at(up["middle_trunk"]),
        seg["upper_trunk"].at(up["middle_trunk"] + up["upper_trunk"]),
        seg["head"].at(vertex),
    )
    _put(spec, "torso", torso.at(trunk_axis))
    forearm = _compose(seg["forearm"], seg["hand"].at([0.0, 0.0, -_length("forearm", runner)]))

    toes = _facts.toml("body.toml")["toes"]
    box = np.array(toes["box_h"]) * runner.height_m
    toe_mass = toes["mass_fraction"] * seg["foot"].mass
    tendon = _facts.toml("body.toml")["achilles"]
    rod = np.array(tendon["box_h"]) * runner.height_m
    tendon_mass = tendon["mass_fraction"] * seg["shank"].mass
    achilles = _Rigid(tendon_mass, np.zeros(3), tendon_mass / 12 * _about(rod))
    for s in "rl":
        _put(spec, f"upper_arm_{s}", seg["upper_arm"])
        _put(spec, f"forearm_{s}", forearm)
        _put(spec, f"thigh_{s}", seg["thigh"])
        _put(spec, f"achilles_{s}", achilles)
        _put(spec, f"shank_{s}", _without(seg["shank"], achilles.at(spec.body(f"achilles_{s}").pos)))
        heel, joint = spec.site(f"heel_{s}").pos, spec.body(f"toes_{s}").pos
        ground = -_ankle_height(spec, s)
        foot = seg["foot"].at([heel[0], 0.0, ground + toes["com_above_sole_h"] * runner.height_m])
        toe = _Rigid(toe_mass, np.array([box[0] / 2, 0.0, -box[2] / 2]), toe_mass / 12 * _about(box))
        _put(spec, f"toes_{s}", toe)
        _put(spec, f"foot_{s}", _without(foot, toe.at(joint)))


def _ankle_height(spec, s: str) -> float:
    return float(spec.body("pelvis").pos[2] + spec.body(f"shank_{s}").pos[2] + spec.body(f"foot_{s}").pos[2])


def _put(spec, name: str, rigid: _Rigid) -> None:
    body = spec.body(name)
    body.mass, body.ipos, body.inertia = rigid.mass, rigid.com, rigid.inertia
    body.iquat = [1.0, 0.0, 0.0, 0.0]


# --- Scaling ---------------------------------------------------------------------------------------------


def _pattern():
    return mujoco.MjSpec.from_file(str(_facts.models_dir() / "runner.xml"))


def _scale_geometry(spec, runner: Runner) -> None:
    scale = runner.height_m / _PATTERN_HEIGHT_M
    weight = runner.mass_kg / _PATTERN_MASS_KG
    girth = math.sqrt(weight / scale)
    law = _facts.toml("contact.toml")["foot"]
    for body in spec.bodies[1:]:
        for item in (body, *body.joints, *body.sites):
            item.pos = item.pos * scale
        for joint in body.joints:
            if joint.type == mujoco.mjtJoint.mjJNT_SLIDE:
                joint.range = joint.range * scale
        for geom in body.geoms:
            geom.pos, geom.fromto = geom.pos * scale, geom.fromto * scale
            dressed = geom.classname.name in ("contact", "shoe", "sole", "wrap") or body.name == "torso"
            geom.size = geom.size * (scale if dressed else girth)
            if geom.classname.name == "contact":
                geom.userdata = [law["stiffness_n_m15"] * weight, law["damping_s_m"], law["friction"]]
    width = _facts.toml("body.toml")["width"]
    wider = width["hip_h"][runner.sex] * runner.height_m / abs(spec.body("thigh_r").pos[1])
    for part, half in (("thigh", width["hip_h"]), ("upper_arm", width["shoulder_h"])):
        for s, sign in (("r", -1.0), ("l", 1.0)):
            spec.body(f"{part}_{s}").pos[1] = sign * half[runner.sex] * runner.height_m
    for site in spec.body("pelvis").sites:
        if site.classname.name == "muscle":  # attachments keep their places about the hip
            site.pos[1] *= wider


def _scale_strength(spec, runner: Runner) -> None:
    """Motors by mass, height and strength, reserves a share of it; the toes' spring, mostly shoe, by size."""
    size = runner.mass_kg * runner.height_m / (_PATTERN_MASS_KG * _PATTERN_HEIGHT_M)
    facts = _facts.toml("body.toml")
    for joint in spec.joints:
        if joint.name.startswith("mtp_"):
            joint.stiffness = np.asarray(joint.stiffness) * size
            joint.damping = np.asarray(joint.damping) * size
    for motor in spec.actuators:
        if motor.trntype == mujoco.mjtTrn.mjTRN_JOINT:
            name = motor.name.removesuffix("_r").removesuffix("_l")
            share = facts["reserve"]["fraction"] if name in facts["reserve"]["joints"] else 1.0
            negative, positive = share * size * runner.strength * np.array(facts["strength"][name]["nm"])
            motor.ctrlrange = [-negative, positive]


def _scale_muscles(spec, runner: Runner) -> None:
    """Lengths by height; force by mass and strength; a tendon's by mass at the same strain."""
    scale = runner.height_m / _PATTERN_HEIGHT_M
    weight = runner.mass_kg / _PATTERN_MASS_KG
    for tendon in spec.tendons:
        tendon.springlength = tendon.springlength * scale
        tendon.stiffness = tendon.stiffness * weight / scale ** np.arange(1, 1 + len(tendon.stiffness))
    for muscle in spec.actuators:
        if muscle.trntype == mujoco.mjtTrn.mjTRN_TENDON:
            muscle.lengthrange = muscle.lengthrange * scale
            for parameters in (muscle.gainprm, muscle.biasprm):
                parameters[_F0] *= weight * runner.strength


# --- Amputation ------------------------------------------------------------------------------------------


def _residual_limb(shank: _Rigid, length: float, fraction: float) -> _Rigid:
    """The upper `fraction` of a shank of that length, as a body of linearly falling mass per length.

    Density a + b x over x = 0 (knee) to 1 with the shank's mass, a + b/2 = 1, and centre, c = 1/2 + b/12;
    its spread along the length adds to half the longitudinal inertia, as in a rod of finite thickness.
    """
    centre = -shank.com[2] / length
    b = 12.0 * (centre - 0.5)
    a = 1.0 - b / 2.0
    first, second, third = (a * fraction**n / n + b * fraction ** (n + 1) / (n + 1) for n in (1, 2, 3))
    mass = shank.mass * first
    spread = mass * length**2 * (third / first - (second / first) ** 2)
    axial = shank.inertia[2] * first
    lateral = spread + axial / 2.0
    return _Rigid(mass, np.array([0.0, 0.0, -length * second / first]), np.array([lateral, lateral, axial]))


def _amputate(spec, s: str, residual: float, stump: _Rigid) -> None:
    """Take the foot off with what pulls on it, shorten the shank and put a compliant socket on it."""
    _cut_muscles(spec, s)
    for item in (*spec.actuators, *spec.pairs):
        named = (item.target,) if hasattr(item, "target") else (item.geomname1, item.geomname2)
        if any(name in _foot_parts(spec, s) for name in named):
            spec.delete(item)
    spec.delete(spec.body(f"foot_{s}"))
    shank, socket = spec.body(f"shank_{s}"), _facts.toml("body.toml")["socket"]
    for part in ("calf", "shank", "sock"):
        spec.delete(spec.geom(f"{part}_{s}"))
    _put(spec, shank.name, stump)

    middle, radius = residual / 2.0, socket["radius_m"]
    capsule = {"type": mujoco.mjtGeom.mjGEOM_CAPSULE, "contype": 0, "conaffinity": 0, "mass": 0.0, "group": 1}
    end = -residual + radius - 0.01
    shank.add_geom(
        name=f"liner_{s}",
        material="sock",
        size=[radius - 0.006, 0, 0],
        fromto=[0, 0, -0.03, 0, 0, end],
        **capsule,
    )
    body = shank.add_body(name=f"socket_{s}", pos=[0.0, 0.0, -middle])
    inward = 1.0 if s == "r" else -1.0
    slide, hinge = mujoco.mjtJoint.mjJNT_SLIDE, mujoco.mjtJoint.mjJNT_HINGE
    for name, kind, axis, stiffness in (
        ("pistoning", slide, [0.0, 0.0, 1.0], socket["pistoning_n_m"]),
        ("flexion", hinge, [0.0, -1.0, 0.0], socket["flexion_nm_rad"]),
        ("rotation", hinge, [0.0, 0.0, inward], socket["rotation_nm_rad"]),
    ):
        damping = stiffness * socket["relaxation_s"]
        body.add_joint(
            name=f"socket_{name}_{s}",
            type=kind,
            axis=axis,
            stiffness=stiffness,
            damping=damping,
        )
    length = residual + socket["overhang_m"]
    lateral = socket["mass_kg"] * (3.0 * radius**2 + length**2) / 12.0
    axial = socket["mass_kg"] * radius**2 / 2.0
    centre = np.array([0.0, 0.0, middle - length / 2.0])
    body.explicitinertial = True
    _put(spec, body.name, _Rigid(socket["mass_kg"], centre, np.array([lateral, lateral, axial])))
    top, bottom = middle - 0.045, middle - length + radius
    body.add_geom(
        name=f"socket_{s}",
        material="socket",
        size=[radius, 0, 0],
        fromto=[0, 0, top, 0, 0, bottom],
        **capsule,
    )


def _cut_muscles(spec, s: str) -> None:
    """Delete every muscle that reaches below the cut, with its path, and the Achilles tendon."""
    below = (spec.body(f"{part}_{s}") for part in ("achilles", "foot", "toes"))
    cut = {_of_path(site) for body in below for site in body.sites}
    for item in (*spec.actuators, *spec.tendons):
        if item.name in cut:
            spec.delete(item)
    for site in spec.sites:
        if site.classname.name == "muscle" and _of_path(site) in cut:
            spec.delete(site)
    spec.delete(spec.body(f"achilles_{s}"))


def _of_path(site) -> str:
    """The tendon that a site belongs to: its name without the last number."""
    return site.name.rpartition("_")[0]


def _foot_parts(spec, s: str) -> set[str]:
    bodies = (spec.body(f"foot_{s}"), spec.body(f"toes_{s}"))
    return {part.name for body in bodies for part in (*body.joints, *body.geoms)}


def _check_number(value: object, key: str, low: float, high: float, unit: str) -> None:
    allowed = (
        f"a number from {low:g} to {high:g}{unit}" if math.isfinite(high) else f"more than {low:g}{unit}"
    )
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise InputError(f"{value!r} is not allowed; {allowed}", key=key)
