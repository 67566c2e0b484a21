"""Socket, blade and body on runners of other sizes, figure by figure of models/.


Two runners, neither of whom is the one the figures are given for (75 kg, 1.75 m); each leg alone.
"""

import math
import tomllib
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import mujoco
import numpy as np
import pandas as pd
import pytest

from bladerun.blade.catalog import load_blade
from bladerun.body.joints import without_side
from bladerun.body.runner import Amputation, Runner
from bladerun.case import check_case
from bladerun.errors import InputError
from bladerun.fitting import Fitting
from bladerun.model import build_model
from bladerun.stride.cost import limits

MODELS = Path(__file__).parents[1] / "models"
BODY = tomllib.loads((MODELS / "body.toml").read_text(encoding="utf-8"))
SOCKET = BODY["socket"]
LIGHT, HEAVY = Runner(56.0, 1.60, "female"), Runner(97.0, 1.92, "male")
each_runner = pytest.mark.parametrize("runner", [LIGHT, HEAVY], ids=["light", "heavy"])
each_side = pytest.mark.parametrize("side", ["right", "left"])
LIMB_M = 0.17


@cache
def worn(runner, side, category=5, **settings):
    return build_model(
        runner, Amputation(side, residual_limb_m=LIMB_M), Fitting("j-sprint", category, **settings)
    )


def passive(mj, *, q=(), v=()):
    """Generalised forces of springs and dampers at these positions and velocities by joint, 0 elsewhere."""
    data = mujoco.MjData(mj)
    for values, pairs in ((data.qpos, q), (data.qvel, v)):
        for joint, value in pairs:
            values[mj.joint(joint).id] = value
    mujoco.mj_forward(mj, data)
    return data.qfrc_passive.copy()


def moved(mj, joint, angle, site):
    """Way (3,) of a site, seen from the world, when one joint turns by `angle`."""
    data, places = mujoco.MjData(mj), []
    for value in (0.0, angle):
        data.qpos[mj.joint(joint).id] = value
        mujoco.mj_kinematics(mj, data)
        places.append(data.site(site).xpos.copy())
    return places[1] - places[0]


# --- Socket ------------------------------------------------------------------------------


@each_runner
@each_side
@pytest.mark.parametrize(
    ("joint", "figure", "by_height"),
    [
        ("pistoning", "pistoning_n_m", -1),
        ("flexion", "flexion_nm_rad", 1),
        ("rotation", "rotation_nm_rad", 1),
    ],
)
def test_each_spring_and_each_damper_of_the_socket_alone(runner, side, joint, figure, by_height):
    mj, name = worn(runner, side).mj, f"socket_{joint}_{side[0]}"
    at, rest = mj.joint(name).id, passive(mj)
    stiffness = SOCKET[figure] * runner.mass_kg / 75.0 * (runner.height_m / 1.75) ** by_height
    for change, given in (
        ({"q": [(name, 0.01)]}, 0.01),
        ({"v": [(name, 2.0)]}, 2.0 * SOCKET["relaxation_s"]),
    ):
        force = passive(mj, **change) - rest
        assert force[at] == pytest.approx(-stiffness * given, rel=1e-5)
        assert np.abs(np.delete(force, at)).max() < 1e-9


@pytest.mark.parametrize(("side", "inward"), [("right", 1.0), ("left", -1.0)])
def test_signs_of_the_socket_on_one_leg_alone(side, inward):
    mj, s = worn(HEAVY, side, sagittal_deg=0.0).mj, side[0]
    assert moved(mj, f"socket_pistoning_{s}", 0.01, f"blade_tip_{s}") == pytest.approx([0, 0, 0.01], abs=1e-9)
    assert moved(mj, f"socket_flexion_{s}", 0.1, f"blade_tip_{s}")[2] > 0.005
    assert moved(mj, f"socket_rotation_{s}", 0.1, f"blade_tip_{s}")[1] * inward > 0.005


