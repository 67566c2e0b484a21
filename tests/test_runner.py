"""The body: what it weighs, how it scales, what an amputation takes away."""

import json
import pickle
from dataclasses import asdict, replace

import mujoco
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bladerun._lib import data_files
from bladerun.body.build import build_body, sound_leg_below_knee_m
from bladerun.body.runner import SEXES, Amputation, Runner
from bladerun.errors import InputError

BODY = data_files.toml("body.toml")
people = st.builds(
    Runner,
    mass_kg=st.floats(45.0, 110.0),
    height_m=st.floats(1.5, 1.95),
    sex=st.sampled_from(SEXES),
    strength=st.floats(0.5, 1.5),
)


def standing(model):
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    return data


def test_pattern_file_is_the_body_of_its_runner():
    pattern = mujoco.MjModel.from_xml_path(str(data_files.models_dir() / "runner.xml"))
    built = build_body(Runner(75.0, 1.75)).compile()
    for name in ("body_mass", "body_ipos", "body_inertia", "body_pos", "jnt_axis", "jnt_pos", "jnt_range"):
        np.testing.assert_allclose(getattr(pattern, name), getattr(built, name), atol=1e-5, err_msg=name)
    for name in ("actuator_ctrlrange", "actuator_gainprm", "actuator_lengthrange", "tendon_lengthspring"):
        np.testing.assert_allclose(getattr(pattern, name), getattr(built, name), err_msg=name)
    assert pattern.jnt_stiffness.sum() == 2 * BODY["toes"]["stiffness_nm_rad"]
    np.testing.assert_allclose(pattern.dof_damping.sum(), 2 * BODY["toes"]["damping_nms_rad"])


@pytest.mark.parametrize("sex", SEXES)
def test_segment_masses_are_a_whole_body(sex):
    paired = ("upper_arm", "forearm", "hand", "thigh", "shank", "foot")
    total = sum(row[sex]["mass"] * (2 if name in paired else 1) for name, row in BODY["segment"].items())
    assert total == pytest.approx(1.0, abs=2e-4)


def test_lengths_add_up_to_the_stature():
    length = {name: row["length_h"] for name, row in BODY["segment"].items()}
    data = standing(build_body(Runner(75.0, 1.75)).compile())
    assert data.site("head").xpos[2] == pytest.approx(1.75 + 0.028, abs=1e-6)
    thigh = data.site("hip_r").xpos - data.site("knee_r").xpos
    shank = data.site("knee_r").xpos - data.site("ankle_r").xpos
    np.testing.assert_allclose(
        [thigh[2], shank[2]], [1.75 * length["thigh"], 1.75 * length["shank"]], atol=1e-5
    )


@settings(max_examples=20, deadline=None)
@given(people)
def test_mass_height_and_soles(runner):
    model = build_body(runner).compile()
    data = standing(model)
    assert model.body_mass.sum() == pytest.approx(runner.mass_kg, rel=1e-9)
    assert 0.54 < data.subtree_com[1, 2] / runner.height_m < 0.60
    contact = [i for i in range(model.ngeom) if model.geom(i).name.startswith("contact_")]
    np.testing.assert_allclose(data.geom_xpos[contact, 2], model.geom_size[contact, 0], atol=1e-9)
    assert sound_leg_below_knee_m(runner) == pytest.approx(data.site("knee_r").xpos[2])
    inertia = model.body_inertia[1:]
    assert (inertia > 0).all() and (2 * inertia.max(1) <= inertia.sum(1) * 1.0001).all()


@settings(max_examples=10, deadline=None)
@given(people)
def test_strength_goes_with_mass_height_and_factor(runner):
    usual, scaled = (motors(build_body(one).compile()) for one in (Runner(75.0, 1.75), runner))
    factor = runner.strength * runner.mass_kg * runner.height_m / (75.0 * 1.75)
    for name, limits in usual.items():
        np.testing.assert_allclose(scaled[name], limits * factor)


def motors(model):
    ids = np.flatnonzero(model.actuator_trntype == mujoco.mjtTrn.mjTRN_JOINT)
    return {model.actuator(i).name: model.actuator_ctrlrange[i] for i in ids}


