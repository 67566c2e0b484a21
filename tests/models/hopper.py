"""Small machines for the tests of the solver, and problems on them as `Arrays`.

`HOPPER`: a 3-D one-legged hopper of 8 joints, base (x, y, z, tilt, list), hip, leg and a sprung toe slide.
`MUSCLED`: the same with three muscles at hip and leg, one of them wrapped, and a series spring to the toe.
`SLIDES`: three slides, whose forces are linear in position, velocity and acceleration.
`PASSIVE`: passive laws of the hopper of every kind, to be written into its model.
"""

import mujoco
import numpy as np

from bladerun.body.passive_laws import write_law
from bladerun.environment import Environment, Ground, Wrench
from bladerun.stride.cost.bounce import Bounce
from bladerun.stride.cost.clearance import Clearance
from bladerun.stride.cost.contact_edges import ContactEdges
from bladerun.stride.cost.effort import Effort
from bladerun.stride.cost.excitation import Excitation
from bladerun.stride.cost.force_rate import ForceRate
from bladerun.stride.cost.jerk import Jerk
from bladerun.stride.cost.knee_stop import KneeStop
from bladerun.stride.cost.landing import Landing
from bladerun.stride.cost.lean import Lean
from bladerun.stride.cost.limits import Limits
from bladerun.stride.cost.look_up import cubics
from bladerun.stride.cost.motors import Motors
from bladerun.stride.cost.placement import Placement
from bladerun.stride.cost.reserves import Reserves
from bladerun.stride.cost.residual_forces import ResidualForces
from bladerun.stride.cost.sideways_force import SidewaysForce
from bladerun.stride.cost.stride_time import StrideTime
from bladerun.stride.cost.tracking import Tracking
from bladerun.stride.dynamics.muscle_paths import muscles
from bladerun.stride.dynamics.tree import external, tree_of
from bladerun.stride.sweep import Arrays, Sweep, Terms
from bladerun.stride.transcription.blocks import NODE, TIMES

HOPPER = """
<mujoco>
  <compiler angle="radian" autolimits="true"/>
  <size nuser_geom="4"/>
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
          <geom name="contact_r_0" type="sphere" size=".03" pos=".04 .06 -.17" mass="0" user="1.5e5 .3 .9 1"/>
          <geom name="contact_r_1" type="sphere" size=".03" pos=".04 -.06 -.17" mass="0"
            user="1.5e5 .3 .9 1"/>
          <geom name="contact_r_2" type="sphere" size=".03" pos="-.04 0 -.17" mass="0" user="1.5e5 .3 .9 1"/>
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
HARD = np.array([True] * 5 + [False, False, True])  # the base and the spring are not driven
PASSIVE = (
    ("leg", "dead band", {"stiffness": 4e3, "rest": 0.0, "half_width": 0.02, "rounding": 0.01,
                          "damping": 30.0}),
    ("hip", "stop", {"stiffness": 300.0, "at": 0.03, "sense": 1.0, "rounding": 0.02, "damping": 0.2}),
    ("hip", "stop", {"stiffness": 200.0, "at": -0.04, "sense": -1.0, "rounding": 0.02, "damping": 0.3}),
    ("tilt", "damper", {"positive": 8.0, "negative": 3.0, "rounding": 0.3, "start": -0.1, "width": 0.2,
                        "factor": 1.5}),
    ("list", "polynomial", {"stiffness": 50.0, "stiffness2": 200.0, "stiffness3": 900.0, "rest": 0.01,
                            "damping": 2.0, "damping2": 0.4, "damping3": 0.1}),
    ("y", "linear", {"stiffness": 300.0, "rest": 0.02, "damping": 5.0}),
)  # fmt: skip

SLIDES = """
<mujoco>
  <size nuser_geom="4"/>
  <option><flag contact="disable"/></option>
  <worldbody>
    <body pos="0 0 5">
      <joint type="slide" axis="1 0 0" damping="3"/><joint type="slide" axis="0 .6 .8" stiffness="200"/>
      <inertial pos="0 0 0" mass="4" diaginertia=".1 .1 .1"/>
      <body>
        <joint type="slide" axis=".3 .2 1" stiffness="500" damping="7" armature=".3"/>
        <inertial pos="0 0 0" mass="2" diaginertia=".1 .1 .1"/>
        <geom name="contact_r_0" type="sphere" size=".03" mass="0" user="1e5 .5 .9 1"/>
      </body>
    </body>
  </worldbody>
