"""Every outcome of a stride without symmetry, against its definition worked out on the functions behind it.

Of strides with muscles the few rows that those functions do not know, and the other side of all of them.
"""

import json
import tomllib
from pathlib import Path

import mujoco
import numpy as np
import pytest
import xarray as xr

from bladerun._lib.table import plain
from bladerun.body.knee_unit import KneeUnit
from bladerun.environment import Environment
from bladerun.gait.events import Leg, shares
from bladerun.gait.outcomes import OUTCOMES, outcomes
from bladerun.task import Task
from models import muscled
from strides import uneven
from strides.expected import FEET, expected
from strides.synthetic import MASS, PERIOD, WEIGHT

MODELS = Path(__file__).parents[1] / "models"
ELSEWHERE = {  # rows of strides with muscles, or without a blade: the test here that gives their number
    "trunk_lean_touchdown_deg": "test_the_trunk_leans_by_the_line_from_hip_to_shoulder",
    "heel_step_width_m": "test_heels_are_compared_each_at_the_middle_of_its_contact",
    "metabolic_power_w_kg": "test_metabolic_power_adds_up_from_known_watts",
    "cost_of_transport_j_kg_m": "test_metabolic_power_adds_up_from_known_watts",
    "gross_cost_of_transport_j_kg_m": "test_metabolic_power_adds_up_from_known_watts",
    "upper_body_cost_of_transport_j_kg_m": "test_metabolic_power_adds_up_from_known_watts",
    "leg_metabolic_power_w_kg": "test_metabolic_power_adds_up_from_known_watts",
    "leg_cost_of_transport_j_kg_m": "test_metabolic_power_adds_up_from_known_watts",
    "activation_peak": "test_peaks_of_muscles_tendons_and_reserves",
    "reserve_peak_fraction": "test_peaks_of_muscles_tendons_and_reserves",
    "achilles_energy_peak_j": "test_peaks_of_muscles_tendons_and_reserves",
    "achilles_energy_returned_j": "test_peaks_of_muscles_tendons_and_reserves",
    "hip_abductor_force_peak_bw": "test_peaks_of_muscles_tendons_and_reserves",
    "hip_contact_force_bw": "test_an_unloaded_leg_that_swings_is_held_by_its_joints",
    "knee_contact_force_bw": "test_an_unloaded_leg_that_swings_is_held_by_its_joints",
    "suspension_pull_n": "test_the_suspension_is_pulled_by_the_spring_that_holds_the_limb",
    "suspension_share_percent": "test_the_suspension_is_pulled_by_the_spring_that_holds_the_limb",
    "knee_flexion_contact_peak_deg": "test_a_prosthetic_knee_and_how_its_leg_gets_through",
    "knee_stop_moment_least_nm_kg": "test_a_prosthetic_knee_and_how_its_leg_gets_through",
    "knee_flexion_swing_peak_deg": "test_a_prosthetic_knee_and_how_its_leg_gets_through",
    "knee_straight_before_touchdown_s": "test_when_and_how_fast_a_prosthetic_knee_comes_to_its_stop",
    "knee_impact_deg_s": "test_when_and_how_fast_a_prosthetic_knee_comes_to_its_stop",
    "circumduction_mm": "test_a_prosthetic_knee_and_how_its_leg_gets_through",
    "hip_abduction_swing_peak_deg": "test_a_prosthetic_knee_and_how_its_leg_gets_through",
    "hip_hike_swing_deg": "test_a_prosthetic_knee_and_how_its_leg_gets_through",
    "vaulting_mm": "test_a_prosthetic_knee_and_how_its_leg_gets_through",
    "socket_adduction_deg": "test_a_thighs_socket_tilts_sideways_too",
    "socket_adduction_torque_peak_nm_kg": "test_a_thighs_socket_tilts_sideways_too",
    "hip_flexion_strength_used_percent": "test_hip_strength_is_what_mujocos_muscles_give_fully_active",
    "hip_extension_strength_used_percent": "test_hip_strength_is_what_mujocos_muscles_give_fully_active",
    "hip_abduction_strength_used_percent": "test_hip_strength_is_what_mujocos_muscles_give_fully_active",
}  # fmt: skip


@pytest.fixture(scope="module", name="expected")
def rows():
    return expected()


@pytest.fixture(scope="module")
def found():
    return outcomes(uneven.stride(knots=500))


