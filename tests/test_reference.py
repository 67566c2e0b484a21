"""The reference stride: periodic, mirrored between the legs, human-like at every speed and size."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bladerun.body.reference_gait import band, reference
from bladerun.errors import InputError

LEG = (
    "hip_flexion",
    "hip_adduction",
    "hip_rotation",
    "knee_flexion",
    "ankle_dorsiflexion",
    "subtalar_inversion",
)
ARM = ("shoulder_flexion", "shoulder_adduction", "shoulder_rotation", "elbow_flexion")
PELVIS = ("pelvis_tx", "pelvis_ty", "pelvis_tz", "pelvis_tilt", "pelvis_list", "pelvis_rotation")
LUMBAR = ("lumbar_extension", "lumbar_bending", "lumbar_rotation")
UNTRACKED = (
    "mtp_dorsiflexion_r",
    "socket_pistoning_l",
    "socket_flexion_l",
    "blade_bend1_l",
    "blade_torsion_l",
)
JOINTS = PELVIS + LUMBAR + tuple(f"{j}_{s}" for j in ARM + LEG for s in "rl") + UNTRACKED
AT = {joint: i for i, joint in enumerate(JOINTS)}
speeds = st.floats(1.5, 6.5)


def stride(speed=3.5, knots=100, leg=0.93):
    return reference(JOINTS, speed, knots, leg_length_m=leg)


@settings(max_examples=20, deadline=None)
@given(speed=speeds, half=st.integers(20, 90))
def test_left_is_right_half_a_stride_later(speed, half):
    ref = stride(speed, 2 * half)
    for joint in ARM + LEG:
        right, left = (ref.q[:, AT[f"{joint}_{side}"]] for side in "rl")
        np.testing.assert_allclose(np.roll(right, half), left, atol=1e-12)
    np.testing.assert_allclose(np.roll(ref.grf[:, 0], half, axis=0), ref.grf[:, 1] * [1, -1, 1], atol=1e-9)
    for joint in PELVIS[2:] + LUMBAR:
        sign = 1 if joint in ("pelvis_tz", "pelvis_tilt", "lumbar_extension") else -1
        np.testing.assert_allclose(np.roll(ref.q[:, AT[joint]], half), sign * ref.q[:, AT[joint]], atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(speed=speeds, knots=st.integers(60, 240))
def test_smooth_across_the_seam(speed, knots):
    q = stride(speed, knots).q
    steps = np.abs(np.diff(np.vstack([q, q[:1]]), axis=0))
    assert (steps[-1] <= 1.2 * steps[:-1].max(axis=0)).all()


@settings(max_examples=20, deadline=None)
@given(speed=speeds)
def test_tracked_joints_have_a_spread_and_others_are_zero(speed):
    ref = stride(speed)
    untracked = {"pelvis_tx", "pelvis_ty", *UNTRACKED}
    assert {joint for joint, tracked in zip(JOINTS, ref.tracked, strict=True) if not tracked} == untracked
    assert (ref.sd[:, ref.tracked] > 0).all()
    assert not ref.q[:, ~ref.tracked].any()


@pytest.mark.parametrize("speed", [2.5, 3.5, 4.5])
def test_the_series_keeps_the_measured_curves(speed):
    ref = stride(speed, 50)
    for joint in LEG:
        _, mean, _ = band(joint, speed)
        np.testing.assert_allclose(np.rad2deg(ref.q[:, AT[f"{joint}_r"]]), mean[:-1], atol=0.7)


@pytest.mark.parametrize("speed", [2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0])
def test_signs(speed):
    ref = stride(speed)
    deg = {joint: np.rad2deg(ref.q[:, i]) for joint, i in AT.items()}
    knee, hip, ankle = deg["knee_flexion_r"], deg["hip_flexion_r"], deg["ankle_dorsiflexion_r"]
    assert 62 <= knee.argmax() <= 75 and 70 < knee.max() < 125
    assert knee.min() > 5
    assert hip[0] > 15 and 25 < hip.argmin() < 50 and hip.min() < -5
    assert 12 < ankle[:25].max() < 30 and ankle[30:50].min() < -10
    assert deg["hip_adduction_r"][:20].max() > 6
    assert deg["pelvis_list"][:20].max() > 3  # the hip over the standing leg is the higher one
    assert deg["shoulder_flexion_r"][:10].mean() < deg["shoulder_flexion_r"][40:60].mean()
    assert deg["lumbar_rotation"][:5].mean() < 0 < deg["lumbar_rotation"][25:45].mean()
    assert 60 < deg["elbow_flexion_r"].mean() < 130
    assert 0.06 < np.ptp(ref.q[:, AT["pelvis_tz"]]) < 0.12


@settings(max_examples=20, deadline=None)
@given(speed=speeds)
def test_trunk_leans_forward_in_space_and_pelvis_height_is_a_deviation(speed):
    ref = stride(speed)
    lean = np.rad2deg(ref.q[:, AT["pelvis_tilt"]] - ref.q[:, AT["lumbar_extension"]])
    assert lean.mean() == pytest.approx(3.0, abs=1e-3)
    assert (lean > -4).all() and (lean < 10).all()
    assert ref.q[:, AT["pelvis_tz"]].mean() == pytest.approx(0, abs=1e-9)


def test_stride_time_falls_with_speed_and_grows_with_size():
    assert stride(2.5, leg=0.933).stride_time_s == pytest.approx(0.744)
    assert stride(3.5, leg=0.933).stride_time_s == pytest.approx(0.703)
    times = [stride(speed).stride_time_s for speed in np.arange(2.0, 5.1, 0.25)]
    assert (np.diff(times) < 0).all()
    assert stride(leg=1.0).stride_time_s == pytest.approx(stride(leg=0.8).stride_time_s * np.sqrt(1 / 0.8))


@pytest.mark.parametrize("speed", [2.5, 3.0, 3.5])
def test_force_carries_the_weight_and_neither_speeds_up_nor_slows_down(speed):
    mean = stride(speed, 200).grf.sum(axis=1).mean(axis=0)
    np.testing.assert_allclose(mean, [0, 0, 1], atol=0.02)
    fore_aft = stride(speed, 100).grf[:, 0, 0]
    assert fore_aft[5:15].mean() < 0 < fore_aft[18:28].mean()


def test_linear_between_measured_speeds_and_held_far_outside():
    for joint in ("knee_flexion", "hip_flexion_moment", "grf_vertical"):
        middle = (band(joint, 2.5)[1] + band(joint, 3.5)[1]) / 2
        np.testing.assert_allclose(band(joint, 3.0)[1], middle)
    np.testing.assert_array_equal(band("knee_flexion", 5.0)[1], band("knee_flexion", 9.0)[1])
    np.testing.assert_array_equal(band("knee_flexion", 2.0)[1], band("knee_flexion", 1.0)[1])
    assert (band("knee_flexion", 9.0)[2] > 0).all()


def test_stance_moments_extend_knee_and_point_foot():
    for moment in ("knee_flexion_moment", "ankle_dorsiflexion_moment", "hip_adduction_moment"):
        percent, mean, _ = band(moment, 3.0)
        assert mean[(percent > 8) & (percent < 20)].max() < -0.5
    percent, mean, _ = band("hip_internal_rotation_moment", 3.0)
    assert 0.2 < mean[percent < 25].max() < 0.8


def test_unknown_quantity_names_the_nearest():
    with pytest.raises(InputError, match="knee_flexion"):
        band("knee_flexoin", 3.0)


@pytest.mark.parametrize("speed", [2.5, 3.5, 4.5])
def test_the_trunk_keeps_its_posture_in_space(speed):
    """Whatever the pelvis does at a speed: as the two subjects had it, towards the side that stands."""
    ref = stride(speed, 50)
    in_space = np.rad2deg(ref.q[:, AT["lumbar_bending"]] - ref.q[:, AT["pelvis_list"]])
    measured = band("trunk_list", speed)[1][:-1]
    np.testing.assert_allclose(in_space, (measured - np.roll(measured, 25)) / 2, atol=0.5)
    assert in_space[:5].min() > 2


def test_sideways_force_is_medial_in_both_stances_and_turns_nobody_aside():
    ref = stride(3.5, 100)
    assert ref.sideways[12] > 0.04 and ref.sideways[62] < -0.04  # right foot, left foot: towards the midline
    assert ref.sideways.mean() == pytest.approx(0, abs=1e-12)
    # as measured where the belt of the treadmill does not shake
    np.testing.assert_allclose(ref.sideways[11:31], ref.grf[11:31, 0, 1], atol=0.02)


def test_step_width_is_the_measured_one_and_grows_with_size():
    assert stride(2.5, leg=0.933).step_width_m == pytest.approx(0.038)
    assert stride(3.5, leg=0.933).step_width_sd_m == pytest.approx(0.034)
    assert stride(leg=1.0).step_width_m == pytest.approx(stride(leg=0.8).step_width_m / 0.8)
