"""The solver on a small hopper: it converges, and nobody holds what nobody drives."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from bladerun.stride import _solver
from bladerun.stride._blocks import NODE
from bladerun.stride._links import links
from bladerun.stride._mesh import mesh
from bladerun.stride._solver import Point, minimise, updated
from bladerun.stride._terms import _targets, control_points
from hopper import HARD, HOPPER, compiled, hop_terms

KNOTS = 30


@cache
def model():
    return links(compiled(HOPPER))


def guess(knots=KNOTS):
    t = hop_terms(knots)
    return Point(control_points(_targets(t)), t.times, np.zeros((knots, 8)), np.zeros((knots // NODE, 0)))


def left(point, t):
    """Greatest force that nobody gives, as a share of its scale."""
    out = _solver.at_knots(model(), t, point)
    return np.abs(out.tau / t.force_scale[:, 1])[:, HARD].max()


@cache
def descended():
    """Points before each move of the multipliers."""
    t = hop_terms(KNOTS)
    points = [minimise(model(), t, guess(), HARD, 10.0, tolerance=1e-9, limit=200)]
    for _ in range(3):
        start = replace(updated(model(), t, points[-1], HARD), damping=1.0)
        points.append(minimise(model(), t, start, HARD, _solver.HARD, tolerance=1e-10, limit=200))
    return t, points


def test_converges():
    _, points = descended()
    assert all(p.quiet for p in points)
    assert points[0].iterations < 100


def test_never_goes_up():
    t = hop_terms(KNOTS)
    point, costs = guess(), []
    for _ in range(8):
        point = minimise(model(), t, point, HARD, 10.0, tolerance=0.0, limit=3)
        costs.append(point.cost)
    assert costs == sorted(costs, reverse=True)


def test_multipliers_drive_the_hard_forces_to_nothing():
    t, points = descended()
    residual = [left(p, t) for p in points]
    assert residual[0] > 1e-3  # a penalty alone leaves some
    assert residual[-1] < 1e-5


def test_hops():
    """It leaves the ground, the ground gives its weight over a hop, and it stands upright by symmetry."""
    t, points = descended()
    out = _solver.at_knots(model(), t, points[-1])
    weight = model().mass.sum() * 9.81
    free = model()._replace(sphere_law=model().sphere_law * [0.0, 1.0, 1.0])
    ground = _solver.at_knots(free, t, points[-1]).tau[:, 2] - out.tau[:, 2]
    over_time = mesh(KNOTS, points[-1].times).weight / KNOTS
    assert over_time @ ground == pytest.approx(weight, rel=2e-3)
    assert (ground < 1e-3 * weight).sum() >= 3
    assert ground.max() > 1.5 * weight
    np.testing.assert_allclose(points[-1].c[:, [1, 4]], 0, atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_end_is_a_minimum(seed):
    """From elsewhere near by the descent comes back to the same stride."""
    t, points = descended()
    end = points[-1]
    away = 1e-3 * np.random.default_rng(seed).normal(size=end.c.shape)
    away = replace(end, c=end.c + away, times=end.times * [1.02, 1, 1, 1, 1], damping=1.0)
    back = minimise(model(), t, away, HARD, _solver.HARD, tolerance=1e-10, limit=200)
    assert back.cost == pytest.approx(end.cost, rel=1e-9)
    np.testing.assert_allclose(back.times, end.times, atol=1e-7)
    np.testing.assert_allclose(back.c, end.c, atol=1e-6)


def test_limit_is_told_from_convergence():
    t = hop_terms(KNOTS)
    point = minimise(model(), t, guess(), HARD, 10.0, tolerance=1e-9, limit=2)
    assert point.iterations == 2
    assert not point.quiet