# --- Tests ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [row.key for row in OUTCOMES if row.key not in ELSEWHERE])
def test_the_row_is_its_definition(key, found, expected):
    assert found[key] == approx(expected[key]), key


def approx(value):
    if isinstance(value, dict):
        return {side: approx(number) for side, number in value.items()}
    return value if value is None else pytest.approx(value, rel=2e-3, abs=2e-4)


@pytest.mark.parametrize("side", ["right", "left"])
def test_a_legs_moments_are_those_of_its_load(side):
    leg, foot = Leg(uneven.stride(knots=500), side), FEET[side]
    found = leg.down, leg.deepest, leg.up, leg.load_time
    assert found == pytest.approx((foot.down, foot.deepest, foot.up, foot.load_time), abs=2e-4)
    assert leg.mean_pressure_centre == pytest.approx(foot.mean_place, abs=2e-4)


def test_a_knot_counts_half_the_way_to_either_neighbour():
    made = xr.Dataset(coords={"time": [0.0, 0.1, 0.3, 0.6]}, attrs={"stride_time_s": 1.0})
    assert shares(made) == pytest.approx([0.25, 0.15, 0.25, 0.35])


def test_the_suspension_is_pulled_by_the_spring_that_holds_the_limb():
    """20 kN/m and 300 Ns/m of a prosthesis that hangs lower than it was put on."""
    made = uneven.stride(knots=500)
    bare = 'name="socket_pistoning_r" type="slide"'
    assert bare in made.attrs["model_xml"]
    xml = made.attrs["model_xml"].replace(bare, f'{bare} stiffness="20000" damping="300"')
    made.attrs["model_xml"] = xml
    t = np.linspace(0, 0.7, 35_001)
    q, v = uneven.angle("socket_pistoning_r")(t), uneven._rate(*uneven.ANGLES["socket_pistoning_r"])(t)
    pull = -(20e3 * q + 300 * v).min()
    found = outcomes(made)
    assert found["suspension_pull_n"] == {"left": None, "right": approx(pull)}
    assert found["suspension_share_percent"]["right"] == approx(pull / 4.01)


def test_a_thighs_socket_tilts_sideways_too():
    made = uneven.stride(knots=500)
    below, above = outcomes(made), outcomes(uneven.tilting_sideways(made))
    for key in ("socket_{}_deg", "socket_{}_torque_peak_nm_kg"):
        assert above[key.format("adduction")] == below[key.format("flexion")]
        assert above[key.format("flexion")] == below[key.format("adduction")] == {"left": None, "right": None}


def test_every_row_has_its_value_here():
    assert set(ELSEWHERE) <= {row.key for row in OUTCOMES}
    for name in ELSEWHERE.values():
        assert callable(globals()[name])
    missing = [key for key, value in outcomes(uneven.stride()).items() if value is None]
    assert set(missing) <= set(ELSEWHERE)


# --- With muscles -----------------------------------------------------------------------------------------


def facts(name):
    return tomllib.loads((MODELS / name).read_text(encoding="utf-8"))


def still(**settings):
    """A stride whose muscles do nothing and whose reserves and joints give no power."""
    made = muscled.stride(**settings)
    for name in (
        "v", "reserve", "activation", "excitation", "muscle_force", "fibre_force_active", "fibre_velocity",
        "muscle_velocity",
    ):  # fmt: skip
        made[name] = 0 * made[name]
    return made


def test_the_trunk_leans_by_the_line_from_hip_to_shoulder():
    made, mj = muscled.stride(), muscled.model("none").mj
    made.q.values[:] = 0.0
    made.q.values[:, list(made.joint.values).index("pelvis_tilt")] = np.radians(12.0)
    data = mujoco.MjData(mj)
    mujoco.mj_kinematics(mj, data)
    ahead, _, up = data.joint("shoulder_flexion_l").xanchor - data.site("hip_l").xpos
    standing = np.degrees(np.arctan(ahead / up))
    found = outcomes(made)["trunk_lean_touchdown_deg"]
    assert found == approx({"left": 12.0 + standing, "right": 12.0 + standing})
    assert outcomes(uneven.stride())["trunk_lean_touchdown_deg"] == {"left": None, "right": None}


