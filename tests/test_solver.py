"""The solver on a small hopper: it converges, and residual forces vanish."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from bladerun.options import SolverOptions
from bladerun.stride import solver
from bladerun.stride.cost.look_up import look_up
from bladerun.stride.motion import control_points
from bladerun.stride.solver import Point, minimise, objective_by_term, updated
from bladerun.stride.transcription.blocks import NODE
from bladerun.stride.transcription.mesh import mesh
from models.hopper import HARD, hop_arrays

KNOTS, NEWTON = 30, SolverOptions.default().newton


@cache
def arrays():
    return hop_arrays(KNOTS)


def guess():
    own = arrays().terms
    target = np.empty((KNOTS, 4, 8))
    for phase, out in zip(mesh(KNOTS, own.stride_time.prior).phase, target, strict=True):
        look_up(own.tracking.reference, phase, out)
    nodes = np.zeros((KNOTS // NODE, 0))
    return Point(control_points(target[:, 0]), own.stride_time.prior, np.zeros((KNOTS, 8)), nodes)


def left(point):
    """Greatest residual force, as a share of its scale."""
    tau = solver.at_knots(arrays(), point).tau
    return np.abs(tau[:, HARD] / arrays().terms.residual_forces.scale).max()


@cache
def descended():
    """Points before each move of the multipliers."""
    points = [minimise(arrays(), NEWTON, guess(), 10.0, tolerance=1e-9, limit=200)]
    for _ in range(3):
        start = replace(updated(arrays(), points[-1]), damping=1.0)
        points.append(minimise(arrays(), NEWTON, start, solver.MULTIPLIER_UNIT, tolerance=1e-10, limit=200))
    return points


def test_converges():
    points = descended()
    assert all(p.quiet for p in points)
    assert points[0].iterations < 100


def test_never_goes_up():
    point, costs = guess(), []
    for _ in range(8):
        point = minimise(arrays(), NEWTON, point, 10.0, tolerance=0.0, limit=3)
        costs.append(point.cost)
    assert costs == sorted(costs, reverse=True)


def test_multipliers_drive_the_residual_forces_to_nothing():
    residual = [left(p) for p in descended()]
    assert residual[0] > 1e-3  # a penalty alone leaves some
    assert residual[-1] < 1e-5


def test_the_objective_by_term_is_the_cost_less_the_penalty():
    point, own = descended()[-1], arrays().terms.residual_forces
    shift = (solver.MULTIPLIER_UNIT**2 / point.weight * point.multiplier)[:, own.joint]
    each = objective_by_term(arrays(), point)
    assert sum(each.values()) == pytest.approx(point.cost - 0.5 * (shift**2).sum() / KNOTS, rel=1e-12)
    assert abs(each["residual_forces"]) < 1e-4 * point.cost
    assert each["motors"] > 0 and each["tracking"] > 0


def test_hops():
    """It leaves the ground, the ground gives its weight over a hop, and it stands upright by symmetry."""
    p, end = arrays(), descended()[-1]
    out = solver.at_knots(p, end)
    weight = p.tree.mass.sum() * 9.81
    free = p._replace(tree=p.tree._replace(sphere_law=p.tree.sphere_law * [0.0, 1.0, 1.0]))
    ground = solver.at_knots(free, end).tau[:, 2] - out.tau[:, 2]
    over_time = mesh(KNOTS, end.times).weight / KNOTS
    assert over_time @ ground == pytest.approx(weight, rel=2e-3)
    assert (ground < 1e-3 * weight).sum() >= 3
    assert ground.max() > 1.5 * weight
    np.testing.assert_allclose(end.c[:, [1, 4]], 0, atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_end_is_a_minimum(seed):
    """From elsewhere near by the descent comes back to the same stride."""
    end = descended()[-1]
    away = 1e-3 * np.random.default_rng(seed).normal(size=end.c.shape)
    away = replace(end, c=end.c + away, times=end.times * [1.02, 1, 1, 1, 1], damping=1.0)
    back = minimise(arrays(), NEWTON, away, solver.MULTIPLIER_UNIT, tolerance=1e-10, limit=200)
    assert back.cost == pytest.approx(end.cost, rel=1e-9)
    np.testing.assert_allclose(back.times, end.times, atol=1e-7)
    np.testing.assert_allclose(back.c, end.c, atol=1e-6)


def test_limit_is_told_from_convergence():
    point = minimise(arrays(), NEWTON, guess(), 10.0, tolerance=1e-9, limit=2)
    assert point.iterations == 2
    assert not point.quiet


def test_settings_are_those_passed_in():
    patient = replace(NEWTON, quiet_steps=NEWTON.quiet_steps + 3)
    other = minimise(arrays(), patient, guess(), 10.0, tolerance=1e-9, limit=200)
    assert other.iterations == descended()[0].iterations + 3
    assert other.cost == pytest.approx(descended()[0].cost, rel=1e-6)
