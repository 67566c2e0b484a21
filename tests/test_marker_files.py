"""Files of markers and plates, C3D among them, give the outcomes and moments of the stride they are of."""

import json
import sys

import mujoco
import numpy as np
import pytest

from bladerun import cli
from bladerun.errors import InputError
from bladerun.gait.opensim import export
from bladerun.gait.outcomes import flat, outcomes
from bladerun.motion import Forces, Plate, measure, read
from bladerun.motion.measured import read_measured
from bladerun.motion.moments import joint_moments, left_over
from bladerun.motion.posed import pose
from bladerun.motion.records import Motion
from strides.marked import built, case, made, trajectories
from strides.motion_files import c3d, trc

# --- Through `measure` ------------------------------------------------------------------------------------


def loads(tmp_path, side="none"):
    """Ground forces of the made-up stride as `export` writes them."""
    return export(made(side), tmp_path, strides=3)[1]


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
def test_a_marker_file_gives_the_strides_own_outcomes(tmp_path, end):
    time, places = trajectories()
    file = trc(
        tmp_path / "a.trc", time, {n: 1e3 * p[:, [0, 2, 1]] * [1, 1, -1] for n, p in places.items()}, end=end
    )
    found = measure(file, loads(tmp_path), case())
    assert found.ground == "overground" and len(found.table) == 2
    close(found)
    assert max(found.residual_mm.values()) < 2.0
    alone = measure(file, None, case())
    assert "by the motion alone" in " ".join(alone.notes)
    assert alone.mean_and_sd("stride_time_s")[0] == pytest.approx(made().attrs["stride_time_s"], abs=0.005)


def test_a_laboratorys_file_with_its_plates_gives_them_too(tmp_path):
    time, places = trajectories()
    places |= {"*1": np.ones((len(time), 3))}
    rate = 5 / (time[1] - time[0])
    fast = np.arange(5 * len(time)) / rate
    forces = read(loads(tmp_path))

    def at(values):
        rows = [np.interp(fast, forces.time_s, row) for row in np.atleast_2d(values.T)]
        return np.column_stack(rows) if values.ndim > 1 else rows[0]

    plates = [(at(p.force_n), at(p.point_m), at(p.free_nm)) for p in forces.plates]
    file = c3d(tmp_path / "a.c3d", time, places, plates, rate=rate)
    found = measure(file, None, case())
    said = " ".join(found.notes)
    assert "1 points have no name" in said and "forces of the plates point down" in said
    close(found)
    other = measure(trc(tmp_path / "b.trc", time, trajectories()[1], unit="m"), file, case())
    close(other)


def test_the_command_prints_residuals_and_writes_them(tmp_path, capsys):
    time, places = trajectories("video keypoints")
    trc(tmp_path / "a.trc", time, places, unit="m")
    (tmp_path / "runner.toml").write_text(
        '[runner]\nmass_kg = 75\nheight_m = 1.75\nsex = "male"\n'
        '[amputation]\nside = "none"\n[task]\nspeed_m_s = 3.0\n'
    )
    said = [
        "measure",
        str(tmp_path / "a.trc"),
        "--runner",
        str(tmp_path / "runner.toml"),
        "--out",
        str(tmp_path / "o"),
    ]
    assert cli.main(said) == 0
    out = capsys.readouterr().out
    assert "RMS, mm" in out and "RKnee" in out and "note: names of markers as of video keypoints" in out
    assert cli.main([*said, "--json"]) == 0
    file = json.loads(capsys.readouterr().out)["file"]
    assert set(read_measured(file).residual_mm) == set(places)
    assert cli.main([*said, "--markers", str(tmp_path / "runner.toml")]) == 2
    assert "runner.toml: runner: no marker is called that" in capsys.readouterr().err


# --- C3D --------------------------------------------------------------------------------------------------


def test_c3d_without_its_reader_is_a_sentence(tmp_path, monkeypatch):
    (tmp_path / "a.c3d").write_bytes(b"\x02\x50" + bytes(1022))
    monkeypatch.setitem(sys.modules, "ezc3d", None)
    with pytest.raises(InputError, match=r"a.c3d: C3D is read by ezc3d, .* pip install 'bladerun\[c3d\]'"):
        read(tmp_path / "a.c3d")
    (tmp_path / "b.c3d").write_bytes(b"not this")
    with pytest.raises(InputError, match="not a C3D file, whose second byte is 50"):
        read(tmp_path / "b.c3d")


def test_c3d_in_metres_with_y_up_and_gaps(tmp_path):
    time = np.arange(50) / 100
    places = {
        "A": np.column_stack([time, 1 + 0 * time, 0.1 + 0 * time]),
        "B": np.column_stack([time, 0 * time, 0.1 + 0 * time]),
    }
    places["B"][5] = np.nan
    force = np.column_stack([10 * time, 800 * time, -5 * time])
    centre = np.column_stack([time, 0.1 * time, 0 * time])
    found = read(c3d(tmp_path / "a.c3d", time, places, unit="m"))
    np.testing.assert_allclose(found.position_m["A"], places["A"][:, [0, 2, 1]] * [1, -1, 1], atol=1e-6)
    assert np.flatnonzero(np.isnan(found.position_m["B"]).any(1)).tolist() == [5] and found.forces is None
    upright = {name: place[:, [0, 2, 1]] for name, place in places.items()}
    turned = c3d(tmp_path / "b.c3d", time, upright, [(force[:, [0, 2, 1]], centre, 3 * time)])
    (plate,) = read(turned).forces.plates
    np.testing.assert_allclose(plate.force_n, force[:, [0, 2, 1]], atol=1e-3)
    np.testing.assert_allclose(plate.point_m[1:], centre[1:], atol=1e-5)
    np.testing.assert_allclose(plate.free_nm, 3 * time, atol=1e-3)


def test_c3d_that_is_cut_off_is_a_sentence(tmp_path):
    time, places = trajectories()
    whole = c3d(tmp_path / "a.c3d", time, places).read_bytes()
    (tmp_path / "b.c3d").write_bytes(whole[: len(whole) // 3])
    with pytest.raises(InputError, match=r"b.c3d: cut short: \d+ bytes of the \d+"):
        read(tmp_path / "b.c3d")


# --- Moments ----------------------------------------------------------------------------------------------


def test_moments_are_those_that_the_motion_and_the_ground_ask_for(tmp_path):
    """Against forces on the feet and MuJoCo's inverse dynamics, at the knots of the stride itself."""
    found = measure(*export(made(), tmp_path, strides=4)[:2], case())
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


def test_what_stands_still_leaves_nothing_over():
    """A runner who hangs still while two plates carry the weight: no residual force."""
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
