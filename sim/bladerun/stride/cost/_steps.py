"""Changes from knot to knot as rates in true time, for `force_rate` and `jerk`; compiled by numba."""

import numpy as np

from bladerun._lib.jitable import register_jitable
from bladerun.stride.transcription.blocks import TIMES


@register_jitable
def per_step(mesh, k, by_log, log_by2):
    """What makes a change over a step a rate whose mean is over time: 1 / sqrt(T step).

    Fills by_log, log_by2: derivatives of its logarithm, and the second ones of itself over itself.
    """
    T, step, by_step = mesh.times[0], mesh.step[k], mesh.step_by[k]
    for p in range(TIMES):
        by_log[p] = -0.5 * ((1 / T if p == 0 else 0.0) + by_step[p] / step)
    for p in range(TIMES):
        for r in range(TIMES):
            log_by2[p, r] = by_log[p] * by_log[r] + 0.5 * by_step[p] * by_step[r] / step**2
    log_by2[0, 0] += 0.5 / T**2
    return 1 / np.sqrt(T * step)


@register_jitable
def add_times(res, by_value, by_log, log_by2, at, gradient, border, exact):
    """The times' own part of a residual `per_step` x value; by_value (TIMES,): by the value alone."""
    for p in range(TIMES):
        by_p = by_value[p] + res * by_log[p]
        gradient[at + p] += by_p * res
        for r in range(TIMES):
            border[at + p, r] += by_p * (by_value[r] + res * by_log[r])
            cross = by_value[p] * by_log[r] + by_value[r] * by_log[p]
            exact[at + p, r] += res * (cross + res * log_by2[p, r])
