"""What activations cost, and how fast they may change; compiled by numba.

Takes activations at the nodes and the `Terms`; adds cost, gradient and Hessian blocks to the sweep's own.

Activation a follows excitation u with da/dt = (u - a) / tau, tau a rise or a fall time; that u lies between 0
and 1 is, without u, 0 <= a + tau_fall da/dt and a + tau_rise da/dt <= 1 (De Groote 2009, doi
10.1080/10255840902788587, after Zajac 1989).
"""

import numpy as np
from numba import njit

from bladerun.stride._blocks import NODE, TIMES
from bladerun.stride._contact import positive_part

ROUND = 0.05


@njit(cache=True)
def add_effort(terms, mesh, nodes, at_times, gradient, own, border, derivatives):
    """Half the squares, means over time, of effort, bounds and excitations beyond theirs at the nodes (G, M).

    at_times: place of the times in the flat vectors; activations follow them.
    """
    G, M = nodes.shape
    T, cost = mesh.times[0], 0.0
    by_times, between_by = np.empty(TIMES), np.empty(TIMES)
    for j in range(G):
        at_node, at_node_by = mesh.weight[NODE * j], mesh.weight_by[NODE * j]
        step, step_by = mesh.node_step[j], mesh.node_step_by[j]
        between = G / T * step
        for p in range(TIMES):
            between_by[p] = G / T * step_by[p] - (between / T if p == 0 else 0.0)
        later = (j + 1) % G
        for e in range(M):
            a, b = nodes[j, e], nodes[later, e]
            here, there = at_times + TIMES + j * M + e, at_times + TIMES + later * M + e
            we, wb = terms.effort_weight[e], terms.bound_weight
            under, fall = positive_part(terms.least - a, ROUND)
            over, climb = positive_part(a - 1, ROUND)
            squares = (we * a) ** 2 + (wb * under) ** 2 + (wb * over) ** 2
            cost += at_node * squares
            if derivatives:
                for p in range(TIMES):
                    gradient[at_times + p] += 0.5 * at_node_by[p] * squares / G
                gradient[here] += at_node * (we * we * a + wb * wb * (over * climb - under * fall)) / G
                own[j, 0, e, e] += at_node * (we * we + wb * wb * (climb * climb + fall * fall)) / G
            for up in range(2):
                tau = terms.muscles.rise[e] if up else terms.muscles.fall[e]
                excitation = 0.5 * (a + b) + tau * (b - a) / step
                past, slope = positive_part(excitation - 1 if up else -excitation, ROUND)
                w = np.sqrt(between) * terms.excitation_weight
                cost += (w * past) ** 2
                if not derivatives or slope == 0.0:
                    continue
                s = w * slope if up else -w * slope
                by_a, by_b = s * (0.5 - tau / step), s * (0.5 + tau / step)
                for p in range(TIMES):
                    by_times[p] = -s * tau * (b - a) / step**2 * step_by[p]
                    by_times[p] += 0.5 * w * past * between_by[p] / between
                    gradient[at_times + p] += by_times[p] * w * past / G
                    border[here, p] += by_a * by_times[p] / G
                    border[there, p] += by_b * by_times[p] / G
                for p in range(TIMES):
                    for r in range(TIMES):
                        border[at_times + p, r] += by_times[p] * by_times[r] / G
                gradient[here] += by_a * w * past / G
                gradient[there] += by_b * w * past / G
                own[j, 0, e, e] += by_a * by_a / G
                own[later, 0, e, e] += by_b * by_b / G
                own[j, 1, e, e] += by_a * by_b / G
    return 0.5 * cost / G
