"""What muscles pull: held to MuJoCo's own lengths, moments and forces, and to differences."""

import mujoco
import numpy as np
import pytest

from bladerun.stride.dynamics.muscle_forces import add_muscles, tension
from bladerun.stride.dynamics.muscle_paths import muscle_actuators, muscles, none_of
from models.hopper import HOPPER, MUSCLED, compiled

MJ = compiled(MUSCLED)
PULLING = muscles(MJ)


def pulled(q, v, activation, derivatives=False):
    """Moments taken from zero, their derivatives, and the scratch of the evaluation."""
    n, scratch = MJ.nv, tension(PULLING)
    held, by_q, by_v = np.zeros(n), np.zeros((n, n)), np.zeros((n, n))
    by_a = np.zeros((len(PULLING.rows), PULLING.count))
    add_muscles(PULLING, scratch, activation, q, v, held, derivatives, by_q, by_v, by_a)
    return held, by_q, by_v, by_a, scratch


@pytest.fixture(params=range(8))
def state(request):
    rng = np.random.default_rng(request.param)
    low, high = np.where(MJ.jnt_limited[:, None], MJ.jnt_range, [[-0.5, 0.5]]).T
    q = low + (high - low) * rng.uniform(0.05, 0.95, MJ.nv)
    return q, rng.normal(size=MJ.nv), rng.uniform(0, 1, PULLING.count)


def test_equal_mujoco_s(state):
    q, v, activation = state
    held, *_, scratch = pulled(q, v, activation)
    data = mujoco.MjData(MJ)
    data.qpos[:], data.qvel[:], data.act[:] = q, v, activation
    mujoco.mj_forward(MJ, data)
    muscle = PULLING.path < PULLING.count
    order = np.argsort(PULLING.path)
    np.testing.assert_allclose(scratch.shape[order, 0], data.ten_length, atol=2e-4)
    np.testing.assert_allclose(scratch.velocity[order], data.ten_velocity, atol=4e-3)
    forces = np.zeros(PULLING.count)
    forces[PULLING.path[muscle]] = scratch.force[muscle]
    np.testing.assert_allclose(forces, -data.actuator_force[muscle_actuators(MJ)], atol=3.0)
    bare = compiled(MUSCLED.replace('stiffness="4000 9000 0"', 'stiffness="0"'))
    other = mujoco.MjData(bare)
    other.qpos[:], other.qvel[:] = q, v
    mujoco.mj_forward(bare, other)
    spring = data.qfrc_spring - other.qfrc_spring
    np.testing.assert_allclose(-held, data.qfrc_actuator + spring, atol=1.5)


def test_derivatives(state):
    q, v, activation = state
    _, by_q, by_v, by_a, _ = pulled(q, v, activation, derivatives=True)
    eps = 1e-6

    def slope(move):
        return (pulled(*move(eps))[0] - pulled(*move(-eps))[0]) / (2 * eps)

    for j in range(MJ.nv):
        e = np.eye(MJ.nv)[j]
        np.testing.assert_allclose(by_q[:, j], slope(lambda s, e=e: (q + s * e, v, activation)), atol=1e-3)
        np.testing.assert_allclose(by_v[:, j], slope(lambda s, e=e: (q, v + s * e, activation)), atol=1e-4)
    for m in range(PULLING.count):
        e = np.eye(PULLING.count)[m]
        expected = slope(lambda s, e=e: (q, v, activation + s * e))
        np.testing.assert_allclose(by_a[:, m], expected[PULLING.rows], atol=1e-4)
        np.testing.assert_allclose(np.delete(expected, PULLING.rows), 0.0, atol=1e-9)
    assert np.abs(by_q).max() > 10 and np.abs(by_a).max() > 10


def test_a_machine_without_muscles_has_none():
    none = muscles(compiled(HOPPER))
    assert none.count == 0 and len(none.path) == 0 and len(none.rows) == 0
    assert none_of(PULLING).count == 0 and len(none_of(PULLING).path) == 0


def test_a_path_over_too_many_joints_is_refused():
    long = MUSCLED.replace('<site site="low"/><site site="heel"/>', '<site site="front"/><site site="heel"/>')
    long = long.replace('name="list" axis="-1 0 0"', 'name="list" axis="-1 0 0" range="-.2 .2"')
    long = long.replace('<site name="front" pos=".07 .01 .05"/>', "").replace(
        "<worldbody>", '<worldbody><site name="front" pos=".07 .01 .95"/>'
    )
    with pytest.raises(ValueError, match="more than 4"):
        muscles(compiled(long))
