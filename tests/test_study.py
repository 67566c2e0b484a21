"""A study: what is solved from where, what is used again, scatter and failures, what is recommended."""

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bladerun import study
from bladerun.body.runner import Amputation, Runner
from bladerun.case import SWEPT, Case
from bladerun.errors import InputError
from bladerun.fitting import Fitting
from bladerun.priorities import priorities
from bladerun.study import _fit, answer, job, recommend, visits
from bladerun.study.visits import Visit
from bladerun.task import Task
from strides import synthetic

CASE = Case(
    Runner(mass_kg=72.0, height_m=1.76, sex="female"),
    Amputation("right", residual_limb_m=0.16),
    Fitting("j-sprint", height_mm=30.0),
    Task(3.3),
    {"category": (-1, 0, 1), "height_mm": (20.0, 30.0, 40.0), "toe_out_deg": (0.0, 5.0, 10.0)},
)
SMALL = replace(CASE, sweep={"height_mm": (20.0, 30.0), "toe_out_deg": (0.0, 5.0)})


def numbers(fitting, **changed):
    """Outcomes of a made-up runner who does best at 20 mm and 5 deg."""
    cost = 2.5 + 0.02 * abs(fitting.height_mm - 20) + 0.04 * abs(fitting.toe_out_deg - 5)
    values = {
        "joint_work_j_kg_m": cost,
        "hip_height_difference_mm": fitting.height_mm - 20.0,
        "socket_axial_torque_peak_nm_kg_right": 0.5,
        "socket_axial_torque_peak_nm_kg_left": 0.4,
        "tip_swing_mm_right": 10.0,
        "tip_swing_mm_left": -20.0,
        "blade_strain_margin_right": 2.0,
        "blade_strain_margin_left": np.nan,
    }
    values |= {
        f"{joint}_torque_excess_nm_kg_{side}": 0.1
        for joint in recommend._BANDED
        for side in ("left", "right")
    }
    values |= {f"asymmetry_{name}_percent": -2.0 for name in recommend._SYMMETRY}
    return values | changed


TRADEOFFS = {row["key"]: 1.0 for row in recommend.weights()["tradeoff"]}


WHOLE = synthetic.stride(knots=12)


class Solver:
    """Stands in for the real one: instant, counts its calls, and depends a little on where it started."""

    def __init__(self):
        self.calls, self.fail, self.noise, self.die_after = [], (), 0.0, 99999
        self.failure = "not converged"

    def __call__(self, fitting, task, *, start=None, **settings):
        if len(self.calls) >= self.die_after:
            raise KeyboardInterrupt
        self.calls.append(visits.name_of(fitting))
        values = numbers(fitting)
        if start is not None:
            came_from = json.loads(start.attrs["values"])["joint_work_j_kg_m"]
            values["joint_work_j_kg_m"] += self.noise * np.sign(came_from - values["joint_work_j_kg_m"])
        converged = self.calls[-1] not in self.fail
        return WHOLE.assign_attrs(
            status="converged" if converged else self.failure,
            why="" if converged else "made to fail",
            objective=values["joint_work_j_kg_m"],
            values=json.dumps(values),
        )


@pytest.fixture
def solver(monkeypatch):
    solver = Solver()
    monkeypatch.setattr(job, "solve", solver)
    monkeypatch.setattr(_fit, "build_model", lambda runner, amputation, fitting: fitting)
    monkeypatch.setattr(job, "build_model", lambda runner, amputation, fitting, variation: fitting)
    monkeypatch.setattr(job, "outcomes", lambda stride: json.loads(stride.attrs["values"]))
    monkeypatch.setattr(job, "flat", lambda values: values)
    monkeypatch.setattr(_fit, "_window", lambda *_: None)  # its own tests: test_landing_window
    return solver


# --- The plan ---------------------------------------------------------------------------------------------

steps = st.lists(st.integers(-2, 1), min_size=1, max_size=3, unique=True)
heights = st.lists(st.integers(0, 6).map(lambda i: 10.0 * i), min_size=1, max_size=3, unique=True)
toes = st.lists(st.integers(0, 3).map(lambda i: 5.0 * i), min_size=1, max_size=3, unique=True)


