"""Files for OpenSim mean there what they mean here: by hand, and in OpenSim itself where it is installed."""

from xml.etree import ElementTree

import mujoco
import numpy as np
import pytest

from bladerun.errors import InputError
from bladerun.gait.opensim import export, read
from models import muscled

TURN = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])  # x forward, y up, z to the right, of x, left, up
MIRRORED = {"flexion": (0, 0, 1), "adduction": (1, 0, 0), "rotation": (0, 1, 0)}
USUAL = {  # axes of coordinates as OpenSim's models of running have them (Rajagopal 2016, Hamner 2010)
    "pelvis": {"pelvis_tilt": (0, 0, 1), "pelvis_list": (1, 0, 0), "pelvis_rotation": (0, 1, 0)},
    "torso": {"lumbar_extension": (0, 0, 1), "lumbar_bending": (1, 0, 0), "lumbar_rotation": (0, 1, 0)},
}
for s, sign in (("r", 1), ("l", -1)):
    for body, joint in (("thigh", "hip"), ("upper_arm", "shoulder")):
        USUAL[f"{body}_{s}"] = {
            f"{joint}_{turn}_{s}": tuple(np.multiply(axis, 1 if turn == "flexion" else sign))
            for turn, axis in MIRRORED.items()
        }
    USUAL[f"shank_{s}"] = {f"knee_flexion_{s}": (0, 0, -1)}
    USUAL[f"forearm_{s}"] = {f"elbow_flexion_{s}": (0, 0, 1)}
    USUAL[f"foot_{s}"] = {}  # only its joint's place is compared


@pytest.fixture(scope="module")
def stride():
    return _moving(muscled.stride(side="none", knots=20))


@pytest.fixture(scope="module")
def bladed():
    return _moving(muscled.stride(side="right", knots=20))


@pytest.fixture(scope="module")
def files(stride, tmp_path_factory):
    folder = tmp_path_factory.mktemp("opensim")
    return {path.name: path for path in export(stride, folder)}


def _moving(made):
    """The same with pelvis, trunk and arms turned every way, and where that takes the body's points."""
    rng, mj = np.random.default_rng(1), muscled.model(made.attrs["amputation_side"]).mj
    q = made.q.values.copy()
    turned = made.joint_part.isin(["pelvis", "trunk", "arm"]).values & (np.arange(mj.nv) > 2)
    q[:, turned] += rng.uniform(-0.4, 0.4, (len(q), turned.sum()))
    q[:, 1:3] += rng.uniform(-0.05, 0.02, (len(q), 2))
    data, sites, axes = mujoco.MjData(mj), np.zeros((len(q), mj.nsite, 3)), np.zeros((len(q), mj.nv, 3))
    for k in range(len(q)):
        data.qpos[:] = q[k]
        mujoco.mj_kinematics(mj, data)
        sites[k], axes[k] = data.site_xpos, data.xaxis
    return made.assign(
        q=(made.q.dims, q),
        site_position=(made.site_position.dims, sites),
        joint_axis_world=(made.joint_axis_world.dims, axes),
        tau=(made.tau.dims, rng.normal(size=q.shape)),
    )


def _tree(mj):
    """(body, parent, offset from its origin) in OpenSim's frame; the pelvis's is midway between the ASIS."""
    asis = mj.site_pos[[mj.site("asis_r").id, mj.site("asis_l").id]].mean(0)
    for name in USUAL:
        if name != "pelvis" and mujoco.mj_name2id(mj, mujoco.mjtObj.mjOBJ_BODY, name) >= 0:
            parent = mj.body(mj.body_parentid[mj.body(name).id]).name
            yield name, parent, TURN @ (mj.body_pos[mj.body(name).id] - (asis if parent == "pelvis" else 0))


