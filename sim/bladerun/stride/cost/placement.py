"""Placement: how far apart feet stand, as people's step width has it.

Angles alone leave it open: a degree at the hip is a centimetre and a half at the foot. The heel is held
sideways once in each stance, as if it counted at every moment of contact, since the width was measured
between heels; of a blade, which has none, the middle of the sole.
"""

from typing import NamedTuple

import numpy as np

from bladerun._lib.jitable import register_jitable
from bladerun.body.joints import contact_spheres
from bladerun.stride.cost._rows import add_place, position_row
from bladerun.stride.cost.contact_edges import feet

STANDS = 6  # a foot stands a sixth of the knots after its landing, in time a tenth of the stride


class Placement(NamedTuple):
    """Of the right and of the left foot; s spheres."""

    foot: np.ndarray  # (2, s) True for the spheres that are held
    place: np.ndarray  # (2,) m to the left of the path, in mid-stance
    weight: np.ndarray  # (2,) 1/m


def prepare(model, tree, cost, reference) -> Placement:
    """model: Model; tree: Tree. The errors of both feet, as if independent, add up to that of the width."""
    contact = (reference.grf[:, 0, 2] > 0).mean()
    weight = cost.tracking.weight * model.variation.tracking_weight * np.sqrt(2 * contact)
    affected = 1.0 if reference.own_step_width else cost.tracking.affected_leg
    less = [affected if side in model.amputation.sides else 1.0 for side in ("right", "left")]
    return Placement(
        feet(tree) & _held(model.mj),
        np.array([-0.5, 0.5]) * reference.step_width_m,
        weight / reference.step_width_sd_m * np.array(less),
    )


def _held(mj) -> np.ndarray:
    """(s,) True for the spheres of a foot behind its ankle, and for all of a blade."""
    spheres = contact_spheres(mj)
    part = [mj.body(body).name.partition("_")[0] for body in mj.geom_bodyid[spheres]]
    heel = (np.array(part) == "foot") & (mj.geom_pos[spheres, 0] < 0)
    return heel | ~np.isin(part, ("foot", "toes"))


@register_jitable
def add(own, tree, mesh, nodes, out, derivatives):
    N, total = len(out.q), 0.0
    for side in range(2):
        k = side * (N // 2) + N // STANDS
        foot, weight = own.foot[side], own.weight[side]
        middle, count = 0.0, 0
        for c in range(len(foot)):
            if foot[c]:
                middle += out.sphere_point[k, c, 1]
                count += 1
        if count == 0 or weight == 0.0:
            continue
        off = middle / count - own.place[side]
        total += (weight * off) ** 2
        if derivatives:
            by_q = np.zeros(out.q.shape[1])
            for c in range(len(foot)):
                if foot[c]:
                    add_place(tree, out, k, c, 1, 1 / count, by_q)
            position_row(by_q, weight**2, off, k, mesh, out)
    return 0.5 * total
