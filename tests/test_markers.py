"""Markers of a stride's own model, in laboratories' names and formats, give its own outcomes back."""

import json
import sys
from functools import cache

import mujoco
import numpy as np
import pytest

from bladerun import cli
from bladerun._lib.data_files import models_dir
from bladerun.body.runner import Runner
from bladerun.case import Case
from bladerun.dataset.asked import person_of
from bladerun.errors import InputError
from bladerun.gait.opensim import export
from bladerun.gait.outcomes import flat, outcomes
from bladerun.model import build_model
from bladerun.motion import Forces, Markers, Plate, measure, read
from bladerun.motion.kinematics import posture
from bladerun.motion.marked import Marked
from bladerun.motion.marker_sets import Marker, marker_set
from bladerun.motion.measured import read_measured
from bladerun.motion.moments import left_over
from bladerun.motion.segments import factors_of, lengthened
from bladerun.task import Task
from strides import running
from strides.motion_files import c3d, trc

SETS = {  # names as files have them, of one side where they begin with R
    "Plug-in Gait": "RASI RPSI RTHI RKNE RKNM RTIB RANK RMED RHEE RTOE RSHO RELB CLAV C7 T10",
    "CAST, ISB": "R_IAS R_IPS R_FTC R_FLE R_FME R_FAX R_TTC R_FAL R_TAM R_FCC R_FM1 R_FM5 R_SAE CV7 SJN",
    "OpenSim, gait2392": "R.ASIS V.Sacral R.Thigh.Front R.Knee.Lat R.Knee.Med R.Shank.Front R.Ankle.Lat "
    "R.Ankle.Med R.Heel R.Midfoot.Sup R.Toe.Lat R.Toe.Med R.Acromium Sternum",
    "OpenSim, Rajagopal": "RASI RPSI RTH1 RTH2 RLFC RMFC RTB1 RLMAL RMMAL RCAL RTOE RMT5 RACR CLAV C7",
    "OpenCap": "r.ASIS_study r.PSIS_study r_thigh1_study r_knee_study r_mknee_study r_sh1_study "
    "r_ankle_study r_mankle_study r_calc_study r_toe_study r_5meta_study r_shoulder_study C7_study",
    "video keypoints": "RHip RKnee RAnkle RBigToe RSmallToe RHeel RShoulder RElbow RWrist Neck CHip",
}
ANYWHERE = np.array([0.04, -0.07, -0.18])  # of a marker whose place a set does not know
LIMIT_DEG = 0.5


def both(names):
    """The names of the right and the left side."""
    return [n for name in names.split() for n in ((name, left(name)) if name[0] in "Rr" else (name,))]


def left(name):
    return "L" + name[1:]


@cache
def made(side="none"):
    return running.stride(side=side)


@cache
def built(side="none", height_m=None):
    runner, amputation, fitting = person_of(made(side))
    return build_model(
        runner if height_m is None else Runner(runner.mass_kg, height_m, runner.sex), amputation, fitting
    )


@cache
def positions(side="none", strides=3):
    """Time and posture of so many strides of the made-up stride."""
    stride, later = made(side), np.repeat(np.arange(strides), 150)
    q = np.tile(stride.q.values, (strides, 1))
    q[:, 0] += later * stride.attrs["stride_time_s"] * running.SPEED
    return np.tile(stride.time.values, strides) + later * stride.attrs["stride_time_s"], q


def shown(model, names, q, mapping=None):
    """(N, 3) by name: where the model has these markers in the postures q."""
    found = []
    for each in marker_set(model, names, mapping)[0]:
        side = np.array([1.0, -1.0 if each.name[0] == "L" else 1.0, 1.0])
        found.append(each if np.isfinite(each.at_m).all() else each._replace(at_m=ANYWHERE * side))
    body = Marked(model, found)
    places = np.array([body.places(each) for each in q])
    return {each.name: places[:, k] for k, each in enumerate(found)}


def trajectories(title="Plug-in Gait", side="none", model=None):
    time, q = positions(side)
    return time, shown(model or built(side), both(SETS[title]), q)


def case(side="none"):
    return Case(*person_of(made(side)), Task(running.SPEED))


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


# --- Through `measure` ------------------------------------------------------------------------------------


def loads(side="none"):
    """Ground forces of the made-up stride as `export` writes them."""
    return export(made(side), own_names.folder, strides=3)[1]


