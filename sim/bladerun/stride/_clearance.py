"""Feet off the ground in swing: what a runner does who does not want to trip.

Takes the heights of the contact spheres after `add_contact`; gives the cost of those that swing too low, with
its derivatives. Without it a leg that is too long drags its toe: small as the force there is, runners do not.
"""

import numpy as np
from numba import njit

from bladerun.stride._contact import positive_part


@njit(cache=True)
def add_clearance(model, m, height, weight, counts, k, N, sq, gradient, G, derivatives):
    """Cost of spheres below `height` [m]; weight (s,) [1/m] is 0 for feet in stance; counts: of the knot.

    With `derivatives`, adds to the flat gradient at knot k of N and to its square G (3 n + 1, 3 n + 1);
    sq are the three spline weights of position.
    """
    n = len(model.parent)
    chain, by_q = np.empty(n, dtype=np.int64), np.empty(n)
    cost = 0.0
    for c in range(len(weight)):
        p = m.sphere_point[c]
        low, slope = positive_part(height - p[2], 0.3 * height)
        if weight[c] == 0.0 or low == 0.0:
            continue
        w = np.sqrt(counts) * weight[c]
        r = w * low
        cost += r * r
        if not derivatives:
            continue
        depth = 0
        i = model.sphere_link[c]
        while i >= 0:
            S = m.S[i]
            chain[depth] = i
            by_q[depth] = -w * slope * (S[5] + S[0] * p[1] - S[1] * p[0])
            depth += 1
            i = model.parent[i]
        for x in range(3):
            at = ((k + x - 1) % N) * n
            for i in range(depth):
                e = sq[x] * by_q[i]
                gradient[at + chain[i]] += r * e
                for y in range(3):
                    for j in range(depth):
                        G[x * n + chain[i], y * n + chain[j]] += e * sq[y] * by_q[j]
    return cost
