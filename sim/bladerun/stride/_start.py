"""A neighbour's stride as the point from which a problem's descent starts.

Takes a `Problem` and a solved stride of a like runner; gives a solver's `Point`.
"""

import numpy as np
import xarray as xr

from bladerun.stride import _continuation, _warm_start, result, solver
from bladerun.stride._static_optimisation import recruited
from bladerun.stride.motion import control_points
from bladerun.stride.problem import Problem
from bladerun.stride.transcription.blocks import NODE


def neighbour(posed: Problem, start: xr.Dataset) -> solver.Point:
    c = control_points(_warm_start.transferred(start, posed.model))
    names = list(posed.model.muscles[: posed.arrays.muscles.count])
    same = list(start.muscle.values) == names
    # the same steps, faster or slower: what stands on the ground keeps standing
    times = result.times_of(start) * (start.attrs["speed_m_s"] / posed.task.speed_m_s)
    # a copy, of which the compiled sweep has no second kind
    nodes = start.activation.values[::NODE].copy() if same else np.zeros((len(c) // NODE, len(names)))
    point = solver.Point(c, times, start.multiplier.values, nodes)
    point = _continuation.resampled(point, posed.knots)
    return point if same or not names else recruited(posed, point)