KEPT = ("stride_time_s", "contact_time_s", "step_length_m", "peak_vgrf_bw", "braking_impulse_bw_s")
ANGLES = ("knee_flexion_touchdown_deg", "foot_progression_touchdown_deg", "psis_angle_deg")


def close(found, side="none"):
    own = flat(outcomes(made(side)))
    columns = [
        c for c in own if c.rsplit("_left")[0].rsplit("_right")[0] in KEPT + ANGLES and np.isfinite(own[c])
    ]
    assert len(columns) >= 9
    for column in columns:
        within = (
            0.5
            if "deg" in column
            else 0.005
            if column.endswith(("_s_left", "_s_right")) and "bw" not in column
            else 0.02 * abs(own[column]) + 1e-3
        )
        assert found.mean_and_sd(column)[0] == pytest.approx(own[column], abs=within), column


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_marker_file_gives_the_strides_own_outcomes(folder, end):
    time, places = trajectories()
    file = trc(
        folder / "a.trc", time, {n: 1e3 * p[:, [0, 2, 1]] * [1, 1, -1] for n, p in places.items()}, end=end
    )
    found = measure(file, loads(), case())
    assert found.ground == "overground" and len(found.table) == 2
    close(found)
    assert max(found.residual_mm.values()) < 2.0
    alone = measure(file, None, case())
    assert "by the motion alone" in " ".join(alone.notes)
    assert alone.mean_and_sd("stride_time_s")[0] == pytest.approx(made().attrs["stride_time_s"], abs=0.005)


def test_a_laboratorys_file_with_its_plates_gives_them_too(folder):
    time, places = trajectories()
    places |= {"*1": np.ones((len(time), 3))}
    rate = 5 / (time[1] - time[0])
    fast = np.arange(5 * len(time)) / rate
    forces = read(loads())

    def at(values):
        rows = [np.interp(fast, forces.time_s, row) for row in np.atleast_2d(values.T)]
        return np.column_stack(rows) if values.ndim > 1 else rows[0]

    plates = [(at(p.force_n), at(p.point_m), at(p.free_nm)) for p in forces.plates]
    file = c3d(folder / "a.c3d", time, places, plates, rate=rate)
    found = measure(file, None, case())
    said = " ".join(found.notes)
    assert "1 points have no name" in said and "forces of the plates point down" in said
    close(found)
    other = measure(trc(folder / "b.trc", time, trajectories()[1], unit="m"), file, case())
    close(other)


def test_the_command_prints_residuals_and_writes_them(folder, capsys):
    time, places = trajectories("video keypoints")
    trc(folder / "a.trc", time, places, unit="m")
    (folder / "runner.toml").write_text(
        '[runner]\nmass_kg = 75\nheight_m = 1.75\nsex = "male"\n'
        '[amputation]\nside = "none"\n[task]\nspeed_m_s = 3.0\n'
    )
    said = [
        "measure",
        str(folder / "a.trc"),
        "--runner",
        str(folder / "runner.toml"),
        "--out",
        str(folder / "o"),
    ]
    assert cli.main(said) == 0
    out = capsys.readouterr().out
    assert "RMS, mm" in out and "RKnee" in out and "note: names of markers as of video keypoints" in out
    assert cli.main([*said, "--json"]) == 0
    file = json.loads(capsys.readouterr().out)["file"]
    assert set(read_measured(file).residual_mm) == set(places)
    assert cli.main([*said, "--markers", str(folder / "runner.toml")]) == 2
    assert "runner.toml: runner: no marker is called that" in capsys.readouterr().err


# --- C3D --------------------------------------------------------------------------------------------------


def test_c3d_without_its_reader_is_a_sentence(folder, monkeypatch):
    (folder / "a.c3d").write_bytes(b"\x02\x50" + bytes(1022))
    monkeypatch.setitem(sys.modules, "ezc3d", None)
    with pytest.raises(InputError, match=r"a.c3d: C3D is read by ezc3d, .* pip install 'bladerun\[c3d\]'"):
        read(folder / "a.c3d")
    (folder / "b.c3d").write_bytes(b"not this")
    with pytest.raises(InputError, match="not a C3D file, whose second byte is 50"):
        read(folder / "b.c3d")


