"""Muscle by muscle, and reserve by reserve, over one stride.

Takes a Stride dataset with muscles; gives pandas tables for `bladerun run` and for looking closer.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from bladerun.dataset.asked import asked_of
from bladerun.dataset.reading import muscle_driven, shares
from bladerun.gait.events import Leg, joint_curve
from bladerun.gait.metabolic import metabolic

HIP = ("flexion", "adduction", "rotation")
_SAMPLES = 400  # of contact, for shares of a torque


def muscle_table(stride: xr.Dataset) -> pd.DataFrame:
    """One row a muscle.

    activation_peak, activation_mean (0..1), full_percent (of the stride, over the activation that the
    solver counts as full), force_peak_n, force_peak_f0 (of its greatest isometric force),
    metabolic_power_w (mean over the stride), and hip_flexion_share_percent, ..adduction.., ..rotation..: see
    `hip_shares`.
    """
    force, counts = stride.muscle_force.max("time").values, shares(stride)
    table = pd.DataFrame(
        {
            "activation_peak": stride.activation.max("time").values,
            "activation_mean": counts @ stride.activation.values,
            "full_percent": 100 * (counts @ (stride.activation.values > _full(stride))),
            "force_peak_n": force,
            "force_peak_f0": force / stride.muscle_f0.values,
            "metabolic_power_w": counts @ metabolic(stride).muscle,
        },
        index=pd.Index(stride.muscle.values, name="muscle"),
    )
    of_hip = pd.concat([hip_shares(stride, side) for side in ("left", "right")])
    return table.join(of_hip.add_suffix("_share_percent").add_prefix("hip_"))


def _full(stride: xr.Dataset) -> float:
    return asked_of(stride).options.accepted.saturated


def hip_shares(stride: xr.Dataset, side: str) -> pd.DataFrame:
    """Share (%) of each muscle of one leg, and of the "reserve", in the three hip torques in contact.

    Rows: muscles of the leg, then `reserve_r` or `reserve_l`; columns: "flexion", "adduction", "rotation".
    Share of muscle i: int m_i sign(M) dt / int |M| dt over contact, m_i its moment and M the net torque;
    negative where it works against. They add up to 100 %; NaN without contact.
    """
    leg = Leg(stride, side)
    mine = [name for name in stride.muscle.values if name.endswith(f"_{leg.suffix}")]
    rows = [*mine, f"reserve_{leg.suffix}"]
    table = pd.DataFrame(np.nan, index=rows, columns=list(HIP))
    if not leg.touches:
        return table
    middle = (np.arange(_SAMPLES) + 0.5) / _SAMPLES
    time = leg.down + middle * (leg.up - leg.down)
    for axis in HIP:
        joint = f"hip_{axis}_{leg.suffix}"
        moments = stride.moment_arm.sel(joint=joint, muscle=mine) * stride.muscle_force.sel(muscle=mine)
        given = [*moments.values.T, stride.reserve.sel(joint=joint).values]
        at = np.array([leg.curve(moment)(time) for moment in given])
        net = at.sum(axis=0)
        table[axis] = 100 * at @ np.sign(net) / np.abs(net).sum()
    return table


def reserve_table(stride: xr.Dataset) -> pd.DataFrame:
    """One row a muscle-driven joint: peak_nm of its reserve, net_peak_nm of its moment, peak_fraction."""
    joints = stride.joint.values[muscle_driven(stride)]
    columns = {"peak_nm": "reserve", "net_peak_nm": "tau"}
    period = float(stride.attrs["stride_time_s"])
    table = pd.DataFrame(
        {
            column: [joint_curve(stride, quantity, joint).magnitude(0, period) for joint in joints]
            for column, quantity in columns.items()
        },
        index=pd.Index(joints, name="joint"),
    )
    return table.assign(peak_fraction=table.peak_nm / table.net_peak_nm)
