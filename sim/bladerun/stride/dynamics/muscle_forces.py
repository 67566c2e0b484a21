"""What muscles and their tendons pull: forces, moments and analytic derivatives, compiled by numba.

Takes `Muscles`, activations and a posture that moves; adds the moments to what the joints must still supply.
Gain and bias are those of MuJoCo's `mju_muscleGain` and `mju_muscleBias`, whose tendon is rigid; springs in
series pull when they are longer than their rest length.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numba.extending import register_jitable

from bladerun.stride.dynamics.muscle_paths import SPAN

PARTS = 1 + SPAN + SPAN * (SPAN + 1) // 2  # length, its slopes, its second derivatives (upper triangle)


class Tension(NamedTuple):
    """Scratch and result of one evaluation, by path in the order of `Muscles.path`."""

    basis: np.ndarray  # (PARTS, t)
    shape: np.ndarray  # (p, PARTS) path length [m], slopes and second derivatives in the joints spanned
    velocity: np.ndarray  # (p,) m/s
    force: np.ndarray  # (p,) N, tension
    active: np.ndarray  # (p,) N, the activation's part


@njit(cache=True)
def tension(muscles):
    """Scratch arrays for these `Muscles`."""
    paths, terms = muscles.coefficient.shape
    return Tension(
        np.zeros((PARTS, terms)), np.zeros((paths, PARTS)), np.zeros(paths), np.zeros(paths), np.zeros(paths)
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


@register_jitable
def second(i, j):
    """Where the second derivative in spanned joints i and j is kept."""
    if i > j:
        i, j = j, i
    return 1 + SPAN + i * SPAN - i * (i - 1) // 2 + j - i


@register_jitable(fastmath=True)
def path_lengths(muscles, g, q, basis, shape, order):
    """Fill `shape` of a group's paths up to derivatives of this order (1 or 2)."""
    d, terms = muscles.span[g], muscles.terms[g]
    table = np.ones((SPAN, 3, 8))  # x^e and its derivatives
    for i in range(d):
        x = (q[muscles.joints[g, i]] - muscles.centre[g, i]) / muscles.half[g, i]
        for e in range(1, 8):
            table[i, 0, e] = x * table[i, 0, e - 1]
        for e in range(8):
            table[i, 1, e] = e * table[i, 0, e - 1] / muscles.half[g, i] if e > 0 else 0.0
        for e in range(8):
            table[i, 2, e] = e * table[i, 1, e - 1] / muscles.half[g, i] if e > 0 else 0.0
    for r in range(PARTS):
        i, j = _joints_of(r)
        if max(i, j) >= d or (j >= 0 and order < 2):
            continue
        for k in range(terms):
            value = 1.0
            for x in range(d):
                slope = (1 if x == i else 0) + (1 if x == j else 0)
                value *= table[x, slope, muscles.powers[g, k, x]]
            basis[r, k] = value
        for p in range(muscles.first[g], muscles.first[g + 1]):
            total = 0.0
            for k in range(terms):
                total += muscles.coefficient[p, k] * basis[r, k]
            shape[p, r] = total


@register_jitable
def _joints_of(r):
    """The spanned joints in which part r of a path's shape is a derivative, -1 where none."""
    if r == 0:
        return -1, -1
    if r <= SPAN:
        return r - 1, -1
    r -= 1 + SPAN
    i = 0
    while r >= SPAN - i:
        r -= SPAN - i
        i += 1
    return i, i + r


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
