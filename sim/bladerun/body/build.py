"""The body that follows from a person's measures, as a `mujoco.MjSpec`.

Takes a `Runner` and an `Amputation`; gives the pattern models/runner.xml scaled, amputated and as strong as
they say (segments and strength: models/body.toml, muscle groups: models/muscles.toml).
"""

import math

import mujoco
import numpy as np

from bladerun._lib import data_files
from bladerun.body import _transfemoral
from bladerun.body._amputation import amputate, loosen, reattach_gastrocnemius
from bladerun.body.anthropometry import (
    Rigid,
    compose,
    length_m,
    parallel_axis,
    residual_limb,
    segments,
    set_inertial,
    subtract,
)
from bladerun.body.joints import SIDES, side_of, without_side
from bladerun.body.runner import ABLE_BODIED, Amputation, Runner
from bladerun.body.socket_fit import slack

_PATTERN_HEIGHT_M, _PATTERN_MASS_KG = 1.75, 75.0  # what models/runner.xml is drawn for
_F0 = 2  # where MuJoCo keeps a muscle's greatest force among its parameters


def sound_leg_below_knee_m(runner: Runner) -> float:
    """Knee joint centre to the ground, standing upright in running shoes, m."""
    spec = _pattern()
    scale = runner.height_m / _PATTERN_HEIGHT_M
    return float(spec.body("pelvis").pos[2] + spec.body("shank_r").pos[2]) * scale


def build_body(runner: Runner, amputation: Amputation = ABLE_BODIED, prostheses_kg: float = 0.0):
    """The runner's body as an `MjSpec`: runner.xml scaled, with a socket in place of each missing foot.

    Lengths scale with stature, the shoes' stiffness with mass, masses with the segment table, girths with
    sqrt(mass / height). The remaining body gets the mass that makes body and prostheses together weigh
    `runner.mass_kg`; `prostheses_kg` is that of all prostheses without their sockets, attached later
    under the bodies `socket_r` and `socket_l`, knee units included.
    """
    spec = _pattern()
    _scale_geometry(spec, runner)
    _scale_strength(spec, runner, amputation)
    _scale_muscles(spec, runner, amputation)
    _limit_joints(spec, runner)

    unit = segments(runner, mass_kg=1.0)
    legs = {side: amputation.of(side) for side in amputation.sides}
    limbs = {side: leg.residual_limb(runner) for side, leg in legs.items()}
    stumps, lost, sockets_kg = {}, 0.0, 0.0
    for side, leg in legs.items():
        cut, *below = {"transtibial": ("shank", "foot"), "transfemoral": ("thigh", "shank", "foot")}[
            leg.level
        ]
        length = length_m(cut, runner)
        stumps[side] = residual_limb(unit[cut], length, limbs[side] / length)
        lost += sum(unit[part].mass for part in (cut, *below)) - stumps[side].mass
        sockets_kg += leg.facts["socket"]["mass_kg"]
    intact_kg = (runner.mass_kg - (sockets_kg + prostheses_kg)) / (1.0 - lost)
    weight, scale = runner.mass_kg / _PATTERN_MASS_KG, runner.height_m / _PATTERN_HEIGHT_M
    _set_inertia(spec, runner, intact_kg)
    for side, leg in legs.items():
        limb, stump = limbs[side], stumps[side].times(intact_kg)
        if leg.level == "transfemoral":
            sewn = leg.myoplasty == "reattached"
            _transfemoral.amputate(spec, side[0], limb, stump, weight, scale, myoplasty=sewn)
            continue
        if leg.gastrocnemius == "reattached":
            reattach_gastrocnemius(spec, side[0], limb)
        amputate(spec, side[0], limb, stump, weight, scale)
        loosen(spec, side[0], slack(leg, runner))
    return spec


