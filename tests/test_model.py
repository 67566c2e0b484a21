"""The composed model: left mirrors right, the file is the model, the fitting is where it should be."""

from functools import cache

import mujoco
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bladerun.blade.catalog import catalog
from bladerun.body.joints import contact_spheres, sphere_sides
from bladerun.body.runner import Amputation, Runner
from bladerun.errors import InputError
from bladerun.fitting import Fitting, resolve
from bladerun.gait.alignment import alignment
from bladerun.model import build_model, save_xml

XML_ROUNDING = 5e-6  # MuJoCo writes six digits of each body's mass: 0.05 g where it is over 10 kg
RUNNER = Runner(72.0, 1.76, "female")
WORN = Fitting("j-sprint")
SIDES = ("none", "right", "left", "both")
MIRRORED = ("pelvis_ty", "pelvis_list", "pelvis_rotation", "lumbar_bending", "lumbar_rotation")


@cache
def built(side, fitting=WORN, runner=RUNNER):
    amputation = Amputation(side, residual_limb_m=None if side == "none" else 0.16)
    return build_model(runner, amputation, None if side == "none" else fitting)


def soles(model):
    """Lowest contact sphere of each side at q = 0: its height and where its centre is."""
    data = mujoco.MjData(model.mj)
    mujoco.mj_kinematics(model.mj, data)
    low = {}
    for s in "rl":
        both = zip(contact_spheres(model.mj), sphere_sides(model.mj), strict=True)
        ids = [i for i, side in both if side[0] == s]
        heights = data.geom_xpos[ids, 2] - model.mj.geom_size[ids, 0]
        low[s] = heights.min(), data.geom_xpos[ids[int(heights.argmin())]]
    return low


def inverse(model, q, v, a):
    data = mujoco.MjData(model)
    data.qpos[:], data.qvel[:], data.qacc[:] = q, v, a
    mujoco.mj_inverse(model, data)
    return data.qfrc_inverse.copy()


def reflection(source, target):
    """Index and sign that carry a joint vector of `source` to its mirror image in `target`."""
    swap = {"r": "l", "l": "r"}
    other = [f"{n[:-1]}{swap[n[-1]]}" if n[-2:] in ("_r", "_l") else n for n in target]
    sign = np.array([-1.0 if n in MIRRORED else 1.0 for n in target])
    return [source.index(n) for n in other], sign


@pytest.mark.parametrize("side", SIDES)
def test_mirrored_motion_takes_mirrored_moments(side):
    one = built(side)
    two = built({"right": "left", "left": "right"}.get(side, side))
    index, sign = reflection(one.joints, two.joints)
    rng = np.random.default_rng(1)
    for _ in range(5):
        q, v, a = (scale * rng.standard_normal(one.mj.nv) for scale in (0.4, 3.0, 30.0))
        there = inverse(two.mj, sign * q[index], sign * v[index], sign * a[index])
        np.testing.assert_allclose(there, sign * inverse(one.mj, q, v, a)[index], rtol=1e-7, atol=1e-6)
    np.testing.assert_allclose(two.strength, one.strength[index])


@pytest.mark.parametrize("side", SIDES)
def test_file_is_the_model(side, tmp_path):
    model = built(side)
    save_xml(model, tmp_path / "model.xml")
    assert [p.name for p in tmp_path.iterdir()] == ["model.xml"]
    again = mujoco.MjModel.from_xml_path(str(tmp_path / "model.xml"))
    assert tuple(again.joint(i).name for i in range(again.njnt)) == model.joints
    q, v, a = np.random.default_rng(2).standard_normal((3, model.mj.nv)) * 0.2
    again.opt.disableflags = model.mj.opt.disableflags
    np.testing.assert_array_equal(inverse(again, q, v, a), inverse(model.mj, q, v, a))


@pytest.mark.parametrize("side", SIDES)
def test_index_matches_the_model(side):
    model = built(side)
    mj = model.mj
    data = model.joint_data
    assert mj.nq == mj.nv == len(model.joints) and data.name == model.joints
    assert model.joints[:6] == tuple(f"pelvis_{n}" for n in ("tx", "ty", "tz", "tilt", "list", "rotation"))
    assert data.role[:6] == ("root",) * 6 and data.role.count("root") == 6
    driven = data.of(role="muscle") | data.of(role="motor")
    assert driven.sum() + len(model.muscles) == mj.nu
    reserve = (model.reserve > 0).any(1)
    np.testing.assert_array_equal(reserve, data.of(role="muscle"))
    assert (model.reserve < model.strength)[reserve].all()
    assert (model.strength[driven] > 0).all() and not model.strength[~driven].any()
    passive, parts = data.of(role="passive"), np.array(data.part)
    worn = {"socket", "blade"} if side != "none" else set()
    assert set(parts[passive]) == worn | ({"tendon"} if side != "both" else set())
    assert all(mj.jnt_stiffness[i] > 0 for i in np.flatnonzero(passive & (parts != "tendon")))
    assert all(
        said == {"_r": "right", "_l": "left"}.get(n[-2:], "")
        for n, said in zip(data.name, data.side, strict=True)
    )
    spheres = contact_spheres(mj)
    assert (mj.geom_user[spheres] > 0).all() and mj.npair == len(spheres)
    assert model.mass_kg == pytest.approx(RUNNER.mass_kg, rel=XML_ROUNDING)