@settings(max_examples=40, deadline=None)
@given(category=steps, height=heights, toe=toes)
def test_every_fitting_is_visited_both_ways_from_something_visited_before(category, height, toe):
    grid = visits.grid(replace(CASE, sweep={"category": category, "height_mm": height, "toe_out_deg": toe}))
    plan = visits.plan(grid)
    seen = set()
    for visit, before in plan.items():
        assert before is None or before in seen
        seen.add(visit)
    assert [v for v, before in plan.items() if before is None] == [Visit(grid.current, "first")]
    if len(grid.fittings) > 1:
        assert {(v.name, v.way) for v in seen} - {(grid.current, "first")} == {
            (name, way) for name in grid.fittings for way in ("up", "down")
        }
    assert len(grid.places) == len(category) * len(height) * len(toe)


def test_neighbours_on_the_grid_differ_in_one_setting():
    grid = visits.grid(CASE)
    for visit, before in visits.plan(grid).items():
        if before is not None and before.way != "first":
            a, b = grid.fittings[visit.name], grid.fittings[before.name]
            assert sum(getattr(a, axis) != getattr(b, axis) for axis in SWEPT) == 1
            assert before.way == visit.way


@settings(max_examples=40, deadline=None)
@given(height=st.floats(0, 60), toe=st.floats(-5, 15), category=st.integers(2, 7))
def test_long_ways_are_bridged_in_short_steps(height, toe, category):
    start = Fitting("j-sprint", 4.0, 30.0, 0.0)
    end = Fitting("j-sprint", float(category), height, toe)
    path = [start, *visits.bridge(start, end)]
    assert path[-1] == end
    for a, b in pairwise(path):
        assert abs(a.height_mm - b.height_mm) <= 10 + 1e-6
        assert abs(a.toe_out_deg - b.toe_out_deg) <= 5 + 1e-6
        assert abs(a.category - b.category) <= 1
        assert a.category == int(a.category)


# --- A study ----------------------------------------------------------------------------------------------


def test_a_study_writes_its_table_and_recommends_the_best(solver, tmp_path):
    told = []
    result = study.fit(CASE, tmp_path, workers=1, widen=False, progress=lambda *args: told.append(args))
    table = pd.read_parquet(tmp_path / "outcomes.parquet")
    assert len(table) == 27 and (table.status == "converged").all()
    best = result.table.loc[result.recommended]
    assert (best.height_mm, best.toe_out_deg) == (20, 5)
    assert result.table.at[result.current, "current"] and result.current.endswith("height30_toe0")
    alike = {n for n in table.index if n.endswith("height20_toe5")}  # no category is better than another
    assert set(result.indistinct) == alike - {table.score.idxmin()} and result.recommended in alike
    assert best.category == result.table.at[result.current, "category"], "the smallest change that gains it"
    assert result.stride(result.recommended).is_file()
    assert "cost of running" in result.why and "hips out of level" in result.why
    json.dumps(result.to_dict(), allow_nan=False)
    assert json.loads((tmp_path / "study.json").read_text())["recommended"]["name"] == result.recommended

    done = [args[0] for args in told]
    assert done == sorted(done) and all(args[0] <= args[1] for args in told)
    assert told[-1][:2] == (55 + 4 * 8,) * 2 and "toe-out" in told[0][2]
    assert told[0][3] is None and told[-1][3] == 0


def test_a_second_study_solves_nothing_and_says_the_same(solver, tmp_path):
    first = study.fit(SMALL, tmp_path, workers=1, widen=False, ensemble=0)
    count = len(solver.calls)
    second = study.fit(SMALL, tmp_path, workers=1, widen=False, ensemble=0)
    assert len(solver.calls) == count
    pd.testing.assert_frame_equal(first.table, second.table)
    assert first.to_dict() == second.to_dict()


