"""`bladerun verify` and `bladerun hold`: what they print and how they end; replays and solves are made up."""

import json
import re
from dataclasses import asdict, replace

import pytest

from bladerun import cli
from bladerun.body.runner import Amputation, Runner
from bladerun.dataset.files import write_stride
from bladerun.fitting import Fitting
from bladerun.forward.verification import Check, Verification
from strides.synthetic import stride

CHECK = Check("moments", "euler", 1e-5, 10.0, 0.1, 0.1, 0.01, 0.01, 0.01, 0.001, True)
RESULT = Verification(
    [CHECK], 0.3, 2e5, 0.001, "soleus_l", {"joint_error_deg": 1.0, "peak_vgrf_difference": 0.03}
)


@pytest.fixture
def file(tmp_path):
    made = stride()
    made.attrs |= {
        "runner": json.dumps(asdict(Runner(75.0, 1.75))),
        "amputation": json.dumps(asdict(Amputation("right"))),
        "fitting": json.dumps(asdict(Fitting("j-sprint", category=5.0))),
        "task": json.dumps({"speed_m_s": 3.0}),
    }
    write_stride(made, tmp_path / "stride.nc")
    return tmp_path / "stride.nc"


def verified(monkeypatch, result):
    def verify(stride, *, strides, progress):
        progress(result.checks[0])
        return result

    monkeypatch.setattr("bladerun.forward.verification.verify", verify)


def test_a_stride_that_holds(file, monkeypatch, capsys):
    verified(monkeypatch, RESULT)
    assert cli.main(["verify", str(file), "--json"]) == 0
    out = json.loads(capsys.readouterr().out)
    assert out["holds"] and out["checks"][0]["integrator"] == "euler"
    assert cli.main(["verify", str(file)]) == 0
    text = capsys.readouterr().out
    assert "0.30 with feedback" in text and "0.10 % of the greatest (soleus_l)" in text and "kept" in text
    assert "passed" in text


def test_a_stride_that_misses_a_limit_ends_with_3(file, monkeypatch, capsys):
    verified(monkeypatch, replace(RESULT, checks=[replace(CHECK, holds=False)]))
    assert cli.main(["verify", str(file), "--json"]) == 3
    captured = capsys.readouterr()
    assert not json.loads(captured.out)["holds"]
    assert "missed a limit" in captured.err


def held(monkeypatch, status, why):
    asked = []

    def hold(before, model):
        asked.append(model.fitting)
        made = stride()
        made.attrs |= {"status": status, "why": why, "feedback_share": 0.05}
        return made

    def solve(model, *, start, **asked):
        made = stride()
        made.attrs |= {"status": "converged"}
        return made

    monkeypatch.setattr("bladerun.forward.unadapted.hold", hold)
    monkeypatch.setattr("bladerun.stride.solve", solve)
    return asked


def test_held_controls_stand_beside_the_adapted_runner(file, monkeypatch, capsys):
    asked = held(monkeypatch, "held", "")
    assert cli.main(["hold", str(file), "--category", "4", "--height", "35", "--json"]) == 0
    assert asked == [Fitting("j-sprint", category=4, height_mm=35)]
    out = json.loads(capsys.readouterr().out)
    assert set(out["outcomes"]) == {"before", "held", "adapted"} and all(out["outcomes"].values())
    assert cli.main(["hold", str(file), "--category", "4"]) == 0
    shown = capsys.readouterr().out
    assert "feedback: 5.0 % of the moments" in shown
    assert re.search(r"before +not adapted +adapted$", shown, re.M)


def test_a_runner_who_falls_leaves_the_column_empty(file, monkeypatch, capsys):
    held(monkeypatch, "fell", "the runner fell after 1.00 s")
    assert cli.main(["hold", str(file), "--category", "4", "--json"]) == 3
    captured = capsys.readouterr()
    assert json.loads(captured.out)["outcomes"]["held"] is None
    assert "fell after" in captured.err


def test_a_fitting_that_is_not_allowed_is_a_sentence(file, capsys):
    assert cli.main(["hold", str(file), "--category", "40"]) == 2
    assert "category" in capsys.readouterr().err
