"""Stride time: a weak prior on it, and on the other times while a first guess needs one.

Residuals weight x (time - prior), one for each of the times.
"""

from typing import NamedTuple

import numpy as np

from bladerun._lib.jitable import register_jitable
from bladerun.stride.transcription.blocks import TIMES


class StrideTime(NamedTuple):
    """prior (TIMES,) s; weight (TIMES,) 1/s."""

    prior: np.ndarray
    weight: np.ndarray


def prepare(cost, reference, task) -> StrideTime:
    """reference: Reference, for stride time and its SD between people; task: Task, for a cadence to hold."""
    first = np.arange(TIMES) == 0
    if task.cadence_spm is not None:
        return StrideTime(120 / task.cadence_spm * first, cost.stride_time.held_1_s * first)
    weight = cost.stride_time.weight / reference.stride_time_sd_s
    return StrideTime(reference.stride_time_s * first, weight * first)


@register_jitable
def add(own, tree, mesh, nodes, out, derivatives):
    (N, n), total = out.q.shape, 0.0
    for p in range(TIMES):
        off = own.weight[p] * (mesh.times[p] - own.prior[p])
        total += off * off
        if derivatives:
            out.gradient[N * n + p] += own.weight[p] * off
            out.border[N * n + p, p] += own.weight[p] ** 2
    return 0.5 * total
