"""Transtibial amputation: what it takes from the body, and the socket it puts there.

Takes the `MjSpec` of a whole body; changes one leg of it.
"""

from collections.abc import Mapping, Sequence

import mujoco
import numpy as np

from bladerun._lib import data_files
from bladerun.body.anthropometry import Rigid, set_inertial
from bladerun.body.joints import code
from bladerun.body.passive_laws import write_law
from bladerun.body.socket_fit import Slack


def amputate(spec, s: str, residual: float, stump: Rigid, weight: float, scale: float) -> None:
    """Take the foot off with what pulls on it, shorten the shank and put a compliant socket on it.

    weight, scale: mass and height over those of which the socket's springs are given.
    """
    _cut_muscles(spec, s)
    cut_off(spec, s, ("foot", "toes"))
    shank, socket = spec.body(f"shank_{s}"), data_files.toml("body.toml")["socket"]
    for part in ("calf", "shank", "sock"):
        spec.delete(spec.geom(f"{part}_{s}"))
    set_inertial(spec, shank.name, stump)
    add_socket(spec, shank, s, residual, socket, weight, scale)


def cut_off(spec, s: str, parts: Sequence[str]) -> None:
    """Take bodies off a leg, the topmost first, with the motors and contacts that name any part of them."""
    bodies = [spec.body(f"{part}_{s}") for part in parts]
    gone = {part.name for body in bodies for part in (*body.joints, *body.geoms)}
    for item in (*spec.actuators, *spec.pairs):
        named = (item.target,) if hasattr(item, "target") else (item.geomname1, item.geomname2)
        if gone.intersection(named):
            spec.delete(item)
    spec.delete(bodies[0])


def add_socket(
    spec, limb, s: str, residual: float, socket: Mapping[str, float], weight: float, scale: float
) -> None:
    """Put a socket on a residual limb, in which that moves about its middle.

    limb: the body that hangs down (-z) from its joint; socket: mass, radius, overhang, relaxation time
    and the springs that there are; weight, scale: as for `amputate`.
    """
    inward = 1.0 if s == "r" else -1.0
    springs = (
        ("pistoning", [0.0, 0.0, 1.0], "pistoning_n_m", weight / scale),
        ("flexion", [0.0, -1.0, 0.0], "flexion_nm_rad", weight * scale),
        ("adduction", [inward, 0.0, 0.0], "adduction_nm_rad", weight * scale),
        ("rotation", [0.0, 0.0, inward], "rotation_nm_rad", weight * scale),
    )
    joints = [(name, axis, socket[key] * factor) for name, axis, key, factor in springs if key in socket]
    middle, radius = residual / 2.0, socket["radius_m"]
    capsule = {"type": mujoco.mjtGeom.mjGEOM_CAPSULE, "contype": 0, "conaffinity": 0, "mass": 0.0, "group": 1}
    end = -residual + radius - 0.01
    limb.add_geom(
        name=f"liner_{s}",
        material="sock",
        size=[radius - 0.006, 0, 0],
        fromto=[0, 0, -0.03, 0, 0, end],
        **capsule,
    )
    body = limb.add_body(name=f"socket_{s}", pos=[0.0, 0.0, -middle])
    for name, axis, stiffness in joints:
        slides = name == "pistoning"
        body.add_joint(
            name=f"socket_{name}_{s}",
            type=mujoco.mjtJoint.mjJNT_SLIDE if slides else mujoco.mjtJoint.mjJNT_HINGE,
            axis=axis,
            stiffness=stiffness,
            damping=stiffness * socket["relaxation_s"],
            userdata=code("passive", "socket"),
        )
    length = residual + socket["overhang_m"]
    lateral = socket["mass_kg"] * (3.0 * radius**2 + length**2) / 12.0
    axial = socket["mass_kg"] * radius**2 / 2.0
    centre = np.array([0.0, 0.0, middle - length / 2.0])
    body.explicitinertial = True
    set_inertial(spec, body.name, Rigid(socket["mass_kg"], centre, np.array([lateral, lateral, axial])))
    top, bottom = middle - 0.045, middle - length + radius
    body.add_geom(
        name=f"socket_{s}",
        material="socket",
        size=[radius, 0, 0],
        fromto=[0, 0, top, 0, 0, bottom],
        **capsule,
    )


def loosen(spec, s: str, slack: Slack) -> None:
    """Let the limb move in its socket, held by little, before the springs hold it; what rubs there stays.

    Under load the socket comes up the limb by `sink_m`, and in swing hangs where it does in one that fits.
    """
    if not slack.gap_m:
        return
    facts = data_files.toml("body.toml")["socket_fit"]
    for name, rest, half_width in (
        ("pistoning", slack.sink_m / 2, slack.sink_m / 2),
        ("rotation", 0.0, slack.turn_rad),
    ):
        joint = spec.joint(f"socket_{name}_{s}")
        rounding = facts["pistoning_rounding_m" if name == "pistoning" else "rotation_rounding_rad"]
        stiffness = float(np.ravel(joint.stiffness)[0])
        joint.stiffness = np.asarray(joint.stiffness) * facts["in_slack"]
        stiffness *= 1.0 - facts["in_slack"]
        law = {"stiffness": stiffness, "rest": rest, "half_width": half_width, "rounding": rounding}
        write_law(spec, joint.name, "dead band", **law, damping=0.0)


def reattach_gastrocnemius(spec, s: str, residual: float) -> None:
    """Sew it to the bone's end before the rest is cut.

    With a straight knee its line of pull and its fibres' length are what they were in standing; its tendon is
    shorter, and in a very short limb gone.
    """
    name, shank, muscle = f"gastroc_{s}", spec.body(f"shank_{s}"), spec.find_default("muscle")
    start = spec.site(f"{name}_1").pos - shank.pos
    whole = spec.body(f"achilles_{s}").pos - start
    path = whole * (start[2] + residual) / -whole[2]
    width = spec.tendon(name).width
    spec.delete(spec.tendon(name))
    spec.delete(spec.site(f"{name}_2"))
    shank.add_site(muscle, name=f"{name}_2", pos=start + path)
    tendon = spec.add_tendon(muscle, name=name, width=width)
    for k in (1, 2):
        tendon.wrap_site(f"{name}_{k}")
    low, high = spec.actuator(name).lengthrange
    slack = max(0.0, low - np.linalg.norm(whole) + np.linalg.norm(path))
    spec.actuator(name).lengthrange = [slack, slack + high - low]


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
