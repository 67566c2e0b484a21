"""The block factor against a dense solve."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bladerun.stride._linear import Factor, NotPositive
from hopper import dense


def banded(rng, knots, n):
    """Blocks and border of B' B + 0.1, B of rows that reach over four neighbouring knots and the border."""
    hessian, border = np.zeros((knots, 4, n, n)), np.zeros(knots * n + 1)
    for k in range(knots):
        B = rng.normal(size=(n, 4 * n + 1))
        G = B.T @ B
        for x in range(4):
            for y in range(x, 4):
                hessian[(k + x) % knots, y - x] += G[x * n : (x + 1) * n, y * n : (y + 1) * n]
            at = (k + x) % knots
            border[at * n : (at + 1) * n] += G[x * n : (x + 1) * n, -1]
        border[-1] += G[-1, -1]
        hessian[k, 0] += 0.1 * np.eye(n)
    border[-1] += 0.1
    return hessian, border


@given(st.integers(3, 12), st.integers(1, 6), st.integers(0, 2**31))
def test_solves_like_a_dense_matrix(blocks, n, seed):
    rng, knots = np.random.default_rng(seed), 3 * blocks
    hessian, border = banded(rng, knots, n)
    damping = rng.uniform(0, 0.5, knots + 1)
    matrix = dense(hessian, border) + np.diag(np.append(np.repeat(damping[:-1], n), damping[-1]))
    given_hessian, given_border = hessian.copy(), border.copy()
    factor = Factor(hessian, border, damping)
    for _ in range(2):  # a factor serves many right-hand sides
        x = rng.normal(size=knots * n + 1)
        rhs = matrix @ x
        kept = rhs.copy()
        np.testing.assert_allclose(factor.solve(rhs), x, atol=1e-8 * np.abs(x).max() * np.linalg.cond(matrix))
        np.testing.assert_array_equal(rhs, kept)
    np.testing.assert_array_equal(hessian, given_hessian)
    np.testing.assert_array_equal(border, given_border)


def test_is_backward_stable_at_the_solver_s_size():
    rng = np.random.default_rng(0)
    hessian, border = banded(rng, 90, 30)
    matrix, rhs = dense(hessian, border), rng.normal(size=90 * 30 + 1)
    x = Factor(hessian, border, np.zeros(91)).solve(rhs)
    assert np.abs(matrix @ x - rhs).max() < 1e-12 * np.abs(matrix).sum(1).max() * np.abs(x).max()


@pytest.mark.parametrize("place", ["first block", "inner block", "last block", "border"])
def test_says_when_not_positive(place):
    hessian, border = banded(np.random.default_rng(1), 12, 3)
    if place == "border":
        border[-1] = -1.0
    else:
        knot = {"first block": 0, "inner block": 7, "last block": 11}[place]
        hessian[knot, 0] -= 1e3 * np.eye(3)
    with pytest.raises(NotPositive):
        Factor(hessian, border, np.zeros(13))
    Factor(hessian, border, np.full(13, 1e4))  # and damping mends it
