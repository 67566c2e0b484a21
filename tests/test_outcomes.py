"""Outcomes against strides whose answers are known in closed form, and against the laws they must obey."""

import json
import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bladerun.gait.outcomes import OUTCOMES, flat, outcomes
from models import muscled
from strides import uneven
from strides.expected import FEET
from strides.synthetic import LEG, MASS, PERIOD, SPEED, WEIGHT, bell, stride


def test_every_row_has_a_number_on_some_leg_and_none_that_json_cannot_write():
    braked = stride(fore_aft=lambda phase: -0.1 * np.sin(2 * np.pi * phase))
    missing = {row.key for row in OUTCOMES}
    knee = uneven.coming_to_its_stop(uneven.above_the_knee(), FEET["right"].down, 0.06, 300)
    thigh = uneven.tilting_sideways(uneven.stride())
    for made in (braked, knee, thigh, *(muscled.stride(side=side, knots=20) for side in ("right", "none"))):
        result = outcomes(made)
        missing -= {key for key in result if result[key] not in (None, {"left": None, "right": None})}
        json.dumps(result, allow_nan=False)
    assert not missing


def test_the_unit_is_the_end_of_the_key():
    said = {"-": "", "%": "percent", "% leg length": "leg_percent", "1/s": "hz"}
    ends = {row.unit: said.get(row.unit, re.sub("[ /]", "_", row.unit.lower())) for row in OUTCOMES}
    for row in OUTCOMES:
        fitting = [end for end in ends.values() if end and row.key.endswith(f"_{end}")]
        assert max(fitting, key=len, default="") == ends[row.unit], row.key


def test_what_was_never_measured_on_a_blade_is_marked():
    untested = {row.key for row in OUTCOMES if row.untested}
    assert {"sweet_spot_offset_m", "lateral_whip_deg", "hip_torque_rotation_peak_nm_kg"} <= untested
    assert not {"contact_time_s", "peak_vgrf_bw", "cost_of_transport_j_kg_m"} & untested


def test_a_leg_without_a_blade_has_no_blade_outcomes():
    result = outcomes(stride())
    for key in (
        "sweet_spot_offset_m",
        "blade_energy_peak_j",
        "blade_strain_margin",
        "lateral_whip_deg",
        "socket_axial_torque_peak_nm",
    ):
        assert result[key]["left"] is None and result[key]["right"] is not None
    assert result["ankle_plantarflexion_torque_peak_nm_kg"]["right"] is None


@settings(deadline=None, max_examples=15)
@given(
    down=st.floats(0.0, PERIOD, exclude_max=True),
    contact=st.floats(0.15, 0.3),
    peak_bw=st.floats(1.5, 3.5),
)
def test_bell_shaped_contact_wherever_the_seam_lies(down, contact, peak_bw):
    peak = peak_bw * WEIGHT
    left_down = (down + PERIOD / 2) % PERIOD
    result = outcomes(stride(right_down=down, left_down=left_down, contact=contact, peak_n=peak))
    late = contact / math.pi * math.asin(math.sqrt(30.0 / peak))  # crossing of 30 N after the bell's start
    for side in ("left", "right"):
        assert result["contact_time_s"][side] == pytest.approx(contact - 2 * late, abs=1e-4)
        assert result["peak_vgrf_bw"][side] == pytest.approx(peak_bw, rel=1e-3)
        assert result["vertical_impulse_bw_s"][side] == pytest.approx(contact / 2 * peak_bw, rel=2e-3)
        assert result["loading_rate_bw_s"][side] == pytest.approx(math.pi * peak_bw / contact, rel=0.01)
        assert result["step_time_s"][side] == pytest.approx(PERIOD / 2, abs=1e-4)
        assert result["step_length_m"][side] == pytest.approx(SPEED * PERIOD / 2, abs=1e-3)
        assert result["flight_time_s"][side] == pytest.approx(PERIOD / 2 - contact + 2 * late, abs=1e-4)
    assert result["asymmetry_contact_time_percent"] == pytest.approx(0, abs=0.1)
    assert result["step_frequency_hz"] == pytest.approx(2 / PERIOD)


def test_events_move_smoothly_with_the_motion():
    times = [outcomes(stride(contact=c))["contact_time_s"]["right"] for c in np.linspace(0.24, 0.248, 9)]
    steps = np.diff(times)
    assert np.all(steps > 0)
    assert steps == pytest.approx(steps.mean(), rel=0.03)


def test_leg_stiffness_is_mcmahon_and_chengs():
    def height(t):
        return 1.0 - 0.04 * np.cos(4 * np.pi * (t - 0.145) / PERIOD)  # lowest at the middle of right contact

    result = outcomes(stride(com_height=height, contact=0.25, right_down=0.02, left_down=0.37))
    contact = result["contact_time_s"]["right"]
    down = 0.02 + (0.25 - contact) / 2
    fall = height(down) - height(0.145)
    sweep = math.asin(SPEED * contact / (2 * LEG))
    expected = 1800.0 / (fall + LEG * (1 - math.cos(sweep))) / 1e3
    assert result["leg_stiffness_kn_m"]["right"] == pytest.approx(expected, rel=2e-3)


