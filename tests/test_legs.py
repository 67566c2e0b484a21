"""Two blades that are not alike: what each leg has, from the file to the model, the words and the tables."""

import json
import math
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import mujoco
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bladerun._lib.table import plain
from bladerun.app import _documents
from bladerun.app import _neighbourhood as near
from bladerun.body.runner import Amputation, Runner
from bladerun.case import check_case, load_case
from bladerun.cli._console import rounded
from bladerun.dataset.asked import fitting_of, person_of
from bladerun.errors import InputError
from bladerun.fitting import Fitting, altered, blade_of, resolve
from bladerun.gait.alignment import alignment
from bladerun.gait.outcomes import outcomes
from bladerun.model import build_model
from bladerun.placement import placements
from bladerun.report._particulars import particulars
from bladerun.report.sheet import _window
from bladerun.report.words import blade_from, blade_title, figure, known, setting, signed
from bladerun.stride import solve
from bladerun.stride.motion_rows import _strain
from bladerun.study import visits
from bladerun.study.file import study
from bladerun.study.job import Inputs
from bladerun.study.nearness import between
from bladerun.study.recommend import why
from bladerun.task import Task
from strides.synthetic import stride
from test_model import inverse, reflection

RUNNER = Runner(72.0, 1.76)
SHORT, LONG = {"residual_limb_m": 0.14}, {"residual_limb_m": 0.17, "gastrocnemius": "reattached"}
LOW = {"category": 3, "height_mm": 10}
HIGH = {"category": 5, "height_mm": 25, "toe_out_deg": 5, "sagittal_deg": 8}
LIMBS = Amputation("both", left=SHORT, right=LONG)
WORN = Fitting("j-sprint", 4, left=LOW, right=HIGH)
DOCUMENT = {
    "runner": {"mass_kg": 72.0, "height_m": 1.76},
    "amputation": {"side": "both", "left": SHORT},
    "fitting": {"blade": "j-sprint", "category": 4, "height_mm": 20, "left": LOW},
    "task": {"speed_m_s": 3.3},
    "sweep": {"height_mm": [20, 30]},
}


def made(**sections):
    return check_case({**DOCUMENT, **sections})


# --- The model --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["left", "right"])
def test_each_leg_is_as_it_would_be_were_both_like_it(side):
    model = build_model(RUNNER, LIMBS, WORN)
    leg = replace(LIMBS.of(side), side="both")
    alike = build_model(RUNNER, leg, WORN.of(side))
    assert model.mass_kg == pytest.approx(RUNNER.mass_kg, rel=5e-6)
    worn, s = model.joint_data.of(part="blade", side=side), side[0]
    there = alike.joint_data.of(part="blade", side=side)
    stiffness = [np.ravel(m.mj.jnt_stiffness)[i] for m, i in ((model, worn), (alike, there))]
    np.testing.assert_allclose(*stiffness, rtol=1e-5)
    for body in [f"socket_{s}", f"shank_{s}"]:
        np.testing.assert_allclose(model.mj.body(body).ipos, alike.mj.body(body).ipos, atol=1e-6)
    clamps = []
    for each in (model.mj, alike.mj):
        data = mujoco.MjData(each)
        mujoco.mj_kinematics(each, data)
        clamps.append(data.site(f"blade_clamp_{s}").xpos - data.site(f"knee_{s}").xpos)
    np.testing.assert_allclose(*clamps, atol=1e-6)
    muscles = [{name for name in m.muscles if name.endswith(f"_{s}")} for m in (model, alike)]
    assert muscles[0] == muscles[1] and (f"gastroc_{s}" in muscles[0]) == (side == "right")


@pytest.mark.parametrize(("side", "height"), [("left", 10.0), ("right", 25.0)])
def test_each_leg_stands_as_high_as_it_was_asked_to(side, height):
    model = build_model(RUNNER, LIMBS, WORN)
    stands = alignment(model.mj, side, WORN.of(side).sagittal_deg)
    assert stands.height_difference_mm == pytest.approx(height, abs=3e-3)


