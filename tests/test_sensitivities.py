"""What outcomes hang on: which parameters, over which spreads, and (slow) that strides solved again agree."""

import math
from pathlib import Path

import numpy as np
import pytest

from bladerun._lib.data_files import toml
from bladerun.body.runner import ABLE_BODIED
from bladerun.case import load_case
from bladerun.errors import InputError
from bladerun.fitting import resolve
from bladerun.model import build_model
from bladerun.options import SolverOptions
from bladerun.stride import solve
from bladerun.study.job import Inputs
from bladerun.study.parameters import known
from bladerun.study.sensitivities import _Axis, sensitivities, usual
from strides.synthetic import stride

CASE = load_case(Path(__file__).parents[1] / "experiments" / "first-fit.toml")
WORN = resolve(CASE.fitting, CASE.runner)
HERE = Inputs.of(CASE, WORN)


def axis(name):
    return _Axis.of(HERE, SolverOptions.default(), name)


def test_a_multiplier_changes_by_a_factor_of_its_sd():
    sd = toml("uncertainty.toml")["strength"]["sd"]
    assert axis("variation.strength").row() == pytest.approx(
        {"value": 1.0, "less": math.exp(-sd), "more": math.exp(sd)}
    )


def test_a_shift_changes_by_its_sd_and_a_setting_by_a_step():
    sd = toml("uncertainty.toml")["trunk_lean"]["sd"]
    assert axis("variation.trunk_lean").row() == pytest.approx({"value": 0.0, "less": -sd, "more": sd})
    step = toml("sweep.toml")["step"]["height_mm"]
    assert axis("height_mm").row() == pytest.approx({"value": 20.0, "less": 20.0 - step, "more": 20.0 + step})


def test_the_problem_is_that_of_the_changed_runner():
    lighter, heavier = (axis("variation.trunk_mass").posed(way) for way in (-1.0, 1.0))
    trunk = [float(posed.model.mj.body("torso").mass[0]) for posed in (lighter, heavier)]
    wider = math.exp(2 * toml("uncertainty.toml")["trunk_mass"]["sd"])
    assert trunk[1] / trunk[0] == pytest.approx(wider, rel=1e-5)  # the model's text has six digits


def test_without_a_blade_nothing_of_one_is_asked():
    able = Inputs(CASE.runner, ABLE_BODIED, None, CASE.task)
    assert not any("blade" in name or "socket" in name or name == "height_mm" for name in usual(able))
    assert "variation.strength" in usual(able)
    assert {"height_mm", "speed_m_s", "variation.blade_stiffness"} <= set(usual(HERE))


@pytest.mark.parametrize(
    ("name", "said"), [("hight_mm", "not a known parameter"), ("sex", "not a number"), ("fps", "not a known")]
)
def test_what_cannot_be_varied_is_named(name, said):
    with pytest.raises(InputError, match=said):
        axis(name)


@pytest.mark.parametrize("name", sorted(known()))
def test_every_number_of_a_stride_has_a_spread(name):
    try:
        spread = axis(name).spread
    except InputError as error:
        assert "not a number of this stride" in str(error)
    else:
        assert spread > 0.0


def test_only_a_converged_stride_has_any():
    made = stride()
    made.attrs["status"] = "not converged"
    with pytest.raises(InputError, match="did not converge"):
        sensitivities(made)


@pytest.mark.slow
def test_changes_agree_with_solving_again_or_are_marked():
    solved = solve(build_model(CASE.runner, CASE.amputation, WORN), CASE.task)
    found = sensitivities(solved, ["category", "variation.blade_stiffness"], check=True)
    shown = ["cost_j_kg_m", "hip_level_mm", "blade_energy_returned_j_right", "contact_time_s_right"]
    assert (found.linear.loc[shown] == True).all(axis=None)  # noqa: E712
    assert np.isfinite(found.change.loc[shown].to_numpy(float)).all()
    assert found.control_points.sel(parameter="category").any()
