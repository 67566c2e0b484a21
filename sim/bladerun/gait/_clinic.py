"""What a clinic looks at first: where feet point, length of legs, level of hips, whip, bench alignment.

Takes the legs of a stride; gives rows of the table of results.
"""

from __future__ import annotations

import math

import mujoco
import numpy as np

from bladerun._lib.data_files import toml
from bladerun.dataset.asked import fitting_of, task_of
from bladerun.dataset.reading import shares
from bladerun.gait._both import Both
from bladerun.gait.alignment import alignment
from bladerun.gait.events import Leg, joint_curve, site_curves
from bladerun.gait.posture import posture
from bladerun.gait.registry import BENCH, FUKUCHI, NEVER, OWN, TENG, Row, each_leg, whole_stride

_SHOULDER = "shoulder_flexion"
_PAIR = 2  # spheres side by side on a blade's sole, numbered from its rear


@each_leg(
    Row(
        "foot_progression_deg",
        "direction of the foot",
        "deg",
        "horizontal direction from heel to toe, of a blade along its sole, against the running direction "
        "at this leg's greatest compression; toes out positive, 0 = straight ahead",
        OWN,
    ),
    Row(
        "foot_progression_touchdown_deg",
        "direction of the foot at touchdown",
        "deg",
        "as foot_progression_deg, at touchdown",
        OWN,
    ),
    Row(
        "foot_progression_mean_deg",
        "direction of the foot, mean over contact",
        "deg",
        "as foot_progression_deg, mean over contact weighted with vertical force",
        OWN,
    ),
)
def progression(leg: Leg, _: Both) -> dict[str, float]:
    """Direction of the sole in the world, toes out positive."""
    pointing = _pointing(leg)
    turned = leg.curve(np.degrees(np.arctan2(leg.outward * pointing[:, 1], pointing[:, 0])))
    load = np.maximum(leg.force[2].values, 0.0)
    mean = leg.curve(turned.values * load).integral(leg.down, leg.up)
    return {
        "foot_progression_deg": float(turned(leg.deepest)),
        "foot_progression_touchdown_deg": float(turned(leg.down)),
        "foot_progression_mean_deg": mean / leg.curve(load).integral(leg.down, leg.up),
    }


def _pointing(leg: Leg) -> np.ndarray:
    """(time, xyz) from heel to toe of a foot, along the sole of a blade."""
    stride = leg.stride
    if leg.has_blade:
        sole = stride.contact_position.values[:, stride.contact_side.values == leg.side]
        return sole[:, -_PAIR:].mean(1) - sole[:, :_PAIR].mean(1)
    toe, heel = (stride.site_position.sel(site=f"{end}_{leg.suffix}").values for end in ("toe", "heel"))
    return toe - heel


@whole_stride(
    Row(
        "hip_height_difference_mm",
        "hip higher over the blade",
        "mm",
        "height of the affected leg's hip centre at its greatest compression, less that of the other "
        "leg's at its own; 0 = level, positive = the runner rises over the blade; with both or no leg "
        "affected the right one less the left one",
        OWN,
        NEVER,
    ),
    needs=("contact",),
)
def hip_height_difference(both: Both) -> dict[str, float]:
    """Hip centre of the affected leg at its greatest compression over that of the other leg at its own."""
    heights = [float(leg.site("hip")[2](leg.deepest)) for leg in both.affected_first]
    return {"hip_height_difference_mm": 1e3 * (heights[0] - heights[1])}


@each_leg(
    Row(
        "running_leg_length_touchdown_mm",
        "leg length at touchdown",
        "mm",
        "hip centre to centre of pressure at touchdown",
        OWN,
    ),
    Row(
        "running_leg_length_midstance_mm",
        "leg length at greatest compression",
        "mm",
        "hip centre to centre of pressure at this leg's greatest compression",
        OWN,
    ),
    Row(
        "running_leg_length_toe_off_mm",
        "leg length at toe-off",
        "mm",
        "hip centre to centre of pressure at toe-off",
        OWN,
    ),
)
def leg_length(leg: Leg, _: Both) -> dict[str, float]:
    """Hip centre to centre of pressure."""
    rows = {}
    for name, time in (("touchdown", leg.down), ("midstance", leg.deepest), ("toe_off", leg.up)):
        hip = np.array([float(axis(time)) for axis in leg.site("hip")])
        length = np.linalg.norm(hip - [*leg.pressure_centre(time), 0.0])
        rows[f"running_leg_length_{name}_mm"] = 1e3 * float(length)
    return rows


