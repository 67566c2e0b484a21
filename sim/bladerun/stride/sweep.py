"""One sweep over the knots of a stride: cost, gradient and Gauss-Newton blocks, compiled by numba.

Takes a problem's arrays, spline control points, activations and a `Mesh`; gives the cost by term, and on
request its gradient and Hessian in the blocks that `_linear_algebra` factorises. Nothing here knows what a
runner is.

At knot k of N a periodic cubic B-spline with control points c (N, n) gives q, v and a by the stencil of the
`Mesh`; evenly spaced, h = T / N apart, it were

    q = (c[k-1] + 4 c[k] + c[k+1]) / 6,   v = (c[k+1] - c[k-1]) / 2h,   a = (c[k-1] - 2 c[k] + c[k+1]) / h^2

activations are straight lines between nodes NODE knots apart (a muscle cannot change faster), and the cost is
the sum of the terms of `cost/`, each half a sum of squares.

What Python calls is `njit`; what only compiled code calls is `register_jitable`: compiled with its caller,
without a wrapper of its own.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from bladerun._lib.jitable import copy, register_jitable
from bladerun.stride.cost import (
    bounce,
    clearance,
    contact_edges,
    effort,
    excitation,
    force_rate,
    jerk,
    knee_stop,
    landing,
    lean,
    limits,
    motors,
    placement,
    reserves,
    residual_forces,
    sideways_force,
    stride_time,
    tracking,
)
from bladerun.stride.dynamics.muscle_forces import add_muscles, tension
from bladerun.stride.dynamics.muscle_paths import Muscles
from bladerun.stride.dynamics.required_forces import required_forces
from bladerun.stride.dynamics.tree import External, Tree
from bladerun.stride.transcription.blocks import (
    BAND,
    LIMPS,
    NODE,
    OFFSETS,
    REACH,
    TIMES,
    add_activation,
    add_velocity,
    at_knot,
    scatter,
    scatter_muscles,
)


class Terms(NamedTuple):
    """The numbers of every cost term, in the order of `sweep`."""

    residual_forces: residual_forces.ResidualForces
    reserves: reserves.Reserves
    motors: motors.Motors
    tracking: tracking.Tracking
    bounce: bounce.Bounce
    limits: limits.Limits
    sideways_force: sideways_force.SidewaysForce
    placement: placement.Placement
    landing: landing.Landing
    clearance: clearance.Clearance
    contact_edges: contact_edges.ContactEdges
    force_rate: force_rate.ForceRate
    jerk: jerk.Jerk
    effort: effort.Effort
    excitation: excitation.Excitation
    stride_time: stride_time.StrideTime
    lean: lean.Lean
    knee_stop: knee_stop.KneeStop


class Arrays(NamedTuple):
    """A problem as the compiled code reads it."""

    tree: Tree
    external: External
    muscles: Muscles
    speed: float  # m/s, added to the velocity of joint 0
    terms: Terms


class Sweep(NamedTuple):
    """Results of a sweep: per knot k what the terms, the solver, the corrections and the reports need.

    G = N / NODE nodes. Flat vectors hold c (N n), then the times, then activations (G M). Forces are filled
    always, what is named by_.. and all below with `derivatives` only.
    """

    q: np.ndarray  # (N, n)
    v: np.ndarray
    a: np.ndarray
    tau: np.ndarray  # (N, n) what muscles leave for other actuators to give, or nothing; contact included
    force: np.ndarray  # (N, 3) force that the ground must give
    sphere_point: np.ndarray  # (N, s, 3) lowest point of each sphere
    S: np.ndarray  # (N, n, 6) joint axes
    terms: np.ndarray  # (terms,) share of each of `Terms` in the cost
    v_by: np.ndarray  # (N, TIMES, n) d v / d times
    a_by: np.ndarray
    tau_by: np.ndarray  # (N, 2, n, n) d tau / d v, d tau / d a
    force_by: np.ndarray  # (N, 2, 3, n) d force / d v, d force / d a
    J: np.ndarray  # (N, n, 3 n + TIMES) d tau / d (c[k-1], c[k], c[k+1], times)
    Jf: np.ndarray  # (N, 3, 3 n + TIMES) d force / d the same
    Ja: np.ndarray  # (N, r, M) d tau / d activation, joints Muscles.rows
    y: np.ndarray  # (N, n) d cost / d tau
    y_rate: np.ndarray  # (N, n) d cost / d v of the joint itself, beside that through tau
    y_force: np.ndarray  # (N, 3) d cost / d force
    by_v: np.ndarray  # (N, n) d cost / d v, d a: of all that hangs on them through the times
    by_a: np.ndarray
    row_scale: np.ndarray  # (N, n) row of joint i in Gauss-Newton: scale (d tau + mix d v), and rest |d v|^2
    row_mix: np.ndarray
    row_rest: np.ndarray
    force_weight: np.ndarray  # (N, n) d^2 cost / d tau^2 of the force alone
    gradient: np.ndarray  # (N n + TIMES + G M,)
    hessian: np.ndarray  # (N, BAND, n, n) block (k, k + d)
    mixed: np.ndarray  # (G, REACH, M, n) of a node's activation and control points NODE j - NODE + o
    own: np.ndarray  # (G, 2, M, M) of a node's activation and its own, the next one's
    border: np.ndarray  # (N n + TIMES + G M, TIMES) columns of the times
    limp: np.ndarray  # (N n + TIMES + G M, LIMPS) columns whose square all above has too much of
    exact: np.ndarray  # as border, what the exact dependence on them adds; not positive far from a solution


def sweep_arrays(knots: int, arrays: Arrays) -> Sweep:
    """Arrays for N knots of a problem, to be filled by `sweep`."""
    n, s = len(arrays.tree.parent), len(arrays.tree.sphere_link)
    nodes, count, rows = knots // NODE, arrays.muscles.count, len(arrays.muscles.rows)
    size, wide = knots * n + TIMES + nodes * count, OFFSETS * n + TIMES
    shapes = {
        "force": (knots, 3), "sphere_point": (knots, s, 3), "S": (knots, n, 6),
        "terms": (len(Terms._fields),),
        "v_by": (knots, TIMES, n), "a_by": (knots, TIMES, n), "tau_by": (knots, 2, n, n),
        "force_by": (knots, 2, 3, n), "J": (knots, n, wide), "Jf": (knots, 3, wide),
        "Ja": (knots, rows, count),
        "y_force": (knots, 3), "gradient": (size,), "hessian": (knots, BAND, n, n),
        "mixed": (nodes, REACH, count, n), "own": (nodes, 2, count, count), "border": (size, TIMES),
        "limp": (size, LIMPS), "exact": (size, TIMES),
    }  # fmt: skip
    return Sweep(**{name: np.zeros(shapes.get(name, (knots, n))) for name in Sweep._fields})


@njit(cache=True)
def spline(mesh, c, speed, q, v, a):
    """Values at the knots of control points c (N, n); fills q, v, a (N, n)."""
    N, n = c.shape
    for k in range(N):
        sq, sv, sa = mesh.stencil[k]
        for i in range(n):
            lo, mid, hi = c[k - 1, i], c[k, i], c[(k + 1) % N, i]
            q[k, i] = sq[0] * lo + sq[1] * mid + sq[2] * hi
            v[k, i] = sv[0] * lo + sv[1] * mid + sv[2] * hi
            a[k, i] = sa[0] * lo + sa[1] * mid + sa[2] * hi
        v[k, 0] += speed


@register_jitable
def _by_times(mesh, c, v_by, a_by):
    """Derivatives of the knots' v and a in the times; fills v_by, a_by (N, TIMES, n)."""
    N, n = c.shape
    for k in range(N):
        for p in range(TIMES):
            by_v, by_a = mesh.stencil_by[k, p]
            for i in range(n):
                lo, mid, hi = c[k - 1, i], c[k, i], c[(k + 1) % N, i]
                v_by[k, p, i] = by_v[0] * lo + by_v[1] * mid + by_v[2] * hi
                a_by[k, p, i] = by_a[0] * lo + by_a[1] * mid + by_a[2] * hi