def test_heels_are_compared_each_at_the_middle_of_its_contact():
    body = muscled.model("none")
    data, y = mujoco.MjData(body.mj), {}
    for side, middle in (("r", 0.25), ("l", 0.75)):  # of the stride: where `muscled` loads them most
        (data.qpos[:],), *_ = muscled._motion(body.joints, np.array([middle * muscled.PERIOD]), 1.0)
        mujoco.mj_kinematics(body.mj, data)
        y[side] = data.site(f"heel_{side}").xpos[1]
    found = outcomes(muscled.stride())["heel_step_width_m"]
    assert y["l"] - y["r"] == pytest.approx(found, abs=1e-5) and found > 0.1
    assert outcomes(muscled.stride(side="left"))["heel_step_width_m"] is None


def test_metabolic_power_adds_up_from_known_watts():
    made, law = still(), facts("metabolic.toml")["muscle"]
    trunk, knee = {"joint": "lumbar_rotation"}, {"joint": "knee_flexion_r"}
    made.v.loc[trunk], made.tau.loc[trunk] = 1.0, 50.0
    made.v.loc[knee], made.reserve.loc[knee] = -2.0, 10.0
    soleus = {"muscle": "soleus_l"}
    made.activation.loc[soleus] = made.excitation.loc[soleus] = made.fibre_length.loc[soleus] = 1.0
    tissue, own = facts("muscles.toml")["tissue"], facts("muscles.toml")["muscle"]["soleus"]
    fast = own["fast_twitch"]["fraction"]
    kg = float(made.muscle_f0.sel(soleus) * made.muscle_l0.sel(soleus))
    kg *= tissue["density_kg_m3"] / tissue["specific_tension_n_m2"]
    heat = (1 - fast) * law["activation_slow_w_kg"] + fast * law["activation_fast_w_kg"]
    heat += (1 - fast) * law["maintenance_slow_w_kg"] + fast * law["maintenance_fast_w_kg"]
    each = {"trunk": 50.0 / 0.25, "right": -20.0 / -1.2, "left": kg * heat}
    mass, speed = made.mass_kg, muscled.SPEED
    result = outcomes(made)
    above = sum(each.values()) / mass
    assert result["metabolic_power_w_kg"] == pytest.approx(1.2 + above)
    assert result["cost_of_transport_j_kg_m"] == pytest.approx(above / speed)
    assert result["gross_cost_of_transport_j_kg_m"] == pytest.approx((1.2 + above) / speed)
    assert result["upper_body_cost_of_transport_j_kg_m"] == pytest.approx(each["trunk"] / mass / speed)
    for side in ("left", "right"):
        assert result["leg_metabolic_power_w_kg"][side] == pytest.approx(each[side] / mass)
        assert result["leg_cost_of_transport_j_kg_m"][side] == pytest.approx(each[side] / mass / speed)


def test_peaks_of_muscles_tendons_and_reserves():
    made = still(side="left")
    turn = np.sin(2 * np.pi * made.time.values / muscled.PERIOD)
    for muscle, most in (("soleus_r", 0.93), ("glmax1_l", 0.71), ("glmax1_r", 0.2)):
        made.activation.loc[{"muscle": muscle, "time": made.time[7]}] = most
    made.achilles_energy.loc[{"side": "right"}] = 20.0 + 8.0 * turn
    for muscle, mean in (("glmed1_r", 300.0), ("glmed2_r", 100.0), ("glmin_r", 50.0), ("tfl_r", 900.0)):
        made.muscle_force.loc[{"muscle": muscle}] = mean * (1 + 0.5 * turn)
    for joint, reserve, moment in (("hip_rotation_l", 10.0, -40.0), ("knee_flexion_r", -12.0, 100.0)):
        made.reserve.loc[{"joint": joint}], made.tau.loc[{"joint": joint}] = reserve * turn, moment * turn
    result = outcomes(made)
    assert result["activation_peak"] == {"left": 0.71, "right": 0.93}
    weight = made.attrs["mass_kg"] * made.attrs["gravity"]
    assert result["hip_abductor_force_peak_bw"] == pytest.approx({"left": 0.0, "right": 450 * 1.5 / weight})
    assert result["achilles_energy_peak_j"] == {"left": None, "right": pytest.approx(28.0)}
    assert result["achilles_energy_returned_j"] == {"left": None, "right": pytest.approx(16.0)}
    assert result["reserve_peak_fraction"] == pytest.approx({"left": 0.25, "right": 0.12})


