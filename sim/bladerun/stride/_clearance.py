"""Where feet go: off the ground in swing, on it when they land, and how far apart they stand.

Takes the lowest points of the contact spheres after `add_contact`; gives, with derivatives, the cost of those
that swing too low, of a foot that is not just touching the ground at the knots where its contact begins and
ends, and of one that stands off its place beside the runner's path. Without the first a leg that is too long
drags its toe: small as the force there is, runners do not. The second moves the mesh. The third is people's
step width, which angles alone leave open: a degree at the hip is a centimetre and a half at the foot.
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
            _add_way(model, m, c, 2, -slope, by_q)
            _add_square(counts * weight[c] ** 2, low, by_q, k, N, sq, gradient, G)
    return squares


@njit(cache=True)
def add_edge(model, m, height, foot, weight, k, N, sq, gradient, G, derivatives):
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
                _add_way(model, m, c, 2, np.exp((lowest - m.sphere_point[c, 2]) / SOFT) / total, by_q)
        _add_square(N * weight**2, off, by_q, k, N, sq, gradient, G)
    return N * (weight * off) ** 2


@njit(cache=True)
def add_placement(model, m, place, foot, weight, k, N, sq, gradient, G, derivatives):
    """Square of how far the middle of a foot's spheres (s,) is from `place` [m] sideways, N times.

    weight [1/m]; the rest as for `add_clearance`.
    """
    middle, count = 0.0, 0
    for c in range(len(foot)):
        if foot[c]:
            middle += m.sphere_point[c, 1]
            count += 1
    if count == 0 or weight == 0.0:
        return 0.0
    off = middle / count - place
    if derivatives:
        by_q = np.zeros(len(model.parent))
        for c in range(len(foot)):
            if foot[c]:
                _add_way(model, m, c, 1, 1 / count, by_q)
                _add_roll(model, m, c, 1 / count, by_q)
        _add_square(N * weight**2, off, by_q, k, N, sq, gradient, G)
    return N * (weight * off) ** 2


@njit(cache=True)
def _add_way(model, m, c, axis, factor, by_q):
    """Add factor times d lowest point of sphere c along an axis / d q, as its body's point, to by_q (n,)."""
    p = m.sphere_point[c]
    i, one, other = model.sphere_link[c], (axis + 1) % 3, (axis + 2) % 3
    while i >= 0:
        S = m.S[i]
        by_q[i] += factor * (S[3 + axis] + S[one] * p[other] - S[other] * p[one])
        i = model.parent[i]


@njit(cache=True)
def _add_roll(model, m, c, factor, by_q):
    """What the lowest point of a sphere, which stays below its centre, moves less to the left in a roll."""
    i = model.sphere_link[c]
    while i >= 0:
        by_q[i] -= factor * model.sphere_radius[c] * m.S[i, 0]
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
