"""A runner's model with markers on it, and the posture that comes closest to where they are seen.

Takes a `Model` and `Marker`s; gives postures by least squares within the ranges of joints
(`mujoco.minimize`).
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import mujoco
import numpy as np
from mujoco import minimize

from bladerun._lib.data_files import toml
from bladerun.model import Model
from bladerun.motion.marker_sets import Marker

RIDGE = 0.01
"""SD 100 rad or m: holds what no marker tells near where it was, and does not move what one tells."""
_NEVER = ("tendon", "socket", "knee unit")  # parts that markers do not tell of
_FREE = 1e3  # a bound that is none


class Marked:
    """A model with markers on it, the places of which may be moved.

    free: (nq,) True for joints that are fitted; the others stand still. unused: (markers,) True for those
    that count for nothing. weight: one over a marker's SD; spring: (nq,) the same of joints that a spring
    holds.
    """

    def __init__(self, model: Model, markers: Sequence[Marker]):
        self.mj, self.data = copy.copy(model.mj), mujoco.MjData(model.mj)
        self.bodies = np.array([each.body for each in markers])
        self.at = np.array([each.at_m for each in markers])
        self.sure = np.isfinite(self.at).all(1)
        fit = toml("landmarks.toml")["fit"]
        self.weight = 1.0 / fit["marker_m"]
        parts = np.array(model.joint_data.part)
        springs = np.where(parts == "blade", self.mj.jnt_stiffness / (2 * fit["blade_j"]), 0.0)
        self.spring = np.sqrt(springs)
        self.free = ~np.isin(parts, _NEVER)
        ends = [b for b in range(self.mj.nbody) if self.mj.body(b).name.startswith("blade")]
        for side in "rl":  # a blade bends by a marker behind its last hinge
            last = max((b for b in ends if self.mj.body(b).name.endswith(f"_{side}")), default=-1)
            if last not in self.bodies:
                self.free &= ~model.joint_data.of(part="blade", side={"r": "right", "l": "left"}[side])
        limited = self.mj.jnt_limited.astype(bool)
        self.low = np.where(limited, self.mj.jnt_range[:, 0], -_FREE)
        self.high = np.where(limited, self.mj.jnt_range[:, 1], _FREE)
        self.slide = self.mj.jnt_type == mujoco.mjtJoint.mjJNT_SLIDE
        above = np.zeros((self.mj.nbody, self.mj.nbody), bool)
        for body in range(1, self.mj.nbody):
            above[body] = above[self.mj.body_parentid[body]]
            above[body, body] = True
        self.unused = np.zeros(len(markers), bool)
        self.moves = above[self.bodies][:, self.mj.jnt_bodyid]

    def places(self, q: np.ndarray) -> np.ndarray:
        """(markers, 3) in space; leaves the data in that posture."""
        self.data.qpos[:] = q
        mujoco.mj_kinematics(self.mj, self.data)
        turn = self.data.xmat[self.bodies].reshape(-1, 3, 3)
        return self.data.xpos[self.bodies] + np.einsum("mij,mj->mi", turn, self.at)

    def jacobian(self, places: np.ndarray) -> np.ndarray:
        """(markers, 3, nq) of the places, in the posture that they were had in."""
        axis, arm = self.data.xaxis, places[:, None] - self.data.xanchor[None]
        turning = np.where(self.slide[:, None], axis, np.cross(axis[None], arm))
        return np.where(self.moves[:, :, None], turning, 0.0).transpose(0, 2, 1)

    def closest(self, start: np.ndarray, seen: np.ndarray, ridge: float = RIDGE) -> np.ndarray:
        """The posture nearest to places seen (markers, 3), NaN where not, from a start that it leans to."""
        free, known = self.free, np.isfinite(seen).all(1) & ~self.unused
        base = start.copy()

        def residual(x: np.ndarray) -> np.ndarray:
            found = []
            for column in x.T:
                q = base.copy()
                q[free] = column
                away = (self.places(q)[known] - seen[known]).ravel() * self.weight
                found.append(
                    np.concatenate([away, ridge * (column - base[free]), self.spring[free] * column])
                )
            return np.array(found).T

        def slope(x: np.ndarray, _: np.ndarray) -> np.ndarray:
            q = base.copy()
            q[free] = x[:, 0]
            rows = self.jacobian(self.places(q))[known][:, :, free].reshape(-1, int(free.sum()))
            own = np.diag(np.full(int(free.sum()), ridge))
            return np.vstack([rows * self.weight, own, np.diag(self.spring[free])])

        x, _ = minimize.least_squares(
            np.clip(start[free], self.low[free], self.high[free]), residual,
            [self.low[free], self.high[free]], slope, verbose=0, max_iter=50, xtol=1e-7, gtol=1e-6,
        )  # fmt: skip
        base[free] = np.ravel(x)
        return base

    def unsure(self, q: np.ndarray, seen: np.ndarray) -> np.ndarray:
        """(nq,) SD of each free joint, rad, by the markers seen alone; 0 of others."""
        known, free = np.isfinite(seen).all(1) & ~self.unused, self.free
        rows = self.jacobian(self.places(q))[known][:, :, free].reshape(-1, int(free.sum())) * self.weight
        told = rows.T @ rows + np.diag(1e-6 + self.spring[free] ** 2)
        sd = np.zeros(len(q))
        sd[free] = np.sqrt(np.diag(np.linalg.inv(told)))
        return np.where(self.slide, 0.0, sd)
