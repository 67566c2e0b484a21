"""A folder of results: one runner's, of each command what it wrote last, and never another's unasked."""

import json
from pathlib import Path

import pytest

from bladerun import cli
from bladerun.cli._results import RECORD
from fakes.commands import SOLVE, Found
from strides.synthetic import stride
from test_case import GOOD

ABLE = '[runner]\nname = "Abel"\nmass_kg = 80\nheight_m = 1.8\n[task]\nspeed_m_s = 3\n'
RUN = [RECORD, "blade-loop.png", "gait-cycle.png", "outcomes.json", "stride.nc"]


@pytest.fixture(autouse=True)
def solver(tmp_path, monkeypatch):
    """A made-up solver and made-up plots, in an empty working directory; gives whether it solves."""
    monkeypatch.chdir(tmp_path)
    blades, there = [], [True]

    def solve(model, task, **settings):
        if not there[0]:
            raise KeyboardInterrupt
        blades.append(model.blades)
        made = stride()
        made.attrs |= SOLVE
        return made

    def plot_run(_, folder):
        names = ["gait-cycle.png", *(["blade-loop.png"] if blades[-1] else [])]
        for name in names:
            (Path(folder) / name).write_text("drawn")
        return [Path(folder) / name for name in names]

    monkeypatch.setattr("bladerun.stride.solve", solve)
    monkeypatch.setattr("bladerun.show.plots.plot_run", plot_run)
    monkeypatch.setattr(
        "bladerun.show.video.render_video", lambda stride, path, **_: Path(path).write_bytes(b"film")
    )
    return there


def put(path, text):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return str(path)


def names(folder):
    return sorted(path.name for path in Path(folder).iterdir())


def refused(capsys, *argv):
    capsys.readouterr()
    assert cli.main(argv) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    return err


def test_what_the_last_run_did_not_write_goes():
    file = put("runner.toml", GOOD)
    assert cli.main(["run", file]) == 0
    assert names("runs/runner") == RUN
    put("runs/runner/my notes.txt", "kept")
    assert cli.main(["video", "runs/runner/stride.nc"]) == 0
    assert cli.main(["video", "runs/runner/stride.nc", "--out", "runs/runner/behind.mp4"]) == 0
    assert cli.main(["export", "runs/runner/stride.nc"]) == 0
    assert {"stride.mp4", "behind.mp4", "motion.mot"} <= set(names("runs/runner"))
    put("runner.toml", GOOD.replace('side = "right"', 'side = "none"'))
    assert cli.main(["run", file]) == 0
    assert names("runs/runner") == sorted({*RUN, "my notes.txt"} - {"blade-loop.png"})


def test_two_runners_files_of_one_name(capsys):
    """Both write to runs/runner by default; the second is told so, and the first loses nothing."""
    anna = put("anna/runner.toml", GOOD.replace("[runner]", '[runner]\nname = "Anna"'))
    ben = put("ben/runner.toml", ABLE)
    assert cli.main(["run", anna]) == 0
    before = {path: path.read_bytes() for path in Path("runs/runner").iterdir()}
    for command in ("run", "fit", "model"):
        text = GOOD.replace("[runner]", '[runner]\nname = "Ben"') if command == "fit" else ABLE
        put(ben, text)
        said = refused(capsys, command, ben)
        assert "runs/runner: holds results of Anna" in said and "anna/runner.toml" in said
        assert "--out, or --replace" in said
    assert {path: path.read_bytes() for path in Path("runs/runner").iterdir()} == before
    put(ben, ABLE)
    assert cli.main(["run", ben, "--out", "runs/ben"]) == 0
    assert cli.main(["run", ben, "--replace"]) == 0
    assert names("runs/runner") == sorted({*RUN} - {"blade-loop.png"})
    assert cli.main(["run", ben]) == 0, "its own results a run may replace"


def test_a_copy_of_a_runners_file_is_the_same_runner(capsys):
    assert cli.main(["run", put("runner.toml", GOOD)]) == 0
    copy = put("higher/runner.toml", GOOD.replace("height_mm = 20", "height_mm = 30"))
    assert cli.main(["run", copy]) == 0
    heavier = put("other/runner.toml", GOOD.replace("72.0", "73.0"))
    assert "holds results of" in refused(capsys, "run", heavier)


def test_a_name_given_later_is_another_runner(capsys):
    file = put("runner.toml", GOOD.replace("[runner]", '[runner]\nname = "Anna"'))
    assert cli.main(["run", file]) == 0
    put("runner.toml", GOOD.replace("[runner]", '[runner]\nname = "Ben"'))
    assert "Anna" in refused(capsys, "run", file)


def test_commands_of_one_runner_keep_their_own(monkeypatch):
    import pandas as pd

    def fit(case, out, **_):
        for name in ("report.html", "outcomes.parquet", "study.json"):
            (Path(out) / name).write_text("found")
        return Found(pd.DataFrame({"status": ["converged"]}), "best", Path(out) / "report.html")

    monkeypatch.setattr("bladerun.study.fit", fit)
    monkeypatch.setattr("bladerun.report.write_report", lambda result: result.report)
    file = put("runner.toml", GOOD)
    for command in ("run", "fit", "model", "run"):
        assert cli.main([command, file]) == 0
    found = {"report.html", "outcomes.parquet", "study.json", "model.xml"}
    assert names("runs/runner") == sorted({*RUN, *found})
    files = json.loads(Path("runs/runner", RECORD).read_text())["files"]
    assert set(files) == {"fit", "model", "run"} and set(files["run"]) == set(RUN) - {RECORD}


def test_an_interrupted_first_run_claims_nothing(solver):
    file = put("runner.toml", GOOD)
    solver[0] = False
    assert cli.main(["run", file]) == 130
    assert names("runs/runner") == []


def test_a_run_that_is_interrupted_leaves_the_one_before(solver):
    file = put("runner.toml", GOOD)
    assert cli.main(["run", file]) == 0
    solver[0] = False
    assert cli.main(["run", file]) == 130
    assert names("runs/runner") == RUN


def test_a_name_that_is_no_utf8(capsys):
    """The work is kept, and its place named as far as the terminal can."""
    import os

    folder = os.fsdecode(b"caf\xe9")
    file = put(f"{folder}/runner.toml", GOOD)
    assert cli.main(["run", file, "--out", f"{folder}/there"]) == 0
    assert "caf?/there/stride.nc" in capsys.readouterr().out
    assert names(f"{folder}/there") == RUN
