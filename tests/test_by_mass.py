"""The plan over body mass: which strides it asks for, where a category fits, what ends it; a made-up blade.

Its margin is stiffness over mass and its compression mass over stiffness, so that every edge is known.
"""

import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest

from bladerun import cli
from bladerun.body.runner import Runner
from bladerun.case import load_case
from bladerun.errors import InputError
from bladerun.study import by_mass, strides
from bladerun.study.by_mass import END, OVERLOADED, TOO_STIFF, _Ladder, curve, plan_masses
from bladerun.study.by_mass_plot import draw_masses
from bladerun.study.job import Done
from fakes.studies import FIRST_FIT

STIFFNESS = {category: 19.0 + 2.2 * category for category in range(1, 10)}  # kN/m
MARGIN = 4.4  # kg of margin a kN/m: category 5 is overloaded over 4.4 x 30 / 1.2 = 110 kg


def numbers(mass_kg, category, status="converged"):
    bend = mass_kg / STIFFNESS[category]
    row = {"status": status, "why": "", "objective": 1.0, "cost_j_kg_m": 3.8}
    row["blade_margin"] = MARGIN * STIFFNESS[category] / mass_kg
    return row | {"blade_compression_mm_right": bend, "blade_energy_peak_j_right": bend * mass_kg}


def climbed(low_kg, high_kg, status=lambda key: "converged"):
    """A ladder with every stride that it asks for answered, and what was asked in its order."""
    case = load_case(FIRST_FIT)
    ladder = _Ladder(case, by_mass._masses(case, low_kg, high_kg))
    order = []
    while item := ladder.take():
        key, asked = item
        assert asked.start is None or asked.start in [each for _, each in order]
        order.append((key, asked))
        ladder.rows[key] = numbers(*key, status(key))
    return ladder, order


def test_one_stride_is_from_nothing_and_the_others_from_a_neighbour():
    _, order = climbed(60, 95)
    assert [key for key, asked in order if asked.start is None] == [(74.0, 5.0)]
    assert len(dict(order)) == len(order)
    for (kg, category), asked in order[1:]:
        at = asked.start.inputs
        steps = abs(at.runner.mass_kg - kg) / 7 + (at.runner.mass_kg == kg) * abs(
            at.fitting.category - category
        )
        assert steps == pytest.approx(1)
        assert (asked.inputs.runner.mass_kg, asked.inputs.fitting.category) == (kg, category)


def test_a_category_fits_until_it_is_overloaded_and_from_where_it_bends_enough():
    plan = climbed(80, 129)[0].plan()
    five = plan.span(5.0)
    assert (five.high_by, five.low_by) == (OVERLOADED, END)
    assert five.high_kg == pytest.approx(
        MARGIN * STIFFNESS[5] / 1.2, abs=0.3
    )  # a chord of 1 / mass lies above it
    nine = plan.span(9.0)  # 0.89 of 7's compression, 0.94 of 8's
    assert (nine.low_by, nine.low_kg) == (TOO_STIFF, pytest.approx(101.0, abs=0.11))
    assert plan.span(7.0).chart_kg == (pytest.approx(89.0), pytest.approx(100.9))


def test_nothing_is_said_beyond_what_was_solved():
    plan = climbed(60, 95)[0].plan()
    kg = np.array([59.0, 63.5, 96.0])
    values = curve(plan.table, "blade_margin", 4.0, kg)
    assert np.isnan(values[[0, 2]]).all()
    ends = [MARGIN * STIFFNESS[4] / mass for mass in (60, 67)]
    assert values[1] == pytest.approx(np.mean(ends))
    lost = climbed(60, 95, lambda key: "not converged" if key[0] > 80 else "converged")[0].plan()
    assert lost.span(5.0).high_kg <= 74 and lost.span(5.0).high_by == "not solved"
    assert any("no stride was found" in each for each in lost.warnings())


def test_overload_is_named_before_it_happens():
    gaining, losing = climbed(80, 129)[0].plan().warnings()
    assert gaining == (
        "Gaining weight, category 5 fits to 110 kg, then it is overloaded; the chart gives category 8 there."
    )
    assert losing == "Losing weight, category 5 fits to 80 kg at least; beyond, nothing was asked for."


def test_a_lighter_person_is_as_strong_as_now():
    now = Runner(72.0, 1.76, strength={"hip_abductors": 0.7})
    lighter = now.of_mass(60.0)
    assert lighter.mass_kg * lighter.strength_of("hip_abductors") == pytest.approx(72 * 0.7)
    assert lighter.mass_kg * lighter.strength_of("knee_flexors") == pytest.approx(72)
    assert Runner(72.0, 1.76).of_mass(90.0).strength == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("span", "words"),
    [
        ("60-95", "'60-95' is not allowed; two masses in kg, as 60:95"),
        ("95:60", "95 to 60 kg is not allowed; the lower mass first"),
        ("60:160", "160.* is not allowed; a number from 40 to 140 kg"),
        ("40:60", "no category is recommended for 40 kg at high impact, only for 44"),
        ("60:135", "no category is recommended for 135 kg"),
    ],
)
def test_masses_that_cannot_be_planned_are_named(span, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["plan", str(FIRST_FIT), "--mass", span]) == 2
    out, err = capsys.readouterr()
    assert not out and err.count("\n") == 1
    assert re.search(words, err), err


def test_a_runner_without_a_blade_has_no_plan(tmp_path):
    case = load_case(FIRST_FIT)
    with pytest.raises(InputError, match="no category to plan for"):
        plan_masses(replace(case, fitting=None), 60, 90, tmp_path)


def test_the_command_draws_writes_and_prints_it(capsys, tmp_path, monkeypatch):
    def work(job):
        row = numbers(job.inputs.runner.mass_kg, job.inputs.fitting.category)
        return Done(row | {"from_nothing": False}, b"stride")

    monkeypatch.setattr(strides, "work", work)
    out = tmp_path / "plan"
    argv = ["plan", str(FIRST_FIT), "--mass", "66:80", "--workers", "1", "--out", str(out)]
    assert cli.main([*argv, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (
        data["category_today"] == 5 and data["plot"] == str(out / "plan.png") and len(data["warnings"]) == 2
    )
    assert {row["status"] for row in data["solved"]} == {"converged"}
    assert {"plan.json", "plan.png", "strides"} <= {path.name for path in out.iterdir()}
    assert cli.main(argv) == 0
    text = capsys.readouterr().out
    assert "5 (today)" in text and "69 to 78" in text and "Gaining weight" in text


def test_the_picture_has_a_bar_for_each_category_that_fits():
    plan = climbed(60, 95)[0].plan()
    bars, margin, bend = draw_masses(plan).axes
    fit = [span for span in plan.spans if not math.isnan(span.low_kg)]
    assert [(bar.get_x(), bar.get_width()) for bar in bars.patches] == [
        (span.low_kg, pytest.approx(span.high_kg - span.low_kg)) for span in fit
    ]
    assert len(margin.lines) == 2 * len(plan.spans) + 2 and len(bend.lines) == 2 * len(plan.spans) + 1