@each_leg(
    Row(
        "knee_flexion_touchdown_deg",
        "knee flexion at touchdown",
        "deg",
        "knee angle at touchdown, flexion positive",
        FUKUCHI,
    ),
    Row(
        "swing_clearance_mm",
        "clearance in swing",
        "mm",
        "least height over the ground of the sole's lowest point from 30 to 85 % of swing",
        OWN,
        NEVER,
    ),
)
def touchdown_and_swing(leg: Leg, _: Both) -> dict[str, float]:
    """The knee at touchdown, and the least height of the sole's lowest point while it passes the ground."""
    start, end = toml("outcomes.toml")["clearance"]["swing_share"]
    swing = leg.period - (leg.up - leg.down)
    sole = leg.stride.contact_position.values[:, leg.stride.contact_side.values == leg.side, 2]
    lowest = leg.curve(sole.min(axis=1))
    return {
        "knee_flexion_touchdown_deg": math.degrees(float(leg.joint("q", "knee_flexion")(leg.down))),
        "swing_clearance_mm": 1e3 * lowest.trough(leg.up + start * swing, leg.up + end * swing)[1],
    }


@each_leg(
    Row(
        "trunk_lean_touchdown_deg",
        "lean of the trunk at touchdown",
        "deg",
        "line from this leg's hip centre to the shoulder on its side, as a side view shows it, against the "
        "vertical at touchdown; forward positive; none without arms",
        OWN,
    ),
)
def lean(leg: Leg, _: Both) -> dict[str, float]:
    """Of the trunk with the shoulder girdle, as it is marked on a film from the side."""
    if not leg.has_joint(_SHOULDER):
        return {}
    data = mujoco.MjData(leg.model)
    data.qpos[:] = posture(leg.stride)(leg.down)
    mujoco.mj_kinematics(leg.model, data)
    shoulder = data.joint(f"{_SHOULDER}_{leg.suffix}").xanchor
    hip = data.site(f"hip_{leg.suffix}").xpos
    return {"trunk_lean_touchdown_deg": math.degrees(math.atan2(*(shoulder - hip)[[0, 2]]))}


@each_leg(
    Row(
        "pelvic_obliquity_deg",
        "pelvic obliquity",
        "deg",
        "slope of the line through both PSIS at this leg's greatest compression, this leg's side up positive",
        OWN,
        NEVER,
    ),
    Row(
        "psis_difference_mm",
        "height difference of the PSIS",
        "mm",
        "this leg's PSIS minus the other's height at this leg's greatest compression",
        OWN,
        NEVER,
    ),
)
def pelvis(leg: Leg, _: Both) -> dict[str, float]:
    """Level of the PSIS at greatest compression, this leg's side up positive."""
    opposite = site_curves(leg.stride, "psis_l" if leg.side == "right" else "psis_r")
    mine = leg.site("psis")
    across = [float(a(leg.deepest) - b(leg.deepest)) for a, b in zip(mine, opposite, strict=True)]
    return {
        "pelvic_obliquity_deg": math.degrees(math.atan2(across[2], math.hypot(across[0], across[1]))),
        "psis_difference_mm": 1e3 * across[2],
    }


@whole_stride(
    Row(
        "lumbar_bending_range_deg",
        "side bending of the trunk",
        "deg",
        "greatest minus least lumbar bending over the stride",
        OWN,
    ),
)
def side_bending(both: Both) -> dict[str, float]:
    """Of the trunk, over the whole stride."""
    bending, period = joint_curve(both.stride, "q", "lumbar_bending"), both.left.period
    return {
        "lumbar_bending_range_deg": math.degrees(bending.peak(0, period)[1] - bending.trough(0, period)[1])
    }


@whole_stride(
    Row(
        "trunk_lean_deg",
        "forward lean of the trunk",
        "deg",
        "mean over the stride of pelvic tilt less lumbar extension, from the vertical, forward positive",
        TENG,
    ),
)
def trunk_lean(both: Both) -> dict[str, float]:
    """Of the trunk, from the vertical; on a slope the joints' zero stands on the ground."""
    tilt, extension = (both.stride.q.sel(joint=name).values for name in ("pelvis_tilt", "lumbar_extension"))
    slope = (
        task_of(both.stride).slope_percent if "task" in both.stride.attrs else 0.0
    )  # measured on the level
    uphill = math.degrees(math.atan(slope / 100))
    return {"trunk_lean_deg": math.degrees(shares(both.stride) @ (tilt - extension)) - uphill}


