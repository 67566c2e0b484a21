"""Markers of a stride's own model, in laboratories' names, give its own angles back."""

import mujoco
import numpy as np
import pytest

from bladerun._lib.data_files import models_dir
from bladerun.errors import InputError
from bladerun.motion import Markers
from bladerun.motion.kinematics import posture
from bladerun.motion.marked import Marked
from bladerun.motion.marker_sets import Marker, marker_set
from bladerun.motion.segments import factors_of, lengthened
from strides.marked import SETS, both, built, left, positions, shown, trajectories

LIMIT_DEG = 0.5


def angles_agree(motion, model, q, *, except_for=(), within=LIMIT_DEG):
    for name, values in motion.joints.items():
        if not name.startswith(except_for):
            own = q[:, model.joints.index(name)]
            off = np.degrees(np.nanmax(np.abs(values - own)))
            assert off < within, f"{name}: {off:.2f} deg"


# --- Marker sets ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("title", SETS)
def test_every_set_gives_the_angles_back(title):
    time, places = trajectories(title)
    motion, model, _ = posture(Markers(time, places), built())
    assert f"names of markers as of {title}" in motion.notes
    legs = {
        f"{j}_{s}"
        for j in ("hip_flexion", "hip_adduction", "knee_flexion", "ankle_dorsiflexion")
        for s in "rl"
    }
    assert legs | {"pelvis_tilt", "pelvis_list", "pelvis_rotation"} <= set(motion.joints)
    angles_agree(motion, built(), positions()[1], except_for=("shoulder", "elbow"))
    assert max(motion.residual_mm.values()) < 5.0
    assert model.leg_length_m == pytest.approx(built().leg_length_m, rel=0.01)


def test_every_file_of_sets_is_tried():
    titles = {
        each.read_text().split('title = "')[1].split('"')[0] for each in (models_dir() / "markers").iterdir()
    }
    assert titles == set(SETS)


def test_a_blade_with_two_markers_gives_its_bend():
    """The tip goes where a force bends it to; least energy tells how each hinge shares in that."""
    model = built("right")
    time, q = positions("right", strides=1)
    q = q.copy()
    bends = [j for j, name in enumerate(model.joints) if name.startswith("blade_bend")]
    mj, data = model.mj, mujoco.MjData(model.mj)
    up = np.zeros((3, mj.nv))
    for k in range(len(q)):  # a force of 1500 N at the tip at most
        data.qpos[:] = q[k]
        mujoco.mj_kinematics(mj, data)
        mujoco.mj_comPos(mj, data)
        mujoco.mj_jacSite(mj, data, up, None, mj.site("blade_tip_r").id)
        push = 1500 * max(np.sin(2 * np.pi * k / len(q)), 0.0)
        q[k, bends] = up[2, bends] * push / mj.jnt_stiffness[bends]
    names = [*both(SETS["CAST, ISB"]), "clamp", "tip"]
    places = shown(model, both(SETS["CAST, ISB"]), q)
    body = Marked(model, [Marker(n, int(mj.site(s).bodyid[0]), mj.site(s).pos) for n, s in
                          (("clamp", "blade_clamp_r"), ("tip", "blade_tip_r"))])  # fmt: skip
    for k, name in enumerate(("clamp", "tip")):
        places[name] = np.array([body.places(each)[k] for each in q])
    assert set(places) <= set(names)
    motion, _, _ = posture(Markers(time, places), model, own_names(clamp="blade_clamp_r", tip="blade_tip_r"))
    whole, own = (sum(np.degrees(values) for values in each) for each in (
        [motion.joints[model.joints[j]] for j in bends], [q[:, j] for j in bends]
    ))  # fmt: skip
    assert np.ptp(own) > 5.0
    np.testing.assert_allclose(whole, own, atol=LIMIT_DEG)


def own_names(**places):
    """A mapping file of that."""
    own_names.count += 1
    path = own_names.folder / f"names{own_names.count}.toml"
    path.write_text("".join(f'"{name}" = "{place}"\n' for name, place in places.items()))
    return path


