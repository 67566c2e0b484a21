"""A prosthetic knee's laws and mass are the figures of models/knees/, by formula and by MuJoCo's own rods."""

import math
import tomllib
from functools import cache

import mujoco
import numpy as np
import pytest

from bladerun._lib.data_files import models_dir
from bladerun.body.knee_unit import KneeUnit, knee_units
from bladerun.body.runner import Amputation, Runner
from bladerun.fitting import Fitting
from bladerun.model import build_model
from bladerun.stride.dynamics.passive import joint_force

FRAME_RADIUS_M = 0.03


def entry(name):
    path = models_dir() / "knees" / f"{name.removesuffix('-locked')}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def figure(name, section, key):
    return entry(name)[section][key]["value"]


@cache
def built(knee, side="right", blade="j-sprint", **settings):
    fitting = Fitting(blade, knee=knee, **settings)
    return build_model(Runner(72.0, 1.78), Amputation(side, "transfemoral", 0.27), fitting).mj


def moment(mj, angle_deg, speed_rad_s=0.0):
    """What the knee's laws exert on it, Nm, flexion positive."""
    q, v = np.array([math.radians(angle_deg)]), np.array([speed_rad_s])
    return float(joint_force(mj, "knee_flexion_r", q, v)[0])


def hydraulics(knee, angle_deg, speed):
    """Nm by the law: half the damping either way, rounded where the valve changes; more towards an end."""
    total = 0.0
    for section, up in (("flexion", 1), ("extension", -1)):
        half, near = figure(knee, section, "damping_nms_rad") / 2, figure(knee, "rounding", "speed_rad_s")
        start, over = figure(knee, section, "from_deg"), figure(knee, section, "over_deg")
        y = min(max(up * (angle_deg - start) / over, 0.0), 1.0)
        rise = figure(knee, section, "rises") * y**3 * (10 - 15 * y + 6 * y**2)
        total += (half + up * half * speed / math.hypot(speed, near)) * speed * (1 + rise)
    return total


BENDING = [name for name in knee_units() if entry(name)["axis"] and not name.endswith("-locked")]
each_knee = pytest.mark.parametrize("knee", BENDING)


def test_the_catalogue_has_two_knees_one_of_which_can_be_locked_and_a_pylon():
    assert knee_units() == ("hybrid", "hybrid-locked", "hydraulic-running", "pylon")
    assert KneeUnit("hybrid-locked").title == entry("hybrid")["title"] + ", locked"
    assert KneeUnit("hybrid").title == entry("hybrid")["title"]
    assert [KneeUnit(name).bends for name in knee_units()] == [True, False, True, False]


@each_knee
@pytest.mark.parametrize("speed", [8.0, 0.6, -0.6, -8.0])
@pytest.mark.parametrize("angle_deg", [15.0, 45.0, 80.0, 110.0])
def test_the_hydraulics_take_what_the_catalogue_says(knee, angle_deg, speed):
    assert moment(built(knee), angle_deg, speed) == pytest.approx(
        -hydraulics(knee, angle_deg, speed), rel=1e-4
    )


@each_knee
@pytest.mark.parametrize(("section", "sense"), [("stop", -1), ("end", 1)])
@pytest.mark.parametrize("deep", [-1.5, 0.4, 2.0])
@pytest.mark.parametrize("into", [0.0, 2.0])
def test_each_stop_sets_in_softly_and_gives_back_less(knee, section, sense, deep, into):
    rounding = figure(knee, section, "rounding_deg")
    angle_deg, speed = figure(knee, section, "at_deg") + sense * deep * rounding, sense * into
    depth = {-1.5: 0.0, 0.4: (1.4 * rounding) ** 2 / (4 * rounding), 2.0: 2.0 * rounding}[deep]
    held = figure(knee, section, "stiffness_nm_rad") * math.radians(depth)
    expected = sense * held * (1 + figure(knee, section, "damping_s_rad") * into)
    expected += hydraulics(knee, angle_deg, speed)
    assert moment(built(knee), angle_deg, speed) == pytest.approx(-expected, rel=1e-4, abs=1e-9)
    if section == "stop":
        assert KneeUnit(knee).stop_moment_nm(np.radians([angle_deg]))[0] == pytest.approx(held, rel=1e-9)


