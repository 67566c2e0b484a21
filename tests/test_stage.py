"""What is drawn beside the runner: arrows, marks, shade, ghost and muscles, as shapes of the scene."""

import math

import mujoco
import numpy as np
import pytest

from bladerun.gait.events import Leg
from bladerun.show import _stage
from models import muscled
from strides.synthetic import PERIOD, SPEED, WEIGHT, XML, stride

IN_CONTACT = PERIOD * 20 / 180  # a knot of the made-up stride in which the right foot carries


def scene_of(model=None):
    """A scene without a screen, and for a model what moves in it, posed."""
    model = model or mujoco.MjModel.from_xml_string(XML)
    scene, data = mujoco.MjvScene(model, maxgeom=2000), mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    everything = mujoco.mjtCatBit.mjCAT_ALL.value
    mujoco.mjv_updateScene(model, data, mujoco.MjvOption(), None, mujoco.MjvCamera(), everything, scene)
    return scene


def shapes(scene, kind):
    return [geom for geom in scene.geoms[: scene.ngeom] if geom.type == kind]


@pytest.mark.parametrize("side", ["right", "left"])
def test_the_arrow_is_half_a_metre_a_body_weight_from_the_pressure_along_the_force(side):
    made = stride(fore_aft=lambda share: 0.2 * np.cos(np.pi * share))
    at = 20 if side == "right" else 110
    force = made.grf.sel(side=side).values[at]
    foot = made.cop.sel(side=side).values[at]
    assert force[2] > 500 and abs(force[0]) > 50
    scene = scene_of()
    before = scene.ngeom
    _stage._draw_force(scene, Leg(made, side), float(made.time[at]))
    (arrow,) = scene.geoms[before : scene.ngeom]
    assert arrow.type == mujoco.mjtGeom.mjGEOM_ARROW
    np.testing.assert_allclose(arrow.pos, foot, atol=2e-3)
    assert arrow.size[2] == pytest.approx(0.5 * np.linalg.norm(force) / WEIGHT, rel=5e-3)
    np.testing.assert_allclose(arrow.mat[:, 2], force / np.linalg.norm(force), atol=5e-3)


def test_a_foot_in_the_air_has_no_arrow_and_one_that_carries_30_n_has():
    made = stride()
    for load, drawn in ((29.0, 0), (31.0, 1)):
        light = made.copy(deep=True)
        light.grf[:] = [0.0, 0.0, load]
        light["contact_force"] = (made.contact_force.dims, light.grf.values)
        scene = scene_of()
        before = scene.ngeom
        leg = Leg(made, "right")
        leg.force = [lambda t, n=n: n for n in (0.0, 0.0, load)]
        _stage._draw_force(scene, leg, IN_CONTACT)
        assert scene.ngeom - before == drawn


@pytest.mark.parametrize("forward", [0.0, 7.6])
def test_every_metre_is_marked_and_every_fifth_right_across_the_lane(forward):
    scene = scene_of()
    before = scene.ngeom
    _stage._draw_marks(scene, forward)
    marks = scene.geoms[before : scene.ngeom]
    along = [mark for mark in marks if mark.size[0] > 1]
    assert sorted(mark.pos[1] for mark in along) == pytest.approx([-0.61, 0.61])  # 1.22 m, athletics' lanes
    assert all(mark.pos[0] == pytest.approx(forward) and mark.size[0] >= 10 for mark in along)
    across = {}
    for mark in (mark for mark in marks if mark.size[0] < 1):
        across.setdefault(round(float(mark.pos[0])), []).append((mark.pos[1], mark.size[1]))
        assert mark.pos[0] == round(float(mark.pos[0]))
    assert list(across) == list(range(int(forward) - 10, int(forward) + 11))
    for metre, pair in across.items():
        inside = sorted(abs(middle) - half for middle, half in pair)
        outside = [abs(middle) + half for middle, half in pair]
        assert outside == pytest.approx([0.61, 0.61]) and {np.sign(middle) for middle, _ in pair} == {-1, 1}
        assert inside == pytest.approx([0.0, 0.0] if metre % 5 == 0 else [0.49, 0.49], abs=1e-6)


@pytest.mark.parametrize("slope", [0.0, 0.1])
def test_the_shade_is_each_moving_part_straight_below_and_flat(slope):
    """Below as a plumb line says it: on a slope that rises forward, further back for what is higher."""
    scene, up = scene_of(), np.array([slope, 0.0, 1.0]) / math.hypot(slope, 1.0)
    parts = [(g.type, g.pos.copy(), g.size.copy(), g.mat.copy()) for g in scene.geoms[: scene.ngeom]]
    moving = [
        part
        for part, g in zip(parts, scene.geoms[: scene.ngeom], strict=True)
        if g.category == mujoco.mjtCatBit.mjCAT_DYNAMIC and g.objtype == mujoco.mjtObj.mjOBJ_GEOM
    ]
    assert len(moving) > 10
    before = scene.ngeom
    _stage._draw_shade(scene, up)
    shade = scene.geoms[before : scene.ngeom]
    assert len(shade) == len(moving)
    for flat, (kind, pos, size, mat) in zip(shade, moving, strict=True):
        assert flat.type == kind
        np.testing.assert_allclose(flat.pos[:2], [pos[0] - slope * pos[2], pos[1]], atol=1e-6)
        assert 0 < flat.pos[2] < 0.01  # on the ground, before its colour
        np.testing.assert_allclose(flat.size, size)
        np.testing.assert_allclose(flat.mat[:2], [mat[0] - slope * mat[2], mat[1]], atol=1e-6)
        assert np.abs(flat.mat[2]).max() < 0.01