def sweep(p, m, mesh, c, nodes, out, derivatives):
    """The cost [-]; with `derivatives` also gradient, hessian, mixed, own, border, exact. Fills knot values.

    p: Arrays; m: Motion; c (N, n) control points, nodes (G, M) activations; out: Sweep.
    """
    _forces(p.tree, p.external, p.muscles, p.speed, m, mesh, c, nodes, out, derivatives)
    return _costs(p.tree, p.muscles, p.terms, mesh, c, nodes, out, derivatives)


@njit(cache=True)
def _costs(tree, muscles, t, mesh, c, nodes, out, derivatives):
    """The cost of what `_forces` left, term by term; with `derivatives` all that is made of it."""
    each = out.terms
    _clear(out, derivatives)
    each[0] = residual_forces.add(t.residual_forces, tree, mesh, nodes, out, derivatives)
    each[1] = reserves.add(t.reserves, tree, mesh, nodes, out, derivatives)
    each[2] = motors.add(t.motors, tree, mesh, nodes, out, derivatives)
    each[3] = tracking.add(t.tracking, tree, mesh, nodes, out, derivatives)
    each[4] = bounce.add(t.bounce, tree, mesh, nodes, out, derivatives)
    each[5] = limits.add(t.limits, tree, mesh, nodes, out, derivatives)
    each[6] = sideways_force.add(t.sideways_force, tree, mesh, nodes, out, derivatives)
    each[7] = placement.add(t.placement, tree, mesh, nodes, out, derivatives)
    each[8] = landing.add(t.landing, tree, mesh, nodes, out, derivatives)
    each[9] = clearance.add(t.clearance, tree, mesh, nodes, out, derivatives)
    each[10] = contact_edges.add(t.contact_edges, tree, mesh, nodes, out, derivatives)
    each[11] = force_rate.add(t.force_rate, tree, mesh, nodes, out, derivatives)
    each[12] = jerk.add(t.jerk, tree, mesh, nodes, out, derivatives)
    each[13] = effort.add(t.effort, tree, mesh, nodes, out, derivatives)
    each[14] = excitation.add(t.excitation, tree, mesh, nodes, out, derivatives)
    each[15] = stride_time.add(t.stride_time, tree, mesh, nodes, out, derivatives)
    each[16] = lean.add(t.lean, tree, mesh, nodes, out, derivatives)
    each[17] = knee_stop.add(t.knee_stop, tree, mesh, nodes, out, derivatives)
    if derivatives:
        _add_force_rows(muscles, mesh, out)
        _add_exact(mesh, c, out.by_v, out.by_a, out.exact)
    return each.sum()


