"""The solver's dynamics against MuJoCo's, and its derivatives against finite differences."""

import mujoco
import numpy as np
import pytest

from bladerun.environment import Environment, Ground, Wrench
from bladerun.errors import ModelError
from bladerun.stride.dynamics.inverse_dynamics import motion
from bladerun.stride.dynamics.point_curvature import add_contact_curvature, add_wrench_curvature, chain
from bladerun.stride.dynamics.required_forces import required_forces
from bladerun.stride.dynamics.tree import external, tree_of
from bladerun.stride.dynamics.tree_curvature import add_tree_curvature, weighed

GRAVITY = (-1.2, 0.4, -9.7)  # not along an axis
TREE = """
<mujoco>
  <compiler angle="radian" autolimits="true"/>
  <size nuser_geom="4"/>
  <option gravity="-1.2 .4 -9.7"><flag contact="disable"/></option>
  <worldbody>
    <body name="base" pos="0 0 .6">
      <joint name="x" type="slide" axis="1 0 0"/><joint name="y" type="slide" axis="0 1 0"/>
      <joint name="z" type="slide" axis="0 0 1"/>
      <joint name="tilt" axis="0 1 0"/><joint name="list" axis="-1 0 0"/><joint name="turn" axis="0 0 1"/>
      <inertial pos=".01 .02 .03" mass="9" fullinertia=".3 .2 .25 .01 .02 .03"/>
      <body pos="0 .1 0" quat=".9 .1 .2 .1">
        <inertial pos="0 .1 .1" mass="3" diaginertia=".1 .12 .05"/>
        <body pos=".1 0 .1" euler=".2 .3 .1">
          <joint name="arm" axis="1 2 .5" pos="0 .02 .05" armature=".1" damping=".4" stiffness="3"
            springref=".3"/>
          <inertial pos="0 0 -.2" mass="2" diaginertia=".03 .04 .02"/>
        </body>
      </body>
      <body name="thigh" pos="0 -.1 -.1">
        <joint name="hip" axis="0 -1 0"/><joint name="hip2" axis="1 0 0"/>
        <inertial pos="0 0 -.2" mass="5" diaginertia=".1 .1 .02"/>
        <body pos="0 0 -.4" euler=".1 0 .2">
          <joint name="sock" type="slide" axis=".1 0 1" stiffness="1000" damping="20" pos=".1 0 0"/>
          <joint name="knee" axis="0 1 .1" pos="0 0 .01"/>
          <inertial pos="0 0 -.05" mass="1" diaginertia=".01 .02 .01"/>
          <geom name="contact_r_0" type="sphere" size=".03" pos=".05 0 -.08" mass="0" user="2e5 .5 .9 1"/>
          <body name="cap" pos="0 0 -.1">
            <inertial pos="0.05 0 0" mass=".3" diaginertia=".001 .002 .001"/>
            <geom name="contact_r_1" type="sphere" size=".02" pos=".1 0.02 0" mass="0" user="2e5 .5 .9 1"/>
          </body>
        </body>
      </body>
    </body>
  </worldbody>
</mujoco>
"""


@pytest.fixture(scope="module")
def tree():
    return mujoco.MjModel.from_xml_string(TREE)


def state(rng, n):
    q = rng.normal(0, 0.5, n)
    q[2] = rng.normal(-0.03, 0.03)
    q[3:] *= 0.3
    return q, rng.normal(0, 1.0, n), rng.normal(0, 10, n)


WRENCHES = (
    Wrench("thigh", (30.0, -20.0, 15.0), (4.0, 2.0, -3.0), (0.05, 0.02, -0.3)),
    Wrench("cap", (-8.0, 5.0, 2.0)),
)


def outside(mj, *wrenches, ground=None):
    """Without a ground, where the floor is far below."""
    return external(mj, Environment(GRAVITY, ground or Ground(1e-9, 0.1, 20.0, stiffness=0.0), wrenches))


TOUCHING = Ground(0.004, 0.1, 20.0)


def evaluate(mj, around, q, v, a, derivatives=False):
    tree, n = tree_of(mj), len(q)
    tau, by = np.zeros(n), np.zeros((3, n, n))
    m = motion(tree)
    required_forces(tree, around, m, q, v, a, tau, derivatives, *by)
    return tau, by, m


def test_equals_mj_inverse(tree):
    data, rng = mujoco.MjData(tree), np.random.default_rng(1)
    for _ in range(50):
        q, v, a = state(rng, tree.nv)
        data.qpos[:], data.qvel[:], data.qacc[:] = q, v, a
        mujoco.mj_inverse(tree, data)
        tau, _, _ = evaluate(tree, outside(tree), q, v, a)
        np.testing.assert_allclose(tau, data.qfrc_inverse, atol=3e-10)


