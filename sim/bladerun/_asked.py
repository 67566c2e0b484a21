"""What a stride was asked for: task, cost, environment and options, as it was solved.

Takes a stride dataset; gives the values that `solve` was given, read back by the classes that wrote them.
"""

from __future__ import annotations

import json
from typing import NamedTuple

import xarray as xr

from bladerun._settings import read
from bladerun.cost import Cost
from bladerun.environment import Environment
from bladerun.options import SolverOptions
from bladerun.task import Task


class Asked(NamedTuple):
    """environment: without what the task adds to it."""

    task: Task
    cost: Cost
    environment: Environment
    options: SolverOptions


def asked_of(stride: xr.Dataset) -> Asked:
    """What `solve` was given for this stride."""
    kinds = {"cost": Cost, "environment": Environment, "options": SolverOptions}
    settings = {key: read(kind, json.loads(stride.attrs[key])) for key, kind in kinds.items()}
    return Asked(task_of(stride), **settings)


def environment_of(stride: xr.Dataset) -> Environment:
    """All that acted on the runner of a stride: its environment and what its task added."""
    environment = read(Environment, json.loads(stride.attrs["environment"]))
    return environment.of(task_of(stride), float(stride.attrs["mass_kg"]))


def task_of(stride: xr.Dataset) -> Task:
    """What the runner of a stride was asked to do."""
    return Task(**json.loads(stride.attrs["task"]))
