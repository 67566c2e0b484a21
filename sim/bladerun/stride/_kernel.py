"""One sweep over the knots of a stride: cost, gradient and Gauss-Newton blocks, compiled by numba.

Takes spline control points, activations, a `Mesh` and the `Terms` of the cost; gives the cost, and on request
its gradient and Hessian in the blocks that `_linear` factorises. Nothing here knows what a runner is.

At knot k of N a periodic cubic B-spline with control points c (N, n) gives q, v and a by the stencil of the
`Mesh`; evenly spaced, h = T / N apart, it were

    q = (c[k-1] + 4 c[k] + c[k+1]) / 6,   v = (c[k+1] - c[k-1]) / 2h,   a = (c[k-1] - 2 c[k] + c[k+1]) / h^2

activations are straight lines between nodes NODE knots apart (a muscle cannot change faster),

and the cost is half the sum of squares of the residuals that `Terms` weighs, means over time; of hard forces,
which end at zero, means over knots.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from bladerun.stride._blocks import (
    BAND,
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
from bladerun.stride._clearance import add_clearance, add_edge, add_placement
from bladerun.stride._contact import Ground
from bladerun.stride._dynamics import inverse
from bladerun.stride._effort import add_effort
from bladerun.stride._ground import add_contact
from bladerun.stride._muscles import Muscles
from bladerun.stride._smoothness import add_jerks, add_rates
from bladerun.stride._targets import add_sideways, add_targets, look_up
from bladerun.stride._tension import add_muscles, tension

STANDS = 6  # a foot stands a sixth of the knots after its landing, in time a tenth of the stride


class Terms(NamedTuple):
    """What is weighed; n joints, N knots, M muscles. A weight is a factor on the residual, not its square."""

    speed: float  # m/s, added to the velocity of joint 0
    ground: Ground
    muscles: Muscles
    force_scale: np.ndarray  # (n, 2) [negative, positive] moment that counts as 1, N or Nm
    force_weight: np.ndarray  # (n,)
    hard: np.ndarray  # (n,) True where nobody gives a force
    multiplier: np.ndarray  # (N, n) shift of the force residual (augmented Lagrangian); 0 where not hard
    power_weight: np.ndarray  # (n,) 1/W
    reference: np.ndarray  # (R, 4, n) cubics in the phase, the highest power first, from r / R of a stride on
    target_weight: np.ndarray  # (n,) 1/rad or 1/m
    pace_weight: np.ndarray  # (n,) s/rad or s/m, on velocity
    sideways: np.ndarray  # (R, 4, 1) as `reference`: force of the ground on the runner to the left, N
    sideways_weight: float  # 1/N
    limit: np.ndarray  # (n, 2)
    limit_weight: np.ndarray  # (n,)
    limit_round: np.ndarray  # (n,) rounding of the limit's corner
    clearance: float  # m, height that feet in swing keep
    clearance_weight: np.ndarray  # (N, s) 1/m, 0 where the foot may be down
    contact: np.ndarray  # (2, s) True for spheres of the foot that lands at knot 0, at knot N / 2
    leaves: np.ndarray  # (2,) knots after that one at which it leaves the ground
    edge_height: np.ndarray  # (2,) m, of the lowest of them where it lands and where it leaves the ground
    edge_weight: float  # 1/m, on that
    placement: np.ndarray  # (2,) m to the left of the path, where those stand in mid-stance
    placement_weight: np.ndarray  # (2,) 1/m
    rate_weight: np.ndarray  # (3,) s/N on the rate of the whole-body force
    jerk_weight: np.ndarray  # (n,) s^3/rad
    effort_weight: np.ndarray  # (M,) on activation
    least: float  # activation that a living muscle keeps
    bound_weight: float  # on activation below `least` or above 1
    excitation_weight: float  # on excitation below 0 or above 1
    times: np.ndarray  # (TIMES,) s, prior
    times_weight: np.ndarray  # (TIMES,) 1/s


class Sweep(NamedTuple):
    """Results of a sweep: per knot k what the solver, the corrections and the reports need.

    G = N / NODE nodes. Flat vectors hold c (N n), then the times, then activations (G M).
    """

    q: np.ndarray  # (N, n)
    v: np.ndarray
    a: np.ndarray
    tau: np.ndarray  # (N, n) what muscles leave for other actuators to give, or nobody; contact included
    force: np.ndarray  # (N, 3) force that the ground must give
    v_by: np.ndarray  # (N, TIMES, n) d v / d times
    a_by: np.ndarray
    J: np.ndarray  # (N, n, 3 n + TIMES) d tau / d (c[k-1], c[k], c[k+1], times)
    Jf: np.ndarray  # (N, 3, 3 n + TIMES) d force / d the same
    Ja: np.ndarray  # (N, r, M) d tau / d activation, joints Muscles.rows
    gradient: np.ndarray  # (N n + TIMES + G M,)
    hessian: np.ndarray  # (N, BAND, n, n) block (k, k + d)
    mixed: np.ndarray  # (G, REACH, M, n) of a node's activation and control points NODE j - NODE + o
    own: np.ndarray  # (G, 2, M, M) of a node's activation and its own, the next one's
    border: np.ndarray  # (N n + TIMES + G M, TIMES) columns of the times
    exact: np.ndarray  # the same, what the exact dependence on them adds; not positive far from a solution
    y: np.ndarray  # (N, n) d cost / d tau, times N
    y_force: np.ndarray  # (N, 3) d cost / d force, times N


def sweep_arrays(knots: int, n: int, muscles: Muscles) -> Sweep:
    """Arrays for N knots of n joints, to be filled by `sweep`."""
    nodes, count = knots // NODE, muscles.count
    size = knots * n + TIMES + nodes * count
    return Sweep(
        q=np.zeros((knots, n)),
        v=np.zeros((knots, n)),
        a=np.zeros((knots, n)),
        tau=np.zeros((knots, n)),
        force=np.zeros((knots, 3)),
        v_by=np.zeros((knots, TIMES, n)),
        a_by=np.zeros((knots, TIMES, n)),
        J=np.zeros((knots, n, OFFSETS * n + TIMES)),
        Jf=np.zeros((knots, 3, OFFSETS * n + TIMES)),
        Ja=np.zeros((knots, len(muscles.rows), count)),
        gradient=np.zeros(size),
        hessian=np.zeros((knots, BAND, n, n)),
        mixed=np.zeros((nodes, REACH, count, n)),
        own=np.zeros((nodes, 2, count, count)),
        border=np.zeros((size, TIMES)),
        exact=np.zeros((size, TIMES)),
        y=np.zeros((knots, n)),
        y_force=np.zeros((knots, 3)),
    )


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


@njit(cache=True)
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


@njit(cache=True)
def sweep(model, m, terms, mesh, c, nodes, out, derivatives):
    """The cost [-]; with `derivatives` also gradient, hessian, mixed, own, border, exact. Fills knot values.

    c (N, n) control points, nodes (G, M) activations; out: a Sweep.
    """
    N, n = c.shape
    M, rows = nodes.shape[1], terms.muscles.rows
    pull, activation = tension(terms.muscles), np.zeros(M)
    w = 3 * n  # first column of the times in a knot's Jacobian
    Am = np.zeros((len(rows), w + TIMES))
    Da = np.zeros((len(rows), M))
    spline(mesh, c, terms.speed, out.q, out.v, out.a)
    tau_q, tau_v, tau_a = np.zeros((n, n)), np.zeros((n, n)), np.zeros((n, n))
    force_z = np.zeros((N, 2, 3, n))  # d force / d v, d force / d a
    A = np.zeros((n, w + TIMES))
    G = np.zeros((w + TIMES, w + TIMES))
    lam_v, lam_a = np.zeros((N, n)), np.zeros((N, n))  # d cost / d v, d cost / d a
    ref, sideways = np.zeros((4, n)), np.zeros((4, 1))
    gradient, hessian, border, exact = out.gradient, out.hessian, out.border, out.exact
    if derivatives:
        _by_times(mesh, c, out.v_by, out.a_by)
        gradient[:] = 0.0
        exact[:] = 0.0
        out.y_force[:] = 0.0
        hessian[:] = 0.0
        out.mixed[:] = 0.0
        out.own[:] = 0.0
        border[:] = 0.0
    cost = 0.0
    for k in range(N):
        q, v, a, tau = out.q[k], out.v[k], out.a[k], out.tau[k]
        v_by, a_by = out.v_by[k], out.a_by[k]
        stencil, over_time = mesh.stencil[k], mesh.weight[k]
        sq, sv = stencil[0], stencil[1]
        soft = 0.0  # squares that count by the knot's share of time
        inverse(model, m, q, v, a, tau, derivatives, tau_q, tau_v, tau_a)
        J = out.J[k]
        for r in range(3):
            out.force[k, r] = tau[r]
        if derivatives:
            _columns(tau_q, tau_v, tau_a, v_by, a_by, stencil, 3, out.Jf[k])
            for r in range(3):
                force_z[k, 0, r] = tau_v[r]
                force_z[k, 1, r] = tau_a[r]
        add_contact(model, m, terms.ground, tau, derivatives, tau_q, tau_v)
        at_knot(nodes, k, activation)
        add_muscles(terms.muscles, pull, activation, q, v, tau, derivatives, tau_q, tau_v, out.Ja[k])
        if derivatives:
            _columns(tau_q, tau_v, tau_a, v_by, a_by, stencil, n, J)
        # Forces and moments over their scale, and joint power: one Jacobian row serves both, since
        # w^2 |d|^2 + p^2 |v d + tau e|^2 = s |d + (p^2 v tau / s) e|^2 + rest |e|^2,  s = w^2 + p^2 v^2.
        for i in range(n):
            side = 1 if tau[i] > 0 else 0
            weight = terms.force_weight[i] / terms.force_scale[i, side]
            r = weight * tau[i] + terms.multiplier[k, i]
            power = terms.power_weight[i]
            pw = power * tau[i] * v[i]
            counts = 1.0 if terms.hard[i] else over_time
            cost += counts * (r * r + pw * pw)
            if not terms.hard[i]:
                soft += r * r + pw * pw
            if not derivatives:
                continue
            y = counts * (weight * r + power * v[i] * pw)  # d cost / d tau
            x = counts * power * tau[i] * pw  # d cost / d v, directly
            out.y[k, i] = y
            lam_v[k, i] += x
            for j in range(n):
                lam_v[k, j] += y * tau_v[i, j]
                lam_a[k, j] += y * tau_a[i, j]
            s = counts * (weight * weight + power * power * v[i] * v[i])
            root = np.sqrt(s)
            mix = counts * power * power * v[i] * tau[i] / s if s > 0 else 0.0
            rest = counts * power * power * tau[i] * tau[i] - mix * mix * s
            for j in range(w + TIMES):
                A[i, j] = root * J[i, j]
            A[i, i] += root * mix * sv[0]
            A[i, n + i] += root * mix * sv[1]
            A[i, 2 * n + i] += root * mix * sv[2]
            for p in range(TIMES):
                A[i, w + p] += root * mix * v_by[p, i]
            add_velocity(i, k, rest, sv, v_by[:, i], hessian, border, N, n)
            for o in range(3):
                at = ((k + o - 1) % N) * n
                for j in range(n):
                    gradient[at + j] += y * J[i, o * n + j]
                gradient[at + i] += x * sv[o]
            for p in range(TIMES):
                gradient[N * n + p] += y * J[i, w + p] + x * v_by[p, i]
        if derivatives and M > 0:
            for e in range(M):
                activation[e] = 0.0
                for r in range(len(rows)):
                    activation[e] += out.y[k, rows[r]] * out.Ja[k, r, e]
            add_activation(gradient, activation, k, out, M)
        if derivatives:
            np.dot(A.T, A, G)
        if derivatives and M > 0:
            for r in range(len(rows)):
                i = rows[r]
                weight = terms.force_weight[i] / terms.force_scale[i, 1 if tau[i] > 0 else 0]
                weight *= np.sqrt(1.0 if terms.hard[i] else over_time)
                for j in range(w + TIMES):
                    Am[r, j] = A[i, j]
                for e in range(M):
                    Da[r, e] = weight * out.Ja[k, r, e]
            scatter_muscles(k, out, Am, Da, n)
        low = add_clearance(
            model, m, terms.clearance, terms.clearance_weight[k], over_time, k, N, sq, gradient, G,
            derivatives,
        )  # fmt: skip
        foot, since = k // (N // 2), k % (N // 2)
        if since == 0 or since == terms.leaves[foot]:
            height = terms.edge_height[0 if since == 0 else 1]
            cost += add_edge(
                model, m, height, terms.contact[foot], terms.edge_weight, k, N, sq, gradient, G, derivatives
            )
        if since == N // STANDS:
            cost += add_placement(
                model, m, terms.placement[foot], terms.contact[foot], terms.placement_weight[foot], k, N, sq,
                gradient, G, derivatives,
            )  # fmt: skip
        look_up(terms.sideways, mesh.phase[k], sideways)
        low += add_sideways(
            terms, mesh, k, out.force[k], out.Jf[k], force_z[k], sideways, out.y_force[k], lam_v[k], lam_a[k],
            gradient, G, exact, derivatives,
        )  # fmt: skip
        if derivatives:
            scatter(G, k, hessian, border, N, n)
        look_up(terms.reference, mesh.phase[k], ref)
        near = add_targets(
            terms, mesh, k, q, v, v_by, ref, lam_v, gradient, hessian, border, exact, derivatives
        )
        cost += over_time * (low + near)
        if derivatives:
            for p in range(TIMES):
                gradient[N * n + p] += 0.5 * mesh.weight_by[k, p] * (soft + low + near)
    cost += add_rates(terms, mesh, out, force_z, lam_v, lam_a, derivatives)
    cost += add_jerks(terms, mesh, out, c, lam_a, derivatives)
    if derivatives:
        _add_exact(mesh, c, lam_v, lam_a, exact)
        gradient /= N
        hessian /= N
        out.mixed[:] /= N
        out.own[:] /= N
        border /= N
        exact /= N
    prior = 0.0
    for p in range(TIMES):
        off = terms.times_weight[p] * (mesh.times[p] - terms.times[p])
        prior += off * off
        if derivatives:
            gradient[N * n + p] += terms.times_weight[p] * off
            border[N * n + p, p] += terms.times_weight[p] ** 2
    effort = add_effort(terms, mesh, nodes, N * n, gradient, out.own, border, derivatives)
    return effort + 0.5 * (cost / N + prior)


@njit(cache=True)
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
                bend_v, bend_a = mesh.stencil_bend[k, p, r]
                for i in range(n):
                    for o in range(OFFSETS):
                        add = lam_v[k, i] * bend_v[o] + lam_a[k, i] * bend_a[o]
                        exact[N * n + p, r] += add * c[(k + o - 1) % N, i]


@njit(cache=True)
def correction(terms, mesh, base, trial, step, out):
    """Gradient of the curvature that a full step left in the forces: J' w^2 (tau(x + d) - tau(x) - J d).

    base: Sweep with Jacobians on this mesh; trial: at x + step; step and out flat; fills out.
    """
    N, n = base.q.shape
    G, M, of = base.own.shape[0], base.own.shape[2], terms.muscles.row
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
            weight = terms.force_weight[i] / terms.force_scale[i, 1 if base.tau[k, i] > 0 else 0]
            counts = (1.0 if terms.hard[i] else mesh.weight[k]) / N
            left *= counts * weight * weight
            for o in range(3):
                at = ((k + o - 1) % N) * n
                for j in range(n):
                    out[at + j] += left * J[o * n + j]
            for p in range(TIMES):
                out[N * n + p] += left * J[3 * n + p]
            for e in range(M if of[i] >= 0 else 0):
                back[e] += left * base.Ja[k, of[i], e]
        add_activation(out, back, k, base, M)


@njit(cache=True)
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