def test_an_interrupted_study_goes_on_where_it_was(solver, tmp_path):
    solver.die_after = 5
    with pytest.raises(KeyboardInterrupt):
        study.fit(SMALL, tmp_path, workers=1, widen=False, ensemble=0)
    assert not (tmp_path / "outcomes.parquet").exists()
    assert not list(tmp_path.rglob(".*"))
    solver.die_after = 99999
    study.fit(SMALL, tmp_path, workers=1, widen=False, ensemble=0)
    assert len(solver.calls) == 9  # 4 fittings, two ways, and the first


def test_other_inputs_and_damaged_files_are_solved_anew(solver, tmp_path):
    study.fit(SMALL, tmp_path, workers=1, widen=False, ensemble=0)
    study.fit(replace(SMALL, task=Task(3.4)), tmp_path, workers=1, widen=False, ensemble=0)
    assert len(solver.calls) == 18
    study.fit(SMALL, tmp_path, workers=1, widen=False, ensemble=0)
    assert len(solver.calls) == 27
    file = next((tmp_path / "strides").glob("*_up.nc"))
    file.write_bytes(file.read_bytes()[:100])
    study.fit(SMALL, tmp_path, workers=1, widen=False, ensemble=0)
    assert len(solver.calls) == 28


def test_a_wider_sweep_uses_what_is_there(solver, tmp_path):
    study.fit(SMALL, tmp_path, workers=1, widen=False, ensemble=0)
    study.fit(
        replace(SMALL, sweep={**SMALL.sweep, "height_mm": (20.0, 30.0, 40.0)}),
        tmp_path,
        workers=1,
        widen=False,
        ensemble=0,
    )
    assert len(solver.calls) == 9 + 4


@pytest.mark.parametrize("status", ["not converged", "too weak"])
def test_what_is_no_answer_is_a_row_without_numbers_and_never_recommended(status, solver, tmp_path):
    solver.failure = status
    best = study.fit(SMALL, tmp_path / "all", workers=1, widen=False, ensemble=0).recommended
    solver.fail = (best,)
    result = study.fit(SMALL, tmp_path / "some", workers=1, widen=False, ensemble=0)
    row = result.table.loc[best]
    assert row.status == status and row.why == "made to fail"
    assert np.isnan([row.score, row.objective, row.joint_work_j_kg_m]).all()
    assert result.recommended not in (None, best) and best not in result.indistinct


def test_nothing_converged_nothing_recommended(solver, tmp_path):
    solver.fail = tuple(visits.grid(SMALL).fittings)
    result = study.fit(SMALL, tmp_path, workers=1, widen=False, ensemble=0)
    assert result.recommended is None and result.comparison == []
    json.dumps(result.to_dict(), allow_nan=False)


def test_a_stride_that_is_too_weak_still_is_a_start(solver, tmp_path):
    solver.failure, solver.fail = "too weak", (visits.grid(SMALL).current,)
    grid = visits.grid(SMALL)
    plan = visits.plan(grid)
    results = {visit: {"status": "too weak"} for visit in plan}
    started = [visit for visit in plan if plan[visit] is not None]
    assert all(visits.start_of(visit, plan, results) == plan[visit] for visit in started)
    assert (
        " 1 of 4 fittings ask too much of the muscles"
        in study.fit(SMALL, tmp_path, workers=1, widen=False, ensemble=0).why
    )


def test_a_start_that_failed_is_passed_over(solver, tmp_path):
    grid = visits.grid(CASE)
    plan = visits.plan(grid)
    last = Visit(grid.places[2, 2, 2], "up")
    results = {visit: {"status": "converged", "objective": 1.0} for visit in plan}
    results[plan[last]]["status"] = "not converged"
    assert visits.start_of(last, plan, results) == plan[plan[last]]
    for result in results.values():
        result["status"] = "not converged"
    assert visits.start_of(last, plan, results) is None


def test_visits_from_the_same_start_are_no_evidence_of_small_scatter(solver, tmp_path):
    solver.fail = (visits.grid(CASE).current,)
    two = replace(CASE, sweep={"height_mm": (20.0, 30.0)})
    table = study.fit(two, tmp_path, workers=1, widen=False, ensemble=0).table
    other = table[table.status == "converged"]
    assert list(other.visits) == [1] and other.score_scatter.isna().all()


