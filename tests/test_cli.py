"""The command: what goes to stdout and stderr, what is written, exit codes; the solver is a made-up one."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from bladerun import __version__, cli
from bladerun.dataset.files import write_stride
from bladerun.gait.outcomes import OUTCOMES
from bladerun.task import Task
from fakes.commands import SOLVE, Found, fails, files
from models import muscled
from strides.synthetic import stride
from test_case import BAD, FIRST_FIT, GOOD

COMMANDS = (
    "catalog",
    "bench",
    "model",
    "run",
    "fit",
    "sweep",
    "optimise",
    "plan",
    "status",
    "plot",
    "verify",
    "hold",
    "validate",
    "video",
    "export",
    "measure",
    "compare",
)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """An empty working directory."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def solver(monkeypatch):
    """Replaces the solver; gives the attributes its stride will have and what it was asked."""
    attrs, asked = dict(SOLVE), []

    def solve(model, task, **settings):
        print("a library that prints")
        asked.append((model, task))
        result = stride()
        result.attrs |= attrs
        return result

    monkeypatch.setattr("bladerun.stride.solve", solve)
    monkeypatch.setattr(
        "bladerun.show.plots.plot_run", lambda stride, folder: [Path(folder) / "gait-cycle.png"]
    )
    return attrs, asked


def test_version_and_help(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["--version"])
    assert stop.value.code == 0 and capsys.readouterr().out == f"bladerun {__version__}\n"
    for command in COMMANDS:
        with pytest.raises(SystemExit) as stop:
            cli.main([command, "--help"])
        out = capsys.readouterr().out
        assert stop.value.code == 0 and f"example: bladerun {command}" in out and "--json" in out


def test_examples_in_the_help_can_be_parsed(capsys):
    for command in COMMANDS:
        with pytest.raises(SystemExit):
            cli.main([command, "--help"])
        example = capsys.readouterr().out.partition("example: bladerun ")[2].split()
        assert cli._parser().parse_args(example).command


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], "COMMAND"),
        (["fitt"], "fit"),
        (["run"], "RUNNER.toml"),
        (["run", "x.toml", "--jsn"], "--jsn"),
        (["bench", "j-sprint"], "--category"),
        (["bench", "j-sprint", "--category", "soft"], "'soft'"),
        (["bench", "j-sprint", "--category", "nan"], "'nan'"),
        (["bench", "j-sprint", "--category", "12"], "12"),
        (["bench", "j-sprit", "--category", "4"], "'j-sprint'"),
        (["bench", "j-sprint", "--category", "4", "--angle", "90"], "90"),
        (["bench", "j-sprint", "--category", "4", "--height", "4000"], "4000"),
        (["bench", "my-blade.toml", "--category", "4"], "blade: no file 'my-blade.toml'"),
        (["bench", "j-sprint", "--stiffness", "24500"], "stiffness_kn_m: 24500 is not allowed"),
        (["bench", "j-sprint", "--stiffness", "24", "--category", "12"], "12"),
        (["fit", "x.toml", "--workers", "0"], "'0'"),
        (["run", "missing.toml"], "missing.toml"),
        (["fit", "missing.toml", "--json"], "missing.toml"),
        (["model", "."], "directory"),
        (["video", "missing.nc"], "missing.nc"),
    ],
)
def test_arguments_that_cannot_be_used(argv, words, capsys, elsewhere):
    assert words in fails(capsys, elsewhere, *argv)


@pytest.mark.parametrize("command", ["model", "run", "fit"])
@pytest.mark.parametrize("wrong", BAD)
def test_bad_files_end_every_command_the_same_way(wrong, command, capsys, elsewhere):
    old, new, _ = BAD[wrong]
    path = elsewhere / "bad.toml"
    path.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    fails(capsys, elsewhere, command, "bad.toml", "--json")


def test_a_folder_that_cannot_be_written_to_ends_it_before_solving(solver, capsys, elsewhere):
    (elsewhere / "file").write_text("")
    for command in ("run", "fit"):
        assert "file/below" in fails(capsys, elsewhere, command, str(FIRST_FIT), "--out", "file/below")
    assert not solver[1]


