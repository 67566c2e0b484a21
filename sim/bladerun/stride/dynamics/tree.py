"""A compiled MuJoCo model and its environment as the plain arrays that the stride's compiled code reads.

Takes a `mujoco.MjModel` of slides and hinges; gives its kinematic `Tree`: each degree of freedom is a link,
the inertia of a body is carried by its last one, welded bodies are merged. Takes an `Environment`; gives what
acts on that tree from outside, `External`.
"""

from typing import NamedTuple

import mujoco
import numpy as np

from bladerun.body.joints import contact_spheres, sphere_sides
from bladerun.environment import Environment, Ground
from bladerun.stride.dynamics._modelled import check_modelled
from bladerun.stride.dynamics.passive import Laws, laws_of


class Tree(NamedTuple):
    """A model as the arrays the compiled code reads; n joints, s contact spheres. SI units."""

    parent: np.ndarray  # (n,) index of the parent joint, -1 at the root
    slide: np.ndarray  # (n,) bool
    rot0: np.ndarray  # (n, 3, 3) parent link's frame -> this body's frame at q = 0
    pos0: np.ndarray  # (n, 3)
    axis: np.ndarray  # (n, 3) in the body's frame
    anchor: np.ndarray  # (n, 3) in the body's frame
    mass: np.ndarray  # (n,)
    com: np.ndarray  # (n, 3) in the body's frame
    inertia: np.ndarray  # (n, 3, 3) about the COM, in the body's frame
    armature: np.ndarray  # (n,)
    laws: Laws  # of passive joints
    sphere_link: np.ndarray  # (s,)
    sphere_pos: np.ndarray  # (s, 3) centre, in the body's frame
    sphere_radius: np.ndarray  # (s,)
    sphere_law: np.ndarray  # (s, 3) stiffness, damping, friction
    sphere_side: np.ndarray  # (s,) 0 under the right leg, 1 under the left one, -1 under none


class External(NamedTuple):
    """What acts from outside; w wrenches, constant in the frame of the ground. SI units."""

    gravity: np.ndarray  # (3,)
    ground: Ground
    wrench_link: np.ndarray  # (w,)
    wrench_point: np.ndarray  # (w, 3) where it acts, in the frame of the link's body
    wrench_force: np.ndarray  # (w, 3)
    wrench_torque: np.ndarray  # (w, 3)


def tree_of(mj: mujoco.MjModel) -> Tree:
    """The arrays of a compiled model. Raises ModelError for what would have to be left out, by its name."""
    check_modelled(mj)
    n = mj.nv
    body_of = mj.dof_bodyid
    frame_rot, frame_pos, carrier = _welded_frames(mj)
    rot0, pos0 = np.tile(np.eye(3), (n, 1, 1)), np.zeros((n, 3))
    for i in range(n):
        b = body_of[i]
        if i == mj.body_dofadr[b]:
            p = mj.body_parentid[b]
            rot0[i] = frame_rot[p] @ _rotation(mj.body_quat[b])
            pos0[i] = frame_pos[p] + frame_rot[p] @ mj.body_pos[b]
    mass, com, inertia = np.zeros(n), np.zeros((n, 3)), np.zeros((n, 3, 3))
    for i in range(n):
        bodies = [b for b in range(1, mj.nbody) if carrier[b] == i]
        if not bodies:
            continue
        mass[i] = mj.body_mass[bodies].sum()
        centres = [frame_pos[b] + frame_rot[b] @ mj.body_ipos[b] for b in bodies]
        if mass[i] > 0:
            com[i] = sum(mj.body_mass[b] * c for b, c in zip(bodies, centres, strict=True)) / mass[i]
        for b, c in zip(bodies, centres, strict=True):
            turn = frame_rot[b] @ _rotation(mj.body_iquat[b])
            d = c - com[i]
            inertia[i] += turn @ np.diag(mj.body_inertia[b]) @ turn.T
            inertia[i] += mj.body_mass[b] * (d @ d * np.eye(3) - np.outer(d, d))
    spheres = contact_spheres(mj)
    bodies = mj.geom_bodyid[spheres]
    sides = {"right": 0, "left": 1, "": -1}
    return Tree(
        parent=mj.dof_parentid.astype(np.int64),
        slide=mj.jnt_type == mujoco.mjtJoint.mjJNT_SLIDE,
        rot0=rot0,
        pos0=pos0,
        axis=mj.jnt_axis.copy(),
        anchor=mj.jnt_pos.copy(),
        mass=mass,
        com=com,
        inertia=inertia,
        armature=mj.dof_armature.copy(),
        laws=laws_of(mj),
        sphere_link=np.array([carrier[b] for b in bodies], dtype=np.int64),
        sphere_pos=np.array(
            [frame_pos[b] + frame_rot[b] @ mj.geom_pos[g] for g, b in zip(spheres, bodies, strict=True)]
        ).reshape(-1, 3),
        sphere_radius=mj.geom_size[spheres, 0].copy(),
        sphere_law=mj.geom_user[spheres, :3].reshape(-1, 3).copy(),
        sphere_side=np.array([sides[side] for side in sphere_sides(mj)], dtype=np.int64),
    )


def external(mj: mujoco.MjModel, environment: Environment) -> External:
    """What acts on this model from outside. Raises ModelError for a wrench on an unknown body."""
    frame_rot, frame_pos, carrier = _welded_frames(mj)
    bodies = environment.bodies(mj)
    points = [
        frame_pos[b] + frame_rot[b] @ wrench.point(mj, b)
        for b, wrench in zip(bodies, environment.wrenches, strict=True)
    ]
    return External(
        gravity=np.array(environment.gravity_m_s2),
        ground=environment.ground,
        wrench_link=carrier[bodies].astype(np.int64),
        wrench_point=np.array(points).reshape(-1, 3),
        wrench_force=np.array([wrench.force_n for wrench in environment.wrenches]).reshape(-1, 3),
        wrench_torque=np.array([wrench.torque_nm for wrench in environment.wrenches]).reshape(-1, 3),
    )


def _welded_frames(mj):
    """Each body's frame in that of its carrier (the nearest ancestor with a joint), and its last joint."""
    rot, pos = np.tile(np.eye(3), (mj.nbody, 1, 1)), np.zeros((mj.nbody, 3))
    carrier = np.full(mj.nbody, -1)
    for b in range(1, mj.nbody):
        if mj.body_dofnum[b]:
            carrier[b] = mj.body_dofadr[b] + mj.body_dofnum[b] - 1
        else:
            p = mj.body_parentid[b]
            rot[b] = rot[p] @ _rotation(mj.body_quat[b])
            pos[b] = pos[p] + rot[p] @ mj.body_pos[b]
            carrier[b] = carrier[p]
    return rot, pos, carrier


def _rotation(quat):
    matrix = np.zeros(9)
    mujoco.mju_quat2Mat(matrix, quat)
    return matrix.reshape(3, 3)
