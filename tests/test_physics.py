"""Laws that hold whatever the runner: known hops, energy, integrators of known order, any system of units."""

import mujoco
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from bladerun.blade.catalog import load_blade
from bladerun.body.runner import Amputation, Runner
from bladerun.environment import Environment, Ground, Wrench
from bladerun.fitting import Fitting
from bladerun.forward.simulator import Simulator
from bladerun.model import build_model
from bladerun.stride.dynamics.contact_law import sphere_force
from bladerun.stride.dynamics.passive import LINEAR
from bladerun.stride.dynamics.required_forces import required
from bladerun.stride.dynamics.tree import external, tree_of

MASS, TOE, SPRING, G = 70.0, 0.5, 25e3, 9.81  # kg, kg, N/m, m/s^2
LAW = Ground(0.002, 0.1, 20.0)
OUTSIDE = Environment((0.0, 0.0, -G), LAW)
HOPPER = """
<mujoco>
  <compiler angle="radian"/><size nuser_geom="4" nuser_jnt="3"/>
  <worldbody><body name="trunk" pos="0 0 1">
    <joint name="height" type="slide" axis="0 0 1"/>
    <inertial pos="0 0 0" mass="{mass}" diaginertia="1 1 1"/>
    {leg}
  </body></worldbody>
</mujoco>
"""
LEG = """
    <body name="toe" pos="0 0 -.9">
      <joint name="leg" type="slide" axis="0 0 1" stiffness="{spring}"/>
      <inertial pos="0 0 0" mass="{toe}" diaginertia=".01 .01 .01"/>
      <geom name="contact_r_0" type="sphere" size=".1" mass="0" user="{ground} {loss} 0 1"/>
    </body>"""


def hopper(toe=TOE, ground=2e7, loss=0.0):
    leg = LEG.format(spring=SPRING, toe=toe, ground=ground, loss=loss)
    return Simulator(HOPPER.format(mass=MASS, leg=leg), OUTSIDE, [])


