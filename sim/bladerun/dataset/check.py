"""Is this Dataset a whole stride? What everything that reads one relies on, checked once at the door.

Takes an xarray Dataset of unknown origin; gives nothing, or an `InputError` that names the first thing that
is missing, of another kind, not finite, or does not belong to the rest.
"""

from __future__ import annotations

from numbers import Real

import mujoco
import numpy as np
import xarray as xr

from bladerun.body.joints import PARTS, ROLES, SIDES, contact_spheres, joints_of, sphere_sides
from bladerun.dataset.model_text import model_of
from bladerun.errors import InputError
from bladerun.status import Status

_ALL = {  # variables of every stride
    "q v a tau": ("time", "joint"), "grf": ("time", "side", "xyz"), "com com_velocity": ("time", "xyz"),
    "contact_force contact_position": ("time", "contact", "xyz"), "site_position": ("time", "site", "xyz"),
    "joint_axis_world": ("time", "joint", "xyz"), "objective_term": ("term",), "time": ("time",),
    "blade_energy blade_loss blade_compression blade_strain": ("time", "side"),
}  # fmt: skip
_MUSCLES = {  # of one with muscles
    "activation excitation muscle_force fibre_force_active": ("time", "muscle"),
    "muscle_length muscle_velocity fibre_length fibre_velocity": ("time", "muscle"),
    "moment_arm": ("time", "muscle", "joint"), "achilles_force achilles_energy": ("time", "side"),
    "muscle_f0 muscle_l0": ("muscle",),
}  # fmt: skip
_SOLVED = {  # of one that was solved, and not made up
    "reserve control_points multiplier": ("time", "joint"), "cop": ("time", "side", "xyz"),
    "contact_depth": ("time", "contact"), "socket_energy socket_loss": ("time", "side"),
}  # fmt: skip
_NAMES = {"joint_role": ROLES, "joint_part": PARTS, "joint_side": SIDES, "contact_side": SIDES[1:]}
_NO_VALUE = ("cop", "blade_", "socket_", "achilles_")  # where NaN says that there is none
_NUMBERS = {"stride_time_s": 10.0, "speed_m_s": 20.0, "mass_kg": 500.0, "gravity": 100.0, "leg_length_m": 5.0}
_TEXTS = (
    "why", "model_xml", "blade", "runner", "amputation", "fitting", "task", "cost", "environment", "options"
)  # fmt: skip
TIMES_OF = (  # attributes: the times that `stride._mesh` takes
    "stride_time_s", "later_than_reference_s", "left_later_s", "right_stretch_s", "left_stretch_s"
)  # fmt: skip
_KNOTS, _LARGE = (8, 2000), 1e9


def check(stride: xr.Dataset) -> None:
    """Raises InputError where it is not a whole stride."""
    if "multiplier" in stride and "tau" not in stride:
        raise InputError("it is a seed, which holds only what another stride of its study starts from")
    for name in ("time", "joint", "side", "xyz", "site", "contact"):
        if name not in stride.dims:
            raise InputError("missing", key=name)
    _check_attributes(stride)
    _check_labels(stride)
    for names, dims in _ALL.items():
        _check_numbers(stride, names, dims)
    for names, dims in _SOLVED.items():
        _check_numbers(stride, " ".join(name for name in names.split() if name in stride), dims)
    if stride.sizes.get("muscle", 0):
        for names, dims in _MUSCLES.items():
            _check_numbers(stride, names, dims)
    _check_time(stride)
    _check_model(stride, model_of(stride))


def check_solved(stride: xr.Dataset) -> None:
    """Raises InputError where it has not what another stride starts from, or MuJoCo runs again."""
    for name in ("control_points", "multiplier", "reserve"):
        _check_numbers(stride, name, ("time", "joint"))
    for key in TIMES_OF:
        value = stride.attrs.get(key)
        if not isinstance(value, Real) or not abs(float(value)) <= _NUMBERS["stride_time_s"]:
            raise InputError(f"{_short(value)} is not allowed; seconds", key=key)


