"""Files for OpenSim mean there what they mean here: by hand, and in OpenSim itself where it is installed."""

import mujoco
import numpy as np
import pytest

from bladerun.errors import InputError
from bladerun.gait.opensim import export, read
from models import muscled
from strides.in_opensim import TURN, USUAL, about, bladed, files, places_of, stride, tree

__all__ = ["bladed", "files", "stride"]  # fixtures


def _posed_by_hand(mj, motion, row):
    place = {"pelvis": np.array([motion[f"pelvis_t{axis}"][row] for axis in "xyz"])}
    turn = {"pelvis": np.eye(3)}
    for name, parent, offset in [("pelvis", None, None), *tree(mj)]:
        if parent:
            place[name], turn[name] = place[parent] + turn[parent] @ offset, turn[parent]
        for coordinate, axis in USUAL[name].items():
            turn[name] = turn[name] @ about(axis, motion[coordinate][row])
    return place


@pytest.mark.parametrize("which", ["stride", "bladed"])
def test_a_body_with_the_usual_axes_takes_our_posture(which, request, tmp_path):
    stride = request.getfixturevalue(which)
    _, motion, _ = read(export(stride, tmp_path)[0])
    mj, ours = muscled.model(stride.attrs["amputation_side"]).mj, places_of(stride)
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
