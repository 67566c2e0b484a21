"""Clinicians' frames: where feet and blades point in running, and which foot the body was given."""

import json

import mujoco
import numpy as np
import pytest

from bladerun._lib.data_files import models_dir, toml
from bladerun.body.runner import Amputation, Runner
from bladerun.fitting import Fitting
from bladerun.gait.events import Leg
from bladerun.gait.outcomes import outcomes
from bladerun.model import build_model
from bladerun.stride import solve
from bladerun.task import Task
from strides.synthetic import stride

SMALL, MIDDLE, LARGE = Runner(52.0, 1.55, "female"), Runner(72.0, 1.76, "female"), Runner(95.0, 1.95, "male")
STRAIGHT_DEG = 2.0


def test_the_feet_have_the_stated_angle_to_the_knee():
    model = mujoco.MjModel.from_xml_path(str(models_dir() / "runner.xml"))
    for side, outward in (("r", -1), ("l", 1)):
        w, _, _, z = model.body(f"foot_{side}").quat
        assert np.degrees(2 * np.arctan2(z, w)) == pytest.approx(
            outward * toml("body.toml")["foot"]["thigh_foot_deg"], abs=1e-4
        )


@pytest.mark.parametrize("turn", [-0.2, 0.0, 0.1])
def test_progression_is_the_heading_of_the_foot_toes_out_positive(turn):
    result = outcomes(stride(angles={"hip_rotation_l": lambda t: 0 * t - turn}))
    for moment in ("", "_touchdown", "_mean"):
        key = f"foot_progression{moment}_deg"
        assert result[key]["left"] == pytest.approx(np.degrees(turn), abs=1e-6)


def test_leg_length_is_from_the_hip_to_the_centre_of_pressure():
    result = outcomes(stride())
    ahead, aside, up = result["landing_offset_hip_m"]["left"], 0.08 - 0.05, 0.9
    found = result["running_leg_length_touchdown_mm"]["left"]
    assert found == pytest.approx(1e3 * np.linalg.norm([ahead, aside, up]))


def test_an_intact_foot_points_where_people_s_do():
    facts = toml("reference/gait.toml")["foot_progression"]
    at = outcomes(solve(build_model(Runner(75.0, 1.75)), Task(3.5)))["foot_progression_deg"]["right"]
    mean, sd = (np.interp(3.5, facts["speed_m_s"], facts[key]) for key in ("mean_deg", "sd_deg"))
    assert abs(at - mean) < sd / 2


KNOWN = (
    "2.2 deg: a fast runner's blade lands further out, two blades further in, than one mount angle can serve"
)


@pytest.mark.slow
@pytest.mark.parametrize("blade", ["j-sprint", "c-distance"])
@pytest.mark.parametrize(
    ("runner", "side", "speed"),
    [
        (MIDDLE, "right", 2.5), (MIDDLE, "right", 3.3), (SMALL, "right", 2.5), (SMALL, "left", 3.5),
        (LARGE, "right", 3.0), (LARGE, "left", 4.5),
        pytest.param(MIDDLE, "left", 4.5, marks=pytest.mark.xfail(reason=KNOWN)),
        pytest.param(MIDDLE, "both", 3.0, marks=pytest.mark.xfail(reason=KNOWN)),
    ],
)  # fmt: skip
def test_toe_out_0_runs_straight(blade, runner, side, speed):
    amputation = Amputation(side)
    made = solve(build_model(runner, amputation, Fitting(blade, height_mm=30.0)), Task(speed))
    assert made.attrs["status"] == "converged" and json.loads(made.attrs["fitting"])["toe_out_deg"] == 0
    for leg in amputation.sides:
        assert abs(outcomes(made)["foot_progression_deg"][leg]) < STRAIGHT_DEG


def test_clearance_is_the_least_height_of_the_sole_on_its_way_forward():
    made = stride()
    share = toml("outcomes.toml")["clearance"]["swing_share"]
    leg = Leg(made, "right")
    start, end = (leg.up + x * (leg.period - leg.up + leg.down) for x in share)
    sole = made.contact_position.values
    sole[:, made.contact_side.values == "right", 2] = 0.2
    at = int(np.argmin(np.abs((made.time.values - (start + end) / 2) % leg.period)))
    sole[at, np.flatnonzero(made.contact_side.values == "right")[0], 2] = 0.03
    before = int(np.argmin(np.abs((made.time.values - leg.up) % leg.period)))
    sole[before, made.contact_side.values == "right", 2] = 0.0
    found = outcomes(made)["swing_clearance_mm"]["right"]
    assert found == pytest.approx(30.0, abs=2.0)
