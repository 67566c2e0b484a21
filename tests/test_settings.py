"""Costs, environments, options and tasks as values: read, changed by name, written and read back."""

import json
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bladerun._lib.settings import read
from bladerun._lib.table import plain
from bladerun.body.runner import Runner
from bladerun.cost import Cost
from bladerun.environment import Environment, Wrench
from bladerun.errors import InputError
from bladerun.model import build_model
from bladerun.options import SolverOptions
from bladerun.task import Task

KINDS = (Cost, Environment, SolverOptions)
NUMBERS = {
    kind: [name for name, value in kind.default().entries().items() if type(value) is float] for kind in KINDS
}


@pytest.mark.parametrize("kind", KINDS)
def test_defaults_come_back_from_json_and_pickle(kind):
    usual = kind.default()
    assert read(kind, json.loads(json.dumps(plain(usual)))) == usual
    assert pickle.loads(pickle.dumps(usual)) == usual and hash(usual) == hash(kind.default())


@given(data=st.data())
def test_any_number_can_be_changed_by_its_name_and_nothing_else_changes(data):
    kind = data.draw(st.sampled_from(KINDS))
    name = data.draw(st.sampled_from(NUMBERS[kind]))
    value = data.draw(st.floats(0, 1e6))
    usual, other = kind.default().entries(), kind.default().changed({name: value}).entries()
    assert other[name] == value
    assert {key for key in usual if usual[key] != other[key]} <= {name}
    assert kind.default().entries() == usual


def test_a_table_changes_only_what_it_names():
    cost = Cost.default().merged({"tracking": {"sigma_rad": {"hip_flexion": 0.2}}})
    assert cost == Cost.default({"tracking.sigma_rad.hip_flexion": 0.2})
    wet = Environment.default().merged({"ground": {"friction": 0.5}, "wrenches": [{"body": "torso"}]})
    assert wet.ground.friction == 0.5 and wet.wrenches == (Wrench("torso"),)
    assert wet.ground.smoothing_m == Environment.default().ground.smoothing_m


@pytest.mark.parametrize(
    ("make", "key", "text"),
    [
        (lambda: Cost.default({"tracking.wieght": 1.0}), "tracking.wieght", "did you mean 'tracking.weight'"),
        (lambda: Cost.default({"trcking.weight": 1.0}), "trcking.weight", "did you mean 'tracking.weight'"),
        (lambda: Cost.default({"tracking": 1.0}), "tracking", "not a known entry"),
        (lambda: Cost.default({"tracking.weight": -1.0}), "tracking.weight", "a number from 0"),
        (lambda: Cost.default({"tracking.weight": True}), "tracking.weight", "True is not allowed"),
        (lambda: Cost.default({"tracking.weight": float("nan")}), "tracking.weight", "nan is not allowed"),
        (lambda: Cost.default({"clearance.swing": [0.5]}), "clearance.swing", "a list of 2 values"),
        (lambda: Cost.default().merged({"rates": {}}), "rates", "did you mean 'rate'"),
        (lambda: Cost.default().merged({"rate": 3}), "rate", "a section of keys"),
        (
            lambda: Cost.default().merged({"tracking": {"sigma_rad": {"hip": 0.1}}}),
            "tracking.sigma_rad.hip",
            "not a known key",
        ),
        (lambda: Environment.default().merged({"gravity_m_s2": 9.81}), "gravity_m_s2", "a list of 3 values"),
        (
            lambda: Environment.default().merged({"wrenches": [{"force_n": [1, 0, 0]}]}),
            "wrenches.body",
            "missing",
        ),
        (lambda: SolverOptions.default(knots=100), "knots", "multiples of 6 from 60 on"),
        (lambda: SolverOptions.default(knots=90.5), "knots", "a whole number"),
        (lambda: Task(1.0), "speed_m_s", "a number from 2.0 to 5.0 m/s"),
        (lambda: Task(3.0, slope_percent=40), "slope_percent", "from -20.0 to 20.0 %"),
        (lambda: Task(3.0, bend_radius_m=-8), "bend_radius_m", "12 to 200 m to the left"),
        (lambda: Task(3.0, bend_radius_m=300), "bend_radius_m", "from -200.0 to 200.0 m"),
        (lambda: Task(3.0, cadence_spm=170, cadence_percent=105), "cadence_percent", "one of the two"),
        (lambda: Task(3.0, cadence_spm=90), "cadence_spm", "from 120.0 to 240.0 steps a minute"),
        (lambda: Task(3.0, ground="snow"), "ground", "road, track, treadmill, grass, sand"),
        (lambda: Task(3.0, ground_loss=0.3), "ground_loss", "does not give loses nothing"),
        (lambda: Task(3.0, force_at="ankles"), "force_at", "waist, chest, hands"),
        (lambda: Task(3.0, lean_deg=60), "lean_deg", "from -10.0 to 30.0 deg"),
        (lambda: Task(3.0, horizontal_force_bw="1"), "horizontal_force_bw", "'1' is not allowed"),
    ],
)
def test_bad_values_are_one_sentence(make, key, text):
    with pytest.raises(InputError, match=r"^[^\n]*$") as caught:
        make()
    assert caught.value.key == key and text in str(caught.value)


