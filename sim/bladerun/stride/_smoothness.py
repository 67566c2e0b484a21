"""What keeps a stride smooth: the rate of the whole-body force, and jerk; compiled by numba.

Takes a sweep's knot values and the `Terms`; adds cost, gradient and Hessian blocks to the sweep's own.
"""

import numpy as np
from numba import njit

from bladerun.stride._blocks import TIMES


@njit(cache=True)
def add_rates(terms, mesh, out, force_z, lam_v, lam_a, derivatives):
    """Rate of the whole-body force between knots k and k + 1, in true time."""
    N, n = out.q.shape
    gradient, border, exact = out.gradient, out.border, out.exact
    rows = np.zeros((3, 4 * n))
    by_log, bend_log, by_force = np.empty(TIMES), np.empty((TIMES, TIMES)), np.empty(TIMES)
    cost = 0.0
    for k in range(N):
        k1 = (k + 1) % N
        per = _per_step(mesh, k, by_log, bend_log)
        for r in range(3):
            w = terms.rate_weight[r] * per
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
            for p in range(TIMES):
                by_force[p] = w * (there[3 * n + p] - here[3 * n + p])
            for x in range(4):
                at = ((k + x - 1) % N) * n
                for i in range(n):
                    e = row[x * n + i]
                    gradient[at + i] += e * res
                    for p in range(TIMES):
                        border[at + i, p] += e * (by_force[p] + res * by_log[p])
                        exact[at + i, p] += e * res * by_log[p]
            _add_times(res, by_force, by_log, bend_log, N * n, gradient, border, exact)
        if derivatives:
            _add_product(rows, k, out.hessian)
    return cost


@njit(cache=True)
def _per_step(mesh, k, by_log, bend_log):
    """What makes a change over a step a rate whose mean is over time: sqrt(N / (T step)).

    Fills by_log, bend_log: derivatives of its logarithm, and the second ones of itself over itself.
    """
    T, step, by_step = mesh.times[0], mesh.step[k], mesh.step_by[k]
    for p in range(TIMES):
        by_log[p] = -0.5 * ((1 / T if p == 0 else 0.0) + by_step[p] / step)
    for p in range(TIMES):
        for r in range(TIMES):
            bend_log[p, r] = by_log[p] * by_log[r] + 0.5 * by_step[p] * by_step[r] / step**2
    bend_log[0, 0] += 0.5 / T**2
    return np.sqrt(len(mesh.step) / (T * step))


@njit(cache=True)
def _add_times(res, by_value, by_log, bend_log, at, gradient, border, exact):
    """The times' own part of a residual `_per_step` x value; by_value (TIMES,): by the value alone."""
    for p in range(TIMES):
        by_p = by_value[p] + res * by_log[p]
        gradient[at + p] += by_p * res
        for r in range(TIMES):
            border[at + p, r] += by_p * (by_value[r] + res * by_log[r])
            cross = by_value[p] * by_log[r] + by_value[r] * by_log[p]
            exact[at + p, r] += res * (cross + res * bend_log[p, r])


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
def add_jerks(terms, mesh, out, c, lam_a, derivatives):
    """Change of each joint's acceleration between knots k and k + 1, over the time between them."""
    N, n = c.shape
    gradient, border, exact = out.gradient, out.border, out.exact
    stencil, by_value = np.zeros(4), np.empty(TIMES)
    by_log, bend_log = np.empty(TIMES), np.empty((TIMES, TIMES))
    cost = 0.0
    for k in range(N):
        k1 = (k + 1) % N
        per = _per_step(mesh, k, by_log, bend_log)
        stencil[:] = 0.0
        for x in range(3):
            stencil[x] -= per * mesh.stencil[k, 2, x]
            stencil[x + 1] += per * mesh.stencil[k1, 2, x]
        for i in range(n):
            w = terms.jerk_weight[i]
            res = w * per * (out.a[k1, i] - out.a[k, i])
            cost += res * res
            if not derivatives:
                continue
            lam_a[k, i] -= w * per * res
            lam_a[k1, i] += w * per * res
            for p in range(TIMES):
                by_value[p] = w * per * (out.a_by[k1, p, i] - out.a_by[k, p, i])
            for x in range(4):
                at, e = (k + x - 1) % N, w * stencil[x]
                gradient[at * n + i] += e * res
                for p in range(TIMES):
                    border[at * n + i, p] += e * (by_value[p] + res * by_log[p])
                    exact[at * n + i, p] += e * res * by_log[p]
                for z in range(x, 4):
                    out.hessian[at, z - x, i, i] += e * w * stencil[z]
            _add_times(res, by_value, by_log, bend_log, N * n, gradient, border, exact)
    return cost
