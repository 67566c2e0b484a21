"""Jerk: change of each joint's acceleration between neighbouring knots, over the time between them.

Residuals weight x (a[k+1] - a[k]) / step of every joint, means over time.
"""

from typing import NamedTuple

import numpy as np

from bladerun._lib.jitable import register_jitable
from bladerun.stride.cost._steps import add_times, per_step
from bladerun.stride.transcription.blocks import TIMES


class Jerk(NamedTuple):
    """weight (n,): s^3/rad or s^3/m."""

    weight: np.ndarray


def prepare(joints, cost) -> Jerk:
    """joints: Joints. The end of an Achilles tendon counts as driven: muscles pull at it."""
    springs = joints.of(role="passive") & ~joints.of(part="tendon")
    return Jerk(1 / np.where(springs, cost.jerk.passive, cost.jerk.driven))


@register_jitable
def add(own, tree, mesh, nodes, out, derivatives):
    (N, n), total = out.q.shape, 0.0
    gradient, border, exact = out.gradient, out.border, out.exact
    stencil, by_value = np.zeros(4), np.empty(TIMES)
    by_log, log_by2 = np.empty(TIMES), np.empty((TIMES, TIMES))
    for k in range(N):
        k1 = (k + 1) % N
        per = per_step(mesh, k, by_log, log_by2)
        stencil[:] = 0.0
        for x in range(3):
            stencil[x] -= per * mesh.stencil[k, 2, x]
            stencil[x + 1] += per * mesh.stencil[k1, 2, x]
        for i in range(n):
            w = own.weight[i]
            res = w * per * (out.a[k1, i] - out.a[k, i])
            total += res * res
            if not derivatives:
                continue
            out.by_a[k, i] -= w * per * res
            out.by_a[k1, i] += w * per * res
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
            add_times(res, by_value, by_log, log_by2, N * n, gradient, border, exact)
    return 0.5 * total
