"""Carry a solved stride over to a like runner on another fitting, as a start that stands on the ground.

Takes a solved stride and the new model; gives joint positions at the knots. A leg that is 10 mm longer would
stand 10 mm in the ground at first, a shorter one would not reach it, and a start that jerks is as far off:
either sends the solver elsewhere.
"""

import mujoco
import numpy as np
import scipy.sparse as sp
import xarray as xr
from scipy.sparse.linalg import splu

from bladerun.body.joints import contact_spheres
from bladerun.dataset.model_text import model_of
from bladerun.errors import StartError
from bladerun.model import Model

NEAR_M = 0.01  # spheres so high over the ground still count, fading
SPREAD_RAD, SPREAD_M = 0.1, 0.03  # how far joints and the pelvis may go to make up for it
JOLT = 200.0  # 1/s^2, how fast, in such spreads: 20 rad/s^2
CLOSE_M = 3e-4  # to which the spheres' heights are kept, and their way from knot to knot
PASSES = 2  # of least squares; a third moves no joint by what the solver would feel


def transferred(start: xr.Dataset, model: Model) -> np.ndarray:
    """Positions (N, n) for `model`: moments of springs, heights and slip of contacts are those of `start`.

    Least squares of what is missed, of how far joints go and of how fast they turn there. pelvis_tx is the
    deviation from steady running. Raises StartError where joints or contacts
    differ.
    """
    mj, old = model.mj, model_of(start)
    spheres = contact_spheres(mj)
    if tuple(start.joint.values) != model.joints or len(start.contact) != len(spheres):
        raise StartError("a stride can only start from one with the same joints and contacts", key="start")
    time, speed = start.time.values, start.attrs["speed_m_s"]
    q = start.q.values.copy()
    q[:, 0] -= speed * time
    before, now = springs(old), springs(mj)
    passive = model.joint_data.of(role="passive")
    q[:, passive] *= np.divide(before, now, out=np.ones_like(now), where=now > 0)[passive]
    place = start.contact_position.values.copy()
    place[:, :, 0] -= speed * time[:, None]
    return bent(q, place, time, start.attrs["stride_time_s"], model)


def bent(q: np.ndarray, place: np.ndarray, time: np.ndarray, period: float, model: Model) -> np.ndarray:
    """Positions (N, n) near q whose contacts have the heights and the slip of place (N, spheres, 3) [m].

    q, place: at time (N,) [s] of a stride that lasts period [s], less the steady run.
    """
    mj, spheres = model.mj, contact_spheres(model.mj)
    passive = model.joint_data.of(role="passive")
    weight = np.exp(-0.5 * (np.maximum(place[:, :, 2], 0) / NEAR_M) ** 2) / CLOSE_M
    spread = np.where(passive, 0.0, SPREAD_RAD)
    spread[:3] = SPREAD_M
    n = len(spread)
    calm = sp.kron(_bend(time, period) / JOLT, sp.eye(n))
    rest = (calm.T @ calm + sp.eye(q.size)).tocsc()
    gone = np.zeros(q.size)  # in spreads
    for _ in range(PASSES):
        A, miss = _contacts(mj, spheres, q + spread * gone.reshape(q.shape), place, weight, spread)
        gone = _solved((A.T @ A + rest).tocsc(), A.T @ (A @ gone - miss))
    return q + spread * gone.reshape(q.shape)


def _contacts(mj, spheres, q, place, weight, spread):
    """Rows (., N n), in spreads, and values of how far contacts are off their height and off their slip."""
    data, (N, n) = mujoco.MjData(mj), q.shape
    J, at = np.zeros((N, len(spheres), 3, n)), np.zeros((N, len(spheres), 3))
    for k in range(N):
        data.qpos[:] = q[k]
        mujoco.mj_kinematics(mj, data)
        mujoco.mj_comPos(mj, data)
        for s, g in enumerate(spheres):
            mujoco.mj_jac(mj, data, J[k, s], None, data.geom_xpos[g], mj.geom_bodyid[g])
            at[k, s] = data.geom_xpos[g] - [0.0, 0.0, mj.geom_size[g, 0]]
    J, off = J * spread, at - place
    high, slip = weight[:, :, None] * J[:, :, 2], weight[:, :, None, None] * J[:, :, :2]
    further = weight[:, :, None, None] * np.roll(J[:, :, :2], -1, 0)
    knot = np.arange(N)
    rows = [_rows(high, knot), _rows(further, (knot + 1) % N) - _rows(slip, knot)]
    miss = [weight * off[:, :, 2], weight[:, :, None] * (np.roll(off, -1, 0) - off)[:, :, :2]]
    return sp.vstack(rows, format="csr"), np.concatenate([values.ravel() for values in miss])


def _rows(blocks, knot):
    """Sparse rows (., N n) of dense ones (N, ..., n), those of block k in the columns of knot[k]."""
    N, n = len(blocks), blocks.shape[-1]
    each = blocks.size // (N * n)
    columns = np.repeat(knot[:, None] * n + np.arange(n), each, axis=0)
    ends = n * np.arange(N * each + 1)
    rows = sp.csr_matrix((blocks.ravel(), columns.ravel(), ends), (N * each, N * n))
    rows.eliminate_zeros()
    return rows


def _solved(matrix, rhs):
    """By a factor that keeps a positive definite matrix symmetric: half the work of one that need not."""
    options = {"SymmetricMode": True}
    return splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options).solve(rhs)


def _bend(time, period):
    """(N, N) second derivative in time, by differences, around the stride."""
    N = len(time)
    ahead = np.diff(time, append=time[0] + period)
    behind = np.roll(ahead, 1)
    half = (ahead + behind) / 2
    k = np.arange(N)
    values = np.concatenate([1 / (ahead * half), -(1 / ahead + 1 / behind) / half, 1 / (behind * half)])
    return sp.csr_matrix((values, (np.tile(k, 3), np.concatenate([(k + 1) % N, k, (k - 1) % N]))), (N, N))


def springs(mj) -> np.ndarray:
    """(n,) stiffness of each joint, N/m or Nm/rad."""
    return np.asarray(mj.jnt_stiffness).reshape(mj.nv, -1)[:, 0]
