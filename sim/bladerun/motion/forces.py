"""Ground forces of a table, by OpenSim's names of them.

Takes time and a table as `bladerun.motion.tables` gives them; gives `Forces`. Names are a force
(`ground_force_vx`) and its point (`ground_force_px`), with what tells one plate from another anywhere in
them: `1_ground_force_vx`, `ground_force_r_vx`, `right_ground_force_vx`.
"""

from __future__ import annotations

import re

import numpy as np

from bladerun.errors import InputError
from bladerun.motion.records import Forces, Plate
from bladerun.motion.tables import Table, name_and_unit

_NAME = re.compile(r"^(.*?)ground_(force|torque|moment)_(.*?)([vpm]?)([xyz])$", re.IGNORECASE)
_SIDES = {"right": "right", "r": "right", "left": "left", "l": "left"}
_UNITS = {
    "v": {"": 1.0, "n": 1.0, "kn": 1e3},
    "p": {"": 1.0, "m": 1.0, "cm": 0.01, "mm": 0.001},
    "t": {"": 1.0, "nm": 1.0, "nmm": 1e-3},
}
_ALLOWED = {"v": "N or kN", "p": "m, cm or mm", "t": "Nm or Nmm"}
_FAR_M = 300.0  # a point farther off is in mm: no laboratory is so long
_TO_HERE = {"y": ([0, 2, 1], [1, -1, 1]), "z": ([0, 1, 2], [1, 1, 1])}  # by what is up: axes, their senses


def is_force(name: str) -> bool:
    """Whether a column of this name is part of a ground force."""
    return _NAME.match(name_and_unit(name)[0]) is not None


def forces(time: np.ndarray, found: Table) -> Forces:
    """Each plate's. Raises InputError where a force lacks a component, or none carries anybody."""
    notes, plates = [*found.notes], []
    for name, columns in _plates(found).items():
        force = np.column_stack([columns[f"v{axis}"] for axis in "xyz"])
        nothing = np.full(len(time), np.nan)
        point = np.column_stack([columns.get(f"p{axis}", nothing) for axis in "xyz"])
        if np.nanmax(np.abs(point), initial=0.0) > _FAR_M:
            point = point * 1e-3
            notes.append(f"points of {name or 'the plate'} lie {_FAR_M:g} and more away: taken as mm")
        side = next((_SIDES[word] for word in re.split(r"[_\s]", name.lower()) if word in _SIDES), "")
        torque = np.column_stack([columns.get(f"t{axis}", np.zeros(len(time))) for axis in "xyz"])
        plates.append((Plate(name, side, np.nan_to_num(force), point), torque))
    mean = np.sum([plate.force_n.mean(0) for plate, _ in plates], axis=0)
    up = "xyz"[int(np.abs(mean).argmax())]
    if up not in _TO_HERE:
        raise InputError("the greatest force is along x, which runs forward; y or z is up", file=found.file)
    if up == "z":
        notes.append("the greatest force is along z: axes are taken as x forward, y left, z up")
    (axes, senses), sign = _TO_HERE[up], float(np.sign(mean["xyz".index(up)]))
    if sign < 0:
        notes.append("forces point down, as on the plate: turned to those on the runner")
    turned = tuple(
        Plate(
            p.name,
            p.side,
            sign * p.force_n[:, axes] * senses,
            p.point_m[:, axes] * senses,
            sign * torque[:, "xyz".index(up)],
        )
        for p, torque in plates
    )
    return Forces(time, turned, tuple(notes))


def _plates(found: Table) -> dict[str, dict[str, np.ndarray]]:
    """Columns by plate, as `vx` ... `pz`, and `tx` ... of torques, in N, m and Nm."""
    plates: dict[str, dict[str, np.ndarray]] = {}
    for i, whole in enumerate(found.names):
        name, unit = name_and_unit(whole)
        match = _NAME.match(name)
        if match is None:
            continue
        what = match[4].lower() if match[2].lower() == "force" else "t"
        if what not in _UNITS:
            continue
        if unit.lower() not in _UNITS[what]:
            raise InputError(f"unit {unit!r} is not allowed; {_ALLOWED[what]}", file=found.file, key=name)
        columns = plates.setdefault(f"{match[1]}{match[3]}".strip("_ "), {})
        columns[what + match[5].lower()] = found.values[:, i] * _UNITS[what][unit.lower()]
    plates = {name: columns for name, columns in plates.items() if {k[0] for k in columns} != {"t"}}
    for name, columns in plates.items():
        for axis in "xyz":
            if f"v{axis}" not in columns:
                raise InputError(f"no column ends in v{axis}; a force has three", file=found.file, key=name)
    if not plates:
        raise InputError("no column is a ground force, such as ground_force_vx", file=found.file)
    return plates
