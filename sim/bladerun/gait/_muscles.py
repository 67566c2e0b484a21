"""What muscles and joints do in one stride, as rows of results: cost, work, effort, joint contact.

Takes the legs of a Stride dataset; gives dicts keyed as in `OUTCOMES`. A stride without muscles has only the
work of its joints.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from bladerun.dataset.reading import has_muscles, shares
from bladerun.gait._joint_contact import joint_contact
from bladerun.gait.events import Leg
from bladerun.gait.metabolic import Metabolic, joint_of, metabolic
from bladerun.gait.muscle_tables import reserve_table
from bladerun.gait.periodic import Periodic

_JOINTS = {  # joints of a leg and their axes
    "hip": ("hip_flexion", "hip_adduction", "hip_rotation"),
    "knee": ("knee_flexion",),
    "ankle": ("ankle_dorsiflexion", "subtalar_inversion"),
    "toes": ("mtp_dorsiflexion",),
}


def work_rows(leg: Leg) -> dict[str, float]:
    """Work of this leg's joints, and of its ankle or its blade, over the stride."""
    rows, total = {}, np.zeros(2)
    for joint, axes in _JOINTS.items():
        mine = [f"{axis}_{leg.suffix}" for axis in axes if leg.has_joint(axis)]
        if not mine:
            continue
        power = leg.curve((leg.stride.tau * leg.stride.v).sel(joint=mine).sum("joint").values)
        work = _work(power) / leg.mass_kg
        total += work
        rows[f"{joint}_work_positive_j_kg"], rows[f"{joint}_work_negative_j_kg"] = work
        if joint == "ankle":
            rows |= _end_of_leg(power, leg.mass_kg)
    rows["joint_work_positive_j_kg"], rows["joint_work_negative_j_kg"] = total
    if leg.has_blade:
        loss = leg.stride.blade_loss.sel(side=leg.side).values
        rows |= _end_of_leg(leg.curve(-leg.blade_energy.rate().values - loss), leg.mass_kg)
    return rows


def muscle_rows(legs: dict[str, Leg]) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """Rows of the whole body, and of each leg by its side; empty without muscles."""
    stride = legs["right"].stride
    if not has_muscles(stride):
        return {}, {side: {} for side in legs}
    spent, contact = metabolic(stride), joint_contact(stride)
    reserves = reserve_table(stride).peak_fraction
    speed, mass = legs["right"].speed, legs["right"].mass_kg
    power = {side: _of_leg_w(stride, spent, leg.suffix) / mass for side, leg in legs.items()}
    total = float(shares(stride) @ (spent.muscle.sum(axis=1) + sum(spent.motor.values()))) / mass
    whole = {
        "metabolic_power_w_kg": total + spent.rest / mass,
        "cost_of_transport_j_kg_m": total / speed,
        "gross_cost_of_transport_j_kg_m": (total + spent.rest / mass) / speed,
        "upper_body_cost_of_transport_j_kg_m": (total - sum(power.values())) / speed,
    }
    each = {}
    for side, leg in legs.items():
        each[side] = {
            "leg_metabolic_power_w_kg": power[side],
            "leg_cost_of_transport_j_kg_m": power[side] / speed,
            "activation_peak": stride.activation.values[:, _belongs(stride.muscle, leg.suffix)].max(),
            "reserve_peak_fraction": reserves.filter(regex=f"_{leg.suffix}$").max(),
        } | _achilles(leg)
        for joint in contact.joint.values:
            size = np.linalg.norm(contact.sel(side=side, joint=joint).values, axis=-1)
            each[side][f"{joint}_contact_force_bw"] = leg.curve(size).peak(0, leg.period)[1] / leg.weight_n
    return whole, each


def _of_leg_w(stride: xr.Dataset, spent: Metabolic, suffix: str) -> float:
    """Mean metabolic power (W) of one leg's muscles and motors."""
    joints = {joint_of(f"{axis}_{suffix}") for axes in _JOINTS.values() for axis in axes}
    motors = sum(power for joint, power in spent.motor.items() if joint in joints)
    muscles = spent.muscle[:, _belongs(stride.muscle, suffix)]
    return float(shares(stride) @ (muscles.sum(axis=1) + motors))


def _end_of_leg(power: Periodic, mass_kg: float) -> dict[str, float]:
    """What moves the ground away: a living ankle's power (W), or a blade's."""
    positive, negative = _work(power) / mass_kg
    return {
        "ankle_or_blade_work_positive_j_kg": positive,
        "ankle_or_blade_work_negative_j_kg": negative,
        "ankle_or_blade_work_net_j_kg": positive + negative,
        "ankle_or_blade_power_peak_w_kg": power.peak(0, power.period)[1] / mass_kg,
    }


def _achilles(leg: Leg) -> dict[str, float]:
    """Elastic energy of the Achilles tendon; nothing without one."""
    energy = leg.stride.achilles_energy.sel(side=leg.side).values
    if not np.isfinite(energy).all():
        return {}
    curve = leg.curve(energy)
    peak = curve.peak(0, leg.period)[1]
    return {
        "achilles_energy_peak_j": peak,
        "achilles_energy_returned_j": peak - curve.trough(0, leg.period)[1],
    }


def _work(power: Periodic) -> np.ndarray:
    """Positive and negative work (J) over one period."""
    return np.array([power.positive(0, power.period), power.negative(0, power.period)])


def _belongs(names: xr.DataArray, suffix: str) -> np.ndarray:
    return np.array([str(name).endswith(f"_{suffix}") for name in names.values], bool)
