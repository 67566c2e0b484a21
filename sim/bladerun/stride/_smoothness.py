"""What keeps a stride smooth: the rate of the whole-body force, and jerk; compiled by numba.

Takes a sweep's knot values and the `Terms`; adds cost, gradient and Hessian blocks to the sweep's own.
"""

import numpy as np
from numba import njit


@njit(cache=True)
def add_rates(terms, out, force_z, lam_v, lam_a, T, derivatives):
    """Rate of the whole-body force between knots k and k + 1, in true time."""
    N, n = out.q.shape
    gradient, hessian, border, exact = out.gradient, out.hessian, out.border, out.exact
    rows = np.zeros((3, 4 * n))
    if derivatives:
        out.y_force[:] = 0.0
    cost = 0.0
    for k in range(N):
        k1 = (k + 1) % N
        for r in range(3):
            w = terms.rate_weight[r] * N / (T * np.sqrt(terms.mesh.step[k]))
            res = w * (out.force[k1, r] - out.force[k, r])
            cost += res * res
            if not derivatives:
                continue
            out.y_force[k, r] -= w * res
            out.y_force[k1, r] += w * res
            here, there, row = out.Jf[k, r], out.Jf[k1, r], rows[r]
            for j in range(n):
                row[j] = -w * here[j]
                row[n + j] = w * (there[j] - here[n + j])
                row[2 * n + j] = w * (there[n + j] - here[2 * n + j])
                row[3 * n + j] = w * there[2 * n + j]
                lam_v[k, j] -= w * res * force_z[k, 0, r, j]
                lam_a[k, j] -= w * res * force_z[k, 1, r, j]
                lam_v[k1, j] += w * res * force_z[k1, 0, r, j]
                lam_a[k1, j] += w * res * force_z[k1, 1, r, j]
            by_force = w * (there[3 * n] - here[3 * n])
            by_T = by_force - res / T
            for x in range(4):
                at = (k + x - 1) % N
                for i in range(n):
                    e = row[x * n + i]
                    gradient[at * n + i] += e * res
                    border[at * n + i] += e * by_T
                    exact[at * n + i] -= e * res / T
            gradient[N * n] += by_T * res
            border[N * n] += by_T * by_T
            exact[N * n] += 2 * res * res / T**2 - 2 * by_force * res / T
        if derivatives:
            _add_product(rows, k, hessian)
    return cost


@njit(cache=True)
def _add_product(rows, k, hessian):
    """Add rows' rows, of the four knots from k - 1 on, to the blocks of the Hessian."""
    N, n = hessian.shape[0], hessian.shape[2]
    first, second, third = rows
    for x in range(4):
        for z in range(x, 4):
            block = hessian[(k + x - 1) % N, z - x]
            for i in range(n):
                a, b, c = first[x * n + i], second[x * n + i], third[x * n + i]
                for j in range(z * n, (z + 1) * n):
                    block[i, j - z * n] += a * first[j] + b * second[j] + c * third[j]


@njit(cache=True)
def add_jerks(terms, c, T, gradient, hessian, border, exact, derivatives):
    """Third derivative of each joint between knots k and k + 1, linear in c and exact in T."""
    N, n = c.shape
    stencil = np.zeros(4)
    cost = 0.0
    for k in range(N):
        here, there = terms.mesh.stencil[k, 2], terms.mesh.stencil[(k + 1) % N, 2]
        stencil[:] = 0.0
        for x in range(3):
            per = N / (T**3 * np.sqrt(terms.mesh.step[k]))
            stencil[x] -= per * here[x]
            stencil[x + 1] += per * there[x]
        for i in range(n):
            w = terms.jerk_weight[i]
            res = 0.0
            for x in range(4):
                res += w * stencil[x] * c[(k + x - 1) % N, i]
            cost += res * res
            if not derivatives:
                continue
            for x in range(4):
                at = (k + x - 1) % N
                e = w * stencil[x]
                gradient[at * n + i] += e * res
                border[at * n + i] -= 3 * e * res / T
                exact[at * n + i] -= 3 * e * res / T
                for z in range(x, 4):
                    hessian[at, z - x, i, i] += e * w * stencil[z]
            gradient[N * n] -= 3 * res * res / T
            border[N * n] += 9 * res * res / T**2
            exact[N * n] += 12 * res * res / T**2
    return cost
