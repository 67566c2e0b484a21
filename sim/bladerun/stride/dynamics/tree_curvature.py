"""Second derivatives of the weighed forces that move a tree, for `stride._curvature`: analytic.

Takes a `Tree`, its motion and a weight y of each joint's force; adds to the second derivatives of y' tau in
(q, v, a). With y as joint rates, Y_i = sum_{j <= i} S_j y_j turns y' tau into sum_b Y_b . F_b over bodies b,
whose slopes in joint i need sums over the bodies that it carries only: of I Y, of F, and of
V x* (I Y) - Y x* (I V) - I (V x Y). With a joint j that i carries those sums turn; what else changes them is
linear in how V, A and Y change. Composites as in Echeandia & Wensing 2021 (doi 10.1115/1.4051169) and Singh,
Russell & Wensing 2022 (doi 10.1109/LRA.2022.3141194).
"""

from typing import NamedTuple

import numpy as np

from bladerun._lib.jitable import register_jitable
from bladerun.stride.dynamics.inverse_dynamics import (
    body_inertia,
    composite,
    coriolis,
    dot,
    force_cross,
    kinematics,
    motion_cross,
    times,
)


class Weighed(NamedTuple):
    """Scratch of one evaluation, beside that of `Motion`; sums are over the bodies that a joint carries."""

    Y: np.ndarray  # (n, 6) the weights as a motion
    eta: np.ndarray  # (n, 6) Y x S
    U: np.ndarray  # (n, 6) sum of I Y
    W: np.ndarray  # (n, 6) sum of V x* (I Y) - Y x* (I V) - I (V x Y)
    h: np.ndarray  # (n, 6) sum of I V
    BY: np.ndarray  # (n, 6, 6) as B of `Motion`, of Y in place of V


@register_jitable
def weighed(n):
    """Scratch arrays for n joints."""
    row, square = (n, 6), (n, 6, 6)
    return Weighed(
        np.zeros(row), np.zeros(row), np.zeros(row), np.zeros(row), np.zeros(row), np.zeros(square)
    )


@register_jitable
def add_tree_curvature(tree, m, gravity, q, v, a, y, y_force, w, S):
    """Add to S (3 n, 3 n) the second derivatives of y' tau + y_force' (tau[:3]) in (q, v, a).

    m Motion and w Weighed (overwritten): they keep the motion and the weights as one. Symmetric.
    """
    kinematics(tree, m, gravity, q, v, a)
    composite(tree, m, True)
    _weigh(tree, m, y, y_force, w)
    n = len(q)
    U_q, W_q, F_q = np.empty(6), np.empty(6), np.empty(6)
    W_v, F_v, F_a, t = np.empty(6), np.empty(6), np.empty(6), np.empty(6)
    for j in range(n):
        _turned(m, w, j, U_q, W_q, F_q, W_v, F_v, F_a, t)
        i = j
        while i >= 0:
            s, psid, eta = m.S[i], m.psid[i], w.eta[i]
            qq = dot(m.psidd[i], U_q) + dot(psid, W_q) + dot(eta, F_q)
            qv, vq = dot(psid, W_v) + dot(eta, F_v), 2 * dot(psid, U_q) + dot(s, W_q)
            vv, qa, aq = dot(s, W_v), dot(eta, F_a), dot(s, U_q)
            S[i, j] += qq
            S[i, n + j] += qv
            S[n + j, i] += qv
            S[n + i, n + j] += vv
            S[i, 2 * n + j] += qa
            S[2 * n + j, i] += qa
            if i != j:
                S[j, i] += qq
                S[n + i, j] += vq
                S[j, n + i] += vq
                S[n + j, n + i] += vv
                S[2 * n + i, j] += aq
                S[j, 2 * n + i] += aq
            i = tree.parent[i]


@register_jitable
def _weigh(tree, m, y, y_force, w):
    """Fill w: the weights as a motion, root to tip, and the sums, tip to root; after `composite`."""
    Ib, vm, t, u = np.empty((6, 6)), np.zeros((6, 6)), np.empty(6), np.empty(6)
    for i in range(len(y)):
        p, V, Y, U, W, h = tree.parent[i], m.V[i], w.Y[i], w.U[i], w.W[i], w.h[i]
        for r in range(6):
            Y[r] = m.S[i, r] * y[i]
            if p >= 0:
                Y[r] += w.Y[p, r]
            elif r >= 3:
                Y[r] += y_force[r - 3]
            U[r] = W[r] = h[r] = 0.0
        motion_cross(Y, m.S[i], w.eta[i])
        w.BY[i] = 0.0
        if tree.mass[i] > 0.0:
            body_inertia(tree, m, i, Ib)
            times(Ib, V, h)
            times(Ib, Y, U)
            coriolis(Ib, Y, U, vm, w.BY[i])
            force_cross(V, U, W)
            force_cross(Y, h, t)
            motion_cross(V, Y, u)
            for r in range(6):
                W[r] -= t[r] + dot(Ib[r], u)
    for i in range(len(y) - 1, 0, -1):
        p = tree.parent[i]
        if p >= 0:
            for r in range(6):
                w.U[p, r] += w.U[i, r]
                w.W[p, r] += w.W[i, r]
                w.h[p, r] += w.h[i, r]
                for k in range(6):
                    w.BY[p, r, k] += w.BY[i, r, k]


@register_jitable
def _turned(m, w, j, U_q, W_q, F_q, W_v, F_v, F_a, t):
    """Fill how the sums over the bodies that joint j carries change with its q, v and a."""
    s, psid, psidd, eta = m.S[j], m.psid[j], m.psidd[j], w.eta[j]
    inertia, B, BY, U = m.inertia[j], m.B[j], w.BY[j], w.U[j]
    times(inertia, s, F_a)
    force_cross(s, U, t)
    for r in range(6):
        U_q[r] = t[r] + dot(inertia[r], eta)
        W_v[r] = 2 * (t[r] - dot(BY[r], s))
        F_v[r] = 2 * (dot(inertia[r], psid) + dot(B[r], s))
    force_cross(s, m.f[j], t)
    for r in range(6):
        F_q[r] = t[r] + dot(inertia[r], psidd) + 2 * dot(B[r], psid)
    force_cross(psid, U, t)
    for r in range(6):
        W_q[r] = 2 * (t[r] - dot(BY[r], psid) + dot(B[r], eta))
    force_cross(s, w.W[j], t)
    for r in range(6):
        W_q[r] += t[r]
    force_cross(eta, w.h[j], t)
    for r in range(6):
        W_q[r] -= 2 * t[r]
