"""What muscles and their tendons pull: forces, moments and analytic derivatives, compiled by numba.

Takes `Muscles`, activations and a posture that moves; adds the moments to what the joints must still supply.
Gain and bias are those of MuJoCo's `mju_muscleGain` and `mju_muscleBias`, whose tendon is rigid; springs in
series pull when they are longer than their rest length.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from bladerun._lib.jitable import register_jitable
from bladerun.stride.dynamics.muscle_paths import PARTS, SPAN, second


class Tension(NamedTuple):
    """Scratch and result of one evaluation, by path in the order of `Muscles.path`."""

    basis: np.ndarray  # (t,) monomials of a group
    shape: np.ndarray  # (p, PARTS) path length [m], slopes and second derivatives in the joints spanned
    velocity: np.ndarray  # (p,) m/s
    force: np.ndarray  # (p,) N, tension
    active: np.ndarray  # (p,) N, the activation's part


@njit(cache=True)
def tension(muscles):
    """Scratch arrays for these `Muscles`."""
    paths, _, terms = muscles.coefficient.shape
    return Tension(
        np.zeros(terms), np.zeros((paths, PARTS)), np.zeros(paths), np.zeros(paths), np.zeros(paths)
    )


@njit(cache=True)
def add_muscles(muscles, t, activation, q, v, held, derivatives, by_q, by_v, by_a):
    """Take from `held` (n,), what must act at each joint, the moments that muscles and springs give.

    activation (M,) at this moment; q, v (n,). With `derivatives` also from by_q, by_v (n, n); by_a (r, M) is
    filled: d held / d activation in the joints muscles.rows.
    """
    M = len(muscles.f0)
    if derivatives:
        by_a[:] = 0.0
    for g in range(len(muscles.span)):
        d, joints = muscles.span[g], muscles.joints[g]
        path_lengths(muscles, g, q, t.basis, t.shape, 2 if derivatives else 1)
        for p in range(muscles.first[g], muscles.first[g + 1]):
            shape, e = t.shape[p], muscles.path[p]
            speed = 0.0
            for i in range(d):
                speed += shape[1 + i] * v[joints[i]]
            t.velocity[p] = speed
            force, by_l, by_speed, gain, _, _ = path_tension(muscles, p, shape[0], speed, activation)
            t.force[p], t.active[p] = force, activation[e] * gain if e < M else 0.0
            for i in range(d):
                held[joints[i]] += shape[1 + i] * force
            if not derivatives:
                continue
            for j in range(d):
                force_j = by_l * shape[1 + j]
                for i in range(d):
                    force_j += by_speed * shape[second(i, j)] * v[joints[i]]
                for i in range(d):
                    by_q[joints[i], joints[j]] += shape[second(i, j)] * force + shape[1 + i] * force_j
                    by_v[joints[i], joints[j]] += shape[1 + i] * by_speed * shape[1 + j]
            if e < M:
                for i in range(d):
                    by_a[muscles.row[joints[i]], e] = shape[1 + i] * gain


@register_jitable(fastmath=True)
def path_lengths(muscles, g, q, basis, shape, order):
    """Fill `shape` of a group's paths up to derivatives of this order (1 or 2)."""
    d, terms = muscles.span[g], muscles.terms[g]
    table = np.ones((SPAN, 8))  # x^e
    for i in range(d):
        x = (q[muscles.joints[g, i]] - muscles.centre[g, i]) / muscles.half[g, i]
        for e in range(1, 8):
            table[i, e] = x * table[i, e - 1]
    for k in range(terms[0]):
        value = 1.0
        for i in range(d):
            value *= table[i, muscles.powers[g, k, i]]
        basis[k] = value
    for p in range(muscles.first[g], muscles.first[g + 1]):
        own = muscles.coefficient[p]
        shape[p, 0] = _sum(own[0], basis, terms[0])
        for i in range(d):
            shape[p, 1 + i] = _sum(own[1 + i], basis, terms[1])
            for j in range(i, d if order > 1 else i):
                shape[p, second(i, j)] = _sum(own[second(i, j)], basis, terms[2])


@register_jitable(fastmath=True)
def _sum(coefficient, basis, terms):
    total = 0.0
    for k in range(terms):
        total += coefficient[k] * basis[k]
    return total


@register_jitable
def path_tension(muscles, p, length, speed, activation):
    """Tension along path p, its slopes in length and velocity, and the same three for unit activation."""
    M, e = len(muscles.f0), muscles.path[p]
    if e >= M:
        force, by_l = _spring(muscles, e - M, length)
        return force, by_l, 0.0, 0.0, 0.0, 0.0
    gain, gain_l, gain_v = _gain(muscles, e, length, speed)
    passive, passive_l = _passive(muscles, e, length)
    a = activation[e]
    return a * gain + passive, a * gain_l + passive_l, a * gain_v, gain, gain_l, gain_v


@register_jitable
def _gain(muscles, e, length, speed):
    """Force at full activation, with its slopes in path length and velocity."""
    low, high, most = muscles.curve[e, 0], muscles.curve[e, 1], muscles.curve[e, 2]
    y = muscles.curve[e, 4] - 1
    l0, f0 = muscles.l0[e], muscles.f0[e]
    L = (length - muscles.slack[e]) / l0
    V = speed / (l0 * most)
    a, b = 0.5 * (low + 1), 0.5 * (1 + high)
    FL = FL_L = 0.0
    if low <= L <= high:
        if a >= L:
            x, s = (L - low) / (a - low), 1 / (a - low)
            FL, FL_L = 0.5 * x * x, x * s
        elif L <= 1:
            x, s = (1 - L) / (1 - a), -1 / (1 - a)
            FL, FL_L = 1 - 0.5 * x * x, -x * s
        elif b >= L:
            x, s = (L - 1) / (b - 1), 1 / (b - 1)
            FL, FL_L = 1 - 0.5 * x * x, -x * s
        else:
            x, s = (high - L) / (high - b), -1 / (high - b)
            FL, FL_L = 0.5 * x * x, x * s
    FV, FV_V = 0.0, 0.0
    if y < V:
        FV = 1 + y
    elif V > 0:
        FV, FV_V = 1 + y - (y - V) ** 2 / y, 2 * (y - V) / y
    elif V > -1:
        FV, FV_V = (V + 1) ** 2, 2 * (V + 1)
    return f0 * FL * FV, f0 * FL_L * FV / l0, f0 * FL * FV_V / (l0 * most)


@register_jitable
def _passive(muscles, e, length):
    """Force of the stretched fibre without activation, and its slope in path length."""
    L = (length - muscles.slack[e]) / muscles.l0[e]
    b = 0.5 * (1 + muscles.curve[e, 1])
    scale = muscles.f0[e] * muscles.curve[e, 3]
    if L <= 1:
        return 0.0, 0.0
    x, s = (L - 1) / (b - 1), 1 / ((b - 1) * muscles.l0[e])
    if b >= L:
        return scale * 0.5 * x * x, scale * x * s
    return scale * (x - 0.5), scale * s


@register_jitable
def _spring(muscles, s, length):
    """Force of a series spring and its slope; slack below its rest length."""
    x = length - muscles.rest[s]
    if x <= 0:
        return 0.0, 0.0
    k = muscles.stiffness[s]
    return x * (k[0] + x * (k[1] + x * k[2])), k[0] + x * (2 * k[1] + 3 * x * k[2])
