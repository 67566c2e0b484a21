"""Sweeps: what a study file may say, which rows come of it, and that they depend on nothing else."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread

import numpy as np
import pandas as pd
import pyarrow.dataset as ds
import pytest
import tomli_w

from bladerun import cli
from bladerun.errors import InputError
from bladerun.study import _store, fingerprint, load_study, sweep
from bladerun.study._plan import Plan
from bladerun.study._sweep import opened
from bladerun.study._tree import tree
from bladerun.study.file import study
from bladerun.study.job import Done, Job, work
from bladerun.study.plots import _of_sweep, plot
from bladerun.study.status import status

HERE = Path(__file__).parent
FIRST_FIT = HERE.parent / "experiments" / "first-fit.toml"
GRID = {
    "base": str(FIRST_FIT),
    "parameters": {"height_mm": [20, 25, 30, 35], "toe_out_deg": [0, 5, 10], "category_step": [-1, 0, 1]},
    "design": {"kind": "grid"},
}


def changed(**sections):
    return {**GRID, **sections}


def toml(document, path):
    """The document as a study file."""
    path.write_text(tomli_w.dumps(document))
    return path


def drained(plan):
    """Do every job of a plan here, in the order it gives them."""
    numbers = []
    while item := plan.take():
        number, job = item
        done = work(job)
        plan.store_seed(number, done)
        plan.finish(number)
        numbers.append((number, job, done))
    return numbers


# --- The file ---------------------------------------------------------------------------------------------


def test_any_entry_of_cost_and_environment_and_task_can_be_varied():
    asked = study(
        changed(
            cost={"tracking": {"weight": 0.9}},
            environment={"ground": {"friction": 0.8}},
            parameters={
                "cost": {"tracking": {"sigma_rad": {"hip_flexion": [0.1, 0.2]}}},
                "environment.ground.stiffness": [1.0],
                "slope_percent": [0.0, 5.0],
            },
        )
    )
    names = [parameter.name for parameter in asked.parameters]
    assert names == [
        "cost.tracking.sigma_rad.hip_flexion", "environment.ground.stiffness", "slope_percent"
    ]  # fmt: skip
    all_inputs = [asked.inputs("runner", point) for point in asked.points]
    assert {i.cost.tracking.sigma_rad["hip_flexion"] for i in all_inputs} == {0.1, 0.2}
    assert {(i.cost.tracking.weight, i.environment.ground.friction) for i in all_inputs} == {(0.9, 0.8)}
    assert {i.task.slope_percent for i in all_inputs} == {0.0, 5.0}
    assert len({i.identity("program") for i in all_inputs}) == 4
    assert asked.parameters[2].step == 1.25  # a quarter of the range, where models/sweep.toml has none


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (changed(parameters={"heigth_mm": [1]}), "did you mean 'height_mm'"),
        (changed(parameters={"height_mm": [20, 900]}), "900"),
        (changed(parameters={"height_mm": {"low": 40, "high": 20}}), "low less than high"),
        (changed(parameters={"height_mm": {"low": 20, "high": 30}}), "count"),
        (changed(parameters={"category_step": {"low": 0.5, "high": 2}}), "whole"),
        (changed(parameters={"strength": {"hip_abductor": [0.7]}}), "hip_abductors"),
        (changed(parameters={}), "varies something"),
        (changed(parameters={"cost.trackign.weight": [1.0]}), "did you mean 'cost.tracking.weight'"),
        (changed(parameters={"environment": {"ground": {"frictoin": [0.5]}}}), "environment.ground.friction"),
        (changed(parameters={"cost.tracking.weight": [-1.0]}), "a number from 0"),
        (changed(parameters={"slope_percent": [0.0, 40.0]}), "from -15.0 to 15.0 %"),
        (changed(cost={"tracking": {"wieght": 1.0}}), "did you mean 'weight'"),
        (changed(design={"kind": "gird"}), "'grid'"),
        (changed(design={"kind": "sobol"}), "[design] count"),
        (changed(design={"kind": "list"}), "as many values"),
        (changed(desing={}), "'design'"),
        (changed(run={"ensemble": -1}), "-1"),
        (changed(run={"time_limit_s": 0}), "more than 0"),
        (changed(search={"trials": 3}), "either"),
        (changed(base="missing.toml"), "missing.toml"),
        (changed(cohort="missing.csv"), "missing.csv"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(document, words):
    with pytest.raises(InputError) as error:
        study(document)
    assert words in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("search", "words"),
    [
        ({"trials": 3}, "minimise"),
        ({"trials": 3, "minimise": "cost_of_transport"}, "'cost_of_transport_j_kg_m'"),
        ({"trials": 3, "minimise": "score", "subject_to": ["psis_difference_mm"]}, "not a limit"),
        ({"trials": 3, "minimise": "score", "subject_to": ["|psis_diference_mm| < 5"]}, "psis_difference_mm"),
        ({"trials": 3, "minimise": "score", "sampler": "tpo"}, "'tpe'"),
        ({"trials": 3, "minimise": ["score", "objective"], "sampler": "cma-es"}, "one objective"),
        ({"trials": 0, "minimise": "score"}, "0"),
    ],
)
def test_a_search_names_outcomes_and_limits(search, words):
    document = {key: value for key, value in GRID.items() if key != "design"} | {"search": search}
    with pytest.raises(InputError, match=words.replace("|", r"\|")):
        study(document)


def test_a_grid_has_every_combination_and_a_design_its_count():
    assert len(study(GRID).points) == 36
    bounds = {"height_mm": {"low": 20, "high": 40}, "category_step": {"low": -1, "high": 1}}
    for kind in ("sobol", "latin-hypercube"):
        found = study(changed(parameters=bounds, design={"kind": kind, "count": 8, "seed": 3}))
        heights, steps = zip(*found.points, strict=True)
        assert len(heights) == 8 and min(heights) >= 20 and max(heights) <= 40 and set(steps) <= {-1, 0, 1}
        assert found.points == study(found.document).points


def test_a_cohort_is_one_runner_a_row(tmp_path):
    (tmp_path / "cohort.csv").write_text("name,mass_kg,height_m,side\nann,60,1.65,left\nbob,85,1.85,right\n")
    found = study(changed(cohort="cohort.csv"), tmp_path)
    assert list(found.runners) == ["ann", "bob"]
    assert found.runners["ann"].amputation.side == "left" and found.runners["bob"].runner.mass_kg == 85
    category = [found.inputs(name, (20, 0, 0)).fitting.category for name in found.runners]
    assert category[0] < category[1]
    (tmp_path / "cohort.csv").write_text("name,mass_kg\nann,600\n")
    with pytest.raises(InputError, match=r"cohort.csv: line 2: mass_kg: 600"):
        study(changed(cohort="cohort.csv"), tmp_path)


# --- The plan ---------------------------------------------------------------------------------------------


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
    rows = drained(Plan(found, set(), tmp_path, "fakes.solvers:instant"))
    assert sorted(number for number, _, _ in rows) == list(range(108))
    cold = [number for number, job, _ in rows if job.ways[0][0] is None]
    assert cold == [0]
    assert max(len(job.ways) for _, job, _ in rows) == 2
    assert not list((tmp_path / "seeds").iterdir())
    assert all(job.inputs.variation != rows[0][1].inputs.variation for n, job, _ in rows if n % 3)


def test_what_failed_hands_on_what_it_started_from(tmp_path):
    found = study(changed(parameters={"height_mm": [20, 30, 40]}))
    rows = drained(Plan(found, set(), tmp_path, "fakes.solvers:wrong"))
    assert [done.row["status"] for _, _, done in rows] == ["converged", "failed", "converged"]
    assert rows[2][1].ways[0][0] == b"seed"
    assert "ZeroDivisionError" in rows[1][2].row["why"]


def test_a_lost_row_keeps_what_it_is_to_start_from(tmp_path):
    found = study(changed(parameters={"height_mm": [20, 30, 40]}))
    plan = Plan(found, set(), tmp_path, "fakes.solvers:instant")
    for lost in (False, True, False):
        number, job = plan.take()
        done = Done({"status": "lost"}) if lost else work(job)
        plan.store_seed(number, done)
        plan.finish(number, again=lost)
    (tmp_path / "seeds" / ".0_0-044368a0.nc").write_bytes(b"half")
    ((number, job, _),) = drained(Plan(found, {0, 2}, tmp_path, "fakes.solvers:instant"))
    assert number == 1 and job.ways == ((b"seed", ()),)
    assert not list((tmp_path / "seeds").iterdir())


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


# --- The store --------------------------------------------------------------------------------------------


@pytest.fixture
def columns():
    from bladerun.study._sweep import schema

    return schema(study(GRID))


ABOUT = {"kind": "sweep", "program": "p", "study": {"x": 1}, "rows": 10}


def refuse(before):
    raise InputError("holds another study")


def row(number):
    return {"identity": f"{number:032x}", "number": number, "runner": "r", "member": 0, "status": "converged"}


def test_rows_are_there_at_once_and_once(tmp_path, columns):
    with _store.opened(tmp_path, columns, ABOUT, refuse) as store:
        for number in range(5):
            store.add(row(number))
            assert len(_store.table(tmp_path)) == number + 1
    assert (tmp_path / "rows.jsonl").read_text() == ""
    assert list(pd.read_parquet(tmp_path / "outcomes.parquet").number) == list(range(5))
    with _store.opened(tmp_path, columns, ABOUT, refuse) as store:
        assert store.done == set(range(5))
        store.add(row(5))
    assert len(ds.dataset(tmp_path / "outcomes.parquet").files) == 2


def test_a_half_written_row_and_a_part_written_twice_are_put_right(tmp_path, columns):
    with _store.opened(tmp_path, columns, ABOUT, refuse) as store:
        store.add(row(0))
    (tmp_path / "rows.jsonl").write_text(json.dumps(row(0)) + "\n" + json.dumps(row(1)) + "\n" + '{"identi')
    assert list(_store.table(tmp_path, ["number"]).column(0).to_pylist()) == [0, 1]
    with _store.opened(tmp_path, columns, ABOUT, refuse) as store:
        assert store.done == {0, 1}
    assert sorted(pd.read_parquet(tmp_path / "outcomes.parquet").number) == [0, 1]


def test_a_lost_row_is_shown_and_tried_again(tmp_path, columns):
    with _store.opened(tmp_path, columns, ABOUT, refuse) as store:
        store.add(row(0))
        store.set_aside(row(1) | {"status": "lost"})
        store.add(row(2))
        assert store.done == {0, 2}
    parts = pd.read_parquet(tmp_path / "outcomes.parquet").sort_values("number")
    assert list(parts.status) == ["converged", "lost", "converged"] and len(_store.table(tmp_path)) == 3
    with _store.opened(tmp_path, columns, ABOUT, refuse) as store:
        assert store.done == {0, 2} and len(_store.table(tmp_path)) == 2
        store.add(row(1))
    assert set(pd.read_parquet(tmp_path / "outcomes.parquet").status) == {"converged"}


def test_a_reader_sees_whole_parts_while_they_are_replaced(tmp_path, columns):
    with _store.opened(tmp_path, columns, ABOUT, refuse) as store:
        store.add(row(0))
        store.set_aside(row(1) | {"status": "lost"})
        writer = Thread(target=lambda: [store.set_aside(row(i) | {"status": "lost"}) for i in range(2, 150)])
        writer.start()
        seen = [2]
        while writer.is_alive():
            seen.append(len(_store.table(tmp_path, ["number"])))
        writer.join()
    assert seen == sorted(seen) and len(_store.table(tmp_path)) == 150


def test_another_study_or_program_is_refused(tmp_path, columns):
    with _store.opened(tmp_path, columns, ABOUT, refuse):
        pass
    for other, words in (({"study": {"x": 2}}, "another study"), ({"program": "q"}, "another version")):
        with pytest.raises(InputError, match=words), _store.opened(tmp_path, columns, ABOUT | other, refuse):
            pass


def test_units_are_in_the_table(tmp_path, columns):
    with _store.opened(tmp_path, columns, ABOUT, refuse) as store:
        store.add(row(0))
    schema = ds.dataset(tmp_path / "outcomes.parquet").schema
    assert schema.field("stride_time_s").metadata == {b"unit": b"s"}


# --- Real processes ---------------------------------------------------------------------------------------


def same(table):
    return table.drop(columns=["seconds", "worker"])


def test_any_number_of_workers_gives_the_same_table(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), *sys.path]))
    found = study(changed(run={"both_ways": True}))
    one = sweep(found, tmp_path / "1", workers=1, solver="fakes.solvers:instant")
    two = sweep(found, tmp_path / "2", workers=2, solver="fakes.solvers:instant")
    pd.testing.assert_frame_equal(same(one.table()), same(two.table()))
    assert one.counts == {"converged": 36} and one.table().identity.is_unique
    about = status(tmp_path / "2")
    assert about["done"] == about["rows"] == 36 and about["held_by"] is None


def test_a_folder_may_be_called_as_one_likes(tmp_path, monkeypatch, columns):
    monkeypatch.chdir(tmp_path)
    for name in ("run1:a", "s3:b", "a b%20c", "#?&*[1]"):
        with _store.opened(name, columns, ABOUT, refuse) as store:
            store.add(row(0))
            store.flush()
            assert store.row(0)["number"] == 0
        with _store.opened(name, columns, ABOUT, refuse) as store:
            assert store.done == {0}
        assert len(_store.table(name)) == 1 and (tmp_path / name / "outcomes.parquet").is_dir()


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_worked_on_by_one_at_a_time(tmp_path, monkeypatch, columns, code):
    def none(*_, **__):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("bladerun.study._lock.FileLock.acquire", none)
    with _store.opened(tmp_path, columns, ABOUT, refuse) as store:
        store.add(row(0))
        again = _store.opened(tmp_path, columns, ABOUT, refuse)
        with pytest.raises(InputError, match="is in use by process"), again:
            pass
    with _store.opened(tmp_path, columns, ABOUT, refuse) as store:
        assert store.done == {0}


def test_a_dry_run_counts_and_writes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    toml(GRID, tmp_path / "s.toml")
    assert cli.main(["sweep", "s.toml", "--dry-run", "--workers", "4", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["rows"] == 36 and 30 < said["expected_s"] < 200
    assert [path.name for path in tmp_path.iterdir()] == ["s.toml"]


def test_a_folder_without_a_study_is_a_sentence(tmp_path, capsys):
    for command in ("status", "plot"):
        assert cli.main([command, str(tmp_path)]) == 2
        assert "holds no study" in capsys.readouterr().err


def test_a_sweep_is_drawn_with_the_names_of_what_is_varied_and_hatching_that_is_seen(tmp_path):
    asked = study(GRID)
    plan = Plan(asked, set(), tmp_path, "fakes.solvers:instant")
    with opened(asked, tmp_path, "fakes.solvers:instant") as store:
        for number, _, done in drained(plan):
            store.add(plan.described(number) | done.row)
    assert {path.name for path in plot(tmp_path, tmp_path)} >= {"main-effects.png", "interactions.png"}
    drawn = dict(_of_sweep(_store.table(tmp_path).to_pandas(), list(GRID["parameters"]), ["objective"]))
    names = {axes.get_xlabel() for axes in drawn["main-effects"].axes}
    assert names == {"height, mm", "toe out, deg", "category step"}
    heat = drawn["heat-height_mm-toe_out_deg"].axes[0]
    assert [each.get_alpha() for each in heat.collections if each.get_hatch()] == [None]


def test_a_second_client_is_told_who_holds_the_folder(tmp_path):
    path = toml(changed(parameters={"height_mm": list(range(20, 40))}), tmp_path / "s.toml")
    script = f"from bladerun.study import sweep; sweep({str(path)!r}, {str(tmp_path / 'out')!r}, workers=1, "
    script = f"if __name__ == '__main__':\n    {script}solver='fakes.solvers:second')\n"
    (tmp_path / "client.py").write_text(script)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])}
    client = subprocess.Popen([sys.executable, tmp_path / "client.py"], env=environment)
    try:
        for _ in range(600):
            if (tmp_path / "out" / "manifest.json").exists():
                break
            time.sleep(0.1)
        with pytest.raises(InputError, match=f"process {client.pid} on"):
            sweep(load_study(path), tmp_path / "out", workers=1, solver="fakes.solvers:second")
        assert str(client.pid) in status(tmp_path / "out")["held_by"]
    finally:
        client.send_signal(signal.SIGKILL)
        client.wait()
    assert status(tmp_path / "out")["held_by"] is None


def test_a_dask_cluster_that_runs_elsewhere_does_the_work_and_is_gone_on_with(tmp_path):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])}
    said = tmp_path / "scheduler.json"
    common = {"env": environment, "cwd": tmp_path, "stderr": subprocess.DEVNULL}
    scheduler = ["scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", said]
    worker = ["worker", "--scheduler-file", said, "--no-dashboard", "--nthreads", "1", "--no-nanny"]
    dask = [sys.executable, "-m", "dask"]
    processes = [subprocess.Popen([*dask, *command], **common) for command in (scheduler, worker, worker)]
    try:
        for _ in range(600):
            if said.exists():
                break
            time.sleep(0.1)
        address = json.loads(said.read_text())["address"]
        found, seen = study(GRID), []

        def stop(done, *_):
            seen.append(done)
            if done == 10:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            sweep(found, tmp_path / "out", cluster=address, progress=stop, solver="fakes.solvers:instant")
        result = sweep(found, tmp_path / "out", cluster=address, solver="fakes.solvers:instant")
        assert result.counts == {"converged": 36} and result.table().identity.is_unique
    finally:
        for process in processes:
            process.kill()
            process.wait()