@each_side
def test_a_socket_is_a_cylinder_about_the_limb(side):
    mj = worn(LIGHT, side).mj
    body, length, radius = mj.body(f"socket_{side[0]}"), LIMB_M + 0.030, 0.058
    lateral, axial = 1.2 * (3 * radius**2 + length**2) / 12, 1.2 * radius**2 / 2
    assert body.mass[0] == pytest.approx(1.2)
    np.testing.assert_allclose(body.inertia, [lateral, lateral, axial], rtol=1e-5)
    np.testing.assert_allclose(body.iquat, [1, 0, 0, 0], atol=1e-9)
    np.testing.assert_allclose(body.pos, [0, 0, -LIMB_M / 2], atol=1e-9)  # springs at the middle of the limb
    np.testing.assert_allclose(body.ipos, [0, 0, LIMB_M / 2 - length / 2], atol=1e-6)


@pytest.mark.parametrize(("side", "outward"), [("right", -1.0), ("left", 1.0)])
def test_the_clamp_sits_behind_the_socket_and_is_turned_out_with_it(side, outward):
    mj = worn(HEAVY, side, sagittal_deg=0.0, toe_out_deg=4.0, fore_aft_mm=10.0, medio_lateral_mm=6.0).mj
    data = mujoco.MjData(mj)
    mujoco.mj_kinematics(mj, data)
    clamp, knee = data.site(f"blade_clamp_{side[0]}"), data.site(f"knee_{side[0]}").xpos
    turn = math.radians(7.5 + 4.0)
    ahead = -0.075 * math.cos(turn) + 0.010
    aside = outward * (-0.075 * math.sin(turn) + 0.006)
    np.testing.assert_allclose((clamp.xpos - knee)[:2], [ahead, aside], atol=1e-6)
    pointing = clamp.xmat.reshape(3, 3)[:, 0]
    np.testing.assert_allclose(pointing, [math.cos(turn), outward * math.sin(turn), 0], atol=1e-6)


@each_side
def test_what_pulls_below_the_cut_is_gone_with_its_whole_path(side):
    whole, mj, s = build_model(HEAVY).mj, worn(HEAVY, side).mj, side[0]
    below = [whole.body(f"{part}_{s}").id for part in ("achilles", "foot", "toes")]
    cut = {whole.site(i).name.rpartition("_")[0] for i in range(whole.nsite) if whole.site_bodyid[i] in below}
    cut &= {whole.tendon(i).name for i in range(whole.ntendon)}
    assert {f"soleus_{s}", f"gastroc_{s}"} < cut
    kinds = {"site": mj.nsite, "tendon": mj.ntendon, "actuator": mj.nu}
    left = {getattr(mj, kind)(i).name for kind, count in kinds.items() for i in range(count)}
    other = "l" if s == "r" else "r"
    for name in cut:
        assert not {n for n in left if n == name or n.rpartition("_")[0] == name}
        assert {n for n in left if n.rpartition("_")[0] == f"{name[:-2]}_{other}"}


@each_side
def test_a_reattached_gastrocnemius_pulls_along_its_old_line_from_the_end_of_the_bone(side):
    limb = Amputation(side, residual_limb_m=LIMB_M, gastrocnemius="reattached")
    name, places, fibres = f"gastroc_{side[0]}", {}, {}
    for which, mj in (
        ("whole", build_model(HEAVY).mj),
        ("cut", build_model(HEAVY, limb, Fitting("j-sprint")).mj),
    ):
        data = mujoco.MjData(mj)
        mujoco.mj_forward(mj, data)
        knee = data.site(f"knee_{side[0]}").xpos
        places[which] = [data.site(f"{name}_{k}").xpos - knee for k in (1, 2)]
        low, high = mj.actuator(name).lengthrange
        fibres[which] = data.ten_length[mj.tendon(name).id] - low, high - low
    (start, end), (old_start, old_end) = places["cut"], places["whole"]
    np.testing.assert_allclose(start, old_start, atol=2e-6)
    assert end[2] == pytest.approx(-LIMB_M, abs=2e-6)
    np.testing.assert_allclose(np.cross(end - start, old_end - old_start), 0, atol=2e-6)
    assert fibres["cut"] == pytest.approx(fibres["whole"], abs=2e-5)


# --- Blade ------------------------------------------------------------------------------


