"""Solve with a symmetric cyclic banded block matrix and a dense border: the solver's Newton system.

Takes the blocks that `sweep` fills; gives a Cholesky factor that solves many right-hand sides.
Three knots and the activations of their node make one block of a cyclic block-tridiagonal matrix; the last
block and the border's columns are eliminated last. LAPACK does the work, one thread. What the columns L of
limp take off A is more border: [[A, L], [L', 1]] [x, z] = [b, 0] is (A - L L') x = b.
"""

import numpy as np
from numba import njit
from scipy.linalg.blas import dgemm, dsyrk, dtrmm
from scipy.linalg.lapack import dpotrf, dtrtri

from bladerun._lib.jitable import register_jitable
from bladerun.stride.sweep import Sweep
from bladerun.stride.transcription.blocks import LIMPS, TIMES

BORDER = TIMES + LIMPS
GROUP = 3  # knots a block: the half band of the Hessian


class NotPositive(ArithmeticError):
    """The matrix is not positive definite: the caller has to damp more."""


class Factor:
    """Cholesky factor of the matrix with the blocks of a `Sweep`, damped.

    damping: flat like `Sweep.gradient`, added to the diagonal.
    N must be a multiple of 3 and at least 9. Raises NotPositive.
    """

    def __init__(self, swept: Sweep, damping: np.ndarray):
        knots, _, n, _ = swept.hessian.shape
        blocks, _, count, _ = swept.own.shape
        self._split, self._blocks = knots * n, blocks
        m = GROUP * n + count
        D, E = np.zeros((2, blocks, m, m))
        _group(swept.hessian, swept.mixed, swept.own, self._rows(damping), D, E)
        border = np.hstack([swept.border, swept.limp])
        columns = [self._rows(column) for column in border.T]
        inner = slice(self._split, self._split + TIMES)
        corner = np.zeros((m + BORDER, m + BORDER), order="F")
        C = np.zeros((m, m + BORDER), order="F")
        corner[:m, :m], C[:, :m] = D[-1], E[-1]
        for p, column in enumerate(columns):
            corner[:m, m + p] = corner[m + p, :m] = column[-1]
            C[:, m + p] = column[0]
        corner[m : m + TIMES, m:] = border[inner]
        corner[m:, m : m + TIMES] = border[inner].T
        corner[m:, m:] += np.diag(np.append(damping[inner], np.ones(LIMPS)))
        self._inverse, self._U, self._W = [], [], []
        S = D[0].T
        for j in range(blocks - 1):
            inverse = _inverse_factor(S)
            if j == blocks - 2:
                C[:, :m] += E[j].T
            W = dtrmm(1.0, inverse, C, lower=1, overwrite_b=1)
            corner = dsyrk(-1.0, W, trans=1, beta=1.0, c=corner, lower=1, overwrite_c=1)
            self._inverse.append(inverse)
            self._W.append(W)
            if j < blocks - 2:
                U = dtrmm(1.0, inverse, E[j].T, lower=1, overwrite_b=0)
                S = dsyrk(-1.0, U, trans=1, beta=1.0, c=D[j + 1].T, lower=1, overwrite_c=1)
                C = np.zeros((m, m + BORDER), order="F")
                for p, column in enumerate(columns):
                    C[:, m + p] = column[j + 1]
                C = dgemm(-1.0, U, W, trans_a=1, beta=1.0, c=C, overwrite_c=1)
                self._U.append(U)
        self._corner = _inverse_factor(corner)

    def solve(self, rhs: np.ndarray) -> np.ndarray:
        """x with matrix x = rhs, both flat."""
        parts = list(self._rows(rhs))
        last = np.concatenate([parts.pop(), rhs[self._split : self._split + TIMES], np.zeros(LIMPS)])
        for j, inverse in enumerate(self._inverse):
            parts[j] = inverse @ parts[j]
            last -= self._W[j].T @ parts[j]
            if j < len(self._U):
                parts[j + 1] -= self._U[j].T @ parts[j]
        last = self._corner.T @ (self._corner @ last)
        for j in reversed(range(len(self._inverse))):
            parts[j] -= self._W[j] @ last
            if j < len(self._U):
                parts[j] -= self._U[j] @ parts[j + 1]
            parts[j] = self._inverse[j].T @ parts[j]
        table = np.array([*parts, last[:-BORDER]])
        n = self._split // len(table)
        return np.concatenate([table[:, :n].ravel(), last[-BORDER:-LIMPS], table[:, n:].ravel()])

    def _rows(self, flat):
        """A flat vector without its entries for the times, one row (m,) a block."""
        c, activations = flat[: self._split], flat[self._split + TIMES :]
        blocks = self._blocks
        return np.hstack([c.reshape(blocks, -1), activations.reshape(blocks, -1)])


def _inverse_factor(S):
    """Inverse of the lower Cholesky factor of S (overwritten): multiplying by it is faster than solving."""
    L, info = dpotrf(S, lower=1, clean=1, overwrite_a=1)
    if info:
        raise NotPositive
    return dtrtri(L, lower=1, overwrite_c=1)[0]


@njit(cache=True)
def _group(hessian, mixed, own, damping, D, E):
    """Blocks of one knot into blocks of three: D[j] (j, j), symmetric; E[j] its transpose of (j, j + 1)."""
    _group_knots(hessian, D, E)
    _group_nodes(mixed, own, hessian.shape[2], D, E)
    blocks, m = damping.shape
    for j in range(blocks):
        for r in range(m):
            D[j, r, r] += damping[j, r]


@register_jitable
def _group_knots(hessian, D, E):
    knots, band, n, _ = hessian.shape
    for k in range(knots):
        j, x = k // GROUP, k % GROUP
        for d in range(band):
            block = hessian[k, d]
            y = x + d
            if y < GROUP:
                for r in range(n):
                    for s in range(n):
                        D[j, x * n + r, y * n + s] += block[r, s]
                        if d > 0:
                            D[j, y * n + s, x * n + r] += block[r, s]
            else:
                for r in range(n):
                    for s in range(n):
                        E[j, (y - GROUP) * n + s, x * n + r] += block[r, s]


@register_jitable
def _group_nodes(mixed, own, n, D, E):
    """Rows and columns of the activations of a node, which stand after those of its three knots."""
    blocks, reach, count, _ = mixed.shape
    a = GROUP * n
    for j in range(blocks):
        for o in range(reach):
            block = mixed[j, o]
            y = o % GROUP
            for e in range(count):
                for i in range(n):
                    if o < GROUP:
                        E[j - 1, a + e, y * n + i] += block[e, i]
                    elif o < 2 * GROUP:
                        D[j, a + e, y * n + i] += block[e, i]
                        D[j, y * n + i, a + e] += block[e, i]
                    else:
                        E[j, y * n + i, a + e] += block[e, i]
        for e in range(count):
            for f in range(count):
                D[j, a + e, a + f] += own[j, 0, e, f]
                E[j, a + f, a + e] += own[j, 1, e, f]