def _check_attributes(stride: xr.Dataset) -> None:
    for key, most in _NUMBERS.items():
        value = stride.attrs.get(key)
        if not isinstance(value, Real) or not 0 < float(value) <= most:
            raise InputError(f"{_short(value)} is not allowed; a number up to {most:g}", key=key)
    for key in _TEXTS:
        if not isinstance(stride.attrs.get(key), str):
            raise InputError("missing", key=key)
    for key, known in (("status", list(Status)), ("amputation_side", ["left", "right", "both", "none"])):
        value = stride.attrs.get(key)
        if not isinstance(value, str) or value not in known:
            raise InputError(f"{_short(value)} is not allowed; {', '.join(known)}", key=key)


def _check_labels(stride: xr.Dataset) -> None:
    for name, known in (("side", list(SIDES[1:])), ("xyz", list("xyz"))):
        if list(stride[name].values) != known:
            raise InputError(f"not allowed; {', '.join(known)}", key=name)
    for name, known in _NAMES.items():
        if name not in stride or stride[name].dims != (name.split("_")[0],):
            raise InputError("missing", key=name)
        if not set(stride[name].values.tolist()) <= set(known):
            raise InputError(f"not allowed; {', '.join(filter(None, known))}", key=name)


def _check_numbers(stride: xr.Dataset, names: str, dims: tuple[str, ...]) -> None:
    for name in names.split():
        if name not in stride:
            raise InputError("missing", key=name)
        if stride[name].dims != dims or stride[name].dtype.kind != "f":
            raise InputError(f"not allowed; numbers over {', '.join(dims)}", key=name)
        values = stride[name].values
        allowed = np.abs(values) <= _LARGE
        if name.startswith(_NO_VALUE):
            allowed |= np.isnan(values)
        if not allowed.all():
            raise InputError("it holds numbers that are not finite, or of no runner", key=name)


def _check_time(stride: xr.Dataset) -> None:
    time, (least, most) = stride.time.values, _KNOTS
    if not least <= len(time) <= most:
        raise InputError(f"{len(time)} is not allowed; {least} to {most} moments", key="time")
    if time[0] != 0 or (np.diff(time, append=stride.attrs["stride_time_s"]) <= 0).any():
        raise InputError("not allowed; ascending from 0, within one stride", key="time")


def _check_model(stride: xr.Dataset, mj: mujoco.MjModel) -> None:
    """Raise where the names of a stride are not those of its model."""
    tendons = np.flatnonzero(mj.actuator_trntype == mujoco.mjtTrn.mjTRN_TENDON)
    parts = {
        "joint": [mj.joint(i).name for i in range(mj.njnt)],
        "site": [mj.site(i).name for i in range(mj.nsite)],
    }
    if stride.sizes.get("muscle", 0):
        parts["muscle"] = [mj.actuator(i).name for i in tendons]
    try:
        if mj.jnt_user.shape[1] >= 3:
            parts |= dict(zip(("joint_role", "joint_part", "joint_side"), joints_of(mj)[1:4], strict=True))
        if spheres := contact_spheres(mj):
            parts |= {"contact": [mj.geom(g).name for g in spheres], "contact_side": sphere_sides(mj)}
    except (ValueError, IndexError, OverflowError):  # numbers that stand for no role, part or side
        raise InputError("its model does not say what its parts are", key="model_xml") from None
    for name, names in parts.items():
        if stride[name].values.tolist() != list(names):
            raise InputError("not those of its model", key=name)
    if mj.nq != mj.njnt or parts["joint"][:1] != ["pelvis_tx"]:
        raise InputError("not those of a runner", key="joint")


def _short(value: object) -> str:
    if value is None:
        return "nothing"
    return f"{float(value):g}" if isinstance(value, Real) else repr(value)[:40]
