"""Files of measured motion: what people have is read, or refused in one sentence that says where."""

import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bladerun.errors import InputError
from bladerun.motion import Forces, Markers, Motion, read
from strides.motion_files import plain, storage, trc

TIME = np.arange(100) / 100
KNEE = 60 + 50 * np.sin(2 * np.pi * TIME)
ANGLES = {
    "pelvis_tilt": -5 + 0 * TIME, "pelvis_list": 2 * TIME, "pelvis_rotation": 3 * TIME,
    "pelvis_tx": 3 * TIME, "pelvis_ty": 1 + 0.1 * TIME, "pelvis_tz": 0.2 * TIME,
    "hip_flexion_r": 0.5 * KNEE, "knee_angle_r": KNEE, "ankle_angle_r": 10 * TIME, "arm_flex_l": 20 * TIME,
}  # fmt: skip
FORCE = {"vx": 10 * TIME, "vy": 800 * TIME, "vz": 5 * TIME, "px": TIME, "py": 0 * TIME, "pz": 0.1 * TIME}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "motion.mot"


def same(motion, *, within=1e-12):
    assert isinstance(motion, Motion)
    np.testing.assert_allclose(motion.time_s, TIME, atol=within)
    np.testing.assert_allclose(motion.joints["knee_flexion_r"], np.radians(KNEE), atol=within)
    np.testing.assert_allclose(motion.joints["pelvis_list"], -np.radians(2 * TIME), atol=within)
    np.testing.assert_allclose(motion.pelvis_m[:, 1], -0.2 * TIME, atol=within)
    np.testing.assert_allclose(motion.pelvis_m[:, 2], 1 + 0.1 * TIME, atol=within)
    assert set(motion.joints) == {
        "pelvis_tilt", "pelvis_list", "pelvis_rotation", "hip_flexion_r", "knee_flexion_r",
        "ankle_dorsiflexion_r", "shoulder_flexion_l",
    }  # fmt: skip


def radians(columns):
    return {k: v if "_t" in k and k != "pelvis_tilt" else np.radians(v) for k, v in columns.items()}


@pytest.mark.parametrize("oddity", [{}, {"end": "\r\n"}, {"mark": "   "}, {"point": ","}, {"mark": "\t "}])
def test_an_opensim_file_is_read_as_it_is_meant(path, oddity):
    motion = read(storage(path, TIME, ANGLES, **oddity))
    same(motion)
    assert motion.notes == ()


@pytest.mark.parametrize(("mark", "point"), [(",", "."), (";", ","), (";", "."), ("\t", ",")])
def test_spreadsheets_of_all_countries(tmp_path, mark, point):
    same(read(plain(tmp_path / "angles.csv", TIME, ANGLES, mark=mark, point=point)))


def test_radians_by_header_by_size_and_by_unit(path):
    same(read(storage(path, TIME, radians(ANGLES), degrees=False)))
    for columns, said in ((ANGLES, "degrees"), (radians(ANGLES), "radians")):
        motion = read(storage(path, TIME, columns, degrees=None))
        same(motion)
        assert f"by their size {said}" in motion.notes[0]
    units = {
        f"{k} ({'m' if '_t' in k and k != 'pelvis_tilt' else 'rad'})": v for k, v in radians(ANGLES).items()
    }
    same(read(plain(path, TIME, units)))


def test_a_header_that_says_another_unit_than_the_numbers_is_refused(path):
    with pytest.raises(InputError, match=r"inDegrees=yes, but hips and knees move by 1.75 at most"):
        read(storage(path, TIME, radians(ANGLES)))


def test_without_a_header(path):
    same(read(storage(path, TIME, ANGLES, header=False)))


def test_columns_in_any_order_and_coordinates_that_no_runner_has(path):
    mixed = {"pro_sup_r": TIME} | dict(reversed(ANGLES.items()))
    motion = read(storage(path, TIME, mixed))
    same(motion)
    assert motion.notes == ("left out, no joint of a runner here: pro_sup_r",)


def test_names_of_states(path):
    long = {f"/jointset/any/{name}/value": values for name, values in ANGLES.items()}
    long |= {f"/jointset/any/{name}/speed": values for name, values in ANGLES.items()}
    motion = read(storage(path, TIME, long))
    same(motion)
    assert motion.notes == ()


def test_a_knee_that_bends_the_other_way_is_turned(path):
    motion = read(storage(path, TIME, ANGLES | {"knee_angle_r": -KNEE}))
    same(motion)
    assert "negative in flexion" in motion.notes[0]