def test_c3d_in_metres_with_y_up_and_gaps(folder):
    time = np.arange(50) / 100
    places = {
        "A": np.column_stack([time, 1 + 0 * time, 0.1 + 0 * time]),
        "B": np.column_stack([time, 0 * time, 0.1 + 0 * time]),
    }
    places["B"][5] = np.nan
    force = np.column_stack([10 * time, 800 * time, -5 * time])
    centre = np.column_stack([time, 0.1 * time, 0 * time])
    found = read(c3d(folder / "a.c3d", time, places, unit="m"))
    np.testing.assert_allclose(found.position_m["A"], places["A"][:, [0, 2, 1]] * [1, -1, 1], atol=1e-6)
    assert np.flatnonzero(np.isnan(found.position_m["B"]).any(1)).tolist() == [5] and found.forces is None
    upright = {name: place[:, [0, 2, 1]] for name, place in places.items()}
    turned = c3d(folder / "b.c3d", time, upright, [(force[:, [0, 2, 1]], centre, 3 * time)])
    (plate,) = read(turned).forces.plates
    np.testing.assert_allclose(plate.force_n, force[:, [0, 2, 1]], atol=1e-3)
    np.testing.assert_allclose(plate.point_m[1:], centre[1:], atol=1e-5)
    np.testing.assert_allclose(plate.free_nm, 3 * time, atol=1e-3)


def test_c3d_that_is_cut_off_is_a_sentence(folder):
    time, places = trajectories()
    whole = c3d(folder / "a.c3d", time, places).read_bytes()
    (folder / "b.c3d").write_bytes(whole[: len(whole) // 3])
    with pytest.raises(InputError, match=r"b.c3d: cut short: \d+ bytes of the \d+"):
        read(folder / "b.c3d")


# --- Moments ----------------------------------------------------------------------------------------------


def test_moments_are_those_that_the_motion_and_the_ground_ask_for():
    """Against forces on the feet and MuJoCo's inverse dynamics, at the knots of the stride itself."""
    found = measure(*export(made(), own_names.folder, strides=4)[:2], case())
    stride = found.strides[1]
    tau = stride.tau.sel(joint="knee_flexion_r").values
    assert np.isfinite(tau).all()
    # The knee, by hand: ground force about it, the leg below held still against gravity and acceleration
    k = int(np.argmax(stride.grf.sel(side="right", xyz="z").values))
    knee = stride.site_position.sel(site="knee_r").values[k]
    arm = stride.cop.sel(side="right").values[k] - knee
    force = stride.grf.sel(side="right").values[k]
    axis = stride.joint_axis_world.sel(joint="knee_flexion_r").values[k]
    assert tau[k] == pytest.approx(-axis @ np.cross(arm, force), abs=0.25 * abs(tau).max())


def test_what_stands_still_leaves_nothing_over(folder):
    """A runner who hangs still while two plates carry the weight: no residual force."""
    from bladerun.motion.moments import joint_moments
    from bladerun.motion.posed import pose
    from bladerun.motion.records import Motion

    model, count = built(), 40
    names = [
        n for n, part in zip(model.joints, model.joint_data.part, strict=True) if part not in ("tendon",)
    ]
    still = Motion(np.arange(count) / 100, {n: np.zeros(count) for n in names[3:]}, np.ones((count, 3)))
    posed = pose(still, model)
    q = np.nan_to_num(posed.q)
    data = mujoco.MjData(model.mj)
    data.qpos[:] = q[0]
    mujoco.mj_kinematics(model.mj, data)
    mujoco.mj_comPos(model.mj, data)
    half = np.array([0.0, 0.0, model.mass_kg * 9.81 / 2])
    force = np.tile(half, (count, 2, 1))
    x, y = data.subtree_com[0][:2]
    feet = np.array([[x, y - 0.1, 0.0], [x, y + 0.1, 0.0]])
    tau = joint_moments(
        posed, (q, 0 * q, 0 * q), (force, np.tile(feet, (count, 1, 1)), np.zeros((count, 2))), 0.4
    )
    over = left_over(tau)
    assert over[0] < 0.01 and over[1] < 0.1
    lost = Forces(np.arange(count) / 100, (Plate("a", "", force[:, 0], np.full((count, 3), np.nan)),))
    assert lost.plates[0].free_nm is None
    nowhere = joint_moments(
        posed, (q, 0 * q, 0 * q), (force, np.full((count, 2, 3), np.nan), np.zeros((count, 2))), 0.4
    )
    assert np.isnan(nowhere).all()
