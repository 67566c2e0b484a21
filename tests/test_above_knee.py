"""A leg that ends above the knee: what is cut, what carries it, how the knee gives way, what is refused.

On built models, without a solved stride but in the slow ones.
"""

import math
import tomllib
from functools import cache
from pathlib import Path

import mujoco
import numpy as np
import pytest
from scipy.special import ellipk

from bladerun import cli
from bladerun.body.knee_unit import KneeUnit, knee_units
from bladerun.body.runner import Amputation, Runner
from bladerun.body.variation import Variation
from bladerun.case import check_case, load_case
from bladerun.cost import Cost
from bladerun.environment import Environment
from bladerun.errors import InputError
from bladerun.fitting import Fitting
from bladerun.forward import knee_swing
from bladerun.forward.knee_swing import RELEASE_DEG, swing_test
from bladerun.forward.verification import verify
from bladerun.gait.alignment import alignment, bench_posture
from bladerun.gait.outcomes import flat, outcomes
from bladerun.model import build_model
from bladerun.options import SolverOptions
from bladerun.stride import _atlas as atlas
from bladerun.stride import _continuation, solve
from bladerun.stride._first_guess import reference_at_knots
from bladerun.stride.cost import knee_stop
from bladerun.stride.dynamics.passive import law_force, laws_of
from bladerun.stride.problem import problem
from bladerun.task import Task

EXAMPLE = Path(__file__).parents[1] / "experiments" / "above-the-knee.toml"
BODY = tomllib.loads((EXAMPLE.parents[1] / "models" / "body.toml").read_text(encoding="utf-8"))
RUNNER = Runner(72.0, 1.78)
WORN = Amputation("right", "transfemoral", 0.27), Fitting("j-sprint", knee="hydraulic-running")
MIXED = Amputation("both", left={"level": "transfemoral"}, right={"residual_limb_m": 0.16})
each_side = pytest.mark.parametrize("side", ["right", "left"])
each_knee = pytest.mark.parametrize("knee", knee_units())


@cache
def built(side="right", knee="hydraulic-running", limb_m=0.27, blade="j-sprint", **settings):
    limb = {key: settings.pop(key) for key in ("myoplasty", "residual_strength") if key in settings}
    amputation = Amputation(side, "transfemoral", limb_m, **limb)
    return build_model(RUNNER, amputation, Fitting(blade, knee=knee, **settings))


def posed(model, side, sagittal_deg=5.0):
    data = mujoco.MjData(model.mj)
    data.qpos[:] = bench_posture(model.mj, side, sagittal_deg)
    mujoco.mj_forward(model.mj, data)
    return data


def knee_moment(model, side, q, v):
    """What the knee's laws take at this angle and speed, Nm."""
    laws, joint, by, total = laws_of(model.mj), model.mj.joint(f"knee_flexion_{side[0]}").id, np.zeros(6), 0.0
    for row in np.flatnonzero(laws.joint == joint):
        law_force(laws.kind[row], laws.parameter[row], q, v, by)
        total += by[0]
    return total


@each_side
@each_knee
@pytest.mark.parametrize("blade", ["j-sprint", "c-distance"])
def test_the_scales_show_the_runners_mass_and_the_leg_is_as_tall_as_asked(side, knee, blade):
    model = built(side, knee, blade=blade, height_mm=25)
    assert model.mass_kg == pytest.approx(RUNNER.mass_kg, abs=1e-3)
    assert alignment(model.mj, side, 5.0).height_difference_mm == pytest.approx(25, abs=0.01)


@each_side
@pytest.mark.parametrize("axis_mm", [0.0, 10.0])
@pytest.mark.parametrize("sagittal_deg", [0.0, 8.0])
def test_in_bench_alignment_the_knee_is_level_with_the_sound_one_behind_the_load_line(
    side, axis_mm, sagittal_deg
):
    model = built(side, knee_axis_mm=axis_mm, sagittal_deg=sagittal_deg)
    data, sound = posed(model, side, sagittal_deg), "l" if side == "right" else "r"
    knee, hip = (data.site(f"{name}_{side[0]}").xpos for name in ("knee", "hip"))
    assert hip[0] - knee[0] == pytest.approx(axis_mm / 1e3, abs=1e-6)
    assert knee[2] == pytest.approx(data.site(f"knee_{sound}").xpos[2], abs=1e-6)
    up = data.site(f"blade_clamp_{side[0]}").xmat.reshape(3, 3)[:, 2]
    np.testing.assert_allclose(up, [0, 0, 1], atol=1e-6)


