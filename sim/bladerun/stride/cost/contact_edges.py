"""Contact edges: a foot just touches the ground at the knots where its contact begins and ends.

This moves the mesh, not the runner: landings and toe-offs are unknowns that carry it along. The lowest sphere
of each foot is held to a height at its landing (knots 0 and N / 2) and at its toe-off.
"""

from typing import NamedTuple

import numpy as np

from bladerun._lib.jitable import register_jitable
from bladerun.stride.cost._rows import add_way, position_row
from bladerun.stride.transcription.mesh import even_phase

SOFT = 0.002  # m, over which spheres share in being the lowest; numerical


class ContactEdges(NamedTuple):
    """Of the foot that lands at knot 0 and of the one that lands at knot N / 2; s spheres."""

    foot: np.ndarray  # (2, s) True for its spheres
    leaves: np.ndarray  # (2,) knots after its landing at which it leaves the ground
    height: np.ndarray  # (2,) m, of the lowest sphere where it lands and where it leaves
    weight: float  # 1/m


def prepare(model, tree, cost, speed_m_s: float, knots: int) -> ContactEdges:
    """model: Model; tree: Tree. Toe-offs lie at the same knots for all like runners, near where they are."""
    own, affected = cost.edge, model.amputation.sides
    share = np.interp(speed_m_s, *np.transpose(own.toe_off_share))
    less = [
        own.affected if side in affected else own.sound if affected else 1.0 for side in ("right", "left")
    ]
    even = even_phase(knots)[: knots // 2]
    return ContactEdges(
        feet(tree),
        np.array([np.abs(even - share * x).argmin() for x in less]),
        np.array([own.landing_m, own.toe_off_m]),
        1 / own.off_m,
    )


def feet(tree) -> np.ndarray:
    """(2, s) True for the spheres of the right and of the left foot."""
    return np.array([tree.sphere_side == side for side in (0, 1)])


@register_jitable
def add(own, tree, mesh, nodes, out, derivatives):
    N, total = len(out.q), 0.0
    if own.weight == 0.0:
        return 0.0
    for foot in range(2):
        for edge in range(2):
            k = foot * (N // 2) + (own.leaves[foot] if edge else 0)
            total += _add_lowest(
                own.foot[foot], own.height[edge], own.weight, tree, mesh, k, out, derivatives
            )
    return 0.5 * total


@register_jitable
def _add_lowest(foot, height, weight, tree, mesh, k, out, derivatives):
    """Square of how far the lowest sphere of a foot (s,) is from `height` [m] at knot k."""
    z = out.sphere_point[k, :, 2]
    lowest = np.inf
    for c in range(len(foot)):
        if foot[c]:
            lowest = min(lowest, z[c])
    if lowest == np.inf:
        return 0.0
    total, by_q = 0.0, np.zeros(out.q.shape[1])
    for c in range(len(foot)):
        if foot[c]:
            total += np.exp((lowest - z[c]) / SOFT)
    off = lowest - SOFT * np.log(total) - height
    if derivatives:
        for c in range(len(foot)):
            if foot[c]:
                add_way(tree, out, k, c, 2, np.exp((lowest - z[c]) / SOFT) / total, by_q)
        position_row(by_q, weight**2, off, k, mesh, out)
    return (weight * off) ** 2
