"""Joint moments of a measured stride, by inverse dynamics.

Takes a `Posed`, motion and ground forces over a stride; gives the net moment at each joint, as a prediction
has them, and what is left over at the pelvis, where nothing should be.
"""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np

from bladerun._lib.data_files import toml
from bladerun.gait.periodic import Periodic
from bladerun.motion.posed import Posed
from bladerun.stride.motion_rows import SIDES

_ROOT = 6
_GIVEN = ("pelvis", "trunk", "hip", "knee", "ankle")  # of toes and blade no plate tells the share
_LIGHT = ("socket", "blade")


def joint_moments(
    posed: Posed,
    motion: tuple[np.ndarray, np.ndarray, np.ndarray],
    ground: tuple[np.ndarray, np.ndarray, np.ndarray],
    period: float,
) -> np.ndarray:
    """Net moments (N, nq) in Nm, of the pelvis in N and Nm what nothing accounts for.

    Parameters
    ----------
    posed
        Whose model moves, and what was measured of it.
    motion
        q, v, a (N, nq) over one stride.
    ground
        Of each side: force (N, 2, 3), N, centre of pressure (N, 2, 3), m, NaN in the air, and free moment
        (N, 2), Nm, all on the runner.
    period
        The time of the stride, s.

    Returns
    -------
    ndarray
        Low-passed (models/motion.toml [moments]); NaN of joints on whose motion, or below, something was not
        measured, and of all where a force has no place.
    """
    q, v, a = (np.nan_to_num(each) for each in motion)
    force, centre, free = ground
    mj, tau = posed.model.mj, np.full(q.shape, np.nan)
    loaded = np.abs(force).max(2) > 0
    if not np.isfinite(force).all() or not np.isfinite(centre[loaded]).all():
        return tau
    data, ends = mujoco.MjData(mj), [_end(mj, side) for side in SIDES]
    at = np.zeros((3, mj.nv)), np.zeros((3, mj.nv))
    for k in range(len(q)):
        data.qpos[:], data.qvel[:], data.qacc[:] = q[k], v[k], a[k]
        mujoco.mj_inverse(mj, data)
        tau[k] = data.qfrc_inverse + data.qfrc_passive  # springs are part of the net moment
        for s in np.flatnonzero(loaded[k]):
            mujoco.mj_jac(mj, data, *at, centre[k, s], ends[s])
            tau[k] -= at[0].T @ force[k, s] + at[1][2] * free[k, s]
    time = np.arange(len(q)) * period / len(q)
    cutoff = toml("motion.toml")["moments"]["smoothed_hz"]
    known = _known(posed)
    for j in range(mj.nv):
        curve = Periodic(tau[:, j], time, period).filtered(cutoff) if known[j] else None
        tau[:, j] = curve(time) if curve else np.nan
    return tau


def left_over(tau: np.ndarray) -> tuple[float, float]:
    """RMS over a stride of the force, N, and moment, Nm, that nothing gives the pelvis; NaN if unknown."""
    force, moment = (np.sqrt((tau[:, rows] ** 2).sum(1).mean()) for rows in (slice(0, 3), slice(3, _ROOT)))
    return float(force), float(moment)


def _end(mj: Any, side: str) -> int:
    """The body of a leg that is on the ground: foot, or the end of a blade."""
    bodies = [mj.body(b).name for b in range(mj.nbody)]
    foot = f"foot_{side[0]}"
    blade = [b for b, name in enumerate(bodies) if name.startswith("blade") and name.endswith(f"_{side[0]}")]
    return bodies.index(foot) if foot in bodies else max(blade)


def _known(posed: Posed) -> np.ndarray:
    """(nq,) True where all that carries a joint, and all that it carries, was measured or rests."""
    mj, unknown = posed.model.mj, posed.unknown(*_LIGHT)
    above = np.zeros((mj.nbody, mj.nbody), bool)
    for body in range(1, mj.nbody):
        above[body] = above[mj.body_parentid[body]]
        above[body, body] = True
    lost = np.isin(np.arange(mj.nbody), mj.jnt_bodyid[unknown])
    known = np.isin(posed.model.joint_data.part, _GIVEN)
    for j in range(mj.nv):
        body = mj.jnt_bodyid[j]
        known[j] &= not (above[body] & lost).any() and not (above[:, body] & lost).any()
    return known
