"""A comparison: what is used again, scatter and failures, what is recommended, what it does at its edges."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bladerun import study
from bladerun.body.runner import Amputation
from bladerun.errors import InputError
from bladerun.fitting import Fitting
from bladerun.priorities import priorities
from bladerun.study import _fit, answer, recommend, visits
from bladerun.study.visits import Visit
from bladerun.task import Task
from fakes.comparison import CASE, SMALL, installed


@pytest.fixture
def solver(monkeypatch):
    monkeypatch.setattr(_fit._Run, "window", lambda *_: None)  # its own tests: test_landing_window
    return installed(monkeypatch)


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
    assert not list(tmp_path.rglob(".*.nc"))
    solver.die_after = 99999
    study.fit(SMALL, tmp_path, workers=1, widen=False, ensemble=0)
    assert len(solver.calls) == 9  # 4 fittings, two ways, and the first


def test_other_inputs_and_damaged_files_are_solved_anew(solver, tmp_path):
    study.fit(SMALL, tmp_path, workers=1, widen=False, ensemble=0)
    study.fit(replace(SMALL, task=Task(3.4)), tmp_path, workers=1, widen=False, ensemble=0)
    assert len(solver.calls) == 18
    before = study.fit(SMALL, tmp_path, workers=1, widen=False, ensemble=0)
    assert len(solver.calls) == 18, "what the folder held before is there still"
    one, other, *_ = (tmp_path / name for name in before.table.stride)
    one.write_bytes(one.read_bytes()[:-1] + b"x")
    other.unlink()
    again = study.fit(SMALL, tmp_path, workers=1, widen=False, ensemble=0)
    pd.testing.assert_frame_equal(again.table, before.table)
    assert len(solver.calls) == 20


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
    again = list((tmp_path / "strides").glob("*-again.nc"))
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
