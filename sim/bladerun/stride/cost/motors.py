"""Motors: moment over strength, and power, of joints that no muscle moves.

One row of the Jacobian serves both, since with w the weight of the moment and p that of the power

    w^2 |d|^2 + p^2 |v d + tau e|^2 = s |d + (p^2 v tau / s) e|^2 + rest |e|^2,   s = w^2 + p^2 v^2,

d a change of the moment tau, e one of the joint's velocity v.
"""

from typing import NamedTuple

import numpy as np

from bladerun._lib.jitable import register_jitable
from bladerun.stride.cost._rows import share_of_time


class Motors(NamedTuple):
    """Motor-driven joints, m of them."""

    joint: np.ndarray  # (m,) index
    scale: np.ndarray  # (m, 2) strength in the negative and positive sense, Nm
    weight: np.ndarray  # (m,) 0 for a joint that is locked
    power: np.ndarray  # (m,) 1/W


def prepare(model, joints, cost) -> Motors:
    """model: Model; joints: Joints with the roles that they have here."""
    driven, locked = joints.of(role="motor"), joints.of(role="locked")
    mine = np.flatnonzero(driven | locked)
    weight = np.where(locked[mine], 0.0, cost.force.moment)
    power = np.full(len(mine), cost.power.weight / 1000)
    return Motors(mine, np.where(locked[mine, None], 1.0, model.strength[mine]), weight, power)


@register_jitable
def add(own, tree, mesh, nodes, out, derivatives):
    N, total = len(out.q), 0.0
    for k in range(N):
        squares, count = 0.0, mesh.weight[k] / N
        for x in range(len(own.joint)):
            i = own.joint[x]
            tau, v, power = out.tau[k, i], out.v[k, i], own.power[x]
            weight = own.weight[x] / own.scale[x, 1 if tau > 0 else 0]
            r, pw = weight * tau, power * tau * v
            squares += r * r + pw * pw
            if not derivatives:
                continue
            s = count * (weight * weight + power * power * v * v)
            mix = count * power * power * v * tau / s if s > 0 else 0.0
            out.y[k, i] = count * (weight * r + power * v * pw)
            out.y_rate[k, i] = count * power * tau * pw
            out.row_scale[k, i] = np.sqrt(s)
            out.row_mix[k, i] = mix
            out.row_rest[k, i] = count * power * power * tau * tau - mix * mix * s
            out.force_weight[k, i] = count * weight * weight
        total += mesh.weight[k] * squares
        if derivatives:
            share_of_time(mesh, k, squares, out)
    return 0.5 * total / N