def test_legs_the_other_way_round_give_the_mirror_image():
    one = build_model(RUNNER, LIMBS, WORN)
    swapped = Amputation("both", left=LONG, right=SHORT)
    other = build_model(RUNNER, swapped, replace(WORN, left=HIGH, right=LOW))
    index, sign = reflection(one.joints, other.joints)
    random = np.random.default_rng(5)
    motion = [0.1 * random.standard_normal(len(one.joints)) for _ in range(3)]
    there = inverse(other.mj, *(sign * part[index] for part in motion))
    np.testing.assert_allclose(sign * inverse(one.mj, *motion)[index], there, rtol=1e-4, atol=1e-3)
    alike = build_model(RUNNER, LIMBS, replace(WORN, left=HIGH, right=LOW))
    away = inverse(alike.mj, *(sign * part[index] for part in motion))
    assert np.abs(sign * inverse(one.mj, *motion)[index] - away).max() > 1.0, "limbs do matter"


def test_the_strain_of_each_blade_is_by_its_own_laminate():
    model = build_model(RUNNER, LIMBS, WORN)
    q = np.zeros((3, len(model.joints)))
    q[:, model.joint_data.of(part="blade")] = 0.02
    table = _strain(model, q)
    placed = placements(model.fitting, RUNNER, LIMBS)
    for k, side in enumerate(("right", "left")):
        leg = model.fitting.of(side)
        blade, height = blade_of(leg), placed[side].clamp_to_ground_m
        bent = np.full((3, 5), 0.02)
        expected = blade.strain(bent, float(leg.category), height) / blade.allowable_strain
        np.testing.assert_allclose(table[:, k], expected)
    assert (table[:, 0] > table[:, 1]).all(), "a stiffer blade is thicker, strained more by a bend"


# --- The file ---------------------------------------------------------------------------------------------


def test_a_file_overrides_single_settings_of_a_leg(tmp_path):
    path = tmp_path / "two.toml"
    path.write_text(
        "[runner]\nmass_kg = 72\nheight_m = 1.76\n[amputation]\nside = 'both'\nresidual_limb_m = 0.16\n"
        "left = { residual_limb_m = 0.14 }\n[fitting]\nblade = 'j-sprint'\ncategory = 4\n"
        "[fitting.left]\ncategory = 3\nheight_mm = 10\n[task]\nspeed_m_s = 3.3\n"
    )
    case = load_case(path)
    assert [case.amputation.of(side).residual_limb_m for side in ("left", "right")] == [0.14, 0.16]
    left, right = (case.fitting.of(side) for side in ("left", "right"))
    assert (left.category, left.height_mm) == (3, 10) and (right.category, right.height_mm) == (4, 20.0)
    assert left == Fitting("j-sprint", 3, 10) and not left.left


def test_a_blades_own_file_may_be_that_of_one_leg(tmp_path):
    own = (Path(__file__).parents[1] / "experiments" / "my-blade.toml").read_text(encoding="utf-8")
    (tmp_path / "my-blade.toml").write_text(own, encoding="utf-8")
    fitting = {**DOCUMENT["fitting"], "left": {"blade": "my-blade.toml", "category": 4}}
    case = check_case({**DOCUMENT, "fitting": fitting}, tmp_path / "runner.toml")
    titles = blade_title(case.fitting)
    assert titles.startswith("left: Example") and titles.endswith("right: J-shaped sprint blade")
    lost = {**fitting, "left": {"blade": "lost.toml"}}
    with pytest.raises(InputError, match=r"\[fitting\] left.blade: no file"):
        check_case({**DOCUMENT, "fitting": lost}, tmp_path / "runner.toml")
    with pytest.raises(InputError, match=r"\[fitting\] left.blade: .*without folders"):
        _documents.case_of({**DOCUMENT, "fitting": {**fitting, "left": {"blade": "../my-blade.toml"}}})


def fitted(**own):
    return {"fitting": {**DOCUMENT["fitting"], **own}}


