"""The muscles: as strong, as long and as well placed as published; mirrored, scaled, cut as surgery does.

Published figures: experiments/calibration (Rajagopal 2016, doi 10.1109/TBME.2016.2586891), and in vivo
measurements named where they are used.
"""

from functools import cache

import mujoco
import numpy as np
import pytest
from _leg import CALF, JOINTS, Leg, passive_curve
from _published import SCALE, STRENGTH, Published, others, passive_moments, running

from bladerun._lib import data_files
from bladerun.body.build import build_body
from bladerun.body.runner import Amputation, Runner

GROUPS = (
    "hip_flexors",
    "hip_extensors",
    "hip_abductors",
    "hip_adductors",
    "hip_rotators",
    "knee_extensors",
    "knee_flexors",
    "plantarflexors",
    "dorsiflexors",
    "evertors_invertors",
)
BELOW_KNEE = {"gastroc", "soleus", "tibant", "tibpost", "peroneus"}


PATTERN = Runner(75.0, 1.75)


@cache
def leg(runner=PATTERN):
    return Leg(build_body(runner).compile())


@cache
def published():
    return Published()


def posture(**degrees):
    return np.radians([degrees.get(joint, 0.0) for joint in JOINTS])


@pytest.mark.parametrize(
    ("joint", "sense", "group", "angle", "moment"),
    [(j, s, g, angle, nm) for j, s, g, values in STRENGTH for angle, nm in values.items()],
)
def test_strength_is_the_published(joint, sense, group, angle, moment):
    """Within 15 % per mass x height."""
    moments = leg().moments(published().posture(joint, angle))
    got = sense * sum(moments[name][JOINTS.index(joint)] for name in group)
    assert got == pytest.approx(SCALE * moment, rel=0.15)


def test_strength_of_the_other_joints_is_the_published():
    """All muscles of a side of the joint, within 20 deg of neutral: 15 % or 12 Nm."""
    for joint, angle, got, wanted in others(leg(), published()):
        if abs(angle) < 21:
            np.testing.assert_allclose(got, wanted, rtol=0.15, atol=12.0, err_msg=f"{joint} {angle:.0f}")


@pytest.mark.parametrize("muscle", leg().muscles)
def test_moment_arms_are_the_published(muscle):
    """Up to 80 deg of hip flexion; the worst posture is allowed 10 mm or a quarter, whichever is more."""
    used = published().q[:, 0] < np.radians(81)
    wanted, got = published().arms(muscle)[used], leg().at(published().q[used], muscle).arms
    crossed = np.isfinite(wanted).all(0)
    error = np.abs(got - wanted)[:, crossed]
    assert (error <= np.maximum(0.010, 0.25 * np.abs(wanted[:, crossed]))).all()
    assert np.sqrt((error**2).mean(0)).max() < 0.004


def test_moment_arms_are_those_measured_in_vivo():
    """Achilles tendon 47.9 (4.5) mm, Wolfram 2018, doi 10.1098/rsos.171358; quadriceps of ten men 47.1 mm at
    10 deg and 31.5 mm at 50 deg of knee flexion, PubMed Central PMC4662057 (a tenth taken for one SD)."""
    assert -leg().at([posture()], "soleus").arms[0, 4] == pytest.approx(0.0479, abs=2 * 0.0045)
    for angle, arm in ((10, 0.0471), (50, 0.0315)):
        got = -leg().at([posture(knee_flexion=angle)], "vasti").arms[0, 3]
        assert got == pytest.approx(arm, rel=0.2)


