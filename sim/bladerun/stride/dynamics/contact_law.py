"""The law of one sphere on flat ground: smooth, compliant, dissipative, with regularised Coulomb friction.

Takes a sphere's height and the velocity of its lowest point; gives the force on it and its derivatives.
Used by the solver's own dynamics and, unchanged, by the forward replay.

With d the penetration (positive in the ground) smoothed over e so that force and slope are continuous,

    f_n = K d^1.5 s(1 - c v_z),        f_t = -mu f_n v_t / sqrt(|v_t|^2 + v_s^2 (1 + f_0 / f_n)^2),

s a smooth positive part; f_0 lets a light load slip more, or a landing toe would stick and ring within a
knot. Hunt & Crossley 1975 (doi 10.1115/1.3423596); parameters in models/contact.toml.

A layer of the ground that gives by the same law stands in series with a sphere: of equal forces K1 d1^1.5
and K2 d2^1.5 the travels add up, so K^(-2/3) = K1^(-2/3) + K2^(-2/3), and each takes a fixed share r of the
travel and of its rate. Losses K d^1.5 c d'^2 add up, to first order in them: c = c1 r1^2 + c2 r2^2.
"""

import numpy as np

from bladerun._lib.jitable import register_jitable


@register_jitable
def positive_part(u, e):
    """Smooth max(u, 0) with its slope: zero below -e, u above e, a parabola between (C1)."""
    if u <= -e:
        return 0.0, 0.0
    if u >= e:
        return u, 1.0
    return (u + e) ** 2 / (4 * e), (u + e) / (2 * e)


@register_jitable
def in_series(stiffness, damping, layer_stiffness, layer_damping):
    """Stiffness and damping of a sphere on a layer; all in N/m^1.5 and s/m."""
    own, layer = stiffness ** (-2 / 3), layer_stiffness ** (-2 / 3)
    share = layer / (own + layer)
    return (own + layer) ** -1.5, damping * (1 - share) ** 2 + layer_damping * share**2


_DAMPING_ROUND = 0.2  # s(): rounding of the corner where unloading is so fast that the ground lets go


@register_jitable
def sphere_force(z, v, law, ground, force, by_z, by_v):
    """Force on a sphere whose lowest point is at height z [m] and moves at v (3,) [m/s].

    law (3,): K [N/m^1.5], c [s/m], mu, as in the `user` data of its geom; ground: environment.Ground.
    Fills force (3,) [N], by_z (3,) = d force / d z and by_v (3, 3) = d force / d v; returns False
    (and fills nothing) where the sphere is out of reach of the ground.
    """
    if z >= ground.smoothing_m:
        return False
    stiffness = law[0] * ground.stiffness
    damping, friction = law[1] * ground.damping, law[2] * ground.friction
    if ground.layer_stiffness > 0.0 and stiffness > 0.0:
        stiffness, damping = in_series(stiffness, damping, ground.layer_stiffness, ground.layer_damping)
    d, dd = positive_part(-z, ground.smoothing_m)
    root = np.sqrt(d)
    s, ds = positive_part(1.0 - damping * v[2], _DAMPING_ROUND)
    elastic = stiffness * d * root
    normal = elastic * s
    n_z = -1.5 * stiffness * root * dd * s
    n_v = -elastic * ds * damping
    slip = ground.slip_speed_m_s * (normal + ground.slip_load_n)
    speed2 = v[0] * v[0] + v[1] * v[1]
    size = np.sqrt(normal * normal * speed2 + slip * slip)
    grip = friction * normal * normal / size
    slope = (normal * speed2 + ground.slip_speed_m_s * slip) / (size * size)
    by_normal = friction * normal * (2 - normal * slope) / size
    by_speed2 = -grip * normal * normal / (size * size)
    force[0], force[1], force[2] = -grip * v[0], -grip * v[1], normal
    by_z[0], by_z[1], by_z[2] = -by_normal * n_z * v[0], -by_normal * n_z * v[1], n_z
    by_v[0, 0] = -grip - by_speed2 * v[0] * v[0]
    by_v[0, 1] = -by_speed2 * v[0] * v[1]
    by_v[1, 0] = by_v[0, 1]
    by_v[1, 1] = -grip - by_speed2 * v[1] * v[1]
    by_v[2, 0] = by_v[2, 1] = 0.0
    by_v[0, 2], by_v[1, 2], by_v[2, 2] = -by_normal * n_v * v[0], -by_normal * n_v * v[1], n_v
    return True
