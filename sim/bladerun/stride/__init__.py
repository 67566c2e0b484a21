"""The stride: how this runner would run on this fitting, as an optimal-control problem.

Takes a `Model`, a `Task` and optionally a neighbouring stride to start from; gives a Stride, an xarray
Dataset (time x joint, units and signs in its attributes) that carries its own status.
"""

import json
import time

import numpy as np
import xarray as xr
from threadpoolctl import threadpool_limits

from bladerun._muscle_tables import fully_active, has_muscles, too_weak
from bladerun.case import Task
from bladerun.model import Model
from bladerun.stride import _result, _solver, _stages, _terms, _transfer
from bladerun.stride._blocks import NODE
from bladerun.stride._links import links
from bladerun.stride._muscles import muscles, none_of
from bladerun.stride._recruit import recruited

KNOTS = 120
LEAST = 60  # knots, the coarsest mesh of experiments/verification/refinement.csv; numerical

__all__ = ["KNOTS", "solve"]


def solve(
    model: Model,
    task: Task,
    *,
    start: xr.Dataset | None = None,
    knots: int = KNOTS,
    muscle_driven: bool = True,
) -> xr.Dataset:
    """The periodic stride of least cost at this speed.

    start: a solved stride of a like model (same joints), else a first guess is made from reference running.
    muscle_driven: else motors move the legs, each joint as strong as models/body.toml says: a quick look.
    knots: points of the mesh, a multiple of 6. The result's attributes say how it went: status ("converged",
    "not converged", or "too weak" where it converged on more than muscles give), why, iterations,
    seconds, knots, objective, and residuals as JSON; see `_result`.
    Raises ValueError where `start` has other joints, and for knots that are no multiple of 6 or under 60.
    """
    if knots < LEAST or knots % (2 * NODE):
        raise ValueError(f"knots is {knots!r}: allowed are multiples of {2 * NODE} from {LEAST} on")
    began = time.perf_counter()
    tree, pulling = links(model.mj), muscles(model.mj, _terms.reach(model, task.speed_m_s))
    if not muscle_driven:
        pulling = none_of(pulling)
    terms, hard = _terms.terms(model, task.speed_m_s, knots, pulling), _terms.hard_joints(model, pulling)
    with threadpool_limits(1):
        if start is None:
            point = _stages.cold(tree, model, terms, hard)
        else:
            point = _stages.warm(tree, terms, _neighbour(tree, terms, start, model, knots), hard)
    out = _solver.at_knots(tree, terms, point)
    stride = _result.dataset(model, tree, terms, point, out)
    residual = _result.residuals(stride, model, tree, terms, point, out)
    why = _why_not(residual, point, model)
    weak = "" if why else too_weak(stride)
    if why and has_muscles(stride) and (full := fully_active(stride)):
        why += f"; fully active: {full}"
    stride.attrs |= {
        "status": "not converged" if why else "too weak" if weak else "converged",
        "why": why or weak,
        "iterations": point.iterations,
        "seconds": time.perf_counter() - began,
        "knots": knots,
        "objective": _solver.objective(point, hard),
        "residuals": json.dumps(residual),
    }
    return stride


def _neighbour(tree, terms, start: xr.Dataset, model: Model, knots: int) -> _solver.Point:
    c = _terms.control_points(_transfer.transferred(start, model))
    names = list(model.muscles[: terms.muscles.count])
    same = list(start.muscle.values) == names
    # a copy, of which the compiled sweep has no second kind
    nodes = start.activation.values[::NODE].copy() if same else np.zeros((len(c) // NODE, len(names)))
    point = _solver.Point(c, _result.times_of(start), start.multiplier.values, nodes)
    point = _stages.resampled(point, knots)
    return point if same or not names else recruited(tree, terms, point)


def _why_not(residual: dict[str, float], point: _solver.Point, model: Model) -> str:
    """The reason why this is no solution, or nothing."""
    weight = model.mass_kg * 9.81
    if not np.all(np.isfinite(point.c)):
        return "the motion is not finite"
    if residual["root_force_peak_n"] > 0.01 * weight:
        return f"nobody gives {residual['root_force_peak_n']:.0f} N of the force on the pelvis"
    if residual["root_moment_peak_nm"] > 0.01 * weight * model.leg_length_m:
        return f"nobody gives {residual['root_moment_peak_nm']:.0f} Nm of the moment on the pelvis"
    if not point.quiet:
        return f"still descending after {point.iterations} iterations"
    return ""
