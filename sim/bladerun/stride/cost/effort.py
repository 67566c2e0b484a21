"""Effort: activation squared, by muscle volume, and its bounds; means over time.

Muscles at rest keep a little activation: the lower bound is rounded around `least`.
"""

from typing import NamedTuple

import numpy as np

from bladerun._lib.jitable import register_jitable
from bladerun.stride.dynamics.contact_law import positive_part
from bladerun.stride.transcription.blocks import NODE, TIMES

ROUND = 0.05  # of the bounds' corners


class Effort(NamedTuple):
    """M muscles."""

    weight: np.ndarray  # (M,) on activation
    least: float  # activation that a living muscle keeps
    bound: float  # weight on activation below `least` or above 1


def prepare(muscles, cost) -> Effort:
    """muscles: Muscles. The square of an activation counts in proportion to the muscle's volume."""
    volume, own = muscles.f0 * muscles.l0, cost.activation
    return Effort(np.sqrt(own.effort * volume / volume.sum()), own.least, own.bound)


@register_jitable
def add(own, tree, mesh, nodes, out, derivatives):
    (N, n), (G, M), total = out.q.shape, nodes.shape, 0.0
    at_times = N * n
    for j in range(G):
        count, count_by, squares = mesh.weight[NODE * j] / G, mesh.weight_by[NODE * j], 0.0
        for e in range(M):
            a, w, wb = nodes[j, e], own.weight[e], own.bound
            under, fall = positive_part(own.least - a, ROUND)
            over, climb = positive_part(a - 1, ROUND)
            squares += (w * a) ** 2 + wb**2 * (under * under + over * over)
            if derivatives:
                here = at_times + TIMES + j * M + e
                out.gradient[here] += count * (w * w * a + wb * wb * (over * climb - under * fall))
                out.own[j, 0, e, e] += count * (w * w + wb * wb * (climb * climb + fall * fall))
        total += count * squares
        if derivatives:
            for p in range(TIMES):
                out.gradient[at_times + p] += 0.5 * count_by[p] / G * squares
    return 0.5 * total