@pytest.mark.parametrize("time", [0.0, 0.31])
def test_a_ghost_is_in_step_and_runs_along(time):
    """Of one whose stride takes twice as long at a quarter of the speed: the same place and posture."""
    made = stride(angles={"hip_flexion_l": lambda t: 0.4 * np.sin(2 * np.pi * t / PERIOD)})
    slower = made.assign_coords(time=2 * made.time)
    slower.attrs |= {"stride_time_s": 2 * PERIOD, "speed_m_s": SPEED / 4}
    q = made.q.values.copy()
    q[:, 0] = SPEED / 4 * slower.time.values
    slower["q"] = (made.q.dims, q)
    places = []
    for other in (made, slower):
        scene = scene_of()
        before = scene.ngeom
        _stage._ghost(other, made)(scene, time)
        ghost = scene.geoms[before : scene.ngeom]
        places.append(np.array([geom.pos for geom in ghost]))
        assert len(ghost) > 10 and all(g.rgba[2] > 2 * g.rgba[0] and 0.2 < g.rgba[3] < 0.8 for g in ghost)
        assert all(geom.matid == -1 and geom.rgba.max() <= 1 for geom in ghost)
    np.testing.assert_allclose(places[0], places[1], atol=2e-3)
    assert np.median(places[0][:, 0]) == pytest.approx(SPEED * time, abs=0.2)


def test_muscles_are_coloured_by_their_activation_and_the_skin_is_a_veil():
    made = muscled.stride(side="right", knots=20)
    model = muscled.model("right").mj
    share = np.linspace(0, 1, made.sizes["muscle"])
    made["activation"] = made.activation * 0 + share
    socket = model.mat("socket").id
    before, stiff = model.geom_rgba.copy(), model.geom_matid == socket
    try:
        _stage._muscles(made, model)(0.1)
        rest, active = np.array([0.90, 0.92, 0.95]), np.array([0.70, 0.0, 0.10])
        for name, value in zip(made.muscle.values, share, strict=True):
            colour = model.tendon_rgba[int(model.actuator(str(name)).trnid[0]), :3]
            np.testing.assert_allclose(colour, rest + value * (active - rest), atol=1e-6)
        legs = {model.body(name).id for name in ("pelvis", "thigh_r", "thigh_l", "shank_r", "shank_l")}
        for g in range(model.ngeom):
            veiled = model.geom_bodyid[g] in legs and model.geom_group[g] == 1 and not stiff[g]
            assert (model.geom_rgba[g, 3] < 0.3) == veiled or before[g, 3] < 0.3, model.geom(g).name
    finally:
        model.geom_rgba[:] = before


@pytest.mark.gl
def test_camera_and_marks_run_along_and_a_blade_is_seen_from_its_own_side(monkeypatch):
    """Where it stands: to the right of who runs on a right blade, to the left of who runs on a left one."""
    update, seen = mujoco.mjv_updateScene, []
    monkeypatch.setattr(mujoco, "mjv_updateScene", lambda *given: seen.append(given[4]) or update(*given))
    feet, metres = [], []
    monkeypatch.setattr(_stage, "_draw_force", lambda scene, leg, time: feet.append((leg.side, time)))
    monkeypatch.setattr(_stage, "_draw_marks", lambda scene, forward: metres.append(forward))
    for side, way in (("right", 1), ("left", -1)):
        with _stage.stage(stride(affected=side), (32, 24), "side") as draw:
            draw(0.5)
            camera = seen.pop()
            assert sorted(feet) == [("left", 0.5), ("right", 0.5)] and metres == [SPEED * 0.5]
            feet.clear(), metres.clear()
            assert camera.azimuth == way * 75.0 and camera.elevation == -8.0
            np.testing.assert_allclose(camera.lookat, [SPEED * 0.5, 0.0, 0.85])


@pytest.mark.gl
@pytest.mark.parametrize("view", ["side", "behind"])
def test_a_picture_is_drawn_to_all_its_edges(view):
    with _stage.stage(muscled.stride(side="right", knots=20), (64, 48), view) as draw:
        picture = draw(0.1).astype(int)
    assert picture.shape == (48, 64, 3)
    for edge, inside in ((picture[:, 0], picture[:, 1]), (picture[:, -1], picture[:, -2])):
        assert np.abs(edge - inside).mean() < 8 and edge.mean() > 40
    assert picture[:12].mean(axis=(0, 1))[2] > picture[-12:].mean(axis=(0, 1))[2]  # sky above, track below


@pytest.mark.gl
def test_a_left_blade_is_lit_as_a_right_one_in_a_mirror(monkeypatch):
    update, seen = mujoco.mjv_updateScene, []
    monkeypatch.setattr(mujoco, "mjv_updateScene", lambda *given: seen.append(given[0]) or update(*given))
    for side in ("right", "left"):
        with _stage.stage(muscled.stride(side=side, knots=20), (32, 24), "side", muscles=False) as draw:
            draw(0.1)
    right, left = seen
    assert np.abs(right.light_dir[:, 1]).max() > 0.05 and np.abs(right.light_pos[:, 1]).max() > 0.05
    np.testing.assert_allclose(left.light_dir, right.light_dir * [1, -1, 1])
    np.testing.assert_allclose(left.light_pos, right.light_pos * [1, -1, 1])
