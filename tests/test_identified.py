"""What forces and motion together give away of a runner: in closed form, and of a solved stride."""

import mujoco
import numpy as np
import pytest

from bladerun import build_model, load_case, measure, solve
from bladerun.body.own_gait import PERCENT, Curve, OwnGait, Spread
from bladerun.body.reference_gait import band
from bladerun.fitting import altered, resolve
from bladerun.gait.events import Leg, joint_curve
from bladerun.gait.opensim import export
from bladerun.motion.identified import identified
from models import muscled
from strides import running

FIRST_FIT = "experiments/first-fit.toml"


def standing(ahead_m, force_n=900.0):
    """Strides of a runner who stands still, upright, the force of the right foot so far ahead of the knee."""
    made = running.stride(side="none")
    mj = muscled.model("none").mj
    data = mujoco.MjData(mj)
    mujoco.mj_kinematics(mj, data)
    knee = data.xanchor[mj.joint("knee_flexion_r").id]
    force, centre = (np.zeros(made.grf.shape) for _ in range(2))
    force[:, 0, 2], centre[:, 0, :2] = force_n, [knee[0] + ahead_m, knee[1]]
    still = made.assign(
        q=made.q * 0, v=made.v * 0, a=made.a * 0, grf=(made.grf.dims, force), cop=(made.grf.dims, centre)
    )
    lower = [mj.body(f"{part}_r").id for part in ("shank", "foot", "toes")]
    mujoco.mj_comPos(mj, data)
    lever = sum(mj.body_mass[b] * 9.81 * (data.xipos[b, 0] - knee[0]) for b in lower)
    return [still, still, still], lever


def test_the_knee_holds_the_force_by_its_lever():
    ahead, force = -0.08, 900.0
    strides, lever = standing(ahead, force)
    body = muscled.model("none")
    rows = {(row.key, row.side): row for row in identified(strides, body)}
    most = body.strength[body.joints.index("knee_flexion_r"), 0]
    expected = (lever - force * ahead) / most  # behind the knee the force bends it; extensors hold
    row = rows["knee_extensors_least", "right"]
    assert row.value == pytest.approx(expected, rel=0.02) and row.usual == 1.0
    centre_off = 1.645 * force * 0.01 / most  # of a centre of pressure that is 10 mm off
    assert (row.high - row.low) / 2 == pytest.approx(centre_off, rel=0.02)
    assert ("knee_extensors_least", "left") not in rows, "the other foot carries nothing"


def test_without_forces_nothing_is_said():
    strides, _ = standing(-0.08)
    silent = [each.assign(grf=each.grf * np.nan) for each in strides]
    assert identified(silent, muscled.model("none")) == []


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """A runner who is not people's mean, on today's fitting, measured there; and the same on another one."""
    case, folder = load_case(FIRST_FIT), tmp_path_factory.mktemp("elsewhere")
    off = {"hip_flexion": 5.0, "knee_flexion": 6.0, "ankle_dorsiflexion": 3.0, "hip_adduction": -2.0}
    joints = {
        f"{joint}_{side}": Curve(band(joint, case.task.speed_m_s)[1] + more, np.ones(51))
        for joint, more in off.items()
        for side in "rl"
        if not (joint == "ankle_dorsiflexion" and side == "r")
    }
    true = OwnGait(case.task.speed_m_s, 8, "right", joints, Spread(0.66, 0.01), 0.5)
    models = [_on(case, height_mm) for height_mm in (20.0, 30.0)]
    today, other = (solve(model, case.task, reference=true) for model in models)
    measured = measure(*export(today, folder, strides=5)[:2], case)
    return case, models, measured, other


def _on(case, height_mm):
    fitting = altered(resolve(case.fitting, case.runner), height_mm=height_mm)
    return build_model(case.runner, case.amputation, fitting)


def apart(one, other):
    """Root mean square distance of the legs' angles over the stride, deg."""
    names = [n for n in map(str, one.joint.values) if n[:3] in ("hip", "kne", "ank")]
    curves = []
    for stride in (one, other):
        legs = {side: Leg(stride, side) for side in ("right", "left")}
        at = {n: legs["right" if n.endswith("_r") else "left"] for n in names}
        curves.append(
            [joint_curve(stride, "q", n)(leg.down + PERCENT / 100 * leg.period) for n, leg in at.items()]
        )
    return float(np.degrees(np.sqrt(np.mean(np.subtract(*curves) ** 2))))


@pytest.mark.slow
def test_a_personal_prediction_of_another_fitting_is_nearer_than_people_s(elsewhere):
    case, models, measured, other = elsewhere
    mine = solve(models[1], case.task, reference=measured.reference)
    usual = solve(models[1], case.task)
    assert {each.attrs["status"] for each in (mine, usual, other)} == {"converged"}
    assert apart(mine, other) < 0.6 * apart(usual, other)


@pytest.mark.slow
def test_a_predicted_stride_gives_its_blade_and_socket_back(elsewhere):
    measured = elsewhere[2]
    rows = {row.key: row for row in measured.identified if row.side == "right"}
    blade, socket = rows["blade_stiffness_kn_m"], rows["socket_rotation_share"]
    assert blade.value == pytest.approx(blade.usual, rel=0.03) and blade.low < blade.usual < blade.high
    assert socket.value == pytest.approx(1.0, abs=0.1)
