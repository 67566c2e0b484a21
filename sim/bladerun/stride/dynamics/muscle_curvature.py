"""Second-order terms of what muscles pull, for `stride._curvature`: differences of analytic derivatives.

With y the weight of each joint's moment, a path of length L, slopes G and tension F(L, G v, a) has the work
y' G F = u F, u = y' G; that function's second derivatives in positions, velocities and activation are added.
"""

import numpy as np

from bladerun._lib.jitable import register_jitable
from bladerun.stride.dynamics.muscle_forces import path_lengths, path_tension
from bladerun.stride.dynamics.muscle_paths import SPAN, second

STEP = 1e-6  # of the differences, rad or m, and m/s of path velocity


@register_jitable
def add_muscle_curvature(muscles, t, activation, q, v, y, S, cross):
    """Add to S (3 n, 3 n), second derivatives in (q, v, a); to cross (M, 3 n), those in activation and them.

    muscles Muscles, t Tension (overwritten); q is moved and put back.
    """
    n, M = len(q), len(muscles.f0)
    moved = np.zeros((2, 2 * SPAN))
    for g in range(len(muscles.span)):
        d, joints = muscles.span[g], muscles.joints[g]
        first, last = muscles.first[g], muscles.first[g + 1]
        kept = np.zeros((last - first, 2, 2 * SPAN))
        path_lengths(muscles, g, q, t.basis, t.shape, 2)
        for p in range(first, last):
            by_v2 = _adjoint_gradient(muscles, t.shape[p], p, d, joints, activation, v, y, kept[p - first])
            e = muscles.path[p]
            for i in range(d):
                for j in range(d):
                    S[n + joints[i], n + joints[j]] += by_v2 * t.shape[p, 1 + i] * t.shape[p, 1 + j]
                if e < M:
                    cross[e, joints[i]] += kept[p - first, 1, i]
                    cross[e, n + joints[i]] += kept[p - first, 1, SPAN + i]
        for j in range(d):
            here = q[joints[j]]
            q[joints[j]] = here + STEP
            path_lengths(muscles, g, q, t.basis, t.shape, 2)
            q[joints[j]] = here
            for p in range(first, last):
                _adjoint_gradient(muscles, t.shape[p], p, d, joints, activation, v, y, moved)
                base = kept[p - first]
                for i in range(d):
                    S[joints[i], joints[j]] += (moved[0, i] - base[0, i]) / STEP
                    mixed = (moved[0, SPAN + i] - base[0, SPAN + i]) / STEP
                    S[n + joints[i], joints[j]] += mixed
                    S[joints[j], n + joints[i]] += mixed


@register_jitable
def _adjoint_gradient(muscles, shape, p, d, joints, activation, v, y, out):
    """Slopes of u F in spanned positions, then velocities: out[0]; the same for unit activation: out[1].

    Gives d^2 (u F) / d (path velocity)^2.
    """
    speed = u = 0.0
    for i in range(d):
        speed += shape[1 + i] * v[joints[i]]
        u += shape[1 + i] * y[joints[i]]
    force, by_l, by_speed, gain, gain_l, gain_v = path_tension(muscles, p, shape[0], speed, activation)
    further = path_tension(muscles, p, shape[0], speed + STEP, activation)[2]
    for k in range(d):
        along = swing = 0.0
        for i in range(d):
            along += shape[second(i, k)] * y[joints[i]]
            swing += shape[second(i, k)] * v[joints[i]]
        G = shape[1 + k]
        out[0, k] = along * force + u * (by_l * G + by_speed * swing)
        out[0, SPAN + k] = u * by_speed * G
        out[1, k] = along * gain + u * (gain_l * G + gain_v * swing)
        out[1, SPAN + k] = u * gain_v * G
    return u * (further - by_speed) / STEP
