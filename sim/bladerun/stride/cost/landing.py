"""Landing: how far ahead of the pelvis the sole of a blade touches down, where the task says so.

Nothing where it does not. The middle of the sole is held at the knot at which its foot lands.
"""

from typing import NamedTuple

import numpy as np

from bladerun._lib.jitable import register_jitable
from bladerun.stride.cost._rows import add_place, position_row
from bladerun.stride.cost.contact_edges import feet


class Landing(NamedTuple):
    """Of the foot that lands at knot 0 and of the one that lands at knot N / 2; s spheres."""

    foot: np.ndarray  # (2, s) True for its spheres
    ahead: float  # m, of the pelvis' origin
    weight: np.ndarray  # (2,) 1/m, 0 where a foot may land anywhere


def prepare(model, tree, cost, task) -> Landing:
    """model: Model; tree: Tree. Legs with a blade are held."""
    asked = task.landing_ahead_m is not None
    held = [asked and side in model.amputation.sides for side in ("right", "left")]
    return Landing(
        feet(tree), float(task.landing_ahead_m or 0.0), cost.landing.weight_m * np.array(held, float)
    )


@register_jitable
def add(own, tree, mesh, nodes, out, derivatives):
    (N, n), total = out.q.shape, 0.0
    by_q = np.zeros(n)
    for side in range(2):
        k, foot, weight = side * (N // 2), own.foot[side], own.weight[side]
        count = foot.sum()
        if count == 0 or weight == 0.0:
            continue
        middle = 0.0
        for c in range(len(foot)):
            if foot[c]:
                middle += out.sphere_point[k, c, 0] / count
        off = middle - out.q[k, 0] - own.ahead
        total += (weight * off) ** 2
        if derivatives:
            by_q[:] = 0.0
            by_q[0] = -1.0
            for c in range(len(foot)):
                if foot[c]:
                    add_place(tree, out, k, c, 0, 1 / count, by_q)
            position_row(by_q, weight**2, off, k, mesh, out)
    return 0.5 * total
