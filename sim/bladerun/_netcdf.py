"""Strides as NetCDF files, which other tools read, and as bytes, which go from process to process.

Takes and gives xarray Datasets. Through the netCDF4 library: a stride is written or read in 40 ms, by the
one in Python around h5py in 300, which a study feels. That library serves one thread at a time, and the page
has several: hence the lock.
"""

from __future__ import annotations

from pathlib import Path
from threading import Lock

import netCDF4
import xarray as xr

from bladerun._files import atomic

_ONE_AT_A_TIME = Lock()


def write(stride: xr.Dataset, path: str | Path) -> None:
    """Write the file whole or not at all; InputError as `_files.atomic` raises it."""
    content = packed(stride)
    with atomic(path) as tmp:
        tmp.write_bytes(content)  # the library would not say that a disk is full


def read(source: str | Path | bytes) -> xr.Dataset:
    """The Dataset of a file, or of what `packed` gave, all of it in memory.

    Raises OSError (with a positive errno where the system said no) for what cannot be read as NetCDF,
    ValueError or KeyError where that cannot be read as a Dataset.
    """
    with _ONE_AT_A_TIME:
        if isinstance(source, bytes):
            held = netCDF4.Dataset("stride", memory=source)
            return xr.load_dataset(xr.backends.NetCDF4DataStore(held))
        return xr.load_dataset(source, engine="netcdf4")


def packed(stride: xr.Dataset) -> bytes:
    """The bytes of its file."""
    with _ONE_AT_A_TIME:
        return bytes(stride.to_netcdf(engine="netcdf4"))
