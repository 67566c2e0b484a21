"""The knots of a stride: where they lie in time, and the spline between them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import BSpline

from bladerun.stride.sweep import spline
from bladerun.stride.transcription.blocks import NODE, TIMES
from bladerun.stride.transcription.mesh import LATER, UNEVEN, _base, _count, at_times, mesh

blocks = st.integers(2, 40)
stretches = st.floats(-0.02, 0.03)
strides = st.tuples(
    st.floats(0.3, 1.2), st.floats(-0.05, 0.05), st.floats(-0.02, 0.02), stretches, stretches
).map(np.array)


@given(blocks, strides)
def test_knots_lie_in_order_and_closest_where_feet_land(count, times):
    knots = 2 * NODE * count
    found = mesh(knots, times)
    assert found.time[0] == pytest.approx(0, abs=1e-12) and np.all(np.diff(found.time) > 0)
    assert np.mean(found.weight) == pytest.approx(1)
    assert found.step.sum() == pytest.approx(times[0]) == pytest.approx(found.node_step.sum())
    np.testing.assert_allclose(found.time[:-1] + found.step[:-1], found.time[1:])
    assert found.time[knots // 2] == pytest.approx(times[0] / 2 + times[UNEVEN])
    np.testing.assert_allclose(found.phase * times[0], found.time + times[LATER], atol=1e-12)
    if knots >= 30:
        close = np.argsort(mesh(knots, np.eye(TIMES)[0]).step)[: knots // 6] % (knots // 2)
        assert np.all((close < 0.08 * knots) | (close > 0.46 * knots))


@given(blocks, strides)
def test_stretched_contacts_begin_and_end_their_steps_when_they_did(count, times):
    """Only what lies between two landings moves, in one half of the stride."""
    knots, right = 2 * NODE * count, times * (np.arange(TIMES) != 4)
    plain, stretched = mesh(knots, times * (np.arange(TIMES) < 3)), mesh(knots, right)
    np.testing.assert_allclose(stretched.time[knots // 2 :], plain.time[knots // 2 :], atol=1e-12)
    assert stretched.time[0] == pytest.approx(plain.time[0], abs=1e-12)
    leaves = 3 * knots // 10
    moved = stretched.time[leaves] - plain.time[leaves]
    assert moved == pytest.approx(times[3] * np.sin(2 * np.pi * leaves / knots) ** 4)


@given(blocks, strides, st.integers(0, 2**31))
def test_derivatives_are_those_of_the_mesh(count, times, seed):
    knots, eps = 2 * NODE * count, 1e-5 * times[0]
    rng = np.random.default_rng(seed)
    way = rng.normal(size=TIMES)
    here, ahead, behind = (mesh(knots, times + s * eps * way) for s in (0, 1, -1))

    def check(name, by, of=slice(None)):
        change = (getattr(ahead, name)[of] - getattr(behind, name)[of]) / (2 * eps)
        expected = np.tensordot(by, way, (1, 0)) if by.ndim > 1 else by
        np.testing.assert_allclose(change, expected, atol=1e-6 * max(1.0, np.abs(expected).max()))

    for name in ("phase", "weight", "step", "node_step"):
        check(name, getattr(here, f"{name}_by"))
    check("stencil", here.stencil_by, (slice(None), slice(1, 3)))
    check("stencil_by", here.stencil_by2)
    check("phase_by", here.phase_by2)


@given(strides, st.floats(0, 1, exclude_max=True))
def test_the_count_of_a_time_is_found_again(times, share):
    t = share * times[0]
    s = _count(times, np.array([t]))
    fine = mesh(600, times)
    place = np.interp(t, np.append(fine.time, times[0]), np.arange(601) / 600)
    assert abs((s[0] - place + 0.5) % 1.0 - 0.5) < 1e-3
    again = at_times(np.sin(2 * np.pi * np.arange(600) / 600)[:, None], times, np.array([t, t + times[0]]))[0]
    np.testing.assert_allclose(again[0], again[1], atol=1e-9)


@given(blocks, strides, st.integers(0, 2**31))
def test_the_stencil_is_the_spline_between_the_knots(count, times, seed):
    knots = 2 * NODE * count
    c = np.random.default_rng(seed).normal(size=(knots, 2))
    q, v, a = np.zeros((3, knots, 2))
    places = mesh(knots, times)
    spline(places, c, 2.5, q, v, a)
    v[:, 0] -= 2.5
    for found, expected in zip((q, v, a), at_times(c, times, places.time), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-8 * max(1.0, np.abs(expected).max()))


@given(blocks, strides, st.integers(0, 2**31), st.floats(0, 1))
def test_between_knots_it_is_the_periodic_cubic_of_their_count(count, times, seed, share):
    knots, t = 2 * NODE * count, np.array([share * times[0]])
    c = np.random.default_rng(seed).normal(size=(knots, 2))
    curve = BSpline(np.arange(-4, knots + 6), np.take(c, range(-2, knots + 4), axis=0, mode="wrap"), 3)
    np.testing.assert_allclose(at_times(c, times, t)[0], curve(knots * _count(times, t)), atol=1e-9)


def test_rates_are_those_in_time():
    c, eps = np.random.default_rng(0).normal(size=(60, 3)), 1e-6
    times = np.array([0.7, 0.01, -0.02, 0.02, 0.01])
    t = np.random.default_rng(1).uniform(0, 0.7, 50)
    (q0, v0, _), (_, v, a), (q1, v1, _) = (at_times(c, times, t + way * eps) for way in (-1, 0, 1))
    np.testing.assert_allclose((q1 - q0) / (2 * eps), v, atol=1e-5 * np.abs(v).max())
    np.testing.assert_allclose((v1 - v0) / (2 * eps), a, atol=1e-4 * np.abs(a).max())


def test_even_spacing_gives_the_usual_stencil(monkeypatch):
    monkeypatch.setattr("bladerun.stride.transcription.mesh.GRADE", 0.0)
    _base.cache_clear()
    found = mesh(30, np.eye(TIMES)[0])
    _base.cache_clear()
    np.testing.assert_allclose(found.phase, np.arange(30) / 30)
    usual = np.array([[1 / 6, 4 / 6, 1 / 6], [-15.0, 0.0, 15.0], [900.0, -1800.0, 900.0]])
    np.testing.assert_allclose(found.stencil, np.tile(usual, (30, 1, 1)), atol=1e-9)
