"""How a measured runner runs, as a prediction takes it for its reference.

Takes strides as datasets and their outcomes; gives an `OwnGait`: mean and SD of each joint's curve, of the
stride's time and of the width of steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bladerun._lib.data_files import toml
from bladerun.body.joints import side_of
from bladerun.body.own_gait import PERCENT, Curve, OwnGait, Spread
from bladerun.body.reference_gait import reference
from bladerun.gait.events import Leg, joint_curve

_WIDTHS = ("heel_step_width_m", "step_width_m")  # as people's was measured, or of what has no heel


def own_gait(strides: Sequence[xr.Dataset], table: pd.DataFrame) -> OwnGait | None:
    """Of the joints that reference running has; None with too few strides (models/motion.toml), or none of
    these joints. table: a row a stride, with the columns of `flat`."""
    if len(strides) < toml("motion.toml")["reference"]["least_strides"]:
        return None
    names = tuple(map(str, strides[0].joint.values))
    tracked = reference(names, float(strides[0].attrs["speed_m_s"]), 4, leg_length_m=1.0).tracked
    known = [name for name, has in zip(names, tracked, strict=True) if has]
    found = {name: _curve(strides, name) for name in known if np.isfinite(strides[0].q.sel(joint=name)).all()}
    if not found:
        return None
    measured = [name for name in _WIDTHS if name in table.columns]
    widths = [each for name in measured if np.isfinite(each := table[name].to_numpy(float)).all()]
    later = np.array([(_down(each, "left") - _down(each, "right")) / _time(each) for each in strides])
    return OwnGait(
        speed_m_s=float(np.mean([each.attrs["speed_m_s"] for each in strides])),
        strides=len(strides),
        side=strides[0].attrs["amputation_side"],
        joints=found,
        stride_time_s=_spread([_time(each) for each in strides]),
        left_after_right=float((later % 1.0).mean()),
        step_width_m=_spread(widths[0]) if widths else None,
    )


def _curve(strides: Sequence[xr.Dataset], joint: str) -> Curve:
    each = np.array([_on_phases(stride, joint) for stride in strides])
    if joint == "pelvis_tz":
        each -= each[:, :-1].mean(1, keepdims=True)
    else:
        each = np.degrees(each)
    return Curve(tuple(each.mean(0).tolist()), tuple(each.std(0, ddof=1).tolist()))


def _on_phases(stride: xr.Dataset, joint: str) -> np.ndarray:
    down = _down(stride, side_of(joint) or "right")
    return joint_curve(stride, "q", joint)(down + PERCENT / 100 * _time(stride))


def _down(stride: xr.Dataset, side: str) -> float:
    return Leg(stride, side).down


def _time(stride: xr.Dataset) -> float:
    return float(stride.attrs["stride_time_s"])


def _spread(values: Any) -> Spread:
    return Spread(float(np.mean(values)), float(np.std(values, ddof=1)))