def test_fit_needs_something_to_fit(capsys, elsewhere):
    Path("able.toml").write_text("[runner]\nmass_kg = 70\nheight_m = 1.7\n[task]\nspeed_m_s = 3\n")
    assert "able.toml: [fitting]" in fails(capsys, elsewhere, "fit", "able.toml")


def test_a_folder_in_the_place_of_a_file(capsys, elsewhere):
    (elsewhere / "model.xml").mkdir()
    assert "model.xml" in fails(capsys, elsewhere, "model", str(FIRST_FIT), "--out", "model.xml")


def test_catalog(capsys):
    assert cli.main(["catalog", "--json"]) == 0
    blades = json.loads(capsys.readouterr().out)["blades"]
    assert {blade["shape"] for blade in blades} == {"J", "C"}
    for blade in blades:
        stiffness = list(blade["stiffness_kn_m"].values())
        assert stiffness == sorted(stiffness)
    assert cli.main(["catalog"]) == 0
    out = capsys.readouterr().out
    assert all(blade["name"] in out for blade in blades)


def test_bench_measures_and_draws(capsys, elsewhere):
    assert cli.main(["bench", "j-sprint", "--category", "4", "--angle", "10", "--out", "b", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    for key in (
        "stiffness_secant_kn_m", "stiffness_initial_kn_m", "hysteresis_fraction", "toe_forward_mm_per_mm",
        "r2_linear", "r2_quadratic", "elastica_difference_fraction",
    ):  # fmt: skip
        assert isinstance(result[key], float)
    assert [len(row) for row in result["stiffness_axes_kn_m"]] == [2, 2]
    assert files(elsewhere) == ["b/bench.png"] and result["plot"] == "b/bench.png"


def test_bench_takes_a_blades_file_and_a_measured_stiffness(capsys, elsewhere):
    shutil.copy(FIRST_FIT.with_name("my-blade.toml"), elsewhere)
    assert cli.main(["bench", "my-blade.toml", "--category", "5", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["blade"] == "my-blade" and result["stiffness_nominal_kn_m"] == 23.4
    assert cli.main(["bench", "j-sprint", "--stiffness", "29.6"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "stiffness measured 29.60 kN/m" in out and "stiffness of the category" not in out
    written = ["my-blade.toml", "runs/bench-j-sprint-7/bench.png", "runs/bench-my-blade-5/bench.png"]
    assert files(elsewhere) == written


def test_run_takes_a_blades_file_beside_the_runners(solver, capsys, elsewhere):
    folder = elsewhere / "clinic"
    folder.mkdir()
    shutil.copy(FIRST_FIT.with_name("my-blade.toml"), folder)
    measured = GOOD.replace('"j-sprint"', '"my-blade.toml"\nstiffness_kn_m = 24.5')
    (folder / "runner.toml").write_text(measured, encoding="utf-8")
    assert cli.main(["run", "clinic/runner.toml", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["fitting"]["blade"]["name"] == "my-blade" and result["fitting"]["stiffness_kn_m"] == 24.5
    ((model, _),) = solver[1]
    assert model.blades["right"].title.startswith("Example")
    (folder / "my-blade.toml").unlink()
    assert "[fitting] blade: no file" in fails(capsys, elsewhere, "run", "clinic/runner.toml")


def test_model_opens_in_mujoco(capsys, elsewhere):
    import mujoco

    assert cli.main(["model", str(FIRST_FIT), "--out", "here/model.xml", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    model = mujoco.MjModel.from_xml_path(str(elsewhere / "here" / "model.xml"))
    assert model.body_mass.sum() == pytest.approx(result["mass_kg"]) == pytest.approx(72.0)
    assert [model.joint(i).name for i in range(model.njnt)] == result["joints"]
    assert files(elsewhere) == ["here/model.xml"]


def test_run_takes_another_task_than_the_file_s(solver, capsys, elsewhere):
    argv = ["run", str(FIRST_FIT), "--slope-percent", "-3", "--horizontal-force-bw", "0.02", "--terms"]
    assert cli.main(argv) == 0
    assert solver[1][0][1] == Task(3.3, slope_percent=-3, horizontal_force_bw=0.02)
    out, err = capsys.readouterr()
    assert "3 % downhill, pulled forward by 0.02 body weights" in err
    assert ["effort", "0.60000", "66.7"] in [line.split() for line in out.splitlines()]
    assert "from -20.0 to 20.0 %" in fails(capsys, elsewhere, "run", str(FIRST_FIT), "--slope-percent", "40")


def test_run_refuses_a_force_on_a_body_that_there_is_not(solver, capsys, elsewhere):
    (elsewhere / "runner.toml").write_text(GOOD + '\n[environment]\nwrenches = [{ body = "hed" }]\n')
    assert "runner.toml: wrenches: 'hed' is not a body" in fails(capsys, elsewhere, "run", "runner.toml")


def test_run_prints_one_object_and_writes_the_same(solver, capsys, elsewhere):
    assert cli.main(["run", str(FIRST_FIT), "--json"]) == 0
    out, err = capsys.readouterr()
    result = json.loads(out)
    assert "a library that prints" in err
    assert [*result] == [
        "status", "why", "runner", "amputation", "fitting", "task", "solve", "residuals", "objective_by_term",
            "outcomes",
    ]  # fmt: skip
    assert result["status"] == "converged" and result["residuals"] == {"slip_mm": 1.5}
    assert result["solve"] == {"iterations": 12, "seconds": 3.4, "knots": 180}
    assert result["fitting"]["category"] == 5
    assert result["task"] == {
        "speed_m_s": 3.3,
        "slope_percent": 0.0,
        "horizontal_force_bw": 0.0,
        "force_at": "waist",
        "cadence_spm": None,
        "cadence_percent": None,
        "lean_deg": None,
        "ground": "road",
        "ground_kn_m": None,
        "ground_loss": None,
        "bend_radius_m": None,
        "landing_ahead_m": None,
    }
    assert [*result["outcomes"]] == [row.key for row in OUTCOMES]
    written = [".bladerun.json", "outcomes.json", "stride.nc"]
    assert files(elsewhere) == [f"runs/first-fit/{name}" for name in written]
    assert json.loads((elsewhere / "runs/first-fit/outcomes.json").read_text()) == result


def test_run_tells_what_each_muscle_does(solver, capsys, monkeypatch):
    made = muscled.stride(side="right", knots=20)
    made.attrs |= SOLVE
    monkeypatch.setattr("bladerun.stride.solve", lambda model, task, **settings: made)
    assert cli.main(["run", str(FIRST_FIT), "--out", "there"]) == 0
    out = capsys.readouterr().out
    assert all(f" {name} " in out.replace("\n", " ") for name in made.muscle.values)
    assert "largest reserve: " in out
    told = json.loads(Path("there/outcomes.json").read_text())
    assert set(told["muscles"]) == set(made.muscle.values)
    assert told["reserves"]["knee_flexion_r"]["peak_nm"] == pytest.approx(2.0, rel=0.01)


def test_run_prints_a_table_with_every_outcome_and_its_unit(solver, capsys):
    assert cli.main(["run", str(FIRST_FIT), "--out", "there"]) == 0
    out, err = capsys.readouterr()
    for row in OUTCOMES:
        assert any(line.strip().startswith(row.title) and row.unit in line for line in out.splitlines())
    assert "there/stride.nc" in out and "Traceback" not in err


@pytest.mark.parametrize("status", ["not converged", "too weak"])
def test_a_stride_that_is_no_answer_is_written_with_its_reason(status, solver, capsys, elsewhere):
    solver[0].update(status=status, why="still descending")
    assert cli.main(["run", str(FIRST_FIT), "--out", "there", "--json"]) == 3
    out, err = capsys.readouterr()
    result = json.loads(out)
    assert (result["status"], result["why"]) == (status, "still descending")
    assert err.splitlines()[-1] == f"bladerun: {FIRST_FIT}: {status}: still descending"
    assert json.loads((elsewhere / "there/outcomes.json").read_text()) == result


def test_a_failure_while_writing_leaves_nothing_half_written(solver, monkeypatch, capsys, elsewhere):
    def full(self, content):
        with self.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    assert cli.main(["run", str(FIRST_FIT), "--out", "there"]) == 2
    assert "No space left" in capsys.readouterr().err.splitlines()[-1]
    assert files(elsewhere) == []


def test_an_interrupt_is_one_line(monkeypatch, capsys):
    def interrupted(model, task, **settings):
        raise KeyboardInterrupt

    monkeypatch.setattr("bladerun.stride.solve", interrupted)
    assert cli.main(["run", str(FIRST_FIT), "--out", "there"]) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "bladerun: interrupted"


@pytest.mark.parametrize("status", ["converged", "not converged", "too weak"])
def test_fit_ends_with_the_report(status, monkeypatch, capsys):
    def fit(case, out, *, workers, progress, ensemble, hold, look_in):
        assert workers == 2 and not hold and look_in == Path("runs")
        progress(0, 2, "first", None)
        progress(1, 2, "second", 61.0)
        best = "best" if status == "converged" else None
        return Found(pd.DataFrame({"status": [status]}), best, Path(out) / "report.html")

    monkeypatch.setattr("bladerun.study.fit", fit)
    monkeypatch.setattr("bladerun.report.write_report", lambda result: result.report)
    code = 0 if status == "converged" else 3
    argv = ["fit", str(FIRST_FIT), "--out", "there", "--workers", "2"]
    assert cli.main(argv) == code
    out, err = capsys.readouterr()
    assert err.splitlines()[:2] == ["0/2 first", "1/2 1:01 left second"]
    assert out.splitlines()[-1] == "there/report.html" and "-0.5" in out
    assert cli.main([*argv, "--json"]) == code
    assert json.loads(capsys.readouterr().out)["report"] == "there/report.html"


def test_video_reads_a_stride_and_refuses_other_files(monkeypatch, capsys, elsewhere):
    monkeypatch.setattr(
        "bladerun.show.video.render_video", lambda stride, path, **_: Path(path).write_bytes(b"film")
    )
    write_stride(stride(), "stride.nc")
    assert cli.main(["video", "stride.nc", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"file": "stride.mp4"}
    write_stride(stride().drop_attrs(), "other.nc")
    Path("text.nc").write_text("no stride")
    for name in ("other.nc", "text.nc", "."):
        assert name in fails(capsys, elsewhere, "video", name)


def test_video_passes_on_what_is_asked_of_it(monkeypatch, capsys, elsewhere):
    asked = {}

    def render(stride, path, **given):
        asked.update(given)
        Path(path).write_bytes(b"film")

    monkeypatch.setattr("bladerun.show.video.render_video", render)
    write_stride(stride(), "stride.nc")
    argv = ["video", "stride.nc", "--out", "run.gif", "--view", "above", "--slow", "8", "--strides", "2"]
    argv += ["--size", "640x360"]
    assert cli.main([*argv, "--other", "stride.nc", "--together", "ghost", "--caption", "--clothed"]) == 0
    assert asked.pop("other") is not None and callable(asked.pop("progress"))
    assert asked == {
        "view": "above",
        "slow": 8,
        "strides": 2,
        "size": (640, 360),
        "together": "ghost",
        "caption": True,
        "muscles": False,
    }
    capsys.readouterr()
    assert "pixels as 1280x720" in fails(capsys, elsewhere, "video", "stride.nc", "--size", "640")
    assert ".gif" in fails(capsys, elsewhere, "video", "stride.nc", "--out", "run.avi")


def test_a_reader_that_leaves_is_no_error():
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-c", "import sys; from bladerun.cli import main; sys.exit(main(['catalog']))"]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert done.stderr == "" and done.returncode == 141


def test_light_commands_load_nothing_heavy():
    code = "import sys, bladerun.cli as c; c._parser(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.split()
    assert not {"numpy", "mujoco", "numba", "xarray", "pandas", "matplotlib", "rich"} & set(loaded)
