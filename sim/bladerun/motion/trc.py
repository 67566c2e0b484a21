"""Marker files, `.trc`.

Takes the lines of one; gives `Markers`, their axes turned so that z is up.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from bladerun.errors import InputError
from bladerun.motion.records import Markers
from bladerun.motion.tables import in_time, table

_METRES = {"m": 1.0, "cm": 0.01, "mm": 0.001}
_FRAME = "frame#"
_BODY_M = 10.0  # markers of one person are not so far apart
_TO_HERE = {1: ([0, 2, 1], [1, -1, 1]), 2: ([0, 1, 2], [1, 1, 1])}  # by what is up: axes, their senses


def is_trc(lines: Sequence[str]) -> bool:
    """Whether these are the lines of a marker file."""
    return any(line.strip().lower().startswith(("pathfiletype", _FRAME)) for line in lines[:10])


def markers(path: Path, lines: Sequence[str]) -> Markers:
    """Where each marker is. Raises InputError for a file without names, or in a unit that is no length."""
    at = next((n for n, line in enumerate(lines) if line.strip().lower().startswith(_FRAME)), None)
    if at is None:
        raise InputError("no line begins with Frame#, where the markers' names stand", file=path)
    names = [word.strip() for word in lines[at].split("\t")[2:] if word.strip()]
    if not names or len(set(names)) < len(names):
        raise InputError(f"line {at + 1}: each marker has to have a name of its own", file=path)
    below = next((n for n in range(at + 1, len(lines)) if _begins_with_number(lines[n])), len(lines))
    axes = [f"{name}.{axis}" for name in names for axis in "xyz"]
    found = table(path, [*([""] * (below - 1)), "\t", *lines[below:]], below - 1, ["frame", "time", *axes])
    time, rest = in_time(found)
    values = rest.values[:, 1:].reshape(len(time), len(names), 3).copy()
    values[(values == 0).all(2)] = np.nan  # how some programs write a marker that is hidden
    notes = [*rest.notes]
    values *= _scale(path, lines[:at], values, notes)
    up = int(_spread(values).argmax())
    if up not in _TO_HERE:
        raise InputError("markers are farthest apart along x; y or z has to be up", file=path)
    notes.append(f"{'xyz'[up]} is up, along which the markers are farthest apart")
    axes, senses = _TO_HERE[up]
    turned = values[:, :, axes] * senses
    return Markers(time, dict(zip(names, np.moveaxis(turned, 1, 0), strict=True)), tuple(notes))


def _begins_with_number(line: str) -> bool:
    word = line.split()[:1]
    return bool(word) and word[0].isdecimal()


def _scale(path: Path, head: Sequence[str], values: np.ndarray, notes: list[str]) -> float:
    """m in the file's unit, by its header, else by how far apart the markers are."""
    for keys, row in pairwise(head):
        named = dict(zip(keys.lower().split(), row.split(), strict=False))
        if "units" in named:
            if (unit := named["units"].lower()) not in _METRES:
                raise InputError(f"{unit!r} is not allowed; m, cm or mm", file=path, key="Units")
            return _METRES[unit]
    unit = "mm" if _spread(values).max() > _BODY_M else "m"
    notes.append(f"no header says the unit of places: by their size {unit}")
    return _METRES[unit]


def _spread(values: np.ndarray) -> np.ndarray:
    """(3,) how far the markers are apart along each axis, in the middle of the moments that show them all."""
    whole = values[~np.isnan(values).any((1, 2))]
    seen = whole if len(whole) else np.where(np.isnan(values), np.nanmean(values, axis=(0, 1)), values)
    return np.median(np.ptp(seen, axis=1), axis=0)