def test_a_slope_tilts_gravity_and_a_pull_is_a_wrench():
    usual = Environment.default()
    assert usual.of(Task(3.0), 70.0) == usual
    up = usual.of(Task(3.0, slope_percent=10.0, horizontal_force_bw=-0.05), 70.0)
    assert up.gravity == pytest.approx(usual.gravity)
    assert up.gravity_m_s2[0] / up.gravity_m_s2[2] == pytest.approx(0.10) and up.gravity_m_s2[0] < 0
    assert up.wrenches == (Wrench("pelvis", (pytest.approx(-0.05 * 70 * usual.gravity), 0.0, 0.0)),)


def test_a_bend_throws_outward():
    """v^2 / r to the right in a bend to the left, which the body leans against."""
    bend = Environment.default().of(Task(4.0, bend_radius_m=20.0), 70.0)
    assert bend.gravity_m_s2 == pytest.approx((0.0, -0.8, -9.81))


def test_a_bend_of_no_radius_is_a_straight():
    assert Task(3.0, bend_radius_m=0) == Task(3.0)


def test_a_pull_at_the_hands_is_half_on_each():
    pulls = Environment.default().of(Task(3.0, horizontal_force_bw=0.1, force_at="hands"), 70.0).wrenches
    assert [(pull.body, pull.part) for pull in pulls] == [("forearm_r", "hand_r"), ("forearm_l", "hand_l")]
    assert sum(pull.force_n[0] for pull in pulls) == pytest.approx(0.1 * 70 * 9.81)


def test_a_part_is_where_its_drawing_is():
    mj = build_model(Runner(70.0, 1.75)).mj
    at = Wrench("torso", (1.0, 0.0, 0.0), part="chest").point(mj, mj.body("torso").id)
    assert at == pytest.approx(mj.geom("chest").pos) and at[2] > 0.15
    middle = Wrench("torso", (1.0, 0.0, 0.0)).point(mj, mj.body("torso").id)
    assert middle == pytest.approx(mj.body("torso").ipos)


def test_ground_gives_as_much_as_it_is_said_to():
    """1500 N on seven spheres go 1500 / k deep; a half sine of travel loses the share of what is put in."""
    k, loss = 120e3, 0.3
    ground = Environment.default().of(Task(3.0, ground_kn_m=k / 1e3, ground_loss=loss), 70.0).ground
    depth = 1500 / k
    assert 7 * ground.layer_stiffness * depth**1.5 == pytest.approx(1500)
    t = np.linspace(0, 0.25, 20_001)
    d = depth * np.sin(np.pi * t / 0.25)
    rate = np.gradient(d, t)
    force = ground.layer_stiffness * d**1.5 * (1 + ground.layer_damping * rate)
    put_in, lost = (np.trapezoid(force * way, t) for way in (np.maximum(rate, 0), rate))
    assert lost / put_in == pytest.approx(loss, rel=1e-3)
    assert Environment.default().of(Task(3.0), 70.0).ground.layer_stiffness == 0


@pytest.mark.parametrize(
    ("task", "words"),
    [
        (Task(3.0), "3 m/s, on level ground"),
        (Task(3.3, slope_percent=-5), "3.3 m/s, 5 % downhill"),
        (Task(3.0, 2.5, 0.02), "3 m/s, 2.5 % uphill, pulled forward by 0.02 body weights"),
        (
            Task(3.0, horizontal_force_bw=-0.05, force_at="hands", cadence_spm=170, lean_deg=8),
            "3 m/s, on level ground, pulled backward by 0.05 body weights at the hands, 170 steps a minute, "
            "trunk 8 deg forward",
        ),
        (
            Task(3.0, cadence_percent=105, ground="grass", ground_loss=0.2, bend_radius_m=-30),
            "3 m/s, on level ground, 105 % of the cadence of choice, grass (100 kN/m, 20 % lost), "
            "a bend to the right of 30 m",
        ),
    ],
)
def test_a_task_in_words(task, words):
    assert str(task) == words


def test_gravity_has_one_source():
    """That of the model file, which other tools read, is the same."""
    import mujoco

    from bladerun._lib.data_files import models_dir

    mj = mujoco.MjModel.from_xml_path(str(models_dir() / "runner.xml"))
    assert tuple(mj.opt.gravity) == Environment.default().gravity_m_s2
