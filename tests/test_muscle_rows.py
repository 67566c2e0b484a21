"""Outcomes of muscles: what must hold for any motion, on the real body with a made-up one."""

import mujoco
import numpy as np
import pytest

from bladerun.cli._console import muscle_text
from bladerun.gait import _joint_contact
from bladerun.gait._joint_contact import joint_contact
from bladerun.gait.muscle_tables import hip_shares, muscle_table, reserve_table
from bladerun.gait.outcomes import outcomes
from bladerun.options import SolverOptions
from bladerun.stride._weakness import fully_active, too_weak
from models import muscled

GRAVITY = 9.81
OF_MUSCLES = (
    "metabolic_power_w_kg", "cost_of_transport_j_kg_m", "gross_cost_of_transport_j_kg_m",
    "upper_body_cost_of_transport_j_kg_m", "leg_metabolic_power_w_kg", "leg_cost_of_transport_j_kg_m",
    "activation_peak", "reserve_peak_fraction", "hip_contact_force_bw", "knee_contact_force_bw",
    "achilles_energy_peak_j", "achilles_energy_returned_j",
)  # fmt: skip
ACCEPTED = SolverOptions.default().accepted


def segment(made, name):
    """Whether each body hangs on `name`, and the model at rest in the first posture."""
    model = mujoco.MjModel.from_xml_string(made.model_xml)
    return model, _joint_contact._subtree(model, model.body(name).id)


# --- Rows -------------------------------------------------------------------------------------------------


def test_a_torque_driven_stride_has_no_muscle_outcomes_but_the_work_of_its_joints():
    made = muscled.stride(side="right")
    for bare in (
        muscled.torque_driven(made),
        made.drop_dims("muscle").drop_vars(["reserve", "achilles_energy"]),
    ):
        result = outcomes(bare)
        for key in OF_MUSCLES:
            assert result[key] in (None, {"left": None, "right": None})
        assert result["knee_work_positive_j_kg"]["right"] > 0


def test_a_stride_with_muscles_has_them_all():
    made = muscled.stride(side="right")
    made.v.loc[{"joint": "lumbar_rotation"}] = 1.0  # so that the upper body works too
    made.tau.loc[{"joint": "lumbar_rotation"}] = 50.0
    result = outcomes(made)
    for key in OF_MUSCLES:
        left = result[key]["left"] if isinstance(result[key], dict) else result[key]
        assert left is not None and left > 0, key
    assert result["achilles_energy_peak_j"]["right"] is None


def test_left_and_right_agree_on_a_symmetric_stride():
    result = outcomes(muscled.stride(activation=0.0, reserve_nm=0.0))
    for key in (
        "hip_contact_force_bw",
        "knee_contact_force_bw",
        "leg_metabolic_power_w_kg",
        "achilles_energy_peak_j",
    ):
        assert result[key]["left"] == pytest.approx(result[key]["right"], rel=1e-6)


def test_work_is_what_moment_and_motion_say():
    made = muscled.stride()
    time, rate = made.time.values, 2 * np.pi / muscled.PERIOD
    for joint in ("hip_adduction_r", "hip_rotation_r"):
        made.tau.loc[{"joint": joint}] = 0.0
    made.tau.loc[{"joint": "hip_flexion_r"}] = 30.0 * np.cos(rate * time)
    made.v.loc[{"joint": "hip_flexion_r"}] = 2.0 * np.sin(rate * time)
    # 60 cos sin = 30 sin(2 rate t): two positive halves a period, each 30 / rate
    expected = 2 * 30.0 / rate / made.mass_kg
    result = outcomes(made)
    assert result["hip_work_positive_j_kg"]["right"] == pytest.approx(expected, rel=1e-4)
    assert result["hip_work_negative_j_kg"]["right"] == pytest.approx(-expected, rel=1e-4)


def test_joint_work_is_the_sum_over_joints():
    result = outcomes(muscled.stride())
    for sign in ("positive", "negative"):
        parts = [result[f"{joint}_work_{sign}_j_kg"]["left"] for joint in ("hip", "knee", "ankle_or_blade")]
        toes = result[f"joint_work_{sign}_j_kg"]["left"] - sum(parts)
        assert abs(toes) < 1e-9  # they do not move in this motion


