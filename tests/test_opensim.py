"""Files for OpenSim: what is written is read back unchanged, by us and by OpenSim where it is installed."""

import numpy as np
import pytest

import muscled
from bladerun.errors import InputError
from bladerun.opensim import export, read


@pytest.fixture(scope="module")
def stride():
    made = muscled.stride(side="right", knots=20)
    point = np.random.default_rng(1).normal(size=made.grf.shape)
    point[::3] = np.nan  # where a foot does not touch
    return made.assign(cop=(made.grf.dims, point))


def test_every_number_is_read_back_as_it_was(stride, tmp_path):
    paths = {path.name: path for path in export(stride, tmp_path)}
    assert set(paths) == {"motion.mot", "ground_forces.mot", "moments.sto", "activations.sto"}
    time, motion, degrees = read(paths["motion.mot"])
    assert degrees and (time == stride.time.values).all()
    at = list(stride.joint.values).index("knee_flexion_r")
    np.testing.assert_allclose(np.radians(motion["knee_flexion_r"]), stride.q.values[:, at], rtol=1e-14)
    _, moments, degrees = read(paths["moments.sto"])
    assert not degrees and (moments["knee_flexion_r_moment"] == stride.tau.values[:, at]).all()
    _, activation, _ = read(paths["activations.sto"])
    assert (np.column_stack(list(activation.values())) == stride.activation.values).all()


def test_up_is_y_and_right_is_z(stride, tmp_path):
    paths = {path.name: path for path in export(stride, tmp_path)}
    _, force, _ = read(paths["ground_forces.mot"])
    for i, side in enumerate(stride.side.values):
        np.testing.assert_array_equal(force[f"{side}_ground_force_vy"], stride.grf.values[:, i, 2])
        np.testing.assert_array_equal(force[f"{side}_ground_force_vz"], -stride.grf.values[:, i, 1])
    assert all(np.isfinite(column).all() for column in force.values())


def test_other_files_are_a_sentence(tmp_path):
    (tmp_path / "x.mot").write_text("no such thing")
    with pytest.raises(InputError, match="not an OpenSim storage file"):
        read(tmp_path / "x.mot")


def test_opensim_reads_the_same_numbers(stride, tmp_path):
    opensim = pytest.importorskip("opensim", reason="pip install 'bladerun[opensim]'")
    for path in export(stride, tmp_path):
        _, columns, degrees = read(path)
        table = opensim.TimeSeriesTable(str(path))
        assert list(table.getColumnLabels()) == list(columns)
        assert (table.getTableMetaDataString("inDegrees") == "yes") == degrees
        np.testing.assert_array_equal(table.getMatrix().to_numpy(), np.column_stack(list(columns.values())))
