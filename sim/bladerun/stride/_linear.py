"""Solve with a symmetric cyclic banded block matrix and one dense border: the solver's Newton system.

Takes the blocks that `_kernel.sweep` fills; gives a Cholesky factor that solves many right-hand sides.
Three knots make one block of a cyclic block-tridiagonal matrix; the last block and the border column are
eliminated last. LAPACK does the work, one thread.
"""

import numpy as np
from numba import njit
from scipy.linalg.blas import dgemm, dsyrk, dtrsm
from scipy.linalg.lapack import dpotrf

GROUP = 3  # knots a block: the half band of the Hessian


class NotPositive(ArithmeticError):
    """The matrix is not positive definite: the caller has to damp more."""


class Factor:
    """Cholesky factor of the matrix with blocks `hessian` (N, 4, n, n) and border (N n + 1,), damped.

    damping (N + 1,): added to the diagonal of block (k, k), and to the last entry of the border.
    N must be a multiple of 3 and at least 9. Raises NotPositive.
    """

    def __init__(self, hessian: np.ndarray, border: np.ndarray, damping: np.ndarray):
        knots, _, n, _ = hessian.shape
        m, blocks = GROUP * n, knots // GROUP
        D, E = np.empty((2, blocks, m, m))
        _group(hessian, damping, D, E)
        column = border[:-1].reshape(blocks, m)
        corner = np.zeros((m + 1, m + 1), order="F")
        corner[:m, :m] = D[-1]
        corner[:m, m] = corner[m, :m] = column[-1]
        corner[m, m] = border[-1] + damping[-1]
        C = np.zeros((m, m + 1), order="F")
        C[:, :m] = E[-1]
        C[:, m] = column[0]
        self._L, self._U, self._W = [], [], []
        S = D[0].T
        for j in range(blocks - 1):
            L, info = dpotrf(S, lower=1, overwrite_a=1)
            if info:
                raise NotPositive
            if j == blocks - 2:
                C[:, :m] += E[j].T
            W = dtrsm(1.0, L, C, lower=1, overwrite_b=1)
            corner = dsyrk(-1.0, W, trans=1, beta=1.0, c=corner, lower=1, overwrite_c=1)
            self._L.append(L)
            self._W.append(W)
            if j < blocks - 2:
                U = dtrsm(1.0, L, E[j].T, lower=1, overwrite_b=0)
                S = dsyrk(-1.0, U, trans=1, beta=1.0, c=D[j + 1].T, lower=1, overwrite_c=1)
                C = np.zeros((m, m + 1), order="F")
                C[:, m] = column[j + 1]
                C = dgemm(-1.0, U, W, trans_a=1, beta=1.0, c=C, overwrite_c=1)
                self._U.append(U)
        self._corner, info = dpotrf(corner, lower=1, overwrite_a=1)
        if info:
            raise NotPositive

    def solve(self, rhs: np.ndarray) -> np.ndarray:
        """x with matrix x = rhs, (N n + 1,)."""
        m = len(self._L[0])
        parts = list(rhs[:-1].reshape(-1, m).copy())
        last = np.append(parts.pop(), rhs[-1])
        for j, L in enumerate(self._L):
            parts[j] = dtrsm(1.0, L, parts[j], lower=1).ravel()
            last -= self._W[j].T @ parts[j]
            if j < len(self._U):
                parts[j + 1] -= self._U[j].T @ parts[j]
        last = dtrsm(1.0, self._corner, last, lower=1)
        last = dtrsm(1.0, self._corner, last, lower=1, trans_a=1).ravel()
        for j in reversed(range(len(self._L))):
            parts[j] -= self._W[j] @ last
            if j < len(self._U):
                parts[j] -= self._U[j] @ parts[j + 1]
            parts[j] = dtrsm(1.0, self._L[j], parts[j], lower=1, trans_a=1).ravel()
        return np.concatenate([*parts, last])


@njit(cache=True)
def _group(hessian, damping, D, E):
    """Blocks of one knot into blocks of three: D[j] (j, j), symmetric; E[j] its transpose of (j, j + 1)."""
    knots, band, n, _ = hessian.shape
    D[:] = 0.0
    E[:] = 0.0
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
        for r in range(n):
            D[j, x * n + r, x * n + r] += damping[k]
