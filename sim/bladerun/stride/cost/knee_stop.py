"""Knee stop: a prosthetic knee under load is kept straight, on its stop.

Nothing but the stop holds such a knee: bent, it can bear a load only where the ground's force runs through
its axis, which is an equilibrium that no runner can balance. Residual of each knee bent past a few degrees,
rounded, while its leg bears load and shortly before; means over time.
"""

from typing import NamedTuple

import numpy as np

from bladerun._lib.jitable import register_jitable
from bladerun.stride.cost._rows import share_of_time
from bladerun.stride.dynamics.contact_law import positive_part


class KneeStop(NamedTuple):
    """Prosthetic knees that bend, m of them, at N knots."""

    joint: np.ndarray  # (m,) index
    weight: np.ndarray  # (N, m) 1/rad, 0 where the knee may bend
    straight: float  # rad of flexion that count as straight
    rounding: float  # rad


def prepare(model, joints, own, knots: int) -> KneeStop:
    """model: Model; joints: Joints; own: KneeStopCost. Full in stance, 0 in swing, ramps between."""
    bends = {side for side in model.amputation.sides if model.knee_bends(side)}
    knees = np.flatnonzero(joints.of(part="knee unit") & np.isin(joints.side, list(bends)))
    left = np.array(joints.side)[knees] == "left"
    start, end = own.stance
    s = (np.arange(knots)[:, None] / knots - 0.5 * left - start) % 1.0
    inside = np.clip(np.minimum(s, end - start - s) / own.ramp, 0.0, 1.0)
    return KneeStop(knees, own.weight_rad * np.sin(np.pi / 2 * inside) ** 2, own.straight_rad, own.round_rad)


@register_jitable
def add(own, tree, mesh, nodes, out, derivatives):
    (N, n), total = out.q.shape, 0.0
    for k in range(N):
        squares, sq = 0.0, mesh.stencil[k, 0]
        for x in range(len(own.joint)):
            i, weight = own.joint[x], own.weight[k, x]
            if weight == 0.0:
                continue
            over, slope = positive_part(out.q[k, i] - own.straight, own.rounding)
            if over == 0.0:
                continue
            squares += (weight * over) ** 2
            if not derivatives:
                continue
            count = mesh.weight[k] / N * weight**2
            for o in range(3):
                at = (k + o - 1) % N
                out.gradient[at * n + i] += count * over * slope * sq[o]
                for z in range(o, 3):
                    out.hessian[at, z - o, i, i] += count * slope * slope * sq[o] * sq[z]
        total += mesh.weight[k] * squares
        if derivatives:
            share_of_time(mesh, k, squares, out)
    return 0.5 * total / N
