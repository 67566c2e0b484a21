"""Carry a solved stride over to a like runner on another fitting, as a start that stands on the ground.

Takes a solved stride and the new model; gives joint positions at the knots. A leg that is 10 mm longer would
stand 10 mm in the ground at first, a shorter one would not reach it: either sends the solver elsewhere.
"""

import mujoco
import numpy as np
import xarray as xr

from bladerun.model import Model
from bladerun.stride._links import contact_spheres

NEAR_M = 0.03  # spheres so high over the ground still count, fading
SPREAD_RAD, SPREAD_M = 0.1, 0.03  # how far joints and the pelvis may go to make up for it
CLOSE_M = 3e-4  # to which the spheres' heights are kept
PASSES = 2


def transferred(start: xr.Dataset, model: Model) -> np.ndarray:
    """Positions (N, n) for `model`, with each spring's moment and each contact's place as in `start`.

    pelvis_tx is the deviation from steady running. Raises ValueError where joints or contacts differ.
    """
    mj, old = model.mj, mujoco.MjModel.from_xml_string(start.attrs["model_xml"])
    spheres = contact_spheres(mj)
    if tuple(start.joint.values) != model.joints or len(start.contact) != len(spheres):
        raise ValueError("a stride can only start from one with the same joints and contacts")
    q = start.q.values.copy()
    q[:, 0] -= start.attrs["speed_m_s"] * start.time.values
    before, now = _springs(old), _springs(mj)
    passive = np.array([kind == "passive" for kind in model.kind])
    q[:, passive] *= np.divide(before, now, out=np.ones_like(now), where=now > 0)[passive]
    place = start.contact_position.values.copy()
    place[:, :, 0] -= start.attrs["speed_m_s"] * start.time.values[:, None]
    weight = np.exp(-0.5 * (np.maximum(place[:, :, 2], 0) / NEAR_M) ** 2) / CLOSE_M
    spread = np.where(passive, 0.0, SPREAD_RAD)
    spread[:3] = SPREAD_M
    data, jacobian = mujoco.MjData(mj), np.zeros((3, mj.nv))
    rows, miss = np.zeros((len(spheres), 3, mj.nv)), np.zeros((len(spheres), 3))
    radius = np.array([[0.0, 0.0, mj.geom_size[g, 0]] for g in spheres])
    for k in range(len(q)):
        for _ in range(PASSES):
            data.qpos[:] = q[k]
            mujoco.mj_kinematics(mj, data)
            mujoco.mj_comPos(mj, data)
            for s, g in enumerate(spheres):
                mujoco.mj_jac(mj, data, jacobian, None, data.geom_xpos[g], mj.geom_bodyid[g])
                rows[s] = weight[k, s] * jacobian * spread
                miss[s] = weight[k, s] * (data.geom_xpos[g] - radius[s] - place[k, s])
            J = rows.reshape(-1, mj.nv)
            q[k] -= spread * np.linalg.solve(J.T @ J + np.eye(mj.nv), J.T @ miss.ravel())
    return q


def _springs(mj):
    return np.asarray(mj.jnt_stiffness).reshape(mj.nv, -1)[:, 0]