@pytest.mark.parametrize(("knee", "section"), [("pylon", "bending"), ("hybrid-locked", "lock")])
def test_what_does_not_bend_is_a_stiff_spring_and_damper(knee, section):
    stiffness, lag = (figure(knee, section, key) for key in ("stiffness_nm_rad", "relaxation_s"))
    for angle_deg, speed in ((2.0, 0.0), (-1.0, 0.0), (0.0, 3.0), (0.5, -4.0)):
        expected = stiffness * (math.radians(angle_deg) + lag * speed)
        assert moment(built(knee), angle_deg, speed) == pytest.approx(-expected, rel=1e-6)


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("knee", knee_units())
@pytest.mark.parametrize("blade", ["j-sprint", "c-distance"])
def test_knee_and_tube_weigh_and_turn_as_two_rods_that_mujoco_weighs(knee, side, blade):
    mj, s = built(knee, side, blade), side[0]
    shank = mj.body(f"shank_{s}")
    clamped = mj.body(mj.site_bodyid[mj.site(f"blade_clamp_{s}").id])
    while mj.body_parentid[clamped.id] != shank.id:
        clamped = mj.body(mj.body_parentid[clamped.id])
    clamp_m = -float(clamped.pos[2])
    tube = tomllib.loads((models_dir() / "body.toml").read_text(encoding="utf-8"))["tube"]
    low, length = figure(knee, "build", "below_axis_m"), figure(knee, "mass", "length_m")
    assert clamp_m >= low - 1e-9
    rods = [(figure(knee, "mass", "mass_kg"), length, figure(knee, "mass", "below_axis_m"), FRAME_RADIUS_M)]
    if clamp_m - low > 1e-6:
        run = clamp_m - low
        rods.append((tube["mass_kg_m"] * run, run, low + run / 2, tube["radius_m"]))
    spec = mujoco.MjSpec()
    body = spec.worldbody.add_body(name="rods")
    for mass, long, middle, radius in rods:
        body.add_geom(
            type=mujoco.mjtGeom.mjGEOM_CYLINDER, size=[radius, long / 2, 0], pos=[0, 0, -middle], mass=mass
        )
    own = spec.compile().body("rods")
    assert shank.mass[0] == pytest.approx(own.mass[0], rel=1e-5)
    np.testing.assert_allclose(shank.ipos, own.ipos, atol=1e-6)
    np.testing.assert_allclose(np.sort(shank.inertia), np.sort(own.inertia), rtol=1e-5)
    assert KneeUnit(knee).worn_kg(clamp_m) == pytest.approx(own.mass[0], rel=1e-9)


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("knee", ["hydraulic-running", "pylon"])
def test_a_knee_is_drawn_from_the_socket_to_the_clamp_and_touches_nothing(knee, side):
    mj, s = built(knee, side), side[0]
    data = mujoco.MjData(mj)
    mujoco.mj_kinematics(mj, data)
    axis, frame = data.site(f"knee_{s}").xpos, data.body(f"shank_{s}").xmat.reshape(3, 3)
    clamp = frame.T @ (data.site(f"blade_clamp_{s}").xpos - axis)
    drawn = {}
    for name in ("unit_mount", "unit_tube", "unit_axis", "unit_frame"):
        g = mujoco.mj_name2id(mj, mujoco.mjtObj.mjOBJ_GEOM, f"{name}_{s}")
        if g < 0:
            continue
        assert mj.geom_contype[g] == mj.geom_conaffinity[g] == 0 and mj.geom_group[g] == 1
        half = data.geom_xmat[g].reshape(3, 3)[:, 2] * mj.geom_size[g, 1]
        drawn[name] = [frame.T @ (data.geom_xpos[g] + way * half - axis) for way in (-1, 1)]
    mount = sorted(drawn.pop("unit_mount"), key=np.linalg.norm)
    np.testing.assert_allclose(mount[0], 0, atol=1e-5)
    lines = {name: np.sort(np.array(ends), axis=0) for name, ends in drawn.items()}
    np.testing.assert_allclose(lines.pop("unit_tube"), [[0, 0, clamp[2]], [0, 0, 0]], atol=1e-5)
    if knee == "pylon":
        assert not lines
    else:
        np.testing.assert_allclose(lines["unit_axis"], [[0, -0.03, 0], [0, 0.03, 0]], atol=1e-5)
        assert (
            -figure(knee, "build", "below_axis_m") < lines["unit_frame"][0, 2] < lines["unit_frame"][1, 2] < 0
        )
