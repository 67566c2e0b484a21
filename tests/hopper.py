"""Small machines for the tests of the solver, and the `Terms` of what they are weighed by.

`HOPPER`: a 3-D one-legged hopper of 8 joints, base (x, y, z, tilt, list), hip, leg and a sprung toe slide.
`MUSCLED`: the same with three muscles at hip and leg, one of them wrapped, and a series spring to the toe.
`SLIDES`: three slides, whose forces are linear in position, velocity and acceleration.
"""

import mujoco
import numpy as np
from scipy.interpolate import CubicSpline

from bladerun.stride._blocks import NODE, TIMES
from bladerun.stride._contact import Ground
from bladerun.stride._kernel import Sweep, Terms
from bladerun.stride._muscles import Muscles, muscles

HOPPER = """
<mujoco>
  <compiler angle="radian" autolimits="true"/>
  <size nuser_geom="3"/>
  <option><flag contact="disable"/></option>
  <worldbody>
    <body name="base" pos="0 0 .9">
      <joint name="x" type="slide" axis="1 0 0"/><joint name="y" type="slide" axis="0 1 0"/>
      <joint name="z" type="slide" axis="0 0 1"/>
      <joint name="tilt" axis="0 1 0"/><joint name="list" axis="-1 0 0"/>
      <inertial pos="0 0 .05" mass="18" diaginertia=".6 .5 .4"/>
      <body name="thigh">
        <joint name="hip" axis="0 -1 0" armature=".05"/>
        <joint name="leg" type="slide" axis="0 0 1" damping="5"/>
        <inertial pos="0 0 -.4" mass="1.5" diaginertia=".04 .04 .004"/>
        <body name="toe" pos="0 0 -.7">
          <joint name="spring" type="slide" axis="0 0 1" stiffness="9000" damping="15"/>
          <inertial pos="0 0 -.1" mass=".4" diaginertia=".002 .002 .001"/>
          <geom name="contact_r_0" type="sphere" size=".03" pos=".04 .06 -.17" mass="0" user="1.5e5 .3 .9"/>
          <geom name="contact_r_1" type="sphere" size=".03" pos=".04 -.06 -.17" mass="0" user="1.5e5 .3 .9"/>
          <geom name="contact_r_2" type="sphere" size=".03" pos="-.04 0 -.17" mass="0" user="1.5e5 .3 .9"/>
        </body>
      </body>
    </body>
  </worldbody>
</mujoco>
"""
MUSCLED = (
    HOPPER.replace('axis="0 -1 0" armature', 'axis="0 -1 0" range="-.6 .6" armature')
    .replace('axis="0 0 1" damping', 'axis="0 0 1" range="-.08 .08" damping')
    .replace('axis="0 0 1" stiffness', 'axis="0 0 1" range="-.05 .05" stiffness')
    .replace(
        '<body name="thigh">',
        """<site name="front" pos=".07 .01 .05"/><site name="back" pos="-.06 0 .04"/>
      <geom name="wrap" type="cylinder" size=".04" fromto="0 -.1 0 0 .1 0" mass="0"/>
      <site name="side" pos="-.09 0 0"/>
      <body name="thigh"><site name="low" pos=".05 0 -.35"/><site name="calf" pos="-.04 0 -.45"/>""",
    )
    .replace(
        '<body name="toe" pos="0 0 -.7">',
        '<body name="toe" pos="0 0 -.7"><site name="heel" pos="-.05 0 -.1"/>',
    )
    .replace(
        "</worldbody>",
        """</worldbody>
  <tendon>
    <spatial name="flexor"><site site="front"/><site site="low"/></spatial>
    <spatial name="extensor">
      <site site="back"/><geom geom="wrap" sidesite="side"/><site site="calf"/></spatial>
    <spatial name="pusher"><site site="low"/><site site="heel"/></spatial>
    <spatial name="achilles" stiffness="4000 9000 0" springlength="0 .32">
      <site site="calf"/><site site="heel"/></spatial>
  </tendon>
  <default><muscle range=".6 1.5"/></default>
  <actuator>
    <muscle name="flexor" tendon="flexor" force="300" lengthrange=".27 .52" timeconst=".01 .04"/>
    <muscle name="extensor" tendon="extensor" force="400" lengthrange=".37 .6" vmax="6"/>
    <muscle name="pusher" tendon="pusher" force="500" lengthrange=".41 .52" fpmax="1.5"/>
  </actuator>""",
    )
)
HARD = np.array([True] * 5 + [False, False, True])  # nobody drives the base and the spring

SLIDES = """
<mujoco>
  <size nuser_geom="3"/>
  <option><flag contact="disable"/></option>
  <worldbody>
    <body pos="0 0 5">
      <joint type="slide" axis="1 0 0" damping="3"/><joint type="slide" axis="0 .6 .8" stiffness="200"/>
      <inertial pos="0 0 0" mass="4" diaginertia=".1 .1 .1"/>
      <body>
        <joint type="slide" axis=".3 .2 1" stiffness="500" damping="7" armature=".3"/>
        <inertial pos="0 0 0" mass="2" diaginertia=".1 .1 .1"/>
        <geom name="contact_r_0" type="sphere" size=".03" mass="0" user="1e5 .5 .9"/>
      </body>
    </body>
  </worldbody>
</mujoco>
"""


def compiled(xml: str) -> mujoco.MjModel:
    return mujoco.MjModel.from_xml_string(xml)


def no_muscles() -> Muscles:
    return muscles(compiled(HOPPER))


