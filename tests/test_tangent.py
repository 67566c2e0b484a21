"""Derivatives of a solution, against solving the hopper again with a parameter a little less and more."""

from functools import cache

import numpy as np
import pytest

from bladerun.options import SolverOptions
from bladerun.stride import solver
from bladerun.stride.tangent import Tangent, moved, settled
from models.hopper import hop_arrays
from test_solver import KNOTS, descended

NEWTON = SolverOptions.default().newton


@cache
def arrays():
    return hop_arrays(KNOTS)


@cache
def hop():
    return settled(arrays(), NEWTON, descended()[-1])


def heavier(share):
    outside = arrays().external
    return arrays()._replace(external=outside._replace(gravity=outside.gravity * (1 + share)))


def faster(share):
    return arrays()._replace(speed=arrays().speed + share)


def lighter_tracking(share):
    own = arrays().terms.tracking
    weight = own.weight * (1 + share)
    return arrays()._replace(terms=arrays().terms._replace(tracking=own._replace(weight=weight)))


@pytest.mark.parametrize("changed", [heavier, faster, lighter_tracking])
def test_derivative_is_that_of_solving_again(changed):
    unit = Tangent(arrays(), NEWTON, hop()).derivative(changed(-1e-4), changed(1e-4), 2e-4)
    step = 0.01
    low, high = (settled(changed(way * step), NEWTON, hop()) for way in (-1, 1))
    solved = (solver.flat(high) - solver.flat(low)) / (2 * step)
    away = np.linalg.norm(unit.unknowns - solved) / np.linalg.norm(solved)
    assert away < 0.03


def test_tangent_leads_closer_to_the_solution_than_standing_still():
    unit = Tangent(arrays(), NEWTON, hop()).derivative(heavier(-1e-4), heavier(1e-4), 2e-4)
    there = settled(heavier(0.02), NEWTON, hop())
    near = moved(hop(), unit, 0.02)
    missed, whole = (np.abs(at.c - there.c).max() for at in (near, hop()))
    assert missed < 0.1 * whole
