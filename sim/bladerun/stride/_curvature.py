"""Second-order terms of the dynamics: what Gauss-Newton leaves out, what closes the last decades.

Takes a point and the sensitivity of the cost to each force there; gives, per knot, the curvature of the
forces so weighed, in the control points that the knot depends on.
"""

import numpy as np
from numba import njit

from bladerun._lib.jitable import register_jitable
from bladerun.stride.dynamics.muscle_curvature import add_muscle_curvature
from bladerun.stride.dynamics.muscle_forces import tension
from bladerun.stride.dynamics.passive import add_passive_curvature
from bladerun.stride.dynamics.point_curvature import add_contact_curvature, add_wrench_curvature, chain
from bladerun.stride.dynamics.tree_curvature import add_tree_curvature, weighed
from bladerun.stride.transcription.blocks import OFFSETS, TIMES, at_knot


@njit(cache=True)
def curvature(arrays, m, mesh, nodes, swept, out, mixed):
    """Fill out (N, w, w), w = 3 n + TIMES: sum_i y_i d^2 tau_i / d (c[k-1], c[k], c[k+1], times)^2.

    arrays: Arrays; y = swept.y. nodes (G, M): activations; swept: Sweep with y and y_force at the point; rows
    and columns as in its J.
    mixed (N, M, w): the same in a knot's activations and those. Symmetric. How v and a themselves bend with
    the times is not in it but in swept.exact.
    """
    N, n = swept.q.shape
    S, w, links = np.zeros((3 * n, 3 * n)), weighed(n), chain(n)
    tree, external, muscles = arrays.tree, arrays.external, arrays.muscles
    pull, activation = tension(muscles), np.zeros(nodes.shape[1])
    cross = np.zeros((nodes.shape[1], 3 * n))
    for k in range(N):
        q, v, y, y_force = swept.q[k].copy(), swept.v[k], swept.y[k], swept.y_force[k]
        stencil, v_by = mesh.stencil[k], swept.v_by[k]
        at_knot(nodes, k, activation)
        S[:] = 0.0
        cross[:] = 0.0
        add_tree_curvature(tree, m, external.gravity, q, v, swept.a[k], y, y_force, w, S)
        add_wrench_curvature(tree, m, external, w, S)
        add_contact_curvature(tree, m, external.ground, y_force, w, links, S)
        add_passive_curvature(tree.laws, q, v, y, S)
        add_muscle_curvature(muscles, pull, activation, q, v, y, S, cross)
        _to_control(S, stencil, v_by, swept.a_by[k], out[k])
        for e in range(len(activation)):
            for i in range(n):
                for o in range(OFFSETS):
                    mixed[k, e, o * n + i] = stencil[0, o] * cross[e, i] + stencil[1, o] * cross[e, n + i]
            for p in range(TIMES):
                mixed[k, e, OFFSETS * n + p] = np.dot(cross[e, n : 2 * n], v_by[p])


@register_jitable
def _to_control(S, stencil, v_by, a_by, out):
    """P' S P, P from (c[k-1], c[k], c[k+1], times) to (q, v, a); the symmetric part."""
    n = v_by.shape[1]
    last = OFFSETS * n
    SP = np.zeros((3 * n, last + TIMES))
    for r in range(3 * n):
        for j in range(n):
            sq, sv, sa = 0.5 * (S[r, j] + S[j, r]), 0.5 * (S[r, n + j] + S[n + j, r]), S[r, 2 * n + j]
            if r < 2 * n:
                sa = S[2 * n + j, r]
            if r >= 2 * n:
                sa = 0.0
            for o in range(3):
                SP[r, o * n + j] = stencil[0, o] * sq + stencil[1, o] * sv + stencil[2, o] * sa
            for p in range(TIMES):
                SP[r, last + p] += sv * v_by[p, j] + sa * a_by[p, j]
    out[last:] = 0.0
    for c in range(last + TIMES):
        for j in range(n):
            for o in range(3):
                out[o * n + j, c] = (
                    stencil[0, o] * SP[j, c] + stencil[1, o] * SP[n + j, c] + stencil[2, o] * SP[2 * n + j, c]
                )
            for p in range(TIMES):
                out[last + p, c] += v_by[p, j] * SP[n + j, c] + a_by[p, j] * SP[2 * n + j, c]
