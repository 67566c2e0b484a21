"""Second derivatives of the weighed forces at points of a tree, for `stride._curvature`: ground and wrenches.

Takes what `tree_curvature` leaves of a motion and of weights y; adds to the second derivatives of y' tau in
(q, v, a). A force f at a point gives the joints' forces the work f . w, with w what the weights, as a motion,
move the point by. The contact law is differentiated once more by differences.

For a point c that the joints i and, carried by it, j move, D = S at c, T the motion V or Y and b its psid or
eta: dD_j / dq_i = s_i x D_j; a turn T_ang changes with q_j by turn_j = s_j x T_ang + b_j and with both by
s_i x turn_j; the velocity of c by drift_j = b_j at c + s_j x (T at c) and by b_i x D_j + s_i x drift_j.
"""

from typing import NamedTuple

import numpy as np

from bladerun._lib.jitable import register_jitable
from bladerun.stride.dynamics.contact_law import sphere_force
from bladerun.stride.dynamics.inverse_dynamics import cross, velocity_at
from bladerun.stride.dynamics.required_forces import place

STEP = 1e-6  # of the differences, m and m/s


@register_jitable
def add_wrench_curvature(tree, m, external, w, S):
    """Take those of external wrenches, forces F and torques T that do not turn, from S (3 n, 3 n)."""
    p, carry = np.empty(3), np.empty(3)
    turn, drift, D = np.empty(3), np.empty(3), np.empty(3)
    by_drift, by_turn, across = np.empty(3), np.empty(3), np.empty(3)
    for row in range(len(external.wrench_link)):
        link, F, T = external.wrench_link[row], external.wrench_force[row], external.wrench_torque[row]
        place(tree, m, link, external.wrench_point[row], p)
        velocity_at(w.Y[link], p, carry)
        j = link
        while j >= 0:
            _moved(m.S[j], w.eta[j], w.Y[link], carry, p, D, turn, drift)
            cross(D, F, across)
            cross(drift, F, by_drift)
            cross(turn, T, by_turn)
            i = j
            while i >= 0:
                add = 0.0
                for r in range(3):
                    add += w.eta[i, r] * across[r] + m.S[i, r] * (by_drift[r] + by_turn[r])
                S[i, j] -= add
                if i != j:
                    S[j, i] -= add
                i = tree.parent[i]
            j = tree.parent[j]


class Chain(NamedTuple):
    """What one sphere's force needs of each joint that carries it, from the sphere to the root.

    slope and pull go with height and velocity (4,) of its lowest point, lift with what the weights move that
    point by; a bend is dotted with the joint's axis, across with psid and eta of a joint that carries it.
    """

    joint: np.ndarray  # (n,)
    slope: np.ndarray  # (n, 4) by position
    rate: np.ndarray  # (n, 3) of the velocity by the joint's own
    lift: np.ndarray  # (n, 3) by position
    pull: np.ndarray  # (n, 4) second derivatives of the work times (slope, lift)
    push: np.ndarray  # (n, 3) slopes of the work's slope in velocity, times rate
    back: np.ndarray  # (n, 3) slopes of the force times slope
    bend: np.ndarray  # (n, 3)
    sway: np.ndarray  # (n, 3) as bend, of the point's velocity by a joint's rate
    across: np.ndarray  # (n, 2, 3)


class Work(NamedTuple):
    """A sphere's force (3,) times what the weights move it by, and its slopes, by (height, velocity)."""

    force: np.ndarray  # (3,)
    by: np.ndarray  # (4, 3) slopes of the force
    slope: np.ndarray  # (4,)
    second: np.ndarray  # (4, 4)


@register_jitable
def chain(n):
    """Scratch arrays for n joints."""
    return Chain(
        np.zeros(n, np.int64), np.zeros((n, 4)), np.zeros((n, 3)), np.zeros((n, 3)), np.zeros((n, 4)),
        np.zeros((n, 3)), np.zeros((n, 3)), np.zeros((n, 3)), np.zeros((n, 3)), np.zeros((n, 2, 3)),
    )  # fmt: skip


@register_jitable
def add_contact_curvature(tree, m, ground, y_force, w, links, S):
    """Take those of the ground's forces, of which `y_force` does not speak, from S (3 n, 3 n).

    links: Chain, overwritten.
    """
    n = len(tree.parent)
    centre, low, vel, carry = np.empty(3), np.empty(3), np.empty(3), np.empty(3)
    work = Work(np.empty(3), np.empty((4, 3)), np.empty(4), np.empty((4, 4)))
    for c in range(len(tree.sphere_link)):
        link, radius = tree.sphere_link[c], tree.sphere_radius[c]
        place(tree, m, link, tree.sphere_pos[c], centre)
        low[0], low[1], low[2] = centre[0], centre[1], centre[2] - radius
        velocity_at(m.V[link], low, vel)
        velocity_at(w.Y[link], low, carry)
        for r in range(3):
            carry[r] -= y_force[r]
        if not _work(low[2], vel, tree.sphere_law[c], ground, carry, work):
            continue
        depth = _climb(tree, m, w, link, centre, radius, work, links)
        for x in range(depth):
            j = links.joint[x]
            for z in range(x, depth):
                i = links.joint[z]
                qq, qv, vq, vv = _pair(m, w, i, z, x, links)
                S[i, j] -= qq
                S[i, n + j] -= qv
                S[n + j, i] -= qv
                S[n + i, n + j] -= vv
                if i != j:
                    S[j, i] -= qq
                    S[j, n + i] -= vq
                    S[n + i, j] -= vq
                    S[n + j, n + i] -= vv


