"""Excitation: how fast activations may change.

Activation a follows excitation u with da/dt = (u - a) / tau, tau a rise or a fall time; that u lies between 0
and 1 is, without u, 0 <= a + tau_fall da/dt and a + tau_rise da/dt <= 1 (De Groote 2009, doi
10.1080/10255840902788587, after Zajac 1989). Residual of what is beyond, rounded; means over time.
"""

from typing import NamedTuple

import numpy as np

from bladerun._lib.jitable import register_jitable
from bladerun.stride.cost.effort import ROUND
from bladerun.stride.dynamics.contact_law import positive_part
from bladerun.stride.transcription.blocks import TIMES


class Excitation(NamedTuple):
    """M muscles."""

    rise: np.ndarray  # (M,) s
    fall: np.ndarray  # (M,) s
    weight: float


def prepare(muscles, cost) -> Excitation:
    """muscles: Muscles."""
    return Excitation(muscles.rise, muscles.fall, cost.activation.excitation)


@register_jitable
def add(own, tree, mesh, nodes, out, derivatives):
    (N, n), (G, M), T, total = out.q.shape, nodes.shape, mesh.times[0], 0.0
    at_times, by_times, between_by = N * n, np.empty(TIMES), np.empty(TIMES)
    for j in range(G):
        step, step_by = mesh.node_step[j], mesh.node_step_by[j]
        between, later = step / T, (j + 1) % G
        for p in range(TIMES):
            between_by[p] = step_by[p] / T - (between / T if p == 0 else 0.0)
        w = np.sqrt(between) * own.weight
        for e in range(M):
            a, b = nodes[j, e], nodes[later, e]
            here, there = at_times + TIMES + j * M + e, at_times + TIMES + later * M + e
            for up in range(2):
                tau = own.rise[e] if up else own.fall[e]
                excitation = 0.5 * (a + b) + tau * (b - a) / step
                past, slope = positive_part(excitation - 1 if up else -excitation, ROUND)
                total += (w * past) ** 2
                if not derivatives or slope == 0.0:
                    continue
                s = w * slope if up else -w * slope
                by_a, by_b = s * (0.5 - tau / step), s * (0.5 + tau / step)
                for p in range(TIMES):
                    by_times[p] = -s * tau * (b - a) / step**2 * step_by[p]
                    by_times[p] += 0.5 * w * past * between_by[p] / between
                    out.gradient[at_times + p] += by_times[p] * w * past
                    out.border[here, p] += by_a * by_times[p]
                    out.border[there, p] += by_b * by_times[p]
                for p in range(TIMES):
                    for r in range(TIMES):
                        out.border[at_times + p, r] += by_times[p] * by_times[r]
                out.gradient[here] += by_a * w * past
                out.gradient[there] += by_b * w * past
                out.own[j, 0, e, e] += by_a * by_a
                out.own[later, 0, e, e] += by_b * by_b
                out.own[j, 1, e, e] += by_a * by_b
    return 0.5 * total