def _ours(stride):
    """Places (N, 3) of bodies' first joints in OpenSim's frame."""
    mj = muscled.model(stride.attrs["amputation_side"]).mj
    data, found = mujoco.MjData(mj), {name: [] for name, *_ in _tree(mj)}
    for q in stride.q.values:
        data.qpos[:] = q
        mujoco.mj_kinematics(mj, data)
        for name, places in found.items():
            places.append(TURN @ data.xanchor[mj.body(name).jntadr[0]])
    return {name: np.array(places) for name, places in found.items()}


def _about(axis, degrees):
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.radians(degrees)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def _posed_by_hand(mj, motion, row):
    place = {"pelvis": np.array([motion[f"pelvis_t{axis}"][row] for axis in "xyz"])}
    turn = {"pelvis": np.eye(3)}
    for name, parent, offset in [("pelvis", None, None), *_tree(mj)]:
        if parent:
            place[name], turn[name] = place[parent] + turn[parent] @ offset, turn[parent]
        for coordinate, axis in USUAL[name].items():
            turn[name] = turn[name] @ _about(axis, motion[coordinate][row])
    return place


@pytest.mark.parametrize("which", ["stride", "bladed"])
def test_a_body_with_the_usual_axes_takes_our_posture(which, request, tmp_path):
    stride = request.getfixturevalue(which)
    _, motion, _ = read(export(stride, tmp_path)[0])
    mj, ours = muscled.model(stride.attrs["amputation_side"]).mj, _ours(stride)
    for row in range(stride.sizes["time"]):
        found = _posed_by_hand(mj, motion, row)
        for name, places in ours.items():
            np.testing.assert_allclose(found[name], places[row], atol=1e-9, err_msg=name)


def test_the_pelvis_is_at_its_height(tmp_path):
    standing = muscled.stride(side="none", knots=20)
    _, motion, _ = read(export(standing, tmp_path)[0])
    assert ((motion["pelvis_ty"] > 0.96) & (motion["pelvis_ty"] < 1.04)).all()


def test_every_number_has_the_unit_of_its_header(bladed, tmp_path):
    paths = {path.name: path for path in export(bladed, tmp_path)}
    assert set(paths) == {"model.osim", "motion.mot", "ground_forces.mot", "moments.sto", "activations.sto"}
    time, motion, degrees = read(paths["motion.mot"])
    assert degrees and (time == bladed.time.values).all()
    _, moments, degrees = read(paths["moments.sto"])
    assert not degrees
    slides = {"achilles_l", "socket_pistoning_r"}
    for i, name in enumerate(map(str, bladed.joint.values)):
        if not name.startswith("pelvis_"):
            q, tau = bladed.q.values[:, i], bladed.tau.values[:, i]
            np.testing.assert_allclose(motion[name], q if name in slides else np.degrees(q), rtol=1e-14)
            assert (moments[f"{name}_force" if name in slides else f"{name}_moment"] == tau).all()
    _, activation, _ = read(paths["activations.sto"])
    assert (np.column_stack(list(activation.values())) == bladed.activation.values).all()


def test_tilt_is_backward_and_list_right_hip_down_as_in_opensim(stride, files):
    _, motion, _ = read(files["motion.mot"])
    for name, sign in (("pelvis_tilt", -1), ("pelvis_list", -1), ("pelvis_rotation", 1)):
        ours = np.degrees(stride.q.sel(joint=name).values)
        np.testing.assert_allclose(motion[name], sign * ours, rtol=1e-14)


