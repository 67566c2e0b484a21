"""MuJoCo's model of a stride as a simulator: its own `mj_step` on the solver's ground, driven as prescribed.

Takes the model and the ground of a stride; gives a `Simulator` that is put in a state and stepped.

MuJoCo has no contact law like the solver's, so while a simulator steps, its passive callback is a compiled
function that presses the ground on the spheres and drives the joints at the state and time of each
evaluation: any integrator of MuJoCo can then be used. The callback is given nothing but MuJoCo's own
structures, so it finds the arrays of the simulator that steps in one table of addresses.
"""

from __future__ import annotations

import ctypes
from typing import Any

import mujoco
import numpy as np
from numba import cfunc, njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.numpy_support import carray

from bladerun.body.joints import contact_spheres, sphere_sides
from bladerun.environment import Environment, Ground
from bladerun.stride.dynamics.contact_law import sphere_force
from bladerun.stride.dynamics.inverse_dynamics import cross
from bladerun.stride.dynamics.muscle_paths import muscle_actuators
from bladerun.stride.dynamics.passive import LAW_SIZE, law_force, written_laws

INTEGRATORS = {
    "euler": mujoco.mjtIntegrator.mjINT_EULER,
    "implicitfast": mujoco.mjtIntegrator.mjINT_IMPLICITFAST,
    "rk4": mujoco.mjtIntegrator.mjINT_RK4,
}


SIDES = ("right", "left")


class Simulator:
    """The body of `model_xml` in an environment, moments in its `driven` joints.

    Gravity, wrenches and the ground are those of the environment, passive laws those of the model. driven:
    names, in the order of the moments (m,). muscles: keep MuJoCo's own muscles (M) and tendons, with
    prescribed activations; else they are left out. grf: (2, 3) N on the right and the left leg at the last
    evaluation. mj, data: MuJoCo's.
    """

    def __init__(self, model_xml: str, around: Environment, driven: list[str], *, muscles: bool = False):
        spec = mujoco.MjSpec.from_string(model_xml)
        if not muscles:
            for part in (*spec.actuators, *spec.tendons):
                spec.delete(part)
        self.mj = mj = spec.compile()
        disable = mujoco.mjtDisableBit
        mj.opt.disableflags |= disable.mjDSBL_CONSTRAINT  # native contact and joint limits
        mj.opt.disableflags |= disable.mjDSBL_AUTORESET  # what diverges shall be seen
        mj.opt.gravity[:] = around.gravity_m_s2
        self.data = data = mujoco.MjData(mj)
        self.driven = np.array([mj.joint(name).id for name in driven])
        self.hinge = mj.jnt_type == mujoco.mjtJoint.mjJNT_HINGE
        self.muscles = np.array(muscle_actuators(mj), int)
        spheres = np.array(contact_spheres(mj))
        body = np.array(mj.geom_bodyid[spheres], int)
        sides = [[side == mine for side in sphere_sides(mj)] for mine in SIDES]
        self._sides, self._force = np.array(sides, float), np.zeros((len(spheres), 3))
        self._moment, self._activation = np.zeros((4, len(driven))), np.zeros((2, max(1, mj.na)))
        laws, (pulled, wrench) = written_laws(mj), _wrenches(mj, around)
        level = np.zeros(len(spheres))
        self._shape = shape = np.column_stack([mj.geom_size[spheres, 0], mj.geom_user[spheres, :3], level])
        self._friction, self._wrench = shape[:, 3].copy(), wrench
        tree = data.subtree_com[mj.body_rootid[body[0]]]
        act = data.act if mj.na else np.zeros(1)
        self._arrays = (
            _time_of(data), np.array(around.ground), spheres, body, shape, data.geom_xpos, data.xipos,
            data.cvel, tree, self._force, data.xfrc_applied, self.driven, self._moment, data.qfrc_applied,
            self._activation, act, pulled, wrench, data.xmat, laws.joint, laws.kind, laws.parameter,
            data.qpos, data.qvel,
        )  # fmt: skip

    @property
    def grf(self) -> np.ndarray:
        return self._sides @ self._force

    def set_state(self, q: np.ndarray, v: np.ndarray) -> None:
        """Place it at q, v (nv,)."""
        self.data.qpos[:], self.data.qvel[:] = q, v

    def ground_under(self, side: str, *, height_m: float = 0.0, friction: float = 1.0) -> None:
        """From now on the ground under one leg is so high, and grips as this share of what it did."""
        mine = self._sides[SIDES.index(side)] > 0
        self._shape[mine, 3], self._shape[mine, 4] = friction * self._friction[mine], height_m

    def push(self, wrench: int, force_n: np.ndarray) -> None:
        """From now on an external wrench of the environment, by its number, has this force (3,)."""
        self._wrench[wrench, :3] = force_n

    def forward(self, moment: np.ndarray, activation: np.ndarray) -> None:
        """Evaluate here and now, moment (m,) and activation (M,): fills `grf` and MuJoCo's data."""
        still = np.zeros((3, len(moment)))
        self._drive(np.vstack([still, moment]), np.vstack([activation, 0 * activation]))
        with self:
            mujoco.mj_forward(self.mj, self.data)

    def step(
        self, moment: np.ndarray, activation: np.ndarray, duration: float, steps: int, integrator: str
    ) -> None:
        """Step through `duration` [s].

        moment (4, m): polynomials in the time since its start, highest power first; activation (2, M): at its
        start, and its rate.
        """
        self._drive(moment, activation)
        self.mj.opt.integrator, self.mj.opt.timestep = INTEGRATORS[integrator], duration / steps
        with self:
            mujoco.mj_step(self.mj, self.data, nstep=steps)

    def _drive(self, moment, activation) -> None:
        self.data.time = 0.0
        self._moment[:] = moment
        if len(self.muscles):
            self._activation[:] = activation

    def __enter__(self):
        for i, array in enumerate(self._arrays):
            _TABLE[i] = array.ctypes.data, array.size
        mujoco.set_mju_user_warning(_silent)
        mujoco.set_mjcb_passive(_callback())

    def __exit__(self, *_):
        mujoco.set_mjcb_passive(None)
        mujoco.set_mju_user_warning(None)


