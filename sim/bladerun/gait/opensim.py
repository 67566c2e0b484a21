"""A stride as OpenSim reads it: `.mot` of the motion or of the ground's forces, `.sto` of any other table,
`.osim` of the body.

Takes a Stride dataset; gives text files with OpenSim's header (storage format, version 1). OpenSim's frame is
x forward, y up, z to the right, and what carries the name of one of its usual coordinates means the same:
`pelvis_t[xyz]` is where the point midway between the ASIS is in space, `pelvis_tilt` is posterior,
`pelvis_list` right hip down. Other names are this project's joints, with its signs. Angles are in degrees in
a motion, as OpenSim's own tools write them, and what slides is in m; forces (`_force`) are in N, points in m,
moments (`_moment`) in Nm.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import mujoco
import numpy as np
import xarray as xr

from bladerun._lib.files import atomic
from bladerun.dataset.model_text import model_of
from bladerun.dataset.reading import has_muscles
from bladerun.errors import InputError
from bladerun.gait.opensim_model import ROOT_SIGNS, TO_OPENSIM, model_text
from bladerun.gait.periodic import Periodic

_ROOT = ["pelvis_tx", "pelvis_ty", "pelvis_tz", "pelvis_tilt", "pelvis_list", "pelvis_rotation"]


def export(
    stride: xr.Dataset, folder: str | Path, strides: int = 1, *, rate_hz: float | None = None
) -> list[Path]:
    """Write a stride for OpenSim.

    Parameters
    ----------
    stride
        What `solve` gave.
    folder
        Where `model.osim`, `motion.mot`, `ground_forces.mot`, `moments.sto` and, with muscles,
        `activations.sto` go.
    strides
        How many follow each other, the same again and again.
    rate_hz
        Rows a second, evenly from the stride's start; else the stride's own times, which are not even.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    InputError
        Where the stride's body is not a runner's (no pelvis with ASIS), the rate leaves less than two rows a
        stride, or a file cannot be written.
    """
    folder = Path(folder)
    _check_pelvis(stride)
    tables = {
        "motion.mot": (_motion(stride), True),
        "ground_forces.mot": (_ground(stride), False),
        "moments.sto": (_moments(stride), False),
    }
    if has_muscles(stride):
        names = [str(name) for name in stride.muscle.values]
        tables["activations.sto"] = (dict(zip(names, stride.activation.values.T, strict=True)), False)
    began, within = _times(stride, strides, rate_hz)
    with atomic(folder / "model.osim") as tmp:
        tmp.write_text(model_text(model_of(stride), "runner"), encoding="utf-8")
    for name, (table, degrees) in tables.items():
        write(folder / name, began + within, _at(stride, table, began, within), degrees=degrees)
    return [folder / name for name in (*tables, "model.osim")]


def write(path: str | Path, time: np.ndarray, columns: Mapping[str, np.ndarray], *, degrees: bool) -> None:
    """One file: time (N,) in s and columns (N,) by name, in full precision."""
    table = np.column_stack([time, *columns.values()])
    head = [
        Path(path).stem,
        "version=1",
        f"nRows={len(table)}",
        f"nColumns={table.shape[1]}",
        f"inDegrees={'yes' if degrees else 'no'}",
        "endheader",
        "\t".join(["time", *columns]),
    ]
    rows = ["\t".join(repr(float(value)) for value in row) for row in table]
    with atomic(path) as tmp:
        tmp.write_text("\n".join([*head, *rows]) + "\n", encoding="utf-8")


def read(path: str | Path) -> tuple[np.ndarray, dict[str, np.ndarray], bool]:
    """Time, columns by name, whether angles are in degrees, of a file like that; InputError for others."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
        head = lines.index("endheader")
        names = lines[head + 1].split("\t")
        table = np.array([[float(word) for word in line.split()] for line in lines[head + 2 :]])
        if names[0] != "time" or table.shape[1:] != (len(names),):
            raise ValueError
    except (OSError, ValueError, IndexError):
        raise InputError("not an OpenSim storage file", file=path) from None
    return table[:, 0], dict(zip(names[1:], table[:, 1:].T, strict=True)), "inDegrees=yes" in lines[:head]


def _times(stride: xr.Dataset, strides: int, rate_hz: float | None) -> tuple[np.ndarray, np.ndarray]:
    """When each row's stride began and how far it is in it, s."""
    period = float(stride.attrs["stride_time_s"])
    if rate_hz is None:
        began = np.repeat(np.arange(strides), len(stride.time)) * period
        return began, np.tile(stride.time.values, strides)
    if not rate_hz * period >= 2:
        raise InputError(f"{rate_hz!r} is not allowed; from {2 / period:.3g} rows a second", key="rate_hz")
    time = np.arange(0.0, strides * period, 1.0 / rate_hz)
    began = np.floor(time / period) * period
    return began, time - began


