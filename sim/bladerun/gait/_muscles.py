"""What muscles do in one stride: tendons, cost, effort, and what presses in the joints they cross.

Takes the legs of a stride; gives rows of the table of results, none without muscles.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from bladerun.dataset.reading import shares
from bladerun.gait._both import Both
from bladerun.gait.events import JOINTS, Leg
from bladerun.gait.metabolic import Metabolic, joint_of
from bladerun.gait.registry import (
    BHARGAVA,
    HICKS,
    LENHART,
    MARGARIA,
    OWN,
    PRAMPERO,
    SASAKI,
    Row,
    each_leg,
    whole_stride,
)


@each_leg(
    Row(
        "achilles_energy_peak_j",
        "energy stored in the Achilles tendon",
        "J",
        "greatest elastic energy; with muscles only",
        OWN,
    ),
    Row(
        "achilles_energy_returned_j",
        "energy the Achilles tendon gives back",
        "J",
        "greatest minus least elastic energy; its loss is not modelled",
        OWN,
    ),
    needs=("muscles",),
)
def achilles(leg: Leg, _: Both) -> dict[str, float]:
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


@whole_stride(
    Row(
        "metabolic_power_w_kg",
        "metabolic power",
        "W/kg",
        "mean over the stride: every muscle (Bhargava), work of trunk, arms, toes and reserves over an "
        "efficiency (25 %, -120 %), and 1.2 W/kg at rest",
        BHARGAVA,
    ),
    Row(
        "cost_of_transport_j_kg_m",
        "metabolic cost of running",
        "J/kg/m",
        "(metabolic power - power at rest) / speed: above rest, as published costs are",
        PRAMPERO,
    ),
    Row(
        "gross_cost_of_transport_j_kg_m",
        "metabolic cost of running, with rest",
        "J/kg/m",
        "metabolic power / speed",
        BHARGAVA,
    ),
    Row(
        "upper_body_cost_of_transport_j_kg_m",
        "metabolic cost of trunk and arms",
        "J/kg/m",
        "their part of cost_of_transport_j_kg_m: joint by joint, positive work / 0.25 + negative work / "
        "-1.2, nothing stored in tendons; a rough share",
        MARGARIA,
    ),
    needs=("muscles",),
)
def metabolic_cost(both: Both) -> dict[str, float]:
    """Of the whole body, per kg and per kg and metre."""
    stride, spent = both.stride, both.spent
    speed, mass = both.right.speed, both.right.mass_kg
    total = float(shares(stride) @ (spent.muscle.sum(axis=1) + sum(spent.motor.values()))) / mass
    legs = sum(_of_leg_w(stride, spent, leg.suffix) / mass for leg in (both.left, both.right))
    return {
        "metabolic_power_w_kg": total + spent.rest / mass,
        "cost_of_transport_j_kg_m": total / speed,
        "gross_cost_of_transport_j_kg_m": (total + spent.rest / mass) / speed,
        "upper_body_cost_of_transport_j_kg_m": (total - legs) / speed,
    }


@each_leg(
    Row(
        "leg_metabolic_power_w_kg",
        "metabolic power of the leg",
        "W/kg",
        "its muscles, toes and reserves, above rest, per kg of the whole body",
        BHARGAVA,
    ),
    Row(
        "leg_cost_of_transport_j_kg_m",
        "metabolic cost of the leg",
        "J/kg/m",
        "its part of cost_of_transport_j_kg_m",
        BHARGAVA,
    ),
    Row("activation_peak", "peak activation", "-", "greatest activation of any of its muscles, 0 to 1", OWN),
    Row(
        "reserve_peak_fraction",
        "reserve against joint moment",
        "-",
        "peak moment of the reserve that helps the muscles / peak net moment of its joint, in the joint "
        "where it is greatest; above 0.1 the muscles do not explain the motion",
        HICKS,
    ),
    needs=("muscles",),
)
def effort(leg: Leg, both: Both) -> dict[str, float]:
    """Of this leg's muscles and reserves."""
    stride = both.stride
    power = _of_leg_w(stride, both.spent, leg.suffix) / leg.mass_kg
    return {
        "leg_metabolic_power_w_kg": power,
        "leg_cost_of_transport_j_kg_m": power / leg.speed,
        "activation_peak": stride.activation.values[:, _belongs(stride.muscle, leg.suffix)].max(),
        "reserve_peak_fraction": both.reserve_fraction.filter(regex=f"_{leg.suffix}$").max(),
    }


@each_leg(
    Row(
        "hip_contact_force_bw",
        "contact force in the hip",
        "BW",
        "greatest force of the pelvis on the thigh: force between the segments from inverse dynamics, "
        "less the pull of every muscle across the joint along its path",
        SASAKI,
    ),
    Row(
        "knee_contact_force_bw",
        "contact force in the knee",
        "BW",
        "greatest force of the thigh on the shank, found in the same way; ligaments count as bone",
        SASAKI,
    ),
    needs=("muscles",),
)
def joint_contact_forces(leg: Leg, both: Both) -> dict[str, float]:
    """Greatest over the stride; nothing in a prosthetic knee."""
    rows, contact = {}, both.joint_contact
    for joint in contact.joint.values:
        if not leg.drives(f"{joint}_flexion"):
            continue
        size = np.linalg.norm(contact.sel(side=leg.side, joint=joint).values, axis=-1)
        rows[f"{joint}_contact_force_bw"] = leg.curve(size).peak(0, leg.period)[1] / leg.weight_n
    return rows


@each_leg(
    Row(
        "hip_abductor_force_peak_bw",
        "force of the hip abductors",
        "BW",
        "greatest sum of the forces of gluteus medius and minimus along their fibres",
        LENHART,
    ),
    needs=("muscles",),
)
def abductors(leg: Leg, _: Both) -> dict[str, float]:
    """Of gluteus medius and minimus together."""
    mine = [f"{name}_{leg.suffix}" for name in ("glmed1", "glmed2", "glmin")]
    force = leg.stride.muscle_force.sel(muscle=mine).sum("muscle").values
    return {"hip_abductor_force_peak_bw": leg.curve(force).peak(0, leg.period)[1] / leg.weight_n}


def _of_leg_w(stride: xr.Dataset, spent: Metabolic, suffix: str) -> float:
    """Mean metabolic power (W) of one leg's muscles and motors."""
    joints = {joint_of(f"{axis}_{suffix}") for axes in JOINTS.values() for axis in axes}
    motors = sum(power for joint, power in spent.motor.items() if joint in joints)
    muscles = spent.muscle[:, _belongs(stride.muscle, suffix)]
    return float(shares(stride) @ (muscles.sum(axis=1) + motors))


def _belongs(names: xr.DataArray, suffix: str) -> np.ndarray:
    return np.array([str(name).endswith(f"_{suffix}") for name in names.values], bool)
