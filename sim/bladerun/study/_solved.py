"""A stride of a comparison, as a process makes it: solved from a stride on file, and kept in another.

Takes a `Solve`; gives the row of a table. A file that already holds the stride of the same inputs, made by
the same program, is used again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from bladerun.dataset.files import read_stride, write_stride
from bladerun.errors import InputError
from bladerun.study import fingerprint, job
from bladerun.study.job import Inputs


@dataclass(frozen=True)
class Solve:
    """What to solve, from which stride (None: from nothing) on which way, and where to write."""

    inputs: Inputs
    start: Path | None
    between: tuple[Inputs, ...]
    path: Path


def kept(asked: Solve) -> dict[str, Any]:
    """The numbers of one stride: from its file if that is of the same inputs, else solved and written."""
    identity = asked.inputs.identity(fingerprint.of_strides())
    stride = _read(asked.path)
    if stride is not None and stride.attrs.get("identity") == identity:
        return {**job.numbers(stride), "kept": True}
    start = asked.start and _read(asked.start)
    stride = job.along((*asked.between, asked.inputs), start)
    stride.attrs["identity"] = identity
    write_stride(stride, asked.path)
    return {**job.numbers(stride), "kept": False}


def _read(path: Path) -> xr.Dataset | None:
    """The stride of a file; None if there is none that can be read."""
    try:
        return read_stride(path)
    except InputError:
        return None