def test_wrenches_act_where_mujoco_puts_them(tree):
    data, rng = mujoco.MjData(tree), np.random.default_rng(5)
    for _ in range(20):
        q, v, a = state(rng, tree.nv)
        bare, _, _ = evaluate(tree, outside(tree), q, v, a)
        tau, _, _ = evaluate(tree, outside(tree, *WRENCHES), q, v, a)
        data.qpos[:], data.qvel[:] = q, v
        mujoco.mj_forward(tree, data)
        applied = np.zeros(tree.nv)
        for wrench in WRENCHES:
            body = tree.body(wrench.body).id
            at = np.array(wrench.point_m or tree.body_ipos[body])
            point = data.xpos[body] + data.xmat[body].reshape(3, 3) @ at
            force, torque = np.array(wrench.force_n), np.array(wrench.torque_nm)
            mujoco.mj_applyFT(tree, data, force, torque, point, body, applied)
        np.testing.assert_allclose(bare - applied, tau, atol=1e-9)


def test_a_wrench_on_an_unknown_body_is_refused(tree):
    with pytest.raises(ModelError, match="'thighs' is not a body; did you mean 'thigh'"):
        outside(tree, Wrench("thighs", (1.0, 0.0, 0.0)))


def test_contact_forces_act_where_mujoco_puts_them(tree):
    data, rng = mujoco.MjData(tree), np.random.default_rng(2)
    touched = 0
    for _ in range(50):
        q, v, a = state(rng, tree.nv)
        bare, _, _ = evaluate(tree, outside(tree), q, v, a)
        tau, _, m = evaluate(tree, outside(tree, ground=TOUCHING), q, v, a)
        data.qpos[:], data.qvel[:] = q, v
        mujoco.mj_forward(tree, data)
        applied = np.zeros(tree.nv)
        for c, geom in enumerate(("contact_r_0", "contact_r_1")):
            touched += m.sphere_force[c, 2] > 0
            body = tree.geom(geom).bodyid[0]
            mujoco.mj_applyFT(tree, data, m.sphere_force[c], np.zeros(3), m.sphere_point[c], body, applied)
        np.testing.assert_allclose(bare - applied, tau, atol=1e-8)
    assert touched > 10


def test_derivatives(tree):
    around, rng = outside(tree, *WRENCHES, ground=TOUCHING), np.random.default_rng(3)
    eps = 1e-6
    for _ in range(30):
        x = np.array(state(rng, tree.nv))
        _, by, m = evaluate(tree, around, *x, derivatives=True)
        scale = np.abs(by).max()
        for s in range(3):
            for j in range(tree.nv):
                step = np.zeros_like(x)
                step[s, j] = eps
                (up, _, high), (down, _, low) = (evaluate(tree, around, *(x + d)) for d in (step, -step))
                np.testing.assert_allclose(by[s][:, j], (up - down) / (2 * eps), atol=2e-7 * scale)
                slope = (high.ground - low.ground) / (2 * eps)
                np.testing.assert_allclose(m.ground_by[s][:, j], slope, atol=2e-7 * scale)


def curved(mj, around, q, v, a, y, y_force):
    """Second derivatives of y' tau and y_force' (force of the ground) in (q, v, a), less springs."""
    tree, m, n = tree_of(mj), motion(tree_of(mj)), len(q)
    weights, S = weighed(n), np.zeros((3 * n, 3 * n))
    add_tree_curvature(tree, m, around.gravity, q, v, a, y, y_force, weights, S)
    add_wrench_curvature(tree, m, around, weights, S)
    add_contact_curvature(tree, m, around.ground, y_force, weights, chain(n), S)
    return S


def slopes(mj, around, q, v, a, y, y_force):
    """(3 n,) d (y' tau + y_force' ground) / d (q, v, a)."""
    _, by, m = evaluate(mj, around, q, v, a, derivatives=True)
    return (np.einsum("i,sij->sj", y, by) + np.einsum("i,sij->sj", y_force, m.ground_by)).ravel()


@pytest.mark.parametrize("ground", [None, TOUCHING])
def test_second_derivatives(ground):
    """Of the tree, of wrenches and of spheres that slip on the ground."""
    rng, eps, touched = np.random.default_rng(4), 1e-5 if ground is None else 1e-7, 0
    bare = mujoco.MjModel.from_xml_string(TREE)
    bare.jnt_stiffness[:], bare.dof_damping[:] = 0.0, 0.0
    around, n = outside(bare, *WRENCHES, ground=ground), bare.nv
    for _ in range(12):
        x, y, y_force = np.array(state(rng, n)), rng.normal(size=n), rng.normal(size=3)
        S = curved(bare, around, *x, y, y_force)
        np.testing.assert_allclose(S, S.T, atol=1e-12 * np.abs(S).max())
        touched += evaluate(bare, around, *x)[2].sphere_force.any()
        expected = []
        for step in eps * np.eye(3 * n):
            up, down = (slopes(bare, around, *(x + d.reshape(3, n)), y, y_force) for d in (step, -step))
            expected.append((up - down) / (2 * eps))
        np.testing.assert_allclose(S, expected, atol=(1e-8 if ground is None else 1e-5) * np.abs(S).max())
    assert touched > 2 or ground is None