def test_a_left_leg_mirrors_a_right_one():
    right, left = built("right"), built("left")
    one, other = posed(right, "right"), posed(left, "left")
    for name in ("knee", "blade_clamp", "blade_tip", "hip"):
        flipped = other.site(f"{name}_l").xpos * [1, -1, 1]
        np.testing.assert_allclose(one.site(f"{name}_r").xpos, flipped, atol=1e-9)


@pytest.mark.parametrize("knee", ["hydraulic-running", "hybrid"])
def test_a_running_knee_rests_on_its_stop_and_is_damped_by_direction_and_angle(knee):
    model, law = built(knee=knee), KneeUnit(knee)
    straight = math.radians(-3)
    assert knee_moment(model, "right", straight, 0.0) < -100  # must be pushed into extension
    assert law.stop_moment_nm(np.array([straight]))[0] == pytest.approx(
        -knee_moment(model, "right", straight, 0.0)
    )
    assert knee_moment(model, "right", math.radians(40), 0.0) == 0  # no spring
    bent, early = math.radians(95), math.radians(40)
    assert knee_moment(model, "right", bent, 8.0) > 3 * knee_moment(model, "right", early, 8.0) > 0
    nearly, middle = math.radians(5), math.radians(60)
    assert knee_moment(model, "right", nearly, -8.0) < 3 * knee_moment(model, "right", middle, -8.0) < 0


@pytest.mark.parametrize(("setting", "speed"), [("flexion", 8.0), ("extension", -8.0)])
def test_each_damping_of_a_fitting_is_that_direction_alone(setting, speed):
    usual, more = built(), built(**{f"knee_damping_{setting}": 2.0})
    angle = math.radians(45)
    ratio = [
        knee_moment(more, "right", angle, v) / knee_moment(usual, "right", angle, v) for v in (speed, -speed)
    ]
    assert ratio == pytest.approx([2.0, 1.0], rel=0.02)


@pytest.mark.parametrize("speed", [8.0, -8.0])
def test_a_knee_whose_damping_is_not_as_assumed_still_rests_on_its_stop(speed):
    usual, loose = built(), build_model(RUNNER, *WORN, Variation(knee_damping=0.5))
    angle, straight = math.radians(45), math.radians(-3)
    share = knee_moment(loose, "right", angle, speed) / knee_moment(usual, "right", angle, speed)
    assert share == pytest.approx(0.5, rel=1e-3)
    assert knee_moment(loose, "right", straight, 0.0) == knee_moment(usual, "right", straight, 0.0)


def test_a_thighs_socket_alone_is_as_uncertain_as_a_prior():
    softer = build_model(RUNNER, *WORN, Variation(thigh_socket_stiffness=0.5))
    below = Amputation("right", residual_limb_m=0.15), Fitting("j-sprint")
    same = build_model(RUNNER, *below, Variation(thigh_socket_stiffness=0.5, knee_damping=0.5))
    assert same.mj.jnt_stiffness == pytest.approx(build_model(RUNNER, *below).mj.jnt_stiffness)
    ratio = {
        name: softer.mj.joint(name).stiffness[0] / built().mj.joint(name).stiffness[0]
        for name in softer.joints
        if built().mj.joint(name).stiffness[0]
    }
    changed = {name for name, share in ratio.items() if share == pytest.approx(0.5, rel=1e-3)}
    assert changed == {f"socket_{way}_r" for way in ("pistoning", "flexion", "adduction", "rotation")}
    assert all(ratio[name] == pytest.approx(1.0) for name in ratio.keys() - changed)


@pytest.mark.parametrize("knee", ["pylon", "hybrid-locked"])
@pytest.mark.parametrize("bent_deg", [-2, 2])
def test_a_pylon_and_a_locked_knee_hardly_bend_either_way(knee, bent_deg):
    model = built(knee=knee)
    assert bent_deg / abs(bent_deg) * knee_moment(model, "right", math.radians(bent_deg), 0.0) > 100
    assert KneeUnit(knee).stop_moment_nm(np.array([-0.1])) == 0


def test_a_knee_weighs_the_same_free_and_locked_and_more_than_either_of_what_it_replaces():
    mass = {name: KneeUnit(name).mass_kg for name in knee_units()}
    assert mass["hybrid"] == mass["hybrid-locked"] > mass["hydraulic-running"] > mass["pylon"]
    assert KneeUnit("hybrid").bends and not KneeUnit("hybrid-locked").bends