def test_a_blade_never_gives_more_than_it_takes():
    result = outcomes(muscled.stride(side="right"))
    net = result["ankle_or_blade_work_net_j_kg"]
    made = muscled.stride(side="right")
    lost = made.blade_loss.sel(side="right").values.mean() * muscled.PERIOD
    assert net["right"] == pytest.approx(-lost / made.mass_kg, rel=1e-6)
    assert outcomes(muscled.stride())["ankle_or_blade_work_net_j_kg"]["right"] != pytest.approx(net["right"])


# --- Tables -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["left", "right"])
def test_shares_of_the_hip_torques_add_up_to_all_of_it(side):
    shares = hip_shares(muscled.stride(), side)
    assert len(shares) == 21
    np.testing.assert_allclose(shares.sum(), 100.0)
    assert shares.loc[f"soleus_{side[0]}"].abs().max() < 1e-9  # does not cross the hip


def test_the_muscle_table_names_every_muscle_and_adds_up_to_the_leg():
    made = muscled.stride(reserve_nm=0.0)
    table = muscle_table(made)
    assert list(table.index) == list(made.muscle.values)
    total = table.metabolic_power_w.sum() / made.mass_kg
    assert total == pytest.approx(sum(outcomes(made)["leg_metabolic_power_w_kg"].values()))
    assert table.activation_peak.max() == pytest.approx(outcomes(made)["activation_peak"]["left"], abs=1e-3)


def test_a_muscles_peaks_and_mean_in_the_table():
    made, soleus = muscled.stride(knots=20), {"muscle": "soleus_l"}
    strongest = float(made.muscle_f0.sel(soleus))
    made.muscle_force.loc[soleus], made.activation.loc[soleus] = 0.0, 0.0
    made.muscle_force.loc[soleus | {"time": made.time[3]}] = 0.3 * strongest
    made.activation.loc[soleus | {"time": made.time[3]}] = 0.8
    row = muscle_table(made).loc["soleus_l"]
    found = row.force_peak_n, row.force_peak_f0, row.activation_peak, row.activation_mean
    assert found == pytest.approx((0.3 * strongest, 0.3, 0.8, 0.8 / 20))


def test_muscles_that_are_fully_active_are_named_the_longest_first():
    made = muscled.stride(knots=20)
    made["activation"] = 0 * made.activation
    for muscle, times in (("soleus_l", 2), ("tibant_l", 4)):
        made.activation.loc[{"muscle": muscle, "time": made.time[:times]}] = ACCEPTED.saturated + 0.01
    made.activation.loc[{"muscle": "gastroc_l"}] = ACCEPTED.saturated - 0.01
    table = muscle_table(made)
    assert table.full_percent["soleus_l"] == pytest.approx(10) and table.full_percent["gastroc_l"] == 0
    data = {"muscles": table.to_dict("index"), "reserves": reserve_table(made).to_dict("index")}
    assert (
        muscle_text(data)[1]
        == "fully active: tibant_l for 20 % of the stride, soleus_l for 10 % of the stride"
    )
    made["activation"] = 0 * made.activation
    data["muscles"] = muscle_table(made).to_dict("index")
    assert muscle_text(data)[1] == "fully active: no muscle"


def test_the_worst_reserve_is_found():
    made = muscled.stride()
    made.reserve.loc[{"joint": "hip_rotation_l"}] *= 10
    table = reserve_table(made)
    worst = table.peak_fraction.idxmax()
    assert worst == "hip_rotation_l"
    assert table.peak_nm[worst] == pytest.approx(20, rel=1e-3)
    assert outcomes(made)["reserve_peak_fraction"]["left"] == pytest.approx(table.peak_fraction[worst])


def test_a_runner_is_too_weak_where_muscles_lack_more_than_a_tenth():
    made, joint = muscled.stride(reserve_nm=0.1, activation=1.0), "hip_adduction_r"
    assert too_weak(made, ACCEPTED) == "" and too_weak(muscled.torque_driven(made), ACCEPTED) == ""
    made.reserve.loc[{"joint": joint}] = -0.11 * abs(made.tau.sel(joint=joint)).max()
    text = too_weak(made, ACCEPTED)
    assert "lack 11 % of the moment in hip_adduction_r" in text
    assert "glmed2_r for 13 % of the stride" in text and "addmag_r" not in text and "_l " not in text
    made["activation"] *= 0.9
    assert "fully active: no muscle" in too_weak(made, ACCEPTED)


