"""What activations cost, and how fast they may change; compiled by numba.

Takes activations at the nodes and the `Terms`; adds cost, gradient and Hessian blocks to the sweep's own.

Activation a follows excitation u with da/dt = (u - a) / tau, tau a rise or a fall time; that u lies between 0
and 1 is, without u, 0 <= a + tau_fall da/dt and a + tau_rise da/dt <= 1 (De Groote 2009, doi
10.1080/10255840902788587, after Zajac 1989).
"""

import numpy as np
from numba import njit

from bladerun.stride._contact import positive_part

ROUND = 0.05


@njit(cache=True)
def add_effort(terms, nodes, T, at_time, gradient, own, border, derivatives):
    """Half the sum of squares, means over the nodes (G, M), of effort, bounds and excitations beyond theirs.

    at_time: place of T in the flat vectors; activations follow it.
    """
    G, M = nodes.shape
    cost = 0.0
    for j in range(G):
        at_node, between = terms.mesh.node_weight[j], terms.mesh.node_step[j]
        step = T / G * between
        later = (j + 1) % G
        for e in range(M):
            a, b = nodes[j, e], nodes[later, e]
            here, there = at_time + 1 + j * M + e, at_time + 1 + later * M + e
            we, wb = terms.effort_weight[e], terms.bound_weight
            under, fall = positive_part(terms.least - a, ROUND)
            over, climb = positive_part(a - 1, ROUND)
            cost += at_node * ((we * a) ** 2 + (wb * under) ** 2 + (wb * over) ** 2)
            if derivatives:
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
                by_a, by_b, by_T = (
                    s * (0.5 - tau / step),
                    s * (0.5 + tau / step),
                    -s * tau * (b - a) / step / T,
                )
                gradient[here] += by_a * w * past / G
                gradient[there] += by_b * w * past / G
                gradient[at_time] += by_T * w * past / G
                own[j, 0, e, e] += by_a * by_a / G
                own[later, 0, e, e] += by_b * by_b / G
                own[j, 1, e, e] += by_a * by_b / G
                border[here] += by_a * by_T / G
                border[there] += by_b * by_T / G
                border[at_time] += by_T * by_T / G
    return 0.5 * cost / G
