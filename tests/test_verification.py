"""The verdict on a stride: kept limits hold, missed ones do not, a fall is seen, muscles agree."""

from dataclasses import replace

import pytest

from bladerun._lib.data_files import toml
from bladerun.body.runner import Amputation, Runner
from bladerun.fitting import Fitting
from bladerun.forward import verification as module
from bladerun.forward.verification import Check, verify
from bladerun.model import build_model
from bladerun.options import SolverOptions
from bladerun.stride import solve
from bladerun.task import Task

CHECK = Check("moments", "euler", 1e-5, 10.0, 0.1, 0.1, 0.01, 0.01, 0.01, 0.001, True)


pytestmark = pytest.mark.xdist_group("verification")  # what they share takes half a minute


@pytest.fixture(scope="module")
def stride():
    model = build_model(Runner(75.0, 1.75), Amputation("right"), Fitting("j-sprint"))
    return solve(model, Task(3.3), options=SolverOptions.default(knots=90))


@pytest.fixture(scope="module")
def once(stride):
    seen = []
    return verify(stride, strides=1, progress=seen.append), seen


def test_every_kind_of_run_is_made(once):
    result, seen = once
    assert result.checks == seen
    kinds = {(check.drive, check.integrator) for check in seen}
    assert kinds == {("moments", "euler"), ("moments", "rk4"), ("muscles", "implicitfast")}
    assert all(len({c.timestep_s for c in seen if (c.drive, c.integrator) == kind}) == 2 for kind in kinds)


def test_a_coarse_stride_of_a_blade_runner_holds(once):
    result, _ = once
    assert result.holds, result.to_dict()
    assert result.muscle_force_error < 0.005
    assert result.to_dict()["checks"][0]["strides"] == 1.0


def test_limits_decide(once, stride, monkeypatch):
    result, _ = once
    assert not replace(result, checks=[replace(CHECK, holds=False)]).holds
    assert not replace(result, multiplier=1.0).holds
    run = {"drive": "moments", "integrator": "euler", "timestep_s": 1e-5}
    own = module.controller_for(stride)
    limits = {"joint_error_deg": 1e-9, "peak_vgrf_difference": 0.03}
    assert not module._check(stride, own, run, 1, limits).holds


def test_a_fall_does_not_hold(stride):
    own = module.controller_for(stride, feedback=False)
    run = {"drive": "moments", "integrator": "euler", "timestep_s": 1e-5}
    check = module._check(stride, own, run, 2, {"joint_error_deg": 90.0, "peak_vgrf_difference": 9.0})
    assert check.strides < 2 and not check.holds


@pytest.mark.slow
@pytest.mark.parametrize("speed", [2.5, 3.5, 4.5])
@pytest.mark.parametrize("side", ["none", "right"])
def test_strides_hold_at_every_speed(side, speed):
    """Ten strides by moments and ten by MuJoCo's muscles."""
    fitting = None if side == "none" else Fitting("j-sprint")
    solved = solve(build_model(Runner(75.0, 1.75), Amputation(side), fitting), Task(speed))
    facts, own = toml("replay.toml"), module.controller_for(solved)
    assert own.multiplier < 1
    runs = {run["drive"]: run for run in reversed(facts["verify"]["run"])}
    for drive, driven in (("moments", own), ("muscles", module.by_muscles(own, solved))):
        check = module._check(solved, driven, runs[drive], 10, facts["limit"])
        assert check.holds, check
