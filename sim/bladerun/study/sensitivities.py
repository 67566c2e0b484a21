"""What the outcomes of one stride hang on: how far each moves with fitting, speed and what is uncertain.

Takes a solved stride and names of parameters; gives the change of control points and of every outcome over
one spread of each, along the tangent to the solutions (`bladerun.stride.tangent`), which costs about a second
a parameter. Where it is asked for, strides one spread up and down are solved too and what is not linear is
marked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.stats import norm
from threadpoolctl import threadpool_limits

from bladerun._lib import data_files
from bladerun.body import variation
from bladerun.case import ADJUSTED
from bladerun.dataset.asked import asked_of, person_of, variation_of
from bladerun.errors import InputError
from bladerun.gait.outcomes import flat, outcomes
from bladerun.model import build_model
from bladerun.options import SolverOptions
from bladerun.status import Status
from bladerun.stride import tangent
from bladerun.stride.problem import Problem, problem
from bladerun.stride.tangent import Tangent
from bladerun.study import parameters as known
from bladerun.study.job import Inputs
from bladerun.study.recommend import weigh

VARIED = "variation."
LINEAR_WITHIN = 0.10  # of the change by solving again
_NOTICED = 1e-3  # of an outcome's value: changes below it are not told from none
_NEAR = 0.004  # spreads to either side between which a problem is differenced: far under a contact's rounding
_ALONG = 0.05  # spreads to either side between which outcomes are, on the tangent

Progress = Callable[[int, int, str, float | None], None]
"""Called with parameters done, parameters in all, which is next, and None."""


@dataclass(frozen=True)
class Sensitivities:
    """How a stride changes over one spread of each parameter.

    Attributes
    ----------
    parameters
        One row a parameter: `value`, and `less` and `more`, its values one spread down and up. The spread is
        one SD of models/uncertainty.toml for what is uncertain (multipliers change by a factor), else the
        step of models/sweep.toml.
    outcomes
        One row an outcome, as columns of `flat` and the trade-offs; `value`.
    change
        (outcome x parameter) linear change from `value` to `more`.
    linear
        (outcome x parameter) whether half the difference of strides solved at `less` and `more` agrees
        with it within a tenth, or neither is a thousandth of the outcome; None where that was not asked for
        or one of them did not converge.
    control_points
        (parameter x time x joint) the change of the spline's control points, rad or m.
    """

    parameters: pd.DataFrame
    outcomes: pd.DataFrame
    change: pd.DataFrame
    linear: pd.DataFrame
    control_points: xr.DataArray = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """For JSON: by parameter, and by outcome; None for NaN."""
        return {
            "parameters": self.parameters.to_dict("index"),
            "change": {
                name: {key: value if math.isfinite(value) else None for key, value in column.items()}
                for name, column in self.change.to_dict().items()
            },
            "linear": self.linear.to_dict(),
        }


def sensitivities(
    stride: xr.Dataset,
    parameters: Sequence[str] | None = None,
    *,
    check: bool = False,
    progress: Progress | None = None,
) -> Sensitivities:
    """How each outcome of a stride moves with what the stride was solved from.

    Parameters
    ----------
    stride
        One that converged.
    parameters
        Names as in a study: `height_mm`, `speed_m_s`, `variation.strength`; by default what a fitter can
        change, the speed and all that is uncertain.
    check
        Whether to solve again one spread up and down of each, some seconds a parameter, to see what is
        linear.
    progress
        Called with parameters done, parameters in all, which is next, and None.

    Returns
    -------
    Sensitivities
        Changes over one spread of each parameter.

    Raises
    ------
    InputError
        For a stride that did not converge, and for a parameter that is not known, not a number or has no
        spread.

    References
    ----------
    Implicit function theorem at a minimum: Fiacco 1976, doi 10.1007/BF01580677.
    """
    if stride.attrs.get("status") != Status.CONVERGED:
        raise InputError("did not converge; only a stride that did has derivatives", key="stride")
    base, options = _inputs(stride)
    names = usual(base) if parameters is None else list(parameters)
    axes = {name: _Axis.of(base, options, name) for name in names}
    change, linear, points = {}, {}, []
    with threadpool_limits(1):
        here = _posed(base, options)
        point = tangent.point_of(stride, here)
        start, at = tangent.stride_at(here, point), Tangent(here.arrays, options.newton, point)
        values = _numbers(start)
        for done, (name, axis) in enumerate(axes.items()):
            if progress:
                progress(done, len(axes), name, None)
            less, more = axis.posed(-_NEAR), axis.posed(_NEAR)
            unit = at.derivative(less.arrays, more.arrays, 2 * _NEAR)
            low, high = (
                _numbers(tangent.stride_at(axis.posed(way), tangent.moved(point, unit, way)))
                for way in (-_ALONG, _ALONG)
            )
            change[name] = (high - low) / (2 * _ALONG)
            linear[name] = _agrees(change[name], axis.solved(start) if check else None, values)
            points.append(unit.unknowns[: point.c.size].reshape(point.c.shape))
    return Sensitivities(
        pd.DataFrame.from_dict({name: axis.row() for name, axis in axes.items()}, orient="index"),
        values.to_frame("value").rename_axis("outcome"),
        pd.DataFrame(change, index=values.index).rename_axis("outcome"),
        pd.DataFrame(linear, index=values.index).rename_axis("outcome"),
        xr.DataArray(
            np.array(points).reshape(len(names), *point.c.shape),
            dims=("parameter", "time", "joint"),
            coords={"parameter": names, "time": stride.time.values, "joint": stride.joint.values},
            attrs={"units": "rad or m", "long_name": "change of control points over one spread"},
        ),
    )


def usual(inputs: Inputs) -> list[str]:
    """What a fitter can change, where there is a blade; the speed; what is uncertain and not the same again.

    Turning a clamp more than meant is turning it.
    """
    worn = inputs.fitting is not None
    facts = [name for name in variation.names() if name not in ADJUSTED]
    gone = () if worn else ("blade_", "socket_")
    gone += () if worn and inputs.amputation.above_knee else variation.ABOVE_KNEE
    facts = [name for name in facts if not name.startswith(gone)]
    return [*(ADJUSTED if worn else ()), "speed_m_s", *(f"{VARIED}{name}" for name in facts)]


@dataclass(frozen=True)
class _Axis:
    """One parameter around the inputs of a stride. spread: added, or where `factor` of its logarithm."""

    base: Inputs
    options: SolverOptions
    name: str
    value: float
    spread: float
    factor: bool

    @classmethod
    def of(cls, base: Inputs, options: SolverOptions, name: str) -> _Axis:
        known.check_name(name)
        section = known.known().get(name, "runner")
        part = getattr(base, section)
        value = getattr(part, name.removeprefix(VARIED), None)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise InputError("not a number of this stride", key=name)
        own = name.removeprefix(VARIED)
        if name.startswith(VARIED):
            at = np.full(len(variation.names()), 0.5)
            at[variation.names().index(own)] = norm.cdf(1.0)
            more, usual_value = getattr(variation.quantiles(at), own), getattr(variation.NOMINAL, own)
            factor = usual_value == 1.0
            return cls(base, options, name, value, math.log(more) if factor else more, factor)
        facts = data_files.toml("sweep.toml")
        steps = {**facts["step"], **facts["sensitivity"]}
        return cls(base, options, name, value, float(steps[own]), factor=False)

    def value_at(self, spreads: float) -> float:
        moved = spreads * self.spread
        return self.value * math.exp(moved) if self.factor else self.value + moved

    def posed(self, spreads: float) -> Problem:
        return _posed(known.changed(self.base, {self.name: self.value_at(spreads)}), self.options)

    def solved(self, start: xr.Dataset) -> pd.Series | None:
        """Half the difference of the outcomes between strides solved one spread up and down."""
        found = []
        for way in (-1.0, 1.0):
            try:
                stride = tangent.solved(self.posed(way), start)
            except InputError:  # it cannot be built so far out
                return None
            if stride is None:
                return None
            found.append(_numbers(stride))
        return (found[1] - found[0]) / 2

    def row(self) -> dict[str, float]:
        return {"value": float(self.value), "less": self.value_at(-1.0), "more": self.value_at(1.0)}


def _inputs(stride: xr.Dataset) -> tuple[Inputs, SolverOptions]:
    """What a stride was solved from."""
    runner, amputation, fitting = person_of(stride)
    asked = asked_of(stride)
    varied = variation_of(stride)
    by_whom = runner, amputation, fitting, asked.task, varied
    return Inputs(*by_whom, asked.cost, asked.environment, asked.reference), asked.options


def _posed(inputs: Inputs, options: SolverOptions) -> Problem:
    model = build_model(inputs.runner, inputs.amputation, inputs.fitting, inputs.variation)
    return problem(model, inputs.task, inputs.cost, inputs.environment, options, inputs.reference)


def _agrees(linear: pd.Series, solved: pd.Series | None, values: pd.Series) -> pd.Series:
    if solved is None:
        return pd.Series(None, index=values.index, dtype=object)
    allowed = np.maximum(LINEAR_WITHIN * solved.abs(), _NOTICED * values.abs())
    return ((linear - solved).abs() <= allowed).where(solved.notna(), None)


def _numbers(stride: xr.Dataset) -> pd.Series:
    """Outcomes and trade-offs of a stride."""
    values, side = flat(outcomes(stride)), stride.attrs["amputation_side"]
    return pd.Series({**(weigh(values, side) if side != "none" else {}), **values}, dtype=float)