def test_scatter_is_what_lies_between_the_visits(solver, tmp_path):
    solver.noise = 0.0005  # below the gap at which a fitting is solved again
    table = study.fit(SMALL, tmp_path, workers=1, widen=False, ensemble=0).table
    assert (table.joint_work_j_kg_m_scatter <= 0.001 + 1e-12).all()
    assert (table.joint_work_j_kg_m_scatter > 0).any()
    np.testing.assert_allclose(table.objective_scatter, table.joint_work_j_kg_m_scatter)
    assert (table.socket_torque_nm_kg_scatter == 0).all()


def test_visits_that_disagree_are_solved_again_from_a_better_neighbour(solver, tmp_path):
    solver.noise = 0.05
    result = study.fit(SMALL, tmp_path, workers=1, widen=False, ensemble=0)
    again = list((tmp_path / "strides").glob("*_again.nc"))
    assert again
    assert (result.table.visits == 3).any()


def test_an_ensemble_gives_every_fitting_the_same_draws_and_an_interval(solver, tmp_path):
    result = study.fit(
        replace(CASE, sweep={"height_mm": [20.0, 30.0]}), tmp_path, workers=1, widen=False, ensemble=4
    )
    assert set(result.members.index.get_level_values("member")) == set(range(5))
    assert set(result.members.index.get_level_values("name")) == set(result.table.index)
    assert (result.table.score_low <= result.table.score).all()
    assert (result.table.score <= result.table.score_high).all()
    assert (tmp_path / "members.parquet").exists()
    row = result.comparison[0]
    assert row["low"] <= row["difference"] <= row["high"]


def test_every_change_of_one_setting_is_solved_beside_what_was_asked(solver, tmp_path):
    result = study.fit(replace(CASE, sweep={}), tmp_path, workers=1, ensemble=0)
    words = {change["words"] for change in answer.changes(result.table, result.current)}
    assert {"one category softer", "10 mm shorter", "toe 5° further in", "5° less flexion"} <= words
    names = [n for n in result.table.index if "sagittal" in n]
    assert sorted(result.table.sagittal_deg[names]) == [0.0, 10.0]
    assert (result.table.visits[names] == 1).all()


def test_beside_a_grid_a_change_is_solved_both_ways(solver, tmp_path):
    table = study.fit(SMALL, tmp_path, workers=1, ensemble=0).table
    assert (table.visits[[n for n in table.index if "sagittal" in n]] == 2).all()


def test_what_this_runner_cares_about_makes_the_score(solver, tmp_path):
    own = priorities({"like": "distance", "whip": 0.0})
    result = study.fit(replace(SMALL, priorities=own), tmp_path, workers=1, widen=False, ensemble=0)
    row = result.table.loc[result.current]
    assert row.score == pytest.approx(recommend.score(row, own))
    assert row.score != pytest.approx(recommend.score(row))
    assert {r["name"]: r["weight"] for r in result.weights["tradeoff"]} == own


def test_by_default_what_the_answer_speaks_of_is_solved_with_varied_facts(solver, tmp_path):
    result = study.fit(CASE, tmp_path, workers=1, widen=False)
    solved = result.members[~result.members.estimated]
    names = set(solved.index.get_level_values("name"))
    assert {result.current, result.recommended, result.first} <= names
    assert 3 <= len(names) < len(result.table)
    assert set(solved.loc[result.current].index) == set(range(9))
    assert result.table.score_low.notna().all()
    written = pd.read_parquet(tmp_path / "members.parquet")
    assert set(written.index.get_level_values("name")) == names


