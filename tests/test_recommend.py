"""The recommendation, number by number: weights, limits, edges and words with values worked out by hand."""

import math

import pandas as pd
import pytest

from bladerun.study import recommend
from bladerun.study.answer import changes, first_step, in_words, look_for

ROW = {
    "joint_work_j_kg_m": 2.0, "cost_of_transport_j_kg_m": 3.6, "hip_height_difference_mm": -7.0,
    "asymmetry_contact_time_percent": -2.0, "asymmetry_step_time_percent": 4.0,
    "asymmetry_peak_vgrf_percent": -6.0, "asymmetry_vertical_impulse_percent": 8.0,
    "hip_flexion_torque_excess_nm_kg_left": 0.1, "hip_flexion_torque_excess_nm_kg_right": 0.0,
    "hip_adduction_torque_excess_nm_kg_left": 0.2, "hip_adduction_torque_excess_nm_kg_right": 0.0,
    "hip_rotation_torque_excess_nm_kg_left": 0.0, "hip_rotation_torque_excess_nm_kg_right": 0.15,
    "knee_flexion_torque_excess_nm_kg_left": 0.05, "knee_flexion_torque_excess_nm_kg_right": 0.1,
    "socket_axial_torque_peak_nm_kg_left": 0.3, "socket_axial_torque_peak_nm_kg_right": 0.6,
    "tip_swing_mm_left": -25.0, "tip_swing_mm_right": 15.0,
    "blade_strain_margin_left": 1.9, "blade_strain_margin_right": 1.4,
}  # fmt: skip
EXACT = {  # by leg: what the row above comes to
    "left": {"socket_torque_nm_kg": 0.3, "whip_mm": 25.0, "blade_margin": 1.9},
    "right": {"socket_torque_nm_kg": 0.6, "whip_mm": 15.0, "blade_margin": 1.4},
    "both": {"socket_torque_nm_kg": 0.6, "whip_mm": 25.0, "blade_margin": 1.4},
}  # fmt: skip


@pytest.mark.parametrize("side", ["left", "right", "both"])
def test_the_tradeoffs_of_one_leg_and_of_both(side):
    found = recommend.weigh(ROW, side)
    usual = {
        "cost_j_kg_m": 3.6, "asymmetry_percent": 5.0, "hip_level_mm": 7.0, "torque_excess_nm_kg": 0.35,
    }  # fmt: skip
    assert {key: found[key] for key in found if key != "score"} == pytest.approx(usual | EXACT[side])
    # weight x value / what matters, over the weights: 1, 1 and four halves
    whole = 3.6 / 0.09 + 5.0 / 2.0 + 0.5 * (7.0 / 5.0 + 0.35 / 0.1)
    whole += 0.5 * (EXACT[side]["socket_torque_nm_kg"] / 0.15 + EXACT[side]["whip_mm"] / 10.0)
    assert found["score"] == pytest.approx(whole / 4.0)


def test_tradeoffs_say_the_unit_that_they_are_in():
    units = {row["key"]: row["unit"] for row in recommend.weights()["tradeoff"]}
    assert units == {
        "cost_j_kg_m": "J/kg/m", "asymmetry_percent": "%", "hip_level_mm": "mm",
        "torque_excess_nm_kg": "Nm/kg", "socket_torque_nm_kg": "Nm/kg", "whip_mm": "mm",
    }  # fmt: skip


def test_own_weights_change_what_counts_and_nothing_else():
    tradeoffs = {key: value for key, value in recommend.weigh(ROW, "right").items() if key != "score"}
    own = {
        "cost": 0.0,
        "asymmetry": 3.0,
        "hip_level": 0.0,
        "torque_excess": 0.0,
        "socket_torque": 1.0,
        "whip": 0.0,
    }
    assert recommend.score(tradeoffs, own) == pytest.approx((3 * 5.0 / 2.0 + 0.6 / 0.15) / 4)


def table(rows, scatter=0.01):
    """(category, height, toe-out, score, margin) by letter, all converged."""
    columns = ("category", "height_mm", "toe_out_deg", "score", "blade_margin")
    frame = pd.DataFrame(
        [dict(zip(columns, map(float, row), strict=True)) for row in rows], list("abcdef"[: len(rows)])
    )
    frame = frame.assign(
        status="converged", sagittal_deg=5.0, score_scatter=scatter, blade_margin_scatter=0.01
    )
    for row in recommend.weights()["tradeoff"]:
        frame[row["key"]], frame[f"{row['key']}_scatter"] = (
            frame.score * row["matters"],
            0.01 * row["matters"],
        )
    return frame


@pytest.mark.parametrize(("margin", "best"), [(1.2, "a"), (1.19999, "b")])
def test_a_blade_at_its_limit_holds_and_one_below_does_not(margin, best):
    frame = table([(4, 20, 0, 1.0, margin), (5, 20, 0, 3.0, 2.0)])
    assert recommend.recommend(frame) == (best, [])


