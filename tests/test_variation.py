"""Each multiplier does what it says and nothing else; draws are the stated distributions, and repeat."""

from dataclasses import replace
from functools import cache

import mujoco
import numpy as np
import pytest

from bladerun.body.runner import Amputation, Runner
from bladerun.body.variation import NOMINAL, Variation, draw, names, quantiles
from bladerun.cost import Cost
from bladerun.environment import Environment
from bladerun.errors import InputError
from bladerun.fitting import Fitting
from bladerun.model import build_model
from bladerun.options import SolverOptions
from bladerun.stride.dynamics.muscle_paths import muscles
from bladerun.stride.problem import problem
from bladerun.task import Task

KNOTS = 60


@cache
def built(**change):
    return build_model(Runner(75.0, 1.75), Amputation("right"), Fitting("j-sprint"), Variation(**change))


@cache
def weighed(**change):
    options = SolverOptions.default({"knots": KNOTS, "muscle_driven": False})
    return problem(built(**change), Task(3.3), Cost.default(), Environment.default(), options).arrays.terms


def parts(*wanted):
    return np.isin(built().joint_data.part, wanted)


def ratio(quantity, **change):
    """Of a quantity of MuJoCo's model to the nominal one, 1 where both are 0."""
    one, nominal = getattr(built(**change).mj, quantity), getattr(built().mj, quantity)
    return np.where(nominal == 0, 1.0, one / np.where(nominal == 0, 1.0, nominal))


def test_nominal_is_the_model_bit_for_bit():
    plain = build_model(Runner(75.0, 1.75), Amputation("right"), Fitting("j-sprint"))
    assert plain.xml == built().xml
    assert plain.variation == NOMINAL == Variation()


@pytest.mark.parametrize("name", names())
def test_only_what_it_says_changes_the_body(name):
    touched = {
        "blade_stiffness": {"jnt_stiffness", "dof_damping"},
        "blade_loss": {"dof_damping"},
        "strength": {"actuator_gainprm", "actuator_biasprm", "actuator_ctrlrange"},
        "trunk_mass": {"body_mass", "body_inertia"},
        "socket_stiffness": {"jnt_stiffness", "dof_damping"},
        "socket_rotation": {"jnt_stiffness", "dof_damping"},
        "fore_aft_mm": {"body_pos"},
        "sagittal_deg": {"body_quat"},
        "toe_out_deg": {"body_quat"},
    }.get(name, set())
    fields = ("jnt_stiffness", "dof_damping", "actuator_gainprm", "actuator_biasprm", "actuator_ctrlrange",
              "body_mass", "body_inertia", "body_ipos", "body_pos", "body_quat",
              "tendon_stiffness")  # fmt: skip
    changed = {f for f in fields if not np.allclose(ratio(f, **{name: 1.2}), 1.0, rtol=1e-4)}
    assert changed == touched


def test_blade_and_socket():
    stiffer, lossy = ratio("jnt_stiffness", blade_stiffness=1.2), ratio("dof_damping", blade_loss=1.5)
    np.testing.assert_allclose(stiffer, np.where(parts("blade"), 1.2, 1.0), rtol=1e-5)
    np.testing.assert_allclose(lossy, np.where(parts("blade"), 1.5, 1.0), rtol=1e-5)
    for field in ("jnt_stiffness", "dof_damping"):
        softer = ratio(field, socket_stiffness=0.5)
        np.testing.assert_allclose(softer, np.where(parts("socket"), 0.5, 1.0), rtol=1e-5)

    twisting = np.array([name.startswith("socket_rotation") for name in built().joints])
    np.testing.assert_allclose(
        ratio("jnt_stiffness", socket_rotation=0.5), np.where(twisting, 0.5, 1.0), rtol=1e-5
    )


def heading_and_flexion_deg(**change):
    """Of the blade's clamp against the socket: turned out, and flexed."""
    mj = built(**change).mj
    across = np.zeros(9)
    mujoco.mju_quat2Mat(across, next(mj.body(i).quat for i in range(mj.nbody) if "blade" in mj.body(i).name))
    turn = across.reshape(3, 3)
    return -np.degrees(np.arctan2(turn[1, 0], turn[0, 0])), np.degrees(np.arcsin(turn[2, 0]))


def test_a_blade_that_is_not_aligned_as_meant():
    out, flexed = heading_and_flexion_deg()
    further, same = heading_and_flexion_deg(toe_out_deg=3.0)
    assert (further - out, same - flexed) == pytest.approx((3.0, 0.0), abs=0.02)
    same, further = heading_and_flexion_deg(sagittal_deg=2.0)
    assert (same - out, further - flexed) == pytest.approx((0.0, 2.0), abs=0.02)
    moved = built(fore_aft_mm=5.0).mj.body_pos - built().mj.body_pos
    blade = next(i for i in range(built().mj.nbody) if "blade" in built().mj.body(i).name)
    np.testing.assert_allclose(moved[blade], [0.005, 0.0, 0.0], atol=1e-9)
    np.testing.assert_array_equal(np.delete(moved, blade, 0), 0.0)


def test_strength_of_joints_and_of_muscles():
    np.testing.assert_allclose(built(strength=0.8).strength, 0.8 * built().strength, rtol=1e-5)
    weak, usual = muscles(built(strength=0.8).mj), muscles(built().mj)
    np.testing.assert_allclose(weak.f0, 0.8 * usual.f0, rtol=1e-5)
    np.testing.assert_array_equal(weak.l0, usual.l0)


