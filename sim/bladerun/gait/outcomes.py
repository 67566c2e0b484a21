"""The table of results of one stride: timing, forces, sweet spot, blade, joint loads, posture, cost.

Takes a Stride dataset; gives a dict keyed as in `OUTCOMES`, where title, unit, definition, sign and source
of each row are written once. Values that belong to a leg are {"left": x, "right": y}, None where a leg
has no such thing.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import xarray as xr

from bladerun.body.reference_gait import band
from bladerun.gait._clinic import clinic_rows, heel_step_width_m, hip_height_difference_mm
from bladerun.gait._muscles import muscle_rows, work_rows
from bladerun.gait.events import Leg, joint_curve
from bladerun.gait.periodic import Periodic
from bladerun.gait.registry import OUTCOMES, Outcome

__all__ = ["OUTCOMES", "Outcome", "flat", "outcomes"]

_SIDES = ("left", "right")


def outcomes(stride: xr.Dataset) -> dict[str, Any]:
    """Every row of `OUTCOMES` of one stride, in that order; None where a row does not exist."""
    legs = {side: Leg(stride, side) for side in _SIDES}
    whole = _whole_body(stride, legs["left"], legs["right"])
    each = {"left": _of_leg(legs["left"], legs["right"]), "right": _of_leg(legs["right"], legs["left"])}
    of_muscles, of_leg_muscles = muscle_rows(legs)
    whole |= of_muscles
    for side, leg in legs.items():
        each[side] |= work_rows(leg) | of_leg_muscles[side]
    result: dict[str, Any] = {}
    for row in OUTCOMES:
        if row.per_leg:
            result[row.key] = {side: _finite(each[side].get(row.key)) for side in _SIDES}
        else:
            result[row.key] = _finite(whole.get(row.key))
    return result


def flat(result: dict[str, Any]) -> dict[str, float]:
    """The same numbers as table columns: `stride_time_s`, `contact_time_s_left`; NaN where None."""
    columns: dict[str, float] = {}
    for key, value in result.items():
        pairs = value.items() if isinstance(value, dict) else [("", value)]
        for side, number in pairs:
            columns[f"{key}_{side}" if side else key] = math.nan if number is None else number
    return columns


def _whole_body(stride: xr.Dataset, left: Leg, right: Leg) -> dict[str, float]:
    period, height = left.period, left.com[2]
    bending = joint_curve(stride, "q", "lumbar_bending")
    rows = {
        "stride_time_s": period,
        "step_frequency_hz": 2.0 / period,
        "com_excursion_mm": 1e3 * (height.peak(0, period)[1] - height.trough(0, period)[1]),
        "lumbar_bending_range_deg": math.degrees(bending.peak(0, period)[1] - bending.trough(0, period)[1]),
        "joint_work_j_kg_m": _positive_work_j(stride) / (left.mass_kg * left.speed * period),
    }
    for name in ("extension", "bending", "rotation"):
        moment = joint_curve(stride, "tau", f"lumbar_{name}")
        rows[f"lumbar_{name}_torque_peak_nm_kg"] = moment.magnitude(0, period) / left.mass_kg
    if left.touches and right.touches:
        rows["step_width_m"] = float(left.mean_pressure_centre[1] - right.mean_pressure_centre[1])
        rows["heel_step_width_m"] = heel_step_width_m(left, right)
        rows["hip_height_difference_mm"] = hip_height_difference_mm(*_affected_first(stride, left, right))
        rows |= _asymmetry(stride, left, right)
    return rows


def _affected_first(stride: xr.Dataset, left: Leg, right: Leg) -> tuple[Leg, Leg]:
    """The amputated leg and the other; with both or none the right and the left."""
    return (left, right) if stride.attrs["amputation_side"] == "left" else (right, left)


def _asymmetry(stride: xr.Dataset, left: Leg, right: Leg) -> dict[str, float]:
    """Symmetry indices in %, Robinson 1987: 200 (A - U) / (|A| + |U|)."""
    affected, other = _affected_first(stride, left, right)
    a = _timing(affected, other) | _forces(affected)
    u = _timing(other, affected) | _forces(other)
    rows = {}
    for row in OUTCOMES:
        if row.key.startswith("asymmetry_"):
            name = row.key.removeprefix("asymmetry_").removesuffix("_percent")
            key = next(key for key in a if key.startswith(name))
            size = abs(a[key]) + abs(u[key])
            rows[row.key] = 200.0 * (abs(a[key]) - abs(u[key])) / size if size else math.nan
    return rows


def _of_leg(leg: Leg, other: Leg) -> dict[str, float]:
    if not (leg.touches and other.touches):
        return {}
    rows = _timing(leg, other) | _forces(leg) | _placement(leg) | _recoil(leg) | _torques(leg)
    rows |= _excess(leg) | clinic_rows(leg)
    return rows | _blade(leg) if leg.has_blade else rows


def _timing(leg: Leg, other: Leg) -> dict[str, float]:
    period, contact = leg.period, leg.up - leg.down
    ahead = leg.mean_pressure_centre[0] - other.mean_pressure_centre[0]
    return {
        "contact_time_s": contact,
        "duty_factor": contact / period,
        "flight_time_s": (other.down - leg.down) % period - contact,
        "step_time_s": (leg.down - other.down) % period,
        "step_length_m": leg.speed * ((leg.load_time - other.load_time) % period) + float(ahead),
    }


def _forces(leg: Leg) -> dict[str, float]:
    down, up, weight = leg.down, leg.up, leg.weight_n
    forward, _, vertical = leg.force
    summit, peak = vertical.peak(down, up)
    impulse = vertical.integral(down, up)
    return {
        "peak_vgrf_bw": peak / weight,
        "mean_vgrf_bw": impulse / (up - down) / weight,
        "loading_rate_bw_s": vertical.rate().peak(down, summit)[1] / weight,
        "vertical_impulse_bw_s": impulse / weight,
        "braking_impulse_bw_s": forward.negative(down, up) / weight,
        "propulsive_impulse_bw_s": forward.positive(down, up) / weight,
        "leg_stiffness_kn_m": _leg_stiffness_n_m(leg, peak) / 1e3,
    }


def _leg_stiffness_n_m(leg: Leg, peak_n: float) -> float:
    """McMahon & Cheng 1990: F / (dy + L (1 - cos a)), sin a = u t_c / (2 L)."""
    height, length = leg.com[2], float(leg.stride.attrs["leg_length_m"])
    fall = float(height(leg.down)) - height.trough(leg.down, leg.up)[1]
    sweep = min(leg.speed * (leg.up - leg.down) / (2 * length), 1.0)
    return peak_n / (fall + length * (1 - math.sqrt(1 - sweep**2)))


def _placement(leg: Leg) -> dict[str, float]:
    """Where the leg stands under the body, forward positive (m)."""
    rows = {}
    moments = {"landing": leg.down} | ({"sweet_spot": leg.deepest} if leg.has_blade else {})
    for name, time in moments.items():
        foot = leg.pressure_centre(time)[0]
        rows[f"{name}_offset_m"] = foot - leg.com[0](time)
        rows[f"{name}_offset_hip_m"] = foot - leg.site("hip")[0](time)
    length = float(leg.stride.attrs["leg_length_m"])
    return rows | {"landing_offset_leg_percent": 100 * rows["landing_offset_m"] / length}


def _recoil(leg: Leg) -> dict[str, float]:
    """The push from greatest compression to toe-off: its direction and its work on the centre of mass."""
    start, end = leg.deepest, leg.up
    forward, _, vertical = leg.force
    velocity = leg.stride.com_velocity.values
    angle = math.atan2(vertical.integral(start, end), forward.integral(start, end))
    return {
        "recoil_direction_deg": math.degrees(angle),
        "recoil_work_up_j": leg.curve(vertical.values * velocity[:, 2]).integral(start, end),
        "recoil_work_forward_j": leg.curve(forward.values * velocity[:, 0]).integral(start, end),
    }


def _torques(leg: Leg) -> dict[str, float]:
    """Hip, knee and ankle moments in contact per body mass."""
    down, up, mass = leg.down, leg.up, leg.mass_kg
    rows = {}
    for axis in ("flexion", "adduction", "rotation"):
        moment = leg.joint("tau", f"hip_{axis}")
        rows[f"hip_torque_{axis}_peak_nm_kg"] = moment.magnitude(down, up) / mass
        size = moment.positive(down, up) - moment.negative(down, up)
        rows[f"hip_torque_{axis}_impulse_nm_s_kg"] = size / mass
    for direction, (joint, sign) in DIRECTIONS.items():
        if leg.has_joint(joint):
            moment = leg.curve(sign * leg.joint("tau", joint).values)
            rows[f"{direction}_torque_peak_nm_kg"] = max(moment.peak(down, up)[1], 0.0) / mass
    return rows


DIRECTIONS = {  # direction of a moment: joint, sign
    "hip_extension": ("hip_flexion", -1),
    "hip_abduction": ("hip_adduction", -1),
    "hip_internal_rotation": ("hip_rotation", 1),
    "hip_external_rotation": ("hip_rotation", -1),
    "knee_extension": ("knee_flexion", -1),
    "ankle_plantarflexion": ("ankle_dorsiflexion", -1),
}


_BANDS = {  # joint: curve of able-bodied running in the same sense
    "hip_flexion": "hip_flexion_moment",
    "hip_adduction": "hip_adduction_moment",
    "hip_rotation": "hip_internal_rotation_moment",
    "knee_flexion": "knee_flexion_moment",
}


def _excess(leg: Leg) -> dict[str, float]:
    """How far moments in contact leave the range of able-bodied ones, in either sense."""
    rows = {}
    for joint, curve in _BANDS.items():
        percent, mean, sd = band(curve, leg.speed)
        stance = percent <= 100 * (leg.up - leg.down) / leg.period
        moment = leg.joint("tau", joint)
        above = moment.peak(leg.down, leg.up)[1] / leg.mass_kg - (mean + sd)[stance].max()
        below = (mean - sd)[stance].min() - moment.trough(leg.down, leg.up)[1] / leg.mass_kg
        rows[f"{joint}_torque_excess_nm_kg"] = max(float(above), float(below), 0.0)
    return rows


def _blade(leg: Leg) -> dict[str, float]:
    """Energy, compression and strain of the blade, and the twist in its socket."""
    down, deepest, up, energy = leg.down, leg.deepest, leg.up, leg.blade_energy
    twist = _socket_twist(leg)
    loss = leg.curve(leg.stride.blade_loss.sel(side=leg.side).values)
    peak = float(energy(deepest))
    returned = peak - float(energy(up)) - loss.integral(deepest, up)
    absorbed = peak - float(energy(down)) + loss.integral(down, deepest)
    compression = float(leg.curve(leg.stride.blade_compression.sel(side=leg.side).values)(deepest))
    force = math.hypot(*(float(component(deepest)) for component in leg.force))
    return {
        "blade_energy_peak_j": peak,
        "blade_energy_returned_j": returned,
        "blade_energy_lost_j": loss.integral(down, up),
        "blade_energy_return_percent": 100 * returned / absorbed if absorbed > 0 else math.nan,
        "blade_compression_mm": 1e3 * compression,
        "blade_stiffness_seen_kn_m": force / compression / 1e3 if compression > 0 else math.nan,
        "blade_strain_margin": _strain_margin(leg),
        "socket_axial_torque_peak_nm": twist.magnitude(down, up),
        "socket_axial_torque_peak_nm_kg": twist.magnitude(down, up) / leg.mass_kg,
        "socket_axial_torque_impulse_nm_s": twist.positive(down, up) - twist.negative(down, up),
    }


def _strain_margin(leg: Leg) -> float:
    """Allowable fibre strain of the blade over the greatest in contact."""
    strain = leg.curve(leg.stride.blade_strain.sel(side=leg.side).values)
    peak = strain.peak(leg.down, leg.up)[1]
    return 1 / peak if peak > 0 else math.nan


def _socket_twist(leg: Leg) -> Periodic:
    """Torque (Nm) that the socket's spring and damper give about the limb's long axis."""
    joint = leg.model.joint(f"socket_rotation_{leg.suffix}")
    q, v = leg.joint("q", "socket_rotation").values, leg.joint("v", "socket_rotation").values
    return leg.curve(-joint.stiffness[0] * q - joint.damping[0] * v)


def _positive_work_j(stride: xr.Dataset) -> float:
    """Positive work (J) of every driven joint over the stride."""
    period = float(stride.attrs["stride_time_s"])
    driven = np.isin(stride.joint_role.values, ("muscle", "motor"))
    power = (stride.tau * stride.v).values[:, driven]
    return sum(Periodic(p, stride.time.values, period).positive(0, period) for p in power.T)


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