def test_what_was_not_solved_is_not_recommended():
    frame = table([(4, 20, 0, 1.0, 2.0), (5, 20, 0, 3.0, 2.0)])
    frame.loc["a", ["status", "score", "blade_margin"]] = ["not converged", math.nan, math.nan]
    assert recommend.recommend(frame) == ("b", [])
    frame.loc["b", "status"] = "too weak"
    assert recommend.recommend(frame) == (None, [])


@pytest.mark.parametrize(
    ("today", "worth"),
    [
        ({"score": 2.51}, True), ({"score": 2.49}, False), ({"score": 2.5}, True),
        ({"score": 2.0, "blade_margin": 1.19}, True), ({"score": 2.0, "blade_margin": 1.2}, False),
        ({"score": 2.0, "status": "not converged"}, True), ({"score": 9.0, "score_scatter": 20.0}, False),
    ],
)  # fmt: skip
def test_a_change_is_worth_half_a_point_or_a_blade_that_does_not_hold(today, worth):
    frame = table([(4, 20, 0, 2.0, 2.0), (5, 20, 0, 2.5, 2.0)])
    for column, value in today.items():
        frame.loc["b", column] = value
    assert recommend.worth_changing(frame, "a", "b") is worth


def test_of_those_that_gain_nearly_all_the_nearest_whose_blade_holds():
    rows = [
        (5, 20, 0, 10.0, 2.0),
        (3, 10, 5, 8.0, 2.0),
        (5, 10, 0, 8.5, 1.1),
        (4, 10, 0, 8.5, 1.2),
        (4, 20, 0, 8.51, 2.0),
    ]
    assert recommend.chosen(table(rows), "b", "a") == "d"
    rows[2] = (5, 10, 0, 8.5, 1.2)
    assert recommend.chosen(table(rows), "b", "a") == "c"
    rows[3] = (5, 30, 0, 8.4, 1.2)  # as many steps as the other, and better
    assert recommend.chosen(table(rows), "b", "a") == "d"


def test_differences_are_told_apart_beyond_both_scatters():
    frame = table([(5, 20, 0, 10.0, 2.0), (4, 20, 0, 10.0, 2.0)], scatter=3.0)
    frame.loc["b", "score_scatter"] = 4.0  # combined 5.0; each at least the usual, sqrt(12.5)
    usual = math.sqrt((3.0**2 + 4.0**2) / 2)
    limit = math.hypot(usual, 4.0)
    for away, apart in ((limit + 0.01, True), (limit - 0.01, False), (-limit - 0.01, True)):
        frame.loc["b", "score"] = 10.0 + away
        assert recommend.told_apart(frame, "score", "a", ["b"]) == {"b": apart}


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a", {"category": -1}), ("b", {"height_mm": 1}), ("c", {"category": 1, "height_mm": -1}), ("d", {})],
)
def test_edges_are_where_nothing_further_was_compared(name, expected):
    frame = table([(3, 20, 0, 1, 2), (4, 30, 0, 1, 2), (5, 10, 0, 1, 2), (4, 20, 0, 1, 2)])
    assert recommend.edges(frame, name) == expected


def test_why_an_overloaded_blade_is_to_be_changed():
    frame = table([(4, 20, 0, 2.0, 1.0), (6, 20, 5, 3.0, 1.5)])
    assert recommend.recommend(frame) == ("b", [])
    for row in recommend.weights()["tradeoff"]:  # all alike
        frame[row["key"]] = 0.0
    frame.loc["b", ["cost_j_kg_m", "hip_level_mm", "whip_mm", "socket_torque_nm_kg"]] = [
        -0.18,
        5.0,
        40.0,
        0.149,
    ]
    assert recommend.why(frame, "b", "a", []) == (
        "Against the fitting worn today it has less cost of running (by 0.18 J/kg/m) and more whip (by 40 "
        "mm), hips out of level (by 5 mm). The fitting worn today loads its blade beyond the margin of 1.2."
    )
    frame.loc["a", "blade_margin"] = 1.2
    frame.loc["b", ["cost_j_kg_m", "hip_level_mm", "whip_mm"]] = [-0.08, 4.9, 9.9]
    assert recommend.why(frame, "b", "a", []) == "It scores best, by small differences in everything."
    assert recommend.why(frame, "b", "a", [], best="a") == (
        "It scores best, by small differences in everything. Category 4, 20 mm, toe-out 0 deg would score a "
        "little better, further away."
    )


