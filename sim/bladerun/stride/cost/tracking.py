"""Tracking: distance of joint positions from reference running.

Residuals (q - q_ref(phase)) / sigma, means over time. The phase hangs on the times, so their share is exact
to second order in `out.exact`.
"""

from typing import NamedTuple

import numpy as np

from bladerun._lib.jitable import register_jitable
from bladerun.stride.cost._rows import share_of_time
from bladerun.stride.cost.look_up import cubics, look_up
from bladerun.stride.transcription.blocks import OFFSETS, TIMES


class Tracking(NamedTuple):
    """What n joints are held to."""

    reference: np.ndarray  # (R, 4, n) cubics in the phase, the highest power first, from r / R of a stride on
    weight: np.ndarray  # (n,) 1/rad or 1/m


def prepare(model, joints, cost, reference) -> Tracking:
    """model: Model; joints: Joints with the roles that they have here; reference: Reference, at its knots.

    The pelvis is held to its path loosely, to the reference's height not at all (its pace: `bounce`). The hip
    and knee of a leg with a blade count less, a prosthetic knee not at all. What is the runner's own counts
    by its own spread, on each leg.
    """
    share, own = cost.tracking.weight * model.variation.tracking_weight, cost.tracking
    weight = np.zeros(len(joints.name))
    affected = np.isin(joints.side, model.amputation.sides) & np.isin(joints.part, ("hip", "knee"))
    root_slides = np.flatnonzero(joints.of(role="root") & joints.slide)
    for i, name in enumerate(joints.name):
        if i in root_slides[:2]:
            weight[i] = share / own.drift_m
        elif i not in root_slides and reference.own[i] and joints.role[i] != "passive":
            weight[i] = share / np.sqrt((reference.sd[:, i] ** 2).mean())
        elif i not in root_slides and reference.tracked[i] and joints.role[i] != "passive":
            sigma = own.sigma_rad[name[:-2] if joints.side[i] else name]
            weight[i] = share / sigma * (own.affected_leg if affected[i] else 1.0)
    weight[joints.of(role="locked")] = 1 / own.locked_m
    return Tracking(cubics(reference.q), weight)


@register_jitable
def add(own, tree, mesh, nodes, out, derivatives):
    (N, n), ref, total = out.q.shape, np.zeros((4, out.q.shape[1])), 0.0
    for k in range(N):
        look_up(own.reference, mesh.phase[k], ref)
        squares = 0.0
        for i in range(n):
            w = own.weight[i]
            if w == 0.0:
                continue
            r = w * (out.q[k, i] - ref[0, i])
            squares += r * r
            if derivatives:
                _add_joint(mesh, k, i, w, r, ref, out)
        total += mesh.weight[k] * squares
        if derivatives:
            share_of_time(mesh, k, squares, out)
    return 0.5 * total / N


@register_jitable
def _add_joint(mesh, k, i, w, r, ref, out):
    """Residual r of joint i at knot k, of weight w."""
    (N, n), count = out.q.shape, mesh.weight[k] / len(out.q)
    sq, by_phase, by_phase2 = mesh.stencil[k, 0], mesh.phase_by[k], mesh.phase_by2[k]
    tracked, tied = count * w * r, count * w * w
    for x in range(OFFSETS):
        at = ((k + x - 1) % N) * n + i
        out.gradient[at] += tracked * sq[x]
        for z in range(x, OFFSETS):
            out.hessian[(k + x - 1) % N, z - x, i, i] += tied * sq[x] * sq[z]
        for p in range(TIMES):
            out.border[at, p] -= tied * sq[x] * ref[1, i] * by_phase[p]
    for p in range(TIMES):
        here = N * n + p
        out.gradient[here] -= tracked * ref[1, i] * by_phase[p]
        for o in range(TIMES):
            both = by_phase[p] * by_phase[o]
            out.border[here, o] += tied * ref[1, i] ** 2 * both
            out.exact[here, o] -= tracked * (ref[2, i] * both + ref[1, i] * by_phase2[p, o])
