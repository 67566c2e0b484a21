"""The spring leg of the lessons: energy stays, a steady step is its own mirror, a drop is a known bounce."""

import numpy as np
import pytest
from spring_leg import GRAVITY_M_S2, bounce

RUNNER = {"mass_kg": 72.0, "leg_m": 0.96, "stiffness_n_m": 14e3}


@pytest.mark.parametrize("landing", [0.2, 0.35, 0.5])
def test_energy_is_conserved(landing):
    run = bounce(landing, **RUNNER, speed_m_s=3.3, fall_m_s=0.6)
    kinetic = 0.5 * RUNNER["mass_kg"] * (run.velocity_m_s**2).sum(axis=1)
    total = kinetic + RUNNER["mass_kg"] * GRAVITY_M_S2 * run.z_m + run.energy_j
    assert total == pytest.approx(total[0], rel=1e-6)
    assert run.energy_j[-1] == pytest.approx(0, abs=1e-6)


def test_straight_down_it_is_a_spring_with_a_weight_on_it():
    run = bounce(0.0, **RUNNER, speed_m_s=0.0, fall_m_s=0.6)
    sag = RUNNER["mass_kg"] * GRAVITY_M_S2 / RUNNER["stiffness_n_m"]
    depth = sag + np.sqrt(sag**2 + RUNNER["mass_kg"] * 0.6**2 / RUNNER["stiffness_n_m"])
    assert RUNNER["leg_m"] - run.z_m.min() == pytest.approx(depth, rel=1e-4)
    assert run.velocity_m_s[-1] == pytest.approx([0.0, 0.6], abs=1e-6)
    assert run.recoil_direction_deg == pytest.approx(90)


def test_a_step_that_leaves_as_it_came_stands_under_the_body():
    low, high = 0.2, 0.5
    for _ in range(40):
        middle = (low + high) / 2
        run = bounce(middle, **RUNNER, speed_m_s=3.3, fall_m_s=0.6)
        low, high = (middle, high) if run.velocity_m_s[-1, 0] > 3.3 else (low, middle)
    assert run.velocity_m_s[-1] == pytest.approx([3.3, 0.6], abs=1e-6)
    assert run.sweet_spot_offset_m == pytest.approx(0, abs=0.01)  # on the grid of times
    assert run.x_m[-1] == pytest.approx(-run.x_m[0], abs=1e-6)


def test_shorter_falls_forward_longer_pops_up():
    short, long = (bounce(x, **RUNNER, speed_m_s=3.3, fall_m_s=0.6) for x in (0.2, 0.5))
    assert short.velocity_m_s[-1, 0] > 3.3 > long.velocity_m_s[-1, 0]
    assert short.velocity_m_s[-1, 1] < 0.6 < long.velocity_m_s[-1, 1]
    assert short.recoil_direction_deg < 90 < long.recoil_direction_deg


def test_a_leg_that_does_not_carry_is_an_error():
    with pytest.raises(ValueError, match="does not carry"):
        bounce(0.0, mass_kg=72.0, leg_m=0.96, stiffness_n_m=1e3, speed_m_s=0.0, fall_m_s=3.0)
