"""Second-order terms of the dynamics: what Gauss-Newton leaves out, what closes the last decades.

Takes a point and the sensitivity of the cost to each force there; gives, per knot, the curvature of the
forces so weighed, in the control points that the knot depends on. Differences of analytic derivatives.
"""

import numpy as np
from numba import njit
from numba.extending import register_jitable

from bladerun.stride.dynamics.contact_law import sphere_force
from bladerun.stride.dynamics.inverse_dynamics import (
    body_inertia,
    dot,
    force_cross,
    kinematics,
    motion_cross,
    times,
)
from bladerun.stride.dynamics.muscle_curvature import add_muscle_curvature
from bladerun.stride.dynamics.muscle_forces import tension
from bladerun.stride.dynamics.passive import add_passive_curvature
from bladerun.stride.dynamics.required_forces import place
from bladerun.stride.transcription.blocks import OFFSETS, TIMES, at_knot

STEP = 1e-6  # of the differences, rad or m and per s


@njit(cache=True)
def curvature(arrays, m, mesh, nodes, swept, out, mixed):
    """Fill out (N, w, w), w = 3 n + TIMES: sum_i y_i d^2 tau_i / d (c[k-1], c[k], c[k+1], times)^2.

    arrays: Arrays; y = swept.y. nodes (G, M): activations; swept: Sweep with y and y_force at the point; rows
    and columns as in its J.
    mixed (N, M, w): the same in a knot's activations and those. Symmetric. How v and a themselves bend with
    the times is not in it but in swept.exact.
    """
    N, n = swept.q.shape
    space = np.zeros((6, n, 6))
    S = np.zeros((3 * n, 3 * n))
    base, moved = np.zeros(3 * n), np.zeros(3 * n)
    tree, muscles = arrays.tree, arrays.muscles
    pull, activation = tension(muscles), np.zeros(nodes.shape[1])
    cross = np.zeros((nodes.shape[1], 3 * n))
    for k in range(N):
        q, v, a = swept.q[k].copy(), swept.v[k].copy(), swept.a[k]
        y, y_force = swept.y[k], swept.y_force[k]
        stencil, v_by, a_by = mesh.stencil[k], swept.v_by[k], swept.a_by[k]
        _adjoint_gradient(tree, m, arrays.external, q, v, a, y, y_force, space, base)
        for j in range(n):
            q[j] += STEP
            _adjoint_gradient(tree, m, arrays.external, q, v, a, y, y_force, space, moved)
            q[j] = swept.q[k, j]
            for r in range(3 * n):
                S[r, j] = (moved[r] - base[r]) / STEP
            for r in range(n, 3 * n):
                S[j, r] = S[r, j]
            v[j] += STEP
            _adjoint_gradient(tree, m, arrays.external, q, v, a, y, y_force, space, moved)
            v[j] = swept.v[k, j]
            for r in range(n, 2 * n):
                S[r, n + j] = (moved[r] - base[r]) / STEP
        at_knot(nodes, k, activation)
        cross[:] = 0.0
        add_passive_curvature(tree.laws, q, v, y, S)
        add_muscle_curvature(muscles, pull, activation, q, v, y, S, cross)
        _to_control(S, stencil, v_by, a_by, out[k])
        for e in range(len(activation)):
            for i in range(n):
                for o in range(OFFSETS):
                    mixed[k, e, o * n + i] = stencil[0, o] * cross[e, i] + stencil[1, o] * cross[e, n + i]
            for p in range(TIMES):
                mixed[k, e, OFFSETS * n + p] = np.dot(cross[e, n : 2 * n], v_by[p])


@register_jitable
def _adjoint_gradient(model, m, external, q, v, a, y, y_force, space, out):
    """out (3 n,) = d (y' tau + y_force' force) / d (q, v, a), in one sweep; without passive laws and
    armature.

    With y as joint rates, Y_i = sum_{j <= i} S_j y_j turns y' tau into sum_b Y_b . F_b over bodies b, whose
    derivatives need sums over the bodies that a joint carries only: of I Y, of F, and of
    V x* (I Y) - Y x* (I V) - I (V x Y).
    """
    n = len(q)
    kinematics(model, m, external.gravity, q, v, a)
    Y, U, W, F = space[0], space[1], space[2], space[3]
    h, t, u = np.empty(6), np.empty(6), np.empty(6)
    for i in range(n):
        p = model.parent[i]
        for r in range(6):
            Y[i, r] = m.S[i, r] * y[i]
            if p >= 0:
                Y[i, r] += Y[p, r]
            elif r >= 3:
                Y[i, r] += y_force[r - 3]
            U[i, r] = W[i, r] = F[i, r] = 0.0
        if model.mass[i] > 0.0:
            Ib, V = m.inertia[i], m.V[i]
            body_inertia(model, m, i, Ib)
            times(Ib, V, h)
            times(Ib, Y[i], U[i])
            times(Ib, m.A[i], F[i])
            force_cross(V, h, t)
            for r in range(6):
                F[i, r] += t[r]
            force_cross(V, U[i], W[i])
            force_cross(Y[i], h, t)
            motion_cross(V, Y[i], u)
            times(Ib, u, h)
            for r in range(6):
                W[i, r] -= t[r] + h[r]
    for i in range(n - 1, 0, -1):
        p = model.parent[i]
        if p >= 0:
            for r in range(6):
                U[p, r] += U[i, r]
                W[p, r] += W[i, r]
                F[p, r] += F[i, r]
    for i in range(n):
        p = model.parent[i]
        out[i] = dot(m.psidd[i], U[i]) + dot(m.psid[i], W[i])
        if p >= 0:
            motion_cross(Y[p], m.S[i], t)
            out[i] += dot(t, F[i])
        out[n + i] = 2 * dot(m.psid[i], U[i]) + dot(m.S[i], W[i])
        out[2 * n + i] = dot(m.S[i], U[i])
    _pull_wrenches(model, m, external, Y, out)
    _pull_contact(model, m, external.ground, y_force, Y, out)


