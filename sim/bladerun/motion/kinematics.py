"""Inverse kinematics: the posture in which a runner's model comes closest to measured markers.

Takes `Markers` and a `Model`; gives the `Motion` of the joints that the markers tell of, and the model with
segments as long as theirs.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bladerun._lib.data_files import toml
from bladerun.model import Model
from bladerun.motion.calibration import calibrated
from bladerun.motion.heading import face_forward
from bladerun.motion.marked import Marked
from bladerun.motion.marker_sets import Marker, marker_set
from bladerun.motion.records import Forces, Markers, Motion

_ROOT = 6
_MOST_SEEN = 0.9  # of the most markers that are seen at once


def posture(
    found: Markers,
    model: Model,
    mapping: str | Path | None = None,
    standing: Markers | None = None,
) -> tuple[Motion, Model, Forces | None]:
    """What the markers say of the runner.

    Parameters
    ----------
    found
        Markers of a runner.
    model
        Who runs, on what; segments are scaled to the markers.
    mapping
        A TOML file that says where markers are: their names, and a place of the body each.
    standing
        The same runner standing, with markers that were taken off to run.

    Returns
    -------
    Motion, Model, Forces or None
        Joint angles, NaN where markers do not tell them; the model whose angles they are; forces of the same
        file, in the same axes.

    Raises
    ------
    InputError
        Where too few markers are known, or they do not tell where the pelvis is.
    """
    more = standing.position_m if standing else {}
    markers, notes = marker_set(model, dict.fromkeys([*found.position_m, *more]), mapping)
    found, quarters, seen = _seen(found, markers, model)
    looked = _moments(seen)
    shown = seen[looked]
    if standing:
        still = _seen(standing, markers, model)[2]
        shown = np.concatenate([still[_moments(still)], shown])
    fit = calibrated(model, markers, shown)
    q = _tracked(fit.body, fit.q[-len(looked) :], looked, seen)
    residual = _residuals(fit.body, markers, q, seen)
    notes += [*fit.notes, *_said(residual)]
    joints = _told(fit.body, fit.model, q, seen)
    motion = Motion(found.time_s, joints, _midway(fit.body, q), (*found.notes, *notes), quarters, residual)
    return motion, fit.model, found.forces


def _seen(found: Markers, markers: list[Marker], model: Model) -> tuple[Markers, int, np.ndarray]:
    """The markers of a runner who faces forward, quarters turned, and (N, markers, 3) where each was seen."""
    mine = [each for each in markers if each.name in found.position_m]
    known = [each for each in mine if np.isfinite(each.at_m).all()]
    found, quarters = face_forward(found, known, model.mj)
    nowhere = np.full((len(found.time_s), 3), np.nan)
    places = [found.position_m.get(each.name, nowhere) for each in markers]
    return found, quarters, np.stack(places, axis=1)


def _moments(seen: np.ndarray) -> np.ndarray:
    """Some moments, evenly apart, of those that show most markers."""
    count = np.isfinite(seen).all(2).sum(1)
    best = np.flatnonzero(count >= _MOST_SEEN * count.max())
    wanted = min(toml("landmarks.toml")["fit"]["moments"], len(best))
    return best[np.unique(np.linspace(0, len(best) - 1, wanted).round().astype(int))]


def _tracked(body: Marked, started: np.ndarray, looked: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """(N, nq) the posture at each moment, each from the one before; NaN where too few markers are seen."""
    q = np.full((len(seen), started.shape[1]), np.nan)
    held = started[0]
    at = {int(k): posture for k, posture in zip(looked, started, strict=True)}
    for k, each in enumerate(seen):
        if k in at:  # where a posture is known already, go on from the nearer one
            held = min((held, at[k]), key=lambda p: np.nansum(np.square(body.places(p) - each)))
        if np.isfinite(each).all(1).sum() >= 3:
            held = body.closest(held, each)
            q[k] = held
    return q


def _told(body: Marked, model: Model, q: np.ndarray, seen: np.ndarray) -> dict[str, np.ndarray]:
    """Angles by joint, NaN at moments whose markers leave them unsure."""
    limit = np.radians(toml("landmarks.toml")["fit"]["joint_deg"])
    missing = (~np.isfinite(seen).all(2)).sum(1)
    values = np.where(body.free, q, np.nan)
    sprung = np.array(model.joint_data.part) == "blade"
    for k in np.flatnonzero((missing > np.median(missing)) & np.isfinite(q).all(1)):
        gone = (body.unsure(q[k], seen[k]) > limit) & ~sprung
        values[k, gone] = np.nan
        if gone[:_ROOT].any():
            values[k] = np.nan
    return {model.joints[j]: values[:, j] for j in range(3, len(model.joints)) if body.free[j]}


def _residuals(body: Marked, markers: list[Marker], q: np.ndarray, seen: np.ndarray) -> dict[str, float]:
    """RMS in mm of each marker that counts and is seen."""
    away = np.array([body.places(p) - s for p, s in zip(q, seen, strict=True)])
    there = ~body.unused & np.isfinite(away).all(2).any(0)
    rms = np.sqrt(np.nanmean((away[:, there] ** 2).sum(2), axis=0)) * 1e3
    names = [each.name for each, yes in zip(markers, there, strict=True) if yes]
    return dict(zip(names, rms.tolist(), strict=True))


def _said(residual: dict[str, float]) -> list[str]:
    whole = np.sqrt(np.mean(np.square(list(residual.values()))))
    notes = [f"markers are {whole:.0f} mm from their places on the model, root mean square"]
    much = toml("landmarks.toml")["fit"]["much_m"] * 1e3
    if bad := [f"{name} {mm:.0f} mm" for name, mm in residual.items() if mm > much]:
        notes.append(f"markers that fit badly: {', '.join(bad)}")
    return notes


def _midway(body: Marked, q: np.ndarray) -> np.ndarray:
    """(N, 3) the point midway between the ASIS."""
    sites = [body.mj.site(name).id for name in ("asis_r", "asis_l")]
    found = np.full((len(q), 3), np.nan)
    for k in np.flatnonzero(np.isfinite(q).all(1)):
        body.places(q[k])
        found[k] = body.data.site_xpos[sites].mean(0)
    return found
