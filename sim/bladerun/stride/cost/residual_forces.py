"""Residual forces: what would have to act on the pelvis and on passive joints, driven to zero.

A residual w tau / scale + multiplier at each knot (augmented Lagrangian, Hestenes 1969, doi
10.1007/BF00927673); the mean is over knots, since they end at zero.
"""

from typing import NamedTuple

import numpy as np

from bladerun._lib.jitable import register_jitable
from bladerun.stride.cost._rows import force_row


class ResidualForces(NamedTuple):
    """Unactuated joints, m of them."""

    joint: np.ndarray  # (m,) index
    scale: np.ndarray  # (m,) N or Nm that count as 1
    weight: float
    multiplier: np.ndarray  # (N, n) shift of the residual; 0 where a joint is not one of these


def prepare(model, joints, cost, weight_n: float, knots: int) -> ResidualForces:
    """At weight 1, without multipliers. model: Model; joints: Joints with the roles that they have here."""
    mine = joints.of(role="root") | joints.of(role="passive")
    lever = np.where(joints.of(role="root"), cost.force.root_m, cost.force.passive_m)
    scale = weight_n * np.where(joints.slide, 1.0, lever)
    return ResidualForces(np.flatnonzero(mine), scale[mine], 1.0, np.zeros((knots, len(mine))))


@register_jitable
def add(own, tree, mesh, nodes, out, derivatives):
    N, total = len(out.q), 0.0
    for k in range(N):
        for x in range(len(own.joint)):
            i, weight = own.joint[x], own.weight / own.scale[x]
            r = weight * out.tau[k, i] + own.multiplier[k, i]
            total += r * r
            if derivatives:
                force_row(out, k, i, 1 / N, weight, r)
    return 0.5 * total / N


def penalty(own: ResidualForces) -> float:
    """What multipliers alone add to the term, which is no part of the objective."""
    return float(0.5 * (own.multiplier[:, own.joint] ** 2).sum() / len(own.multiplier))
