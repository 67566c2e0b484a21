"""The stride: how this runner would run on this fitting, as an optimal-control problem.

Takes a `Model`, a `Task` and, where they are not the usual ones, a `Cost`, an `Environment`, `SolverOptions`
and a neighbouring stride to start from; gives a stride, an xarray Dataset (time x joint, units and signs in
its attributes) that carries its own status.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import numpy as np
import xarray as xr
from threadpoolctl import threadpool_limits

from bladerun._lib import compiled_place  # noqa: F401  (first: before anything is compiled)
from bladerun._lib.table import plain
from bladerun.body.own_gait import OwnGait
from bladerun.cost import Cost
from bladerun.dataset.reading import has_muscles
from bladerun.environment import Environment
from bladerun.model import Model
from bladerun.options import SolverOptions
from bladerun.status import Status
from bladerun.stride import _atlas, _continuation, _start, result, solver
from bladerun.stride._compiling import compile_ahead
from bladerun.stride._weakness import fully_active, too_weak
from bladerun.stride.problem import Problem, problem
from bladerun.task import Task

__all__ = ["solve"]


def solve(
    model: Model,
    task: Task,
    *,
    start: xr.Dataset | None = None,
    cost: Cost | None = None,
    environment: Environment | None = None,
    options: SolverOptions | None = None,
    reference: OwnGait | None = None,
) -> xr.Dataset:
    """The periodic stride of least cost.

    Parameters
    ----------
    model
        Who runs, on what.
    task
        What is asked of the runner; slope and pull act on top of `environment`.
    start
        A solved stride of a like model (same joints). Without one it starts between those of models/atlas/
        around it, and from reference running where there are none, where they lead to no solution, or where
        `options` say so (`continuation.from_atlas`).
    cost, environment, options
        Weights, outside world and solver settings; those of models/ where left out.
    reference
        How this runner was measured to run, to change as little as possible from; able-bodied running of
        models/reference/ where left out, and for what of it was not measured.

    Returns
    -------
    xarray.Dataset
        The stride. Its attributes say how it went: status (a `Status`), why, iterations, seconds, knots,
        objective and residuals as JSON; see `result`. `objective_term` is the objective by cost term.

    Raises
    ------
    StartError
        Where `start` has other joints.
    InputError
        Where `reference` was measured at a speed too far from the task's.
    ModelError
        For parts of the model that are not modelled, by name, and for a wrench on a body that it has not.

    References
    ----------
    Gauss-Newton steps damped after Nielsen 1999, IMM-REP-1999-05; multipliers on residual forces (augmented
    Lagrangian) after Hestenes 1969, doi 10.1007/BF00927673.
    """
    began = time.perf_counter()
    if task.cadence_percent is not None:
        settings = {"cost": cost, "environment": environment, "options": options, "reference": reference}
        return _at_share_of_cadence(model, task, start, **settings)
    posed = problem(
        model,
        task,
        cost or Cost.default(),
        environment or Environment.default(),
        options or SolverOptions.default(),
        reference,
    )
    compile_ahead(posed.arrays)
    with threadpool_limits(1):
        stride = _from_nothing(posed) if start is None else _from(posed, _start.neighbour(posed, start))
    stride.attrs["seconds"] = time.perf_counter() - began
    return stride


def _from_nothing(posed: Problem) -> xr.Dataset:
    """From a stride near by where one leads to a solution, else from reference running, the cheapest of its
    ways."""
    found, steps = [], 0
    for begun in _near_by(posed):
        stride = _from(posed, begun)
        steps += stride.attrs["iterations"]
        if Status(stride.attrs["status"]).usable_as_start:
            return stride.assign_attrs(iterations=steps)
    for swing_round_rad in _continuation.first_guesses(posed):
        point = _continuation.cold(posed, swing_round_rad)
        found.append(_stride(posed, point))
        steps += point.iterations
    best = min(found, key=_dearness)
    best.attrs["iterations"] = steps
    return best


def _near_by(posed: Problem) -> Iterator[solver.Point]:
    """Between the strides of the atlas around this one; where this runner runs slower."""
    if posed.options.continuation.from_atlas and (begun := _atlas.start(posed)) is not None:
        yield begun
    if (speed_m_s := _continuation.slower_m_s(posed)) is not None:
        slower = _from_nothing(posed.at_speed(speed_m_s))
        if Status(slower.attrs["status"]).usable_as_start:
            yield replace(_start.neighbour(posed, slower), iterations=slower.attrs["iterations"])


def _dearness(stride: xr.Dataset) -> tuple[bool, float]:
    """What is solved comes before what is not, and then what costs less."""
    return stride.attrs["status"] != Status.CONVERGED, stride.attrs["objective"]


def _from(posed: Problem, point: solver.Point) -> xr.Dataset:
    return _stride(posed, _continuation.warm(posed, point))


def _stride(posed: Problem, point: solver.Point) -> xr.Dataset:
    """The stride that a descent ended in, and how it went."""
    out = solver.at_knots(posed.arrays, point)
    stride = result.dataset(posed, point, out)
    residual = result.residuals(stride, posed, point, out)
    status, why = _verdict(stride, residual, point, posed)
    stride.attrs |= {
        "status": status.value,
        "why": why,
        "iterations": point.iterations,
        "knots": posed.knots,
        "residuals": json.dumps(residual),
    }
    return stride


def _at_share_of_cadence(model: Model, task: Task, start: xr.Dataset | None, **settings: Any) -> xr.Dataset:
    """At so many percent of the cadence that the runner would choose; from the stride at that one."""
    chosen = solve(model, replace(task, cadence_percent=None), start=start, **settings)
    spm = 120 / chosen.attrs["stride_time_s"] * cast(float, task.cadence_percent) / 100
    held = replace(task, cadence_percent=None, cadence_spm=spm)
    stride = solve(model, held, start=chosen, **settings)
    for key in ("iterations", "seconds"):
        stride.attrs[key] += chosen.attrs[key]
    if chosen.attrs["status"] == Status.NOT_CONVERGED:
        stride.attrs |= {key: chosen.attrs[key] for key in ("status", "why")}
    return stride.assign_attrs(task=json.dumps(plain(task)))


def _verdict(
    stride: xr.Dataset, residual: dict[str, float], point: solver.Point, posed: Problem
) -> tuple[Status, str]:
    """How it went, and why it did not converge or the runner is too weak for it."""
    accepted = posed.options.accepted
    if why := _why_not(residual, point, posed):
        full = fully_active(stride, accepted.saturated) if has_muscles(stride) else ""
        return Status.NOT_CONVERGED, f"{why}; fully active: {full}" if full else why
    weak = too_weak(stride, accepted)
    return (Status.TOO_WEAK if weak else Status.CONVERGED), weak


def _why_not(residual: dict[str, float], point: solver.Point, posed: Problem) -> str:
    """The reason why this is no solution, or nothing."""
    share = posed.options.accepted.residual_bw
    allowed_n = share * posed.weight_n
    allowed_nm, percent = allowed_n * posed.model.leg_length_m, f"{100 * share:g} % of body weight"
    if not np.all(np.isfinite(point.c)):
        return "the motion is not finite"
    if residual["root_force_peak_n"] > allowed_n:
        force = residual["root_force_peak_n"]
        return f"residual force on the pelvis {force:.0f} N, allowed {allowed_n:.0f} N ({percent})"
    if residual["root_moment_peak_nm"] > allowed_nm:
        moment = residual["root_moment_peak_nm"]
        return (
            f"residual moment on the pelvis {moment:.0f} Nm, allowed {allowed_nm:.0f} Nm "
            f"({percent} x leg length)"
        )
    if not point.quiet:
        return f"still descending after {point.iterations} iterations"
    return ""