@register_jitable
def _clear(out, derivatives):
    if derivatives:
        out.gradient[:] = 0.0
        for array in (out.y, out.y_rate, out.y_force, out.by_v, out.by_a, out.border, out.limp, out.exact):
            array[:] = 0.0
        for array in (out.row_scale, out.row_mix, out.row_rest, out.force_weight):
            array[:] = 0.0
        for array in (out.hessian, out.mixed, out.own):
            array[:] = 0.0


@njit(cache=True)
def _forces(tree, external, muscles, speed, m, mesh, c, nodes, out, derivatives):
    """Motion, forces and where points of the runner are at every knot, with derivatives on request."""
    N, n = c.shape
    spline(mesh, c, speed, out.q, out.v, out.a)
    if derivatives:
        _by_times(mesh, c, out.v_by, out.a_by)
    pull, activation = tension(muscles), np.zeros(nodes.shape[1])
    tau_q, tau_v, tau_a = np.zeros((n, n)), np.zeros((n, n)), np.zeros((n, n))
    for k in range(N):
        q, v, tau = out.q[k], out.v[k], out.tau[k]
        required_forces(tree, external, m, q, v, out.a[k], tau, derivatives, tau_q, tau_v, tau_a)
        copy(m.ground, out.force[k])
        copy(m.sphere_point, out.sphere_point[k])
        at_knot(nodes, k, activation)
        add_muscles(muscles, pull, activation, q, v, tau, derivatives, tau_q, tau_v, out.Ja[k])
        if derivatives:
            v_by, a_by, stencil = out.v_by[k], out.a_by[k], mesh.stencil[k]
            ground = m.ground_by
            _columns(ground[0], ground[1], ground[2], v_by, a_by, stencil, 3, out.Jf[k])
            _columns(tau_q, tau_v, tau_a, v_by, a_by, stencil, n, out.J[k])
            copy(ground[1], out.force_by[k, 0])
            copy(ground[2], out.force_by[k, 1])
            copy(tau_v, out.tau_by[k, 0])
            copy(tau_a, out.tau_by[k, 1])
            copy(m.S, out.S[k])