@pytest.mark.parametrize(
    ("muscle", "joint", "sense"),
    [
        ("glmax1", "hip_flexion", -1),
        ("glmax1", "hip_rotation", -1),
        ("glmax2", "hip_flexion", -1),
        ("glmed1", "hip_adduction", -1),
        ("glmed2", "hip_adduction", -1),
        ("glmin", "hip_adduction", -1),
        ("tfl", "hip_adduction", -1),
        ("iliopsoas", "hip_flexion", 1),
        ("addmag", "hip_adduction", 1),
        ("addlong", "hip_adduction", 1),
        ("extrot", "hip_adduction", -1),
        ("recfem", "hip_flexion", 1),
        ("recfem", "knee_flexion", -1),
        ("vasti", "knee_flexion", -1),
        ("semimem", "hip_flexion", -1),
        ("semimem", "knee_flexion", 1),
        ("bflh", "hip_flexion", -1),
        ("bflh", "knee_flexion", 1),
        ("bfsh", "knee_flexion", 1),
        ("gastroc", "ankle_dorsiflexion", -1),
        ("soleus", "ankle_dorsiflexion", -1),
        ("tibant", "ankle_dorsiflexion", 1),
        ("tibpost", "subtalar_inversion", 1),
        ("peroneus", "subtalar_inversion", -1),
    ],
)
def test_muscles_pull_the_right_way_in_running(muscle, joint, sense):
    """To 120 deg of knee flexion, where the published model ends; the mean stride stays below."""
    postures = running()[0]
    postures = postures[postures[:, 3] < np.radians(120)]
    arms = leg().at(postures, muscle).arms[:, JOINTS.index(joint)]
    assert (sense * arms > 0).all()


def test_fibres_stay_on_their_curve_in_running():
    """The reference stride at 2.5 to 4.5 m/s, each joint also 2 SD off."""
    postures, force = running()
    rise = leg().rise(leg().at(postures, "achilles_tendon"), force)
    for name in leg().muscles:
        path, (low, high) = leg().at(postures, name), leg().mj.actuator(f"{name}_r").lengthrange
        fibre = (path.length + path.slider * rise * (name in CALF) - low) / (high - low)
        assert fibre.min() > 0.4 and fibre.max() < 1.6, name


def test_relaxed_muscles_do_not_hold_running_back():
    """Hip and knee within 20 Nm of the passive moments measured (Riener & Edrich 1999), the calf left out."""
    postures = (
        running()[0].reshape(-1, 13, 50, 6)[:2, 0].reshape(-1, 6)
    )  # the mean strides at 2.5 and 3.5 m/s
    moment = np.zeros((len(postures), 2))
    for name in set(leg().muscles) - set(CALF):
        path, one = leg().at(postures, name), leg().mj.actuator(f"{name}_r")
        low, high = one.lengthrange
        tension = one.gainprm[2] * passive_curve(leg().mj, (path.length - low) / (high - low))
        moment += path.arms[:, [0, 3]] * tension[:, None]
    assert np.abs(moment - SCALE * passive_moments(postures)).max() < 20.0


def test_left_mirrors_right():
    mj, data = leg().mj, mujoco.MjData(leg().mj)
    names = [mj.actuator(i).name for i in range(mj.nu) if mj.actuator(i).name.endswith("_r")]
    for q in running()[0][::97]:
        for s in "rl":
            for joint, angle in zip(JOINTS, q, strict=True):
                data.joint(f"{joint}_{s}").qpos[0] = angle
        data.joint("achilles_r").qpos[0] = data.joint("achilles_l").qpos[0] = 0.01
        data.act[:] = 0.7
        mujoco.mj_forward(mj, data)
        for name in names:
            right, left = data.actuator(name), data.actuator(f"{name[:-1]}l")
            np.testing.assert_allclose(left.length, right.length, rtol=0, atol=1e-14)
            np.testing.assert_allclose(left.force, right.force, rtol=1e-11)


def test_greatest_moments_go_with_mass_height_and_strength():
    """Force as mass, lengths as height; the Achilles tendon stretches by the same strain."""
    small = Runner(55.0, 1.6, strength=0.8)
    q = posture(hip_flexion=30, knee_flexion=40, ankle_dorsiflexion=10)
    usual, scaled = leg().moments(q), leg(small).moments(q)
    for name in set(leg().muscles) - set(CALF):
        factor = 0.8 * 55.0 * 1.6 / (75.0 * 1.75)
        np.testing.assert_allclose(scaled[name], usual[name] * factor, rtol=1e-9, atol=1e-9)
    light, heavy = leg(Runner(60.0, 1.6)).moments(q), leg().moments(q)
    for name in CALF:
        np.testing.assert_allclose(
            light[name], heavy[name] * 60.0 * 1.6 / (75.0 * 1.75), rtol=1e-5, atol=1e-6
        )