@each_side
@each_knee
def test_the_atlas_whose_legs_have_knees_of_their_own_gives_no_start(side, knee):
    posed = problem(
        built(side, knee), Task(3.0), Cost.default(), Environment.default(), SolverOptions.default()
    )
    assert atlas.start(posed) is None


@each_side
def test_muscles_are_cut_as_surgery_leaves_them(side):
    s = side[0]
    sewn, lost = built(side), built(side, myoplasty="lost")
    kept = {name[:-2] for name in sewn.muscles if name.endswith(f"_{s}")}
    gone = {"vasti", "bfsh", "gastroc", "soleus", "tibant", "tibpost", "peroneus"}
    assert not kept & gone and {"glmax1", "iliopsoas", "addmag", "recfem", "semimem", "bflh", "tfl"} <= kept
    left = {name[:-2] for name in lost.muscles if name.endswith(f"_{s}")}
    assert kept - left == {"recfem", "semimem", "bflh", "tfl"}
    for name in kept:
        spanned = np.flatnonzero(np.abs(arms(sewn.mj, f"{name}_{s}")) > 1e-9)
        assert all(sewn.joint_data.part[j] == "hip" and sewn.joint_data.side[j] == side for j in spanned)


def arms(mj, tendon):
    data = mujoco.MjData(mj)
    mujoco.mj_forward(mj, data)
    t, row = mj.tendon(tendon).id, np.zeros(mj.nv)
    at = slice(mj.ten_J_rowadr[t], mj.ten_J_rowadr[t] + mj.ten_J_rownnz[t])
    row[mj.ten_J_colind[at]] = data.ten_J[at]
    return row


@each_side
@pytest.mark.parametrize("limb_m", [0.20, 0.30])
def test_what_is_sewn_keeps_its_fibres_and_its_pull_at_the_hip_in_standing(side, limb_m):
    """Fibre length is path less tendon; arms are those of the same line, up to where a path was bent."""
    cut, whole, s = built(side, limb_m=limb_m).mj, build_model(RUNNER).mj, side[0]
    for name in ("semimem", "bflh", "addmag", "recfem", "tfl"):
        fibre, hip = [], []
        for mj in (cut, whole):
            data, muscle = mujoco.MjData(mj), f"{name}_{s}"
            mujoco.mj_forward(mj, data)
            slack = mj.actuator_lengthrange[mj.actuator(muscle).id, 0]
            fibre.append(data.ten_length[mj.tendon(muscle).id] - slack)
            hip.append(
                arms(mj, muscle)[[mj.joint(f"hip_{axis}_{s}").id for axis in ("flexion", "adduction")]]
            )
        if cut.actuator_lengthrange[cut.actuator(f"{name}_{s}").id, 0] > 0:
            assert fibre[0] == pytest.approx(fibre[1], abs=2e-3)
        np.testing.assert_allclose(hip[0], hip[1], atol=5e-3)


def test_hips_are_as_strong_as_the_file_says():
    weak, strong = built(residual_strength=0.6), built(residual_strength=0.9)
    ratios = [one.mj.actuator_gainprm[one.mj.actuator("iliopsoas_r").id, 2] for one in (weak, strong)]
    assert ratios[0] / ratios[1] == pytest.approx(0.6 / 0.9, rel=1e-4)
    sound = [one.mj.actuator_gainprm[one.mj.actuator("iliopsoas_l").id, 2] for one in (weak, strong)]
    assert sound[0] == sound[1] > ratios[1]


@pytest.mark.parametrize(
    ("side", "knee", "speed_m_s", "slower_m_s"),
    [
        ("both", "hydraulic-running", 3.5, 3.0),
        ("both", "hybrid", 2.6, 2.5),
        ("both", "hydraulic-running", 2.5, None),
        ("both", "pylon", 3.5, None),
        ("left", "hydraulic-running", 3.5, None),
        ("right", "hydraulic-running", 3.5, None),
    ],
)
def test_two_knees_that_bend_are_begun_slower(side, knee, speed_m_s, slower_m_s):
    model, own = built(side, knee), (Cost.default(), Environment.default(), SolverOptions.default())
    posed = problem(model, Task(speed_m_s), *own)
    assert _continuation.slower_m_s(posed) == slower_m_s
    assert posed.at_speed(2.2).arrays.speed == posed.at_speed(2.2).task.speed_m_s == 2.2


