"""Contact forces in hip and knee: what bone presses on bone with.

Takes a Stride dataset with muscles; gives forces over time. Inverse dynamics gives the force between two
segments; the pull of every muscle across the joint, along its own line of action, is taken off it. What is
left is bone and ligaments. Lines of action are MuJoCo's paths in the model of the stride.
"""

from __future__ import annotations

import mujoco
import numpy as np
import xarray as xr

from bladerun.dataset.asked import environment_of
from bladerun.dataset.model_text import model_of
from bladerun.environment import Environment

_SEGMENT = {"hip": "thigh", "knee": "shank"}  # below the joint
_GIVEN = ("q", "v", "a", "contact_force", "contact_position", "muscle_force")


def joint_contact(stride: xr.Dataset) -> xr.DataArray:
    """(time, side, joint, xyz) force (N) on the thigh at the hip, on the shank at the knee, in world axes."""
    model = model_of(stride)
    model.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_CONSTRAINT  # ground force is the stride's own
    around = environment_of(stride)
    model.opt.gravity[:] = around.gravity_m_s2
    data = mujoco.MjData(model)
    sides, joints = ["right", "left"], list(_SEGMENT)
    segments = [model.body(f"{_SEGMENT[joint]}_{side[0]}").id for side in sides for joint in joints]
    inside = np.array([_subtree(model, body) for body in segments], float)
    spheres = [model.geom(name).id for name in stride.contact.values]
    tendons = np.array([int(model.actuator(name).trnid[0]) for name in stride.muscle.values])
    pull = np.zeros(model.ntendon)
    force = np.empty((stride.sizes["time"], len(segments), 3))
    for k, now in enumerate(zip(*(stride[name].values for name in _GIVEN), strict=True)):
        data.qpos[:], data.qvel[:], data.qacc[:], push, at, tensions = now
        mujoco.mj_fwdPosition(model, data)
        mujoco.mj_fwdVelocity(model, data)
        _push(model, data, spheres, push, at)
        _apply_wrenches(model, data, around)
        mujoco.mj_rnePostConstraint(model, data)
        force[k] = data.cfrc_int[segments, 3:]
        pull[tendons] = tensions
        tendon, bodies, points = _pieces(model, data)
        across = np.diff(inside[:, bodies])[..., 0]  # 1 where a path goes below the joint, -1 where it leaves
        along = np.diff(points, axis=1)[:, 0]
        along /= np.sqrt((along**2).sum(axis=1, keepdims=True))
        force[k] += (across * pull[tendon]) @ along
    coords = {"time": stride.time.values, "side": sides, "joint": joints, "xyz": list("xyz")}
    return xr.DataArray(force.reshape(len(force), len(sides), len(joints), 3), coords, attrs={"units": "N"})


def _push(model, data, spheres: list[int], force: np.ndarray, at: np.ndarray) -> None:
    """Let the ground act on the bodies of its spheres: force (sphere, 3) at the points (sphere, 3)."""
    bodies = model.geom_bodyid[spheres]
    data.xfrc_applied[:] = 0.0
    np.add.at(data.xfrc_applied[:, :3], bodies, force)
    np.add.at(data.xfrc_applied[:, 3:], bodies, np.cross(at - data.xipos[bodies], force))


def _apply_wrenches(model, data, around: Environment) -> None:
    """Let external wrenches act too."""
    for body, each in zip(around.bodies(model), around.wrenches, strict=True):
        data.xfrc_applied[body, :3] += each.force_n
        arm = np.array(each.point_m or model.body_ipos[body]) - model.body_ipos[body]
        turn = np.cross(data.xmat[body].reshape(3, 3) @ arm, each.force_n)
        data.xfrc_applied[body, 3:] += turn + np.array(each.torque_nm)


def _subtree(model, root: int) -> np.ndarray:
    """(body,) whether a body is `root` or hangs on it."""
    inside = np.zeros(model.nbody, bool)
    inside[root] = True
    for body in range(root + 1, model.nbody):
        inside[body] = inside[model.body_parentid[body]]
    return inside


def _pieces(model, data) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Straight pieces of each tendon's path now: tendon (n,), bodies (n, 2), points (n, 2, 3) at the ends."""
    count = int(data.ten_wrapnum.sum())
    tendon = np.repeat(np.arange(model.ntendon), data.ten_wrapnum)
    wrapped = data.wrap_obj.ravel()[:count]  # a geom, or -1 for the path's next site
    points = data.wrap_xpos.reshape(-1, 3)[:count]
    bodies = model.geom_bodyid[wrapped]
    bodies[wrapped < 0] = model.site_bodyid[model.wrap_objid[model.wrap_type == mujoco.mjtWrap.mjWRAP_SITE]]
    here = np.flatnonzero(np.diff(tendon) == 0)
    ends = np.stack([here, here + 1], axis=1)
    return tendon[here], bodies[ends], points[ends]