def test_hip_strength_is_what_mujocos_muscles_give_fully_active():
    made, mj = muscled.stride(side="left"), muscled.model("left").mj
    made["tau"] = 90 * np.sin(2 * np.pi * made.time / muscled.PERIOD + 0.3) + 0 * made.tau
    data, found = mujoco.MjData(mj), outcomes(made)
    muscles = [mj.actuator(name).id for name in made.muscle.values]
    could = np.zeros((3, 2, made.sizes["time"]))
    for k, (data.qpos[:], data.qvel[:]) in enumerate(zip(made.q.values, made.v.values, strict=True)):
        data.ctrl[muscles], data.act[:] = 1.0, 1.0
        mujoco.mj_forward(mj, data)
        for i, (axis, sign) in enumerate((("flexion", 1), ("flexion", -1), ("adduction", -1))):
            for s, leg in enumerate(("left", "right")):
                arm = made.moment_arm.sel(joint=f"hip_{axis}_{leg[0]}").values[k]
                could[i, s, k] = np.maximum(sign * arm, 0) @ -data.actuator_force[muscles]
    for i, (way, axis, sign) in enumerate(
        (("flexion", "flexion", 1), ("extension", "flexion", -1), ("abduction", "adduction", -1))
    ):
        for s, leg in enumerate(("left", "right")):
            share = (sign * made.tau.sel(joint=f"hip_{axis}_{leg[0]}").values / could[i, s]).max()
            assert share > 0.05
            assert found[f"hip_{way}_strength_used_percent"][leg] == pytest.approx(100 * share, rel=1e-3)


@pytest.mark.parametrize("side", ["none", "left"])
def test_an_unloaded_leg_that_swings_is_held_by_its_joints(side):
    """Force on what hangs below a joint = its mass x (acceleration of its centre - gravity)."""
    made = still(side=side)
    made["v"] = muscled.stride(side=side).v
    for name in ("contact_force", "grf"):
        made[name] = 0 * made[name]
    found, mj = outcomes(made), muscled.model(side).mj
    data, step, times = mujoco.MjData(mj), 1e-4, np.arange(0, muscled.PERIOD, muscled.PERIOD / 240)

    def centres(t):
        q, *_ = muscled._motion(muscled.model(side).joints, t, 1.0)
        places = []
        for data.qpos[:] in q:
            mujoco.mj_kinematics(mj, data)
            mujoco.mj_comPos(mj, data)
            places.append(data.subtree_com.copy())
        return np.array(places)

    before, now, after = (centres(times + shift) for shift in (-step, 0.0, step))
    held = (after - 2 * now + before) / step**2 + [0, 0, 9.81]
    for joint, segment in (("hip", "thigh"), ("knee", "shank")):
        for leg in ("left", "right"):
            body = mj.body(f"{segment}_{leg[0]}").id
            force = mj.body_subtreemass[body] * np.linalg.norm(held[:, body], axis=1)
            expected = force.max() / (made.mass_kg * 9.81)
            assert found[f"{joint}_contact_force_bw"][leg] == pytest.approx(expected, rel=2e-3)


# --- The other side, and both ------------------------------------------------------------------------------


def other_side(result):
    swap = {"left": "right", "right": "left"}
    return {
        key: {side: value[swap[side]] for side in swap} if isinstance(value, dict) else value
        for key, value in result.items()
    }


def same(value):
    if isinstance(value, dict):
        return {side: same(number) for side, number in value.items()}
    return value if value is None else pytest.approx(value, rel=1e-6, abs=1e-8)


def test_a_left_blade_has_the_rows_of_the_right_one_in_a_mirror():
    made = uneven.stride(knots=80)
    right, left = outcomes(made), outcomes(uneven.mirrored(made))
    assert left["blade_energy_peak_j"]["left"] > 0 and left["blade_energy_peak_j"]["right"] is None
    for key, value in other_side(right).items():
        assert left[key] == same(value), key


def test_a_left_leg_has_the_muscle_rows_of_the_right_one_half_a_stride_later():
    right, left = (outcomes(muscled.stride(side=side, alike=True)) for side in ("right", "left"))
    assert right["hip_contact_force_bw"]["left"] != pytest.approx(
        right["hip_contact_force_bw"]["right"], rel=1e-3
    )
    for key, value in other_side(right).items():
        near = {"rel": 1e-4, "abs": 1e-4}  # MuJoCo's XML rounds masses
        wanted = value if value is None else pytest.approx(value, **near)
        if isinstance(value, dict):
            wanted = {side: n if n is None else pytest.approx(n, **near) for side, n in value.items()}
        assert left[key] == wanted, key


