"""A stride as OpenSim reads it: `.mot` of the motion or of the ground's forces, `.sto` of any other table.

Takes a Stride dataset; gives text files with OpenSim's header (storage format, version 1). Angles are in
degrees in a motion, as OpenSim's own tools write them, and names are this project's joints; forces are in N,
points in m, moments in Nm. OpenSim's frame is x forward, y up, z to the right: vectors are turned into it,
joint angles have no frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import xarray as xr

from bladerun._files import atomic
from bladerun.errors import InputError

_TO_OPENSIM = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])  # x, z, -y of this project
_ROOT = 3  # the first joints are the pelvis's translations


def export(stride: xr.Dataset, folder: str | Path) -> list[Path]:
    """Write `motion.mot`, `ground_forces.mot`, `moments.sto`, with muscles `activations.sto`; their paths."""
    folder, time = Path(folder), stride.time.values
    tables = {
        "motion.mot": (_motion(stride), True),
        "ground_forces.mot": (_ground(stride), False),
        "moments.sto": (_columns(stride.tau.values, stride.joint.values, "_moment"), False),
    }
    if "activation" in stride:
        tables["activations.sto"] = (_columns(stride.activation.values, stride.muscle.values, ""), False)
    for name, (table, degrees) in tables.items():
        write(folder / name, time, table, degrees=degrees)
    return [folder / name for name in tables]


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


def _motion(stride: xr.Dataset) -> dict[str, np.ndarray]:
    q, names = stride.q.values.copy(), [str(name) for name in stride.joint.values]
    q[:, :_ROOT] = q[:, :_ROOT] @ _TO_OPENSIM.T
    q[:, _ROOT:] = np.degrees(q[:, _ROOT:])
    names[:_ROOT] = ["pelvis_tx", "pelvis_ty", "pelvis_tz"]
    return dict(zip(names, q.T, strict=True))


def _ground(stride: xr.Dataset) -> dict[str, np.ndarray]:
    """Force and point of each foot, zero where it does not touch."""
    columns = {}
    for i, side in enumerate(stride.side.values):
        force = stride.grf.values[:, i] @ _TO_OPENSIM.T
        point = np.nan_to_num(stride.cop.values[:, i]) @ _TO_OPENSIM.T
        for what, values in (("v", force), ("p", point)):
            columns |= {f"{side}_ground_force_{what}{axis}": values[:, k] for k, axis in enumerate("xyz")}
        columns |= {f"{side}_ground_torque_{axis}": np.zeros(len(force)) for axis in "xyz"}
    return columns


def _columns(values: np.ndarray, names: np.ndarray, ending: str) -> dict[str, np.ndarray]:
    return {f"{name}{ending}": column for name, column in zip(names, values.T, strict=True)}
