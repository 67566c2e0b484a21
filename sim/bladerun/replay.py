"""The stride run again by MuJoCo: does its own forward dynamics do what the solver says?

Takes a Stride dataset; gives a `Replay`: the motion that MuJoCo makes of the stride's first state and its
joint moments, and how far it strays from the stride. Nothing holds the pelvis; contact is the solver's law
on MuJoCo's own kinematics; small feedback about the stride keeps a runner, who is unstable, on it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import mujoco
import numpy as np
import xarray as xr
from numba import njit
from scipy.interpolate import CubicSpline

from bladerun._facts import toml
from bladerun._regulator import Curve, gains, transitions
from bladerun.model import joint_strength
from bladerun.stride._contact import Ground, sphere_force
from bladerun.stride._links import contact_spheres, links

_MUSCLES = 1  # their actuator group in models/runner.xml


@dataclass(frozen=True)
class Replay:
    """What MuJoCo made of a stride: samples at the knots from time 0 on, until the end or a fall.

    time (samples,) s; q (samples, joint) rad or m; grf (samples, 2, 3) N, right and left. Against the stride:
    joint_error_deg: root mean square over hinges and time; faithful_s: how long every hinge stays within
    1 deg; peak_vgrf_difference: fraction of the stride's peak, the worse leg's; vgrf_error_bw: root mean
    square in body weights; feedback_share: root mean square of the feedback over that of the stride's own
    moments; drift_m: how far the pelvis is from its place at the last sample.
    """

    time: np.ndarray
    q: np.ndarray
    grf: np.ndarray
    joint_error_deg: float
    faithful_s: float
    peak_vgrf_difference: float
    vgrf_error_bw: float
    feedback_share: float
    drift_m: float


def replay(
    stride: xr.Dataset, *, strides: int = 1, timestep_s: float | None = None, feedback: bool = True
) -> Replay:
    """Integrate the model in `stride.attrs["model_xml"]` by MuJoCo's semi-implicit Euler steps.

    Driven joints get the stride's moments, splined over time, and feedback (`_regulator`) sampled at each
    knot and held; all others get nothing. Muscles and their tendons are left out, the stride's moments
    already hold what they give. Without feedback a runner strays by 1 deg within 0.1 to 0.2 s.
    timestep_s: at most this long, by default that of models/replay.toml; contact is explicit, and rings at
    longer steps.
    """
    runner, curve = _Runner(stride), _curve(stride)
    knots, period, facts = (
        stride.sizes["time"],
        float(stride.attrs["stride_time_s"]),
        toml("replay.toml")["step"],
    )
    interval = period / knots
    steps = int(np.ceil(interval / (timestep_s or facts["timestep_s"])))
    runner.mj.opt.timestep = interval / steps
    own = runner.moments(stride)
    moments = CubicSpline(interval * np.arange(knots + 1), np.vstack([own, own[:1]]), bc_type="periodic")
    K = np.zeros((knots, own.shape[1], 2 * runner.mj.nv))
    if feedback:
        A, B = transitions(links(runner.mj), curve, period, knots, runner.driven)
        K = gains(A, B, runner.strength)
    runner.put(*curve(0.0)[:2])
    q, wanted, grf, extra = [], [], [], []
    for k in range(strides * knots):
        q_wanted, v_wanted, _ = curve(k * interval)
        q.append(runner.data.qpos.copy())
        if not np.abs(q[-1] - q_wanted)[runner.hinge].max() < facts["lost_rad"]:
            break
        wanted.append(q_wanted)
        extra.append(-K[k % knots] @ np.concatenate([q[-1] - q_wanted, runner.data.qvel - v_wanted]))
        plan = moments(k * interval + runner.mj.opt.timestep * np.arange(steps)) + extra[-1]
        grf.append(runner.step(plan[0]))
        for moment in plan[1:]:
            runner.step(moment)
    samples = len(wanted)
    return _compared(stride, runner, *(np.array(x) for x in (q[:samples], wanted, grf, extra)))


def accelerations(stride: xr.Dataset) -> np.ndarray:
    """Accelerations (time, joint) that MuJoCo gives, at the knots, to driven joints' moments and ground.

    M (these - stride.a) is what nobody gives: 0 in driven joints, minus the stride's residual in all others.
    """
    runner = _Runner(stride)
    result = np.zeros_like(stride.a.values)
    for k, moment in enumerate(runner.moments(stride)):
        runner.put(stride.q.values[k], stride.v.values[k])
        runner.step(moment)
        result[k] = runner.data.qacc
    return result


class _Runner:
    """MuJoCo's model of a stride, with moments in its driven joints and the solver's ground under it."""

    def __init__(self, stride: xr.Dataset):
        self.mj = mj = mujoco.MjModel.from_xml_string(stride.attrs["model_xml"])
        disable = mujoco.mjtDisableBit
        mj.opt.disableflags |= disable.mjDSBL_CONSTRAINT  # native contact and joint limits
        mj.opt.disableflags |= disable.mjDSBL_AUTORESET  # what diverges shall be seen
        mj.opt.integrator = mujoco.mjtIntegrator.mjINT_EULER
        self.data = data = mujoco.MjData(mj)
        mj.opt.disableactuator |= 1 << _MUSCLES
        mj.tendon_stiffness[:], mj.tendon_stiffnesspoly[:] = 0.0, 0.0
        strength = joint_strength(mj).max(1)
        self._slider = [i for i in range(mj.njnt) if mj.joint(i).name.startswith("achilles_")]
        strength[self._slider] = toml("replay.toml")["regulator"]["achilles_n"]
        self.driven = np.flatnonzero(strength)
        self.strength = strength[self.driven]
        self.hinge = mj.jnt_type == mujoco.mjtJoint.mjJNT_HINGE
        geom = np.array(contact_spheres(mj))
        body = mj.geom_bodyid[geom]
        self._sides = np.array(
            [[mj.geom(g).name.startswith(f"contact_{s}_") for g in geom] for s in "rl"], float
        )
        self._force = np.zeros((len(geom), 3))
        shape = geom, body, mj.geom_size[geom, 0], mj.geom_user[geom, :3]
        state = data.geom_xpos, data.xipos, data.cvel, data.subtree_com[mj.body_rootid[body[0]]]
        ground = Ground(**json.loads(stride.attrs["ground"]))
        self._press = ground, *shape, *state, self._force, data.xfrc_applied

    def put(self, q: np.ndarray, v: np.ndarray) -> None:
        self.data.qpos[:], self.data.qvel[:] = q, v

    def moments(self, stride: xr.Dataset) -> np.ndarray:
        """(time, m) what each driven joint gets; an Achilles tendon's end the force (N) that moves it."""
        given = stride.tau.values.copy()
        for k in range(len(given)):
            self.put(stride.q.values[k], stride.v.values[k])
            self.data.qacc[:] = stride.a.values[k]
            mujoco.mj_inverse(self.mj, self.data)
            given[k, self._slider] = self.data.qfrc_inverse[self._slider]
        return given[:, self.driven]

    def step(self, moment: np.ndarray) -> np.ndarray:
        """One time step under `moment` (m,); gives the ground reaction force (2, 3) at its start."""
        mujoco.mj_step1(self.mj, self.data)
        self.data.qfrc_applied[self.driven] = moment
        _press(*self._press)
        mujoco.mj_step2(self.mj, self.data)
        return self._sides @ self._force


