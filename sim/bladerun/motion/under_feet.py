"""Whether measured forces act where the feet are.

Takes `Forces` and a `Posed`; gives the forces, turned where their axes are left-handed, or an `InputError`
where they act elsewhere.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bladerun._lib.data_files import toml
from bladerun.errors import InputError
from bladerun.motion.contacts import contacts_of
from bladerun.motion.posed import Posed, turned
from bladerun.motion.records import Forces

_MIRROR = np.array([1.0, -1.0, 1.0])


def under_feet(forces: Forces, posed: Posed) -> tuple[Forces, list[str]]:
    """The forces and what was done to them. Raises InputError where they act far from the standing foot."""
    feet, centres = _pairs(forces, posed)
    if not len(feet):
        return forces, []
    limits, notes = toml("motion.toml")["under_feet"], []
    aside, mirrored = (np.median(np.abs(sign * centres[:, 1] - feet[:, 1])) for sign in (1.0, -1.0))
    if mirrored < limits["aside_m"] < aside / 2:
        forces = replace(forces, plates=tuple(_mirrored(plate, posed.quarters) for plate in forces.plates))
        centres = centres * _MIRROR[:2]
        notes.append("forces act under the feet once left and right are turned: their axes are left-handed")
    away = float(np.median(np.linalg.norm(centres - feet, axis=1)))
    if away > limits["away_m"]:
        raise InputError(
            f"forces act {away:.1f} m from the standing foot; axes and origin have to be those of the motion"
        )
    return forces, notes


def _pairs(forces: Forces, posed: Posed) -> tuple[np.ndarray, np.ndarray]:
    """(n, 2) places of the ankle, or the knee over a blade, and centres of pressure, in the middle of each
    contact that has both."""
    feet, centres = [], []
    for plate in forces.plates:
        point = turned(plate.point_m, posed.quarters)[:, :2]
        for contact in contacts_of(forces.time_s, plate, posed):
            time = (contact.down + contact.up) / 2
            end = next(b for b in ("foot", "shank") if posed.has_body(f"{b}_{contact.side[0]}"))
            feet.append(posed.body_at(f"{end}_{contact.side[0]}", np.array([time]))[0, :2])
            centres.append(point[np.abs(forces.time_s - time).argmin()])
    both = np.hstack([np.reshape(feet, (-1, 2)), np.reshape(centres, (-1, 2))])
    both = both[np.isfinite(both).all(1)]
    return both[:, :2], both[:, 2:]


def _mirrored(plate, quarters: int):
    """The plate with left and right exchanged in the axes of the runner."""
    force, point = (
        turned(turned(values, quarters) * _MIRROR, -quarters) for values in (plate.force_n, plate.point_m)
    )
    free = None if plate.free_nm is None else -plate.free_nm
    return replace(plate, force_n=force, point_m=point, free_nm=free)
