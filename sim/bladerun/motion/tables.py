"""Tables of numbers in text files, as programs of all countries write them.

Takes a file's path; gives its lines, and from a line of names on a `Table`: columns apart by tabs, blanks,
semicolons or commas, decimal points or commas, empty lines, gaps, a last line cut short.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bladerun._lib.file_kinds import OPENSIM, described
from bladerun._lib.files import content_of
from bladerun.errors import InputError

_MOST_BYTES = 500_000_000  # ten minutes of two plates at 1 kHz have 100 million
_MISSING = frozenset(["", "-", "na", "n/a", "#n/a", "none", "null", "1.#qnan", "-1.#ind", "1.#inf"])
_UNIT = re.compile(r"^(.*?)\s*[\[(]\s*([^\])]*?)\s*[\])]$")
_TIMES = {"time": 1.0, "t": 1.0, "time_s": 1.0, "time_ms": 1e-3}
_SECONDS = {"": 1.0, "s": 1.0, "sec": 1.0, "ms": 1e-3}


class Table(NamedTuple):
    """Columns of numbers with their names. head: the lines above; lines: (rows,) where each row stands in the
    file, from 1; values: (rows, columns), NaN in gaps.
    """

    file: Path
    head: tuple[str, ...]
    names: tuple[str, ...]
    lines: np.ndarray
    values: np.ndarray
    notes: tuple[str, ...] = ()


def lines_of(path: str | Path) -> list[str]:
    """The lines of a text file in UTF-8, UTF-16 or, where it is neither, Latin-1; InputError for others."""
    content = content_of(path, _MOST_BYTES)
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace").splitlines()
    what = described(content) or ("a binary file" if b"\0" in content else OPENSIM)
    if what != OPENSIM:
        raise InputError(f"not motion but {what}; .mot, .sto, .trc, .csv and .c3d are read", file=path)
    try:
        return content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        return content.decode("latin-1").splitlines()


def table(path: Path, lines: Sequence[str], at: int, names: Sequence[str] | None = None) -> Table:
    """The table whose names stand in `lines[at]`, or are given. Raises InputError with the line and column of
    what is no number."""
    between = _separator(lines[at])
    known = tuple(names or _words(lines[at], between))
    while known and not known[-1]:
        known = known[:-1]
    if twice := {name for name in known if known.count(name) > 1}:
        raise InputError(f"{min(twice)!r} stands over two columns; each name once", file=path)
    numbers = [n for n in range(at + 1, len(lines)) if lines[n].strip()]
    rows, notes = [], []
    for n in numbers:
        cells = _cells(lines[n], between, len(known))
        if len(cells) != len(known):
            if n == numbers[-1]:
                notes.append(f"line {n + 1}: cut short, left out")
                numbers = numbers[:-1]
                break
            raise InputError(f"line {n + 1} has {len(cells)} values, not {len(known)}", file=path)
        rows.append([_number(cell, between, path, n, name) for cell, name in zip(cells, known, strict=True)])
    if not rows:
        raise InputError("no rows of numbers under the names of the columns", file=path)
    head = tuple(line.strip() for line in lines[:at])
    return Table(path, head, known, np.array(numbers) + 1, np.array(rows), tuple(notes))


def name_and_unit(name: str) -> tuple[str, str]:
    """`("knee_angle_r", "deg")` of `knee_angle_r (deg)`; the unit is "" where there is none."""
    match = _UNIT.match(name)
    return (match[1], match[2]) if match else (name.strip(), "")


def is_time(name: str) -> bool:
    """Whether a column of this name is the time."""
    return name_and_unit(name)[0].lower() in _TIMES


def in_time(found: Table) -> tuple[np.ndarray, Table]:
    """The time (rows,) in s, ascending, and the other columns; rows whose time stands there already are left
    out. Raises InputError where there is no time, or it runs back."""
    column = next((i for i, name in enumerate(found.names) if is_time(name)), None)
    if column is None:
        raise InputError("no column is called time", file=found.file)
    name, unit = name_and_unit(found.names[column])
    if unit.lower() not in _SECONDS:
        raise InputError(f"{unit!r} is not allowed; s or ms", file=found.file, key=name)
    time = found.values[:, column] * _SECONDS[unit.lower()] * _TIMES[name.lower()]
    if np.isnan(time).any():
        line = found.lines[np.isnan(time)][0]
        raise InputError(f"line {line} has no time", file=found.file)
    steps = np.diff(time)
    if (steps < 0).any():
        line = found.lines[1:][steps < 0][0]
        raise InputError(
            f"line {line}: time runs back; rows have to be in the order of time", file=found.file
        )
    kept = np.append(True, steps > 0)
    notes = found.notes
    if not kept.all():
        notes += (f"{(~kept).sum()} rows repeat a time and are left out, from line {found.lines[~kept][0]}",)
    if kept.sum() < 10:
        raise InputError(f"{kept.sum()} moments are not allowed; at least 10", file=found.file)
    names = found.names[:column] + found.names[column + 1 :]
    values = np.delete(found.values, column, axis=1)[kept]
    return time[kept], found._replace(names=names, values=values, lines=found.lines[kept], notes=notes)


def _separator(line: str) -> str | None:
    """What stands between the columns of a line: a tab, a semicolon, a comma, or blanks (None)."""
    return next((mark for mark in "\t;," if mark in line), None)


def _words(line: str, between: str | None) -> list[str]:
    return [word.strip().strip('"') for word in line.split(between)]


def _cells(line: str, between: str | None, count: int) -> list[str]:
    cells = _words(line, between)
    while len(cells) > count and not cells[-1]:
        cells.pop()
    if len(cells) != count and between == "\t":
        blanks = line.split()
        return blanks if len(blanks) == count else cells
    return cells


def _number(cell: str, between: str | None, path: Path, n: int, name: str) -> float:
    try:
        value = float(cell if between == "," else cell.replace(",", "."))
    except ValueError:
        if cell.lower() in _MISSING:
            return np.nan
        raise InputError(f"line {n + 1}: {cell[:40]!r} is not a number", file=path, key=name) from None
    return value if np.isfinite(value) else np.nan
