"""The runner's joint positions at any time of a solved stride.

Takes a Stride dataset; gives a function of time, strides following each other.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr

from bladerun.gait.periodic import Periodic


def posture(stride: xr.Dataset) -> Callable[[float], np.ndarray]:
    """A function that gives the joint positions (nq,) at a time (s); the pelvis runs on."""
    period, speed = float(stride.attrs["stride_time_s"]), float(stride.attrs["speed_m_s"])
    q = stride.q.values.copy()
    along = list(stride.joint.values).index("pelvis_tx")
    q[:, along] -= speed * stride.time.values
    curves = [Periodic(column, stride.time.values, period) for column in q.T]

    def at(time: float) -> np.ndarray:
        now = np.array([float(curve(time)) for curve in curves])
        now[along] += speed * time
        return now

    return at
