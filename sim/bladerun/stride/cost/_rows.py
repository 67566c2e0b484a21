"""Where a term's derivatives go: rows of joint forces, of points on the runner, of the whole-body force.

Takes what one residual depends on; adds it to the arrays of a `Sweep`. Compiled by numba.
"""

import numpy as np

from bladerun._lib.jitable import register_jitable
from bladerun.stride.transcription.blocks import OFFSETS, TIMES


@register_jitable
def force_row(out, k, i, count, weight, residual):
    """A residual weight x tau + constant of joint i at knot k, whose square counts `count`."""
    out.y[k, i] = count * weight * residual
    out.row_scale[k, i] = np.sqrt(count) * weight
    out.force_weight[k, i] = count * weight * weight


@register_jitable
def share_of_time(mesh, k, squares, out):
    """The gradient in the times of half a sum of squares that counts by a knot's share of time."""
    N, n = out.q.shape
    for p in range(TIMES):
        out.gradient[N * n + p] += 0.5 * mesh.weight_by[k, p] * squares / N


@register_jitable
def add_way(tree, out, k, c, axis, factor, by_q):
    """Add factor times d lowest point of sphere c along an axis / d q, as its body's point, to by_q (n,)."""
    p, S = out.sphere_point[k, c], out.S[k]
    i, one, other = tree.sphere_link[c], (axis + 1) % 3, (axis + 2) % 3
    while i >= 0:
        by_q[i] += factor * (S[i, 3 + axis] + S[i, one] * p[other] - S[i, other] * p[one])
        i = tree.parent[i]


@register_jitable
def add_place(tree, out, k, c, axis, factor, by_q):
    """The same along a level axis (0 forward, 1 left) for the lowest point, which stays below the centre."""
    add_way(tree, out, k, c, axis, factor, by_q)
    sense, about = (1.0, 1) if axis == 0 else (-1.0, 0)
    i = tree.sphere_link[c]
    while i >= 0:
        by_q[i] += sense * factor * tree.sphere_radius[c] * out.S[k, i, about]
        i = tree.parent[i]


@register_jitable
def position_row(by_q, weight, value, k, mesh, out):
    """A residual of positions at knot k, half its square times `weight`; by_q (n,): its slope."""
    N, n = out.q.shape
    sq = mesh.stencil[k, 0]
    for x in range(OFFSETS):
        at = (k + x - 1) % N
        for i in range(n):
            if by_q[i] == 0.0:
                continue
            e = weight * sq[x] * by_q[i]
            out.gradient[at * n + i] += e * value
            for y in range(x, OFFSETS):
                row, f = out.hessian[at, y - x, i], e * sq[y]
                for j in range(n):
                    row[j] += f * by_q[j]


@register_jitable
def add_row(row, k, out):
    """The square of a row (3 n + TIMES,) in the control points around knot k and the times."""
    N, n = out.q.shape
    last = OFFSETS * n
    for x in range(OFFSETS):
        at = (k + x - 1) % N
        for i in range(n):
            e = row[x * n + i]
            for y in range(x, OFFSETS):
                block = out.hessian[at, y - x, i]
                for j in range(n):
                    block[j] += e * row[y * n + j]
            for p in range(TIMES):
                out.border[at * n + i, p] += e * row[last + p]
    for p in range(TIMES):
        for r in range(TIMES):
            out.border[N * n + p, r] += row[last + p] * row[last + r]