@register_jitable
def _add_force_rows(muscles, mesh, out):
    """Gradient and Gauss-Newton square of all terms of joint forces, through the Jacobians of the forces."""
    N, n = out.q.shape
    M, rows, w = out.own.shape[2], muscles.rows, OFFSETS * n
    A, G = np.zeros((n, w + TIMES)), np.zeros((w + TIMES, w + TIMES))
    Am, Da, back = np.zeros((len(rows), w + TIMES)), np.zeros((len(rows), M)), np.zeros(M)
    for k in range(N):
        J, v_by, sv = out.J[k], out.v_by[k], mesh.stencil[k, 1]
        for i in range(n):
            y, x, scale, mix = out.y[k, i], out.y_rate[k, i], out.row_scale[k, i], out.row_mix[k, i]
            out.by_v[k, i] += x
            for j in range(n):
                out.by_v[k, j] += y * out.tau_by[k, 0, i, j]
                out.by_a[k, j] += y * out.tau_by[k, 1, i, j]
            for j in range(w + TIMES):
                A[i, j] = scale * J[i, j]
            for o in range(OFFSETS):
                at = ((k + o - 1) % N) * n
                A[i, o * n + i] += scale * mix * sv[o]
                out.gradient[at + i] += x * sv[o]
                for j in range(n):
                    out.gradient[at + j] += y * J[i, o * n + j]
            for p in range(TIMES):
                A[i, w + p] += scale * mix * v_by[p, i]
                out.gradient[N * n + p] += y * J[i, w + p] + x * v_by[p, i]
            if out.row_rest[k, i] != 0.0:
                add_velocity(i, k, out.row_rest[k, i], sv, v_by[:, i], out.hessian, out.border, N, n)
        np.dot(A.T, A, G)
        scatter(G, k, out.hessian, out.border, N, n)
        if M > 0:
            back[:] = 0.0
            for r in range(len(rows)):
                i = rows[r]
                copy(A[i], Am[r])
                for e in range(M):
                    back[e] += out.y[k, i] * out.Ja[k, r, e]
                    Da[r, e] = out.row_scale[k, i] * out.Ja[k, r, e]
            add_activation(out.gradient, back, k, out, M)
            scatter_muscles(k, out, Am, Da, n)


@register_jitable
def _add_exact(mesh, c, lam_v, lam_a, exact):
    """What v and a bend in control points and times, weighed with the cost's derivatives in them (N, n)."""
    N, n = c.shape
    for k in range(N):
        for p in range(TIMES):
            by_v, by_a = mesh.stencil_by[k, p]
            for i in range(n):
                for o in range(OFFSETS):
                    add = lam_v[k, i] * by_v[o] + lam_a[k, i] * by_a[o]
                    exact[((k + o - 1) % N) * n + i, p] += add
            for r in range(TIMES):
                v_by2, a_by2 = mesh.stencil_by2[k, p, r]
                for i in range(n):
                    for o in range(OFFSETS):
                        add = lam_v[k, i] * v_by2[o] + lam_a[k, i] * a_by2[o]
                        exact[N * n + p, r] += add * c[(k + o - 1) % N, i]


@njit(cache=True)
def correction(muscles, base, trial, step, out):
    """Gradient of the curvature that a full step left in the forces: J' w^2 (tau(x + d) - tau(x) - J d).

    base: Sweep with Jacobians; trial: at x + step; step and out flat; fills out.
    """
    N, n = base.q.shape
    G, M, of = base.own.shape[0], base.own.shape[2], muscles.row
    moves, change, back = step[N * n + TIMES :].reshape(G, M), np.zeros(M), np.zeros(M)
    out[:] = 0.0
    for k in range(N):
        at_knot(moves, k, change)
        back[:] = 0.0
        for i in range(n):
            J = base.J[k, i]
            left = trial.tau[k, i] - base.tau[k, i]
            for p in range(TIMES):
                left -= J[3 * n + p] * step[N * n + p]
            for o in range(3):
                at = ((k + o - 1) % N) * n
                for j in range(n):
                    left -= J[o * n + j] * step[at + j]
            for e in range(M if of[i] >= 0 else 0):
                left -= base.Ja[k, of[i], e] * change[e]
            left *= base.force_weight[k, i]
            for o in range(3):
                at = ((k + o - 1) % N) * n
                for j in range(n):
                    out[at + j] += left * J[o * n + j]
            for p in range(TIMES):
                out[N * n + p] += left * J[3 * n + p]
            for e in range(M if of[i] >= 0 else 0):
                back[e] += left * base.Ja[k, of[i], e]
        add_activation(out, back, k, base, M)


@register_jitable
def _columns(by_q, by_v, by_a, v_by, a_by, stencil, rows, J):
    """Chain rule of `rows` rows from (q, v, a) to (c[k-1], c[k], c[k+1], times)."""
    n = by_q.shape[1]
    sq, sv, sa = stencil
    for i in range(rows):
        for p in range(TIMES):
            J[i, 3 * n + p] = 0.0
        for j in range(n):
            fq, fv, fa = by_q[i, j], by_v[i, j], by_a[i, j]
            J[i, j] = sq[0] * fq + sv[0] * fv + sa[0] * fa
            J[i, n + j] = sq[1] * fq + sv[1] * fv + sa[1] * fa
            J[i, 2 * n + j] = sq[2] * fq + sv[2] * fv + sa[2] * fa
            for p in range(TIMES):
                J[i, 3 * n + p] += fv * v_by[p, j] + fa * a_by[p, j]
