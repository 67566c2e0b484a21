"""A file of measured motion, whatever it holds.

Takes a path, and for a CSV the mapping of its columns; gives a `Motion`, `Forces` or `Markers`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from bladerun._lib.kinds import Number, Record, Word
from bladerun._lib.toml_files import parse_toml
from bladerun.errors import InputError, nearest
from bladerun.motion.angles import angles
from bladerun.motion.c3d import is_c3d, laboratory
from bladerun.motion.forces import forces, is_force
from bladerun.motion.records import Forces, Markers, Motion
from bladerun.motion.tables import Table, in_time, is_time, lines_of, name_and_unit, table
from bladerun.motion.trc import is_trc, markers

_END = "endheader"


@dataclass(frozen=True)
class Column:
    """Where a quantity stands in a CSV.

    Parameters
    ----------
    column
        Its name there.
    unit
        Of its numbers; the column's own, or the usual one, where it is left out.
    sign
        -1 where it is positive in the other sense.
    """

    column: str
    unit: Annotated[str, Word(("", "deg", "rad", "m", "cm", "mm", "N", "kN", "s", "ms"), listed=True)] = ""
    sign: Annotated[float, Number(-1.0, 1.0, words="1 or -1")] = 1.0


def read(path: str | Path, *, columns: str | Path | None = None) -> Motion | Forces | Markers:
    """Read a file of joint angles, of ground forces, or of markers: its content says which it is.

    Parameters
    ----------
    path
        `.mot` or `.sto` as OpenSim, OpenCap, Pose2Sim and Sports2D write them; `.trc`; `.c3d`, of which
        `Markers` hold the force plates too; `.csv`.
    columns
        A TOML file that says what the columns of a CSV are, where they have other names: a section for each
        quantity, by OpenSim's name or this project's, `time` among them.

    Raises
    ------
    InputError
        With line and column, for what cannot be used.
    """
    path = Path(path)
    if is_c3d(path):
        return laboratory(path)
    lines = lines_of(path)
    if not any(line.strip() for line in lines):
        raise InputError("an empty file", file=path)
    if is_trc(lines):
        return markers(path, lines)
    found = table(path, lines, _line_of_names(path, lines))
    if columns is not None:
        found = _renamed(found, Path(columns))
    time, rest = in_time(_with_rows_said(found))
    if any(is_force(name) for name in rest.names):
        return forces(time, rest)
    return angles(time, rest)


def _line_of_names(path: Path, lines: list[str]) -> int:
    """Under OpenSim's `endheader`; without one the first line with a column called time, else the first."""
    for n, line in enumerate(lines):
        if line.strip().lower() == _END:
            below = [k for k in range(n + 1, len(lines)) if lines[k].strip()]
            if not below:
                raise InputError(f"ends after {_END}", file=path)
            return below[0]
    for n, line in enumerate(lines):
        if any(is_time(word.strip().strip('"')) for mark in "\t;, " for word in line.split(mark)):
            return n
    return next(n for n, line in enumerate(lines) if line.strip())


def _with_rows_said(found: Table) -> Table:
    """The table, with a note where its header promises more rows than there are."""
    for line in found.head:
        key, _, value = line.lower().replace(" ", "").partition("=")
        if key == "nrows" and value.isdecimal() and int(value) > len(found.values):
            note = f"the header says {value} rows, there are {len(found.values)}: the file ends early"
            return found._replace(notes=(*found.notes, note))
    return found


def _renamed(found: Table, mapping: Path) -> Table:
    """The table with the names that the mapping gives its columns, which keep theirs where it has none."""
    names, values = list(found.names), found.values.copy()
    plain = [name_and_unit(name)[0] for name in found.names]
    for quantity, entry in _entries(mapping).items():
        known = {**dict(zip(plain, range(len(plain)), strict=True)),
                 **dict(zip(found.names, range(len(plain)), strict=True))}  # fmt: skip
        if entry.column not in known:
            clause = nearest(entry.column, found.names)
            raise InputError(f"no column of {found.file} is called {entry.column!r}; {clause}",
                             file=mapping, key=f"[{quantity}] column")  # fmt: skip
        at = known[entry.column]
        unit = entry.unit or name_and_unit(found.names[at])[1]
        names[at] = f"{quantity} ({unit})" if unit else quantity
        values[:, at] *= entry.sign
    if twice := {name for name in names if names.count(name) > 1}:
        raise InputError(f"{min(twice)!r} is two columns of {found.file}; each once", file=mapping)
    return found._replace(names=tuple(names), values=np.asarray(values))


def _entries(mapping: Path) -> Mapping[str, Column]:
    document: dict[str, Any] = parse_toml(mapping)
    try:
        return {name: Record(Column).read(entry, f"[{name}]") for name, entry in document.items()}
    except InputError as error:
        raise error.at(mapping) from None
