"""Reserves: moments that small motors give where muscles drive a joint, over their strength.

What muscles do not explain: small, and at most a tenth of a joint's peak moment in an accepted stride.
"""

from typing import NamedTuple

import numpy as np

from bladerun._lib.jitable import register_jitable
from bladerun.stride.cost._rows import force_row, share_of_time


class Reserves(NamedTuple):
    """Muscle-driven joints, m of them."""

    joint: np.ndarray  # (m,) index
    scale: np.ndarray  # (m, 2) strength in the negative and positive sense, Nm
    weight: float


def prepare(model, joints, cost) -> Reserves:
    """model: Model; joints: Joints with the roles that they have here."""
    mine = np.flatnonzero(joints.of(role="muscle"))
    return Reserves(mine, model.reserve[mine], cost.force.reserve)


@register_jitable
def add(own, tree, mesh, nodes, out, derivatives):
    N, total = len(out.q), 0.0
    for k in range(N):
        squares = 0.0
        for x in range(len(own.joint)):
            i = own.joint[x]
            weight = own.weight / own.scale[x, 1 if out.tau[k, i] > 0 else 0]
            r = weight * out.tau[k, i]
            squares += r * r
            if derivatives:
                force_row(out, k, i, mesh.weight[k] / N, weight, r)
        total += mesh.weight[k] * squares
        if derivatives:
            share_of_time(mesh, k, squares, out)
    return 0.5 * total / N
