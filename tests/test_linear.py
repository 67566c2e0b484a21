"""The block factor against a dense solve."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bladerun.stride._linear_algebra import Factor, NotPositive
from bladerun.stride.sweep import sweep_arrays
from bladerun.stride.transcription.blocks import NODE, TIMES
from models.hopper import copied, dense, sized


def banded(rng, knots, n, count=0):
    """A sweep whose matrix is B' B + 0.1: rows of B reach over four knots, two nodes, the border."""
    out = sweep_arrays(knots, sized(n, count))
    nodes, T = knots // NODE, knots * n
    for k in range(knots):
        B = rng.normal(size=(n, 4 * n + TIMES))
        G = B.T @ B
        for x in range(4):
            for y in range(x, 4):
                out.hessian[(k + x) % knots, y - x] += G[x * n : (x + 1) * n, y * n : (y + 1) * n]
            at = (k + x) % knots
            out.border[at * n : (at + 1) * n] += G[x * n : (x + 1) * n, -TIMES:]
        out.border[T : T + TIMES] += G[-TIMES:, -TIMES:]
        out.hessian[k, 0] += 0.1 * np.eye(n)
    for j in range(nodes):  # three control points from NODE j on, activations of nodes j and j + 1, times
        B = rng.normal(size=(count, NODE * n + 2 * count + TIMES))
        G = B.T @ B
        cs, a, b = NODE * n, slice(NODE * n, NODE * n + count), slice(NODE * n + count, -TIMES)
        later = (j + 1) % nodes
        for x in range(NODE):
            block = slice(x * n, (x + 1) * n)
            for y in range(x, NODE):
                out.hessian[NODE * j + x, y - x] += G[block, y * n : (y + 1) * n]
            out.mixed[j, NODE + x] += G[a, block]
            out.mixed[later, x] += G[b, block]
        out.border[NODE * j * n : NODE * (j + 1) * n] += G[:cs, -TIMES:]
        out.own[j, 0] += G[a, a] + 0.1 * np.eye(count)
        out.own[later, 0] += G[b, b]
        out.own[j, 1] += G[a, b]
        here, there = T + TIMES + j * count, T + TIMES + later * count
        out.border[here : here + count] += G[a, -TIMES:]
        out.border[there : there + count] += G[b, -TIMES:]
        out.border[T : T + TIMES] += G[-TIMES:, -TIMES:]
    out.border[T : T + TIMES] += 0.1 * np.eye(TIMES)
    limp = rng.normal(size=out.limp.shape)
    out.limp[:] = 0.2 * limp / np.linalg.norm(limp)  # its square is less than those 0.1
    return out


@given(st.integers(3, 12), st.integers(1, 6), st.integers(0, 4), st.integers(0, 2**31))
def test_solves_like_a_dense_matrix(blocks, n, count, seed):
    rng, knots = np.random.default_rng(seed), 3 * blocks
    out = banded(rng, knots, n, count)
    damping = rng.uniform(0, 0.5, len(out.border))
    matrix = dense(out, out.border) + np.diag(damping)
    before = copied(out)
    factor = Factor(out, damping)
    for _ in range(2):  # a factor serves many right-hand sides
        x = rng.normal(size=len(out.border))
        rhs = matrix @ x
        kept = rhs.copy()
        np.testing.assert_allclose(factor.solve(rhs), x, atol=1e-8 * np.abs(x).max() * np.linalg.cond(matrix))
        np.testing.assert_array_equal(rhs, kept)
    for values, kept in zip(out, before, strict=True):
        np.testing.assert_array_equal(values, kept)


def test_is_backward_stable_at_the_solver_s_size():
    rng = np.random.default_rng(0)
    out = banded(rng, 90, 30, 20)
    matrix, rhs = dense(out, out.border), rng.normal(size=len(out.border))
    x = Factor(out, np.zeros(len(rhs))).solve(rhs)
    assert np.abs(matrix @ x - rhs).max() < 1e-12 * np.abs(matrix).sum(1).max() * np.abs(x).max()


@pytest.mark.parametrize("place", ["first block", "inner block", "last block", "border"])
def test_says_when_not_positive(place):
    out = banded(np.random.default_rng(1), 12, 3)
    if place == "border":
        out.border[-1] = -1.0
    else:
        knot = {"first block": 0, "inner block": 7, "last block": 11}[place]
        out.hessian[knot, 0] -= 1e3 * np.eye(3)
    with pytest.raises(NotPositive):
        Factor(out, np.zeros(len(out.border)))
    Factor(out, np.full(len(out.border), 1e4))  # and damping mends it
