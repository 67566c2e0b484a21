"""The law of one sphere on flat ground: smooth, compliant, dissipative, with regularised Coulomb friction.

Takes a sphere's height and the velocity of its lowest point; gives the force on it and its derivatives.
Used by the solver's own dynamics and, unchanged, by the forward replay.

With d the penetration (positive in the ground) smoothed over e so that force and slope are continuous,

    f_n = K d^1.5 s(1 - c v_z),        f_t = -mu f_n v_t / sqrt(|v_t|^2 + v_s^2),

s a smooth positive part. Hunt & Crossley 1975 (doi 10.1115/1.3423596); parameters in models/contact.toml.
"""

import numpy as np
from numba import njit


@njit(cache=True)
def positive_part(u, e):
    """Smooth max(u, 0) with its slope: zero below -e, u above e, a parabola between (C1)."""
    if u <= -e:
        return 0.0, 0.0
    if u >= e:
        return u, 1.0
    return (u + e) ** 2 / (4 * e), (u + e) / (2 * e)


_DAMPING_ROUND = 0.2  # s(): rounding of the corner where unloading is so fast that the ground lets go


@njit(cache=True)
def sphere_force(z, v, stiffness, damping, friction, smoothing, slip_speed, force, by_z, by_v):
    """Force on a sphere whose lowest point is at height z [m] and moves at v (3,) [m/s].

    Fills force (3,) [N], by_z (3,) = d force / d z and by_v (3, 3) = d force / d v; returns False
    (and fills nothing) where the sphere is out of reach of the ground.
    """
    if z >= smoothing:
        return False
    d, dd = positive_part(-z, smoothing)
    root = np.sqrt(d)
    s, ds = positive_part(1.0 - damping * v[2], _DAMPING_ROUND)
    elastic = stiffness * d * root
    normal = elastic * s
    n_z = -1.5 * stiffness * root * dd * s
    n_v = -elastic * ds * damping
    speed2 = v[0] * v[0] + v[1] * v[1] + slip_speed * slip_speed
    inv = 1.0 / np.sqrt(speed2)
    inv3 = inv / speed2
    tx, ty = -friction * v[0] * inv, -friction * v[1] * inv
    force[0], force[1], force[2] = normal * tx, normal * ty, normal
    by_z[0], by_z[1], by_z[2] = n_z * tx, n_z * ty, n_z
    by_v[0, 0] = -friction * normal * (inv - v[0] * v[0] * inv3)
    by_v[0, 1] = friction * normal * v[0] * v[1] * inv3
    by_v[1, 0] = by_v[0, 1]
    by_v[1, 1] = -friction * normal * (inv - v[1] * v[1] * inv3)
    by_v[2, 0] = by_v[2, 1] = 0.0
    by_v[0, 2], by_v[1, 2], by_v[2, 2] = n_v * tx, n_v * ty, n_v
    return True
