"""What must act in each joint so that a tree moves as it does: the one place where this is put together.

Takes a `Tree`, what acts on it from outside (`External`) and q, v, a; gives the generalised forces that
muscles, motors or nothing must supply: inverse dynamics, less external wrenches, with passive laws, less the
ground; with derivatives. Solver, results, LQR and tests use it alike; `stride._curvature` has its second
derivatives.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from bladerun._lib.jitable import copy, register_jitable
from bladerun.stride.dynamics.ground import add_contact
from bladerun.stride.dynamics.inverse_dynamics import inverse, motion, motion_cross
from bladerun.stride.dynamics.passive import add_passive
from bladerun.stride.dynamics.tree import External, Tree


@njit(cache=True)
def required_forces(tree, external, m, q, v, a, tau, derivatives, tau_q, tau_v, tau_a):
    """Fill tau (n,) [N, Nm] and, with `derivatives`, tau_q, tau_v, tau_a (n, n), d tau_i / d q_j and so on.

    m: Motion (overwritten); it keeps the force that the ground must give, with derivatives, and force, lowest
    point and velocity of each sphere. The first three joints must be slides along the ground's axes for that
    force to mean anything.
    """
    inverse(tree, m, external.gravity, q, v, a, tau, derivatives, tau_q, tau_v, tau_a)
    _add_wrenches(tree, external, m, tau, derivatives, tau_q)
    copy(tau[:3], m.ground)
    if derivatives:
        copy(tau_q[:3], m.ground_by[0])
        copy(tau_v[:3], m.ground_by[1])
        copy(tau_a[:3], m.ground_by[2])
    add_passive(tree.laws, q, v, tau, derivatives, tau_q, tau_v)
    add_contact(tree, m, external.ground, tau, derivatives, tau_q, tau_v)


@register_jitable
def _add_wrenches(tree, external, m, tau, derivatives, tau_q):
    """Subtract external wrenches: S_i . W, W = (p x F + T, F) at the point p of a link; after `inverse`."""
    W, turn, p = np.empty(6), np.empty(6), np.empty(3)
    for w in range(len(external.wrench_link)):
        link, F, T = external.wrench_link[w], external.wrench_force[w], external.wrench_torque[w]
        place(tree, m, link, external.wrench_point[w], p)
        for r in range(3):
            x, z = (r + 1) % 3, (r + 2) % 3
            W[r], W[3 + r] = p[x] * F[z] - p[z] * F[x] + T[r], F[r]
        i = link
        while i >= 0:
            S = m.S[i]
            for r in range(6):
                tau[i] -= S[r] * W[r]
            k = link
            while derivatives and k >= 0:
                Sk, by_q = m.S[k], 0.0
                for r in range(3):  # the point moves by d, which turns the force's moment: S_i . (d x F)
                    x, z = (r + 1) % 3, (r + 2) % 3
                    dx = Sk[3 + x] + Sk[z] * p[r] - Sk[r] * p[z]
                    dz = Sk[3 + z] + Sk[r] * p[x] - Sk[x] * p[r]
                    by_q += S[r] * (dx * F[z] - dz * F[x])
                if k < i:
                    motion_cross(Sk, S, turn)
                    for r in range(6):
                        by_q += turn[r] * W[r]
                tau_q[i, k] -= by_q
                k = tree.parent[k]
            i = tree.parent[i]


@register_jitable
def place(tree, m, link, point, p):
    """Fill p (3,): where a point (3,) of a link's body is."""
    for r in range(3):
        p[r] = m.pos[link, r]
        for k in range(3):
            p[r] += m.rot[link, r, k] * point[k]


class Required(NamedTuple):
    """At N places: tau (N, n), and force, lowest point and velocity of each sphere (N, s, 3)."""

    tau: np.ndarray
    sphere_force: np.ndarray
    sphere_point: np.ndarray
    sphere_velocity: np.ndarray


def required(tree: Tree, external: External, q: np.ndarray, v: np.ndarray, a: np.ndarray) -> Required:
    """What must act at these positions, velocities and accelerations (N, n)."""
    m, none = motion(tree), np.zeros((q.shape[1], q.shape[1]))
    tau, kept = np.zeros_like(q), np.zeros((3, len(q), len(tree.sphere_link), 3))
    for k in range(len(q)):
        required_forces(tree, external, m, q[k], v[k], a[k], tau[k], False, none, none, none)
        kept[:, k] = m.sphere_force, m.sphere_point, m.sphere_velocity
    return Required(tau, *kept)
