"""The contact law: smooth, never pulling, friction within its cone and against the motion."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bladerun.environment import Ground
from bladerun.stride.dynamics.contact_law import positive_part, sphere_force

K, C, MU, E, SLIP = 8e5, 0.5, 0.9, 0.012, 0.1
LAW, GROUND = np.array([K, C, MU]), Ground(E, SLIP, 150.0)
SCALE = K * 0.02**1.5  # N, a typical force

heights = st.floats(-0.03, 0.02)
speeds = st.tuples(st.floats(-5, 5), st.floats(-5, 5), st.floats(-4, 4)).map(np.array)


def law(z, v):
    force, by_z, by_v = np.zeros(3), np.zeros(3), np.zeros((3, 3))
    touches = sphere_force(z, np.asarray(v, float), LAW, GROUND, force, by_z, by_v)
    return touches, force, by_z, by_v


@given(heights, speeds)
def test_slopes_are_those_of_the_force(z, v):
    eps = 1e-7
    _, _, by_z, by_v = law(z, v)
    slope = (law(z + eps, v)[1] - law(z - eps, v)[1]) / (2 * eps)
    np.testing.assert_allclose(by_z, slope, atol=2e-5 * SCALE / 0.02)
    for j in range(3):
        dv = np.eye(3)[j] * 1e-6
        slope = (law(z, v + dv)[1] - law(z, v - dv)[1]) / 2e-6
        np.testing.assert_allclose(by_v[:, j], slope, atol=2e-5 * SCALE / SLIP)


@given(heights, speeds)
def test_pushes_and_rubs_within_the_cone(z, v):
    touches, force, _, _ = law(z, v)
    assert touches == (z < E)
    assert force[2] >= 0
    assert np.hypot(force[0], force[1]) <= MU * force[2]
    assert force[:2] @ v[:2] <= 0


@given(st.floats(-0.03, 0.011), st.floats(0.0, 4.0))
def test_takes_energy(z, speed):
    """Going in is harder than coming out: no bounce gives back more than it took."""
    assert law(z, [0, 0, -speed])[1][2] >= law(z, [0, 0, speed])[1][2]


@pytest.mark.parametrize("z", [E, -E])
@pytest.mark.parametrize("vz", [-1.0, 0.0, 0.8 / C, 1.2 / C, 3.0])
def test_force_and_slopes_have_no_jump(z, vz):
    """At the ends of both roundings, and where the ground is left, from either side."""
    gap = 1e-9
    for low, high in (
        (law(z - gap, [0.3, 0.1, vz]), law(z + gap, [0.3, 0.1, vz])),
        (law(z - gap, [0.3, 0.1, vz - gap]), law(z - gap, [0.3, 0.1, vz + gap])),
    ):
        np.testing.assert_allclose(low[1], high[1], atol=1e-6 * SCALE)
        np.testing.assert_allclose(low[2], high[2], atol=1e-6 * SCALE / E)
        np.testing.assert_allclose(low[3], high[3], atol=1e-6 * SCALE / SLIP)


def test_is_hunt_and_crossley_deep_in_the_ground():
    d, vz = 0.02, -0.5
    assert law(-d, [0, 0, vz])[1][2] == pytest.approx(K * d**1.5 * (1 - C * vz))
    assert np.hypot(*law(-d, [50.0, 0, 0])[1][:2]) == pytest.approx(MU * K * d**1.5, rel=1e-5)


@given(st.floats(-1, 1), st.floats(1e-3, 0.5))
def test_positive_part_is_smooth_and_never_below(u, e):
    value, slope = positive_part(u, e)
    assert max(u, 0) <= value <= max(u, 0) + e / 4 + 1e-15
    assert 0 <= slope <= 1


@pytest.mark.parametrize("share", ["stiffness", "damping", "friction"])
def test_a_share_of_the_ground_is_a_share_of_every_sphere(share):
    v, soft, half = np.array([0.3, -0.2, 0.5]), [], GROUND._replace(**{share: 0.5})
    less = [0.5 if name == share else 1.0 for name in ("stiffness", "damping", "friction")]
    for law_, ground in ((LAW, half), (LAW * less, GROUND)):
        force, by_z, by_v = np.zeros(3), np.zeros(3), np.zeros((3, 3))
        assert sphere_force(-0.01, v, law_, ground, force, by_z, by_v)
        soft.append(np.vstack([force, by_z, by_v]))
    np.testing.assert_allclose(*soft)


LAYER = GROUND._replace(layer_stiffness=2e5, layer_damping=1.1)


def on_layer(z, vz, ground=LAYER):
    force, by_z, by_v = np.zeros(3), np.zeros(3), np.zeros((3, 3))
    sphere_force(z, np.array([0.1, 0.2, vz]), LAW, ground, force, by_z, by_v)
    return force, by_z, by_v


def test_a_layer_and_a_sphere_in_series_share_one_force():
    """At rest the travel of either under that force, of its own law, is that of both."""
    force = on_layer(-0.03, 0.0)[0][2]
    own, layer = (force / K) ** (2 / 3), (force / 2e5) ** (2 / 3)
    assert own + layer == pytest.approx(0.03, rel=1e-12)
    assert force < law(-0.03, [0, 0, 0])[1][2]


def test_what_layer_and_sphere_lose_adds_up():
    """To first order: of equal force F the rates are r1 d' and r2 d', and what each takes is F c (r d')^2."""
    force, _, by_v = on_layer(-0.03, 0.0)
    layer = (force[2] / 2e5) ** (2 / 3) / 0.03
    assert -by_v[2, 2] / force[2] == pytest.approx(C * (1 - layer) ** 2 + 1.1 * layer**2)


@given(heights, st.floats(-4, 4))
def test_slopes_on_a_layer_are_those_of_the_force(z, vz):
    eps = 1e-7
    slope = (on_layer(z + eps, vz)[0] - on_layer(z - eps, vz)[0]) / (2 * eps)
    np.testing.assert_allclose(on_layer(z, vz)[1], slope, atol=2e-5 * SCALE / 0.02)


def test_a_layer_that_does_not_give_is_none():
    stiff = GROUND._replace(layer_stiffness=1e30)
    np.testing.assert_allclose(on_layer(-0.01, -0.5, stiff)[0], on_layer(-0.01, -0.5, GROUND)[0], rtol=1e-12)
