"""Clearance: feet in swing keep off the ground.

A leg that is too long would drag its toe: small as the force there is, runners do not. Residual of each
contact sphere below a height, rounded; means over time.
"""

from typing import NamedTuple

import numpy as np

from bladerun._lib.jitable import register_jitable
from bladerun.stride.cost._rows import add_way, position_row, share_of_time
from bladerun.stride.dynamics.contact_law import positive_part


class Clearance(NamedTuple):
    """What s spheres keep at N knots."""

    height: float  # m
    weight: np.ndarray  # (N, s) 1/m, 0 where the foot may be down


def prepare(model, tree, own, knots: int) -> Clearance:
    """model: Model; tree: Tree; own: ClearanceCost. Full in mid-swing of a sphere's side, 0 in stance, a
    ramp between; more under a prosthetic knee that bends, which cannot lift a toe that has caught."""
    start, end = own.swing
    s = np.arange(knots)[:, None] / knots - 0.5 * (tree.sphere_side == 1)
    inside = np.clip(np.minimum(s % 1.0 - start, end - s % 1.0) / own.ramp, 0.0, 1.0)
    careful = [model.knee_bends(side) for side in ("right", "left")]
    factor = np.where(np.array(careful)[tree.sphere_side], own.knee_unit, 1.0)
    return Clearance(own.height_m, own.weight_m * factor * np.sin(np.pi / 2 * inside) ** 2)


@register_jitable
def add(own, tree, mesh, nodes, out, derivatives):
    (N, n), total = out.q.shape, 0.0
    by_q = np.zeros(n)
    for k in range(N):
        squares = 0.0
        for c in range(own.weight.shape[1]):
            weight = own.weight[k, c]
            if weight == 0.0:
                continue
            low, slope = positive_part(own.height - out.sphere_point[k, c, 2], 0.3 * own.height)
            if low == 0.0:
                continue
            squares += (weight * low) ** 2
            if derivatives:
                by_q[:] = 0.0
                add_way(tree, out, k, c, 2, -slope, by_q)
                position_row(by_q, mesh.weight[k] / N * weight**2, low, k, mesh, out)
        total += mesh.weight[k] * squares
        if derivatives:
            share_of_time(mesh, k, squares, out)
    return 0.5 * total / N
