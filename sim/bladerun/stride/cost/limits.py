"""Limits: joints past their range, with rounded corners; means over time.

Residuals weight x (how far past the range, rounded), means over time; 0 well inside.
"""

from typing import NamedTuple

import numpy as np

from bladerun._lib.jitable import register_jitable
from bladerun.stride.cost._rows import share_of_time
from bladerun.stride.dynamics.contact_law import positive_part


class Limits(NamedTuple):
    """Joints with a range, m of them."""

    joint: np.ndarray  # (m,) index
    range: np.ndarray  # (m, 2) rad or m
    weight: float  # 1/rad or 1/m
    rounding: float  # rad or m


def prepare(model, joints, cost) -> Limits:
    """model: Model; joints: Joints with the roles that they have here. Passive joints have no limits."""
    limited = np.array(model.mj.jnt_limited, bool) & ~joints.of(role="root") & ~joints.of(role="passive")
    return Limits(
        np.flatnonzero(limited),
        model.mj.jnt_range[limited].copy(),
        cost.limit.weight_rad,
        cost.limit.round_rad,
    )


@register_jitable
def add(own, tree, mesh, nodes, out, derivatives):
    (N, n), total = out.q.shape, 0.0
    for k in range(N):
        squares, count, sq = 0.0, mesh.weight[k] / N, mesh.stencil[k, 0]
        for x in range(len(own.joint)):
            i = own.joint[x]
            over, slope = positive_part(out.q[k, i] - own.range[x, 1], own.rounding)
            under, fall = positive_part(own.range[x, 0] - out.q[k, i], own.rounding)
            squares += own.weight**2 * (over * over + under * under)
            if not derivatives or (over == 0.0 and under == 0.0):
                continue
            y = count * own.weight**2 * (over * slope - under * fall)
            s = count * own.weight**2 * (slope * slope + fall * fall)
            for o in range(3):
                at = (k + o - 1) % N
                out.gradient[at * n + i] += y * sq[o]
                for z in range(o, 3):
                    out.hessian[at, z - o, i, i] += s * sq[o] * sq[z]
        total += mesh.weight[k] * squares
        if derivatives:
            share_of_time(mesh, k, squares, out)
    return 0.5 * total / N