@pytest.fixture(autouse=True)
def folder(tmp_path):
    own_names.folder, own_names.count = tmp_path, 0
    return tmp_path


def test_other_names_by_a_mapping_and_what_it_may_not_say():
    time, places = trajectories()
    other = {f"m{k}": place for k, place in enumerate(places.values())}
    with pytest.raises(InputError, match=r"the place of 0 markers is known, of 8 at least .* m0, m1"):
        posture(Markers(time, other), built())
    meant = {"RASI": "asis_r", "LASI": "asis_l", "RPSI": "psis_r", "LPSI": "psis_l", "C7": "c7",
             "RKNE": "lateral_epicondyle_r", "LKNE": "lateral_epicondyle_l", "RKNM": "medial_epicondyle_r",
             "LKNM": "medial_epicondyle_l", "RANK": "lateral_malleolus_r", "LANK": "lateral_malleolus_l",
             "RMED": "medial_malleolus_r", "LMED": "medial_malleolus_l", "RHEE": "heel_r", "LHEE": "heel_l",
             "RTOE": "metatarsal_2_r", "LTOE": "metatarsal_2_l"}  # fmt: skip
    named = {f"m{list(places).index(name)}": place for name, place in meant.items()}
    motion, _, _ = posture(Markers(time, other), built(), own_names(**named))
    angles_agree(motion, built(), positions()[1], except_for=("lumbar",))
    assert "left out, of unknown place" in " ".join(motion.notes)
    with pytest.raises(InputError, match=r"names2.toml: m0: 'hiel_r' is no place of this runner; .*'heel_r'"):
        posture(Markers(time, other), built(), own_names(m0="hiel_r"))
    with pytest.raises(InputError, match=r"names3.toml: m99: no marker is called that; did you mean 'm9'"):
        posture(Markers(time, other), built(), own_names(m99="heel_r"))


def test_markers_on_a_foot_that_is_gone_are_named():
    time, places = trajectories("CAST, ISB", "right")
    lost = {name: places[left(name)] for name in ("R_FCC", "R_FM1", "R_FAL")}
    motion, model, _ = posture(Markers(time, places | lost), built("right"))
    assert "on a foot that this runner has not: R_FCC, R_FM1, R_FAL" in " ".join(motion.notes)
    assert model.mj.body("shank_r").pos[2] == pytest.approx(
        built("right").mj.body("shank_r").pos[2], rel=0.01
    )
    angles_agree(motion, built("right"), positions("right")[1], except_for=("shoulder", "elbow"))


# --- Scaling ----------------------------------------------------------------------------------------------


def test_segments_are_as_long_as_the_markers_say():
    factor = {"thigh": 1.06, "shank": 0.95, "pelvis": 1.03}
    true, each = lengthened(built(), factor), factors_of(built().mj, factor)
    time, q = positions()
    names = both(SETS["OpenSim, Rajagopal"])
    known = [m for m in marker_set(built(), names)[0] if np.isfinite(m.at_m).all()]
    body = Marked(true, [m._replace(at_m=m.at_m * each[m.body]) for m in known])
    seen = np.array([body.places(posed) for posed in q])
    places = {m.name: seen[:, k] for k, m in enumerate(known)}
    motion, found, _ = posture(Markers(time, places), built())
    for child, factor in (("shank_r", 1.06), ("foot_r", 0.95)):
        drawn = built().mj.body(child).pos[2]
        assert found.mj.body(child).pos[2] / drawn == pytest.approx(factor, abs=0.005)
    angles_agree(motion, built(), q, except_for=("shoulder", "elbow"))
    assert "thigh +6 %, shank -5 %" in " ".join(motion.notes)


