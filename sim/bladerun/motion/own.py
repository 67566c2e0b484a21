"""How a measured runner runs, as a prediction takes it for its reference.

Takes strides as datasets; gives an `OwnGait`: mean and SD of each joint's curve, of the
stride's time and of the width of steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from bladerun._lib.data_files import toml
from bladerun.body.joints import side_of
from bladerun.body.own_gait import PERCENT, Curve, OwnGait, Spread
from bladerun.body.reference_gait import reference
from bladerun.gait.events import Leg, joint_curve


def own_gait(strides: Sequence[xr.Dataset]) -> OwnGait | None:
    """Of the joints that reference running has; None with too few strides (models/motion.toml), or none of
    these joints."""
    if len(strides) < toml("motion.toml")["reference"]["least_strides"]:
        return None
    names = tuple(map(str, strides[0].joint.values))
    tracked = reference(names, float(strides[0].attrs["speed_m_s"]), 4, leg_length_m=1.0).tracked
    known = [name for name, has in zip(names, tracked, strict=True) if has]
    found = {name: _curve(strides, name) for name in known if np.isfinite(strides[0].q.sel(joint=name)).all()}
    if not found:
        return None
    widths = [_stand(each, "left") - _stand(each, "right") for each in strides]
    later = np.array([(_down(each, "left") - _down(each, "right")) / _time(each) for each in strides])
    return OwnGait(
        speed_m_s=float(np.mean([each.attrs["speed_m_s"] for each in strides])),
        strides=len(strides),
        side=strides[0].attrs["amputation_side"],
        joints=found,
        stride_time_s=_spread([_time(each) for each in strides]),
        left_after_right=float((later % 1.0).mean()),
        step_width_m=_spread(widths) if np.isfinite(widths).all() else None,
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


def _stand(stride: xr.Dataset, side: str) -> float:
    """How far to the left a foot stands in the middle of its contact, m, as the objective holds it: its heel;
    of a blade the middle of the sole, or where it presses on the ground. NaN where it was not measured."""
    leg = Leg(stride, side)
    middle = (leg.down + leg.up) / 2 % leg.period
    if not leg.has_blade:
        return float(leg.site("heel")[1](middle))
    sole = stride.contact_position.values[:, stride.contact_side.values == side, 1].mean(1)
    return (
        float(leg.curve(sole)(middle)) if np.isfinite(sole).all() else float(leg.pressure_centre(middle)[1])
    )


def _time(stride: xr.Dataset) -> float:
    return float(stride.attrs["stride_time_s"])


def _spread(values: Any) -> Spread:
    return Spread(float(np.mean(values)), float(np.std(values, ddof=1)))