def forces(model):
    ids = np.flatnonzero(model.actuator_trntype == mujoco.mjtTrn.mjTRN_TENDON)
    return {model.actuator(i).name: model.actuator_gainprm[i, 2] for i in ids}


def test_a_weak_group_weakens_its_muscles_and_the_joint_in_its_sense():
    weak = build_body(Runner(75.0, 1.75, strength={"hip_abductors": 0.7, "knee_flexors": 1.2})).compile()
    usual = build_body(Runner(75.0, 1.75)).compile()
    expected = dict.fromkeys(("glmed1", "glmed2", "glmin", "tfl"), 0.7)
    expected |= dict.fromkeys(("semimem", "bflh", "bfsh"), 1.2)
    for name, force in forces(usual).items():
        assert forces(weak)[name] == pytest.approx(expected.get(name[:-2], 1.0) * force)
    sense = {"hip_adduction": (0.7, 1.0), "knee_flexion": (1.0, 1.2)}
    for name, limits in motors(usual).items():
        np.testing.assert_allclose(motors(weak)[name], limits * sense.get(name[:-2], (1.0, 1.0)))


@pytest.mark.parametrize("side", ["left", "right", "both"])
def test_the_residual_limb_is_weaker_at_the_knee(side):
    full = Amputation(side, residual_strength=1.0, gastrocnemius="reattached")
    usual = build_body(Runner(75.0, 1.75), full).compile()
    for given_strength, left in ((0.5, 0.5), (None, BODY["residual_limb"]["strength"])):
        weak = build_body(Runner(75.0, 1.75), replace(full, residual_strength=given_strength)).compile()
        knee = ("vasti", "recfem", "semimem", "bflh", "bfsh", "gastroc")
        for name, force in forces(usual).items():
            mine = name[:-2] in knee and name[-1] in full.suffixes
            assert forces(weak)[name] == pytest.approx((left if mine else 1.0) * force)
        for name, limits in motors(usual).items():
            mine = name[:-2] == "knee_flexion" and name[-1] in full.suffixes
            np.testing.assert_allclose(motors(weak)[name], limits * (left if mine else 1.0))


def test_joints_reach_as_far_as_the_runner_s():
    model = build_body(Runner(75.0, 1.75, joint_range_deg={"hip_flexion": (-10, 100)})).compile()
    usual = build_body(Runner(75.0, 1.75)).compile()
    tight = [f"hip_flexion_{s}" for s in "rl"]
    for i in range(model.njnt):
        reach = np.radians([-10, 100]) if model.joint(i).name in tight else usual.jnt_range[i]
        np.testing.assert_allclose(model.jnt_range[i], reach)


def test_runners_are_hashed_written_and_read_again():
    runner = Runner(75.0, 1.75, strength={"hip_flexors": 0.8}, joint_range_deg={"hip_flexion": (-10, 120)})
    again = Runner(**json.loads(json.dumps(asdict(runner))))
    assert again == runner and hash(again) == hash(runner) and again != Runner(75.0, 1.75)
    assert json.dumps(asdict(runner)) != json.dumps(asdict(replace(runner, strength={"hip_flexors": 0.9})))


def test_tables_of_a_runner_cannot_be_changed():
    runner = Runner(75.0, 1.75, strength={"hip_flexors": 0.8}, joint_range_deg={"hip_flexion": (-10, 120)})
    for change in (
        lambda table: table.update(hip_flexors=3.0),
        lambda table: table.pop("hip_flexors", None),
        lambda table: table.__setitem__("hip_flexors", 3.0),
        lambda table: table.__delitem__("hip_flexors"),
        lambda table: table.setdefault("knee_flexors", 3.0),
        lambda table: table.__ior__({"hip_flexors": 3.0}),
        lambda table: table.clear(),
        lambda table: table.popitem(),
    ):
        for table in (runner.strength, runner.joint_range_deg):
            with pytest.raises(TypeError, match="cannot be changed"):
                change(table)
    again = pickle.loads(pickle.dumps(runner))
    assert again == runner and hash(again) == hash(runner) and type(again.strength) is type(runner.strength)


