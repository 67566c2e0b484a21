"""The plan of a sweep: which row starts from which, and what a job makes of what goes wrong."""

import numpy as np
import pytest

from bladerun.study import fingerprint
from bladerun.study._tree import tree
from bladerun.study.file import study
from bladerun.study.job import Done, Job, work
from fakes.studies import GRID, changed, drained, planned, seeds


def test_the_tree_starts_each_point_of_a_grid_one_step_away_and_is_no_chain():
    places = np.array([[a, b, c] for a in range(6) for b in range(6) for c in range(6)], dtype=float)
    found = tree(places, [0] * len(places), 3.0)
    depth = np.zeros(len(places), dtype=int)
    for i in found.order:
        if found.start[i] >= 0:
            assert np.abs(places[i] - places[found.start[i]]).sum() == 1
            depth[i] = depth[found.start[i]] + 1
    assert (found.start < 0).sum() == 1 and depth.max() == 15
    rank = np.argsort(found.order)
    for before in (found.start, found.other):
        assert all(rank[before[i]] < rank[i] for i in range(len(places)) if before[i] >= 0)


def test_kinds_and_far_points_begin_their_own_trees():
    found = tree(np.array([[0.0], [1.0], [2.0], [9.0]]), ["a", "a", "b", "a"], 3.0)
    assert list(found.start) == [-1, 0, -1, -1]


def test_a_row_starts_from_its_neighbour_and_seeds_go_when_nobody_needs_them(tmp_path):
    found = study(changed(run={"ensemble": 2, "both_ways": True}))
    rows = drained(found, tmp_path)
    assert sorted(number for number, _, _ in rows) == list(range(108))
    cold = [number for number, job, _ in rows if job.ways[0][0] is None]
    assert cold == [0]
    assert max(len(job.ways) for _, job, _ in rows) == 2
    assert not seeds(tmp_path)
    assert all(job.inputs.variation != rows[0][1].inputs.variation for n, job, _ in rows if n % 3)


def test_what_failed_hands_on_what_it_started_from(tmp_path):
    found = study(changed(parameters={"height_mm": [20, 30, 40]}))
    rows = drained(found, tmp_path, "wrong")
    assert [done.row["status"] for _, _, done in rows] == ["converged", "failed", "converged"]
    assert rows[2][1].ways[0][0] == b"seed"
    assert "ZeroDivisionError" in rows[1][2].row["why"]


def test_a_lost_row_keeps_what_it_is_to_start_from(tmp_path):
    found = study(changed(parameters={"height_mm": [20, 30, 40]}))
    with planned(found, tmp_path) as plan:
        for lost in (False, True, False):
            number, job = plan.take()
            plan.finish(number, Done({"status": "lost"}) if lost else work(job), again=lost)
    ((number, job, _),) = drained(found, tmp_path)
    assert number == 1 and job.ways == ((b"seed", ()),)
    assert not seeds(tmp_path)


def test_what_comes_after_a_stride_does_not_make_it_old():
    def of(modules):
        found = fingerprint.sources(modules)
        return {path.relative_to(fingerprint._PACKAGE).as_posix() for path in found}

    solving, reading = of(fingerprint._SOLVING), of((*fingerprint._SOLVING, *fingerprint._TELLING))
    assert {"model.py", "stride/sweep.py", "body/build.py", "body/reference_gait.py"} <= solving
    assert not {"study/_fit.py", "gait/outcomes.py", "show/plots.py", "study/recommend.py"} & solving
    assert reading - solving > {"gait/outcomes.py", "gait/_clinic.py", "study/recommend.py"}


@pytest.mark.parametrize(("solver", "limit_s"), [("never", 0.5), ("stuck", 0.5)])
def test_a_stride_that_never_ends_is_a_row(solver, limit_s, monkeypatch):
    monkeypatch.setattr("bladerun.study.job._GRACE_S", 0.5)
    monkeypatch.setattr("bladerun.study.job.os._exit", lambda code: None)
    inputs = study(GRID).inputs("runner", (30, 0, 0))
    row = work(Job(inputs, limit_s=limit_s, solver=f"fakes.solvers:{solver}")).row
    assert row["status"] == "timed out" and "0.5 s" in row["why"]


def test_what_goes_wrong_under_a_time_limit_is_not_hidden():
    inputs = study(GRID).inputs("runner", (30, 0, 0))
    with pytest.raises(ModuleNotFoundError, match="no_such_solver"):
        work(Job(inputs, limit_s=60.0, solver="no_such_solver:solve"))