def test_why_says_what_is_best_what_is_left_out_and_what_is_alike():
    frame = table([(5, 20, 0, 2.3, 2.0), (4, 30, 5, 2.0, 2.0), (3, 20, 0, 9.0, 2.0), (3, 30, 0, 9.0, 2.0)])
    frame.loc["c", "status"], frame.loc["d", "status"] = "not converged", "too weak"
    left = (
        " 1 of 4 fittings did not converge and are left out. 1 of 4 fittings ask too much of the muscles and "
        "are left out."
    )
    assert recommend.why(frame, "a", "a", [], best="b") == (
        "No change is worth making: the best of those compared, category 4, 30 mm, toe-out 5 deg, gains 0.30 "
        "points, less than the 0.5 from which a change is worth it." + left
    )
    better = frame.assign(score=[2.3, 1.0, 9.0, 9.0])
    assert "gains 1.30 points, less than what is uncertain." in recommend.why(better, "a", "a", [], best="b")
    assert (
        recommend.why(frame, "a", "a", ["b"])
        == "The fitting worn today scores best of those compared." + left
    )
    said = recommend.why(frame, "b", "c", ["a"])
    assert said == (
        "It scores best; the fitting worn today was not solved, so the two cannot be compared. Fittings that "
        "do not differ clearly from the best: 1." + left
    )
    assert recommend.why(frame.loc[["a"]], "a", "a", []) == (
        "Nothing is compared yet: the fitting worn today is the only one solved."
    )
    assert recommend.why(frame, None, "a", []) == (
        "No fitting can be recommended: none converged with a blade margin of at least 1.2."
    )


def test_compare_gives_recommended_less_today():
    frame = table([(5, 20, 0, 10.0, 2.0), (4, 20, 0, 8.0, 1.5)])
    rows = {row["key"]: row for row in recommend.compare(frame, "b", "a")}
    cost, margin = rows["cost_j_kg_m"], rows["blade_margin"]
    assert (cost["recommended"], cost["current"], cost["difference"]) == pytest.approx((0.72, 0.9, -0.18))
    assert cost["verdict"] == "matters" and cost["told_apart"] and cost["unit"] == "J/kg/m"
    assert math.isnan(cost["low"]) and cost["scatter"] == pytest.approx(0.0009)
    assert (
        margin["difference"] == pytest.approx(-0.5)
        and margin["verdict"] == "differs"
        and margin["unit"] == "-"
    )


@pytest.mark.parametrize(
    ("axis", "step", "words"),
    [
        ("category", -1, "one category softer"), ("category", 2, "2 categories stiffer"),
        ("height_mm", -10, "10 mm shorter"), ("height_mm", 5, "5 mm taller"),
        ("sagittal_deg", 2, "2° more flexion"),
        ("sagittal_deg", -5, "5° less flexion"), ("toe_out_deg", 5, "toe 5° further out"),
        ("toe_out_deg", -2.5, "toe 2.5° further in"),
    ],
)  # fmt: skip
def test_a_change_in_words(axis, step, words):
    assert in_words(axis, step) == words


def test_changes_alone_say_what_they_gain_and_whether_the_blade_holds():
    frame = table([(5, 20, 0, 10.0, 2.0), (4, 20, 0, 9.0, 1.19), (5, 30, 0, 9.5, 1.2), (5, 20, 5, 9.8, 2.0)])
    frame.loc["d", "status"] = "too weak"
    found = changes(frame, "a")
    assert [(row["name"], row["axis"], row["holds"]) for row in found] == [
        ("b", "category", False), ("c", "height_mm", True)
    ]  # fmt: skip
    assert [row["gain"] for row in found] == pytest.approx([1.0, 0.5])
    assert found[0]["blade_margin"] == pytest.approx(-0.81) and found[0]["whip_mm"] == pytest.approx(-10.0)
    frame.loc["e"] = frame.loc["b"].copy()
    frame.loc["e", ["height_mm", "blade_margin", "score"]] = [30.0, 2.0, 7.0]
    assert first_step(frame, "e", "a") == "c"  # the softer one alone does not hold


def test_what_should_be_seen_first_is_what_changes_most_by_what_matters():
    keys = {"hip_height_difference_mm": (0, 12.0), "contact_time_s_left": (0.2, 0.19),
            "tip_swing_mm_left": (0, 9.9),
            "foot_progression_deg_left": (2, -1.0), "blade_compression_mm_left": (60, 75.0),
            "knee_flexion_touchdown_deg_left": (20, 23.0), "recoil_direction_deg_left": (84, 80.0),
            "landing_offset_m_left": (0.30, 0.312)}  # fmt: skip
    frame = pd.DataFrame(keys, ["a", "b"])
    assert look_for(frame, "b", "a", "left") == [
        "the blade bends more (15 mm)", "the hip rides higher over the blade (12 mm)",
        "shorter contact on the blade (10 ms)", "the push goes more forward (4°)",
    ]  # fmt: skip
    assert look_for(frame, "a", "a", "left") == []
    for away, seen in (
        (5.0, ["the hip rides higher over the blade (5 mm)"]),
        (4.99, []),
    ):  # what matters is seen
        frame.loc["b"] = frame.loc["a"]
        frame.loc["b", "hip_height_difference_mm"] = away
        assert look_for(frame, "b", "a", "left") == seen