@each_leg(
    Row(
        "sideways_lean_deg",
        "lean of the body over the foot",
        "deg",
        "angle against the vertical of the line from this leg's centre of pressure to the centre of mass, "
        "means over contact weighted with vertical force, toward the other leg positive: in a bend less over "
        "the inside foot, more over the outside one",
        OWN,
    ),
)
def sideways_lean(leg: Leg, _: Both) -> dict[str, float]:
    """Of the whole body over one foot, toward the other leg."""
    load = np.maximum(leg.force[2].values, 0.0)
    whole = leg.curve(load).integral(leg.down, leg.up)
    aside, up = (leg.curve(axis.values * load).integral(leg.down, leg.up) / whole for axis in leg.com[1:])
    inward = -leg.outward * (aside - leg.mean_pressure_centre[1])
    return {"sideways_lean_deg": math.degrees(math.atan2(inward, up))}


@each_leg(
    Row(
        "lateral_whip_deg",
        "whip of the blade, rotation",
        "deg",
        "turn of the blade about the limb's long axis in the first 20 % of swing, toe inward positive: "
        "the heel goes laterally, a lateral whip; negative = a medial whip",
        OWN,
        NEVER,
    ),
    Row(
        "tip_swing_mm",
        "whip of the blade, sideways",
        "mm",
        "sideways travel of the blade's tip relative to the knee in the first 20 % of swing, "
        "away from the midline positive",
        OWN,
        NEVER,
    ),
    needs=("contact", "blade"),
)
def whip(leg: Leg, _: Both) -> dict[str, float]:
    """Turn about the limb's long axis and sideways travel of the tip in early swing."""
    stride = leg.stride
    start = leg.up
    end = start + toml("outcomes.toml")["whip"]["swing_share"] * (leg.period - (leg.up - leg.down))
    chain = [f"pelvis_{name}" for name in ("tilt", "list", "rotation")]
    chain += [f"hip_{name}_{leg.suffix}" for name in ("flexion", "adduction", "rotation")]
    socket = (f"socket_{axis}" for axis in ("flexion", "adduction", "rotation"))
    chain += [f"{joint}_{leg.suffix}" for joint in ("knee_flexion", *socket) if leg.has_joint(joint)]
    axes = stride.joint_axis_world.sel(joint=chain).values
    speed = np.einsum("tj,tjx,tx->t", stride.v.sel(joint=chain).values, axes, axes[:, -1])
    aside = leg.curve(leg.outward * (leg.site("blade_tip")[1].values - leg.site("knee")[1].values))
    return {
        "lateral_whip_deg": math.degrees(leg.curve(speed).integral(start, end)),
        "tip_swing_mm": 1e3 * float(aside(end) - aside(start)),
    }


@each_leg(
    Row(
        "standing_height_difference_mm",
        "standing height difference",
        "mm",
        "hip centre to the lowest point of the unloaded blade in bench alignment (blade upright, hip "
        "over knee), less the same of a sound leg in its shoe",
        OWN,
    ),
    Row(
        "toe_ahead_mm",
        "toe ahead of the load line",
        "mm",
        "lowest point of the unloaded blade ahead of the vertical through the knee centre in bench "
        "alignment, in the direction in which the blade points",
        BENCH,
    ),
    Row(
        "alignment_alpha_deg",
        "bench angle alpha",
        "deg",
        "line from the blade's rearmost point to its lowest one, against the ground, in bench alignment",
        BENCH,
    ),
    Row(
        "alignment_beta_deg",
        "bench angle beta",
        "deg",
        "line from the knee centre to the blade's rearmost point, against the vertical, in bench alignment",
        BENCH,
    ),
    needs=("contact", "blade", "solved"),
)
def bench_alignment(leg: Leg, _: Both) -> dict[str, float]:
    """Standing, blade upright, hip over knee."""
    found = alignment(leg.model, leg.side, fitting_of(leg.stride, leg.side).sagittal_deg)
    return {
        "standing_height_difference_mm": found.height_difference_mm,
        "toe_ahead_mm": found.toe_ahead_mm,
        "alignment_alpha_deg": found.alpha_deg,
        "alignment_beta_deg": found.beta_deg,
    }