def test_foot_lands_where_it_was_put_and_passes_under_the_body_in_mid_contact():
    result = outcomes(stride(foot_ahead_m=0.3, contact=0.2))
    landing = 0.3 - SPEED * 0.2 / math.pi * math.asin(math.sqrt(30.0 / 1800.0))  # the body has come forward
    assert result["landing_offset_m"]["right"] == pytest.approx(landing, abs=5e-3)
    assert result["landing_offset_hip_m"]["left"] == pytest.approx(landing, abs=5e-3)
    assert result["landing_offset_leg_percent"]["right"] == pytest.approx(100 * landing / LEG, abs=0.6)
    assert result["sweet_spot_offset_m"]["right"] == pytest.approx(0.3 - SPEED * 0.1, abs=1e-3)
    assert result["step_width_m"] == pytest.approx(0.1, abs=1e-6)


def test_linear_blade_returns_what_it_stored_less_its_loss():
    result = outcomes(stride(peak_n=1800.0, contact=0.25))
    peak = 0.5 * 1800.0**2 / 25e3
    lost = 0.8 * peak * 0.25 * 3 / 8  # mean of sin^4 over its half wave
    assert result["blade_energy_peak_j"]["right"] == pytest.approx(peak, rel=1e-3)
    assert result["blade_energy_lost_j"]["right"] == pytest.approx(lost, rel=1e-2)
    assert result["blade_energy_returned_j"]["right"] == pytest.approx(peak - lost / 2, rel=1e-2)
    expected = 100 * (peak - lost / 2) / (peak + lost / 2)
    assert result["blade_energy_return_percent"]["right"] == pytest.approx(expected, rel=5e-3)
    assert result["blade_compression_mm"]["right"] == pytest.approx(1e3 * 1800 / 25e3, rel=1e-3)
    assert result["blade_stiffness_seen_kn_m"]["right"] == pytest.approx(25.0, rel=1e-3)


@pytest.mark.parametrize(("share", "words"), [(0.0, 90.0), (0.5, 63.43), (-0.5, 116.57)])
def test_recoil_points_where_the_force_points(share, words):
    result = outcomes(stride(fore_aft=lambda phase: share * np.sin(np.pi * phase) ** 2))
    assert result["recoil_direction_deg"]["right"] == pytest.approx(words, abs=0.1)
    forward = share * 1800.0 * 0.25 / 4 * SPEED  # second half of the impulse times speed
    assert result["recoil_work_forward_j"]["right"] == pytest.approx(forward, rel=0.01, abs=0.5)


def test_braking_and_propulsion_are_told_apart():
    result = outcomes(stride(fore_aft=lambda phase: -0.1 * np.sin(2 * np.pi * phase), contact=0.25))
    half = 0.1 * 1800.0 * 0.25 / math.pi / WEIGHT
    assert result["braking_impulse_bw_s"]["right"] == pytest.approx(-half, rel=0.02)
    assert result["propulsive_impulse_bw_s"]["right"] == pytest.approx(half, rel=0.02)


def test_joint_moments_keep_their_sign_and_size():
    def inward(t):
        return 30.0 * bell(t, 0.02, 0.25)

    result = outcomes(stride(moments={"hip_rotation_r": inward, "hip_flexion_r": lambda t: -2 * inward(t)}))
    assert result["hip_internal_rotation_torque_peak_nm_kg"]["right"] == pytest.approx(30 / MASS, rel=1e-3)
    assert result["hip_external_rotation_torque_peak_nm_kg"]["right"] == pytest.approx(0, abs=5e-3)
    assert result["hip_torque_rotation_peak_nm_kg"]["right"] == pytest.approx(30 / MASS, rel=1e-3)
    assert result["hip_extension_torque_peak_nm_kg"]["right"] == pytest.approx(60 / MASS, rel=1e-3)
    impulse = 30 * 0.25 / 2 / MASS
    assert result["hip_torque_rotation_impulse_nm_s_kg"]["right"] == pytest.approx(impulse, rel=1e-2)
    assert result["hip_torque_rotation_peak_nm_kg"]["left"] == 0


def test_pelvis_up_on_the_right_is_up_for_the_right_leg_and_down_for_the_left():
    result = outcomes(stride(angles={"pelvis_list": lambda t: np.radians(5.0)}))
    assert result["pelvic_obliquity_deg"]["right"] == pytest.approx(5)
    assert result["pelvic_obliquity_deg"]["left"] == pytest.approx(-5)
    assert result["psis_difference_mm"]["right"] == pytest.approx(100 * math.sin(math.radians(5)), rel=1e-6)
    assert result["psis_difference_mm"]["left"] == pytest.approx(-result["psis_difference_mm"]["right"])