def test_muscles_at_their_limit_are_named_the_longest_first():
    made = muscled.stride()
    made["activation"] = 0.5 * made.activation / made.activation.max()
    assert fully_active(made, ACCEPTED.saturated) == ""
    made.activation[:, 3], made.activation[: made.sizes["time"] // 2, 5] = 1.0, 1.0
    first, second = made.muscle.values[[3, 5]]
    assert (
        fully_active(made, ACCEPTED.saturated)
        == f"{first} for 100 % of the stride, {second} for 50 % of the stride"
    )


def test_activation_beyond_one_is_what_muscles_lack():
    made = muscled.stride(reserve_nm=0.0, activation=1.0)
    at = {"joint": "knee_flexion_r", "muscle": "vasti_r"}
    force = made.fibre_force_active.sel(muscle="vasti_r")
    made["tau"].loc[{"joint": "knee_flexion_r"}] = made.moment_arm.sel(at) * force
    made.activation.loc[{"muscle": "vasti_r"}] = 1 / 0.88
    assert "lack 12 % of the moment in knee_flexion_r" in too_weak(made, ACCEPTED)
    made.activation.loc[{"muscle": "vasti_r"}] = 1 / 0.92
    assert too_weak(made, ACCEPTED) == ""


# --- Joint contact ----------------------------------------------------------------------------------------


def test_a_hanging_leg_pulls_with_its_weight():
    made = muscled.stride(swing=0.0)
    made["muscle_force"], made["contact_force"] = 0 * made.muscle_force, 0 * made.contact_force
    made["v"], made["a"] = 0 * made.v, 0 * made.a
    force = joint_contact(made)
    for joint, name in (("hip", "thigh_r"), ("knee", "shank_r")):
        model, inside = segment(made, name)
        weight = model.body_mass[inside].sum() * GRAVITY
        expected = np.broadcast_to([0, 0, weight], (made.sizes["time"], 3))
        np.testing.assert_allclose(force.sel(side="right", joint=joint), expected, atol=1e-6)


def test_the_push_of_the_ground_goes_up_the_leg():
    made = muscled.stride()
    less = made.copy(deep=True)
    less["contact_force"] = 0 * made.contact_force
    change = joint_contact(made) - joint_contact(less)
    for joint in ("hip", "knee"):
        np.testing.assert_allclose(change.sel(joint=joint), -made.grf.values, atol=1e-6)


@pytest.mark.parametrize(
    ("muscle", "crossed"),
    [("vasti_r", {"knee"}), ("soleus_r", set()), ("glmed1_r", {"hip"}), ("semimem_r", {"hip", "knee"}),
     ("gastroc_r", {"knee"}), ("recfem_r", {"hip", "knee"}), ("iliopsoas_r", {"hip"})],
)  # fmt: skip
def test_a_muscle_presses_with_its_tension_on_the_joints_it_crosses(muscle, crossed):
    made = muscled.stride(knots=6)
    more = made.copy(deep=True)
    more.muscle_force.loc[{"muscle": muscle}] += 100.0
    change = joint_contact(more) - joint_contact(made)
    for joint in ("hip", "knee"):
        added = np.linalg.norm(change.sel(side="right", joint=joint), axis=-1)
        np.testing.assert_allclose(added, 100.0 if joint in crossed else 0.0, atol=1e-6)
    np.testing.assert_allclose(change.sel(side="left"), 0.0, atol=1e-9)
    upward = (made.site_position.sel(site="hip_r") - made.site_position.sel(site="knee_r")).values
    if muscle == "vasti_r":
        assert ((change.sel(side="right", joint="knee") * upward).sum("xyz") < 0).all()  # pressed down


def test_lines_of_action_have_the_moment_arms_of_the_model():
    made = muscled.stride(knots=5)
    model, inside = segment(made, "shank_r")
    data = mujoco.MjData(model)
    for k in range(5):
        data.qpos[:] = made.q.values[k]
        mujoco.mj_fwdPosition(model, data)
        joint = model.joint("knee_flexion_r").id
        tendon, bodies, points = _joint_contact._pieces(model, data)
        for name in made.muscle.values[:20]:
            of_muscle = tendon == int(model.actuator(name).trnid[0])
            across = np.diff(inside[bodies[of_muscle]].astype(float))
            along = np.diff(points[of_muscle], axis=1)[:, 0]
            pulls = -across * along / np.linalg.norm(along, axis=1, keepdims=True)
            arms = points[of_muscle, 0] - data.xanchor[joint]
            moment = np.cross(arms, pulls).sum(axis=0) @ data.xaxis[joint]
            arm = made.moment_arm.sel(muscle=name, joint="knee_flexion_r").values[k]
            assert moment == pytest.approx(arm, abs=1e-9)