def cubics(q: np.ndarray) -> np.ndarray:
    """`Terms.reference` of evenly spaced periodic samples (R, n)."""
    curve = CubicSpline(np.arange(len(q) + 1) / len(q), np.vstack([q, q[:1]]), bc_type="periodic")
    return np.ascontiguousarray(curve.c.transpose(1, 0, 2))


def hop_terms(knots: int) -> Terms:
    """Hopping on the spot as the target, for HOPPER: 50 mm up and down, twice a second."""
    target = np.zeros((60, 8))
    target[:, 2] = 0.05 * np.cos(2 * np.pi * np.arange(60) / 60)
    scale = np.tile([[200.0], [200.0], [200.0], [50.0], [50.0], [80.0], [600.0], [200.0]], 2)
    scale[5:7, 1] *= 1.3  # not the same in both senses
    return Terms(
        speed=0.0,
        ground=Ground(0.01, 0.1, 20.0),
        muscles=no_muscles(),
        force_scale=scale,
        force_weight=np.ones(8),
        hard=HARD,
        multiplier=np.zeros((knots, 8)),
        power_weight=np.where(HARD, 0.0, 5e-4),
        reference=cubics(target),
        target_weight=np.array([2.0, 2.0, 5.0, 3.0, 3.0, 3.0, 5.0, 0.0]),
        pace_weight=np.array([0.0, 0, 0.3, 0, 0, 0, 0, 0]),
        sideways=np.zeros((1, 4, 1)),
        sideways_weight=0.0,
        limit=np.tile([-0.25, 0.25], (8, 1)),
        limit_weight=np.where(HARD, 0.0, 20.0),
        limit_round=np.full(8, 0.05),
        clearance=0.02,
        clearance_weight=np.zeros((knots, 1)),
        contact=np.zeros((2, 1), bool),
        leaves=np.zeros(2, int),
        edge_height=np.zeros(2),
        edge_weight=0.0,
        placement=np.zeros(2),
        placement_weight=np.zeros(2),
        rate_weight=np.array([4.0, 4.0, 2.0]) / (200 * 100),
        jerk_weight=np.full(8, 1e-5),
        effort_weight=np.zeros(0),
        least=0.01,
        bound_weight=0.0,
        excitation_weight=0.0,
        times=np.array([0.5, 0.0, 0.0, 0.0, 0.0]),
        times_weight=np.array([20.0, 200.0, 200.0, 200.0, 200.0]),
    )


def random_terms(rng: np.random.Generator, knots: int, n: int, pulling: Muscles | None = None) -> Terms:
    """Every residual at work, at random weights; none on power and limits, whose exact Hessian nobody asks
    for, and none on the pace of joint 0, to which the speed is added.
    """
    return Terms(
        speed=1.3,
        ground=Ground(0.01, 0.2, 20.0, 0.8),
        muscles=pulling or no_muscles(),
        force_scale=np.tile(rng.uniform(100, 300, (n, 1)), 2),
        force_weight=rng.uniform(0.5, 2, n),
        hard=np.arange(n) < n // 2,
        multiplier=rng.normal(size=(knots, n)),
        power_weight=np.zeros(n),
        reference=cubics(0.1 * rng.normal(size=(7, n))),
        target_weight=rng.uniform(0, 3, n),
        pace_weight=np.append(0.0, rng.uniform(0.1, 0.3, n - 1)),
        sideways=cubics(20 * rng.normal(size=(5, 1))),
        sideways_weight=0.01,
        limit=np.tile([-0.1, 0.1], (n, 1)),
        limit_weight=np.zeros(n),
        limit_round=np.full(n, 0.05),
        clearance=0.02,
        clearance_weight=np.zeros((knots, 1)),
        contact=np.zeros((2, 1), bool),
        leaves=np.zeros(2, int),
        edge_height=np.zeros(2),
        edge_weight=0.0,
        placement=np.zeros(2),
        placement_weight=np.zeros(2),
        rate_weight=rng.uniform(1, 3, 3) * 1e-4,
        jerk_weight=rng.uniform(1, 3, n) * 1e-5,
        effort_weight=rng.uniform(0.5, 2, pulling.count if pulling else 0),
        least=0.05,
        bound_weight=4.0,
        excitation_weight=0.3,
        times=np.array([0.6, 0.01, -0.02, 0.02, -0.01]),
        times_weight=np.array([5.0, 3.0, 4.0, 2.0, 6.0]),
    )


def dense(out: Sweep, border: np.ndarray) -> np.ndarray:
    """The whole symmetric matrix of a sweep's blocks; rows and columns like its flat vectors."""
    knots, band, n, _ = out.hessian.shape
    nodes, reach, count, _ = out.mixed.shape
    whole = np.zeros((len(border), len(border)))
    T = knots * n

    def add(row, column, block):
        whole[row : row + len(block), column : column + block.shape[1]] += block
        if row != column:
            whole[column : column + block.shape[1], row : row + len(block)] += block.T

    for k in range(knots):
        for d in range(band):
            add(k * n, (k + d) % knots * n, out.hessian[k, d])
    for j in range(nodes):
        here = T + TIMES + j * count
        for o in range(reach):
            add(here, (NODE * (j - 1) + o) % knots * n, out.mixed[j, o])
        add(here, here, out.own[j, 0])
        add(here, T + TIMES + (j + 1) % nodes * count, out.own[j, 1])
    whole[T : T + TIMES], whole[:, T : T + TIMES] = border.T, border
    return whole


def copied(out: Sweep) -> Sweep:
    return Sweep(*(values.copy() for values in out))