def test_a_longer_model_stands_on_the_ground_and_weighs_the_same():
    for side in ("none", "right"):
        longer = lengthened(built(side), {"thigh": 1.1, "shank": 1.1, "foot": 1.1})
        assert longer.mj.body_mass.sum() == pytest.approx(built(side).mass_kg)
        data = [mujoco.MjData(each.mj) for each in (built(side), longer)]
        for each, model in zip(data, (built(side), longer), strict=True):
            mujoco.mj_kinematics(model.mj, each)
        low = [min(d.geom_xpos[g, 2] - m.mj.geom_size[g, 0] for g in range(m.mj.ngeom)
                   if m.mj.geom(g).name.startswith("contact_l"))
               for d, m in zip(data, (built(side), longer), strict=True)]  # fmt: skip
        assert low[1] == pytest.approx(low[0], abs=0.003)
        assert longer.leg_length_m > 1.08 * built(side).leg_length_m


def test_markers_of_standing_say_where_those_of_running_are():
    time, places = trajectories("OpenSim, Rajagopal")
    gone = ("RLFC", "RMFC", "LLFC", "LMFC", "RLMAL", "RMMAL", "LLMAL", "LMMAL")
    running_ = {name: place for name, place in places.items() if name not in gone}
    still = Markers(np.arange(12) / 100, shown(built(), places, np.zeros((12, built().mj.nq))))
    motion, _, _ = posture(Markers(time, running_), built(), None, still)
    angles_agree(motion, built(), positions()[1], except_for=("shoulder", "elbow"))
    assert not set(gone) & set(motion.residual_mm)


# --- Axes, gaps -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("turn", "words"),
    [
        ([[-1, 0, 0], [0, -1, 0], [0, 0, 1]], "the runner faces 180 deg"),
        ([[0, -1, 0], [1, 0, 0], [0, 0, 1]], "the runner faces 90 deg"),
        ([[0, 1, 0], [-1, 0, 0], [0, 0, 1]], "the runner faces 270 deg"),
        ([[1, 0, 0], [0, -1, 0], [0, 0, 1]], "the file's axes are left-handed"),
        ([[1, 0, 0], [0, -1, 0], [0, 0, -1]], "turned upside down"),
    ],
)
def test_axes_are_turned(turn, words):
    time, places = trajectories()
    motion, _, _ = posture(Markers(time, {n: p @ np.transpose(turn) for n, p in places.items()}), built())
    assert words in " ".join(motion.notes)
    angles_agree(motion, built(), positions()[1], except_for=("shoulder", "elbow"))
    np.testing.assert_allclose(motion.pelvis_m, shown_asis(), atol=0.003)


def shown_asis():
    places = shown(built(), ["RASI", "LASI", *both(SETS["Plug-in Gait"])], positions()[1])
    return (places["RASI"] + places["LASI"]) / 2


def test_hidden_markers_cost_no_angle_or_are_a_gap():
    time, places = trajectories()
    few = places | {"RTHI": places["RTHI"].copy(), "RKNE": places["RKNE"].copy()}
    few["RTHI"][100:130] = np.nan
    few["RKNE"][110:140] = np.nan
    motion, _, _ = posture(Markers(time, few), built())
    angles_agree(motion, built(), positions()[1], except_for=("shoulder", "elbow"))
    shank = {
        n: np.where((np.arange(len(time)) // 20 == 10)[:, None], np.nan, p) if n in SHANK else p
        for n, p in places.items()
    }
    motion, _, _ = posture(Markers(time, shank), built())
    assert np.isnan(motion.joints["ankle_dorsiflexion_r"][200:220]).all()
    assert np.isfinite(motion.joints["hip_flexion_l"]).all()
    angles_agree(motion, built(), positions()[1], except_for=("shoulder", "elbow"))


SHANK = ("RTIB", "RANK", "RMED", "RHEE", "RTOE")


def test_too_little_to_stand_on_is_refused():
    time, places = trajectories()
    legs = {n: p for n, p in places.items() if n[1:] in ("KNE", "KNM", "ANK", "MED", "HEE", "TOE")}
    flat_ = {name: place * [1.0, 0.0, 1.0] for name, place in places.items()}
    with pytest.raises(InputError, match="the markers lie in one plane; use the joint angles"):
        posture(Markers(time, flat_), built())
    one_leg = {n: p for n, p in legs.items() if n[0] == "R"}
    with pytest.raises(InputError, match="the place of 6 markers is known, of 8 at least"):
        posture(Markers(time, one_leg), built())