@register_jitable
def _pair(m, w, i, z, x, links):
    """Second derivatives of a sphere's work in joint i, at depth z, and one that it carries, at depth x.

    In both positions; i's position and the other's rate; its position and i's rate; both rates.
    """
    qq = links.slope[z, 0] * links.pull[x, 0]
    qv = vq = vv = 0.0
    for r in range(3):
        s = m.S[i, r]
        qq += links.slope[z, 1 + r] * links.pull[x, 1 + r] + links.lift[z, r] * links.back[x, r]
        qq += m.psid[i, r] * links.across[x, 0, r] + w.eta[i, r] * links.across[x, 1, r]
        qq += s * links.bend[x, r]
        qv += links.pull[z, 1 + r] * links.rate[x, r] + s * links.sway[x, r]
        vq += links.pull[x, 1 + r] * links.rate[z, r] + s * links.across[x, 0, r]
        vv += links.rate[z, r] * links.push[x, r]
    return qq, qv, vq, vv


@register_jitable
def _climb(tree, m, w, link, centre, radius, work, links):
    """Fill `links` for a sphere; gives how many joints carry it."""
    V, Y = m.V[link], w.Y[link]
    vel, carry, D = np.empty(3), np.empty(3), np.empty(3)
    turn, drift = np.empty(3), np.empty(3)
    arm_v, arm_f, up = np.empty(3), np.empty(3), np.zeros(3)
    by_v, up[2] = work.slope[1:], work.slope[0]
    velocity_at(V, centre, vel)
    velocity_at(Y, centre, carry)
    _arm(by_v, radius, arm_v)
    _arm(work.force, radius, arm_f)
    depth, i = 0, link
    while i >= 0:
        s, slope, rate, lift = m.S[i], links.slope[depth], links.rate[depth], links.lift[depth]
        bend, across = links.bend[depth], links.across[depth]
        links.joint[depth] = i
        _moved(s, m.psid[i], V, vel, centre, D, turn, drift)
        slope[0] = D[2]
        _lowest(drift, turn, radius, slope[1:])
        _lowest(D, s, radius, rate)
        cross(D, by_v, across[0])
        cross(D, work.force, across[1])
        cross(D, up, bend)
        _add_cross(drift, by_v, bend)
        _add_cross(turn, arm_v, bend)
        links.sway[depth] = across[0]
        _add_cross(s, arm_v, links.sway[depth])
        _moved(s, w.eta[i], Y, carry, centre, D, turn, drift)
        _lowest(drift, turn, radius, lift)
        _add_cross(drift, work.force, bend)
        _add_cross(turn, arm_f, bend)
        for r in range(4):
            links.pull[depth, r] = _dot(work.second[r], slope) + _dot(work.by[r], lift)
        for r in range(3):
            links.push[depth, r] = _dot(work.second[1 + r, 1:], rate)
            links.back[depth, r] = 0.0
            for k in range(4):
                links.back[depth, r] += work.by[k, r] * slope[k]
        depth += 1
        i = tree.parent[i]
    return depth


@register_jitable
def _work(z, v, law, ground, carry, work):
    """Fill `work` for the motion carry (3,) of the lowest point; False where the ground is out of reach."""
    force, by_z, by_v, moved = np.empty(3), np.empty(3), np.empty((3, 3)), v.copy()
    slope = np.empty(4)
    if not sphere_force(z, v, law, ground, work.force, by_z, by_v):
        return False
    _slopes(by_z, by_v, carry, work.slope)
    work.by[0] = by_z
    for k in range(3):
        work.by[1 + k] = by_v[:, k]
    work.second[:] = 0.0
    for k in range(4):
        for step in (STEP, -STEP):
            by_z[:] = 0.0
            by_v[:] = 0.0
            moved[:] = v
            if k > 0:
                moved[k - 1] += step
            sphere_force(z + step if k == 0 else z, moved, law, ground, force, by_z, by_v)
            _slopes(by_z, by_v, carry, slope)
            for r in range(4):
                work.second[k, r] += slope[r] / (2 * step)
    for k in range(4):
        for r in range(k):
            work.second[k, r] = work.second[r, k] = 0.5 * (work.second[k, r] + work.second[r, k])
    return True


@register_jitable
def _slopes(by_z, by_v, carry, out):
    for k in range(4):
        out[k] = 0.0
        for r in range(3):
            out[k] += (by_z[r] if k == 0 else by_v[r, k - 1]) * carry[r]


@register_jitable
def _moved(s, b, twist, velocity, point, D, turn, drift):
    """Fill D, turn and drift of a joint with axis s, for `twist`, which moves `point` at `velocity`."""
    velocity_at(s, point, D)
    velocity_at(b, point, drift)
    _add_cross(s, velocity, drift)
    cross(s, twist, turn)
    for r in range(3):
        turn[r] += b[r]


@register_jitable
def _lowest(velocity, turn, radius, out):
    """Velocity of the lowest point of what turns about its centre, which has this velocity."""
    out[0], out[1], out[2] = velocity[0] - radius * turn[1], velocity[1] + radius * turn[0], velocity[2]


@register_jitable
def _arm(force, radius, out):
    """Of a force (3,) at the lowest point, the moment about the centre."""
    out[0], out[1], out[2] = radius * force[1], -radius * force[0], 0.0


@register_jitable
def _add_cross(x, y, out):
    """Add x x y of the first three entries each."""
    out[0] += x[1] * y[2] - x[2] * y[1]
    out[1] += x[2] * y[0] - x[0] * y[2]
    out[2] += x[0] * y[1] - x[1] * y[0]


@register_jitable
def _dot(x, y):
    total = 0.0
    for r in range(len(x)):
        total += x[r] * y[r]
    return total
