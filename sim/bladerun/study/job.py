"""One job of a study: what to solve, from where, and what comes back.

Takes a `Job`, which any process or machine can be sent; gives a row of plain numbers and, where others start
from it, the stride as bytes. Nothing a stride does can end a study: whatever goes wrong is a row with its
reason.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib
import json
import math
import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import xarray as xr

from bladerun._lib.table import plain
from bladerun.body.own_gait import OwnGait
from bladerun.body.runner import Amputation, Runner
from bladerun.body.variation import NOMINAL, Variation
from bladerun.case import Case
from bladerun.cost import Cost
from bladerun.dataset import netcdf
from bladerun.dataset.check import TIMES_OF
from bladerun.environment import Environment
from bladerun.errors import InputError
from bladerun.fitting import Fitting
from bladerun.gait.outcomes import flat, outcomes
from bladerun.model import build_model
from bladerun.status import Status
from bladerun.stride import solve
from bladerun.study import fingerprint
from bladerun.study.recommend import weigh
from bladerun.task import Task

NOTHING, SEED, STRIDE = "nothing", "seed", "stride"  # how much of a stride comes back
_SEED = ("q", "contact_position", "multiplier", "activation")  # what another stride can start from
_GRACE_S = 20.0  # between asking a stride to stop and ending its process

Solver = Callable[[Sequence["Inputs"], bytes | None, str], tuple[dict[str, Any], bytes | None]]
"""What solves: the way to the inputs (the last of them), a start, how much to give back (`NOTHING`, ...);
gives the numbers of a row, at least status, why and objective, and the stride or seed."""


@dataclass(frozen=True)
class Inputs:
    """Everything that decides a stride, but for the program."""

    runner: Runner
    amputation: Amputation
    fitting: Fitting | None
    task: Task
    variation: Variation = NOMINAL
    cost: Cost = field(default_factory=Cost.default)
    environment: Environment = field(default_factory=Environment.default)
    reference: OwnGait | None = None

    @classmethod
    def of(cls, case: Case, fitting: Fitting | None) -> Inputs:
        """Those of a runner's file, on this fitting."""
        return cls(
            case.runner,
            case.amputation,
            fitting,
            case.task,
            cost=case.cost,
            environment=case.environment,
            reference=case.reference and case.reference.motion,
        )

    def identity(self, program: str) -> str:
        """A hash of these inputs, 30 as 30.0, and of a program (`fingerprint`): 32 hexadecimal digits."""
        alike = json.loads(json.dumps(plain(self)), parse_int=float)
        return hashlib.sha256(f"{json.dumps(alike)} {program}".encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Job:
    """One row to be. ways: how to get to `inputs`, each a start (None for nothing) and the inputs to pass on
    the way; the best of what they lead to is the row, how far they lie apart its scatter. Where a start leads
    to no solution, the inputs are solved from nothing too, once. solver: an importable name,
    `module:function`. limit_s: time for the whole job. program: who may do it (`fingerprint.signature`),
    anybody by default. Inputs that are not allowed are a sentence.
    """

    inputs: Inputs | str
    ways: tuple[tuple[bytes | None, tuple[Inputs, ...]], ...] = ((None, ()),)
    keep: str = NOTHING
    limit_s: float = math.inf
    solver: str = "bladerun.study.job:solved"
    program: str = ""


@dataclass(frozen=True)
class Done:
    """What a job gave: numbers with status (that of a `Status`, as plain text), why, and whether the stride
    was solved `from_nothing`; stride: bytes of a NetCDF file, as much as was asked for; program: of who did
    it.
    """

    row: dict[str, Any]
    stride: bytes | None = None
    program: str = ""


def work(job: Job) -> Done:
    """Do one job within its time, and sign it; what another program asks for is signed and not done."""
    began, program = time.perf_counter(), fingerprint.signature()
    worker = {"worker": f"{socket.gethostname()}:{os.getpid()}"}
    if job.program not in ("", program):
        return Done(worker, program=program)
    if isinstance(inputs := job.inputs, str):
        return Done(_no_answer(Status.NOT_ALLOWED, inputs) | worker, program=program)
    done = _within(job.limit_s, lambda: _done(job, inputs))
    signed = worker | {"identity": inputs.identity(fingerprint.of_rows())}
    signed |= {"seconds": time.perf_counter() - began}
    return Done(done.row | signed, done.stride, program)


def checked(done: Done) -> Done:
    """What a worker of this same program did; InputError that names both where it runs another."""
    if done.program != fingerprint.signature():
        theirs = done.program or "of another version"
        raise InputError(
            f"worker {done.row['worker']} runs bladerun {theirs}, this is {fingerprint.signature()}; install "
            "the same on both, start the workers again, then go on from here",
            key="--cluster",
        )
    return done


def solved(way: Sequence[Inputs], start: bytes | None, keep: str) -> tuple[dict[str, Any], bytes | None]:
    """Solve along the way, each from the last that converged; numbers of the last, and its stride."""
    stride = None if start is None else netcdf.read(start)
    stride = _along(way, stride)
    kept = None
    if keep == STRIDE:
        kept = netcdf.packed(stride)
    elif keep == SEED and Status(stride.attrs["status"]).usable_as_start:
        seed = stride[list(_SEED)]
        seed.attrs = {key: stride.attrs[key] for key in (*TIMES_OF, "speed_m_s", "model_xml")}
        kept = netcdf.packed(seed)
    return numbers(stride), kept


def numbers(stride: xr.Dataset) -> dict[str, Any]:
    """What a table needs of a stride; outcomes only if it converged."""
    attrs = stride.attrs
    if attrs["status"] != Status.CONVERGED:
        return {"status": attrs["status"], "why": attrs["why"], "objective": math.nan}
    values = flat(outcomes(stride))
    return {
        "status": attrs["status"],
        "why": attrs["why"],
        "objective": float(attrs["objective"]),
        **(weigh(values, attrs["amputation_side"]) if attrs["amputation_side"] != "none" else {}),
        **values,
    }


def best_of(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The row of lowest objective with `<column>_scatter`, the largest difference between the rows.

    NaN where there is only one. `visits` counts them.
    """
    best = min(rows, key=lambda row: row["objective"])
    row: dict[str, Any] = {"visits": len(rows)}
    for key, value in best.items():
        row[key] = value
        if isinstance(value, float):
            spread = [each[key] for each in rows]
            row[f"{key}_scatter"] = max(spread) - min(spread) if len(spread) > 1 else math.nan
    return row


def _along(way: Sequence[Inputs], start: xr.Dataset | None) -> xr.Dataset:
    """The stride at the end of the way; on it each starts from the last that converged."""
    for inputs in way[:-1]:
        stride = _solve(inputs, start)
        if Status(stride.attrs["status"]).usable_as_start:
            start = stride
    return _solve(way[-1], start)


def _solve(inputs: Inputs, start: xr.Dataset | None) -> xr.Dataset:
    model = build_model(inputs.runner, inputs.amputation, inputs.fitting, inputs.variation)
    asked = {"cost": inputs.cost, "environment": inputs.environment, "reference": inputs.reference}
    return solve(model, inputs.task, start=start, **asked)


def _done(job: Job, inputs: Inputs) -> Done:
    module, _, name = job.solver.partition(":")
    solver: Solver = getattr(importlib.import_module(module), name)
    found, ways = [], list(job.ways)
    try:
        for start, between in ways:  # which the fallback adds to
            row, stride = solver((*between, inputs), start, job.keep)
            found.append((row | {"from_nothing": start is None}, stride))
            if row["status"] == Status.NOT_CONVERGED and all(start is not None for start, _ in ways):
                ways.append((None, ()))
    except InputError as error:
        return Done(_no_answer(Status.NOT_ALLOWED, str(error)))
    except _TimeOut:
        raise
    except Exception as error:  # one stride in a hundred thousand must not end the rest
        return Done(_no_answer(Status.FAILED, f"{type(error).__name__}: {error}"))
    converged = [each for each in found if each[0]["status"] == Status.CONVERGED]
    if not converged:
        row, stride = max(found, key=lambda each: each[0]["status"] == Status.TOO_WEAK)
        return Done({"visits": 0, **row}, stride)
    row, stride = min(converged, key=lambda each: each[0]["objective"])
    rows = [each[0] for each in converged]
    return Done(best_of(rows) if len(rows) > 1 else {"visits": 1, **row}, stride)


def _no_answer(status: Status, why: str) -> dict[str, Any]:
    return {"status": status.value, "why": why, "objective": math.nan, "visits": 0}


class _TimeOut(BaseException):
    """Raised inside a stride whose time is over."""


def _within(limit_s: float, do: Callable[[], Done]) -> Done:
    """What `do` gives, or a row that says it took too long.

    Past its time a stride is stopped where it next runs Python; if it does not within a grace, the process
    ends soon after the row is given.
    """
    if math.isinf(limit_s):
        return do()
    found: Future[Done] = Future()

    def run() -> None:
        try:
            found.set_result(do())
        except _TimeOut:
            pass
        except BaseException as error:  # raised where the row is awaited
            found.set_exception(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(limit_s)
    if not thread.is_alive():
        return found.result()
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(_TimeOut))
    thread.join(_GRACE_S)
    if thread.is_alive():
        threading.Timer(2.0, os._exit, [1]).start()
    return Done(_no_answer(Status.TIMED_OUT, f"no stride within {limit_s:g} s"))