def _set_inertia(spec, runner: Runner, intact_kg: float) -> None:
    """Write every body's inertial from the segment table."""
    seg = segments(runner, intact_kg)
    up = {
        n: np.array([0.0, 0.0, length_m(n, runner)]) for n in ("lower_trunk", "middle_trunk", "upper_trunk")
    }
    waist = spec.body("torso").pos
    trunk_axis = np.array([-waist[0], 0.0, 0.0])  # the trunk's centres stand above the hips, not the spine
    vertex = np.array([0.0, 0.0, spec.site("head").pos[2]])
    set_inertial(spec, "pelvis", seg["lower_trunk"].at(up["lower_trunk"]))
    torso = compose(
        seg["middle_trunk"].at(up["middle_trunk"]),
        seg["upper_trunk"].at(up["middle_trunk"] + up["upper_trunk"]),
        seg["head"].at(vertex),
    )
    set_inertial(spec, "torso", torso.at(trunk_axis))
    forearm = compose(seg["forearm"], seg["hand"].at([0.0, 0.0, -length_m("forearm", runner)]))

    toes = data_files.toml("body.toml")["toes"]
    box = np.array(toes["box_h"]) * runner.height_m
    toe_mass = toes["mass_fraction"] * seg["foot"].mass
    tendon = data_files.toml("body.toml")["achilles"]
    rod = np.array(tendon["box_h"]) * runner.height_m
    tendon_mass = tendon["mass_fraction"] * seg["shank"].mass
    achilles = Rigid(tendon_mass, np.zeros(3), tendon_mass / 12 * parallel_axis(rod))
    for s in "rl":
        set_inertial(spec, f"upper_arm_{s}", seg["upper_arm"])
        set_inertial(spec, f"forearm_{s}", forearm)
        set_inertial(spec, f"thigh_{s}", seg["thigh"])
        set_inertial(spec, f"achilles_{s}", achilles)
        set_inertial(spec, f"shank_{s}", subtract(seg["shank"], achilles.at(spec.body(f"achilles_{s}").pos)))
        heel, joint = spec.site(f"heel_{s}").pos, spec.body(f"toes_{s}").pos
        ground = -_ankle_height(spec, s)
        foot = seg["foot"].at([heel[0], 0.0, ground + toes["com_above_sole_h"] * runner.height_m])
        toe = Rigid(toe_mass, np.array([box[0] / 2, 0.0, -box[2] / 2]), toe_mass / 12 * parallel_axis(box))
        set_inertial(spec, f"toes_{s}", toe)
        set_inertial(spec, f"foot_{s}", subtract(foot, toe.at(joint)))


def _ankle_height(spec, s: str) -> float:
    return float(spec.body("pelvis").pos[2] + spec.body(f"shank_{s}").pos[2] + spec.body(f"foot_{s}").pos[2])


# --- Scaling ---------------------------------------------------------------------------------------------


def _pattern():
    return mujoco.MjSpec.from_file(str(data_files.models_dir() / "runner.xml"))


def _scale_geometry(spec, runner: Runner) -> None:
    scale = runner.height_m / _PATTERN_HEIGHT_M
    weight = runner.mass_kg / _PATTERN_MASS_KG
    girth = math.sqrt(weight / scale)
    law = data_files.toml("contact.toml")["foot"]
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
                side = float(SIDES.index(side_of(body.name)))
                geom.userdata = [law["stiffness_n_m15"] * weight, law["damping_s_m"], law["friction"], side]
    width = data_files.toml("body.toml")["width"]
    wider = width["hip_h"][runner.sex] * runner.height_m / abs(spec.body("thigh_r").pos[1])
    for part, half in (("thigh", width["hip_h"]), ("upper_arm", width["shoulder_h"])):
        for s, sign in (("r", -1.0), ("l", 1.0)):
            spec.body(f"{part}_{s}").pos[1] = sign * half[runner.sex] * runner.height_m
    for site in spec.body("pelvis").sites:
        if site.classname.name == "muscle":  # attachments keep their places about the hip
            site.pos[1] *= wider


def _scale_strength(spec, runner: Runner, amputation: Amputation) -> None:
    """Motors by mass, height and strength, reserves a share of it; the toes' spring, mostly shoe, by size."""
    size = runner.mass_kg * runner.height_m / (_PATTERN_MASS_KG * _PATTERN_HEIGHT_M)
    facts = data_files.toml("body.toml")
    for joint in spec.joints:
        if joint.classname.name == "toes":
            joint.stiffness = np.asarray(joint.stiffness) * size
            joint.damping = np.asarray(joint.damping) * size
    for motor in spec.actuators:
        if motor.trntype == mujoco.mjtTrn.mjTRN_JOINT:
            name, suffix = without_side(motor.name), motor.name[-1]
            share = facts["reserve"]["fraction"] if name in facts["reserve"]["joints"] else 1.0
            row = facts["strength"][name]
            negative, positive = (
                share * size * nm * runner.strength_of(group) * amputation.strength_of(group, suffix)
                for nm, group in zip(row["nm"], row.get("groups", ("", "")), strict=True)
            )
            motor.ctrlrange = [-negative, positive]


def _scale_muscles(spec, runner: Runner, amputation: Amputation) -> None:
    """Lengths by height; force by mass and strength; a tendon's by mass at the same strain."""
    scale = runner.height_m / _PATTERN_HEIGHT_M
    weight = runner.mass_kg / _PATTERN_MASS_KG
    for tendon in spec.tendons:
        tendon.springlength = tendon.springlength * scale
        tendon.stiffness = tendon.stiffness * weight / scale ** np.arange(1, 1 + len(tendon.stiffness))
    for muscle in spec.actuators:
        if muscle.trntype == mujoco.mjtTrn.mjTRN_TENDON:
            group = data_files.toml("muscles.toml")["muscle"][without_side(muscle.name)]["group"]
            strength = runner.strength_of(group) * amputation.strength_of(group, muscle.name[-1])
            muscle.lengthrange = muscle.lengthrange * scale
            for parameters in (muscle.gainprm, muscle.biasprm):
                parameters[_F0] *= weight * strength


def _limit_joints(spec, runner: Runner) -> None:
    for joint in spec.joints:
        if without_side(joint.name) in runner.joint_range_deg:
            joint.range = runner.joint_range_deg[without_side(joint.name)]