</mujoco>
"""


def compiled(xml: str) -> mujoco.MjModel:
    return mujoco.MjModel.from_xml_string(xml)


def with_laws(xml: str) -> str:
    """The hopper with every kind of passive law."""
    spec = mujoco.MjSpec.from_string(xml)
    for joint, kind, parameters in PASSIVE:
        write_law(spec, joint, kind, **parameters)
    spec.compile()
    return spec.to_xml()


def around(ground: Ground, *wrenches: Wrench, gravity=(0.0, 0.0, -9.81)) -> Environment:
    return Environment(gravity, ground, wrenches)


def hop_arrays(knots: int) -> Arrays:
    """Hopping on the spot as the target, for HOPPER: 50 mm up and down, twice a second."""
    mj = compiled(HOPPER)
    target = np.zeros((60, 8))
    target[:, 2] = 0.05 * np.cos(2 * np.pi * np.arange(60) / 60)
    scale = np.tile([[200.0], [200.0], [200.0], [50.0], [50.0], [80.0], [600.0], [200.0]], 2)
    scale[5:7, 1] *= 1.3  # not the same in both senses
    driven = np.flatnonzero(~HARD)
    empty = np.zeros(0)
    terms = Terms(
        residual_forces=ResidualForces(np.flatnonzero(HARD), scale[HARD, 1], 1.0, np.zeros((knots, 8))),
        reserves=Reserves(np.zeros(0, int), np.zeros((0, 2)), 0.0),
        motors=Motors(driven, scale[driven], np.ones(2), np.full(2, 5e-4)),
        tracking=Tracking(cubics(target), np.array([2.0, 2.0, 5.0, 3.0, 3.0, 3.0, 5.0, 0.0])),
        bounce=Bounce(2, cubics(target[:, 2:3]), 0.3),
        limits=Limits(driven, np.tile([-0.25, 0.25], (2, 1)), 20.0, 0.05),
        sideways_force=SidewaysForce(np.zeros((1, 4, 1)), 0.0),
        placement=Placement(np.zeros((2, 3), bool), np.zeros(2), np.zeros(2)),
        landing=Landing(np.zeros((2, 3), bool), 0.0, np.zeros(2)),
        clearance=Clearance(0.02, np.zeros((knots, 3))),
        contact_edges=ContactEdges(np.zeros((2, 3), bool), np.zeros(2, int), np.zeros(2), 0.0),
        force_rate=ForceRate(np.array([4.0, 4.0, 2.0]) / (200 * 100)),
        jerk=Jerk(np.full(8, 1e-5)),
        effort=Effort(empty, 0.01, 0.0),
        excitation=Excitation(empty, empty, 0.0),
        stride_time=StrideTime(
            np.array([0.5, 0.0, 0.0, 0.0, 0.0]), np.array([20.0, 200.0, 200.0, 200.0, 200.0])
        ),
        lean=Lean(3, 5, np.zeros((1, 4, 1)), 0.0),
        knee_stop=KneeStop(driven[:0], np.zeros((knots, 0)), 0.0, 0.02),
    )
    return Arrays(tree_of(mj), external(mj, around(Ground(0.01, 0.1, 20.0))), muscles(mj), 0.0, terms)


def sized(n: int, count: int) -> Arrays:
    """Arrays of n joints and so many muscles, for the shapes alone."""
    arrays = hop_arrays(30)
    tree = arrays.tree._replace(parent=np.arange(n) - 1)
    return arrays._replace(tree=tree, muscles=arrays.muscles._replace(f0=np.ones(count)))


def random_arrays(rng: np.random.Generator, knots: int, xml: str, *wrenches: Wrench) -> Arrays:
    """Every residual at work, at random weights; none on power and limits, whose exact Hessian is not asked
    for.
    """
    mj = compiled(xml)
    n, pulling = mj.nv, muscles(mj)
    scale = np.tile(rng.uniform(100, 300, (n, 1)) / rng.uniform(0.5, 2, (n, 1)), 2)
    joints = np.arange(n)
    hard, pulled = joints[: n // 2], np.intersect1d(joints[n // 2 :], pulling.rows)
    driven = np.setdiff1d(joints, [*hard, *pulled])
    terms = Terms(
        residual_forces=ResidualForces(hard, scale[hard, 1], 1.0, rng.normal(size=(knots, n))),
        reserves=Reserves(pulled, scale[pulled], 1.3),
        motors=Motors(driven, scale[driven], rng.uniform(0.5, 2, len(driven)), np.zeros(len(driven))),
        tracking=Tracking(cubics(0.1 * rng.normal(size=(7, n))), rng.uniform(0, 3, n)),
        bounce=Bounce(2, cubics(0.1 * rng.normal(size=(7, 1))), 0.4, 0.3),
        limits=Limits(joints[:0], np.zeros((0, 2)), 0.0, 0.05),
        sideways_force=SidewaysForce(cubics(20 * rng.normal(size=(5, 1))), 0.01),
        placement=Placement(np.zeros((2, 3), bool), np.zeros(2), np.zeros(2)),
        landing=Landing(np.zeros((2, 3), bool), 0.0, np.zeros(2)),
        clearance=Clearance(0.02, np.zeros((knots, 3))),
        contact_edges=ContactEdges(np.zeros((2, 3), bool), np.zeros(2, int), np.zeros(2), 0.0),
        force_rate=ForceRate(rng.uniform(1, 3, 3) * 1e-4),
        jerk=Jerk(rng.uniform(1, 3, n) * 1e-5),
        effort=Effort(rng.uniform(0.5, 2, pulling.count), 0.05, 4.0),
        excitation=Excitation(pulling.rise, pulling.fall, 0.3),
        stride_time=StrideTime(
            np.array([0.6, 0.01, -0.02, 0.02, -0.01]), np.array([5.0, 3.0, 4.0, 2.0, 6.0])
        ),
        lean=Lean(min(3, n - 2), min(5, n - 1), cubics(0.1 * rng.normal(size=(6, 1))), 1.5),
        knee_stop=KneeStop(joints[-1:], rng.uniform(0, 3, (knots, 1)), -9.0, 0.02),
    )
    outside = around(Ground(0.01, 0.2, 20.0, 0.8), *wrenches, gravity=(-0.7, 0.2, -9.6))
    return Arrays(tree_of(mj), external(mj, outside), pulling, 1.3, terms)


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
    return whole - out.limp @ out.limp.T


def copied(out: Sweep) -> Sweep:
    return Sweep(*(values.copy() for values in out))
