"""Metabolic power against numbers worked out by hand, and against what every muscle obeys."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bladerun._lib.data_files import toml
from bladerun.gait.metabolic import metabolic, motor_moment, motor_power, muscle_mass_kg, muscle_power
from bladerun.gait.outcomes import outcomes
from models import muscled

MUSCLE = {
    "excitation": 0.5, "fibre_length": 1.2, "velocity_m_s": -0.3, "active_n": 800.0, "isometric_n": 1500.0,
    "mass_kg": 0.5, "fast_twitch": 0.4,
}  # fmt: skip


def power(**changed):
    return float(muscle_power(**MUSCLE | changed))


def test_one_muscle_by_hand():
    # Bhargava 2004 on paper, with u = 0.5: sin(pi/4) = 0.707107, 1 - cos(pi/4) = 0.292893
    #   slow       0.6 x 0.707107 = 0.424264        fast  0.4 x 0.292893 = 0.117157
    #   activation 0.5 x (40 x 0.424264 + 133 x 0.117157) = 0.5 x (16.97056 + 15.58191) = 16.27624 W
    #   length     1.2 lies 0.4 of the way from 1.0 (factor 1) to 1.5 (factor 0): 0.6
    #   maintain   0.5 x 0.6 x (74 x 0.424264 + 111 x 0.117157) = 0.3 x (31.39554 + 13.00446) = 13.32000 W
    #   shorten    (0.16 x 1500 + 0.18 x 800) x 0.3 = 384 x 0.3 = 115.2 W
    #   work       800 x 0.3 = 240 W                                          total 384.79624 W
    assert power() == pytest.approx(384.79624, abs=1e-3)


def test_a_stretched_muscle_by_hand():
    # as above with 5 kg and v = +0.1 m/s: activation 162.7624, maintenance 133.2000,
    # stretch -0.157 x 800 x 0.1 = -12.56, work -800 x 0.1 = -80                total 203.4024 W
    assert power(mass_kg=5.0, velocity_m_s=0.1) == pytest.approx(203.4024, abs=1e-2)


def test_a_hard_stretch_gives_nothing_back():
    assert power(velocity_m_s=0.5) == 0.0


def test_a_still_muscle_costs_more_the_more_it_is_excited():
    cost = [power(excitation=u, velocity_m_s=0.0) for u in np.linspace(0, 1, 11)]
    assert cost[0] == 0.0
    assert np.all(np.diff(cost) > 0)


def test_fast_fibres_cost_more_at_full_excitation_and_are_spared_at_low():
    assert power(excitation=1.0, fast_twitch=0.9) > power(excitation=1.0, fast_twitch=0.1)
    assert power(excitation=0.1, fast_twitch=0.9) < power(excitation=0.1, fast_twitch=0.1)


@given(
    u=st.floats(0, 1),
    length=st.floats(0.4, 1.6),
    v=st.floats(-2, 2),
    force=st.floats(0, 3000),
    k=st.floats(0, 1),
)
def test_power_is_never_negative_and_grows_with_the_muscle(u, length, v, force, k):
    same = {"excitation": u, "fibre_length": length, "fast_twitch": k, "velocity_m_s": v}
    one = power(**same, active_n=force, isometric_n=force)
    three = power(**same, active_n=3 * force, isometric_n=3 * force, mass_kg=1.5)
    assert one >= 0
    assert three == pytest.approx(3 * one, abs=1e-9)


@given(st.floats(0.01, 2), st.floats(1, 3000), st.floats(0, 1))
def test_shortening_costs_more_than_the_work_done(v, force, u):
    assert power(velocity_m_s=-v, active_n=force, isometric_n=force, excitation=u) > force * v


def test_motors_cost_their_work_over_an_efficiency():
    assert motor_power(np.array([100.0, -120.0, 0.0])) == pytest.approx([400.0, 100.0, 0.0])


def test_mass_is_density_times_volume():
    # 3000 N / 600 kPa = 50 cm2, x 5 cm = 250 cm3, x 1.06 = 265 g
    assert muscle_mass_kg(np.array([3000.0]), np.array([0.05])) == pytest.approx([0.265])


def test_the_muscles_of_a_leg_weigh_what_those_of_a_man_of_75_kg_do():
    made = muscled.stride(knots=2)
    mass = muscle_mass_kg(made.muscle_f0.values, made.muscle_l0.values).sum() / 2
    # 7.1 l in 24 people of 72 kg, hip to foot (Handsfield 2014, doi 10.1016/j.jbiomech.2013.12.002; recalled)
    assert mass == pytest.approx(7.1 * 1.06 * 75 / 72, rel=0.2)


def test_every_muscle_has_its_fibres():
    for row in toml("muscles.toml")["muscle"].values():
        assert 0 < row["fast_twitch"]["fraction"] < 1
        assert row["fast_twitch"]["status"] in ("measured", "derived", "assumed")
    assert {name[:-2] for name in muscled.model().muscles} <= set(toml("muscles.toml")["muscle"])


def test_the_isometric_force_is_the_force_at_rest():
    made = muscled.stride(swing=0.0)
    still = metabolic(made)
    c = toml("metabolic.toml")["muscle"]
    made["fibre_velocity"] = 0 * made.fibre_velocity - 1e-3  # a shortening too slow to change the force
    force = made.fibre_force_active.values * made.muscle_l0.values * 1e-3
    heat = (1 + c["shortening_isometric"] + c["shortening_force"]) * force
    np.testing.assert_allclose(metabolic(made).muscle - still.muscle, heat, rtol=1e-6, atol=1e-9)


def test_power_that_one_axis_of_a_joint_passes_to_another_is_free():
    made = muscled.stride(knots=4)
    axes = [f"lumbar_{axis}" for axis in ("extension", "bending")]
    made.v.loc[{"joint": axes}] = 1.0
    made.tau.loc[{"joint": axes}] = [30.0, -30.0]
    assert not metabolic(made).motor["lumbar"].any()
    made.tau.loc[{"joint": axes}] = [30.0, -6.0]
    np.testing.assert_allclose(metabolic(made).motor["lumbar"], 96.0)


def test_motors_are_reserves_where_muscles_drive_and_all_of_the_moment_elsewhere():
    made = muscled.stride(side="right")
    moment = motor_moment(made)
    names = list(made.joint.values)
    for joint, wanted in (("knee_flexion_r", made.reserve), ("lumbar_bending", made.tau)):
        np.testing.assert_array_equal(moment[:, names.index(joint)], wanted.sel(joint=joint))
    for joint in ("pelvis_tz", "achilles_l", "socket_flexion_r", "blade_bend1_r"):
        assert not moment[:, names.index(joint)].any()


def test_the_whole_is_its_parts_and_rest():
    made = muscled.stride(side="right")
    made.v.loc[{"joint": "lumbar_rotation"}] = 1.0
    made.tau.loc[{"joint": "lumbar_rotation"}] = 50.0  # 50 W x 4 / 75 kg / 3 m/s
    result = outcomes(made)
    assert result["upper_body_cost_of_transport_j_kg_m"] == pytest.approx(200 / made.mass_kg / 3)
    legs = sum(result["leg_cost_of_transport_j_kg_m"].values())
    net = result["cost_of_transport_j_kg_m"]
    assert net == pytest.approx(legs + result["upper_body_cost_of_transport_j_kg_m"])
    assert result["gross_cost_of_transport_j_kg_m"] - net == pytest.approx(1.2 / 3)
    assert result["metabolic_power_w_kg"] == pytest.approx(3 * result["gross_cost_of_transport_j_kg_m"])
    assert result["leg_cost_of_transport_j_kg_m"]["left"] > result["leg_cost_of_transport_j_kg_m"]["right"]
