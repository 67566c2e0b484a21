"""A socket in which the limb has become smaller: how loose it is, what socks give back; a fit stays a fit."""

import math
from dataclasses import replace

import numpy as np
import pytest

from bladerun.body.runner import Amputation, Runner
from bladerun.body.socket_fit import slack, sock_m
from bladerun.body.variation import Variation
from bladerun.case import check_case
from bladerun.errors import InputError
from bladerun.fitting import Fitting
from bladerun.model import build_model
from bladerun.stride.dynamics.passive import joint_force, laws_of, written_laws

RUNNER, LIMB, FITTING = Runner(75.0, 1.75), Amputation("right"), Fitting("j-sprint", category=5)
AT_REST = np.zeros(1)


def model(loss=0.0, ply=0.0, **more):
    return build_model(RUNNER, replace(LIMB, volume_loss_percent=loss, socks_ply=ply), FITTING, **more).mj


def force(mj, joint, at, v=0.0):
    return float(joint_force(mj, f"socket_{joint}_r", AT_REST + at, AT_REST + v)[0])


def test_the_gap_is_that_of_a_cylinder_that_lost_the_volume():
    found = slack(replace(LIMB, volume_loss_percent=4.0), RUNNER)
    radius = 0.050
    assert found.gap_m == pytest.approx(radius * (1 - math.sqrt(0.96)), rel=0.02)
    assert found.sink_m == pytest.approx(10 * found.gap_m)
    turned = np.linspace(
        0, 0.3, 3001
    )  # of a rounded triangle: where it comes through a wall of the same shape
    around = np.linspace(0, 2 * math.pi, 721)
    through = [(0.08 * radius * (np.cos(3 * (around - t)) - np.cos(3 * around))).max() for t in turned]
    assert found.turn_rad == pytest.approx(np.interp(found.gap_m, through, turned), rel=0.05)


def test_the_greatest_loss_is_what_was_seen_in_a_loose_walking_socket():
    found = slack(replace(LIMB, volume_loss_percent=12.0), RUNNER)
    assert 1e3 * found.sink_m == pytest.approx(30) and math.degrees(found.turn_rad) == pytest.approx(
        15, abs=1
    )


def test_a_sock_refills_by_its_measured_thickness_and_plies_do_not_add_up():
    assert [1e3 * sock_m(ply) for ply in (0, 1, 2, 3, 5)] == pytest.approx([0, 0.7, 0.95, 1.2, 1.5])
    lost, refilled = (slack(replace(LIMB, volume_loss_percent=6.0, socks_ply=ply), RUNNER) for ply in (0, 3))
    assert lost.gap_m - refilled.gap_m == pytest.approx(1.2e-3)
    assert slack(replace(LIMB, volume_loss_percent=4.0, socks_ply=3), RUNNER) == (0, 0, 0)


def test_a_socket_that_fits_is_the_one_of_before():
    """Also where socks fill all that was lost: the same model to the last digit."""
    plain = build_model(RUNNER, LIMB, FITTING)
    refilled = build_model(RUNNER, replace(LIMB, volume_loss_percent=4.0, socks_ply=3.0), FITTING)
    assert refilled.xml == plain.xml and not len(written_laws(plain.mj).joint)


@pytest.mark.parametrize("joint", ["pistoning", "rotation"])
def test_beyond_the_slack_the_springs_are_as_stiff_as_before(joint):
    fits, loose, found = model(), model(6.0), slack(replace(LIMB, volume_loss_percent=6.0), RUNNER)
    lost, rest = (found.sink_m, found.sink_m / 2) if joint == "pistoning" else (found.turn_rad, 0.0)
    far, stiffness = 4 * lost, -force(fits, joint, 1.0)
    for end in (-far, far):
        assert force(loose, joint, end + 1e-3) - force(loose, joint, end) == pytest.approx(-1e-3 * stiffness)
    assert force(loose, joint, rest) == pytest.approx(-0.03 * stiffness * rest)
    held = stiffness * (far - 0.97 * lost)
    assert force(loose, joint, far) == pytest.approx(-held)
    hangs = far if joint == "pistoning" else far - 0.97 * lost  # in swing, where one that fits does
    assert force(loose, joint, -far) == pytest.approx(stiffness * hangs)
    rubbing = force(loose, joint, rest, 0.1) - force(loose, joint, rest)
    assert rubbing == pytest.approx(force(fits, joint, 0.0, 0.1))


def test_what_is_unknown_of_the_socket_holds_for_a_loose_one_too():
    varied = Variation(socket_stiffness=1.5, socket_rotation=2.0)
    usual, other = laws_of(model(6.0)), laws_of(model(6.0, variation=varied))
    mj = model(6.0)
    for joint, factor in (("pistoning", 1.5), ("flexion", 1.5), ("rotation", 3.0)):
        rows = usual.joint == mj.joint(f"socket_{joint}_r").id
        assert rows.any()
        springs, stiffer = usual.parameter[rows][:, 0], other.parameter[rows][:, 0]
        np.testing.assert_allclose(stiffer, factor * springs)


def test_each_leg_has_its_own():
    both = Amputation("both", left={"volume_loss_percent": 5.0})
    mj = build_model(RUNNER, both, FITTING).mj
    joints = {mj.joint(int(i)).name for i in written_laws(mj).joint}
    assert joints == {"socket_pistoning_l", "socket_rotation_l"}


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("volume_loss_percent", 20, r"\[amputation\] volume_loss_percent: 20 .*from 0 to 12 %"),
        ("socks_ply", 9, r"\[amputation\] socks_ply: 9 .*from 0 to 5 ply"),
        ("sock", 3, r"did you mean 'socks_ply'"),
    ],
)
def test_what_no_limb_loses_is_named(key, value, words):
    document = {
        "runner": {"mass_kg": 75.0, "height_m": 1.75}, "amputation": {"side": "right", key: value},
        "fitting": {"blade": "j-sprint"}, "task": {"speed_m_s": 3.3},
    }  # fmt: skip
    with pytest.raises(InputError, match=words):
        check_case(document)