def test_empty_lines_and_rows_cut_short(path):
    text = storage(path, TIME, ANGLES).read_text()
    path.write_text(text.replace("\n", "\n\n") + "1.0\t2.0\n")
    motion = read(path)
    same(motion)
    assert "cut short" in motion.notes[0]
    storage(path, TIME, ANGLES, rows=120)
    assert "the header says 120 rows, there are 100" in " ".join(read(path).notes)


def test_a_short_row_in_the_middle_is_named(path):
    lines = storage(path, TIME, ANGLES).read_text().splitlines()
    lines[20] = "0.1\t2"
    path.write_text("\n".join(lines))
    with pytest.raises(InputError, match=r"motion.mot: line 21 has 2 values, not 11"):
        read(path)


def test_what_is_no_number_is_named_with_line_and_column(path):
    lines = storage(path, TIME, ANGLES).read_text().splitlines()
    cells = lines[20].split("\t")
    lines[20] = "\t".join([*cells[:8], "O.5", *cells[9:]])
    path.write_text("\n".join(lines))
    with pytest.raises(InputError, match=r"knee_angle_r: line 21: 'O.5' is not a number"):
        read(path)


@pytest.mark.parametrize("gap", ["nan", "NaN", "", "N/A", "1.#QNAN", "inf"])
def test_gaps_are_gaps(path, gap):
    lines = storage(path, TIME, ANGLES).read_text().splitlines()
    cells = lines[20].split("\t")
    lines[20] = "\t".join([*cells[:8], gap, *cells[9:]])
    path.write_text("\n".join(lines))
    assert np.flatnonzero(np.isnan(read(path).joints["knee_flexion_r"])).tolist() == [13]


def test_times_that_stand_twice_and_times_that_run_back(path):
    twice = np.insert(TIME, 50, TIME[50])
    motion = read(storage(path, twice, {k: np.insert(v, 50, v[50]) for k, v in ANGLES.items()}))
    same(motion)
    assert "1 rows repeat a time" in motion.notes[0]
    with pytest.raises(InputError, match=r"line 58: time runs back"):
        read(storage(path, np.where(np.arange(100) == 50, 0.3, TIME), ANGLES))


def test_time_in_milliseconds(tmp_path):
    same(read(plain(tmp_path / "a.csv", 1000 * TIME, ANGLES, name="Time (ms)")))


def test_a_csv_with_a_mapping(tmp_path):
    columns = {"RKNE.x": -np.radians(KNEE), "RHIP [deg]": 0.5 * KNEE, "height mm": 1e3 * (1 + 0.1 * TIME)}
    path = plain(tmp_path / "a.csv", 1e3 * TIME, columns, name="clock", mark=";", point=",")
    mapping = tmp_path / "columns.toml"
    mapping.write_text(
        'time = { column = "clock", unit = "ms" }\npelvis_ty = { column = "height mm", unit = "mm" }\n'
        'knee_flexion_r = { column = "RKNE.x", unit = "rad", sign = -1 }\n'
        'hip_flexion_r = { column = "RHIP" }\n'
    )
    motion = read(path, columns=mapping)
    np.testing.assert_allclose(motion.time_s, TIME, atol=1e-12)
    np.testing.assert_allclose(motion.joints["knee_flexion_r"], np.radians(KNEE), atol=1e-12)
    np.testing.assert_allclose(motion.joints["hip_flexion_r"], np.radians(0.5 * KNEE), atol=1e-12)
    np.testing.assert_allclose(motion.pelvis_m[:, 2], 1 + 0.1 * TIME, atol=1e-12)
    mapping.write_text('time = { column = "clok" }')
    with pytest.raises(InputError, match=r"columns.toml: \[time\] column: no column .* 'clok'; did you mean"):
        read(path, columns=mapping)
    mapping.write_text('time = { column = "clock", sigh = -1 }')
    with pytest.raises(
        InputError, match=r"columns.toml: \[time\].sigh: not a known key; did you mean 'sign'"
    ):
        read(path, columns=mapping)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "an empty file"),
        (b"\r\n \r\n", "an empty file"),
        (b"\x89PNG\r\n\x1a\n\0\0", "not motion but a picture"),
        (b"[runner]\nmass_kg = 72\n", "not motion but a runner's file"),
        (b"\1\2\0", "not motion but a binary file"),
        (b"one\ttwo\n1\t2\n", "no column is called time"),
        (b"inDegrees=yes\nendheader\n", "ends after endheader"),
        (b"endheader\ntime\tknee_angle_r\n", "no rows of numbers"),
        (b"endheader\ntime\tknee_angle_r\n0\t1\n", "at least 10"),
        (b"endheader\ntime\ta\ta\n0\t1\t2\n", "'a' stands over two columns"),
    ],
)
def test_what_is_no_motion_is_a_sentence(path, content, words):
    path.write_bytes(content)
    with pytest.raises(InputError, match=words) as caught:
        read(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_table_of_other_things_is_a_sentence(path):
    with pytest.raises(InputError, match="no column is a joint angle or a ground force"):
        read(storage(path, TIME, {"soleus_r": TIME}))


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "any.mot"
    path.write_bytes(b"endheader\ntime\tknee_angle_r\n" + content)
    with contextlib.suppress(InputError):
        read(path)


# --- Forces -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "side"),
    [
        ("ground_force_{}", ""), ("1_ground_force_{}", ""), ("ground_force_2_{}", ""),
        ("right_ground_force_{}", "right"), ("ground_force_l_{}", "left"), ("R_ground_force_{}", "right"),
    ],
)  # fmt: skip
def test_forces_by_the_names_they_go_by(path, name, side):
    found = read(storage(path, TIME, {name.format(k): v for k, v in FORCE.items()}, degrees=False))
    assert isinstance(found, Forces) and found.notes == ()
    (plate,) = found.plates
    assert plate.side == side
    np.testing.assert_allclose(plate.force_n, np.column_stack([10 * TIME, -5 * TIME, 800 * TIME]))
    np.testing.assert_allclose(plate.point_m, np.column_stack([TIME, -0.1 * TIME, 0 * TIME]))


