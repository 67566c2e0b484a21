"""Feet off the ground in swing, and on it when they land: where the lowest points of a foot are.

Takes the heights of the contact spheres after `add_contact`; gives the cost of those that swing too low, or
of a foot that is not just touching the ground at the knot where it lands, with derivatives. Without the first
a leg that is too long drags its toe: small as the force there is, runners do not. The second moves the mesh.
"""

import numpy as np
from numba import njit

from bladerun.stride._contact import positive_part

SOFT = 0.002  # m, over which spheres share in being the lowest; numerical


@njit(cache=True)
def add_clearance(model, m, height, weight, counts, k, N, sq, gradient, G, derivatives):
    """Squares of how far spheres are below `height` [m]; weight (s,) [1/m] is 0 for feet in stance.

    With `derivatives`, adds them times `counts` to the flat gradient at knot k of N and to its square G
    (3 n + TIMES,) * 2; sq are the three spline weights of position.
    """
    by_q = np.empty(len(model.parent))
    squares = 0.0
    for c in range(len(weight)):
        low, slope = positive_part(height - m.sphere_point[c, 2], 0.3 * height)
        if weight[c] == 0.0 or low == 0.0:
            continue
        squares += (weight[c] * low) ** 2
        if derivatives:
            by_q[:] = 0.0
            _add_height(model, m, c, -slope, by_q)
            _add_square(counts * weight[c] ** 2, low, by_q, k, N, sq, gradient, G)
    return squares


@njit(cache=True)
def add_landing(model, m, height, foot, weight, k, N, sq, gradient, G, derivatives):
    """Square of how far the lowest sphere of a foot (s,) is from `height` [m], N times (it counts once).

    weight [1/m]; the rest as for `add_clearance`.
    """
    lowest = np.inf
    for c in range(len(foot)):
        if foot[c]:
            lowest = min(lowest, m.sphere_point[c, 2])
    if lowest == np.inf or weight == 0.0:
        return 0.0
    total, by_q = 0.0, np.zeros(len(model.parent))
    for c in range(len(foot)):
        if foot[c]:
            total += np.exp((lowest - m.sphere_point[c, 2]) / SOFT)
    off = lowest - SOFT * np.log(total) - height
    if derivatives:
        for c in range(len(foot)):
            if foot[c]:
                _add_height(model, m, c, np.exp((lowest - m.sphere_point[c, 2]) / SOFT) / total, by_q)
        _add_square(N * weight**2, off, by_q, k, N, sq, gradient, G)
    return N * (weight * off) ** 2


@njit(cache=True)
def _add_height(model, m, c, factor, by_q):
    """Add factor times d height of sphere c / d q to by_q (n,)."""
    p = m.sphere_point[c]
    i = model.sphere_link[c]
    while i >= 0:
        S = m.S[i]
        by_q[i] += factor * (S[5] + S[0] * p[1] - S[1] * p[0])
        i = model.parent[i]


@njit(cache=True)
def _add_square(weight, value, by_q, k, N, sq, gradient, G):
    """Add half of weight value^2, its derivative in q by_q (n,), to the gradient and to a knot's square."""
    n = len(by_q)
    for i in range(n):
        if by_q[i] == 0.0:
            continue
        for x in range(3):
            e = weight * sq[x] * by_q[i]
            gradient[((k + x - 1) % N) * n + i] += e * value
            for y in range(3):
                for j in range(n):
                    G[x * n + i, y * n + j] += e * sq[y] * by_q[j]