def _wrenches(mj: mujoco.MjModel, around: Environment) -> tuple[np.ndarray, np.ndarray]:
    """Bodies (w,), and force, torque and the arm from the centre of mass in the body's frame (w, 9)."""
    bodies, rows = around.bodies(mj), []
    for b, each in zip(bodies, around.wrenches, strict=True):
        arm = each.point(mj, b) - mj.body_ipos[b]
        rows.append([*each.force_n, *each.torque_nm, *arm])
    return np.array(bodies, np.int64), np.array(rows, float).reshape(-1, 9)


def _silent(_text: str) -> None:
    """A runner who falls ends in numbers out of range, which the caller sees; MuJoCo need not log them."""


def _time_of(data: mujoco.MjData) -> np.ndarray:
    """(1,) MuJoCo's own time, which Python only gets copies of: it stands right before the energies."""
    pointer = ctypes.cast(data.energy.ctypes.data - 8, ctypes.POINTER(ctypes.c_double))
    time = np.ctypeslib.as_array(pointer, (1,))
    data.time = 0.123
    if time[0] != data.time:
        raise RuntimeError("this version of MuJoCo keeps its time in another place")
    return time


# --- The callback ----------------------------------------------------------------------------------------

_TABLE = np.zeros((24, 2), np.int64)  # address and size of each of Simulator._arrays
_AT = _TABLE.ctypes.data
_COMPILED: list = []


def _callback():
    """Compiled once a process: the address of the table is part of it."""
    if not _COMPILED:
        compiled: Any = cfunc(types.void(types.voidptr, types.voidptr))(_passive)
        kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
        _COMPILED.extend([kind(compiled.address), compiled])
    return _COMPILED[0]


