"""The ground under the spheres of a moving tree: what it gives, taken off what actuators have to give.

Takes the `Motion` that `inverse_dynamics` left and `contact_law`; changes generalised forces.
"""

import numpy as np

from bladerun._lib.jitable import register_jitable
from bladerun.stride.dynamics.contact_law import sphere_force
from bladerun.stride.dynamics.inverse_dynamics import motion_cross, velocity_at


@register_jitable
def add_contact(model, m, ground, tau, derivatives, tau_q, tau_v):
    """Subtract the ground's forces from tau (n,) and, with `derivatives`, from tau_q and tau_v (n, n).

    After `inverse` on the same state; ground: environment.Ground. Leaves force, lowest point and its velocity
    of each sphere in m.
    """
    force, by_z, by_v = np.empty(3), np.empty(3), np.empty((3, 3))
    n = len(model.parent)
    chain = np.empty(n, dtype=np.int64)
    Jp, dp, dF = np.empty((n, 3)), np.empty((n, 3)), np.empty((n, 3))
    diff, turn = np.empty(6), np.empty(6)
    for c in range(len(model.sphere_link)):
        link, radius = model.sphere_link[c], model.sphere_radius[c]
        V, p, vel = m.V[link], m.sphere_point[c], m.sphere_velocity[c]
        _lowest_point(m.rot[link], m.pos[link], V, model.sphere_pos[c], radius, p, vel)
        if not sphere_force(p[2], vel, model.sphere_law[c], ground, force, by_z, by_v):
            m.sphere_force[c] = 0.0
            continue
        m.sphere_force[c] = force
        depth = 0
        i = link
        while i >= 0:
            chain[depth] = i
            S, J = m.S[i], Jp[depth]
            velocity_at(S, p, J)
            tau[i] -= J[0] * force[0] + J[1] * force[1] + J[2] * force[2]
            if derivatives:
                _by_joint(S, J, V, m.V[i], p, radius, by_z, by_v, diff, turn, dp[depth], dF[depth])
            depth += 1
            i = model.parent[i]
        if derivatives:
            _add_derivatives(m.S, chain[:depth], p, force, by_v, Jp, dp, dF, turn, tau_q, tau_v)


@register_jitable
def _lowest_point(R, x, V, centre, radius, p, vel):
    """Fill p (3,) of a sphere and vel (3,) of its material there; R, x, V: of the link that carries it."""
    for r in range(3):
        p[r] = x[r]
        for k in range(3):
            p[r] += R[r, k] * centre[k]
    p[2] -= radius
    velocity_at(V, p, vel)


@register_jitable
def _by_joint(S, J, V, Vi, p, radius, by_z, by_v, diff, turn, d, dF):
    """Fill what a joint moves: d (3,) of the sphere's point, dF (3,) of its force, by depth and velocity.

    S and J: the joint's axis and what it moves the point by; V, Vi: of the sphere's link and the joint's.
    """
    d[0] = J[0] + radius * S[1]  # centre moves; the lowest point stays below it
    d[1] = J[1] - radius * S[0]
    d[2] = J[2]
    for r in range(6):
        diff[r] = V[r] - Vi[r]
    motion_cross(S, diff, turn)
    dv0 = turn[3] + turn[1] * p[2] - turn[2] * p[1] + V[1] * d[2] - V[2] * d[1]
    dv1 = turn[4] + turn[2] * p[0] - turn[0] * p[2] + V[2] * d[0] - V[0] * d[2]
    dv2 = turn[5] + turn[0] * p[1] - turn[1] * p[0] + V[0] * d[1] - V[1] * d[0]
    for r in range(3):
        dF[r] = by_z[r] * d[2] + by_v[r, 0] * dv0 + by_v[r, 1] * dv1 + by_v[r, 2] * dv2


@register_jitable
def _add_derivatives(axes, chain, p, force, by_v, Jp, dp, dF, turn, tau_q, tau_v):
    """Of the moments J . force of the joints in `chain`, from a sphere up to the root."""
    for y in range(len(chain)):
        k = chain[y]
        d, J = dp[y], Jp[y]
        f0 = by_v[0, 0] * J[0] + by_v[0, 1] * J[1] + by_v[0, 2] * J[2]
        f1 = by_v[1, 0] * J[0] + by_v[1, 1] * J[1] + by_v[1, 2] * J[2]
        f2 = by_v[2, 2] * J[2]
        # force x dp: w . (dp x force) = force . (w x dp)
        t0 = d[1] * force[2] - d[2] * force[1]
        t1 = d[2] * force[0] - d[0] * force[2]
        t2 = d[0] * force[1] - d[1] * force[0]
        for x in range(len(chain)):
            i = chain[x]
            Ji, S = Jp[x], axes[i]
            by_q = S[0] * t0 + S[1] * t1 + S[2] * t2
            by_q += Ji[0] * dF[y, 0] + Ji[1] * dF[y, 1] + Ji[2] * dF[y, 2]
            if k < i:
                motion_cross(axes[k], S, turn)
                by_q += force[0] * (turn[3] + turn[1] * p[2] - turn[2] * p[1])
                by_q += force[1] * (turn[4] + turn[2] * p[0] - turn[0] * p[2])
                by_q += force[2] * (turn[5] + turn[0] * p[1] - turn[1] * p[0])
            tau_q[i, k] -= by_q
            tau_v[i, k] -= Ji[0] * f0 + Ji[1] * f1 + Ji[2] * f2