@each_side
def test_each_damper_of_the_blade_alone(side):
    mj = worn(LIGHT, side).mj
    rest, blade = passive(mj), [j for j in range(mj.njnt) if mj.joint(j).name.startswith("blade_")]
    share = mj.dof_damping[blade] / mj.jnt_stiffness[blade]
    assert np.ptp(share) < 2e-5 * share.mean()  # six digits in the XML
    # a linear spring loses pi^2 tau / T of its energy in a half wave: 8 % in 0.2 s, the bench adds a little
    assert share.mean() == pytest.approx(0.08 * 0.2 / math.pi**2, rel=0.1)
    for at in blade:
        force = passive(mj, v=[(mj.joint(at).name, 3.0)]) - rest
        assert force[at] == pytest.approx(-3.0 * share.mean() * mj.jnt_stiffness[at], rel=2e-5)
        assert np.abs(np.delete(force, at)).max() < 1e-9


@pytest.mark.parametrize(("side", "inward"), [("right", 1.0), ("left", -1.0)])
def test_signs_of_the_blade_on_one_leg_alone(side, inward):
    mj, s = worn(HEAVY, side, sagittal_deg=0.0, toe_out_deg=-7.5).mj, side[0]
    tip = f"blade_tip_{s}"
    for i in range(1, 6):
        assert moved(mj, f"blade_bend{i}_{s}", 0.1, tip)[2] > 0.001
    assert moved(mj, f"blade_torsion_{s}", 0.1, tip)[1] * inward > 0.001
    data = mujoco.MjData(mj)
    data.qpos[mj.joint(f"blade_lateral_{s}").id] = 0.1
    mujoco.mj_kinematics(mj, data)
    outer, inner = (data.geom(f"contact_{s}_{i}").xpos for i in (0, 1))
    assert (inner - outer)[1] * inward > 0.02 and inner[2] > outer[2] + 0.002


@pytest.mark.parametrize("category", [3, 7])
def test_strain_is_6_m_over_e_b_t2(category):
    """Of a force of 100 N upward at the end of what bends; E, b and taper from the blade's file."""
    blade = load_blade("j-sprint")
    height = blade.rating_height_m
    chain, beam = blade.chain(category, height), blade.beam(category, height)
    free = (beam.s_m >= 0) & (beam.s_m <= beam.s_m[np.argmin(beam.z_m)])
    share = (beam.s_m - beam.s_m[0]) / np.ptp(beam.s_m)
    thick = blade.thickness_m(category) * np.interp(share, [0, 0.55, 1], [1, 1, 0.5])
    end = beam.x_m[free][-1]
    expected = (6 * 100.0 * (end - beam.x_m) / (122e9 * 0.070 * thick**2))[free].max()
    bend = 100.0 * (end - chain.hinge_m[:, 0]) / chain.stiffness_nm_rad
    assert blade.strain(bend, category, height) == pytest.approx(expected, rel=1e-5)
    assert blade.allowable_strain == 0.0045


def test_at_one_load_a_stiffer_blade_has_the_greater_margin():
    """Displacement goes with 1/k and k with t^3: strain at one load with t^-2, so with k^(-2/3)."""
    blade, worst = load_blade("j-sprint"), {}
    for category in (3, 7):
        chain = blade.chain(category, blade.rating_height_m)
        end = chain.beam.x_m[chain.beam.free][-1]
        bend = 100.0 * (end - chain.hinge_m[:, 0]) / chain.stiffness_nm_rad
        worst[category] = blade.strain(bend, category, blade.rating_height_m)
    stiffness = {category: 25e3 + (category - 5) * 2.4e3 for category in (3, 7)}
    assert worst[3] / worst[7] == pytest.approx((stiffness[7] / stiffness[3]) ** (2 / 3), rel=0.03)
    assert worst[3] / worst[7] > 1.2


