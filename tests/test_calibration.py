"""Weights were chosen on able-bodied running, and the files hold those that the evidence is about."""

import json
from pathlib import Path

import pytest
import weights

from bladerun.body.runner import ABLE_BODIED
from bladerun.body.variation import NOMINAL
from bladerun.cost import Cost
from bladerun.environment import Environment

FOLDER = Path(weights.__file__).parent
EVIDENCE = json.loads((FOLDER / "weights.json").read_text())


def test_no_blade_data_enter_the_calibration():
    targets = weights.targets()
    assert len(targets) >= 20
    assert {finding.data for _, finding, _ in targets} == {"able-bodied"}
    assert {row["data"] for row in EVIDENCE["targets"].values()} == {"able-bodied"}
    assert set(EVIDENCE["targets"]) == {label for label, _, _ in targets}


def test_the_calibration_solves_nobody_with_a_blade(monkeypatch):
    built = []

    def build(runner, amputation=ABLE_BODIED, fitting=None, variation=None):
        built.append((amputation, fitting))
        raise StopIteration

    monkeypatch.setattr(weights, "build_model", build)
    with pytest.raises(StopIteration):
        weights.Trial()
    assert built == [(ABLE_BODIED, None)]


def test_the_evidence_is_about_the_weights_in_the_files():
    now = weights.in_the_files()
    assert now == pytest.approx(EVIDENCE["in_the_files"]), (
        "a weight was changed: run experiments/calibration/weights.py --rounds 0, or more rounds"
    )


def test_a_distance_is_one_where_a_target_just_agrees():
    for _, _, target in weights.targets():
        low, high = target.limits
        beyond = high + 1e-9 * (high - low)
        assert weights.distance(target, beyond) == pytest.approx(1.0)
        assert weights.distance(target, (low + high) / 2) == pytest.approx(0.0, abs=1e-9)


def test_weights_as_in_the_files_are_the_defaults():
    cost, environment, variation = weights.settings(weights.present())
    assert (cost, environment, variation) == (Cost.default(), Environment.default(), NOMINAL)
    stiffer = weights.present() | {
        "contact.foot.stiffness_n_m15": 2 * weights.present()[weights.CONTACT["stiffness"]]
    }
    assert weights.settings(stiffer)[1].ground.stiffness == pytest.approx(2.0)
    rate = weights.settings(weights.present() | {"cost.rate.vertical": 1.0})[0].rate
    assert (rate.vertical, rate.horizontal) == (1.0, cost.rate.horizontal)
    leaning = weights.present()[weights.LEAN] + weights.in_the_files()["gait.trunk_lean.sd_deg"]
    assert weights.settings(weights.present() | {weights.LEAN: leaning})[2].trunk_lean == pytest.approx(1.0)
