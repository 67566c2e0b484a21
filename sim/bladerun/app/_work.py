"""Solving in the background: the neighbourhood of one case, its points in order of need.

Takes a case, a folder and an executor; gives portraits as they are solved, numbers of the same points with
the facts behind them varied where that is asked for, and progress. Strides are kept on disk and found again
by what they were solved from.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bladerun.app import _neighbourhood as near
from bladerun.app._neighbourhood import Point
from bladerun.app._portrait import Portrait, portrait
from bladerun.body.variation import draw
from bladerun.case import Case
from bladerun.dataset.files import read_stride, write_stride
from bladerun.errors import InputError
from bladerun.status import Status
from bladerun.study.executors import Executor
from bladerun.study.fingerprint import of_strides
from bladerun.study.job import Inputs, along


@dataclass(frozen=True)
class Job:
    """One stride as a process needs it: what to solve, the file of a stride to start from, where to write."""

    inputs: Inputs
    start: Path | None
    path: Path


def solved(job: Job) -> tuple[str, str]:
    """Solve and write a stride unless it is there; its status and why. Runs in another process."""
    if job.path.exists():
        return _status(job.path)
    start = read_stride(job.start) if job.start else None
    stride = along([job.inputs], start)
    if stride.attrs["status"] == Status.NOT_CONVERGED and start is not None:
        stride = along([job.inputs], None)
    write_stride(stride, job.path)
    return stride.attrs["status"], stride.attrs["why"]


class _Task(NamedTuple):
    """A point to solve: with the facts as they are (0) or with one of the draws (from 1)."""

    point: Point
    member: int = 0


class Work:
    """What is solved and being solved around one case.

    portraits: of converged points. failed: why the others failed. draws: the facts varied, the same for every
    point. members: of a point for which `vary` was asked, each draw's row of numbers by its number from 1, or
    its status and why. done: how much of `asked` is behind us.
    """

    def __init__(self, case: Case, folder: Path, executor: Executor, job: Callable = solved):
        self.case, self.folder, self.middle = case, folder, near.centre(case)
        self.portraits: dict[Point, Portrait] = {}
        self.paths: dict[Point, Path] = {}
        self.failed: dict[Point, str] = {}
        self.draws = draw(near.size()["draws"])
        self.members: dict[Point, dict[int, dict[str, Any]]] = {}
        self.running: list[_Task] = []
        self.asked: set[_Task] = set()
        self._latest: _Task | None = None
        self._executor, self._job = executor, job
        self._queue: asyncio.PriorityQueue[tuple[int, int, _Task]] = asyncio.PriorityQueue()
        self._order = count()
        self._first = asyncio.Event()
        self._ended_s: list[float] = []  # when strides were solved, since there last was nothing to do
        self.begin()
        self._tasks = [asyncio.create_task(self._run(first=i == 0)) for i in range(executor.size)]
        self._tasks.append(asyncio.create_task(self._tend()))

    @property
    def done(self) -> int:
        return len(self.portraits) + len(self.failed) + sum(map(len, self.members.values()))

    def serves(self, case: Case) -> bool:
        """Whether what is solved here is that of another case too: one with another name or other notes."""
        words = {"name": "", "notes": "", "sweep": {}}
        return replace(case, **words) == replace(self.case, **words)

    def begin(self) -> None:
        """Solve the centre and its neighbours: at first, and what is left of them after `halt`."""
        for order, point in enumerate(near.around(self.case)):
            self._put(2 + order, _Task(point))

    def halt(self) -> None:
        """Begin with none of what is asked; what runs is finished."""
        self.asked = {task for task in self.asked if self._begun(task)}

    def ask(self, point: Point) -> None:
        """Solve this point before all others, and no earlier one; InputError where it is not allowed."""
        near.at(self.case, point)
        task = _Task(point)
        if task not in self.asked:
            if self._latest and not self._begun(self._latest):
                self.asked.discard(self._latest)
            self._latest = task
        self._put(0, task)

    def waits(self, point: Point) -> bool:
        """Whether this point is going to be solved, or is being."""
        return _Task(point) in self.asked and point not in self.portraits and point not in self.failed

    def vary(self, *points: Point) -> None:
        """Solve points again with every draw, before the neighbours; InputError where one is not solved."""
        if not self.portraits.keys() >= set(points):
            raise InputError("this fitting is not solved yet; wait for it, then ask how sure it is")
        for point in points:
            self.members.setdefault(point, {})
            for member in range(1, 1 + len(self.draws)):
                self._put(1, _Task(point, member))

    def stop(self) -> None:
        """Begin no further point."""
        for task in self._tasks:
            task.cancel()

    def progress(self) -> dict[str, Any]:
        """done, total, seconds left (None while unknown), what is being solved, what failed."""
        done, total = self.done, len(self.asked)
        return {
            "done": done,
            "total": total,
            "left_s": self._left_s(total - done),
            "running": [list(task.point) for task in self.running],
            "failed": [[list(point), why] for point, why in self.failed.items()],
        }

    def _left_s(self, strides: int) -> int | None:
        """By the mean time between two that ended; the first of all may also compile, and only begins it."""
        ended = self._ended_s
        if len(ended) < 2:
            return None
        pace = (ended[-1] - ended[0]) / (len(ended) - 1)
        return max(0, round(pace * strides - (time.monotonic() - ended[-1])))

    def known(self) -> dict[Point, np.ndarray]:
        """The numbers of every solved point."""
        return {point: one.arrays["numbers"] for point, one in list(self.portraits.items())}

    def _begun(self, task: _Task) -> bool:
        point, member = task
        known = member in self.members.get(point, {}) if member else point in self.portraits
        return known or task in self.running or (not member and point in self.failed)

    def _put(self, priority: int, task: _Task) -> None:
        """Wanted, and no later than so; what is taken from the queue a second time is begun already."""
        if not self._begun(task):
            if self.done == len(self.asked):
                self._ended_s = []
            self.asked.add(task)
            self._queue.put_nowait((priority, next(self._order), task))

    async def _tend(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            await asyncio.to_thread(self._executor.poll)

    async def _run(self, first: bool) -> None:
        """Take points from the queue; all wait for the first one, from which the others start."""
        if not first:
            await self._first.wait()
        while True:
            _, _, task = await self._queue.get()
            if task not in self.asked or self._begun(task):
                continue
            self.running.append(task)
            try:
                await self._solve(task)
            except Exception as error:  # a lost process or a full disk must not end the page
                self._fail(task, Status.FAILED, f"{type(error).__name__}: {error}")
            finally:
                self.running.remove(task)
                self._first.set()

    async def _solve(self, task: _Task) -> None:
        point, member = task
        inputs = _inputs(self.case, point)
        if member:
            inputs = replace(inputs, variation=self.draws[member - 1])
        path = self.folder / "strides" / f"{inputs.identity(of_strides())}.nc"
        if path.exists():
            status, why = await asyncio.to_thread(_status, path)
        else:
            start = point if member else near.nearest(point, self.portraits)
            job = Job(inputs, self.paths[start] if start else None, path)
            future = await asyncio.to_thread(self._executor.submit, self._job, job)
            status, why = await asyncio.to_thread(future.result)
            self._ended_s.append(time.monotonic())
        if status != Status.CONVERGED:
            self._fail(task, status, why)
        elif member:
            found = await asyncio.to_thread(_portrait_of, path)
            self.members[point][member] = {"status": status, **found.numbers}
        else:
            self.paths[point] = path
            self.portraits[point] = await asyncio.to_thread(_portrait_of, path)

    def _fail(self, task: _Task, status: str, why: str) -> None:
        if task.member:
            self.members[task.point][task.member] = {"status": status, "why": why}
        else:
            self.failed[task.point] = f"{status}: {why}"


def _inputs(case: Case, point: Point) -> Inputs:
    """What decides the stride of a point, every number as a decimal one, so that 30 and 30.0 are the same."""
    fitting, task = near.at(case, point)
    whole = replace(
        case, runner=_decimal(case.runner), amputation=_decimal(case.amputation), task=_decimal(task)
    )
    return Inputs.of(whole, _decimal(fitting))


def _decimal(part: Any) -> Any:
    numbers = {key: float(value) for key, value in vars(part).items() if type(value) is int}
    return replace(part, **numbers)


def _status(path: Path) -> tuple[str, str]:
    kept = read_stride(path)
    return kept.attrs["status"], kept.attrs["why"]


def _portrait_of(path: Path) -> Portrait:
    return portrait(read_stride(path))