def test_the_recommended_fitting_is_tried_without_adapting_where_that_is_asked(solver, tmp_path, monkeypatch):
    asked = []

    def hold(stride, model):
        asked.append(model)
        told = {"status": "held", "why": "", "feedback_share": 0.1, "values": '{"contact_time_s_right": 0.2}'}
        return stride.assign_attrs(told)

    monkeypatch.setattr("bladerun.forward.unadapted.hold", hold)
    monkeypatch.setattr(
        "bladerun.forward.unadapted.other_fitting", lambda stride, changed: Fitting("", **changed)
    )
    monkeypatch.setattr(_fit, "outcomes", lambda stride: json.loads(stride.attrs["values"]))
    monkeypatch.setattr(_fit, "flat", lambda values: values)
    whole = replace(SMALL, sweep={"height_mm": (20, 30), "toe_out_deg": (0, 5)})
    result = study.fit(whole, tmp_path, workers=1, widen=False, hold=True)
    assert asked == [Fitting("", category=5.0, height_mm=20.0, toe_out_deg=5.0)]
    assert result.held == {
        "status": "held", "why": "", "feedback_share": 0.1, "contact_time_s_right": 0.2
    }  # fmt: skip
    assert result.to_dict()["held"] == result.held
    assert study.fit(SMALL, tmp_path, workers=1, widen=False, ensemble=0).held == {} and len(asked) == 1


def test_a_single_fitting_has_no_scatter_and_is_its_own_recommendation(solver, tmp_path):
    result = study.fit(replace(CASE, sweep={}), tmp_path, workers=1, widen=False, ensemble=0)
    assert len(solver.calls) == 1 and result.recommended == result.current
    assert np.isnan(result.table.at[result.current, "score_scatter"])


def test_the_fitting_worn_today_is_solved_where_the_sweep_leaves_it_out(solver, tmp_path):
    worn = replace(CASE, fitting=replace(CASE.fitting, height_mm=55.0), sweep=SMALL.sweep)
    result = study.fit(worn, tmp_path, workers=1, widen=False, ensemble=0)
    assert len(result.table) == 5 and result.table.at[result.current, "height_mm"] == 55
    assert result.table.at[result.current, "visits"] == 3
    assert len(result.comparison) == 7


def test_nothing_to_fit_and_no_place_to_write(solver, tmp_path):
    with pytest.raises(InputError, match="fitting"):
        study.fit(
            replace(CASE, fitting=None, amputation=Amputation()), tmp_path / "x", workers=1, widen=False
        )
    assert not (tmp_path / "x").exists()
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file"):
        study.fit(SMALL, tmp_path / "file", workers=1, widen=False, ensemble=0)


def test_a_sweep_goes_on_beyond_its_edge_until_the_best_is_inside(solver, tmp_path):
    worn = replace(CASE.fitting, height_mm=50.0)
    away = replace(CASE, fitting=worn, sweep={"height_mm": (40.0, 50.0), "toe_out_deg": (0.0, 5.0)})
    result = study.fit(away, tmp_path, workers=1)
    table = result.table
    assert (table.at[result.recommended, "height_mm"], table.at[result.recommended, "toe_out_deg"]) == (20, 5)
    assert {10.0, 20.0, 30.0} <= set(table.height_mm) and 10.0 in set(table.toe_out_deg)
    assert "limit" not in result.why
    grown, calls = len(table), len(solver.calls)
    again = study.fit(away, tmp_path, workers=1)
    assert len(again.table) == grown and len(solver.calls) == calls
    assert len(study.fit(away, tmp_path, workers=1, widen=False, ensemble=0).table) == 4


def test_a_limit_of_the_blade_ends_a_sweep_and_is_named(solver, tmp_path, monkeypatch):
    def high(fitting, runner, amputation):
        if fitting.height_mm < 30:
            raise InputError("20 mm is not possible", key="height_mm")

    monkeypatch.setattr(visits, "placements", high)
    result = study.fit(
        replace(CASE, sweep={"height_mm": (30.0, 40.0), "toe_out_deg": (0.0, 5.0, 10.0)}), tmp_path, workers=1
    )
    assert "limit in height" in result.why and "20 mm is not possible" in result.why
    assert result.table.height_mm.min() == 30


# --- The recommendation -----------------------------------------------------------------------------------


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