def _passive(_model, _data):
    t = carray(_pointer(_AT), (24, 2), np.int64)
    force = _array(t, 9).reshape(-1, 3)
    _press(
        _array(t, 1),
        _indices(t, 2),
        _indices(t, 3),
        _array(t, 4).reshape(-1, 5),
        _array(t, 5).reshape(-1, 3),
        _array(t, 6).reshape(-1, 3),
        _array(t, 7).reshape(-1, 6),
        _array(t, 8),
        force,
        _array(t, 10).reshape(-1, 6),
    )
    pulled, joints = _indices(t, 16), _indices(t, 19)
    wrench, turn = _array(t, 17).reshape(len(pulled), 9), _array(t, 18).reshape(-1, 9)
    _apply_wrenches(pulled, wrench, turn, _array(t, 10).reshape(-1, 6))
    time, applied = _array(t, 0)[0], _array(t, 13)
    _drive(time, _indices(t, 11), _array(t, 12).reshape(4, -1), applied)
    laws = _array(t, 21).reshape(len(joints), LAW_SIZE)
    _give_way(joints, _indices(t, 20), laws, _array(t, 22), _array(t, 23), applied)
    _activate(time, _array(t, 14).reshape(2, -1), _array(t, 15))


def _integer_to_pointer(_context, address):
    def build(_, builder, __, values):
        return builder.inttoptr(values[0], cgutils.voidptr_t)

    return types.voidptr(address), build


_pointer: Any = intrinsic(_integer_to_pointer)


@njit
def _array(table, i):
    return carray(_pointer(table[i, 0]), table[i, 1], np.float64)


@njit
def _indices(table, i):
    return carray(_pointer(table[i, 0]), table[i, 1], np.int64)


@njit(cache=True)
def _drive(time, driven, moment, applied):
    applied[:] = 0.0
    for i in range(len(driven)):
        applied[driven[i]] = ((moment[0, i] * time + moment[1, i]) * time + moment[2, i]) * time + moment[
            3, i
        ]


@njit(cache=True)
def _apply_wrenches(bodies, wrench, turn, applied):
    """Add external wrenches (w, 9) to those (nbody, 6) on the bodies; turn (nbody, 9): their frames."""
    arm, moment = np.empty(3), np.empty(3)
    for w in range(len(bodies)):
        b = bodies[w]
        for r in range(3):
            arm[r] = 0.0
            for k in range(3):
                arm[r] += turn[b, 3 * r + k] * wrench[w, 6 + k]
        cross(arm, wrench[w, :3], moment)
        applied[b, :3] += wrench[w, :3]
        applied[b, 3:] += moment + wrench[w, 3:6]


@njit(cache=True)
def _give_way(joints, kinds, parameters, q, v, applied):
    """Take off what passive laws take (L,) at positions and velocities (n,)."""
    by = np.empty(6)
    for row in range(len(joints)):
        i = joints[row]
        law_force(kinds[row], parameters[row], q[i], v[i], by)
        applied[i] -= by[0]


@njit(cache=True)
def _activate(time, activation, act):
    for i in range(len(act)):
        act[i] = activation[0, i] + activation[1, i] * time


@njit(cache=True)
def _press(law, spheres, body, shape, centre, com, cvel, tree_com, force, applied):
    """Fill the force (s, 3) on each sphere, and the wrench (nbody, 6) on each body at its centre of mass.

    shape (s, 5): radius, law and height of the ground; centre (ngeom, 3), com (nbody, 3), tree_com (3,):
    world positions; cvel (nbody, 6): angular velocity, and velocity of the body's material at tree_com.
    """
    ground = Ground(law[0], law[1], law[2], law[3], law[4], law[5], law[6], law[7])
    v, turn, by_z, by_v = np.empty(3), np.empty(3), np.empty(3), np.empty((3, 3))
    applied[:] = 0.0
    for i in range(len(spheres)):
        b, p = body[i], centre[spheres[i]].copy()
        p[2] -= shape[i, 0]
        cross(cvel[b, :3], p - tree_com, v)
        v += cvel[b, 3:]
        if sphere_force(p[2] - shape[i, 4], v, shape[i, 1:4], ground, force[i], by_z, by_v):
            applied[b, :3] += force[i]
            cross(p - com[b], force[i], turn)
            applied[b, 3:] += turn
        else:
            force[i] = 0.0
