"""The knots of a stride: where they lie in time, and the spline between them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import BSpline

from bladerun.stride._blocks import NODE
from bladerun.stride._kernel import spline
from bladerun.stride._mesh import _count, _phase, at_phase, mesh


@given(st.integers(3, 80))
def test_knots_lie_in_order_and_closest_where_feet_land(blocks):
    knots = NODE * blocks
    found = mesh(knots)
    assert found.phase[0] == 0 and np.all(np.diff(found.phase) > 0) and found.phase[-1] < 1
    for counts in (found.weight, found.step, found.node_weight, found.node_step):
        assert np.mean(counts) == pytest.approx(1)
    assert np.all((found.share >= 0) & (found.share < 1)) and np.all(found.share[::NODE] == 0)
    if knots >= 30:
        close = found.phase[np.argsort(found.step)[: knots // 6]] % 0.5
        assert np.all((close < 0.08) | (close > 0.48))


@given(st.floats(0, 1, exclude_max=True))
def test_the_count_of_a_phase_is_found_again(phase):
    s = _count(np.array([phase]))
    away = (_phase(s) - phase + 0.5) % 1.0 - 0.5
    assert abs(away[0]) < 1e-13


@given(st.integers(3, 20), st.floats(0.3, 1.2), st.integers(0, 2**31))
def test_the_stencil_is_the_spline_between_the_knots(blocks, T, seed):
    knots = NODE * blocks
    c = np.random.default_rng(seed).normal(size=(knots, 2))
    q, v, a = np.zeros((3, knots, 2))
    spline(mesh(knots), c, T, 2.5, q, v, a)
    v[:, 0] -= 2.5
    for found, expected in zip((q, v, a), at_phase(c, T, mesh(knots).phase), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-9 * max(1.0, np.abs(expected).max()))


@given(st.integers(3, 20), st.floats(0.3, 1.2), st.integers(0, 2**31), st.floats(0, 1))
def test_between_knots_it_is_the_periodic_cubic_of_their_count(blocks, T, seed, phase):
    knots = NODE * blocks
    c = np.random.default_rng(seed).normal(size=(knots, 2))
    curve = BSpline(np.arange(-4, knots + 6), np.take(c, range(-2, knots + 4), axis=0, mode="wrap"), 3)
    q = at_phase(c, T, np.array([phase]))[0]
    np.testing.assert_allclose(q, curve(knots * _count(np.array([phase]))), atol=1e-9)


def test_rates_are_those_in_time():
    c, T, eps = np.random.default_rng(0).normal(size=(60, 3)), 0.7, 1e-6
    phase = np.random.default_rng(1).uniform(0, 1, 50)
    (q0, v0, _), (_, v, a), (q1, v1, _) = (at_phase(c, T, phase + way * eps / T) for way in (-1, 0, 1))
    np.testing.assert_allclose((q1 - q0) / (2 * eps), v, atol=1e-5 * np.abs(v).max())
    np.testing.assert_allclose((v1 - v0) / (2 * eps), a, atol=1e-4 * np.abs(a).max())


def test_even_spacing_gives_the_usual_stencil(monkeypatch):
    monkeypatch.setattr("bladerun.stride._mesh.GRADE", 0.0)
    found = mesh.__wrapped__(30)
    np.testing.assert_allclose(found.phase, np.arange(30) / 30)
    usual = np.array([[1 / 6, 4 / 6, 1 / 6], [-15.0, 0.0, 15.0], [900.0, -1800.0, 900.0]])
    np.testing.assert_allclose(found.stencil, np.tile(usual, (30, 1, 1)), atol=1e-9)