@pytest.mark.parametrize(
    ("joint", "moves"),
    [
        ("pelvis_tx", (0.1, 0, 0)), ("pelvis_ty", (0, 0, -0.1)), ("pelvis_tz", (0, 0.1, 0)),
        ("pelvis_tilt", None), ("pelvis_list", None), ("pelvis_rotation", None),
    ],
)  # fmt: skip
def test_each_coordinate_of_the_pelvis_alone(tmp_path, joint, moves):
    """0.1 m or rad of one of ours, from standing; there x is forward, y up, z right, tilt backward, list
    right hip down, rotation right hip forward. Its point lies ahead of the hips, and turns with it."""
    columns = [f"pelvis_t{axis}" for axis in "xyz"] + ["pelvis_tilt", "pelvis_list", "pelvis_rotation"]
    made = muscled.stride(side="none", knots=8)
    mj, data = muscled.model("none").mj, mujoco.MjData(muscled.model("none").mj)
    q, sites = 0 * made.q.values, np.zeros(made.site_position.shape)
    for k, value in enumerate((0.0, 0.1)):
        q[k, made.joint.values.tolist().index(joint)] = value
        data.qpos[:] = q[k]
        mujoco.mj_kinematics(mj, data)
        sites[k] = data.site_xpos
    posed = made.assign(q=(made.q.dims, q), site_position=(made.site_position.dims, sites))
    _, motion, _ = read(export(posed, tmp_path)[0])
    rows = {name: motion[name][1] - motion[name][0] for name in columns}
    if moves is not None:
        expected = dict(zip(columns, [*moves, 0, 0, 0], strict=True))
        assert rows == pytest.approx(expected, abs=1e-9)
        return
    asis = mj.site_pos[[mj.site("asis_r").id, mj.site("asis_l").id]].mean(0)
    assert asis[0] > 0.02 and abs(asis[1]) < 1e-9
    degrees, sign = np.degrees(0.1), {"pelvis_rotation": 1.0}.get(joint, -1.0)
    assert {name: rows[name] for name in columns[3:]} == pytest.approx(
        {name: sign * degrees if name == joint else 0.0 for name in columns[3:]}
    )
    ahead, up = asis[0], asis[2]
    forward, upward, right = {  # tilt pitches the ASIS down, rotation turns them to the left
        "pelvis_tilt": (up * np.sin(0.1) - ahead * (1 - np.cos(0.1)),
                        -ahead * np.sin(0.1) - up * (1 - np.cos(0.1)), 0.0),
        "pelvis_list": (0.0, -up * (1 - np.cos(0.1)), -up * np.sin(0.1)),
        "pelvis_rotation": (-ahead * (1 - np.cos(0.1)), 0.0, -ahead * np.sin(0.1)),
    }[joint]  # fmt: skip
    assert [rows[name] for name in columns[:3]] == pytest.approx([forward, upward, right], abs=1e-9)


def test_the_centre_of_pressure_is_forward_and_to_the_right_on_the_ground(tmp_path):
    made = muscled.stride(side="none", knots=8)
    mine = np.flatnonzero(made.contact_side.values == "right")
    push, spot = 0 * made.contact_force.values, 0 * made.contact_position.values
    push[3, mine[0]], push[3, mine[1]] = [10.0, 20.0, 300.0], [0.0, 0.0, 100.0]
    spot[3, mine[0]], spot[3, mine[1]] = [1.0, -0.2, 0.01], [2.0, 0.2, 0.02]
    spot[0, mine] = [5.0, -0.3, 0.4]  # in the air
    pressed = made.assign(
        contact_force=(made.contact_force.dims, push), contact_position=(made.contact_position.dims, spot)
    )
    _, found, _ = read(export(pressed, tmp_path)[1])
    at = [[found[f"right_ground_force_{what}{axis}"][3] for axis in "xyz"] for what in "vp"]
    assert at[0] == pytest.approx([10.0, 400.0, -20.0])
    assert at[1] == pytest.approx([1.25, 0.0, 0.1])  # (300 x 1 + 100 x 2) / 400 ahead, 0.1 m to the right
    in_air = [found[f"right_ground_force_p{axis}"][0] for axis in "xyz"]
    assert in_air == pytest.approx([5.0, 0.0, 0.3])
    # about that point, in this project's axes: arms (-0.25, -0.1, 0.01) and (0.75, 0.3, 0.02)
    turning = np.cross([-0.25, -0.1, 0.01], [10, 20, 300]) + np.cross([0.75, 0.3, 0.02], [0, 0, 100])
    torque = [found[f"right_ground_torque_{axis}"][3] for axis in "xyz"]
    assert torque == pytest.approx([turning[0], turning[2], -turning[1]])
    assert not any(found[f"left_ground_force_v{axis}"].any() for axis in "xyz")


