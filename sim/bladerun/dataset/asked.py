"""What a stride was asked for: task, cost, environment and options, as it was solved.

Takes a stride dataset; gives the values that `solve` was given, read back by the classes that wrote them.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple, TypeVar

import xarray as xr

from bladerun._lib.settings import read
from bladerun.body.own_gait import OwnGait
from bladerun.body.runner import Amputation, Runner
from bladerun.body.variation import Variation
from bladerun.cost import Cost
from bladerun.environment import Environment
from bladerun.errors import InputError
from bladerun.fitting import Fitting
from bladerun.options import SolverOptions
from bladerun.task import Task

_T = TypeVar("_T")


class Asked(NamedTuple):
    """environment: without what the task adds to it."""

    task: Task
    cost: Cost
    environment: Environment
    options: SolverOptions
    reference: OwnGait | None


def asked_of(stride: xr.Dataset) -> Asked:
    """What `solve` was given for this stride. Raises InputError where that cannot be read from it."""
    kinds = {"cost": Cost, "environment": Environment, "options": SolverOptions}
    settings = {key: read(kind, _said(stride, key), key=key) for key, kind in kinds.items()}
    own = json.loads(stride.attrs.get("reference", "null"))
    return Asked(task_of(stride), **settings, reference=own and OwnGait.of_json(own))


def environment_of(stride: xr.Dataset) -> Environment:
    """All that acted on the runner of a stride: environment and what its task added. Raises InputError."""
    environment = read(Environment, _said(stride, "environment"), key="environment")
    return environment.of(task_of(stride), float(stride.attrs["mass_kg"]))


def task_of(stride: xr.Dataset) -> Task:
    """What the runner of a stride was asked to do. Raises InputError."""
    return _made(Task, stride, "task")


def person_of(stride: xr.Dataset) -> tuple[Runner, Amputation, Fitting | None]:
    """Who runs, and on what; no fitting without an amputation. Raises InputError."""
    fitting = None if _said(stride, "fitting") is None else _made(Fitting, stride, "fitting")
    return _made(Runner, stride, "runner"), _made(Amputation, stride, "amputation"), fitting


def variation_of(stride: xr.Dataset) -> Variation:
    """How far uncertain inputs were taken to be off. Raises InputError."""
    return _made(Variation, stride, "variation")


def fitting_of(stride: xr.Dataset, side: str) -> Fitting:
    """What the leg of an amputated side wears. Raises InputError."""
    return _made(Fitting, stride, "fitting").of(side)


def _made(kind: type[_T], stride: xr.Dataset, key: str) -> _T:
    said = _said(stride, key)
    try:
        return kind(**said)
    except InputError:
        raise
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError):
        raise InputError("not as this version of bladerun writes it", key=key) from None


def _said(stride: xr.Dataset, key: str) -> Any:
    try:
        return json.loads(stride.attrs[key])
    except (KeyError, TypeError, ValueError, RecursionError):
        raise InputError("the stride does not say it", key=key) from None