@pytest.mark.parametrize("sides", ["left", "right", "both"])
def test_amputation_takes_what_reaches_below_the_cut(sides):
    amputation = Amputation(sides)
    model = build_body(PATTERN, amputation).compile()
    there = {model.tendon(i).name for i in range(model.ntendon)}
    there |= {model.actuator(i).name for i in range(model.nu)}
    sites = {model.site(i).name.rpartition("_")[0] for i in range(model.nsite)}
    for s in "rl":
        gone = {f"{name}_{s}" for name in (*BELOW_KNEE, "achilles_tendon")}
        stays = {f"{name}_{s}" for name in set(leg().muscles) - BELOW_KNEE}
        assert stays <= there and stays <= sites
        if s in amputation.suffixes:
            assert not gone & (there | sites) and model.body(f"shank_{s}").id
        else:
            assert gone <= there and gone <= sites


def course(model, muscle, **degrees):
    """Moment arms (nv,) and fibre length of one muscle of any model in a posture."""
    data = mujoco.MjData(model)
    for joint, angle in degrees.items():
        data.qpos[model.joint(joint).id] = np.radians(angle)
    mujoco.mj_forward(model, data)
    moments, sparse = np.zeros((model.nu, model.nv)), (data.moment_rownnz, data.moment_rowadr)
    mujoco.mju_sparse2dense(moments, data.actuator_moment, *sparse, data.moment_colind)
    actuator = model.actuator(muscle)
    slack, optimum = actuator.lengthrange
    return -moments[actuator.id], (data.actuator_length[actuator.id] - slack) / (optimum - slack)


@pytest.mark.parametrize("residual", [0.06, 0.14, 0.30])
def test_a_reattached_gastrocnemius_flexes_the_knee_and_nothing_else(residual):
    """Alike on both sides; with a straight knee as in standing on two feet."""
    amputation = Amputation("both", residual_limb_m=residual, gastrocnemius="reattached")
    model, fibres = build_body(PATTERN, amputation).compile(), []
    for angle in (0, 40, 80, 110):
        right, left = (course(model, f"gastroc_{s}", **{f"knee_flexion_{s}": angle}) for s in "rl")
        assert [model.joint(i).name for i in np.flatnonzero(np.abs(right[0]) > 1e-9)] == ["knee_flexion_r"]
        np.testing.assert_allclose(right[0].max(), left[0].max(), rtol=1e-12)
        np.testing.assert_allclose(right[1], left[1], rtol=1e-12)
        assert right[0].max() > 0.008 and 0.4 < right[1] < 1.6
        fibres.append(right[1])
    whole = course(leg().mj, "gastroc_r")[1]
    assert model.actuator("gastroc_r").lengthrange[0] >= 0
    assert fibres[0] == pytest.approx(whole) or (residual < 0.07 and 1.0 < fibres[0] < whole)


def test_every_muscle_has_its_facts():
    facts = data_files.toml("muscles.toml")
    assert set(facts["muscle"]) == set(leg().muscles)
    assert {row["group"] for row in facts["muscle"].values()} == set(GROUPS)
    one = leg().mj.actuator("vasti_r")
    lmin, lmax, vmax, fpmax, fvmax = one.gainprm[4:9]
    assert (lmin, lmax, fpmax) == tuple(facts["curves"]["length"][key] for key in ("lmin", "lmax", "fpmax"))
    assert (vmax, fvmax) == tuple(facts["curves"]["velocity"][key] for key in ("vmax", "fvmax"))
    assert tuple(one.dynprm[:2]) == facts["curves"]["activation"]["timeconst"]


def test_achilles_tendon_stretches_as_measured():
    """188 N/mm as a straight line over 20 mm, Lichtwark & Wilson 2005, doi 10.1242/jeb.01950."""
    tendon = leg().at([posture()], "achilles_tendon")
    stretch = np.linspace(0.0, 0.020, 50)
    force = [leg().stretched(tendon, x / tendon.slider[0])[0] for x in stretch]
    rest = tendon.length[0] - leg().mj.tendon_lengthspring[leg().achilles, 1]
    assert rest == pytest.approx(0.0, abs=1e-4)
    assert np.polyfit(stretch, force, 1)[0] == pytest.approx(188e3, rel=0.03)
