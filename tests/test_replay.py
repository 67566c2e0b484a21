"""MuJoCo's forward dynamics against a solved stride of a runner with a foot and a blade."""

import mujoco
import numpy as np
import pytest

from bladerun.body.runner import Amputation, Runner
from bladerun.fitting import Fitting
from bladerun.forward._controller import controller_for, spline
from bladerun.forward.replay import accelerations, replay
from bladerun.model import build_model
from bladerun.stride import solve
from bladerun.task import Task


@pytest.fixture(scope="module")
def model():
    return build_model(Runner(75.0, 1.75), Amputation(side="right"), Fitting(blade="j-sprint"))


@pytest.fixture(scope="module")
def stride(model):
    return solve(model, Task(3.3))


@pytest.fixture(scope="module")
def replayed(stride):
    return replay(stride)


def test_the_curve_is_the_stride_and_its_derivatives(stride):
    curve, eps = spline(stride), 1e-6
    for k in (0, 1, 45, 89):
        for got, solved in zip(curve(float(stride.time[k])), (stride.q, stride.v, stride.a), strict=True):
            np.testing.assert_allclose(got, solved.values[k], rtol=1e-9, atol=1e-7)
    for t in np.random.default_rng(0).uniform(0.1, 1.5, 20):
        (q0, v0, _), (_, v, a), (q1, v1, _) = curve(t - eps), curve(t), curve(t + eps)
        np.testing.assert_allclose((q1 - q0) / (2 * eps), v, atol=1e-5)
        np.testing.assert_allclose((v1 - v0) / (2 * eps), a, atol=1e-3)


def test_at_the_knots_only_the_residual_is_missing(stride, model):
    driven = ~model.joint_data.of(role="root") & ~model.joint_data.of(role="passive")
    driven |= model.joint_data.of(part="tendon")
    data, mass = mujoco.MjData(model.mj), np.zeros((model.mj.nv,) * 2)
    difference = accelerations(stride) - stride.a.values
    for k, q in enumerate(stride.q.values):
        data.qpos[:] = q
        mujoco.mj_forward(model.mj, data)
        mujoco.mj_fullM(model.mj, data, mass)
        expected = np.where(driven, 0.0, -stride.tau.values[k])
        np.testing.assert_allclose(mass @ difference[k], expected, atol=1e-6)


def test_mujoco_runs_the_stride(replayed, stride):
    assert len(replayed.time) == stride.sizes["time"]
    assert replayed.faithful_s == pytest.approx(stride.attrs["stride_time_s"])
    assert replayed.joint_error_deg < 0.1
    assert replayed.peak_vgrf_difference < 0.02
    assert replayed.vgrf_error_bw < 0.03
    assert replayed.feedback_share < 0.03
    assert replayed.drift_m < 0.002


def test_moments_alone_hold_through_the_landing_then_the_runner_falls(stride):
    alone = replay(stride, feedback=False)
    assert alone.feedback_share == 0.0
    assert alone.faithful_s > 0.08
    assert len(alone.time) < stride.sizes["time"], "an upright runner without feedback falls"


def test_a_wrong_stride_is_found_out(replayed, stride):
    wrong = replay(stride.assign(tau=0.9 * stride.tau))
    assert wrong.feedback_share > 5 * replayed.feedback_share
    assert wrong.joint_error_deg > 5 * replayed.joint_error_deg


def test_feedback_makes_the_orbit_stable(stride):
    own = controller_for(stride)
    assert own.free_multiplier > 10
    assert own.multiplier < 1


@pytest.mark.parametrize("integrator", ["implicitfast", "rk4"])
def test_integrators_agree(integrator, replayed, stride):
    other = replay(stride, integrator=integrator)
    hinge = [not name.startswith("pelvis_t") for name in stride.joint.values]
    assert np.degrees(np.abs(other.q - replayed.q)[:, hinge]).max() < 0.2
    assert other.peak_vgrf_difference < 0.02


def test_mujoco_s_own_muscles_run_the_stride(stride):
    pulled = replay(stride, muscles=True, integrator="implicitfast")
    assert pulled.faithful_s == pytest.approx(stride.attrs["stride_time_s"])
    assert pulled.feedback_share < 0.05


def test_muscles_give_the_moments(stride, model):
    """What MuJoCo's muscles and the reserves give beside them is the solver's moment, within 1 Nm."""
    data, mass = mujoco.MjData(model.mj), np.zeros((model.mj.nv,) * 2)
    difference = accelerations(stride, muscles=True) - accelerations(stride)
    for k, q in enumerate(stride.q.values):
        data.qpos[:] = q
        mujoco.mj_forward(model.mj, data)
        mujoco.mj_fullM(model.mj, data, mass)
        np.testing.assert_allclose(mass @ difference[k], 0.0, atol=1.0)
