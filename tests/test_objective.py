"""What a search aims at: which way, how far past a limit, of which leg, and where there is no number."""

import math

import optuna
import pytest

from bladerun.errors import InputError
from bladerun.gait.outcomes import OUTCOMES
from bladerun.study._objective import Constraint, Objective, columns
from bladerun.study._optuna import name_of, opened
from bladerun.study.file import study
from fakes.studies import GRID

ROW = {
    "score": 2.5, "cost_of_transport_j_kg_m": 3.9, "psis_difference_mm_left": -7.0,
    "psis_difference_mm_right": 6.0, "blade_strain_margin_left": 1.8, "blade_strain_margin_right": None,
    "contact_time_s_left": 0.2, "contact_time_s_right": 0.26,
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "side", "value"),
    [
        ("score", "both", 2.5), ("cost_of_transport_j_kg_m", "right", 3.9), ("contact_time_s", "left", 0.2),
        ("contact_time_s", "right", 0.26), ("contact_time_s", "both", 0.23), ("contact_time_s", "none", 0.23),
        ("contact_time_s_left", "right", 0.2), ("psis_difference_mm", "both", -0.5),
        ("blade_strain_margin", "left", 1.8), ("blade_strain_margin", "right", math.nan),
        ("blade_strain_margin", "both", math.nan),
    ],
)  # fmt: skip
def test_an_objective_is_of_the_amputated_leg_or_the_mean_of_both(name, side, value):
    for sign in (1, -1):
        objective = Objective.parse(f" {name} ", sign)
        assert objective.sign == sign
        assert objective.value(ROW, side) == pytest.approx(value, nan_ok=True)


@pytest.mark.parametrize(
    ("text", "side", "excess"),
    [
        ("score < 2", "right", 0.5), ("score < 3", "right", -0.5), ("score > 2", "right", -0.5),
        ("score >= 3", "right", 0.5), ("score <= 2.5", "right", 0.0), ("score >= 2.5", "right", 0.0),
        ("psis_difference_mm < 5", "left", -12.0), ("psis_difference_mm < 5", "right", 1.0),
        ("|psis_difference_mm| < 5", "left", 2.0), ("| psis_difference_mm | < 5", "right", 1.0),
        ("|psis_difference_mm| < 5", "both", 2.0), ("psis_difference_mm > -5", "both", 2.0),
        ("psis_difference_mm < 1e1", "both", -4.0), ("|psis_difference_mm| > 6.5", "both", 0.5),
        ("blade_strain_margin > 1.5", "left", -0.3), ("blade_strain_margin > 1.5", "right", math.inf),
        ("blade_strain_margin < 9", "both", math.inf), ("blade_strain_margin_left > 2", "right", 0.2),
    ],
)  # fmt: skip
def test_a_constraint_is_passed_by_so_much_of_the_worse_leg(text, side, excess):
    found = Constraint.parse(text)
    assert found.text == text and found.excess(ROW, side) == pytest.approx(excess)


@pytest.mark.parametrize(
    "text",
    ["|score < 2", "score| < 2", "score = 2", "score < ", "< 2", "score < 2 3", "score < 1e", "a b < 1"],
)
def test_what_is_no_limit_is_said(text):
    with pytest.raises(InputError, match=r"is not a limit; as in '\|psis_difference_mm\| < 5'") as caught:
        Constraint.parse(text)
    assert caught.value.key == "[search] subject_to" and repr(text)[1:-1] in str(caught.value)


def test_every_number_of_a_row_has_its_unit():
    units = columns()
    assert units["score"] == units["objective"] == units["blade_margin"] == "-"
    assert units["whip_mm"] == "mm" and units["cost_j_kg_m"] == "J/kg/m"
    assert units["contact_time_s_left"] == units["contact_time_s_right"] == "s"
    assert "contact_time_s" not in units and "step_width_m_left" not in units
    assert len(units) == 2 + 6 + 1 + sum(2 if row.per_leg else 1 for row in OUTCOMES)


def test_optuna_is_told_which_way(tmp_path):
    search = {
        "trials": 2,
        "sampler": "random",
        "minimise": ["score", "whip_mm"],
        "maximise": "contact_time_s",
    }
    asked = study({"base": GRID["base"], "parameters": {"height_mm": [20, 30]}, "search": search})
    found = opened(asked, tmp_path, None, name_of(asked))
    down, up = optuna.study.StudyDirection.MINIMIZE, optuna.study.StudyDirection.MAXIMIZE
    assert found.directions == [down, down, up]
