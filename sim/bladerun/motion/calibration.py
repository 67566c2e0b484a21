"""Lengths of a runner's segments, and places of markers on them, by some moments of a motion.

Takes a `Model`, `Marker`s and where they are seen; gives `Calibrated`. Postures, lengths and the places that
nobody knows are fitted together, so that markers of unknown place tell of joints as far as they can.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from mujoco import minimize

from bladerun._lib.data_files import toml
from bladerun.errors import InputError
from bladerun.model import Model
from bladerun.motion.marked import RIDGE, Marked
from bladerun.motion.marker_sets import Marker
from bladerun.motion.segments import factors_of, lengthen, lengthened, segment_of

_LEAST = ("toes", "arm", "trunk", "ankle", "hip", "knee", "pelvis")  # what is given up first
_LEANING = 0.3  # SD 3 rad: how a start that is a guess is held to
_ANYWHERE = 3.0  # SD 0.3 m of a place that nobody knows, about the body's joint
_BENT = {"knee_flexion_r": 0.5, "knee_flexion_l": 0.5, "elbow_flexion_r": 1.0, "elbow_flexion_l": 1.0}


class Calibrated(NamedTuple):
    """model: with segments as long as measured. body: it with all markers in their places. q: (moments, nq)
    its postures. notes: what was found and assumed.
    """

    model: Model
    body: Marked
    q: np.ndarray
    notes: tuple[str, ...]


def calibrated(model: Model, markers: Sequence[Marker], seen: np.ndarray) -> Calibrated:
    """Fit to markers seen (moments, markers, 3), NaN where they are not. Raises InputError where they do not
    tell how the pelvis stands."""
    fit = _Fit(model, markers, seen)
    postures, factor, at = fit.solved()
    notes = [
        "segments by the markers: " + ", ".join(f"{n} {100 * (f - 1):+.0f} %" for n, f in factor.items())
    ]
    dropped = fit.not_told()
    if dropped:
        notes.append(f"not told by the markers and left out: {', '.join(model.joints[j] for j in dropped)}")
        on_trunk = [model.mj.body(int(b)).name == "torso" for b in fit.body.bodies]
        if any(model.joints[j].startswith("lumbar") for j in dropped) and any(on_trunk):
            notes.append("too few markers are on the pelvis: it is taken to lean as the trunk does")
    new = lengthened(model, factor)
    each = factors_of(model.mj, factor)[fit.body.bodies][:, None]
    body = Marked(new, [m._replace(at_m=p) for m, p in zip(markers, at * each, strict=True)])
    body.sure = fit.body.sure
    body.unused = ~body.sure & body.moves[:, dropped].any(1)
    body.free = fit.body.free.copy()
    body.free[dropped] = False
    postures[:, dropped] = 0.0
    return Calibrated(new, body, postures, tuple(notes))


class _Fit:
    """Least squares over [postures, factors of segments, places that nobody knows]."""

    def __init__(self, model: Model, markers: Sequence[Marker], seen: np.ndarray):
        self.model, self.seen, self.known = model, seen, np.asarray(np.isfinite(seen).all(2))
        self.body = Marked(model, markers)
        self.free = np.flatnonzero(self.body.free)
        mj = model.mj
        bodies = range(1, mj.nbody)
        self.names = list(dict.fromkeys(filter(None, (segment_of(mj, body) for body in bodies))))
        self.given, self.unsure = self.body.at.copy(), np.flatnonzero(~self.body.sure)
        self.given[self.unsure] = 0.0
        self.prior = toml("landmarks.toml")["fit"]["segment_share"]
        self.cut = np.cumsum([len(seen) * len(self.free), len(self.names)])
        self.x = np.zeros(0)

    def solved(self) -> tuple[np.ndarray, dict[str, float], np.ndarray]:
        """Postures, factor by segment that markers tell of, places (markers, 3) before lengthening."""
        body, count = self.body, len(self.seen)
        self.start = self._started()
        x = np.concatenate(
            [self.start[:, self.free].ravel(), np.ones(len(self.names)), self._local(self.start).ravel()]
        )
        far = np.full(3 * len(self.unsure), 2.0)
        low = np.concatenate([np.tile(body.low[self.free], count), np.full(len(self.names), 0.5), -far])
        high = np.concatenate([np.tile(body.high[self.free], count), np.full(len(self.names), 1.5), far])
        x, _ = minimize.least_squares(
            np.clip(x, low, high), self._residual, [low, high], self._slope, verbose=0, max_iter=30,
            xtol=1e-6, gtol=1e-5,
        )  # fmt: skip
        self.x = np.ravel(x)
        postures, factors, at = self._parts(self.x)
        mj = self.model.mj
        on = {int(b) for b in body.bodies[body.sure]}
        told = {segment_of(mj, b) for b in on | {int(mj.body_parentid[b]) for b in on}}
        return postures, {n: float(f) for n, f in zip(self.names, factors, strict=True) if n in told}, at

    def not_told(self) -> list[int]:
        """Joints that all this leaves less sure than allowed, those of the least parts first."""
        limit = np.radians(toml("landmarks.toml")["fit"]["joint_deg"])
        parts = np.array(self.model.joint_data.part)
        slope, size = self._slope(self.x[:, None], None), len(self.free)
        told, dropped = slope.T @ slope, []
        joint = np.concatenate([np.tile(self.free, len(self.seen)), np.full(len(self.x) - self.cut[0], -1)])
        while True:
            kept = ~np.isin(joint, dropped)
            sd = np.zeros(len(joint))
            sd[kept] = np.sqrt(np.diag(np.linalg.inv(told[np.ix_(kept, kept)])))
            usual = np.zeros(len(parts))
            usual[self.free] = np.median(sd[: self.cut[0]].reshape(-1, size), axis=0)
            bad = (usual > limit) & np.isin(parts, _LEAST) & ~self.body.slide
            if not bad.any():
                return dropped
            part = next(each for each in _LEAST if (bad & (parts == each)).any())
            if part == "pelvis":
                raise InputError("the markers do not tell how the pelvis stands; three of pelvis or trunk do")
            dropped.append(int(np.where(bad & (parts == part), usual, 0.0).argmax()))

    def _started(self) -> np.ndarray:
        """(moments, nq) by the markers of known place alone, each from a runner's usual bend."""
        model, found = self.model, []
        first = Marked(model, self._known_markers())
        start = np.zeros(model.mj.nq)
        for name, angle in _BENT.items():
            if name in model.joints:
                start[model.joints.index(name)] = angle
        for each in self.seen[:, self.body.sure]:
            there = start.copy()
            there[:3] += np.nanmean(each - first.places(start), axis=0)
            found.append(first.closest(there, each, ridge=_LEANING))
        return np.array(found)

    def _known_markers(self) -> list[Marker]:
        body = self.body
        return [Marker("", int(body.bodies[m]), body.at[m]) for m in np.flatnonzero(body.sure)]

    def _local(self, postures: np.ndarray) -> np.ndarray:
        """(unsure, 3) the middle of where these postures have the markers of unknown place."""
        body, mine = self.body, self.unsure
        found = np.full((len(postures), len(mine), 3), np.nan)
        for k, q in enumerate(postures):
            body.places(q)
            turn = body.data.xmat[body.bodies[mine]].reshape(-1, 3, 3)
            away = self.seen[k, mine] - body.data.xpos[body.bodies[mine]]
            found[k] = np.einsum("mji,mj->mi", turn, away)
        seen = np.isfinite(found).any((0, 2))
        middle = np.zeros((len(mine), 3))
        middle[seen] = np.nanmedian(found[:, seen], axis=0)
        return middle

    def _parts(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        postures, at = self.start.copy(), self.given.copy()
        postures[:, self.free] = x[: self.cut[0]].reshape(len(self.seen), -1)
        at[self.unsure] = x[self.cut[1] :].reshape(-1, 3)
        return postures, x[self.cut[0] : self.cut[1]], at

    def _scale(self, factors: np.ndarray, at: np.ndarray) -> None:
        factor = dict(zip(self.names, factors, strict=True))
        lengthen(self.body.mj, self.model.mj, factor)
        self.body.at = at * factors_of(self.model.mj, factor)[self.body.bodies][:, None]

    def _residual(self, x: np.ndarray) -> np.ndarray:
        found, body = [], self.body
        for column in x.T:
            postures, factors, at = self._parts(column)
            self._scale(factors, at)
            away = [
                ((body.places(p) - s)[k] * body.weight).ravel()
                for p, s, k in zip(postures, self.seen, self.known, strict=True)
            ]
            held = RIDGE * (column[: self.cut[0]] - self.start[:, self.free].ravel())
            bent = (body.spring * postures)[:, self.free].ravel()
            lengths, places = (factors - 1) / self.prior, _ANYWHERE * column[self.cut[1] :]
            found.append(np.concatenate([*away, held, bent, lengths, places]))
        return np.array(found).T

    def _slope(self, x: np.ndarray, _: np.ndarray | None) -> np.ndarray:
        postures, factors, at = self._parts(x[:, 0])
        body, size, rows = self.body, len(self.free), []
        for k, q in enumerate(postures):
            self._scale(factors, at)
            places, seen = body.places(q), self.known[k]
            each = factors_of(self.model.mj, dict(zip(self.names, factors, strict=True)))
            block = np.zeros((len(seen), 3, len(x)))
            block[:, :, k * size : (k + 1) * size] = body.jacobian(places)[:, :, self.free]
            for n, m in enumerate(self.unsure):
                turn = body.data.xmat[body.bodies[m]].reshape(3, 3) * each[body.bodies[m]]
                block[m, :, self.cut[1] + 3 * n : self.cut[1] + 3 * n + 3] = turn
            for s in range(len(self.names)):  # places are linear in the factors
                self._scale(factors + np.eye(len(factors))[s], at)
                block[:, :, self.cut[0] + s] = body.places(q) - places
            rows.append(block[seen].reshape(-1, len(x)) * body.weight)
        own = np.eye(len(x))
        bent = np.tile(body.spring[self.free], len(postures))[:, None] * own[: self.cut[0]]
        lengths = own[self.cut[0] : self.cut[1]] / self.prior
        return np.vstack([*rows, RIDGE * own[: self.cut[0]], bent, lengths, _ANYWHERE * own[self.cut[1] :]])