def test_of_two_blades_each_is_as_of_one():
    both = muscled.stride(side="both", alike=True)
    found = outcomes(both)
    for side in ("left", "right"):
        alone = muscled.stride(side=side, alike=True).assign(
            {name: both[name] for name in ("com", "com_velocity")}
        )
        for key, value in outcomes(alone).items():
            if isinstance(value, dict) and key != "step_length_m":  # which is where the other foot was, too
                wanted = (
                    value[side] if value[side] is None else pytest.approx(value[side], rel=1e-3, abs=1e-4)
                )  # the rest of the body weighs less
                assert found[key][side] == wanted, key
    for key in ("blade_energy_peak_j", "blade_strain_margin", "alignment_alpha_deg"):
        assert found[key]["left"] > 0 and found[key]["right"] > 0


def test_soft_ground_gives_and_the_leg_does_not():
    """A leg as stiff as before, on ground that gives way: its own shortening is what the ground leaves."""
    firm = uneven.stride(knots=500)
    soft = firm.assign_attrs(task=json.dumps(plain(Task(3.0, ground_kn_m=75.0, ground_loss=0.0))))
    layer = Environment.default().of(Task(3.0, ground_kn_m=75.0), 70.0).ground.layer_stiffness
    for side, number in outcomes(soft)["leg_stiffness_kn_m"].items():
        leg, before = Leg(soft, side), outcomes(firm)["leg_stiffness_kn_m"][side]
        load = soft.contact_force.sel(xyz="z").values[:, soft.contact_side.values == side]
        travel = (load * (load / layer) ** (2 / 3)).sum(1) / np.maximum(load.sum(1), 1e-9)
        given = float(leg.curve(travel)(leg.com[2].trough(leg.down, leg.up)[0]))
        peak_kn = leg.force[2].peak(leg.down, leg.up)[1] / 1e3
        assert given > 0.005
        assert peak_kn / number == pytest.approx(peak_kn / before - given)


@pytest.mark.parametrize(("knee", "bends"), [("hydraulic-running", True), ("pylon", False)])
def test_when_and_how_fast_a_prosthetic_knee_comes_to_its_stop(knee, bends):
    made = uneven.above_the_knee(knee)
    found = outcomes(uneven.coming_to_its_stop(made, FEET["right"].down, before_s=0.06, speed_deg_s=300))
    close = {"knee_straight_before_touchdown_s": 0.06, "knee_impact_deg_s": 300}
    for key, value in close.items():
        expected = pytest.approx(value, rel=0.02) if bends else None
        assert found[key] == {"left": None, "right": expected}, key


def test_a_prosthetic_knee_and_how_its_leg_gets_through():
    made, foot, sound = uneven.above_the_knee(), FEET["right"], FEET["left"]
    found = outcomes(made)

    swing = np.linspace(foot.up, foot.down + PERIOD, 20_001)
    knee, list_deg = (lambda t, name=name: np.degrees(uneven.angle(name)(t)) for name in
                      ("knee_flexion_r", "pelvis_list"))  # fmt: skip
    right = [name for name in uneven.SPHERES if name[8] == "r"]
    aside = -np.mean([uneven.sphere(swing, name)[0][:, 1] for name in right], axis=0)
    firm = foot.t[foot.load > 0.5 * WEIGHT]
    moment = KneeUnit("hydraulic-running").stop_moment_nm(np.radians(knee(firm)))
    middle = (swing[0] + swing[-1]) / 2
    expected = {
        "knee_flexion_contact_peak_deg": knee(foot.t).max(),
        "knee_flexion_swing_peak_deg": knee(swing).max(),
        "knee_stop_moment_least_nm_kg": moment.min() / MASS,
        "circumduction_mm": 1e3 * (aside - np.linspace(aside[0], aside[-1], len(swing))).max(),
        "hip_abduction_swing_peak_deg": -np.degrees(uneven.angle("hip_adduction_r")(swing)).min(),
        "hip_hike_swing_deg": list_deg(swing).max(),
        "vaulting_mm": 1e3 * sound.at("heel", middle)[2],  # it stands on the ground
    }
    for key, value in expected.items():
        assert found[key] == {"left": None, "right": pytest.approx(value, rel=5e-3, abs=2e-3)}, key
    gone = ("knee_extension_torque_peak_nm_kg", "knee_work_positive_j_kg", "knee_flexion_torque_excess_nm_kg")
    assert all(found[key]["right"] is None and found[key]["left"] is not None for key in gone)
