"""What a study's folder holds, for those who show it: what was asked, its rows, its strides.

Takes the folder of a sweep or a search; gives a `Study`, a table, paths.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from bladerun.study import _store
from bladerun.study._objective import values_of
from bladerun.study.file import Study, study

__all__ = ["asked", "stride_path", "table", "values_of"]


def asked(folder: str | Path) -> Study:
    """The study as it was asked; InputError where the folder holds none."""
    return study(_store.manifest(folder)["study"])


def table(folder: str | Path) -> pd.DataFrame:
    """A row a stride, as `bladerun table` writes them."""
    return _store.table(folder).to_pandas()


def stride_path(folder: str | Path, number: int) -> Path:
    """Where a row's stride lies if it was kept."""
    return Path(folder) / _store.STRIDES / f"{number}.nc"