@register_jitable
def _pull_wrenches(model, m, external, Y, out):
    """Less external wrenches, whose work on the motion Y is F . (velocity of the point) + T . (its turn)."""
    p, diff, t, d = np.empty(3), np.empty(6), np.empty(6), np.empty(3)
    for w in range(len(external.wrench_link)):
        link, F, T = external.wrench_link[w], external.wrench_force[w], external.wrench_torque[w]
        place(model, m, link, external.wrench_point[w], p)
        i, Yl = link, Y[link]
        while i >= 0:
            _at(m.S[i], p, d)
            for r in range(6):
                diff[r] = Yl[r] - Y[i, r]
            motion_cross(m.S[i], diff, t)
            for r in range(3):
                x, z = (r + 1) % 3, (r + 2) % 3
                out[i] -= F[r] * (t[3 + r] + t[x] * p[z] - t[z] * p[x] + Yl[x] * d[z] - Yl[z] * d[x])
                out[i] -= T[r] * t[r]
            i = model.parent[i]


@register_jitable
def _pull_contact(model, m, ground, y_force, Y, out):
    """Less the ground's part, of whose force `y_force` does not speak."""
    n = len(model.parent)
    p, vel, w = np.empty(3), np.empty(3), np.empty(3)
    force, by_z, by_v = np.empty(3), np.empty(3), np.empty((3, 3))
    d, back, diff, t = np.empty(3), np.empty(3), np.empty(6), np.empty(6)
    for c in range(len(model.sphere_link)):
        link = model.sphere_link[c]
        R, V, Yl = m.rot[link], m.V[link], Y[link]
        radius = model.sphere_radius[c]
        for r in range(3):
            p[r] = m.pos[link, r]
            for k in range(3):
                p[r] += R[r, k] * model.sphere_pos[c, k]
        p[2] -= radius
        _at(V, p, vel)
        if not sphere_force(p[2], vel, model.sphere_law[c], ground, force, by_z, by_v):
            continue
        _at(Yl, p, w)
        for r in range(3):
            w[r] -= y_force[r]
        by_height = by_z[0] * w[0] + by_z[1] * w[1] + by_z[2] * w[2]
        for r in range(3):
            back[r] = by_v[0, r] * w[0] + by_v[1, r] * w[1] + by_v[2, r] * w[2]
        i = link
        while i >= 0:
            S = m.S[i]
            _at(S, p, d)
            out[n + i] -= back[0] * d[0] + back[1] * d[1] + back[2] * d[2]
            d[0] += radius * S[1]
            d[1] -= radius * S[0]
            change = by_height * d[2]
            for r in range(6):
                diff[r] = V[r] - m.V[i, r]
            motion_cross(S, diff, t)
            for r in range(3):
                x, z = (r + 1) % 3, (r + 2) % 3
                dv = t[3 + r] + t[x] * p[z] - t[z] * p[x] + V[x] * d[z] - V[z] * d[x]
                change += back[r] * dv
            for r in range(6):
                diff[r] = Yl[r] - Y[i, r]
            motion_cross(S, diff, t)
            for r in range(3):
                x, z = (r + 1) % 3, (r + 2) % 3
                dw = t[3 + r] + t[x] * p[z] - t[z] * p[x] + Yl[x] * d[z] - Yl[z] * d[x]
                change += force[r] * dw
            out[i] -= change
            i = model.parent[i]


@register_jitable
def _at(twist, p, out):
    """Velocity at a point p of what moves with a twist about the world origin."""
    out[0] = twist[3] + twist[1] * p[2] - twist[2] * p[1]
    out[1] = twist[4] + twist[2] * p[0] - twist[0] * p[2]
    out[2] = twist[5] + twist[0] * p[1] - twist[1] * p[0]


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