def _at(
    stride: xr.Dataset, table: Mapping[str, np.ndarray], began: np.ndarray, within: np.ndarray
) -> dict[str, np.ndarray]:
    """Columns at those times: cubic between the stride's own, the ground's linear, as feet come and go; what
    runs along goes on."""
    own, period = stride.time.values, float(stride.attrs["stride_time_s"])
    columns = {}
    for name, values in table.items():
        runs = name == "pelvis_tx" or name.endswith("_ground_force_px")
        speed = float(stride.attrs["speed_m_s"]) * runs
        still = values - speed * own
        if "_ground_" in name:
            here = np.interp(within, own, still, period=period)
        else:
            here = Periodic(still, own, period)(within)
        columns[name] = here + speed * (began + within)
    return columns


def _check_pelvis(stride: xr.Dataset) -> None:
    names = [str(name) for name in stride.joint.values[: len(_ROOT)]]
    if names != _ROOT or not {"asis_r", "asis_l"} <= set(stride.site.values):
        raise InputError("not the stride of a runner: OpenSim's pelvis needs its six joints and both ASIS")


def _motion(stride: xr.Dataset) -> dict[str, np.ndarray]:
    q = np.where(_slides(stride), stride.q.values, np.degrees(stride.q.values))
    names = [str(name) for name in stride.joint.values]
    q[:, :3] = _pelvis(stride) @ TO_OPENSIM.T
    q[:, 3:6] *= ROOT_SIGNS
    return dict(zip(names, q.T, strict=True))


def _moments(stride: xr.Dataset) -> dict[str, np.ndarray]:
    """What each joint gives; the pelvis's about OpenSim's point of it, where a force turns otherwise."""
    tau, slides = stride.tau.values.copy(), _slides(stride)
    force, arm = tau[:, :3], _pelvis(stride) - _pelvis_joints(stride)
    axes = stride.joint_axis_world.values[:, 3:6]
    turning = tau[:, 3:6] - np.einsum("tax,tx->ta", axes, np.cross(arm, force))
    tau[:, :3], tau[:, 3:6] = force @ TO_OPENSIM.T, turning * ROOT_SIGNS
    endings = np.where(slides, "_force", "_moment")
    names = [f"{name}{ending}" for name, ending in zip(stride.joint.values, endings, strict=True)]
    return dict(zip(names, tau.T, strict=True))


def _ground(stride: xr.Dataset) -> dict[str, np.ndarray]:
    """What the ground does to each foot: force, a point of the ground under it, and the torque about that.

    The point is the centre of pressure, in the air the middle of the spheres that will touch: what reads the
    file interpolates between rows, and would let the first force act far from the foot if that were zero.
    """
    columns = {}
    for side in stride.side.values:
        mine = stride.contact_side.values == side
        forces, places = stride.contact_force.values[:, mine], stride.contact_position.values[:, mine]
        load = np.maximum(forces[:, :, 2], 0.0)
        share = np.where(load.any(1, keepdims=True), load, 1.0)
        point = (share / share.sum(1, keepdims=True))[:, None] @ places
        point = point[:, 0] * [1.0, 1.0, 0.0]
        torque = np.cross(places - point[:, None], forces).sum(1)
        for what, values in (("force_v", forces.sum(1)), ("force_p", point), ("torque_", torque)):
            turned = values @ TO_OPENSIM.T
            columns |= {f"{side}_ground_{what}{axis}": turned[:, k] for k, axis in enumerate("xyz")}
    return columns


def _pelvis(stride: xr.Dataset) -> np.ndarray:
    """(N, 3) m, in this project's frame: midway between the ASIS, where OpenSim's models have the pelvis."""
    return stride.site_position.sel(site=["asis_r", "asis_l"]).values.mean(axis=1)


def _pelvis_joints(stride: xr.Dataset) -> np.ndarray:
    """(N, 3) m: where the pelvis's own joints are, midway between the hips."""
    model = model_of(stride)
    return model.body_pos[model.jnt_bodyid[0]] + stride.q.values[:, :3]


def _slides(stride: xr.Dataset) -> np.ndarray:
    """(n,) True where a joint slides, False where it turns."""
    return model_of(stride).jnt_type == mujoco.mjtJoint.mjJNT_SLIDE
