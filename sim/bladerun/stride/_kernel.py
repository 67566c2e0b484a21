"""One sweep over the knots of a stride: cost, gradient and Gauss-Newton blocks, compiled by numba.

Takes spline control points, activations, the stride time and the `Terms` of the cost; gives the cost, and on
request its gradient and Hessian in the blocks that `_linear` factorises. Nothing here knows what a runner is.

At knot k of N a periodic cubic B-spline with control points c (N, n) gives q, v and a by the stencil of the
`Mesh`; evenly spaced, h = T / N apart, it were

    q = (c[k-1] + 4 c[k] + c[k+1]) / 6,   v = (c[k+1] - c[k-1]) / 2h,   a = (c[k-1] - 2 c[k] + c[k+1]) / h^2

activations are straight lines between nodes NODE knots apart (a muscle cannot change faster),

and the cost is half the sum of squares, means over time, of the residuals that `Terms` weighs.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from bladerun.stride._blocks import (
    BAND,
    NODE,
    OFFSETS,
    REACH,
    add_activation,
    add_velocity,
    scatter,
    scatter_muscles,
)
from bladerun.stride._clearance import add_clearance
from bladerun.stride._contact import Ground, positive_part
from bladerun.stride._dynamics import add_contact, inverse
from bladerun.stride._effort import add_effort
from bladerun.stride._mesh import Mesh
from bladerun.stride._muscles import Muscles
from bladerun.stride._smoothness import add_jerks, add_rates
from bladerun.stride._tension import add_muscles, tension


class Terms(NamedTuple):
    """What is weighed; n joints, N knots, M muscles. A weight is a factor on the residual, not its square."""

    mesh: Mesh
    speed: float  # m/s, added to the velocity of joint 0
    ground: Ground
    muscles: Muscles
    force_scale: np.ndarray  # (n, 2) [negative, positive] moment that counts as 1, N or Nm
    force_weight: np.ndarray  # (n,)
    multiplier: np.ndarray  # (N, n) shift of the force residual (augmented Lagrangian); 0 where not hard
    power_weight: np.ndarray  # (n,) 1/W
    target: np.ndarray  # (N, n)
    target_weight: np.ndarray  # (N, n) 1/rad or 1/m
    pace: np.ndarray  # (N, n) d q / d phase of the reference
    pace_weight: np.ndarray  # (n,) s/rad or s/m, on velocity
    limit: np.ndarray  # (n, 2)
    limit_weight: np.ndarray  # (n,)
    limit_round: np.ndarray  # (n,) rounding of the limit's corner
    clearance: float  # m, height that feet in swing keep
    clearance_weight: np.ndarray  # (N, s) 1/m, 0 where the foot may be down
    rate_weight: np.ndarray  # (3,) s/N on the rate of the whole-body force
    jerk_weight: np.ndarray  # (n,) s^3/rad
    effort_weight: np.ndarray  # (M,) on activation
    least: float  # activation that a living muscle keeps
    bound_weight: float  # on activation below `least` or above 1
    excitation_weight: float  # on excitation below 0 or above 1
    time: float  # s, prior of the stride time
    time_weight: float  # 1/s


class Sweep(NamedTuple):
    """Results of a sweep: per knot k what the solver, the corrections and the reports need.

    G = N / NODE nodes. Flat vectors hold c (N n), then T, then activations (G M).
    """

    q: np.ndarray  # (N, n)
    v: np.ndarray
    a: np.ndarray
    tau: np.ndarray  # (N, n) what muscles leave for other actuators to give, or nobody; contact included
    force: np.ndarray  # (N, 3) force that the ground must give
    J: np.ndarray  # (N, n, 3 n + 1) d tau / d (c[k-1], c[k], c[k+1], T)
    Jf: np.ndarray  # (N, 3, 3 n + 1) d force / d the same
    Ja: np.ndarray  # (N, r, M) d tau / d activation, joints Muscles.rows
    gradient: np.ndarray  # (N n + 1 + G M,)
    hessian: np.ndarray  # (N, BAND, n, n) block (k, k + d)
    mixed: np.ndarray  # (G, REACH, M, n) of a node's activation and control points NODE j - NODE + o
    own: np.ndarray  # (G, 2, M, M) of a node's activation and its own, the next one's
    border: np.ndarray  # (N n + 1 + G M,) column of T
    exact: np.ndarray  # the same, what the exact dependence on T adds; not positive far from a solution
    y: np.ndarray  # (N, n) d cost / d tau, times N
    y_force: np.ndarray  # (N, 3) d cost / d force, times N


def sweep_arrays(knots: int, n: int, muscles: Muscles) -> Sweep:
    """Arrays for N knots of n joints, to be filled by `sweep`."""
    nodes, count = knots // NODE, muscles.count
    size = knots * n + 1 + nodes * count
    return Sweep(
        q=np.zeros((knots, n)),
        v=np.zeros((knots, n)),
        a=np.zeros((knots, n)),
        tau=np.zeros((knots, n)),
        force=np.zeros((knots, 3)),
        J=np.zeros((knots, n, OFFSETS * n + 1)),
        Jf=np.zeros((knots, 3, OFFSETS * n + 1)),
        Ja=np.zeros((knots, len(muscles.rows), count)),
        gradient=np.zeros(size),
        hessian=np.zeros((knots, BAND, n, n)),
        mixed=np.zeros((nodes, REACH, count, n)),
        own=np.zeros((nodes, 2, count, count)),
        border=np.zeros(size),
        exact=np.zeros(size),
        y=np.zeros((knots, n)),
        y_force=np.zeros((knots, 3)),
    )


@njit(cache=True)
def spline(mesh, c, T, speed, q, v, a):
    """Values at the knots of control points c (N, n) over the stride time T; fills q, v, a (N, n)."""
    N, n = c.shape
    for k in range(N):
        sq, sv, sa = mesh.stencil[k]
        for i in range(n):
            lo, mid, hi = c[k - 1, i], c[k, i], c[(k + 1) % N, i]
            q[k, i] = sq[0] * lo + sq[1] * mid + sq[2] * hi
            v[k, i] = (sv[0] * lo + sv[1] * mid + sv[2] * hi) / T
            a[k, i] = (sa[0] * lo + sa[1] * mid + sa[2] * hi) / (T * T)
        v[k, 0] += speed


@njit(cache=True)
def at_knot(mesh, nodes, k, out):
    """Activations (M,) at knot k of those at the nodes (G, M); gives the share of the later node."""
    share = mesh.share[k]
    here, there = nodes[k // NODE], nodes[(k // NODE + 1) % len(nodes)]
    for i in range(len(out)):
        out[i] = (1 - share) * here[i] + share * there[i]
    return share


@njit(cache=True)
def sweep(model, m, terms, c, nodes, T, out, derivatives):
    """The cost [-]; with `derivatives` also gradient, hessian, mixed, own, border, exact. Fills knot values.

    c (N, n) control points, nodes (G, M) activations, T stride time; out: a Sweep.
    """
    N, n = c.shape
    M, rows = nodes.shape[1], terms.muscles.rows
    pull, activation = tension(terms.muscles), np.zeros(M)
    Am = np.zeros((len(rows), 3 * n + 1))
    Da = np.zeros((len(rows), M))
    w = 3 * n  # column of T in a knot's Jacobian
    mesh, sv, sa = terms.mesh, np.empty(3), np.empty(3)
    spline(mesh, c, T, terms.speed, out.q, out.v, out.a)
    tau_q, tau_v, tau_a = np.zeros((n, n)), np.zeros((n, n)), np.zeros((n, n))
    force_z = np.zeros((N, 2, 3, n))  # d force / d v, d force / d a
    A = np.zeros((n, w + 1))
    G = np.zeros((w + 1, w + 1))
    lam_v, lam_a = np.zeros((N, n)), np.zeros((N, n))  # d cost / d v, d cost / d a
    gradient, hessian, border, exact = out.gradient, out.hessian, out.border, out.exact
    if derivatives:
        gradient[:] = 0.0
        exact[:] = 0.0
        hessian[:] = 0.0
        out.mixed[:] = 0.0
        out.own[:] = 0.0
        border[:] = 0.0
    cost = 0.0
    for k in range(N):
        q, v, a, tau = out.q[k], out.v[k], out.a[k], out.tau[k]
        sq, counts = mesh.stencil[k, 0], mesh.weight[k]
        for x in range(3):
            sv[x], sa[x] = mesh.stencil[k, 1, x] / T, mesh.stencil[k, 2, x] / T**2
        inverse(model, m, q, v, a, tau, derivatives, tau_q, tau_v, tau_a)
        J = out.J[k]
        for r in range(3):
            out.force[k, r] = tau[r]
        if derivatives:
            _columns(tau_q, tau_v, tau_a, v, a, terms.speed, T, sq, sv, sa, 3, out.Jf[k])
            for r in range(3):
                force_z[k, 0, r] = tau_v[r]
                force_z[k, 1, r] = tau_a[r]
        add_contact(model, m, terms.ground, tau, derivatives, tau_q, tau_v)
        share = at_knot(mesh, nodes, k, activation)
        add_muscles(terms.muscles, pull, activation, q, v, tau, derivatives, tau_q, tau_v, out.Ja[k])
        if derivatives:
            _columns(tau_q, tau_v, tau_a, v, a, terms.speed, T, sq, sv, sa, n, J)
        # Forces and moments over their scale, and joint power: one Jacobian row serves both, since
        # w^2 |d|^2 + p^2 |v d + tau e|^2 = s |d + (p^2 v tau / s) e|^2 + rest |e|^2,  s = w^2 + p^2 v^2.
        for i in range(n):
            side = 1 if tau[i] > 0 else 0
            weight = terms.force_weight[i] / terms.force_scale[i, side]
            r = weight * tau[i] + terms.multiplier[k, i]
            p = terms.power_weight[i]
            pw = p * tau[i] * v[i]
            cost += counts * (r * r + pw * pw)
            if not derivatives:
                continue
            y = counts * (weight * r + p * v[i] * pw)  # d cost / d tau
            x = counts * p * tau[i] * pw  # d cost / d v, directly
            out.y[k, i] = y
            lam_v[k, i] += x
            for j in range(n):
                lam_v[k, j] += y * tau_v[i, j]
                lam_a[k, j] += y * tau_a[i, j]
            s = counts * (weight * weight + p * p * v[i] * v[i])
            root = np.sqrt(s)
            mix = counts * p * p * v[i] * tau[i] / s if s > 0 else 0.0
            rest = counts * p * p * tau[i] * tau[i] - mix * mix * s
            v_T = -(v[i] - (terms.speed if i == 0 else 0.0)) / T
            for j in range(w + 1):
                A[i, j] = root * J[i, j]
            A[i, i] += root * mix * sv[0]
            A[i, n + i] += root * mix * sv[1]
            A[i, 2 * n + i] += root * mix * sv[2]
            A[i, w] += root * mix * v_T
            add_velocity(i, k, rest, sv, v_T, hessian, border, N, n)
            for o in range(3):
                at = ((k + o - 1) % N) * n
                for j in range(n):
                    gradient[at + j] += y * J[i, o * n + j]
                gradient[at + i] += x * sv[o]
            gradient[N * n] += y * J[i, w] + x * v_T
        if derivatives and M > 0:
            for e in range(M):
                activation[e] = 0.0
                for r in range(len(rows)):
                    activation[e] += out.y[k, rows[r]] * out.Ja[k, r, e]
            add_activation(gradient, activation, k, share, out, M)
        if derivatives:
            np.dot(A.T, A, G)
        if derivatives and M > 0:
            for r in range(len(rows)):
                i = rows[r]
                weight = terms.force_weight[i] / terms.force_scale[i, 1 if tau[i] > 0 else 0]
                weight *= np.sqrt(counts)
                for j in range(w + 1):
                    Am[r, j] = A[i, j]
                for e in range(M):
                    Da[r, e] = weight * out.Ja[k, r, e]
            scatter_muscles(k, share, out, Am, Da, n)
        cost += add_clearance(
            model, m, terms.clearance, terms.clearance_weight[k], counts, k, N, sq, gradient, G, derivatives
        )
        if derivatives:
            scatter(G, k, hessian, border, N, n)
        cost += _local(terms, k, q, v, T, sq, sv, gradient, hessian, border, exact, N, n, derivatives)
    cost += add_rates(terms, out, force_z, lam_v, lam_a, T, derivatives)
    cost += add_jerks(terms, c, T, gradient, hessian, border, exact, derivatives)
    if derivatives:  # exact terms of the dependence of v and a on T
        for k in range(N):
            for i in range(n):
                dev = out.v[k, i] - (terms.speed if i == 0 else 0.0)
                exact[N * n] += lam_v[k, i] * 2 * dev / T**2 + lam_a[k, i] * 6 * out.a[k, i] / T**2
                by_v, by_a = lam_v[k, i] / T, 2 * lam_a[k, i] / T**2
                for o in range(3):
                    exact[((k + o - 1) % N) * n + i] -= (
                        by_v * mesh.stencil[k, 1, o] + by_a * mesh.stencil[k, 2, o]
                    ) / T
        gradient /= N
        hessian /= N
        out.mixed[:] /= N
        out.own[:] /= N
        border /= N
        exact /= N
        gradient[N * n] += terms.time_weight**2 * (T - terms.time)
        border[N * n] += terms.time_weight**2
    effort = add_effort(terms, nodes, T, N * n, gradient, out.own, border, derivatives)
    return effort + 0.5 * (cost / N + (terms.time_weight * (T - terms.time)) ** 2)


@njit(cache=True)
def correction(terms, base, trial, step, out, misfit):
    """Gradient of the curvature that a full step left in the forces: J' w^2 (tau(x + d) - tau(x) - J d).

    base: Sweep with Jacobians; trial: Sweep at x + step; step and out are flat; fills out, misfit (N,).
    """
    N, n = base.q.shape
    G, M, of = base.own.shape[0], base.own.shape[2], terms.muscles.row
    moves, change, back = step[N * n + 1 :].reshape(G, M), np.zeros(M), np.zeros(M)
    out[:] = 0.0
    misfit[:] = 0.0
    for k in range(N):
        share = at_knot(terms.mesh, moves, k, change)
        back[:] = 0.0
        for i in range(n):
            J = base.J[k, i]
            left = trial.tau[k, i] - base.tau[k, i] - J[3 * n] * step[N * n]
            for o in range(3):
                at = ((k + o - 1) % N) * n
                for j in range(n):
                    left -= J[o * n + j] * step[at + j]
            for e in range(M if of[i] >= 0 else 0):
                left -= base.Ja[k, of[i], e] * change[e]
            weight = terms.force_weight[i] / terms.force_scale[i, 1 if base.tau[k, i] > 0 else 0]
            counts = terms.mesh.weight[k] / N
            misfit[k] += counts * (weight * left) ** 2
            left *= counts * weight * weight
            for o in range(3):
                at = ((k + o - 1) % N) * n
                for j in range(n):
                    out[at + j] += left * J[o * n + j]
            out[N * n] += left * J[3 * n]
            for e in range(M if of[i] >= 0 else 0):
                back[e] += left * base.Ja[k, of[i], e]
        add_activation(out, back, k, share, base, M)


@njit(cache=True)
def _columns(by_q, by_v, by_a, v, a, speed, T, sq, sv, sa, rows, J):
    """Chain rule of `rows` rows from (q, v, a) to (c[k-1], c[k], c[k+1], T)."""
    n = by_q.shape[1]
    for i in range(rows):
        last = 0.0
        for j in range(n):
            fq, fv, fa = by_q[i, j], by_v[i, j], by_a[i, j]
            J[i, j] = sq[0] * fq + sv[0] * fv + sa[0] * fa
            J[i, n + j] = sq[1] * fq + sv[1] * fv + sa[1] * fa
            J[i, 2 * n + j] = sq[2] * fq + sv[2] * fv + sa[2] * fa
            last += fv * v[j] + 2 * fa * a[j]
        J[i, 3 * n] = -(last - by_v[i, 0] * speed) / T


@njit(cache=True)
def _local(terms, k, q, v, T, sq, sv, gradient, hessian, border, exact, N, n, derivatives):
    """Targets, limits and pace: residuals of one joint at one knot."""
    cost, root = 0.0, np.sqrt(terms.mesh.weight[k])
    for i in range(n):
        w = root * terms.target_weight[k, i]
        r = w * (q[i] - terms.target[k, i])
        cost += r * r
        y, s = w * r, w * w
        over, slope = positive_part(q[i] - terms.limit[i, 1], terms.limit_round[i])
        under, fall = positive_part(terms.limit[i, 0] - q[i], terms.limit_round[i])
        wl = root * terms.limit_weight[i]
        cost += (wl * over) ** 2 + (wl * under) ** 2
        y += wl * wl * (over * slope - under * fall)
        s += wl * wl * (slope * slope + fall * fall)
        wp = root * terms.pace_weight[i]
        rp = 0.0
        if wp > 0:
            rp = wp * (v[i] - terms.pace[k, i] / T)
            cost += rp * rp
        if not derivatives:
            continue
        for x in range(3):
            at = (k + x - 1) % N
            gradient[at * n + i] += y * sq[x] + wp * rp * sv[x]
            for z in range(x, 3):
                hessian[at, z - x, i, i] += s * sq[x] * sq[z] + wp * wp * sv[x] * sv[z]
            border[at * n + i] -= wp * rp * sv[x] / T
            exact[at * n + i] -= wp * rp * sv[x] / T
        gradient[N * n] -= rp * rp / T
        border[N * n] += rp * rp / T**2
        exact[N * n] += 2 * rp * rp / T**2
    return cost
