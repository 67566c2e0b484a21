"""Margins: found by halves, said in their units; what comes at the runner, and polynomials as of later."""

import json

import numpy as np
import pytest

from bladerun import cli
from bladerun.dataset.files import write_stride
from bladerun.errors import InputError
from bladerun.forward import perturbation
from bladerun.forward.perturbation import KINDS, Margin, margins
from bladerun.forward.replay import _later
from strides.synthetic import stride

LIMIT = {"right": 17.0, "left": 1000.0}


@pytest.fixture
def feedback(monkeypatch):
    """A feedback that survives up to LIMIT, and what was asked of it."""
    tried = []

    def survives(_, kind, side, size, *, driven_by):
        tried.append((kind, side, size))
        return size <= LIMIT[side]

    monkeypatch.setattr(perturbation, "survives", survives)
    monkeypatch.setattr(perturbation, "controller_for", lambda stride: None)
    return tried


def test_a_margin_lies_between_what_was_survived_and_what_was_not(feedback):
    right, left = margins(stride(), kinds=["step_up_mm"])
    assert right.survived <= LIMIT["right"] < right.failed
    assert right.failed - right.survived == 96 / 2**5
    assert (left.survived, left.failed) == (96.0, None)
    assert len(feedback) == 1 + 5 + 1


def test_a_kind_that_is_none_is_said(feedback):
    with pytest.raises(InputError, match="'step_up' is not allowed; did you mean 'step_up_mm'"):
        margins(stride(), kinds=["step_up"])
    assert not feedback


@pytest.mark.parametrize(
    ("kind", "side", "ground", "force"),
    [
        ("step_up_mm", "right", {"height_m": 0.03}, (0, 0, 0)),
        ("step_down_mm", "left", {"height_m": -0.03}, (0, 0, 0)),
        ("slip_percent", "left", {"friction": 0.7}, (0, 0, 0)),
        ("push_back_n_s", "left", {}, (-300, 0, 0)),
        ("push_inward_n_s", "right", {}, (0, 300, 0)),
        ("push_inward_n_s", "left", {}, (0, -300, 0)),
        ("push_outward_n_s", "left", {}, (0, 300, 0)),
    ],
)
def test_what_comes_at_the_runner(kind, side, ground, force):
    """Left is y; 30 N s in a tenth of a second are 300 N."""
    found, pushed = perturbation._disturbance(kind, side, 30.0, 0.1)
    assert found == pytest.approx(ground)
    assert pushed == pytest.approx(np.array(force))


def test_a_polynomial_as_of_later():
    row = np.array([[2.0], [-3.0], [0.5], [4.0]])
    later = _later(row, 0.3)
    for t in (0.0, 0.2, 1.0):
        assert np.polyval(later[:, 0], t) == pytest.approx(np.polyval(row[:, 0], t + 0.3))
    np.testing.assert_array_equal(_later(row, 0.0), row)


def test_two_strides_stand_beside_each_other(monkeypatch, tmp_path, capsys):
    for name in ("one.nc", "other.nc"):
        write_stride(stride(), tmp_path / name)
    found = iter([[Margin("step_up_mm", "right", 12.0, 15.0)], [Margin("step_up_mm", "right", 96.0, None)]])
    monkeypatch.setattr(perturbation, "margins", lambda stride, *, kinds, progress: next(found))
    command = ["perturb", str(tmp_path / "one.nc"), "--kinds", "step_up_mm", "--against"]
    assert cli.main([*command, str(tmp_path / "other.nc")]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if "step up" in line)
    assert all(word in line for word in ("step up, mm", "right", "12", "at least 96"))


def test_where_nothing_was_survived_it_says_under_what():
    from bladerun.cli.evidence import _margin

    assert _margin(Margin("step_up_mm", "left", 0.0, 3.0)) == ["step up, mm", "left", "under 3"]
    assert _margin(Margin("push_back_n_s", "left", 24.0, 26.0))[-1] == "24"


def test_bad_kinds_end_with_2(tmp_path, capsys):
    write_stride(stride(), tmp_path / "one.nc")
    assert cli.main(["perturb", str(tmp_path / "one.nc"), "--kinds", "fall"]) == 2
    assert "--kinds: 'fall' is not allowed" in capsys.readouterr().err


def test_units_are_in_the_names_of_all_kinds():
    from bladerun.cli.evidence import _margin

    for kind in KINDS:
        words = _margin(Margin(kind, "left", 1.0, 2.0))[0]
        assert words.endswith((", mm", ", N s", ", % of friction")) and "_" not in words
    assert json.dumps(Margin("step_up_mm", "left", 1.0, None).to_dict())
