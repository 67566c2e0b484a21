"""Tracking: distance of joint positions, and of the pelvis' pace up and down, from reference running.

Residuals (q - q_ref(phase)) / sigma and (v - q_ref'(phase) / T) / sigma, means over time. The phase hangs on
the times, so their share is exact to second order in `out.exact`.
"""

from typing import NamedTuple

import numpy as np
from numba.extending import register_jitable

from bladerun.stride.cost._rows import share_of_time
from bladerun.stride.cost.look_up import cubics, look_up
from bladerun.stride.transcription.blocks import TIMES


class Tracking(NamedTuple):
    """What n joints are held to."""

    reference: np.ndarray  # (R, 4, n) cubics in the phase, the highest power first, from r / R of a stride on
    position: np.ndarray  # (n,) weight, 1/rad or 1/m
    pace: np.ndarray  # (n,) weight on velocity, s/rad or s/m


def prepare(model, joints, cost, reference) -> Tracking:
    """model: Model; joints: Joints with the roles that they have here; reference: Reference, at its knots.

    The pelvis is held to its path loosely, to the reference's height not at all: its pace up and down is. The
    hip and knee of a leg with a blade count less.
    """
    weight, own = cost.tracking.weight * model.variation.tracking_weight, cost.tracking
    position, pace = np.zeros((2, len(joints.name)))
    affected = np.isin(joints.side, model.amputation.sides) & np.isin(joints.part, ("hip", "knee"))
    root_slides = np.flatnonzero(joints.of(role="root") & joints.slide)
    for i, name in enumerate(joints.name):
        if i in root_slides[:2]:
            position[i] = weight / own.drift_m
        elif i in root_slides:
            pace[i] = weight / own.pelvis_height_m_s
        elif reference.tracked[i]:
            sigma = own.sigma_rad[name[:-2] if joints.side[i] else name]
            position[i] = weight / sigma * (own.affected_leg if affected[i] else 1.0)
    position[joints.of(role="locked")] = 1 / own.locked_m
    return Tracking(cubics(reference.q), position, pace)


@register_jitable
def add(own, tree, mesh, nodes, out, derivatives):
    (N, n), T, total = out.q.shape, mesh.times[0], 0.0
    ref, by_time = np.zeros((4, n)), np.empty(TIMES)
    for k in range(N):
        look_up(own.reference, mesh.phase[k], ref)
        squares = 0.0
        for i in range(n):
            w, wp = own.position[i], own.pace[i]
            if w == 0.0 and wp == 0.0:
                continue
            r, rp = w * (out.q[k, i] - ref[0, i]), wp * (out.v[k, i] - ref[1, i] / T)
            squares += r * r + rp * rp
            if derivatives:
                _add_joint(mesh, k, i, w, r, wp, rp, ref, by_time, out)
        total += mesh.weight[k] * squares
        if derivatives:
            share_of_time(mesh, k, squares, out)
    return 0.5 * total / N


@register_jitable
def _add_joint(mesh, k, i, w, r, wp, rp, ref, by_time, out):
    """Residuals r and rp of joint i at knot k, of weights w and wp."""
    (N, n), T, count = out.q.shape, mesh.times[0], mesh.weight[k] / len(out.q)
    sq, sv, by_phase, by_phase2 = mesh.stencil[k, 0], mesh.stencil[k, 1], mesh.phase_by[k], mesh.phase_by2[k]
    tracked, tied = count * w * r, count * w * w
    pulled, paced = count * wp * rp, count * wp * wp
    out.by_v[k, i] += pulled
    for p in range(TIMES):
        by_time[p] = out.v_by[k, p, i] - ref[2, i] * by_phase[p] / T + (ref[1, i] / T**2 if p == 0 else 0.0)
    for x in range(3):
        at = ((k + x - 1) % N) * n + i
        out.gradient[at] += tracked * sq[x] + pulled * sv[x]
        for z in range(x, 3):
            out.hessian[(k + x - 1) % N, z - x, i, i] += tied * sq[x] * sq[z] + paced * sv[x] * sv[z]
        for p in range(TIMES):
            out.border[at, p] += paced * sv[x] * by_time[p] - tied * sq[x] * ref[1, i] * by_phase[p]
    for p in range(TIMES):
        here = N * n + p
        out.gradient[here] += pulled * by_time[p] - tracked * ref[1, i] * by_phase[p]
        for o in range(TIMES):
            both = by_phase[p] * by_phase[o]
            out.border[here, o] += paced * by_time[p] * by_time[o] + tied * ref[1, i] ** 2 * both
            out.exact[here, o] -= tracked * (ref[2, i] * both + ref[1, i] * by_phase2[p, o])
            twist = ref[3, i] * both + ref[2, i] * by_phase2[p, o]
            if p == 0:
                twist -= ref[2, i] * by_phase[o] / T
            if o == 0:
                twist -= ref[2, i] * by_phase[p] / T
            if p == 0 and o == 0:
                twist += 2 * ref[1, i] / T**2
            out.exact[here, o] -= pulled * twist / T