@settings(max_examples=20, deadline=None)
@given(people, st.sampled_from(["left", "right", "both"]), st.floats(0.0, 1.0), st.floats(0.3, 1.5))
def test_amputation_keeps_the_mass_and_takes_the_foot(runner, side, share, blade_kg):
    shank = BODY["segment"]["shank"]["length_h"] * runner.height_m
    residual = 0.06 + share * (shank - 0.0601)
    amputation = Amputation(side, residual_limb_m=residual)
    worn = len(amputation.suffixes) * blade_kg
    model = build_body(runner, amputation, prostheses_kg=worn).compile()
    names = [model.body(i).name for i in range(model.nbody)]
    assert model.body_mass.sum() + worn == pytest.approx(runner.mass_kg)
    for s in "rl":
        assert (f"foot_{s}" in names) != (s in amputation.suffixes) == (f"socket_{s}" in names)
    s = amputation.suffixes[0]
    stump = model.body(f"shank_{s}")
    whole = build_body(runner).compile().body(f"shank_{s}")
    assert 0 < stump.mass[0] < 1.1 * whole.mass[0]
    assert 0.0 < -stump.ipos[2] < residual
    assert -stump.ipos[2] == pytest.approx(residual / 2, rel=0.15)


def test_residual_limb_as_long_as_the_shank_is_the_shank():
    runner = Runner(75.0, 1.75)
    shank = BODY["segment"]["shank"]["length_h"] * 1.75
    socket = BODY["socket"]["mass_kg"]
    stump = build_body(runner, Amputation("left", residual_limb_m=shank - 1e-9), prostheses_kg=1.0).compile()
    sound = build_body(runner).compile()
    parts = [sound.body(f"{part}_l") for part in ("shank", "achilles")]  # the Achilles is part of the shank
    mass = sum(part.mass[0] for part in parts)
    centre = (parts[0].mass * parts[0].ipos + parts[1].mass * parts[1].pos) / mass
    foot = BODY["segment"]["foot"]["male"]["mass"]
    body_kg = (75.0 - 1.0 - socket) / (1.0 - foot)
    assert stump.body("shank_l").mass[0] == pytest.approx(mass * body_kg / 75.0, rel=1e-6)
    np.testing.assert_allclose(stump.body("shank_l").ipos, centre, atol=1e-6)


@pytest.mark.parametrize(
    ("make", "key", "text"),
    [
        (lambda: Runner(7.0, 1.75), "mass_kg", "from 40 to 140 kg (adults)"),
        (lambda: Runner(75.0, 175.0), "height_m", "from 1.35 to 2.1 m (adults)"),
        (lambda: Runner(140.0, 1.45), "mass_kg", "140 kg at 1.45 m is not allowed; 40 to 105 kg"),
        (lambda: Runner(45.0, 2.0), "mass_kg", "45 kg at 2 m is not allowed; 46 to 140 kg"),
        (lambda: Runner("75", 1.75), "mass_kg", "'75' is not allowed"),  # type: ignore[arg-type]
        (lambda: Runner(float("nan"), 1.75), "mass_kg", "nan"),
        (lambda: Runner(75.0, 1.75, "other"), "sex", "female, male"),
        (lambda: Runner(75.0, 1.75, strength=0.0), "strength", "from 0.2 to 3"),
        (lambda: Amputation("rigth"), "side", "did you mean 'right'?"),
        (lambda: Amputation("right", "knee disarticulation"), "level", "transtibial"),
        (lambda: Amputation("right", residual_limb_m=-0.1), "residual_limb_m", "-0.1"),
        (
            lambda: build_body(Runner(75.0, 1.75), Amputation("right", residual_limb_m=0.5)),
            "residual_limb_m",
            "shank",
        ),
    ],
)
def test_bad_input_is_one_sentence(make, key, text):
    with pytest.raises(InputError, match=r"^[^\n]*$") as caught:
        make()
    assert caught.value.key == key and text in str(caught.value)
