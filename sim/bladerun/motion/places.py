"""Places of markers as a file has them, in m and with z up.

Takes names and places in a file's unit and axes; gives `Markers`. What turns the axes is given too, for
forces of the same file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bladerun.errors import InputError
from bladerun.motion.records import Markers

METRES = {"m": 1.0, "cm": 0.01, "mm": 0.001}
_BODY_M = 10.0  # markers of one person are not so far apart
_TO_HERE = {1: ([0, 2, 1], [1, -1, 1]), 2: ([0, 1, 2], [1, 1, 1])}  # by what is up: axes, their senses


def placed(
    path: Path, time: np.ndarray, names: Sequence[str], values: np.ndarray, unit: str, notes: Sequence[str]
) -> tuple[Markers, np.ndarray]:
    """Markers of values (N, markers, 3), and the matrix (3, 3) that vectors of the file are turned by. unit:
    "" where the file does not say. Raises InputError where it is no length, and where x is up."""
    said = [*notes]
    values = np.where((values == 0).all(2, keepdims=True), np.nan, values)  # so hidden markers are written
    seen = np.asarray(np.isfinite(values).all(2).any(0))
    if not seen.all():
        hidden = [name for name, there in zip(names, seen, strict=True) if not there]
        said.append(f"never seen and left out: {', '.join(hidden)}")
    if not seen.any():
        raise InputError("no marker is ever seen", file=path)
    names, values = [n for n, there in zip(names, seen, strict=True) if there], values[:, seen]
    values = values * METRES[_unit(path, unit, values, said)]
    up = int(_spread(values).argmax())
    if up not in _TO_HERE:
        raise InputError("markers are farthest apart along x; y or z has to be up", file=path)
    said.append(f"{'xyz'[up]} is up, along which the markers are farthest apart")
    axes, senses = _TO_HERE[up]
    turn = np.zeros((3, 3))
    turn[range(3), axes] = senses
    places = dict(zip(names, np.moveaxis(values @ turn.T, 1, 0), strict=True))
    return Markers(time, places, tuple(said)), turn


def _unit(path: Path, unit: str, values: np.ndarray, notes: list[str]) -> str:
    """As the file says, else by how far apart the markers are."""
    if unit:
        if unit.lower() not in METRES:
            raise InputError(f"{unit!r} is not allowed; m, cm or mm", file=path, key="Units")
        return unit.lower()
    found = "mm" if _spread(values).max() > _BODY_M else "m"
    notes.append(f"no header says the unit of places: by their size {found}")
    return found


def _spread(values: np.ndarray) -> np.ndarray:
    """(3,) how far the markers are apart along each axis, in the middle of the moments that show them all."""
    whole = values[~np.isnan(values).any((1, 2))]
    seen = whole if len(whole) else np.where(np.isnan(values), np.nanmean(values, axis=(0, 1)), values)
    return np.median(np.ptp(seen, axis=1), axis=0)