@njit(cache=True)
def _press(law, geom, body, radius, user, centre, com, cvel, tree_com, force, applied):
    """Fill the force (s, 3) on each sphere, and the wrench (nbody, 6) on each body at its centre of mass.

    centre (ngeom, 3), com (nbody, 3), tree_com (3,): world positions; cvel (nbody, 6): angular velocity, and
    velocity of the body's material at tree_com.
    """
    v, by_z, by_v = np.empty(3), np.empty(3), np.empty((3, 3))
    applied[:] = 0.0
    for i in range(len(geom)):
        b, p = body[i], centre[geom[i]].copy()
        p[2] -= radius[i]
        v[:] = cvel[b, 3:] + np.cross(cvel[b, :3], p - tree_com)
        if sphere_force(p[2], v, user[i], law, force[i], by_z, by_v):
            applied[b, :3] += force[i]
            applied[b, 3:] += np.cross(p - com[b], force[i])
        else:
            force[i] = 0.0


def _curve(stride: xr.Dataset) -> Curve:
    """The stride's own cubic B-spline at any time, strides following each other."""
    c, h = stride.control_points.values, float(stride.attrs["stride_time_s"]) / stride.sizes["time"]
    speed = float(stride.attrs["speed_m_s"])

    def at(t: float):
        k = int(t / h)
        s = t / h - k
        near = c[np.arange(k - 1, k + 3) % len(c)]
        r = 1 - s
        q = np.array([r**3, 3 * s**3 - 6 * s**2 + 4, 3 * r**3 - 6 * r**2 + 4, s**3]) @ near / 6
        v = np.array([-(r**2), 3 * s**2 - 4 * s, 4 * r - 3 * r**2, s**2]) @ near / (2 * h)
        a = np.array([r, 1 - 3 * r, 1 - 3 * s, s]) @ near / h**2
        q[0] += speed * t
        v[0] += speed
        return q, v, a

    return at


def _compared(stride, runner, q, wanted, grf, extra) -> Replay:
    """The figures of a replay; q, wanted, grf and the feedback `extra` have one row a knot."""
    knots, interval = stride.sizes["time"], float(stride.attrs["stride_time_s"]) / stride.sizes["time"]
    error = np.degrees(q - wanted)[:, runner.hinge]
    astray = np.flatnonzero(np.abs(error).max(1) > 1.0)
    solved = stride.grf.values[np.arange(len(q)) % knots]
    peaks = grf[:, :, 2].max(0) - solved[:, :, 2].max(0)
    weight = float(stride.attrs["mass_kg"]) * float(stride.attrs["gravity"])
    return Replay(
        time=interval * np.arange(len(q)),
        q=q,
        grf=grf,
        joint_error_deg=_rms(error),
        faithful_s=interval * float(astray[0] if len(astray) else len(q)),
        peak_vgrf_difference=float(np.abs(peaks / stride.grf.values[:, :, 2].max(0)).max()),
        vgrf_error_bw=_rms((grf - solved)[:, :, 2]) / weight,
        feedback_share=_rms(extra) / _rms(runner.moments(stride)),
        drift_m=float(np.linalg.norm((q - wanted)[-1, :3])),
    )


def _rms(x: np.ndarray) -> float:
    return float(np.sqrt(np.mean(x**2)))
