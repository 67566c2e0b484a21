"""Strides as the bytes of NetCDF files, which go from process to process (`files`: to and from the disk).

Takes and gives xarray Datasets. The classic format, NetCDF-3, and not the HDF5 of NetCDF-4: a file in it can
refer to no other file and holds every value as it is, so that nothing can be larger than the file, and it is
read in Python, where a damaged one is an error; the HDF5 library hangs on one of a hundred, and waits for
locks that not every file system has.
"""

from __future__ import annotations

import io
import math
import struct

import xarray as xr

from bladerun.errors import InputError

_DIMENSIONS, _VARIABLES, _ATTRIBUTES = 10, 11, 12
_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 4, 6: 8}  # of a value, by NetCDF's number of its type
_MANY = 1000  # dimensions, variables, attributes or letters of a name; a stride has fewer than 100 of each
_HDF5 = b"\x89HDF\r\n\x1a\n"


def read(content: bytes) -> xr.Dataset:
    """The Dataset of a file's bytes, all of it in memory. Raises InputError for what is none."""
    if content.startswith(_HDF5):
        raise InputError(
            "in the format NetCDF-4 (HDF5), whose files can refer to others, and only NetCDF-3 is read; "
            "where you trust it, write it anew in Python: "
            "bladerun.write_stride(xarray.load_dataset(FILE), NEW)"
        )
    if content[:4] not in (b"CDF\1", b"CDF\2"):
        raise InputError("not in the format NetCDF-3")
    try:
        _Header(content).check()
        return xr.load_dataset(io.BytesIO(content), engine="scipy", decode_times=False)
    except Exception:  # whatever the decoders stumble over in a file of unknown origin
        raise InputError("damaged: its header and its content do not agree") from None


def packed(stride: xr.Dataset) -> bytes:
    """The bytes of its file; variables without a value, such as the muscles of who has none, are left out."""
    empty = [name for name, size in stride.sizes.items() if size == 0]  # would be without an end in NetCDF-3
    return bytes(stride.drop_dims(empty).drop_encoding().to_netcdf(engine="scipy", format="NETCDF3_64BIT"))


class _Header:
    """The header of a NetCDF-3 file, read to hold its sizes against the file's before memory is taken."""

    def __init__(self, content: bytes):
        self._content, self._at = content, 4

    def check(self) -> None:
        """Raise ValueError or struct.error where what it declares is not in the file, once and whole."""
        self._number()  # of records, which there are none of
        dimensions = [self._named(self._number)[1] for _ in range(self._count(_DIMENSIONS))]
        self._attributes()
        variables = [self._named(self._variable)[1] for _ in range(self._count(_VARIABLES))]
        end = self._at
        for axes, size, begin in sorted(variables, key=lambda each: each[2]):
            lengths = [dimensions[axis] for axis in axes]
            if begin < end or not all(lengths):
                raise ValueError("values that stand in two places, or without an end")
            end = begin + size * math.prod(lengths)
        if end > len(self._content):
            raise ValueError("values beyond the end of the file")

    def _variable(self) -> tuple[list[int], int, int]:
        axes = [self._number() for _ in range(self._limited(self._number()))]
        self._attributes()
        size = _BYTES[self._number()]
        self._number()  # its bytes, which follow from the dimensions
        return axes, size, self._number(">I" if self._content[3] == 1 else ">Q")

    def _attributes(self) -> None:
        for _ in range(self._count(_ATTRIBUTES)):
            self._named(self._value)

    def _value(self) -> None:
        size = _BYTES[self._number()]
        self._skip(size * self._number())

    def _named(self, what):
        """A name, and what follows it."""
        start = self._at + 4
        length = self._limited(self._number())
        self._skip(length)
        return self._content[start : start + length].decode(), what()

    def _count(self, kind: int) -> int:
        found, count = self._number(), self._number()
        if found != kind and (found or count):
            raise ValueError("not a list of these")
        return self._limited(count)

    def _limited(self, count: int) -> int:
        if count > _MANY:
            raise ValueError("more than any stride has")
        return count

    def _skip(self, size: int) -> None:
        self._at += -(-size // 4) * 4
        if self._at > len(self._content):
            raise ValueError("ends within its header")

    def _number(self, kind: str = ">I") -> int:
        (value,) = struct.unpack_from(kind, self._content, self._at)
        self._at += struct.calcsize(kind)
        return value
