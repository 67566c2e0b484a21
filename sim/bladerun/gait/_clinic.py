"""What a clinic looks at first: where feet point, length of legs, level of hips, whip, bench alignment.

Takes the legs of a Stride dataset; gives dicts keyed as in `OUTCOMES`. Where each is defined: `_definitions`.
"""

from __future__ import annotations

import json
import math

import numpy as np

from bladerun._lib.data_files import toml
from bladerun.gait.alignment import alignment
from bladerun.gait.events import Leg, site_curves

_PAIR = 2  # spheres side by side on a blade's sole, numbered from its rear


def clinic_rows(leg: Leg) -> dict[str, float]:
    """Of one leg that lands; rows of the blade only where it has one."""
    rows = _progression(leg) | _leg_length(leg) | _pelvis(leg)
    rows["swing_clearance_mm"] = _clearance_mm(leg)
    rows["knee_flexion_touchdown_deg"] = math.degrees(float(leg.joint("q", "knee_flexion")(leg.down)))
    return rows | _whip(leg) | _bench(leg) if leg.has_blade else rows


def hip_height_difference_mm(affected: Leg, other: Leg) -> float:
    """Hip centre of the affected leg at its greatest compression over that of the other leg at its own."""
    heights = [float(leg.site("hip")[2](leg.deepest)) for leg in (affected, other)]
    return 1e3 * (heights[0] - heights[1])


def heel_step_width_m(left: Leg, right: Leg) -> float:
    """Sideways distance of the heels, each at the middle of its contact; NaN where a foot is missing."""
    if left.has_blade or right.has_blade:
        return math.nan
    places = [float(leg.site("heel")[1]((leg.down + leg.up) / 2 % leg.period)) for leg in (left, right)]
    return places[0] - places[1]


def _progression(leg: Leg) -> dict[str, float]:
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


def _leg_length(leg: Leg) -> dict[str, float]:
    """Hip centre to centre of pressure."""
    rows = {}
    for name, time in (("touchdown", leg.down), ("midstance", leg.deepest), ("toe_off", leg.up)):
        hip = np.array([float(axis(time)) for axis in leg.site("hip")])
        length = np.linalg.norm(hip - [*leg.pressure_centre(time), 0.0])
        rows[f"running_leg_length_{name}_mm"] = 1e3 * float(length)
    return rows


def _pelvis(leg: Leg) -> dict[str, float]:
    """Level of the PSIS at greatest compression, this leg's side up positive."""
    opposite = site_curves(leg.stride, "psis_l" if leg.side == "right" else "psis_r")
    mine = leg.site("psis")
    across = [float(a(leg.deepest) - b(leg.deepest)) for a, b in zip(mine, opposite, strict=True)]
    return {
        "pelvic_obliquity_deg": math.degrees(math.atan2(across[2], math.hypot(across[0], across[1]))),
        "psis_difference_mm": 1e3 * across[2],
    }


def _clearance_mm(leg: Leg) -> float:
    """Least height of the lowest point of the sole while it passes the ground in swing."""
    start, end = toml("outcomes.toml")["clearance"]["swing_share"]
    swing = leg.period - (leg.up - leg.down)
    sole = leg.stride.contact_position.values[:, leg.stride.contact_side.values == leg.side, 2]
    lowest = leg.curve(sole.min(axis=1))
    return 1e3 * lowest.trough(leg.up + start * swing, leg.up + end * swing)[1]


def _whip(leg: Leg) -> dict[str, float]:
    """Turn about the limb's long axis and sideways travel of the tip in early swing."""
    stride = leg.stride
    start = leg.up
    end = start + toml("outcomes.toml")["whip"]["swing_share"] * (leg.period - (leg.up - leg.down))
    chain = [f"pelvis_{name}" for name in ("tilt", "list", "rotation")]
    chain += [f"hip_{name}_{leg.suffix}" for name in ("flexion", "adduction", "rotation")]
    chain += [f"knee_flexion_{leg.suffix}", f"socket_flexion_{leg.suffix}", f"socket_rotation_{leg.suffix}"]
    axes = stride.joint_axis_world.sel(joint=chain).values
    speed = np.einsum("tj,tjx,tx->t", stride.v.sel(joint=chain).values, axes, axes[:, -1])
    aside = leg.curve(leg.outward * (leg.site("blade_tip")[1].values - leg.site("knee")[1].values))
    return {
        "lateral_whip_deg": math.degrees(leg.curve(speed).integral(start, end)),
        "tip_swing_mm": 1e3 * float(aside(end) - aside(start)),
    }


def _bench(leg: Leg) -> dict[str, float]:
    found = alignment(leg.model, leg.side, json.loads(leg.stride.attrs["fitting"])["sagittal_deg"])
    return {
        "standing_height_difference_mm": found.height_difference_mm,
        "toe_ahead_mm": found.toe_ahead_mm,
        "alignment_alpha_deg": found.alpha_deg,
        "alignment_beta_deg": found.beta_deg,
    }
