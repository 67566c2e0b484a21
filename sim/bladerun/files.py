"""Strides as files: NetCDF, which xarray, MATLAB, R and Julia read too.

Takes and gives Stride datasets; a file that holds none is an `InputError`.
"""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from bladerun import _netcdf
from bladerun._files import atomic
from bladerun.errors import InputError


def write_stride(stride: xr.Dataset, path: str | Path) -> None:
    """Write a stride as a NetCDF file, whole or not at all; `read_stride` gives it back as it was.

    Raises InputError where the file cannot be written.
    """
    content = _netcdf.packed(stride)
    with atomic(path) as tmp:
        tmp.write_bytes(content)  # the library would not say that a disk is full


def read_stride(path: str | Path) -> xr.Dataset:
    """The stride of a file that `write_stride` or `bladerun run` wrote, all of it in memory.

    Raises InputError where the file cannot be read or holds no stride.
    """
    try:
        stride = _netcdf.read(path)
        if "model_xml" in stride.attrs:
            return stride
    except (OSError, ValueError, KeyError) as error:
        if isinstance(error, OSError) and (error.errno or 0) > 0:
            raise InputError(f"cannot be read: {error.strerror}", file=path) from None
    raise InputError("not a stride; give a stride.nc that `bladerun run` wrote", file=path)
