"""A made-up stride with muscles, on the real body: swinging legs, pulsing activations, a push on each foot.

Takes a runner and what the law under test needs; gives a Stride dataset like the solver's whose muscle
lengths, forces and moment arms are MuJoCo's own. It is no running: root and passive joints are not balanced.
"""

import json
from dataclasses import asdict
from functools import cache

import mujoco
import numpy as np
import xarray as xr

from bladerun.body.joints import contact_spheres, sphere_sides
from bladerun.body.runner import Amputation, Runner
from bladerun.fitting import Fitting
from bladerun.model import build_model
from strides.synthetic import asked

PERIOD, SPEED, PEAK_N = 0.7, 3.0, 1700.0
RUNNER = Runner(75.0, 1.75, "male")
_SWING = {  # joint: mean and amplitude in rad; the left leg half a stride later
    "hip_flexion": (0.3, 0.5), "hip_adduction": (0.0, 0.1), "hip_rotation": (0.0, 0.1),
    "knee_flexion": (0.8, 0.5), "ankle_dorsiflexion": (0.1, 0.3), "subtalar_inversion": (0.0, 0.1),
}  # fmt: skip


@cache
def model(side="none"):
    """The composed body; with a blade on `side`."""
    if side == "none":
        return build_model(RUNNER)
    return build_model(RUNNER, Amputation(side, "transtibial", 0.16), Fitting("j-sprint", 4.0))


def stride(*, side="none", knots=60, activation=0.4, reserve_nm=2.0, swing=1.0, alike=False):
    """The dataset. Activations pulse between 0 and `activation`, reserves swing by `reserve_nm`; `alike`: the
    left leg's are the right one's half a stride later."""
    body = model(side)
    mj, data = body.mj, mujoco.MjData(body.mj)
    time = np.arange(knots) * PERIOD / knots
    q, v, a = _motion(body.joints, time, swing)
    n, m = mj.nv, len(body.muscles)
    phase = np.linspace(0, 2 * np.pi, m, endpoint=False)
    late = np.array([alike and name.endswith("_l") for name in [*body.muscles, *body.joints]]) * np.pi
    if alike:
        known = [name[:-2] for name in model().muscles]
        phase = np.array([known.index(name[:-2]) for name in body.muscles]) + late[:m]
    u = activation * (0.5 + 0.5 * np.sin(2 * np.pi * time[:, None] / PERIOD + phase))
    length, velocity, fibre, force, active = np.zeros((5, knots, m))
    arm, tau = np.zeros((knots, m, n)), np.zeros((knots, n))
    tendon_force, tendon_energy = np.full((2, knots, 2), np.nan)
    axis, site, com = np.zeros((knots, n, 3)), np.zeros((knots, mj.nsite, 3)), np.zeros((knots, 3))
    spheres = contact_spheres(mj)
    push, spot = np.zeros((knots, len(spheres), 3)), np.zeros((knots, len(spheres), 3))
    actuators = [mj.actuator(name).id for name in body.muscles]
    tendons = [int(mj.actuator_trnid[i, 0]) for i in actuators]
    prm, limits = mj.actuator_gainprm[actuators, :9], mj.actuator_lengthrange[actuators]
    l0 = (limits[:, 1] - limits[:, 0]) / (prm[:, 1] - prm[:, 0])
    for k in range(knots):
        data.qpos[:], data.qvel[:], data.qacc[:] = q[k], v[k], a[k]
        mujoco.mj_fwdPosition(mj, data)
        mujoco.mj_fwdVelocity(mj, data)
        jacobian = np.zeros((mj.ntendon, n))
        mujoco.mju_sparse2dense(jacobian, data.ten_J, mj.ten_J_rownnz, mj.ten_J_rowadr, mj.ten_J_colind)
        length[k], velocity[k], arm[k] = (
            data.ten_length[tendons],
            jacobian[tendons] @ v[k],
            -jacobian[tendons],
        )
        fibre[k] = prm[:, 0] + (length[k] - limits[:, 0]) / l0
        for i in range(m):
            at = length[k, i], limits[i], 0.0, prm[i]
            active[k, i] = -u[k, i] * mujoco.mju_muscleGain(at[0], velocity[k, i], *at[1:])
            force[k, i] = active[k, i] - mujoco.mju_muscleBias(*at)
        for s, name in enumerate("rl"):
            if f"achilles_{name}" in body.joints:
                t = mj.tendon(f"achilles_tendon_{name}").id
                stretch = max(data.ten_length[t] - mj.tendon_lengthspring[t, 1], 0.0)
                tendon_force[k, s] = mj.tendon_stiffness[t] * stretch
                tendon_energy[k, s] = 0.5 * mj.tendon_stiffness[t] * stretch**2
        mujoco.mj_rne(mj, data, 1, tau[k])
        axis[k], site[k], com[k], spot[k] = (
            data.xaxis,
            data.site_xpos,
            data.subtree_com[0],
            data.geom_xpos[spheres],
        )
        for s, name in enumerate("rl"):
            mine = [i for i, side in enumerate(sphere_sides(mj)) if side[0] == name]
            load = PEAK_N * max(np.sin(2 * np.pi * (time[k] / PERIOD - s / 2)), 0.0) ** 2
            push[k, mine] = np.array([0.1, 0.0, 1.0]) * load / len(mine)
            for i in mine:
                jac = np.zeros((3, n))
                mujoco.mj_jac(mj, data, jac, None, spot[k, i], mj.geom_bodyid[spheres[i]])
                tau[k] -= jac.T @ push[k, i]
    way = [SPEED * PERIOD, 0.0, 0.0]
    around = np.concatenate([com[-1:] - way, com, com[:1] + way])
    held = np.array([joint[:-2] in _SWING for joint in body.joints])
    reserve = reserve_nm * np.sin(2 * np.pi * time[:, None] / PERIOD + late[m:]) * held
    moments = np.einsum("tmj,tm->tj", arm, force) + reserve
    tau = np.where(held, moments, tau)
    return xr.Dataset(
        {
            "q": (("time", "joint"), q), "v": (("time", "joint"), v), "a": (("time", "joint"), a),
            "tau": (("time", "joint"), tau), "reserve": (("time", "joint"), reserve),
            "grf": (("time", "side", "xyz"), _by_side(push, spheres, mj)),
            "contact_force": (("time", "contact", "xyz"), push),
            "contact_position": (("time", "contact", "xyz"), spot),
            "com": (("time", "xyz"), com),
            "com_velocity": (("time", "xyz"), np.gradient(around, PERIOD / knots, axis=0)[1:-1]),
            "site_position": (("time", "site", "xyz"), site),
            "joint_axis_world": (("time", "joint", "xyz"), axis),
            "blade_energy": (("time", "side"), _blade(side, push, spheres, mj)),
            "blade_loss": (("time", "side"), 0.5 * _blade(side, push, spheres, mj)),
            "blade_compression": (("time", "side"), 1e-3 * _blade(side, push, spheres, mj)),
            "blade_strain": (("time", "side"), 1e-2 * _blade(side, push, spheres, mj)),
            "activation": (("time", "muscle"), u), "excitation": (("time", "muscle"), u),
            "muscle_force": (("time", "muscle"), force), "fibre_force_active": (("time", "muscle"), active),
            "muscle_length": (("time", "muscle"), length), "muscle_velocity": (("time", "muscle"), velocity),
            "fibre_length": (("time", "muscle"), fibre),
            "fibre_velocity": (("time", "muscle"), velocity / l0),
            "moment_arm": (("time", "muscle", "joint"), arm),
            "achilles_force": (("time", "side"), tendon_force),
            "achilles_energy": (("time", "side"), tendon_energy),
            "muscle_f0": (("muscle",), prm[:, 2].copy()), "muscle_l0": (("muscle",), l0),
            "objective_term": (("term",), np.array([0.6, 0.3])),
        },
        coords={
            "time": time, "joint": list(body.joints), "side": ["right", "left"], "xyz": list("xyz"),
            "joint_role": ("joint", list(body.joint_data.role)),
            "joint_part": ("joint", list(body.joint_data.part)),
            "joint_side": ("joint", list(body.joint_data.side)),
            "contact_side": ("contact", sphere_sides(mj)), "term": ["effort", "tracking"],
            "site": [mj.site(i).name for i in range(mj.nsite)],
            "contact": [mj.geom(g).name for g in spheres], "muscle": list(body.muscles),
        },
        attrs={
            "stride_time_s": PERIOD, "speed_m_s": SPEED, "mass_kg": body.mass_kg, "gravity": 9.81,
            "leg_length_m": body.leg_length_m, "status": "converged", "why": "", "model_xml": body.xml,
            "blade": "".join(blade.name for blade in body.blades.values()),
            "amputation_side": body.amputation.side,
            "runner": json.dumps(asdict(body.runner)), "amputation": json.dumps(asdict(body.amputation)),
            "fitting": json.dumps(asdict(body.fitting) if body.fitting else None),
            **asked(SPEED),
        },
    )  # fmt: skip