@each_side
def test_segments_of_the_blade_have_the_products_of_inertia_of_their_slices(side):
    blade, s = load_blade("j-sprint"), side[0]
    chain = blade.chain(6, blade.rating_height_m)
    beam, last = chain.beam, len(chain.hinge_s_m)
    weight = np.gradient(beam.s_m) * beam.thickness_m
    mass = 0.8 * weight / weight.sum()
    spec = mujoco.MjSpec()
    blade.attach(spec.worldbody, suffix=s, category=6, clamp_to_ground_m=blade.rating_height_m)
    alone = spec.compile()
    for segment in range(1, last + 1):
        mine = np.searchsorted(chain.hinge_s_m, beam.s_m, side="right") == segment
        x, z, m = beam.x_m[mine], beam.z_m[mine], mass[mine]
        along = np.column_stack([np.cos(beam.heading), np.sin(beam.heading)])[mine]
        centre = np.array([m @ x, m @ z]) / m.sum()
        tensor = np.zeros((3, 3))
        for k in range(len(m)):  # each slice a plate: thin along its normal, wide across
            normal = np.array([-along[k, 1], 0.0, along[k, 0]])
            spread = beam.thickness_m[mine][k] ** 2 / 12 * np.outer(normal, normal)
            spread[1, 1] += 0.070**2 / 12
            off = np.array([x[k] - centre[0], 0.0, z[k] - centre[1]])
            second = spread + np.outer(off, off)
            tensor += m[k] * (np.trace(second) * np.eye(3) - second)
        body = alone.body(f"blade_{segment}_{s}")
        turn = np.zeros(9)
        mujoco.mju_quat2Mat(turn, body.iquat)
        axes = turn.reshape(3, 3)
        np.testing.assert_allclose(axes * body.inertia @ axes.T, tensor, atol=2e-4 * np.trace(tensor))
        assert body.mass[0] == pytest.approx(m.sum(), rel=1e-6)


# --- Body ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("runner", "hip_h", "shoulder_h"), [(LIGHT, 0.0505, 0.1000), (HEAVY, 0.0486, 0.1040)]
)
def test_women_and_men_have_hips_shoulders_and_attachments_of_their_own(runner, hip_h, shoulder_h):
    mj, pattern = build_model(runner).mj, mujoco.MjModel.from_xml_path(str(MODELS / "runner.xml"))
    size = runner.height_m / 1.75
    for s, sign in (("r", -1.0), ("l", 1.0)):
        assert mj.body(f"thigh_{s}").pos[1] == pytest.approx(sign * hip_h * runner.height_m, rel=1e-5)
        assert mj.body(f"upper_arm_{s}").pos[1] == pytest.approx(
            sign * shoulder_h * runner.height_m, rel=1e-5
        )
    paths = {int(i) for i in pattern.wrap_objid[pattern.wrap_type == mujoco.mjtWrap.mjWRAP_SITE]}
    moved = 0
    for i in range(pattern.nsite):
        name, wide = pattern.site(i).name, 1.0
        if i in paths and pattern.body(pattern.site_bodyid[i]).name == "pelvis":
            wide, moved = hip_h / 0.0486, moved + 1
        expected = pattern.site(i).pos * size * [1.0, wide, 1.0]
        np.testing.assert_allclose(mj.site(name).pos, expected, atol=2e-6, err_msg=name)
    assert moved > 20


@each_runner
def test_toes_tendons_and_muscles_scale_with_mass_and_height(runner):
    mj, pattern = build_model(runner).mj, build_model(Runner(75.0, 1.75)).mj
    weight, size = runner.mass_kg / 75.0, runner.height_m / 1.75
    for s in "rl":
        toes = mj.joint(f"mtp_dorsiflexion_{s}")
        assert toes.stiffness[0] == pytest.approx(50.0 * weight * size, rel=1e-5)
        assert toes.damping[0] == pytest.approx(1.0 * weight * size, rel=1e-5)
        tendon = mj.tendon(f"achilles_tendon_{s}").id
        for stretch in (0.01, 0.02):  # at the same strain, force with mass
            force = mj.tendon_stiffness[tendon] * stretch * size
            force += mj.tendon_stiffnesspoly[tendon, 0] * (stretch * size) ** 2
            assert force == pytest.approx((75e3 * stretch + 5650e3 * stretch**2) * weight, rel=2e-3)
    for name in (mj.actuator(i).name for i in range(mj.nu)):
        mine, usual = mj.actuator(name), pattern.actuator(name)
        if mine.trntype[0] == mujoco.mjtTrn.mjTRN_TENDON:
            np.testing.assert_allclose(mine.gainprm[2], usual.gainprm[2] * weight, rtol=1e-5)
            np.testing.assert_allclose(mine.biasprm[2], usual.biasprm[2] * weight, rtol=1e-5)
            np.testing.assert_allclose(mine.lengthrange, usual.lengthrange * size, rtol=1e-4)