@settings(max_examples=12, deadline=None)
@given(
    blade=st.sampled_from(catalog()),
    side=st.sampled_from(SIDES[1:]),
    height=st.floats(0.0, 60.0),
    sagittal=st.floats(0.0, 15.0),
    toe_out=st.floats(-10.0, 15.0),
    shift=st.floats(-20.0, 20.0),
)
def test_height_is_met_whatever_else_is_set(blade, side, height, sagittal, toe_out, shift):
    model = built(side, Fitting(blade, 5, height, toe_out, sagittal, shift, shift))
    for worn in Amputation(side).sides:
        stands = alignment(model.mj, worn, sagittal)
        assert stands.height_difference_mm == pytest.approx(height, abs=3e-3)
    for s in {"r", "l"} - set(Amputation(side).suffixes):
        assert soles(model)[s][0] == pytest.approx(0.0, abs=3e-6)
    assert model.mass_kg == pytest.approx(RUNNER.mass_kg, rel=XML_ROUNDING)


@pytest.mark.parametrize(("side", "outward"), [("right", -1.0), ("left", 1.0)])
def test_toe_out_and_shifts_turn_and_move_the_blade_outward(side, outward):
    s = side[0]

    def at(**change):
        model = built(side, Fitting("j-sprint", **{"sagittal_deg": 0.0, **change}))
        data = mujoco.MjData(model.mj)
        mujoco.mj_kinematics(model.mj, data)
        clamp, tip = (data.site(f"blade_{part}_{s}").xpos.copy() for part in ("clamp", "tip"))
        return clamp, tip, data.site(f"knee_{s}").xpos

    clamp, tip, knee = at()
    turned_clamp, turned_tip, _ = at(toe_out_deg=10.0)
    straight, turned = (
        np.degrees(np.arctan2(*way[1::-1])) for way in (tip - clamp, turned_tip - turned_clamp)
    )
    assert turned - straight == pytest.approx(outward * 10.0, abs=1e-3)
    assert np.hypot(*(turned_tip - knee)[:2]) == pytest.approx(np.hypot(*(tip - knee)[:2]), abs=1e-5)
    np.testing.assert_allclose(at(fore_aft_mm=20.0)[0] - clamp, [0.020, 0, 0], atol=1e-5)
    np.testing.assert_allclose(at(medio_lateral_mm=20.0)[0] - clamp, [0, outward * 0.020, 0], atol=1e-5)
    flexed = at(sagittal_deg=5.0)
    tilt = [np.arctan2(*(t - c)[[2, 0]]) for c, t in (flexed[:2], (clamp, tip))]
    assert tilt[0] > tilt[1]  # flexing the socket lifts the toe


def test_sole_stands_ahead_of_the_limb_at_first_fit():
    model = built("right")
    ahead = soles(model)["r"][1][0]
    assert 0.10 < ahead < 0.25


@pytest.mark.parametrize("height_m", [1.5, 1.65, 1.8, 1.95])
@pytest.mark.parametrize("blade", catalog())
def test_every_usual_runner_can_be_fitted(height_m, blade):
    for height_mm in (30.0, 50.0):
        model = build_model(
            Runner(22.5 * height_m**2, height_m), Amputation("right"), Fitting(blade, height_mm=height_mm)
        )
        stands = alignment(model.mj, "right", Fitting(blade).sagittal_deg)
        assert stands.height_difference_mm == pytest.approx(height_mm, abs=3e-3)


def test_recommended_category_follows_mass():
    found = [resolve(Fitting("j-sprint"), Runner(kg, 1.7)).category for kg in (50.0, 65.0, 80.0, 95.0)]
    assert all(isinstance(c, int) for c in found) and found == sorted(set(found))


def test_able_bodied_stands_and_falls_without_breaking():
    model = built("none")
    mj = mujoco.MjModel.from_xml_string(model.xml)
    data = mujoco.MjData(mj)
    driven = model.strength.any(1)
    for _ in range(400):
        wanted = -600.0 * data.qpos - 20.0 * data.qvel
        data.qfrc_applied[driven] = np.clip(wanted, -model.strength[:, 0], model.strength[:, 1])[driven]
        mujoco.mj_step(mj, data)
    assert abs(data.joint("pelvis_tz").qpos[0]) < 0.02
    assert data.ncon > 0


@pytest.mark.parametrize(
    ("make", "key", "text"),
    [
        (lambda: Fitting("j-sprint", height_mm=300.0), "height_mm", "from -40 to 60"),
        (lambda: Fitting("j-sprint", toe_out_deg="5"), "toe_out_deg", "'5' is not allowed"),  # type: ignore[arg-type]
        (lambda: Fitting("j-sprint", category="best"), "category", "'recommended'"),
        (lambda: resolve(Fitting("j-sprnt"), RUNNER), "blade", "did you mean 'j-sprint'?"),
        (lambda: resolve(Fitting("j-sprint", 12), RUNNER), "category", "12"),
        (lambda: build_model(RUNNER, Amputation("right")), "blade", "needs a [fitting]"),
        (lambda: build_model(RUNNER, fitting=WORN), "side", "amputated side"),
        (
            lambda: build_model(RUNNER, Amputation("right", residual_limb_m=0.42), WORN),
            "height_mm",
            "on this limb; from",
        ),
    ],
)
def test_bad_input_is_one_sentence(make, key, text):
    with pytest.raises(InputError, match=r"^[^\n]*$") as caught:
        make()
    assert caught.value.key == key and text in str(caught.value)
