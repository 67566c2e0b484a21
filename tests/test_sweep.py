"""Sweeps: what a study file may say, and that rows depend on nothing else."""

import json
import math
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

from bladerun import cli
from bladerun.errors import InputError
from bladerun.study import _store, load_study, sweep
from bladerun.study.file import study
from bladerun.study.plots import _of_sweep, plot
from bladerun.study.status import status
from fakes.studies import ENVIRONMENT, GRID, changed, drained, toml

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
    assert asked.parameters[0].step == pytest.approx(0.025)  # a quarter of the range


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
        (changed(parameters={"slope_percent": [0.0, 40.0]}), "from -20.0 to 20.0 %"),
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


# --- Real processes ---------------------------------------------------------------------------------------


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
    drained(asked, tmp_path)
    assert {path.name for path in plot(tmp_path, tmp_path)} >= {"main-effects.png", "interactions.png"}
    drawn = dict(_of_sweep(_store.table(tmp_path).to_pandas(), list(GRID["parameters"]), ["objective"]))
    names = {axes.get_xlabel() for axes in drawn["main-effects"].axes}
    assert names == {"height, mm", "toe out, deg", "category step"}
    heat = drawn["heat-height_mm-toe_out_deg"].axes[0]
    assert [each.get_alpha() for each in heat.collections if each.get_hatch()] == [None]


def _of_grid(scatter):
    """The plots of a sum of two settings, 10, 20, 30 mm and 0, 5 deg, by name."""
    points = [(height, turn) for height in (10.0, 20.0, 30.0) for turn in (0.0, 5.0)]
    table = pd.DataFrame(points, columns=["height_mm", "toe_out_deg"])
    table.insert(0, "member", 0)
    table = table.assign(status="converged", runner="one", objective=table.height_mm + table.toe_out_deg)
    if scatter:
        table["objective_scatter"] = scatter
    return dict(_of_sweep(table, ["height_mm", "toe_out_deg"], ["objective"]))


def _hatched(figure):
    """Which cells of the heat map are, toe-out after toe-out."""
    (over,) = (each for each in figure.axes[0].collections if each.get_hatch())
    return [(path.vertices[:-1].mean(axis=0) // 1).astype(int).tolist() for path in over.get_paths()]


def test_cells_are_hatched_only_where_scatter_is_known():
    figure = _of_grid([0.1, 50, math.nan, 50, 12, math.nan])["heat-height_mm-toe_out_deg"]
    assert _hatched(figure) == [[0, 0], [0, 1], [1, 1]]  # 10 and 0; 10 and 5; 20 and 5: not 20 and 0
    assert "hatched: no clear difference" in figure.get_supxlabel()
    for unknown in (None, [math.nan, 50, 50, 50, 50, 50]):
        figure = _of_grid(unknown)["heat-height_mm-toe_out_deg"]
        assert _hatched(figure) == []
        assert "its scatter is not known" in figure.get_supxlabel()


def test_bars_of_a_grid_go_from_the_lowest_value_to_the_highest():
    figure = _of_grid(None)["main-effects"]
    (bars,) = figure.axes[0].containers
    ends = [segment[:, 1].tolist() for segment in bars[2][0].get_segments()]
    assert ends == [[10, 15], [20, 25], [30, 35]]
    assert "interval" not in figure.get_suptitle()


def test_a_second_client_is_told_who_holds_the_folder(tmp_path):
    path = toml(changed(parameters={"height_mm": list(range(20, 40))}), tmp_path / "s.toml")
    script = f"from bladerun.study import sweep; sweep({str(path)!r}, {str(tmp_path / 'out')!r}, workers=1, "
    script = f"if __name__ == '__main__':\n    {script}solver='fakes.solvers:second')\n"
    (tmp_path / "client.py").write_text(script)
    client = subprocess.Popen([sys.executable, tmp_path / "client.py"], env=ENVIRONMENT)
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