@pytest.mark.parametrize(
    ("side", "sides", "suffixes"),
    [("none", (), ()), ("left", ("left",), ("l",)), ("right", ("right",), ("r",)),
     ("both", ("right", "left"), ("r", "l"))],
)  # fmt: skip
def test_which_legs_are_amputated(side, sides, suffixes):
    limb = Amputation(side)
    assert (limb.sides, limb.suffixes) == (sides, suffixes)
    weak = {s: limb.strength_of("knee_extensors", s) for s in "rl"}
    assert weak == {s: 0.73 if s in suffixes else 1.0 for s in "rl"}
    assert limb.strength_of("hip_extensors", "r") == limb.strength_of("hip_extensors", "l") == 1.0


# --- Ranges of joints ------------------------------------------------------------------------------


def test_a_joint_range_is_held_against_running_at_both_ends():
    """At 3.5 m/s, a speed of the measurement, so that nothing is interpolated: mean -/+ 2 SD of the table."""
    table = pd.read_csv(MODELS / "reference" / "fukuchi2017.csv")
    rows = table[(table.speed_m_s == 3.5) & (table.quantity == "knee_flexion")]
    least, most = (rows["mean"] + 2 * rows["sd"]).min(), (rows["mean"] - 2 * rows["sd"]).max()
    text = (MODELS.parent / "experiments" / "first-fit.toml").read_text(encoding="utf-8")
    document = tomllib.loads(text.replace("speed_m_s = 3.3", "speed_m_s = 3.5"))
    document.pop("sweep")

    def asked(low, high):
        document["runner"]["joint_range_deg"] = {"knee_flexion": [low, high]}
        return check_case(document)

    near = 0.4  # the curve is rounded between its percents
    assert asked(least - near, most + near).runner.joint_range_deg["knee_flexion"]
    for low, high in ((least + near, most + near), (least - near, most - near)):
        with pytest.raises(InputError, match=f"at least {least:.0f} to {most:.0f} deg"):
            asked(low, high)


@pytest.mark.parametrize(("angle", "past"), [(0.5, 0.0), (1.3, 0.3), (-0.6, 0.4)])
def test_past_either_end_of_a_range_costs_its_square(angle, past):
    own = limits.Limits(np.array([1]), np.array([[-0.2, 1.0]]), weight=20.0, rounding=0.05)
    q = np.array([[9.0, angle], [9.0, 0.5]])
    mesh = SimpleNamespace(weight=np.array([1.5, 0.5]), stencil=np.zeros((2, 3, 3)))
    found = limits.add(own, None, mesh, None, SimpleNamespace(q=q), False)
    assert found == pytest.approx(1.5 / 2 * 0.5 * (20.0 * past) ** 2, rel=1e-6)


@pytest.mark.parametrize("side", ["none", "both"])
def test_limits_are_of_every_driven_joint_that_has_a_range(side):
    model = build_model(HEAVY) if side == "none" else worn(HEAVY, side)
    cost = SimpleNamespace(limit=SimpleNamespace(weight_rad=20.0, round_rad=0.05))
    found = limits.prepare(model, model.joint_data, cost)
    names = [model.joints[i] for i in found.joint]
    for name, pair in zip(names, found.range, strict=True):
        np.testing.assert_allclose(pair, model.mj.joint(name).range)
    assert {"knee_flexion", "hip_flexion"} <= {without_side(name) for name in names}
    assert not any(name.startswith(("pelvis", "socket", "blade")) for name in names)
    assert (found.weight, found.rounding) == (20.0, 0.05)
