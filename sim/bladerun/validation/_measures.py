"""Numbers of one stride that studies report: the table of results, and how close curves run to people's.

Takes a converged Stride dataset; gives a flat dict. What belongs to a leg is there as the mean of both legs
(`KEY`), of each (`KEY_affected`, `KEY_sound`: the mean too where both or none is amputated), in a bend of the
leg on either side of it (`KEY_inside`, `KEY_outside`), and as the size of its symmetry index in percent
(`KEY_asymmetry`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bladerun._lib.data_files import models_dir
from bladerun.body.reference_gait import band
from bladerun.dataset.asked import task_of
from bladerun.dataset.reading import shares
from bladerun.gait.events import Leg
from bladerun.gait.outcomes import DIRECTIONS, outcomes

ANGLES = (
    "pelvis_tilt", "pelvis_list", "pelvis_rotation", "hip_flexion", "hip_adduction", "hip_rotation",
    "knee_flexion", "ankle_dorsiflexion", "subtalar_inversion",
)  # fmt: skip
MOMENTS = {
    "hip_flexion": "hip_flexion_moment",
    "hip_adduction": "hip_adduction_moment",
    "hip_rotation": "hip_internal_rotation_moment",
    "knee_flexion": "knee_flexion_moment",
    "ankle_dorsiflexion": "ankle_dorsiflexion_moment",
}
FORCES = {"grf_fore_aft": 0, "grf_vertical": 2}
FILTER_HZ = 15.0  # low-pass of markers and forces behind the moments of models/reference/fukuchi2017.csv
ON = 0.2  # of a muscle's peak activation, above which it counts as on; a usual threshold for EMG, assumed
_STANCE = {"ankle": ("ankle_dorsiflexion", "subtalar_inversion"), "knee": ("knee_flexion",),
           "hip": ("hip_flexion", "hip_adduction", "hip_rotation")}  # fmt: skip


def measures(stride: xr.Dataset) -> dict[str, float]:
    """Every number that a finding may name; NaN or missing where the runner has no such thing."""
    side, bend = stride.attrs["amputation_side"], task_of(stride).bend_radius_m
    found: dict[str, float] = {}
    for key, value in _rows(stride).items():
        if not isinstance(value, dict):
            found[key] = _number(value)
            continue
        left, right = _number(value["left"]), _number(value["right"])
        both = (left + right) / 2
        affected, sound = {"left": (left, right), "right": (right, left)}.get(side, (both, both))
        if bend is not None:
            inside, outside = (left, right) if bend > 0 else (right, left)
            found |= {f"{key}_inside": inside, f"{key}_outside": outside}
        found |= {key: both, f"{key}_affected": affected, f"{key}_sound": sound}
        found[f"{key}_asymmetry"] = 200 * abs(affected - sound) / (abs(affected) + abs(sound) or np.nan)
    if side == "none":
        found |= within_1_sd(stride) | {"emg_timing_percent": 100 * emg_timing(stride)}
    return found


def within_1_sd(stride: xr.Dataset) -> dict[str, float]:
    """Share (%) of the stride in which each curve of the right side is within 1 SD of people's.

    `within_1_sd_angles` is the least of the nine angles.
    """
    mass = float(stride.attrs["mass_kg"])
    curves = {}
    for name in ANGLES:
        joint = name if name.startswith("pelvis") else f"{name}_r"
        curves[name] = np.degrees(stride.q.sel(joint=joint).values)
    for name, quantity in MOMENTS.items():
        curves[quantity] = stride.tau.sel(joint=f"{name}_r").values / mass
    weight = mass * float(stride.attrs["gravity"])
    for quantity, axis in FORCES.items():
        curves[quantity] = stride.grf.sel(side="right").values[:, axis] / weight
    within = {name: 100 * agreement(stride, values, name)[0] for name, values in curves.items()}
    least = min(within[name] for name in ANGLES)
    return {f"within_1_sd_{name}": share for name, share in within.items()} | {"within_1_sd_angles": least}


def agreement(stride: xr.Dataset, values: np.ndarray, quantity: str) -> tuple[float, float]:
    """Share of the stride within one SD, and RMS distance in SD, of a curve at its knots (time,)."""
    percent, mean, sd = band(quantity, float(stride.attrs["speed_m_s"]))
    at, counts = 100 * stride.time.values / stride.attrs["stride_time_s"], shares(stride)
    spread = np.maximum(np.interp(at, percent, sd), 0.02 * np.abs(mean).max())  # force has no SD in flight
    off = (values - np.interp(at, percent, mean)) / spread
    return float(counts @ (np.abs(off) <= 1)), float(np.sqrt(counts @ off**2))


def emg_timing(stride: xr.Dataset) -> float:
    """Share of the stride in which muscles are on, or off, as electromyography has them; mean of muscles."""
    table = pd.read_csv(models_dir() / "reference" / "emg.csv")
    percent, counts = 100 * stride.time.values / stride.attrs["stride_time_s"], shares(stride)
    agreed = []
    for muscle, bars in table.groupby("muscle"):
        expected = np.zeros(len(percent), bool)
        for start, end in zip(bars.on_percent, bars.off_percent, strict=True):
            inside = (percent >= start) & (percent <= end)
            expected |= inside if start <= end else (percent >= start) | (percent <= end)
        activation = stride.activation.sel(muscle=f"{muscle}_r").values
        agreed.append(counts @ ((activation > ON * activation.max()) == expected))
    return float(np.mean(agreed))


def _rows(stride: xr.Dataset) -> dict[str, Any]:
    """The table of results and what else studies report; {"left": x, "right": y} where a leg has it."""
    found = outcomes(stride)
    legs = {side: Leg(stride, side) for side in ("left", "right")}
    each = {side: _of_leg(leg, found, side) for side, leg in legs.items()}
    extra = {key: {side: each[side].get(key) for side in each} for key in each["left"] | each["right"]}
    height = stride.q.sel(joint="pelvis_tz").values
    return found | extra | {"pelvis_excursion_mm": 1e3 * float(np.ptp(height))}


def _of_leg(leg: Leg, found: dict[str, Any], side: str) -> dict[str, float]:
    forward = leg.force[0]
    rows = {
        "contact_length_m": leg.speed * (leg.up - leg.down),
        "peak_braking_bw": -forward.trough(leg.down, leg.up)[1] / leg.weight_n,
        "peak_propulsion_bw": forward.peak(leg.down, leg.up)[1] / leg.weight_n,
        "hip_flexion_torque_peak_nm_kg": leg.joint("tau", "hip_flexion").peak(leg.down, leg.up)[1]
        / leg.mass_kg,
    }
    for direction, (joint, sign) in DIRECTIONS.items():
        if leg.has_joint(joint):
            moment = leg.curve(sign * leg.joint("tau", joint).values).filtered(FILTER_HZ)
            rows[f"{direction}_torque_peak_filtered_nm_kg"] = moment.peak(leg.down, leg.up)[1] / leg.mass_kg
    parts = [found[f"{part}_work_positive_j_kg"][side] or 0.0 for part in ("hip", "knee", "ankle_or_blade")]
    rows["leg_work_positive_j_kg"] = sum(parts)
    if not leg.has_blade:
        work = {}
        for joint, axes in _STANCE.items():
            names = [f"{axis}_{leg.suffix}" for axis in axes if leg.has_joint(axis)]
            power = (leg.stride.tau * leg.stride.v).sel(joint=names).sum("joint").values
            work[joint] = leg.curve(power).positive(leg.down, leg.up)
        whole = sum(work.values()) or np.nan
        rows |= {f"stance_share_{joint}_percent": 100 * w / whole for joint, w in work.items()}
    return rows


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
