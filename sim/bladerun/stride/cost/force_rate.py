"""Force rate: how fast the whole-body force changes, in true time, between neighbouring knots.

Residuals weight x rate, forward, left and up, means over time.
"""

from typing import NamedTuple

import numpy as np

from bladerun._lib.jitable import register_jitable
from bladerun.stride.cost._steps import add_times, per_step
from bladerun.stride.transcription.blocks import TIMES


class ForceRate(NamedTuple):
    """weight (3,): s/N on the rate of the whole-body force, forward, left, up."""

    weight: np.ndarray


def prepare(cost, weight_n: float) -> ForceRate:
    """weight_n: of the body."""
    own = cost.rate
    return ForceRate(np.array([own.horizontal, own.horizontal, own.vertical]) / (weight_n * own.per_s))


@register_jitable
def add(own, tree, mesh, nodes, out, derivatives):
    (N, n), total = out.q.shape, 0.0
    gradient, border, exact = out.gradient, out.border, out.exact
    rows = np.zeros((3, 4 * n))
    by_log, log_by2, by_force = np.empty(TIMES), np.empty((TIMES, TIMES)), np.empty(TIMES)
    for k in range(N):
        k1 = (k + 1) % N
        per = per_step(mesh, k, by_log, log_by2)
        for r in range(3):
            w = own.weight[r] * per
            res = w * (out.force[k1, r] - out.force[k, r])
            total += res * res
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
                out.by_v[k, j] -= w * res * out.force_by[k, 0, r, j]
                out.by_a[k, j] -= w * res * out.force_by[k, 1, r, j]
                out.by_v[k1, j] += w * res * out.force_by[k1, 0, r, j]
                out.by_a[k1, j] += w * res * out.force_by[k1, 1, r, j]
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
            add_times(res, by_force, by_log, log_by2, N * n, gradient, border, exact)
        if derivatives:
            _add_product(rows, k, out.hessian)
    return 0.5 * total


@register_jitable
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
