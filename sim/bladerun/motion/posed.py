"""A runner's body in the measured posture.

Takes a `Motion` and a `Model`; gives `Posed`: the model's joint positions over time, as far as they were
measured, running along +x.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import mujoco
import numpy as np
from scipy.interpolate import CubicSpline

from bladerun._lib.data_files import toml
from bladerun.body.joints import without_side
from bladerun.errors import InputError
from bladerun.model import Model
from bladerun.motion.records import Motion

_RESTING = ("arm", "toes", "tendon")  # parts that stand at zero where they were not measured
_STIFF = ("subtalar_inversion",)  # and joints, which some models of the foot have not
_QUARTER = np.pi / 2


@dataclass(frozen=True)
class Posed:
    """Joint positions q (N, nq) of the model at time (N,), NaN in gaps and where a joint was not measured.

    measured: (nq,) True where it was. quarters: by how many quarter turns about the vertical the file's axes
    were turned so that the runner faces +x.
    """

    model: Model
    time: np.ndarray
    q: np.ndarray
    measured: np.ndarray
    quarters: int
    notes: tuple[str, ...]

    @cached_property
    def _curves(self) -> dict[int, CubicSpline]:
        """By joint, through what was measured of it, across gaps too."""
        there = np.isfinite(self.q)
        return {
            int(j): CubicSpline(self.time[there[:, j]], self.q[there[:, j], j])
            for j in np.flatnonzero(self.measured)
        }

    def unknown(self, *more: str) -> np.ndarray:
        """(nq,) True where a joint was not measured and is not taken to rest; more: parts that rest too."""
        rests = np.isin(self.model.joint_data.part, (*_RESTING, *more))
        rests |= np.isin([without_side(joint) for joint in self.model.joints], _STIFF)
        return ~self.measured & ~rests

    def at(self, times: np.ndarray) -> np.ndarray:
        """(len(times), nq) positions between the rows, by cubic splines."""
        found = np.full((len(times), self.q.shape[1]), np.nan)
        for j, curve in self._curves.items():
            found[:, j] = curve(times)
        return found

    def at_joint(self, name: str, times: np.ndarray) -> np.ndarray:
        """The position of one joint; NaN where it was not measured."""
        j = self.model.joints.index(name)
        return self._curves[j](times) if self.measured[j] else np.full(len(times), np.nan)

    def has_body(self, name: str) -> bool:
        """Whether the model has a body of this name."""
        return mujoco.mj_name2id(self.model.mj, mujoco.mjtObj.mjOBJ_BODY, name) >= 0

    def body_at(self, name: str, times: np.ndarray) -> np.ndarray:
        """(len(times), 3) where a body's own joint is, m; NaN beyond a joint that was not measured."""
        data, places = mujoco.MjData(self.model.mj), np.zeros((len(times), 3))
        for k, q in enumerate(self.at(times)):
            data.qpos[:] = np.where(self.measured | self.unknown(), q, 0.0)
            mujoco.mj_kinematics(self.model.mj, data)
            places[k] = data.body(name).xpos
        return places

    def has(self, names: Iterable[str]) -> bool:
        """Whether all these joints are the model's and were measured."""
        return all(n in self.model.joints and self.measured[self.model.joints.index(n)] for n in names)

    def gap(self, start: float, end: float) -> bool:
        """Whether, from start to end, more is missing of a measured joint than may be bridged."""
        longest = toml("motion.toml")["gap"]["bridged_s"]
        for j in np.flatnonzero(self.measured):
            there = self.time[np.isfinite(self.q[:, j])]
            inside = there[(there > start) & (there < end)]
            if there[0] > start or there[-1] < end or (np.diff([start, *inside, end]) > longest).any():
                return True
        return False


def pose(motion: Motion, model: Model) -> Posed:
    """The model in this motion. Raises InputError where the motion has not the pelvis and no leg."""
    names = model.joints
    q = np.full((len(motion.time_s), len(names)), np.nan)
    for name, values in motion.joints.items():
        if name in names and np.isfinite(values).sum() >= 4:
            q[:, names.index(name)] = values
    notes = []
    if others := sorted(set(motion.joints) - set(names)):
        notes.append(f"left out, no joint of this runner: {', '.join(others)}")
    if not np.isfinite(
        q[:, [i for i, part in enumerate(model.joint_data.part) if part in ("hip", "knee")]]
    ).any():
        raise InputError("no angle of a hip or a knee")
    quarters = _face_forward(q, names, notes)
    _place(q, turned(motion.pelvis_m, quarters), model)
    turns = quarters + motion.quarters
    return Posed(model, motion.time_s, q, np.asarray(np.isfinite(q).any(0)), turns, tuple(notes))


def turned(vectors: np.ndarray, quarters: int) -> np.ndarray:
    """Vectors (..., 3) of the file in the axes of a `Posed`."""
    cos, sin = ((1, 0), (0, 1), (-1, 0), (0, -1))[quarters % 4]
    found = vectors.copy()
    found[..., :2] = vectors[..., :2] @ np.array([[cos, sin], [-sin, cos]])
    return found


def _face_forward(q: np.ndarray, names: tuple[str, ...], notes: list[str]) -> int:
    """Turn the pelvis' rotation by whole quarters so that its mean is nearest to forward; how many."""
    j = names.index("pelvis_rotation")
    there = np.isfinite(q[:, j])
    if not there.any():
        return 0
    mean = np.angle(np.exp(1j * q[there, j]).mean())
    quarters = round(-mean / _QUARTER) % 4
    q[there, j] = np.unwrap(q[there, j] + quarters * _QUARTER)
    q[:, j] -= 2 * np.pi * round(float(np.nanmean(q[:, j])) / (2 * np.pi))
    if quarters:
        notes.append(
            f"the runner faces {-90 * quarters % 360} deg from x: axes are turned so that x is forward"
        )
    return quarters


def _place(q: np.ndarray, asis: np.ndarray, model: Model) -> None:
    """Fill where the pelvis' own joints are, from the point midway between the ASIS and the pelvis' turns."""
    data, names = mujoco.MjData(model.mj), model.joints
    turns = [names.index(f"pelvis_{turn}") for turn in ("tilt", "list", "rotation")]
    sites = [model.mj.site(name).id for name in ("asis_r", "asis_l")]
    for k in np.flatnonzero(np.isfinite(q[:, turns]).all(1) & np.isfinite(asis).all(1)):
        data.qpos[:] = 0.0
        data.qpos[turns] = q[k, turns]
        mujoco.mj_kinematics(model.mj, data)
        q[k, :3] = asis[k] - data.site_xpos[sites].mean(0)
