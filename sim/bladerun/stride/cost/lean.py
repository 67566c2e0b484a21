"""Lean: how far the trunk is inclined forward, where the task says so.

Nothing where it does not. Residuals are weight x (pelvis tilt - lumbar extension - what is asked for, with
the sway of reference running about it), means over time.
"""

import math
from typing import NamedTuple

import numpy as np

from bladerun._lib.jitable import register_jitable
from bladerun.stride.cost._rows import share_of_time
from bladerun.stride.cost.look_up import cubics, look_up
from bladerun.stride.transcription.blocks import OFFSETS, TIMES


class Lean(NamedTuple):
    """What the trunk is held to."""

    tilt: int  # joints: the trunk leans by the first less the second
    extension: int
    reference: np.ndarray  # (R, 4, 1) cubics in the phase, rad forward of the normal to the ground
    weight: float  # 1/rad


def prepare(joints, cost, reference, task) -> Lean:
    """joints: Joints; reference: Reference, at its knots; task: Task, whose lean is from the vertical."""
    tilt, extension = (joints.name.index(name) for name in ("pelvis_tilt", "lumbar_extension"))
    sway = reference.q[:, tilt] - reference.q[:, extension]
    asked = math.radians(task.lean_deg or 0.0) + math.atan(task.slope_percent / 100)
    curve = cubics((asked + sway - sway.mean())[:, None])
    return Lean(tilt, extension, curve, 0.0 if task.lean_deg is None else cost.lean.held_1_rad)


@register_jitable
def add(own, tree, mesh, nodes, out, derivatives):
    N, total, w = len(out.q), 0.0, own.weight
    if w == 0.0:
        return 0.0
    ref = np.zeros((4, 1))
    for k in range(N):
        look_up(own.reference, mesh.phase[k], ref)
        off = w * (out.q[k, own.tilt] - out.q[k, own.extension] - ref[0, 0])
        total += mesh.weight[k] * off * off
        if derivatives:
            _add_knot(own, mesh, k, off, ref, out)
            share_of_time(mesh, k, off * off, out)
    return 0.5 * total / N


@register_jitable
def _add_knot(own, mesh, k, off, ref, out):
    """Residual `off` at knot k."""
    (N, n), w, count = out.q.shape, own.weight, mesh.weight[k] / len(out.q)
    sq, by_phase, by_phase2 = mesh.stencil[k, 0], mesh.phase_by[k], mesh.phase_by2[k]
    pulled, tied, slope = count * w * off, count * w * w, ref[1, 0]
    for x in range(OFFSETS):
        at = (k + x - 1) % N
        for i, sign in ((own.tilt, 1.0), (own.extension, -1.0)):
            out.gradient[at * n + i] += sign * pulled * sq[x]
            for p in range(TIMES):
                out.border[at * n + i, p] -= sign * tied * sq[x] * slope * by_phase[p]
            for z in range(x, OFFSETS):
                for j, other in ((own.tilt, 1.0), (own.extension, -1.0)):
                    out.hessian[at, z - x, i, j] += sign * other * tied * sq[x] * sq[z]
    for p in range(TIMES):
        here = N * n + p
        out.gradient[here] -= pulled * slope * by_phase[p]
        for o in range(TIMES):
            both = by_phase[p] * by_phase[o]
            out.border[here, o] += tied * slope * slope * both
            out.exact[here, o] -= pulled * (ref[2, 0] * both + slope * by_phase2[p, o])
