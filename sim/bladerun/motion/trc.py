"""Marker files, `.trc`.

Takes the lines of one; gives `Markers`, their axes turned so that z is up.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from bladerun.errors import InputError
from bladerun.motion.places import placed
from bladerun.motion.records import Markers
from bladerun.motion.tables import in_time, table

_FRAME = "frame#"


def is_trc(lines: Sequence[str]) -> bool:
    """Whether these are the lines of a marker file."""
    return any(line.strip().lower().startswith(("pathfiletype", _FRAME)) for line in lines[:10])


def markers(path: Path, lines: Sequence[str]) -> Markers:
    """Where each marker is. Raises InputError for a file without names, or in a unit that is no length."""
    at = next((n for n, line in enumerate(lines) if line.strip().lower().startswith(_FRAME)), None)
    if at is None:
        raise InputError("no line begins with Frame#, where the markers' names stand", file=path)
    names = [word.strip() for word in lines[at].split("\t")[2:] if word.strip()]
    if len(names) < 2:
        names = lines[at].split()[2:]  # apart by blanks
    if not names or len(set(names)) < len(names):
        raise InputError(f"line {at + 1}: each marker has to have a name of its own", file=path)
    below = next((n for n in range(at + 1, len(lines)) if _begins_with_number(lines[n])), len(lines))
    axes = [f"{name}.{axis}" for name in names for axis in "xyz"]
    between = "\t" if below < len(lines) and "\t" in lines[below] else ""
    found = table(path, [*([""] * (below - 1)), between, *lines[below:]], below - 1, ["frame", "time", *axes])
    time, rest = in_time(found)
    values = rest.values[:, 1:].reshape(len(time), len(names), 3)
    return placed(path, time, names, values, _said_unit(lines[:at]), rest.notes)[0]


def _begins_with_number(line: str) -> bool:
    word = line.split()[:1]
    return bool(word) and word[0].isdecimal()


def _said_unit(head: Sequence[str]) -> str:
    for keys, row in pairwise(head):
        named = dict(zip(keys.lower().split(), row.split(), strict=False))
        if "units" in named:
            return named["units"]
    return ""
