"""Controls held on another fitting: on its own a stride is itself again; a softer blade bends more."""

import numpy as np
import pytest

from bladerun.body.runner import Amputation, Runner
from bladerun.errors import StartError
from bladerun.fitting import Fitting
from bladerun.forward.unadapted import hold
from bladerun.gait.outcomes import flat, outcomes
from bladerun.model import build_model
from bladerun.options import SolverOptions
from bladerun.stride import solve
from bladerun.task import Task

RUNNER, CUT = Runner(75.0, 1.75), Amputation("right")


def model(category):
    return build_model(RUNNER, CUT, Fitting("j-sprint", category=category))


@pytest.fixture(scope="module")
def stride():
    return solve(model(5.0), Task(3.3), options=SolverOptions.default(knots=90))


@pytest.mark.slow
def test_on_its_own_fitting_it_is_itself(stride):
    held = hold(stride, model(5.0), strides=4)
    assert (held.attrs["status"], held.attrs["why"]) == ("held", "")
    np.testing.assert_allclose(held.q, stride.q, atol=0.01)
    before, after = flat(outcomes(stride)), flat(outcomes(held))
    for name in ("contact_time_s_right", "peak_vgrf_bw_right", "blade_energy_peak_j_right"):
        assert after[name] == pytest.approx(before[name], rel=0.03)


@pytest.mark.slow
def test_a_runner_who_falls_is_said_to(stride, monkeypatch):
    from bladerun.forward import unadapted as module

    whole = module.replay

    def short(*args, **kinds):
        return whole(*args, **kinds | {"strides": 1})

    monkeypatch.setattr(module, "replay", short)
    fell = hold(stride, model(5.0), strides=2)
    assert fell.attrs["status"] == "fell" and "fell after" in fell.attrs["why"]


def test_other_joints_are_refused(stride):
    with pytest.raises(StartError, match="same joints"):
        hold(stride, build_model(RUNNER))


@pytest.mark.slow
def test_a_softer_blade_bends_more(stride):
    held = hold(stride, model(4.0))
    assert held.attrs["status"] == "held", held.attrs["why"]
    before, after = flat(outcomes(stride)), flat(outcomes(held))
    assert after["blade_compression_mm_right"] > before["blade_compression_mm_right"]