def fall(simulator, speed, duration, steps, integrator, samples=1):
    """Drop it, touching the ground at `speed` downwards; height, its rate and ground force at each sample."""
    q, v = np.zeros(simulator.mj.nv), np.zeros(simulator.mj.nv)
    v[0] = -speed
    simulator.set_state(q, v)
    none, rows = np.zeros((4, 0)), []
    for _ in range(samples):
        simulator.step(none, np.zeros((2, 0)), duration / samples, steps // samples, integrator)
        simulator.forward(none[0], np.zeros(0))
        rows.append([simulator.data.qpos[0], simulator.data.qvel[0], simulator.grf[0, 2]])
    return np.array(rows)


def test_a_spring_mass_hopper_hops_as_in_the_textbook():
    """On stiff ground, with hardly any toe, m z'' = -k z - m g while it stands; ground and toe take 2 %.

    Contact lasts 2 (pi - atan(v w / g)) / w, force peaks at m g (1 + sqrt(1 + (v w / g)^2)), and it leaves as
    fast as it came, w^2 = k / m (McMahon & Cheng 1990, doi 10.1016/0021-9290(90)90042-2).
    """
    speed, omega = 1.0, np.sqrt(SPRING / MASS)
    contact = 2 * (np.pi - np.arctan(speed * omega / G)) / omega
    peak = MASS * G * (1 + np.hypot(1, speed * omega / G))
    simulator = hopper(toe=0.02, ground=1e8, loss=1.0)
    samples = 1500
    duration = 1.3 * contact
    height, velocity, force = fall(simulator, speed, duration, samples * 20, "rk4", samples).T
    stands = np.flatnonzero(force > 0)
    assert (stands[-1] - stands[0]) * duration / samples == pytest.approx(contact, rel=0.02)
    assert force[100:].max() == pytest.approx(peak, rel=0.02)  # the toe's own landing is over by then
    assert velocity[stands[-1]] == pytest.approx(speed, rel=0.03)
    assert height.min() == pytest.approx(-peak / SPRING, rel=0.01)


def test_raised_ground_is_ground_that_is_nearer():
    """A toe at height z over ground raised by h is pressed as one at z - h over the floor."""
    none, force = np.zeros(0), []
    for height, ground in ((-0.004, 0.0), (0.021, 0.025), (-0.054, -0.05)):
        simulator = hopper()
        simulator.ground_under("right", height_m=ground, friction=0.5)
        simulator.set_state(np.array([height, 0.0]), np.zeros(2))
        simulator.forward(none, none)
        force.append(simulator.grf[0, 2])
    assert force[0] > 1000 and force == pytest.approx([force[0]] * 3)
    simulator.ground_under("left", height_m=1.0)  # there is none
    simulator.ground_under("right")
    simulator.forward(none, none)
    assert simulator.grf[0, 2] > 10 * force[0], "54 mm deep in the floor"


def test_a_push_moves_the_whole():
    leg = LEG.format(spring=SPRING, toe=TOE, ground=2e7, loss=0)
    pushed = Environment((0.0, 0.0, 0.0), LAW, (Wrench("trunk"),))
    simulator = Simulator(HOPPER.format(mass=MASS, leg=leg), pushed, [])
    simulator.set_state(np.array([1.0, 0.0]), np.zeros(2))
    simulator.push(0, np.array([0.0, 0.0, 141.0]))
    simulator.step(np.zeros((4, 0)), np.zeros((2, 0)), 0.01, 100, "rk4")
    momentum = MASS * simulator.data.qvel[0] + TOE * simulator.data.qvel.sum()
    assert momentum == pytest.approx(1.41, rel=1e-6)


def reference(speed, duration, loss):
    """The same two masses integrated by a Runge-Kutta method of order 8 to 10 digits."""
    law, force, by_z, by_v = np.array([2e7, loss, 0.0]), np.zeros(3), np.zeros(3), np.zeros((3, 3))

    def rate(_, x):
        height, leg, v_height, v_leg = x
        ground = 0.0
        v = np.array([0.0, 0.0, v_height + v_leg])
        if sphere_force(height + leg, v, law, LAW, force, by_z, by_v):
            ground = force[2]
        push = -SPRING * leg  # of the spring, on the toe
        return [v_height, v_leg, -push / MASS - G, ground / TOE + push / TOE + push / MASS]

    start = [0.0, 0.0, -speed, 0.0]
    return solve_ivp(rate, (0, duration), start, method="DOP853", rtol=1e-11, atol=1e-13).y[:, -1]


@pytest.mark.parametrize(
    ("integrator", "steps", "order"), [("euler", 2500, 1), ("implicitfast", 2500, 1), ("rk4", 250, 2)]
)
def test_integrators_come_to_the_reference_at_their_order(integrator, steps, order):
    """The ground's force has a corner at touchdown, so no integrator need be better than of order 2."""
    duration, expected = 0.05, reference(1.0, 0.05, 0.3)
    errors = []
    for finer in (1, 2, 4):
        simulator = hopper(loss=0.3)
        fall(simulator, 1.0, duration, finer * steps, integrator)
        found = np.concatenate([simulator.data.qpos, simulator.data.qvel])
        errors.append(np.abs(found - expected).max())
    assert errors[-1] < 2e-3
    assert errors[0] / errors[-1] > 4**order * 0.7


def test_a_blade_that_loses_nothing_gives_back_what_it_took():
    """A mass on a real blade, no damping, no friction: its energy after a hop is that before."""
    spec = mujoco.MjSpec.from_string(HOPPER.format(mass=MASS, leg=""))
    blade = load_blade("j-sprint")
    trunk = spec.body("trunk")
    trunk.pos = [0.0, 0.0, blade.rating_height_m]
    blade.attach(trunk, suffix="r", category=4.0, clamp_to_ground_m=blade.rating_height_m)
    for joint in spec.joints:
        joint.damping = np.zeros(3)
    for geom in spec.geoms:
        if len(geom.userdata) and geom.userdata[0] > 0:
            geom.userdata = [geom.userdata[0], 0.0, 0.0, geom.userdata[3]]
    spec.option.enableflags |= mujoco.mjtEnableBit.mjENBL_ENERGY
    spec.compile()
    simulator = Simulator(spec.to_xml(), OUTSIDE, [])
    energy, force = [], []
    q, v = np.zeros(simulator.mj.nv), np.zeros(simulator.mj.nv)
    q[0], v[0] = 0.003, -1.0
    simulator.set_state(q, v)
    none = np.zeros((4, 0))
    for _ in range(80):
        simulator.forward(none[0], np.zeros(0))
        mujoco.mj_energyPos(simulator.mj, simulator.data)
        mujoco.mj_energyVel(simulator.mj, simulator.data)
        energy.append(simulator.data.energy.sum())
        force.append(simulator.grf[0, 2])
        simulator.step(none, np.zeros((2, 0)), 0.005, 250, "rk4")
    stood = np.flatnonzero(np.array(force) > 0)
    after = stood[0] + np.flatnonzero(np.array(force)[stood[0] :] == 0)
    assert max(force) > 2 * MASS * G
    assert energy[after[0]] == pytest.approx(energy[0], abs=0.01)


def test_any_system_of_units_gives_the_same_stride():
    """Lengths in 0.3 m, masses in 2 kg, time in 0.7 s: forces and moments come out in those units."""
    length, mass, time = 1 / 0.3, 1 / 2.0, 1 / 0.7  # new numbers for 1 m, 1 kg, 1 s
    force = mass * length / time**2
    model = build_model(Runner(75.0, 1.75), Amputation("right"), Fitting("j-sprint"))
    si = tree_of(model.mj)
    way = np.where(si.slide, length, 1.0)  # of a coordinate
    effort = np.where(si.slide, force, force * length)
    law = si.sphere_law * [force / length**1.5, time / length, 1.0]
    assert (si.laws.kind == LINEAR).all()
    at = si.laws.joint
    parameter = si.laws.parameter.copy()  # stiffness, rest, damping
    parameter[:, :3] *= np.column_stack([effort / way, way, effort / way * time])[at]
    other = si._replace(
        pos0=si.pos0 * length, anchor=si.anchor * length, mass=si.mass * mass, com=si.com * length,
        inertia=si.inertia * mass * length**2, armature=si.armature * effort / way * time**2,
        laws=si.laws._replace(parameter=parameter), sphere_pos=si.sphere_pos * length,
        sphere_radius=si.sphere_radius * length, sphere_law=law,
    )  # fmt: skip
    ground = LAW._replace(
        smoothing_m=LAW.smoothing_m * length, slip_speed_m_s=LAW.slip_speed_m_s * length / time,
        slip_load_n=LAW.slip_load_n * force,
    )  # fmt: skip
    here = external(model.mj, OUTSIDE)
    there = here._replace(gravity=here.gravity * length / time**2, ground=ground)
    rng = np.random.default_rng(0)
    for _ in range(5):
        q, v, a = 0.2 * rng.normal(size=(3, model.mj.nv)) * np.array([[1], [5], [50]])
        q[2] = -0.05
        found = [
            required(
                tree, outside, *(x[None] * scale for x, scale in zip((q, v, a), scales, strict=True))
            ).tau[0]
            for tree, outside, scales in (
                (si, here, (1.0, 1.0, 1.0)),
                (other, there, (way, way / time, way / time**2)),
            )
        ]
        np.testing.assert_allclose(found[1], found[0] * effort, rtol=1e-9, atol=1e-7)
