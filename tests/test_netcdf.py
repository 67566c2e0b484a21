"""Strides come back from their files and bytes as they were, from many threads at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from bladerun import _netcdf
from synthetic import stride


def test_a_stride_comes_back_as_it_was(tmp_path):
    made = stride()
    _netcdf.write(made, tmp_path / "stride.nc")
    assert _netcdf.read(tmp_path / "stride.nc").identical(made)
    assert _netcdf.read(_netcdf.packed(made)).identical(made)


def test_threads_do_not_meet_in_the_library(tmp_path):
    made = stride()

    def there_and_back(number):
        path = tmp_path / f"{number % 3}.nc"
        _netcdf.write(made, path)
        return _netcdf.read(path).identical(made) and _netcdf.read(_netcdf.packed(made)).identical(made)

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(there_and_back, range(40)))


def test_what_is_no_netcdf_is_told_from_what_cannot_be_opened(tmp_path):
    (tmp_path / "text.nc").write_text("no stride")
    with pytest.raises(OSError) as broken:
        _netcdf.read(tmp_path / "text.nc")
    with pytest.raises(OSError) as absent:
        _netcdf.read(tmp_path / "absent.nc")
    assert (broken.value.errno or 0) <= 0 < (absent.value.errno or 0)
