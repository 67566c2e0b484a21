"""Bounce: distance of the pelvis' pace up and down, as the mean of both steps, from reference running's.

With e = (v - q_ref'(phase) / T) / sigma at knots k and k + N / 2, the same moment of two steps, residuals are
(e[k] + e[k + N/2]) / 2, a mean over time. The pelvis' height is free, and so is all that differs from step to
step: a limp costs what it takes to run so, not that able-bodied people do not limp.
On the way from nothing each step is held by itself (`apart`): without, some runners end in a hop on one leg.
"""

from typing import NamedTuple

import numpy as np

from bladerun._lib.jitable import register_jitable
from bladerun.stride.cost._rows import share_of_time
from bladerun.stride.cost.look_up import cubics, look_up
from bladerun.stride.transcription.blocks import LIMPS, OFFSETS, TIMES


class Bounce(NamedTuple):
    """What the pace of one joint is held to."""

    joint: int
    reference: np.ndarray  # (R, 4, 1) cubics in the phase, m
    weight: float  # s/m
    apart: float = 0.0  # weight of half the difference of e between the steps: 1, each step by itself


def prepare(model, joints, cost, reference) -> Bounce:
    """model: Model; joints: Joints; reference: Reference, at its knots."""
    up = int(np.flatnonzero(joints.of(role="root") & joints.slide)[2])
    weight = cost.tracking.weight * model.variation.tracking_weight
    return Bounce(up, cubics(reference.q[:, [up]]), weight / cost.tracking.pelvis_height_m_s)


@register_jitable
def add(own, tree, mesh, nodes, out, derivatives):
    N, T, i, half, total = len(out.q), mesh.times[0], own.joint, len(out.q) // 2, 0.0
    ref, off = np.zeros((N, 4, 1)), np.zeros(N)
    for k in range(N):
        look_up(own.reference, mesh.phase[k], ref[k])
        off[k] = 0.5 * own.weight * (out.v[k, i] - ref[k, 1, 0] / T)
    for k in range(N):
        there = (k + half) % N
        both, differ = off[k] + off[there], off[k] - off[there]
        squares = both * both + own.apart * differ * differ
        total += mesh.weight[k] * squares
        if derivatives:
            count = 0.5 * (mesh.weight[k] + mesh.weight[there]) / N
            _add_knot(mesh, k, i, count, own, both + own.apart * differ, ref[k, :, 0], out)
            share_of_time(mesh, k, squares, out)
    return 0.5 * total / N


@register_jitable
def _add_knot(mesh, k, i, count, own, residual, ref, out):
    """The share of knot k in the residual of its pair; count: half of what the pair counts.

    ((d + d') / 2)^2 = (d^2 + d'^2) / 2 - ((d - d') / 2)^2: the first in the blocks, as if each step were held
    by itself; the second, outside their band, in `out.limp`, as far as it is free and a sum of slow waves.
    """
    (N, n), T = out.q.shape, mesh.times[0]
    sv, by_phase, bend = mesh.stencil[k, 1], mesh.phase_by[k], mesh.phase_by2[k]
    waves = min(LIMPS, N // 4 * 2)  # those that the knots can tell apart
    pulled, tied, by_time = count * own.weight * residual, count * own.weight**2, np.empty(TIMES)
    rest = np.sqrt(2 * tied * (1 - own.apart) / N)
    out.by_v[k, i] += pulled
    for p in range(TIMES):
        by_time[p] = out.v_by[k, p, i] - ref[2] * by_phase[p] / T + (ref[1] / T**2 if p == 0 else 0.0)
    for x in range(OFFSETS):
        at = ((k + x - 1) % N) * n + i
        out.gradient[at] += pulled * sv[x]
        for z in range(x, OFFSETS):
            out.hessian[(k + x - 1) % N, z - x, i, i] += tied * sv[x] * sv[z]
        for p in range(TIMES):
            out.border[at, p] += tied * sv[x] * by_time[p]
        for w in range(waves):
            out.limp[at, w] += rest * _wave(w, k / N) * sv[x]
    for p in range(TIMES):
        here = N * n + p
        out.gradient[here] += pulled * by_time[p]
        for w in range(waves):
            out.limp[here, w] += rest * _wave(w, k / N) * by_time[p]
        for o in range(TIMES):
            both_by = by_phase[p] * by_phase[o]
            out.border[here, o] += tied * by_time[p] * by_time[o]
            twist = ref[3] * both_by + ref[2] * bend[p, o]
            if p == 0:
                twist -= ref[2] * by_phase[o] / T
            if o == 0:
                twist -= ref[2] * by_phase[p] / T
            if p == 0 and o == 0:
                twist += 2 * ref[1] / T**2
            out.exact[here, o] -= pulled * twist / T


@register_jitable
def _wave(w, s):
    """One of the waves that change sign every step, at s of the knots: cosines and sines, slowest first."""
    turn = 2 * np.pi * (2 * (w // 2) + 1) * s
    return np.cos(turn) if w % 2 == 0 else np.sin(turn)
