"""Strides as files: NetCDF-3, which xarray, MATLAB, R and Julia read too.

Takes and gives Stride datasets. A file may come from anybody: what is in it is held against what a stride has
before anything is computed of it, and a file that holds none is an `InputError` that says what it is.
"""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from bladerun._lib.file_kinds import STRIDE, described
from bladerun._lib.files import atomic, content_of
from bladerun.dataset import netcdf
from bladerun.dataset.check import check
from bladerun.errors import InputError

MOST_BYTES = 100_000_000  # a stride on 120 knots has 3 million


def write_stride(stride: xr.Dataset, path: str | Path) -> None:
    """Write a stride as a NetCDF-3 file, whole or not at all; `read_stride` gives it back as it was.

    Parameters
    ----------
    stride
        What `solve` gave.
    path
        The file.

    Raises
    ------
    InputError
        Where the file cannot be written.
    """
    content = netcdf.packed(stride)
    with atomic(path) as tmp:
        tmp.write_bytes(content)


def read_stride(path: str | Path) -> xr.Dataset:
    """The stride of a file that `write_stride` or `bladerun run` wrote.

    Parameters
    ----------
    path
        The file, a `stride.nc`.

    Returns
    -------
    xarray.Dataset
        All of it in memory.

    Raises
    ------
    InputError
        Where the file cannot be read, holds no stride, or one that is not whole: its values are finite,
        belong to each other and to its model, and its model names no file.
    """
    content = content_of(path, MOST_BYTES)
    if (what := described(content)) not in (None, STRIDE):
        raise InputError(f"not a stride but {what}; give a stride.nc that `bladerun run` wrote", file=path)
    try:
        stride = netcdf.read(content)
        check(stride)
    except InputError as error:
        raise InputError(f"not a stride: {InputError(error.what, key=error.key)}", file=path) from None
    return stride