WRONG = {
    "unknown key": (fitted(left={"hight_mm": 5}), ["[fitting] left.hight_mm", "did you mean 'height_mm'?"]),
    "another word": (fitted(left={"flexion": 5}), ["[fitting] left.flexion", "did you mean 'sagittal_deg'?"]),
    "no table": (fitted(left=3), ["[fitting] left: 3", "table"]),
    "a leg in a leg": (fitted(left={"right": {}}), ["[fitting] left.right", "not a known key"]),
    "out of range": (fitted(right={"height_mm": 90}), ["[fitting] right.height_mm: 90", "-40 to 60"]),
    "category": (fitted(left={"category": 14}), ["[fitting] category: on the left leg", "14", "1 to 9"]),
    "no room": (
        {"amputation": {"side": "both", "right": {"residual_limb_m": 0.42}}},
        ["[fitting] height_mm: on the right leg", "is not possible"],
    ),
    "limb": (
        {"amputation": {"side": "both", "left": {"residual_limb_m": 0.6}}},
        ["[amputation] residual_limb_m: on the left leg 0.6 m", "shank"],
    ),
    "limb in words": (
        {"amputation": {"side": "both", "left": {"residual_limb_m": "long"}}},
        ["[amputation] left.residual_limb_m: 'long'"],
    ),
    "side of a leg": ({"amputation": {"side": "both", "left": {"side": "left"}}}, ["left.side", "known"]),
    "limb of a sound leg": (
        {"amputation": {"side": "right", "left": SHORT}, **fitted(left={})},
        ["[amputation] left: is for runners who wear two blades", "on the right"],
    ),
    "blade of a sound leg": ({"amputation": {"side": "left"}}, ["[fitting] left: is for", "on the left"]),
    "measured of both, another category": (
        fitted(stiffness_kn_m=22.0),
        ["[fitting] left.stiffness_kn_m: missing", "this leg's own"],
    ),
    "sweep beyond a leg's room": (
        {**fitted(left={"height_mm": 40}), "sweep": {"height_mm": [20, 45]}},
        ["[sweep] height_mm: on the left leg 65", "-40 to 60"],
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_names_the_leg(wrong):
    sections, words = WRONG[wrong]
    with pytest.raises(InputError, match=r"^[^\n]*$") as error:
        made(**sections)
    assert all(word in str(error.value) for word in words), str(error.value)


def test_nothing_of_one_leg_is_built_for_a_runner_with_one_blade():
    with pytest.raises(InputError, match="wear two blades"):
        build_model(RUNNER, Amputation("right"), WORN)
    kept = made(amputation={"side": "none"}, sweep={})
    assert kept.fitting is None, "as a fitting is kept, so is what a leg has of its own"


# --- Other settings ---------------------------------------------------------------------------------------

HEIGHTS, CATEGORIES, TOES = st.floats(15, 30), st.integers(3, 7), st.floats(-5, 5)
settings_of_both = st.fixed_dictionaries(
    {}, optional={"height_mm": HEIGHTS, "category": CATEGORIES, "toe_out_deg": TOES}
)


@settings(max_examples=30, deadline=None)
@given(settings_of_both, settings_of_both)
def test_legs_keep_their_difference_whatever_both_get(first, second):
    start = resolve(WORN, RUNNER)
    changed = altered(altered(start, **first), **second)
    for side in ("left", "right"):
        for key in ("height_mm", "category", "toe_out_deg"):
            apart = getattr(start.of(side), key) - getattr(start, key)
            assert getattr(changed.of(side), key) - getattr(changed, key) == pytest.approx(apart)
    back = altered(changed, **{key: getattr(start, key) for key in {**first, **second}})
    assert setting(back.row()) == setting(start.row()), "and there is a way back"


def test_a_word_of_one_leg_gives_way_and_one_legs_setting_is_its_own():
    start = resolve(replace(WORN, left={"blade": "c-distance", "category": 4}), RUNNER)
    assert {altered(start, blade="j-sprint").of(side).blade for side in ("left", "right")} == {"j-sprint"}
    lower = altered(resolve(WORN, RUNNER), left={"height_mm": 5.0})
    assert [lower.of(side).height_mm for side in ("left", "right")] == [5.0, 25]


def test_a_measured_stiffness_follows_its_own_legs_category():
    start = resolve(replace(WORN, category=4, left={"stiffness_kn_m": 24.0}), RUNNER)
    stiffer = altered(start, category=start.category + 1)
    blade = blade_of(start.of("left"))
    expected = blade.stiffness_n_m(start.of("left").category + 1)[0] / 1e3
    assert stiffer.of("left").stiffness_kn_m == pytest.approx(expected) and expected > 24.0
    assert stiffer.of("right").stiffness_kn_m is None
    both = altered(resolve(WORN, RUNNER), stiffness_kn_m=24.0)
    assert {both.of(side).stiffness_kn_m for side in ("left", "right")} == {24.0}
    assert altered(both, height_mm=30.0).of("left").height_mm == 20.0


def test_a_category_by_weight_is_that_of_each_legs_blade():
    both = resolve(Fitting("j-sprint", left={"blade": "c-distance"}), RUNNER)
    for side, name in (("left", "c-distance"), ("right", "j-sprint")):
        assert both.of(side).category == resolve(Fitting(name), RUNNER).category


def test_a_sweep_moves_both_legs_and_tells_them_apart():
    case = made(sweep={"height_mm": [20, 30], "category": [-1, 0]})
    grid = visits.grid(case)
    assert len(grid.fittings) == 4 + (grid.current not in grid.places.values())
    for fitting in grid.fittings.values():
        assert fitting.of("left").height_mm == fitting.of("right").height_mm - 10
        assert fitting.of("left").category == fitting.of("right").category - 1
    assert grid.current == "left_category3_height10_toe0_right_category4_height20_toe0"
    words = visits.describe(grid.fittings[grid.current])
    assert words == "left: category 3, 10 mm, toe-out 0 deg; right: category 4, 20 mm, toe-out 0 deg"
    today = grid.fittings[grid.current]
    way = between(Inputs.of(case, today), Inputs.of(case, altered(today, height_mm=55.0)))
    assert [round(each.fitting.of("left").height_mm, 6) for each in way] == [18.75, 27.5, 36.25]
    build_model(case.runner, case.amputation, way[0].fitting)


def test_a_study_varies_both_legs_or_one():
    document = {key: value for key, value in DOCUMENT.items() if key != "sweep"}
    parameters = {"height_mm": [15, 20], "left": {"category": [2, 3], "residual_limb_m": [0.13]}}
    found = study({**document, "parameters": parameters, "design": {"kind": "grid"}})
    names = [each.name for each in found.parameters]
    assert names == ["height_mm", "left.category", "left.residual_limb_m"]
    assert [each.whole for each in found.parameters] == [False, True, False]
    assert found.parameters[1].step == 1.0
    asked = found.inputs("runner", (15, 2, 0.13))
    assert (asked.fitting.of("left").height_mm, asked.fitting.of("right").height_mm) == (5, 15)
    assert (asked.fitting.of("left").category, asked.fitting.of("right").category) == (2, 4)
    assert asked.amputation.of("left").residual_limb_m == 0.13
    alone = {**document, "amputation": {"side": "right"}, "fitting": {"blade": "j-sprint"}}
    with pytest.raises(InputError, match=r"\[parameters\] left.height_mm: .*wear two blades"):
        study({**alone, "parameters": {"left": {"height_mm": [10]}}, "design": {"kind": "grid"}})


def test_the_pages_sliders_move_both_legs():
    case = made()
    middle = near.centre(case)
    fitting, _ = near.at(case, middle._replace(height_mm=25.0))
    assert [fitting.of(side).height_mm for side in ("left", "right")] == [15.0, 25.0]
    assert setting(near.fitting_of(case, middle).row()).startswith("left: category 3, 10 mm taller")


# --- What is kept and said --------------------------------------------------------------------------------


def test_what_is_kept_gives_the_same_runner_back():
    asked = Inputs(RUNNER, LIMBS, resolve(WORN, RUNNER), Task(3.3))
    kept = stride().assign_attrs(
        amputation=json.dumps(plain(LIMBS)), fitting=json.dumps(plain(asked.fitting)), amputation_side="both"
    )
    _, amputation, fitting = person_of(kept)
    assert (amputation, fitting) == (LIMBS, asked.fitting) and hash(fitting) == hash(asked.fitting)
    assert fitting_of(kept, "left") == fitting.of("left") != fitting_of(kept, "right")
    assert replace(asked, fitting=fitting, amputation=amputation).identity("") == asked.identity("")
    swapped = replace(asked, fitting=replace(fitting, left=fitting.right, right=fitting.left))
    assert swapped.identity("") != asked.identity("")
    assert json.loads(json.dumps(asdict(fitting)))["left"] == LOW


def test_rows_have_columns_of_the_legs_where_these_differ():
    row = resolve(WORN, RUNNER).row()
    assert (row["height_mm"], row["height_mm_left"], row["height_mm_right"]) == (20.0, 10, 25)
    assert "fore_aft_mm_left" not in row and set(Fitting("j-sprint").row()) < set(row)


def test_words_are_of_each_leg_only_where_they_differ():
    row = pd.Series(resolve(WORN, RUNNER).row())
    text = (
        "left: category 3, 10 mm taller, toe straight; "
        "right: category 5, 25 mm taller, toe-out 5°, 8° of socket flexion"
    )
    assert setting(row) == text
    assert setting(Fitting("j-sprint", 4).row()) == "category 4, 20 mm taller, toe straight"
    measured = altered(resolve(WORN, RUNNER), left={"stiffness_kn_m": 21.0})
    assert "left: category 3 (21 kN/m)" in setting(measured.row())
    assert blade_from(measured).startswith("Left: the blade's stiffness was measured (21 kN/m)")
    assert blade_from(WORN).startswith("The blade's stiffness and strength come from the catalogue")
    case = replace(made(), amputation=LIMBS, fitting=WORN)
    assert {"left leg: residual limb 14 cm", "right leg: residual limb 17 cm"} < set(particulars(case))
    assert {"right leg: gastrocnemius reattached", "right leg: socket flexion 8°"} < set(particulars(case))
    alike = replace(case, amputation=Amputation("both", residual_limb_m=0.15), fitting=Fitting("j-sprint"))
    assert particulars(alike) == ["residual limb 15 cm"]


def test_the_report_says_which_leg_has_what():
    names = ["best", "now"]
    fittings = [resolve(WORN, RUNNER), altered(resolve(WORN, RUNNER), height_mm=10.0)]
    rows = [{**each.row(), "status": "converged", "blade_margin": 2.0} for each in fittings]
    table = pd.DataFrame(rows, index=names).assign(score=[1.0, 2.0])
    text = why(table, "now", "now", [], best="best")
    assert "left: category 3, 10 mm, toe-out 0 deg; right: category 5, 25 mm, toe-out 5 deg" in text


def test_the_sheets_chart_is_read_for_each_leg():
    row = resolve(WORN, RUNNER).row()
    row |= {"blade_margin": 1.5, "blade_strain_margin_left": 1.5, "blade_strain_margin_right": 1.9}
    case = replace(made(), amputation=LIMBS, fitting=WORN)
    told = _window(SimpleNamespace(case=case, table=pd.DataFrame([row], index=["now"])), "now")
    assert [text.partition(" leg")[0] for text in told] == ["Left", "Right"]
    assert "category 3" in told[0] and "is 1.50 now" in told[0]
    assert "category 5" in told[1] and "is 1.90 now" in told[1]


@pytest.mark.parametrize("value", [4.54e-8, -4.54e-8])
def test_an_asymmetry_of_two_like_blades_is_printed_as_nothing(value):
    assert signed(value) == figure(value) == "0" and rounded(value) == "0.000"
    stray = 3e5 * value  # as from another start: 0.0136 %
    assert signed(stray, "%") == figure(stray, unit="%") == known(stray, math.nan, "%")[0] == "0"
    assert figure(4.236, unit="%") == "4.2" and figure(0.0136) == "0.0136"
    assert (signed(0.42), signed(-0.42), signed(None)) == ("+0.42", "−0.42", "–")


@pytest.mark.slow
def test_the_softer_blade_of_two_bends_more():
    model = build_model(RUNNER, Amputation("both", left=SHORT), Fitting("j-sprint", 4, left=LOW))
    solved = solve(model, Task(3.3))
    assert solved.attrs["status"] == "converged"
    found = outcomes(solved)
    assert found["blade_compression_mm"]["left"] > found["blade_compression_mm"]["right"] + 2
    assert found["standing_height_difference_mm"] == pytest.approx({"left": 10, "right": 20}, abs=0.01)