@each_side
def test_a_prosthetic_knee_is_tracked_by_nothing_and_first_guessed_straight_in_stance(side):
    model = built(side)
    posed = problem(model, Task(3.0), Cost.default(), Environment.default(), SolverOptions.default())
    at = model.joints.index(f"knee_flexion_{side[0]}")
    weight = posed.arrays.terms.tracking.weight
    assert weight[at] == 0 and weight[model.joints.index(f"hip_flexion_{side[0]}")] > 0
    assert at in posed.arrays.terms.residual_forces.joint
    assert at not in posed.arrays.terms.limits.joint
    assert reference_at_knots(posed)[:, at].max() > 1.0  # what swing begins with


@each_side
def test_a_knee_that_bends_is_kept_on_its_stop_in_its_own_stance_alone(side):
    knots, own = 120, Cost.default().knee_stop
    model, pylon = built(side), built(side, "pylon")
    found = knee_stop.prepare(model, model.joint_data, own, knots)
    assert [model.joints[j] for j in found.joint] == [f"knee_flexion_{side[0]}"]
    land = 0 if side == "right" else knots // 2
    from_landing = np.roll(found.weight[:, 0], -land)
    assert (from_landing[: knots // 5] == own.weight_rad).all()  # a blade stands for a third of the knots
    assert (from_landing[knots // 3 : -knots // 10] == 0).all()
    assert not len(knee_stop.prepare(pylon, pylon.joint_data, own, knots).joint)
    sound = build_model(RUNNER)
    assert not len(knee_stop.prepare(sound, sound.joint_data, own, knots).joint)


DOCUMENT = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("section", "changes", "words"),
    [
        ("amputation", {"residual_limb_m": 0.6}, ["[amputation] residual_limb_m", "0.6", "thigh of 0.436 m"]),
        ("amputation", {"residual_limb_m": 0.1}, ["[amputation] residual_limb_m", "0.1 m", "from 0.142 m"]),
        ("amputation", {"residual_limb_m": 0.39}, ["[fitting] knee", "35 mm over its axis", "11 mm"]),
        ("amputation", {"gastrocnemius": "reattached"}, ["[amputation] gastrocnemius", "above the knee"]),
        ("amputation", {"level": "transtibial", "residual_limb_m": 0.15}, ["[fitting] knee", "own knee"]),
        ("fitting", {"knee": "none"}, ["[fitting] knee", "missing", "hydraulic-running or pylon"]),
        ("fitting", {"knee": "hydraulic"}, ["[fitting] knee", "'hydraulic'", "pylon"]),
        ("fitting", {"knee": "pylon", "knee_damping_flexion": 2.0}, ["knee_damping_flexion", "pylon"]),
        ("fitting", {"knee": "hybrid-locked", "knee_damping_flexion": 2.0}, ["damping_flexion", "locked"]),
        ("fitting", {"knee": "pylon-locked"}, ["[fitting] knee", "'pylon-locked'", "hybrid-locked"]),
        ("fitting", {"knee_damping_extension": 50.0}, ["[fitting] knee_damping_extension", "50"]),
        ("fitting", {"knee_axis_mm": 200.0}, ["[fitting] knee_axis_mm", "200"]),
        ("runner", {"mass_kg": 104.0}, ["[fitting] knee", "100 kg", "104 kg"]),
        ("runner", {"height_m": 1.40, "mass_kg": 50.0}, ["[fitting] ", "too long"]),
        ("runner", {"height_m": 1.25, "mass_kg": 28.0}, ["[runner] ", "not allowed"]),
    ],
)
def test_what_cannot_be_built_is_refused_in_one_sentence(section, changes, words):
    document = {**DOCUMENT, section: {**DOCUMENT[section], **changes}}
    if "height_m" in changes:
        document["amputation"] = {**DOCUMENT["amputation"], "residual_limb_m": 0.20}
    with pytest.raises(InputError) as error:
        check_case(document, "runner.toml")
    text = str(error.value)
    assert text.startswith("runner.toml: ") and "\n" not in text
    assert all(word in text for word in words), text


def test_the_example_is_what_the_manual_says():
    case = load_case(EXAMPLE)
    assert case.amputation.level == "transfemoral" and case.fitting
    assert build_model(case.runner, case.amputation, case.fitting).blades


def test_one_leg_may_end_above_the_knee_and_the_other_below():
    mixed = Amputation("both", left={"level": "transfemoral"}, right={"residual_limb_m": 0.15})
    fitting = Fitting("j-sprint", left={"knee": "pylon"}, right={"height_mm": 20})
    model = build_model(RUNNER, mixed, fitting)
    parts = set(zip(model.joint_data.part, model.joint_data.side, strict=True))
    assert ("knee unit", "left") in parts and ("knee", "right") in parts
    assert model.mass_kg == pytest.approx(RUNNER.mass_kg, abs=1e-3)


def test_report_and_sheet_have_a_doubt_to_state_above_the_knee_alone():
    assert "cost differs" in Amputation("left", "transfemoral").untested
    assert "cost differs" in Amputation("both", left={"level": "transfemoral"}).untested
    assert not Amputation("both").untested and not Amputation("none").untested


@pytest.mark.slow
@each_knee
def test_a_stride_is_found_and_stands_in_mujocos_own_dynamics(knee):
    stride = solve(built(knee=knee), Task(3.0))
    assert stride.attrs["status"] == "converged"
    assert verify(stride, strides=2).holds


@pytest.mark.slow
@pytest.mark.parametrize(
    ("side", "knee", "speed_m_s"),
    [("both", "hydraulic-running", 3.5), ("left", "hydraulic-running", 2.0), ("right", "pylon", 4.0)],
)
def test_a_stride_is_found_on_either_side_and_on_both_from_slow_to_fast(side, knee, speed_m_s):
    assert solve(built(side, knee), Task(speed_m_s)).attrs["status"] == "converged"


@pytest.mark.slow
def test_one_leg_above_the_knee_and_one_below_run_with_even_steps():
    """2.75 m/s; each leg clears the ground and the knee bends in swing alone."""
    model = build_model(RUNNER, MIXED, Fitting("j-sprint", left={"knee": "hydraulic-running"}))
    stride = solve(model, Task(2.75))
    assert stride.attrs["status"] == "converged"
    found = flat(outcomes(stride))
    assert abs(found["asymmetry_step_time_percent"]) < 10
    assert min(found["swing_clearance_mm_left"], found["swing_clearance_mm_right"]) > 12
    assert found["knee_flexion_swing_peak_deg_left"] > 60 > 10 > found["knee_flexion_contact_peak_deg_left"]
    assert verify(stride, strides=2).holds


@pytest.mark.slow
def test_a_straight_leg_is_not_left_in_a_stride_three_times_as_dear():
    """As the first of its first guesses leads to here."""
    stride = solve(built(knee="hybrid-locked"), Task(2.0))
    assert flat(outcomes(stride))["cost_of_transport_j_kg_m"] < 5.0


def test_more_damping_brings_the_knee_straight_later_and_more_gently():
    swings = swing_test("hydraulic-running")
    assert [one.damping for one in swings] == [0.5, 1.0, 2.0]
    later, slower = [one.straight_s for one in swings], [one.impact_deg_s for one in swings]
    assert later == sorted(later) and slower == sorted(slower, reverse=True)
    assert all(one.angle_deg[0] == RELEASE_DEG and abs(one.angle_deg[-1]) < 3 for one in swings)


def test_a_knee_with_hardly_any_damping_swings_as_a_pendulum():
    """To straight in the quarter period of the compound pendulum that MuJoCo finds under the axis."""
    (swing,) = swing_test("hydraulic-running", (0.2,))
    inertia, level, upright = knee_swing._pendulum("hydraulic-running")
    assert abs(level) < 0.3 * upright
    modulus = math.sin(math.radians(RELEASE_DEG) / 2)
    quarter = ellipk(modulus**2) * math.sqrt(inertia / upright)
    assert swing.straight_s == pytest.approx(quarter, rel=0.25)


def test_the_bench_takes_a_knee(tmp_path, capsys):
    assert cli.main(["bench", "hybrid", "--out", str(tmp_path)]) == 0
    assert "straight after" in capsys.readouterr().out and (tmp_path / "bench.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["pylon"], "'pylon' has no swing to test"),
        (["hybrid-locked"], "'hybrid-locked' has no swing"),
        (["hybrid", "--angle", "4"], "--angle: is of a blade's bench"),
    ],
)
def test_what_the_bench_cannot_do_with_a_knee_is_a_sentence(arguments, words, capsys):
    assert cli.main(["bench", *arguments]) == 2
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1