def test_forces_on_the_pelvis_do_the_work_there_that_they_do_here(stride, files):
    _, given, _ = read(files["moments.sto"])
    mj, rng = muscled.model("none").mj, np.random.default_rng(2)
    data, asis = mujoco.MjData(mj), [mj.site("asis_r").id, mj.site("asis_l").id]
    for k in range(stride.sizes["time"]):
        data.qpos[:] = stride.q.values[k]
        mujoco.mj_kinematics(mj, data)
        mujoco.mj_comPos(mj, data)
        jacobian, rates = np.zeros((2, 3, mj.nv)), rng.normal(size=6)
        for j, site in zip(jacobian, asis, strict=True):
            mujoco.mj_jacSite(mj, data, j, None, site)
        along = TURN @ jacobian.mean(0)[:, :6] @ rates
        force = [given[f"pelvis_t{axis}_force"][k] for axis in "xyz"]
        turning = [given[f"pelvis_{name}_moment"][k] for name in ("tilt", "list", "rotation")]
        work = force @ along + turning @ (rates[3:] * [-1, -1, 1])
        np.testing.assert_allclose(work, stride.tau.values[k, :6] @ rates, rtol=1e-10)


def test_the_ground_acts_under_the_feet_as_it_does_here(stride, files):
    _, found, _ = read(files["ground_forces.mot"])
    for side in ("right", "left"):
        mine = stride.contact_side.values == side
        forces = stride.contact_force.values[:, mine] @ TURN.T
        places = stride.contact_position.values[:, mine] @ TURN.T
        force, point, torque = (
            np.column_stack([found[f"{side}_ground_{what}{axis}"] for axis in "xyz"])
            for what in ("force_v", "force_p", "torque_")
        )
        np.testing.assert_allclose(force, forces.sum(1), atol=1e-9)
        whole = np.cross(places, forces).sum(1)
        np.testing.assert_allclose(np.cross(point, force) + torque, whole, atol=1e-9)
        assert (point[:, 1] == 0).all() and (force[:, 1] == 0).any()
        assert (np.linalg.norm(point - places.mean(1), axis=1)[:, None] < 0.2 + places[:, :, 1]).all()


def test_what_has_no_pelvis_is_a_sentence(stride, tmp_path):
    with pytest.raises(InputError, match=r"not the stride of a runner: .*ASIS"):
        export(stride.sel(site=["hip_r"]), tmp_path)


def test_other_files_are_a_sentence(tmp_path):
    (tmp_path / "x.mot").write_text("no such thing")
    with pytest.raises(InputError, match="not an OpenSim storage file"):
        read(tmp_path / "x.mot")


# --- The body, and even rows ------------------------------------------------------------------------------


def _frames(document, motion, row):
    """Pose (4, 4) of every body of an `.osim` by the coordinates of a row, as OpenSim defines its joints."""
    pose = {"/ground": np.eye(4)}
    for joint in document.find("Model/JointSet/objects"):
        inner, outer = (_offset(frame) for frame in joint.find("frames"))
        child = joint.find("frames")[1].findtext("socket_parent")
        turn = np.eye(4)
        for kind in ("rotation", "translation"):
            for axis in joint.iterfind("SpatialTransform/TransformAxis"):
                name = axis.findtext("coordinates")
                if axis.get("name").startswith(kind) and name:
                    along = np.array(axis.findtext("axis").split(), float)
                    if kind == "rotation":
                        turn[:3, :3] = turn[:3, :3] @ _about(along, motion[name][row])
                    else:
                        turn[:3, 3] += along * motion[name][row]
        parent = joint.find("frames")[0].findtext("socket_parent")
        pose[child] = pose[parent] @ inner @ turn @ np.linalg.inv(outer)
    return pose


def _offset(frame):
    pose = np.eye(4)
    pose[:3, 3] = np.array(frame.findtext("translation").split(), float)
    for axis, angle in zip(np.eye(3), map(float, frame.findtext("orientation").split()), strict=True):
        pose[:3, :3] = pose[:3, :3] @ _about(axis, np.degrees(angle))
    return pose


