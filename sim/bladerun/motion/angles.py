"""Joint angles of a table, by whatever usual names they have there.

Takes time and a table as `bladerun.motion.tables` gives them; gives a `Motion`. In the file x is forward, y
up and z to the right, tilt is backward and list right hip down, as in OpenSim.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np

from bladerun._lib.data_files import toml
from bladerun.body.joints import side_of, without_side
from bladerun.errors import InputError
from bladerun.motion.records import Motion
from bladerun.motion.tables import Table, name_and_unit

_TURNS = {"pelvis_tilt": -1.0, "pelvis_list": -1.0, "pelvis_rotation": 1.0}
_PLACES = ("pelvis_tx", "pelvis_ty", "pelvis_tz")
_METRES = {"": 1.0, "m": 1.0, "cm": 0.01, "mm": 0.001}
_DEGREES = {"deg": True, "degrees": True, "°": True, "rad": False, "radians": False}
_BIG = ("hip_flexion", "knee_flexion")  # joints that move much in any gait
_HEAD = "indegrees"


def angles(time: np.ndarray, found: Table) -> Motion:
    """Those coordinates that a runner here has; the others are named in a note. Raises InputError where there
    are none, or the header says another unit than the numbers."""
    columns, ignored = _known(found)
    turning = {name: column for name, column in columns.items() if not _slides(name)}
    if not turning:
        known = ", ".join(sorted(_names())[:6])
        raise InputError(
            f"no column is a joint angle or a ground force; known are {known}, ...", file=found.file
        )
    notes = [*found.notes]
    units = {name: name_and_unit(found.names[column])[1].lower() for name, column in columns.items()}
    degrees = _in_degrees(found, turning, notes)
    joints: dict[str, np.ndarray] = {}
    for name, column in columns.items():
        values, unit = found.values[:, column], units[name]
        if np.isnan(values).all():
            notes.append(f"{name} has no value and is left out")
        elif _slides(name):
            joints[name] = values * _factor(_METRES, unit, found, name)
        else:
            turned = _factor(_DEGREES, unit, found, name) if unit else degrees
            joints[name] = _TURNS.get(name, 1.0) * (np.radians(values) if turned else values)
    for name in [name for name in joints if without_side(name) == "knee_flexion"]:
        if np.nanmedian(joints[name]) < 0:
            joints[name] = -joints[name]
            notes.append(f"{name} is negative in flexion in the file; its sign is turned")
    place = [joints.pop(name, np.full(len(time), np.nan)) for name in _PLACES]
    pelvis = np.column_stack([place[0], -place[2], place[1]])
    if ignored:
        notes.append(f"left out, no joint of a runner here: {', '.join(sorted(ignored))}")
    return Motion(time, joints, pelvis, tuple(notes))


def _known(found: Table) -> tuple[dict[str, int], list[str]]:
    """Columns by this project's names, and names of those that are no joint of it."""
    columns: dict[str, int] = {}
    ignored = []
    for i, whole in enumerate(found.names):
        parts = [part for part in name_and_unit(whole)[0].split("/") if part]
        if parts[-1:] in (["speed"], ["activation"], ["fiber_length"]):
            continue  # of a file of states
        word = (parts[:-1] if parts[-1:] == ["value"] else parts)[-1:] or [whole]
        name = _joint(word[0])
        if name is None:
            ignored.append(word[0])
        elif name in columns:
            raise InputError(f"{found.names[columns[name]]!r} and {whole!r} are both {name}; one is allowed",
                             file=found.file)  # fmt: skip
        else:
            columns[name] = i
    return columns, ignored


def _joint(word: str) -> str | None:
    """This project's name of a coordinate, None where it has no such joint."""
    name = word.lower()
    if name in _TURNS or name in _PLACES or name.startswith(toml("motion.toml")["kinds"]["prosthesis"]):
        return name
    joint = _names().get(without_side(name))
    return joint and joint + name[len(without_side(name)) :]


@cache
def _names() -> Mapping[str, str]:
    """This project's name of a joint by every name it goes by, without sides."""
    table = toml("motion.toml")["names"]
    return {word: joint for joint, others in table.items() for word in (joint, *others)}


def _slides(name: str) -> bool:
    return name in _PLACES or without_side(name) in toml("motion.toml")["kinds"]["slides"]


def _in_degrees(found: Table, turning: Mapping[str, int], notes: list[str]) -> bool:
    """Whether turns without a unit of their own are in degrees: by the header, else by how far they go."""
    said = {line.lower().replace(" ", "") for line in found.head if line.lower().startswith(_HEAD)}
    header = True if f"{_HEAD}=yes" in said else False if f"{_HEAD}=no" in said else None
    big = [i for name, i in turning.items() if without_side(name) in _BIG and side_of(name)]
    moved = [
        np.ptp(column[~np.isnan(column)]) for column in found.values[:, big].T if not np.isnan(column).all()
    ]
    if not moved:
        if header is None:
            notes.append("no header says the unit of angles: taken as degrees")
        return header is not False
    seen = bool(max(moved) > toml("motion.toml")["angles"]["least_deg"])
    if header is None:
        notes.append(f"no header says the unit of angles: by their size {'degrees' if seen else 'radians'}")
    elif header != seen:
        raise InputError(
            f"the header says inDegrees={'yes' if header else 'no'}, but hips and knees move by "
            f"{max(moved):.3g} at most, as in {'degrees' if seen else 'radians'}",
            file=found.file,
        )
    return seen


def _factor(known: Mapping[str, float], unit: str, found: Table, name: str) -> float:
    if unit not in known:
        raise InputError(
            f"unit {unit!r} is not allowed; {', '.join(filter(None, known))}", file=found.file, key=name
        )
    return known[unit]