def test_forces_on_the_plate_in_other_axes_and_units(path):
    swapped = {"vx": -10 * TIME, "vy": 5 * TIME, "vz": -0.8 * TIME, "px": 1e3 * TIME, "py": -100 * TIME}
    units = {"vz": " (kN)", "px": " [mm]", "py": " [mm]"}
    columns = {f"ground_force_{k}{units.get(k, '')}": v for k, v in swapped.items()}
    found = read(plain(path, TIME, columns))
    (plate,) = found.plates
    np.testing.assert_allclose(plate.force_n, np.column_stack([10 * TIME, -5 * TIME, 800 * TIME]))
    np.testing.assert_allclose(plate.point_m[:, :2], np.column_stack([TIME, -0.1 * TIME]))
    assert "along z" in found.notes[0] and "point down" in found.notes[1]


def test_a_force_without_a_component_is_refused(path):
    with pytest.raises(InputError, match="1: no column ends in vz; a force has three"):
        read(storage(path, TIME, {"1_ground_force_vx": TIME, "1_ground_force_vy": TIME}))


# --- Markers ----------------------------------------------------------------------------------------------

PLACES = {"SACR": np.column_stack([3 * TIME, 1.0 + 0 * TIME, 0.1 * TIME]),
          "RTOE": np.column_stack([3 * TIME, 0.05 + 0 * TIME, 0.2 + 0 * TIME])}  # fmt: skip


@pytest.mark.parametrize(("unit", "size"), [("mm", 1e3), ("m", 1.0), ("cm", 100.0)])
def test_markers_in_any_unit(tmp_path, unit, size):
    found = read(trc(tmp_path / "a.trc", TIME, {k: size * v for k, v in PLACES.items()}, unit=unit))
    assert isinstance(found, Markers)
    for name, (x, y, z) in ((n, p.T) for n, p in PLACES.items()):
        np.testing.assert_allclose(found.position_m[name], np.column_stack([x, -z, y]), atol=1e-12)


def test_markers_with_z_up_stay_as_they_are_and_hidden_ones_are_gaps(tmp_path):
    turned = {name: place[:, [0, 2, 1]].copy() for name, place in PLACES.items()}
    turned["RTOE"][5] = np.nan
    turned["SACR"][7] = 0.0
    found = read(trc(tmp_path / "a.trc", TIME, turned, unit="m", end="\r\n"))
    assert "z is up" in found.notes[0]
    assert np.flatnonzero(np.isnan(found.position_m["RTOE"]).any(1)).tolist() == [5]
    assert np.flatnonzero(np.isnan(found.position_m["SACR"]).any(1)).tolist() == [7]
    np.testing.assert_allclose(found.position_m["SACR"][8:], turned["SACR"][8:])


def test_a_unit_that_is_no_length_is_refused(tmp_path):
    with pytest.raises(InputError, match="Units: 'inch' is not allowed; m, cm or mm"):
        read(trc(tmp_path / "a.trc", TIME, PLACES, unit="inch"))
