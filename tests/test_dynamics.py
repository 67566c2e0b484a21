"""The solver's dynamics against MuJoCo's, and its derivatives against finite differences."""

import mujoco
import numpy as np
import pytest

from bladerun.stride._contact import Ground
from bladerun.stride._curvature import _pull
from bladerun.stride._dynamics import inverse, motion
from bladerun.stride._ground import add_contact
from bladerun.stride._links import links

TREE = """
<mujoco>
  <compiler angle="radian" autolimits="true"/>
  <size nuser_geom="3"/>
  <option><flag contact="disable"/></option>
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
      <body pos="0 -.1 -.1">
        <joint name="hip" axis="0 -1 0"/><joint name="hip2" axis="1 0 0"/>
        <inertial pos="0 0 -.2" mass="5" diaginertia=".1 .1 .02"/>
        <body pos="0 0 -.4" euler=".1 0 .2">
          <joint name="sock" type="slide" axis=".1 0 1" stiffness="1000" damping="20" pos=".1 0 0"/>
          <joint name="knee" axis="0 1 .1" pos="0 0 .01"/>
          <inertial pos="0 0 -.05" mass="1" diaginertia=".01 .02 .01"/>
          <geom name="contact_r_0" type="sphere" size=".03" pos=".05 0 -.08" mass="0" user="2e5 .5 .9"/>
          <body pos="0 0 -.1">
            <inertial pos="0.05 0 0" mass=".3" diaginertia=".001 .002 .001"/>
            <geom name="contact_r_1" type="sphere" size=".02" pos=".1 0.02 0" mass="0" user="2e5 .5 .9"/>
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


def evaluate(model, q, v, a, derivatives=False, contact=True):
    n = len(q)
    tau, by = np.zeros(n), np.zeros((3, n, n))
    m = motion(model)
    inverse(model, m, q, v, a, tau, derivatives, *by)
    if contact:
        add_contact(model, m, Ground(0.004, 0.1, 20.0), tau, derivatives, by[0], by[1])
    return tau, by, m


def test_equals_mj_inverse(tree):
    data, model, rng = mujoco.MjData(tree), links(tree), np.random.default_rng(1)
    for _ in range(50):
        q, v, a = state(rng, tree.nv)
        data.qpos[:], data.qvel[:], data.qacc[:] = q, v, a
        mujoco.mj_inverse(tree, data)
        tau, _, _ = evaluate(model, q, v, a, contact=False)
        np.testing.assert_allclose(tau, data.qfrc_inverse, atol=3e-10)


def test_contact_forces_act_where_mujoco_puts_them(tree):
    data, model, rng = mujoco.MjData(tree), links(tree), np.random.default_rng(2)
    touched = 0
    for _ in range(50):
        q, v, a = state(rng, tree.nv)
        bare, _, _ = evaluate(model, q, v, a, contact=False)
        tau, _, m = evaluate(model, q, v, a)
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
    model, rng = links(tree), np.random.default_rng(3)
    eps = 1e-6
    for _ in range(30):
        x = np.array(state(rng, tree.nv))
        _, by, _ = evaluate(model, *x, derivatives=True)
        scale = np.abs(by).max()
        for s in range(3):
            for j in range(tree.nv):
                step = np.zeros_like(x)
                step[s, j] = eps
                slope = (evaluate(model, *(x + step))[0] - evaluate(model, *(x - step))[0]) / (2 * eps)
                np.testing.assert_allclose(by[s][:, j], slope, atol=2e-7 * scale)


def test_curvature_pulls_what_the_derivatives_give(tree):
    """d (y' tau) / d (q, v, a) by its own sweep equals y times the full derivatives, less the springs."""
    model, rng, n = links(tree), np.random.default_rng(4), tree.nv
    model = model._replace(stiffness=np.zeros(n), damping=np.zeros(n), armature=np.zeros(n))
    for _ in range(20):
        q, v, a = state(rng, n)
        y, y_force = rng.normal(size=n), rng.normal(size=3)
        _, free, _ = evaluate(model, q, v, a, derivatives=True, contact=False)
        _, by, m = evaluate(model, q, v, a, derivatives=True)
        out = np.zeros(3 * n)
        _pull(model, m, Ground(0.004, 0.1, 20.0), q, v, a, y, y_force, np.zeros((6, n, 6)), out)
        expected = np.einsum("i,sij->sj", y, by) + np.einsum("i,sij->sj", y_force, free[:, :3])
        np.testing.assert_allclose(out.reshape(3, n), expected, atol=1e-9 * np.abs(by).max())