@pytest.mark.parametrize("which", ["stride", "bladed"])
def test_the_bodies_markers_are_where_the_strides_points_are(which, request, tmp_path):
    stride = request.getfixturevalue(which)
    paths = {path.name: path for path in export(stride, tmp_path)}
    document, (_, motion, _) = ElementTree.parse(paths["model.osim"]), read(paths["motion.mot"])
    markers = document.findall("Model/MarkerSet/objects/Marker")
    assert {"asis_r", "psis_l", "knee_r", "toe_l" if which == "bladed" else "toe_r"} <= {
        marker.get("name") for marker in markers
    }
    for row in (0, stride.sizes["time"] // 2):
        pose = _frames(document, motion, row)
        for marker in markers:
            local = np.array([*marker.findtext("location").split(), 1.0], float)
            found = (pose[marker.findtext("socket_parent_frame")] @ local)[:3]
            ours = TURN @ stride.site_position.sel(site=marker.get("name")).values[row]
            np.testing.assert_allclose(found, ours, atol=1e-9, err_msg=marker.get("name"))


def test_the_bodies_have_their_masses(bladed, tmp_path):
    document = ElementTree.parse(next(p for p in export(bladed, tmp_path) if p.name == "model.osim"))
    mj = muscled.model("right").mj
    bodies = {each.get("name"): each for each in document.findall("Model/BodySet/objects/Body")}
    for i in range(1, mj.nbody):
        body = bodies.pop(mj.body(i).name)
        assert float(body.findtext("mass")) == mj.body_mass[i]
        xx, yy, zz, xy, xz, yz = map(float, body.findtext("inertia").split())
        values = np.linalg.eigvalsh([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
        np.testing.assert_allclose(values, np.sort(mj.body_inertia[i]), rtol=1e-6)
    assert all(float(body.findtext("mass")) == 0 for body in bodies.values())


def test_even_rows_lie_on_the_same_curves(stride, files, tmp_path):
    own, motion, _ = read(files["motion.mot"])
    even = {path.name: path for path in export(stride, tmp_path, 3, rate_hz=100)}
    time, found, _ = read(even["motion.mot"])
    period, speed = stride.attrs["stride_time_s"], stride.attrs["speed_m_s"]
    np.testing.assert_allclose(np.diff(time), 0.01, rtol=1e-9)
    assert 3 * period - 0.01 <= time[-1] < 3 * period
    ran = np.interp(time % period, own, motion["pelvis_tx"] - speed * own, period=period) + speed * time
    assert np.abs(found["pelvis_tx"] - ran).max() < 0.05
    _, ground, _ = read(even["ground_forces.mot"])
    _, pressed, _ = read(files["ground_forces.mot"])
    for name, values in ground.items():
        if "force_v" in name:
            assert pressed[name].min() <= values.min() and values.max() <= pressed[name].max()


@pytest.mark.parametrize("rate", [0, -5, 0.5, float("nan")])
def test_too_few_rows_are_refused(rate, stride, tmp_path):
    with pytest.raises(InputError, match=r"rate_hz: .* from .* rows a second"):
        export(stride, tmp_path / "none", rate_hz=rate)


# --- In OpenSim itself -----------------------------------------------------------------------------------


def test_opensim_reads_the_same_numbers(files):
    opensim = pytest.importorskip("opensim", reason="pip install 'bladerun[opensim]'")
    for path in (path for name, path in files.items() if name != "model.osim"):
        _, columns, degrees = read(path)
        table = opensim.TimeSeriesTable(str(path))
        assert list(table.getColumnLabels()) == list(columns)
        assert (table.getTableMetaDataString("inDegrees") == "yes") == degrees
        np.testing.assert_array_equal(table.getMatrix().to_numpy(), np.column_stack(list(columns.values())))


@pytest.mark.parametrize("which", ["stride", "bladed"])
def test_a_model_in_opensim_takes_our_posture(which, request, tmp_path):
    opensim = pytest.importorskip("opensim", reason="pip install 'bladerun[opensim]'")
    stride = request.getfixturevalue(which)
    path, ours = export(stride, tmp_path)[0], _ours(stride)
    model = _in_opensim(opensim, muscled.model(stride.attrs["amputation_side"]).mj)
    state = model.initSystem()
    motion = opensim.Storage(str(path))
    model.getSimbodyEngine().convertDegreesToRadians(motion)  # as its tools do: what turns, by the model
    labels = [motion.getColumnLabels().get(i) for i in range(1, motion.getColumnLabels().getSize())]
    for row in range(stride.sizes["time"]):
        values = motion.getStateVector(row).getData()
        for i, label in enumerate(labels):
            if model.getCoordinateSet().contains(label):
                model.getCoordinateSet().get(label).setValue(state, values.get(i), False)
        model.realizePosition(state)
        for name, places in ours.items():
            place = model.getBodySet().get(name).getPositionInGround(state).to_numpy()
            np.testing.assert_allclose(place, places[row], atol=1e-6, err_msg=name)


def _in_opensim(opensim, mj):
    """A model of our segments' lengths with the usual axes."""
    model, bodies = opensim.Model(), {None: None}
    for name, parent, offset in [("pelvis", None, np.zeros(3)), *_tree(mj)]:
        bodies[name] = opensim.Body(name, 1.0, opensim.Vec3(0), opensim.Inertia(1))
        model.addBody(bodies[name])
        moves = opensim.SpatialTransform()
        turns = [moves.updTransformAxis(i) for i in range(3)]
        rows = list(USUAL[name].items())
        fill = [a for a in ((0, 0, 1), (1, 0, 0), (0, 1, 0)) if all(abs(np.dot(a, r)) < 0.5 for _, r in rows)]
        for turn, (coordinate, axis) in zip(turns, [*rows, *((None, axis) for axis in fill)], strict=True):
            turn.setAxis(opensim.Vec3(*map(float, axis)))
            _driven(opensim, turn, coordinate)
        for i, axis in enumerate("xyz"):
            _driven(opensim, moves.updTransformAxis(3 + i), None if parent else f"pelvis_t{axis}")
        place, none = opensim.Vec3(*map(float, offset)), opensim.Vec3(0)
        at = f"at_{name}", bodies[parent] or model.getGround(), place, none, bodies[name], none, none
        model.addJoint(opensim.CustomJoint(*at, moves) if rows else opensim.WeldJoint(*at))
    model.finalizeConnections()
    return model


def _driven(opensim, axis, coordinate):
    if coordinate is None:
        axis.set_function(opensim.Constant(0))
        return
    names = opensim.ArrayStr()
    names.append(coordinate)
    axis.setCoordinateNames(names)
    axis.set_function(opensim.LinearFunction(1.0, 0.0))


def test_opensim_poses_the_body_as_we_do(bladed, tmp_path):
    opensim = pytest.importorskip("opensim", reason="pip install 'bladerun[opensim]'")
    paths = {path.name: path for path in export(bladed, tmp_path)}
    model = opensim.Model(str(paths["model.osim"]))
    state = model.initSystem()
    assert model.getTotalMass(state) == pytest.approx(muscled.model("right").mass_kg, abs=1e-6)
    _, motion, _ = read(paths["motion.mot"])
    for row in (0, bladed.sizes["time"] // 2):
        for coordinate in model.getCoordinateSet():
            value, turns = motion[coordinate.getName()][row], coordinate.getMotionType() == 1
            coordinate.setValue(state, np.radians(value) if turns else value, False)
        model.realizePosition(state)
        for marker in model.getMarkerSet():
            found = marker.getLocationInGround(state).to_numpy()
            ours = TURN @ bladed.site_position.sel(site=marker.getName()).values[row]
            np.testing.assert_allclose(found, ours, atol=1e-6, err_msg=marker.getName())