def test_mass_moves_between_trunk_and_limbs():
    mass = ratio("body_mass", trunk_mass=1.1)
    name = [built().mj.body(i).name for i in range(built().mj.nbody)]
    prosthesis = [n.startswith(("socket_", "blade_")) for n in name]
    trunk = [n in ("pelvis", "torso") for n in name]
    np.testing.assert_allclose(mass[prosthesis], 1.0, rtol=1e-5)
    np.testing.assert_allclose(mass[trunk], 1.1, rtol=1e-5)
    assert built(trunk_mass=1.1).mass_kg == pytest.approx(built().mass_kg, abs=1e-3)
    inertia = ratio("body_inertia", trunk_mass=1.1)
    np.testing.assert_allclose(inertia[1:], np.tile(mass[1:, None], 3), rtol=1e-4)


def test_reference_and_its_weight():
    usual, leg = weighed(), parts("hip", "knee", "ankle")
    wider = weighed(reference_amplitude=1.1)
    middle = usual.tracking.reference[:, 3].mean(0)
    np.testing.assert_allclose(wider.tracking.reference[:, 3].mean(0), middle, atol=1e-12)
    factor = np.where(leg, 1.1, 1.0)
    np.testing.assert_allclose(
        wider.tracking.reference[:, 3] - middle,
        factor * (usual.tracking.reference[:, 3] - middle),
        atol=1e-12,
    )
    later = weighed(reference_phase=2 / KNOTS).tracking.reference[:, 3]
    np.testing.assert_allclose(
        later[:, leg], np.roll(usual.tracking.reference[:, 3][:, leg], 2, 0), atol=1e-12
    )
    np.testing.assert_array_equal(later[:, ~leg], usual.tracking.reference[:, 3][:, ~leg])
    leaning = weighed(trunk_lean=2.0).tracking.reference[:, 3] - usual.tracking.reference[:, 3]
    expected = np.where(np.array(built().joints) == "lumbar_extension", -2.0 * np.radians(4.4), 0.0)
    np.testing.assert_allclose(leaning, np.tile(expected, (KNOTS, 1)), atol=1e-12)
    inward = weighed(hip_rotation_deg=5.0).tracking.reference[:, 3] - usual.tracking.reference[:, 3]
    hips = [name.startswith("hip_rotation") for name in built().joints]
    np.testing.assert_allclose(inward, np.tile(np.where(hips, np.radians(5.0), 0.0), (KNOTS, 1)), atol=1e-12)
    loose = weighed(tracking_weight=0.5)
    free = ~parts("tendon")
    np.testing.assert_array_equal(loose.tracking.weight[free], 0.5 * usual.tracking.weight[free])
    assert loose.bounce.weight == 0.5 * usual.bounce.weight
    assert built().joints[usual.bounce.joint] == "pelvis_tz"
    assert loose.sideways_force.weight == 0.5 * usual.sideways_force.weight


@pytest.mark.parametrize("wrong", [0.0, -1.0, float("nan"), float("inf"), True, "1"])
def test_what_is_no_multiplier_is_refused(wrong):
    with pytest.raises(InputError, match="strength"):
        replace(NOMINAL, strength=wrong)


def test_draws_repeat_and_go_on():
    assert draw(5, seed=3) == draw(5, seed=3)
    assert draw(8, seed=3)[:5] == draw(5, seed=3)
    assert draw(5, seed=4) != draw(5, seed=3)
    assert draw(0) == []


def test_draws_are_the_stated_distributions():
    table = np.array([[getattr(v, name) for name in names()] for v in draw(2048, seed=1)])
    at = dict(zip(names(), table.T, strict=True))
    assert np.log(at["blade_stiffness"]).std() == pytest.approx(0.10, rel=0.03)
    assert np.log(at["blade_stiffness"]).mean() == pytest.approx(0.0, abs=0.002)
    assert (at["blade_loss"].min(), at["blade_loss"].max()) == pytest.approx((0.5, 1.5), abs=0.01)
    assert (at["tracking_weight"].min(), at["tracking_weight"].max()) == pytest.approx((0.5, 2.0), rel=0.01)
    assert np.median(at["tracking_weight"]) == pytest.approx(1.0, rel=0.01)
    assert at["reference_phase"].std() == pytest.approx(0.013, rel=0.03)
    assert at["trunk_lean"].std() == pytest.approx(1.0, rel=0.03)
    assert np.abs(np.corrcoef(table.T) - np.eye(len(names()))).max() < 0.05


def test_what_acts_above_the_knee_alone_moves_no_draw_below_it():
    """Intervals that were published rest on these draws, of before there were knees."""
    known = [(0.977490, 1.174070, 0.918950), (1.065263, 0.911739, 1.412275), (1.110982, 1.010073, 0.626834)]
    drawn = [(v.blade_stiffness, v.strength, v.tracking_weight) for v in draw(3, seed=0)]
    np.testing.assert_allclose(drawn, known, atol=1e-6)


def test_the_middle_of_every_distribution_is_nominal():
    middle = quantiles(np.full(len(names()), 0.5))
    for name in names():
        assert getattr(middle, name) == pytest.approx(getattr(NOMINAL, name), abs=1e-12)