def torque_driven(made):
    """The same stride as one without muscles is written."""
    return made.isel(muscle=slice(0, 0))


def _motion(joints, time, swing):
    q, v, a = np.zeros((3, len(time), len(joints)))
    rate = 2 * np.pi / PERIOD
    for j, name in enumerate(joints):
        mean, size = _SWING.get(name[:-2], (0.0, 0.0))
        if name.startswith("achilles_"):
            mean, size = 0.015, 0.01
        phase = rate * time + (np.pi if name.endswith("_l") else 0.0)
        q[:, j] = mean + swing * size * np.sin(phase)
        v[:, j], a[:, j] = swing * size * rate * np.cos(phase), -swing * size * rate**2 * np.sin(phase)
    at = joints.index("pelvis_tx")
    q[:, at], v[:, at] = SPEED * time, SPEED
    q[:, joints.index("pelvis_tz")] = 0.0
    return q, v, a


def _by_side(push, spheres, mj):
    mine = np.array([[side[0] == s for side in sphere_sides(mj)] for s in "rl"])
    return np.einsum("tcx,sc->tsx", push, mine)


def _blade(side, push, spheres, mj):
    """Elastic energy (time, side) of a linear blade of 25 kN/m; NaN on a side without one."""
    worn = [side in (s, "both") for s in ("right", "left")]
    return np.where(worn, _by_side(push, spheres, mj)[:, :, 2] ** 2 / 2 / 25e3, np.nan)
