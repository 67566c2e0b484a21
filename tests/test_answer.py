"""What is recommended and why: by score, scatter and what matters; steps to it, what should be seen."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bladerun.case import SWEPT
from bladerun.fitting import Fitting
from bladerun.study import answer, recommend
from fakes.comparison import numbers

TRADEOFFS = {row["key"]: 1.0 for row in recommend.weights()["tradeoff"]}


def table(scores, scatters, margins=None):
    index = list("abcdef"[: len(scores)])
    return pd.DataFrame(
        {
            "status": "converged",
            "score": scores,
            "score_scatter": scatters,
            "blade_margin": margins or [2.0] * len(scores),
        },
        index=index,
    )


def test_the_lowest_score_whose_blade_holds_is_recommended():
    best, indistinct = recommend.recommend(table([3, 1, 2], [0.01] * 3, [2, 0.5, 2]))
    assert best == "c" and indistinct == []


def test_what_scatter_hides_is_not_told_apart():
    best, indistinct = recommend.recommend(table([1.0, 1.05, 1.2, 2.0], [0.1] * 4))
    assert best == "a" and indistinct == ["b"]


def test_two_visits_that_agree_by_chance_do_not_make_a_difference_sure():
    best, indistinct = recommend.recommend(table([1.0, 1.05, 5.0], [0.0, 0.0, 0.2]))
    assert best == "a" and indistinct == ["b"]


def test_without_scatter_nothing_can_be_told_apart():
    best, indistinct = recommend.recommend(table([1.0, 9.0], [np.nan, np.nan]))
    assert best == "a" and indistinct == ["b"]


def settings_table(rows, scatter=0.01):
    """Rows (category, height, toe-out, score)."""
    frame = table([row[3] for row in rows], [scatter] * len(rows))
    frame = frame.assign(**{axis: [float(row[i]) for row in rows] for i, axis in enumerate(SWEPT)})
    return frame.assign(sagittal_deg=5.0)


def test_a_change_is_recommended_only_where_it_gains_more_than_what_matters():
    gain = recommend.weights()["change"]["least_gain"]
    for more, expected in ((1.1, "b"), (0.9, "a")):
        frame = settings_table([(5, 20, 0, 10.0), (5, 10, 0, 10.0 - more * gain)])
        assert recommend.chosen(frame, "b", "a") == expected
    unsure = settings_table([(5, 20, 0, 10.0), (5, 10, 0, 9.0)], scatter=2.0)
    assert recommend.chosen(unsure, "b", "a") == "a"
    assert "No change is worth making" in recommend.why(frame, "a", "a", [], best="b")


def test_the_smallest_change_that_gains_nearly_all_is_recommended():
    frame = settings_table([(5, 20, 0, 10.0), (3, 10, 5, 8.0), (5, 10, 0, 8.4), (4, 10, 0, 8.3)])
    assert recommend.chosen(frame, "b", "a") == "c"
    assert answer.first_step(frame.assign(**TRADEOFFS), "b", "a") == "c"
    assert answer.first_step(frame.assign(**TRADEOFFS), "c", "a") == "c"
    assert answer.first_step(frame.assign(**TRADEOFFS), "a", "a") is None


def test_changes_of_one_setting_are_listed_best_first():
    rows = [(5, 20, 0, 10.0), (4, 20, 0, 9.0), (5, 30, 0, 11.0), (4, 30, 0, 1.0)]
    found = answer.changes(settings_table(rows).assign(**TRADEOFFS), "a")
    assert [(row["name"], row["words"], row["gain"]) for row in found] == [
        ("b", "one category softer", 1.0),
        ("c", "10 mm taller", -1.0),
    ]


def test_a_change_of_flexion_is_one_change_and_a_step_like_others():
    frame = settings_table([(5, 20, 0, 10.0), (5, 20, 0, 9.0), (5, 10, 0, 9.0)]).assign(**TRADEOFFS)
    frame.loc["b", "sagittal_deg"] = 0.0
    assert [row["words"] for row in answer.changes(frame, "a")] == ["5° less flexion", "10 mm shorter"]
    frame.loc["c", "height_mm"] = 0.0
    assert recommend.chosen(frame, "b", "a") == "b"
    assert "flexion 0 deg" in recommend._describe(frame, "b", "a")


@pytest.mark.parametrize(
    ("column", "apart", "difference", "expected"),
    [
        ("hip_level_mm", False, 9.0, "same"),
        ("hip_level_mm", True, 4.9, "little"),
        ("hip_level_mm", True, -5.1, "matters"),
        ("recoil_direction_deg_right", True, 2.1, "matters"),
        ("step_time_s_left", True, 1.0, "differs"),
    ],
)
def test_a_difference_matters_by_its_size(column, apart, difference, expected):
    assert recommend.verdict(column, apart, difference) == expected


def test_what_should_be_seen_is_what_changes_by_as_much_as_matters():
    row = {f"{key}right" if key.endswith("_") else key: 0.0 for key, *_ in answer._SEEN}
    frame = pd.DataFrame(
        [row, row | {"hip_height_difference_mm": -12.0, "contact_time_s_right": 0.001}], ["a", "b"]
    )
    assert answer.look_for(frame, "b", "a", "right") == ["the hip rides lower over the blade (12 mm)"]


def test_no_blade_that_holds_no_recommendation():
    frame = table([1.0, 2.0], [0.1, 0.1], [0.5, 0.9])
    assert recommend.recommend(frame) == (None, [])
    assert "No fitting" in recommend.why(frame, None, "a", [])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0, 1)), min_size=1, max_size=6))
def test_the_recommendation_is_never_beaten_and_never_lists_itself(rows):
    frame = table([score for score, _ in rows], [scatter for _, scatter in rows])
    best, indistinct = recommend.recommend(frame)
    assert frame.score[best] == frame.score.min()
    assert best not in indistinct
    assert all(frame.score[name] <= frame.score[best] + 2**0.5 * 1 + 1e-9 for name in indistinct)


def test_each_tradeoff_raises_the_score_and_margin_does_not():
    fitting = Fitting("j-sprint")
    base = recommend.weigh(numbers(fitting), "right")
    worse = {
        "joint_work_j_kg_m": 3.5,
        "asymmetry_step_time_percent": 9.0,
        "hip_rotation_torque_excess_nm_kg_left": 0.9,
        "hip_height_difference_mm": -60.0,
        "socket_axial_torque_peak_nm_kg_right": 0.9,
        "tip_swing_mm_right": -40.0,
    }
    for key, value in worse.items():
        assert recommend.weigh(numbers(fitting, **{key: value}), "right")["score"] > base["score"]
    assert recommend.weigh(numbers(fitting, blade_strain_margin_right=0.1), "right")["score"] == base["score"]
    assert recommend.weigh(numbers(fitting), "left")["socket_torque_nm_kg"] == 0.4
    assert recommend.weigh(numbers(fitting), "both")["whip_mm"] == 20.0
    assert recommend.weigh(numbers(fitting, blade_strain_margin_left=1.5), "both")["blade_margin"] == 1.5
    assert {row["key"] for row in recommend.weights()["tradeoff"]} <= set(base)


def test_metabolic_cost_takes_the_place_of_joint_work_where_there_are_muscles():
    bare = numbers(Fitting("j-sprint"))
    joints = bare["joint_work_j_kg_m"]
    assert recommend.weigh(bare, "right")["cost_j_kg_m"] == joints
    assert recommend.weigh(bare | {"cost_of_transport_j_kg_m": np.nan}, "right")["cost_j_kg_m"] == joints
    assert recommend.weigh(bare | {"cost_of_transport_j_kg_m": 3.7}, "right")["cost_j_kg_m"] == 3.7
