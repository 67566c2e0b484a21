"""Strides come back from their files and bytes as they were, from many threads at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from bladerun.dataset import netcdf
from bladerun.dataset.files import read_stride, write_stride
from bladerun.errors import InputError
from bladerun.status import Status
from strides.synthetic import stride


def test_a_stride_comes_back_as_it_was(tmp_path):
    made = stride()
    write_stride(made, tmp_path / "stride.nc")
    assert read_stride(tmp_path / "stride.nc").identical(made)
    assert netcdf.read(netcdf.packed(made)).identical(made)


def test_threads_do_not_meet_in_the_library(tmp_path):
    made = stride()

    def there_and_back(number):
        path = tmp_path / f"{number % 3}.nc"
        write_stride(made, path)
        return read_stride(path).identical(made) and netcdf.read(netcdf.packed(made)).identical(made)

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(there_and_back, range(40)))


def test_what_is_no_stride_is_told_from_what_cannot_be_read(tmp_path):
    (tmp_path / "text.nc").write_text("no stride")
    write_stride(stride().drop_attrs(), tmp_path / "other.nc")
    for name in ("text.nc", "other.nc"):
        with pytest.raises(InputError, match=f"{name}: not a stride"):
            read_stride(tmp_path / name)
    with pytest.raises(InputError, match=r"absent\.nc: cannot be read: No such file"):
        read_stride(tmp_path / "absent.nc")


def test_a_stride_that_cannot_be_written_says_where(tmp_path):
    with pytest.raises(InputError, match=r"nowhere/stride\.nc: cannot be written"):
        write_stride(stride(), tmp_path / "nowhere" / "stride.nc")


def test_a_status_is_plain_text_in_the_file():
    made = stride()
    made.attrs["status"] = Status.TOO_WEAK
    kept = netcdf.read(netcdf.packed(made)).attrs["status"]
    assert type(kept) is str and Status(kept) is Status.TOO_WEAK