def test_whip_is_the_turn_about_the_long_axis_and_the_sideways_swing_of_the_tip():
    def turn(t):
        return np.radians(6.0) * np.sin(2 * np.pi * (t - 0.27) / PERIOD)

    result = outcomes(stride(angles={"hip_rotation_r": turn}, contact=0.25, right_down=0.02))
    up = 0.02 + (0.25 + result["contact_time_s"]["right"]) / 2
    end = up + 0.2 * (PERIOD - result["contact_time_s"]["right"])
    change = turn(end) - turn(up)
    assert result["lateral_whip_deg"]["right"] == pytest.approx(math.degrees(change), rel=5e-3)
    tip = 1e3 * 0.1 * (math.sin(turn(end)) - math.sin(turn(up)))  # the tip is 0.1 m ahead: inward is negative
    assert result["tip_swing_mm"]["right"] == pytest.approx(-tip, rel=5e-3)


def test_socket_twist_is_its_spring_and_damper():
    def twist(t):
        return np.radians(3.0) * np.cos(2 * np.pi * (t - 0.145) / PERIOD)

    result = outcomes(stride(angles={"socket_rotation_r": twist}))
    assert result["socket_axial_torque_peak_nm"]["right"] == pytest.approx(100 * math.radians(3), rel=0.05)


def test_strain_margin_halves_when_the_blade_bends_twice_as_much():
    def margin(angle):
        bend = {f"blade_bend{i}_r": lambda t: angle * bell(t, 0.02, 0.25) for i in range(1, 6)}
        return outcomes(stride(angles=bend))["blade_strain_margin"]

    assert margin(0.05)["right"] == pytest.approx(2 * margin(0.1)["right"], rel=1e-3)
    assert margin(0.05)["left"] is None


def test_a_blade_that_gives_nothing_has_no_stiffness_no_margin_and_no_return():
    made = stride(angles={f"blade_bend{i}_r": np.zeros_like for i in range(1, 6)})
    for name in ("blade_energy", "blade_loss", "blade_compression", "blade_strain"):
        made[name] = 0 * made[name]
    result = outcomes(made)
    for key in ("blade_stiffness_seen_kn_m", "blade_strain_margin", "blade_energy_return_percent"):
        assert result[key]["right"] is None, key
    assert result["blade_energy_peak_j"]["right"] == result["blade_compression_mm"]["right"] == 0


def test_asymmetry_is_positive_where_the_affected_leg_has_more():
    result = outcomes(stride(moments=None, right_down=0.0, left_down=0.3))
    affected = result["step_time_s"]["right"], result["step_time_s"]["left"]
    expected = 200 * (affected[0] - affected[1]) / sum(affected)
    assert result["asymmetry_step_time_percent"] == pytest.approx(expected)
    mirrored = outcomes(stride(right_down=0.0, left_down=0.3, affected="left"))
    assert mirrored["asymmetry_step_time_percent"] == pytest.approx(-expected)


def test_positive_work_of_a_motor_against_its_motion():
    def angle(t):
        return 0.2 * np.sin(2 * np.pi * t / PERIOD)

    result = outcomes(stride(angles={"knee_flexion_l": angle}, moments={"knee_flexion_l": lambda t: 50.0}))
    assert result["joint_work_j_kg_m"] == pytest.approx(50 * 0.4 / (MASS * SPEED * PERIOD), rel=5e-3)


@pytest.mark.parametrize("late", [0.3, 0.55])
def test_a_toe_that_scuffs_in_swing_has_not_landed(late):
    clean = stride(contact=0.25, right_down=0.02)
    scuffed = clean.copy(deep=True)
    scuffed.grf.loc[{"side": "right", "xyz": "z"}] += 60.0 * bell(clean.time.values, late, 0.08)
    expected, result = outcomes(clean), outcomes(scuffed)
    for name in ("contact_time_s", "step_time_s", "flight_time_s"):
        assert result[name] == pytest.approx(expected[name], abs=1e-3)


def test_a_leg_that_never_touches_has_no_contact_outcomes():
    result = outcomes(stride(peak_n=10.0))
    assert result["contact_time_s"] == {"left": None, "right": None}
    assert result["asymmetry_contact_time_percent"] is None
    assert result["stride_time_s"] == PERIOD


def test_flat_names_each_leg_and_keeps_every_number():
    result = outcomes(stride())
    columns = flat(result)
    assert columns["contact_time_s_left"] == result["contact_time_s"]["left"]
    assert columns["stride_time_s"] == PERIOD
    assert math.isnan(columns["blade_energy_peak_j_left"])
    assert all(isinstance(value, float) for value in columns.values())
