"""Sideways force: that of the ground less reference running's, over its SD between people; a mean over time.

With where feet stand (`placement`) it keeps the balance from side to side, which angles leave open.
"""

from typing import NamedTuple

import numpy as np

from bladerun._lib.jitable import register_jitable
from bladerun.stride.cost._rows import add_row, share_of_time
from bladerun.stride.cost.look_up import cubics, look_up
from bladerun.stride.transcription.blocks import TIMES


class SidewaysForce(NamedTuple):
    """What the ground's force to the left is held to."""

    reference: np.ndarray  # (R, 4, 1) cubics in the phase, N
    weight: float  # 1/N


def prepare(model, cost, reference, weight_n: float) -> SidewaysForce:
    """model: Model; reference: Reference, at its knots."""
    weight = cost.tracking.weight * model.variation.tracking_weight
    curve = cubics(weight_n * reference.sideways[:, None])
    return SidewaysForce(curve, weight / (weight_n * cost.tracking.sideways_bw))


@register_jitable
def add(own, tree, mesh, nodes, out, derivatives):
    (N, n), total, w = out.q.shape, 0.0, own.weight
    if w == 0.0:
        return 0.0
    ref = np.zeros((4, 1))
    for k in range(N):
        look_up(own.reference, mesh.phase[k], ref)
        off = w * (out.force[k, 1] - ref[0, 0])
        total += mesh.weight[k] * off * off
        if not derivatives:
            continue
        count = mesh.weight[k] / N
        y, Jf = count * w * off, out.Jf[k, 1]
        out.y_force[k, 1] += y
        row = np.sqrt(count) * w * Jf
        for p in range(TIMES):
            by_phase = mesh.phase_by[k, p]
            row[3 * n + p] -= np.sqrt(count) * w * ref[1, 0] * by_phase
            out.gradient[N * n + p] += y * (Jf[3 * n + p] - ref[1, 0] * by_phase)
            for o in range(TIMES):
                twist = ref[2, 0] * by_phase * mesh.phase_by[k, o] + ref[1, 0] * mesh.phase_by2[k, p, o]
                out.exact[N * n + p, o] -= y * twist
        for j in range(n):
            out.by_v[k, j] += y * out.force_by[k, 0, 1, j]
            out.by_a[k, j] += y * out.force_by[k, 1, 1, j]
            for o in range(3):
                out.gradient[((k + o - 1) % N) * n + j] += y * Jf[o * n + j]
        add_row(row, k, out)
        share_of_time(mesh, k, off * off, out)
    return 0.5 * total / N
