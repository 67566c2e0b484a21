"""A blade whose stiffness was measured: the bench meets it, the model has it, and its category is a label."""

import json
import math
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from bladerun.blade.bench import run_bench
from bladerun.blade.catalog import catalog, read_blade
from bladerun.body.runner import Amputation, Runner
from bladerun.errors import InputError
from bladerun.fitting import Fitting, altered, blade_of, resolve
from bladerun.forward.unadapted import other_fitting
from bladerun.model import build_model
from bladerun.report.words import blade_from, setting
from bladerun.study import visits
from strides.synthetic import stride

EXAMPLE = Path(__file__).parents[1] / "experiments" / "my-blade.toml"
RUNNER, LIMB = Runner(72.0, 1.76, "female"), Amputation("right", residual_limb_m=0.16)


@pytest.mark.parametrize("stiffness", [10.0, 24.5, 50.0])
@pytest.mark.parametrize("name", catalog())
def test_the_bench_meets_a_measured_stiffness(name, stiffness):
    fitting = resolve(Fitting(name, stiffness_kn_m=stiffness), RUNNER)
    blade = blade_of(fitting)
    result = run_bench(blade, fitting.category)
    assert result.stiffness_secant_kn_m == pytest.approx(stiffness, rel=0.01)
    assert result.hysteresis_fraction == pytest.approx(blade.value("damping", "loss_fraction"), abs=0.003)


def test_the_measured_stiffness_is_the_models():
    usual, soft, nominal = (
        build_model(RUNNER, LIMB, Fitting("j-sprint", 5, stiffness_kn_m=each)).mj
        for each in (None, 20.0, 25.0)
    )
    spring = usual.joint("blade_bend1_r").stiffness[0]
    assert soft.joint("blade_bend1_r").stiffness[0] / spring == pytest.approx(20 / 25, rel=0.03)
    assert nominal.joint("blade_bend1_r").stiffness[0] == pytest.approx(spring)


@pytest.mark.parametrize("wrong", [9.9, 50.1, 25000, math.nan, True, "24", [24]])
def test_a_stiffness_no_blade_has_is_refused(wrong):
    with pytest.raises(InputError, match=r"stiffness_kn_m: .* is not allowed; a number from 10 to 50"):
        Fitting("j-sprint", stiffness_kn_m=wrong)


def test_the_category_is_a_label_and_others_lie_the_nominal_step_from_it():
    worn = resolve(Fitting("j-sprint", 6, stiffness_kn_m=24.0), RUNNER)
    assert worn.category == 6 and blade_of(worn).stiffness_n_m(6)[0] == 24e3
    assert altered(worn, category=5.0).stiffness_kn_m == pytest.approx(24.0 - 2.4)
    assert altered(worn, height_mm=20.0) == replace(worn, height_mm=20.0)
    assert altered(worn, category=5.0, stiffness_kn_m=30.0).stiffness_kn_m == 30.0
    with pytest.raises(InputError, match=r"category: .* 9.6 kN/m in category 0; 10 to 50"):
        altered(worn, category=0.0)


def test_words_name_a_measured_stiffness_and_where_the_blade_is_from():
    usual, measured = Fitting("j-sprint", 5.0), Fitting("j-sprint", 5.0, stiffness_kn_m=24.5)
    for words in (visits.describe(measured), setting(measured.row())):
        assert words.startswith("category 5 (24.5 kN/m), 20 mm")
    assert "kN/m" not in visits.describe(usual) + setting(usual.row()) + blade_from(usual)
    own = replace(measured, blade=read_blade(EXAMPLE))
    assert "24.5" in blade_from(own) and "own file" in blade_from(own) and own.row()["blade"] == "my-blade"
    assert "catalogue" in blade_from(measured) and "catalogue" in blade_from(None)


def test_holding_another_category_takes_the_stiffness_along():
    made = stride()
    worn = replace(Fitting(**json.loads(made.attrs["fitting"])), stiffness_kn_m=24.0)
    made.attrs["fitting"] = json.dumps(asdict(worn))
    model = other_fitting(made, {"category": worn.category + 1})
    assert model.fitting.stiffness_kn_m == pytest.approx(26.4)
