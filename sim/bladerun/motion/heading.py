"""Which way a runner faces, stands and is handed, by the shape of what carries several markers.

Takes `Markers` and where they are on the body; gives them turned so that the runner faces +x, in right-handed
axes with z up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import mujoco
import numpy as np

from bladerun.errors import InputError
from bladerun.motion.marker_sets import Marker
from bladerun.motion.posed import turned
from bladerun.motion.records import Forces, Markers

_MIRROR = np.array([1.0, -1.0, 1.0])
_UPSIDE_DOWN = np.array([1.0, -1.0, -1.0])
_SURE = 1.2  # how much better mirrored axes have to fit
_FLAT_M = 0.02  # a body is thicker


def face_forward(found: Markers, known: Sequence[Marker], mj: Any) -> tuple[Markers, int]:
    """The markers, and by how many quarters about the vertical they were turned. known: those whose place on
    the body is known. Raises InputError where all lie in one plane."""
    places = np.stack([found.position_m[each.name] for each in known], axis=1)
    body, groups = _upright(mj, known)
    notes, signs = [], np.ones(3)
    height = np.nanmean(places[:, :, 2] - np.nanmean(places[:, :, 2], axis=1, keepdims=True), axis=0)
    if np.nansum(height * (body[:, 2] - body[:, 2].mean())) < 0:
        signs = signs * _UPSIDE_DOWN
        notes.append("feet are above the head in the file: turned upside down")
    if min(np.nanstd(places[:, :, axis]) for axis in (0, 1)) < _FLAT_M:
        raise InputError("the markers lie in one plane; use the joint angles (.mot) of a video of one view")
    fit = _fit(places[:, :, :2] * signs[:2], body[:, :2], groups)
    straight = np.hypot(fit[0, 0] + fit[1, 1], fit[1, 0] - fit[0, 1])
    mirrored = np.hypot(fit[0, 0] - fit[1, 1], fit[1, 0] + fit[0, 1])
    if mirrored > _SURE * straight:
        signs, fit = signs * _MIRROR, _MIRROR[:2, None] * fit
        notes.append("left and right fit the body once they are turned: the file's axes are left-handed")
    angle = float(np.arctan2(fit[1, 0] - fit[0, 1], fit[0, 0] + fit[1, 1]))
    quarters = round(-angle / (np.pi / 2)) % 4
    if quarters:
        notes.append(
            f"the runner faces {-90 * quarters % 360} deg from x: axes are turned so that x is forward"
        )
    position = {name: turned(place * signs, quarters) for name, place in found.position_m.items()}
    forces = found.forces and _forces(found.forces, signs, quarters)
    return replace(found, position_m=position, notes=(*found.notes, *notes), forces=forces), quarters


def _upright(mj: Any, known: Sequence[Marker]) -> tuple[np.ndarray, np.ndarray]:
    """(n, 3) where the markers are on the body standing upright, and (n,) what body each moves with,
    a joint's centre with the one above."""
    data = mujoco.MjData(mj)
    mujoco.mj_kinematics(mj, data)
    bodies = np.array([each.body for each in known])
    place = np.array([data.xpos[m.body] + data.xmat[m.body].reshape(3, 3) @ m.at_m for m in known])
    centre = np.array([np.linalg.norm(each.at_m) < 1e-6 for each in known])
    return place, np.where(centre & (mj.body_parentid[bodies] > 0), mj.body_parentid[bodies], bodies)


def _fit(places: np.ndarray, body: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """(2, 2) sum over moments and bodies of p m', p and m a marker's place about the middle of its body's."""
    total = np.zeros((2, 2))
    for group in np.unique(groups):
        mine = groups == group
        if mine.sum() < 2:
            continue
        seen = places[:, mine][np.isfinite(places[:, mine]).all((1, 2))]
        apart = seen - seen.mean(axis=1, keepdims=True)
        total += np.einsum("tmi,mj->ij", apart, body[mine] - body[mine].mean(0)) / max(len(seen), 1)
    return total


def _forces(forces: Forces, signs: np.ndarray, quarters: int) -> Forces:
    plates = tuple(
        replace(
            plate,
            force_n=turned(plate.force_n * signs, quarters),
            point_m=turned(plate.point_m * signs, quarters),
            free_nm=None if plate.free_nm is None else plate.free_nm * signs.prod() * signs[2],
        )
        for plate in forces.plates
    )
    return replace(forces, plates=plates)
