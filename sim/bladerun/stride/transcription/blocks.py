"""Where each derivative belongs in the blocks of a stride's Newton system; compiled by numba.

Takes what one knot contributes; adds it to the blocks of a `Sweep`: control points reach over three knots,
activations over the nodes before and after. Nothing here knows what the contributions mean.
"""

import numpy as np
from numba import njit

from bladerun._lib.jitable import copy, register_jitable

TIMES = 5  # unknowns that all knots share: the stride time, when each foot lands and leaves the ground
LIMPS = 14  # most waves that `limp` of a Sweep holds; 6 take up to twice as many steps to some blade strides
OFFSETS = 3  # control points a knot depends on
NODE = 3  # knots between nodes of the activations
REACH = 2 * NODE + 1  # control points that meet one node's activation, from NODE knots before it on
BAND = 4  # blocks (k, k + d) of the Hessian, d = 0..3: rates couple two neighbouring knots


@register_jitable
def later_share(k):
    """Of the later node in the activations at knot k."""
    return (k % NODE) / NODE


@njit(cache=True)
def at_knot(nodes, k, out):
    """Activations (M,) at knot k of those at the nodes (G, M)."""
    share = later_share(k)
    here, there = nodes[k // NODE], nodes[(k // NODE + 1) % len(nodes)]
    for i in range(len(out)):
        out[i] = (1 - share) * here[i] + share * there[i]


@register_jitable
def scatter(G, k, hessian, border, N, n):
    """Add a knot's square G (3 n + TIMES,) * 2 to the blocks it belongs to."""
    for x in range(3):
        at = (k + x - 1) % N
        for y in range(x, 3):
            block = hessian[at, y - x]
            for i in range(n):
                row = G[x * n + i]
                for j in range(n):
                    block[i, j] += row[y * n + j]
        for i in range(n):
            for p in range(TIMES):
                border[at * n + i, p] += G[x * n + i, 3 * n + p]
    for p in range(TIMES):
        for r in range(TIMES):
            border[N * n + p, r] += G[3 * n + p, 3 * n + r]


@register_jitable
def scatter_muscles(k, out, Am, Da, n):
    """Blocks of knot k that hold activations: Da (r, M) against Am (r, 3 n + TIMES) and against itself."""
    G, M = out.own.shape[0], out.own.shape[2]
    j, share = k // NODE, later_share(k)
    scatter_mixed(k, out, np.dot(Da.T, Am), n)
    C = np.dot(Da.T, Da)
    for e in range(M):
        for f in range(M):
            out.own[j, 0, e, f] += (1 - share) * (1 - share) * C[e, f]
            out.own[j, 1, e, f] += share * (1 - share) * C[e, f]
            out.own[(j + 1) % G, 0, e, f] += share * share * C[e, f]


@register_jitable
def scatter_mixed(k, out, B, n):
    """Add B (M, 3 n + TIMES), of knot k's activations and what else it depends on, to the nodes' blocks."""
    G, M = out.own.shape[0], out.own.shape[2]
    place, nodes, share = k % NODE, G * NODE * n + TIMES, later_share(k)
    for late in range(2):
        part = share if late else 1 - share
        if part == 0.0:
            continue
        node = (k // NODE + late) % G
        first = place + NODE - 1 - late * NODE
        for x in range(OFFSETS):
            block = out.mixed[node, first + x]
            for e in range(M):
                for i in range(n):
                    block[e, i] += part * B[e, x * n + i]
        for e in range(M):
            for p in range(TIMES):
                out.border[nodes + node * M + e, p] += part * B[e, OFFSETS * n + p]


@register_jitable
def add_velocity(i, k, weight, sv, v_by, hessian, border, N, n):
    """Add weight |d v_i|^2, the velocity of joint i at knot k as a residual of its own; v_by (TIMES,)."""
    for x in range(OFFSETS):
        at = (k + x - 1) % N
        for p in range(TIMES):
            border[at * n + i, p] += weight * sv[x] * v_by[p]
        for z in range(x, OFFSETS):
            hessian[at, z - x, i, i] += weight * sv[x] * sv[z]
    for p in range(TIMES):
        for r in range(TIMES):
            border[N * n + p, r] += weight * v_by[p] * v_by[r]


@register_jitable
def add_activation(at, value, k, out, M):
    """Add a derivative in the activations (M,) of knot k to its nodes' places in a flat vector."""
    G, share = out.own.shape[0], later_share(k)
    for late in range(2):
        part = share if late else 1 - share
        node = (k // NODE + late) % G
        for e in range(M):
            at[len(at) - G * M + node * M + e] += part * value[e]


@njit(cache=True)
def hessian_vector_product(squares, mixed, x, out):
    """Add to out what `curvature` fills, times x; both flat, times between joints and activations."""
    N, M, w = mixed.shape
    n = (w - TIMES) // OFFSETS
    G, at_times, last = N // NODE, N * n, OFFSETS * n
    here, there, change, back = np.zeros(w), np.zeros(w), np.zeros(M), np.zeros(M)
    copy(x[at_times : at_times + TIMES], here[last:])
    for k in range(N):
        share, node = later_share(k), k // NODE
        first = at_times + TIMES + node * M
        second = at_times + TIMES + (node + 1) % G * M
        for o in range(OFFSETS):
            at = (k + o - 1) % N * n
            copy(x[at : at + n], here[o * n : (o + 1) * n])
        for e in range(M):
            change[e] = (1 - share) * x[first + e] + share * x[second + e]
        np.dot(squares[k], here, there)
        there += np.dot(change, mixed[k])
        np.dot(mixed[k], here, back)
        for o in range(OFFSETS):
            at = (k + o - 1) % N * n
            for i in range(n):
                out[at + i] += there[o * n + i]
        for p in range(TIMES):
            out[at_times + p] += there[last + p]
        for e in range(M):
            out[first + e] += (1 - share) * back[e]
            out[second + e] += share * back[e]
