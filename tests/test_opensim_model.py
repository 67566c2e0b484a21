"""A body in OpenSim's file is the stride's: by hand, and in OpenSim itself where it is installed."""

from xml.etree import ElementTree

import numpy as np
import pytest

from bladerun.errors import InputError
from bladerun.gait.opensim import export, read
from models import muscled
from strides.in_opensim import TURN, USUAL, about, bladed, files, places_of, stride, tree

__all__ = ["bladed", "files", "stride"]  # fixtures


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
                        turn[:3, :3] = turn[:3, :3] @ about(along, motion[name][row])
                    else:
                        turn[:3, 3] += along * motion[name][row]
        parent = joint.find("frames")[0].findtext("socket_parent")
        pose[child] = pose[parent] @ inner @ turn @ np.linalg.inv(outer)
    return pose


def _offset(frame):
    pose = np.eye(4)
    pose[:3, 3] = np.array(frame.findtext("translation").split(), float)
    for axis, angle in zip(np.eye(3), map(float, frame.findtext("orientation").split()), strict=True):
        pose[:3, :3] = pose[:3, :3] @ about(axis, np.degrees(angle))
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
    path, ours = export(stride, tmp_path)[0], places_of(stride)
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
    for name, parent, offset in [("pelvis", None, np.zeros(3)), *tree(mj)]:
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
