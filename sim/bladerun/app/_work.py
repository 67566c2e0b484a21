"""Solving in the background: the neighbourhood of one case, its points in order of need.

Takes a case, a store of strides and an executor; gives portraits as they are solved, numbers of the same
points with the facts behind them varied or landing elsewhere, and progress.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bladerun.app import _neighbourhood as near
from bladerun.app._neighbourhood import Point
from bladerun.app._portrait import Portrait, portrait
from bladerun.body.variation import draw
from bladerun.case import BESIDE, WORDS, Case
from bladerun.dataset.files import read_stride
from bladerun.errors import InputError
from bladerun.status import Status
from bladerun.study.executors import Executor
from bladerun.study.job import Done, Inputs, Job, work
from bladerun.study.landing_window import row_of
from bladerun.study.landings import blades, following
from bladerun.study.recommend import weighed
from bladerun.study.strides import Asked, Strides


class Task(NamedTuple):
    """A point to solve: with the facts as they are (0) or with one of the draws (from 1), or with a landing
    that much further ahead."""

    point: Point
    member: int = 0
    shift_mm: float = 0.0


_URGENT, _VARIED, _NEAR, _LACKING = 0, 1, 2, 100  # in this order, the neighbours one after the other


class Work:
    """What is solved and being solved around one case.

    portraits: of converged points. failed: why the others failed. draws: the facts varied, the same for every
    point. members: of a point that was varied, each draw's row of numbers by its number from 1, or its status
    and why. landings: of a point, the row of a `LandingWindow` by shift. done: how much of `asked` is behind
    us. around: the centre and its neighbours. halted: whether no more is begun than what is asked for.

    lacks: what to solve next, asked whenever all else is done; nothing where it gives nothing.
    """

    def __init__(
        self,
        case: Case,
        strides: Strides,
        executor: Executor,
        work: Callable[[Job], Done] = work,
        lacks: Callable[[Work], Iterable[Task]] = lambda _: (),
    ):
        self.case, self.middle = case, near.centre(case)
        self.portraits: dict[Point, Portrait] = {}
        self.failed: dict[Point, str] = {}
        self.draws = draw(near.size()["draws"], own=case.reference and case.reference.motion)
        self.members: dict[Point, dict[int, dict[str, Any]]] = {}
        self.landings: dict[Point, dict[float, dict[str, Any]]] = {}
        self.running: list[Task] = []
        self.asked: set[Task] = set()
        self.around, self.halted = near.around(case), False
        self._latest: Task | None = None
        self._deciding: asyncio.Task | None = None
        self._strides, self._executor, self._work, self._lacks = strides, executor, work, lacks
        self._solved: dict[Task, Asked] = {}
        self._queue: asyncio.PriorityQueue[tuple[int, int, Task]] = asyncio.PriorityQueue()
        self._order = count()
        self._first = asyncio.Event()
        self._ended_s: list[float] = []  # when strides were solved, since there last was nothing to do
        self.begin()
        self._tasks = [asyncio.create_task(self._run(first=i == 0)) for i in range(executor.size)]
        self._tasks.append(asyncio.create_task(self._tend()))

    @property
    def done(self) -> int:
        beside = (*self.members.values(), *self.landings.values())
        return len(self.portraits) + len(self.failed) + sum(map(len, beside))

    def serves(self, case: Case) -> bool:
        """Whether what is solved here is that of another case too: one with other words or another film."""
        words = {**dict.fromkeys(WORDS, ""), **dict.fromkeys(BESIDE), "sweep": {}}
        return replace(case, **words) == replace(self.case, **words)

    def begin(self) -> None:
        """Solve the centre, its neighbours and then what lacks: at first, and what is left after `halt`."""
        self.halted = False
        for order, point in enumerate(self.around):
            self._put(_NEAR + order, Task(point))
        self._go_on()

    def halt(self) -> None:
        """Begin with none of what is asked; what runs is finished."""
        self.halted = True
        self.asked = {task for task in self.asked if self._begun(task)}

    def ask(self, point: Point) -> None:
        """Solve this point before all others, and no earlier one; InputError where it is not allowed."""
        near.at(self.case, point)
        task = Task(point)
        if task not in self.asked:
            if self._latest and not self._begun(self._latest):
                self.asked.discard(self._latest)
            self._latest = task
        self._put(_URGENT, task)

    def waits(self, point: Point) -> bool:
        """Whether this point is going to be solved, or is being."""
        return Task(point) in self.asked and point not in self.portraits and point not in self.failed

    def vary(self, *points: Point) -> None:
        """Solve points again with every draw, before the neighbours; InputError where one is not solved."""
        if not self.portraits.keys() >= set(points):
            raise InputError("this fitting is not solved yet; wait for it, then ask how sure it is")
        for point in points:
            for member in range(1, 1 + len(self.draws)):
                self._put(_VARIED, Task(point, member))

    def stop(self) -> None:
        """Begin no further point."""
        self.halted = True
        for task in self._tasks:
            task.cancel()

    def progress(self) -> dict[str, Any]:
        """done, total, seconds left (None while unknown), what is being solved, what failed. In the total is
        one more while it is being decided whether anything lacks."""
        done, total = self.done, len(self.asked) + (self._deciding is not None)
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

    def finished(self, task: Task) -> bool:
        """Whether this was solved, or cannot be."""
        point, member, shift = task
        if shift:
            return shift in self.landings.get(point, {})
        if member:
            return member in self.members.get(point, {})
        return point in self.portraits or point in self.failed

    def path(self, point: Point) -> Path:
        """The file of a solved point's stride."""
        return self._strides.path(self._solved[Task(point)])

    def landed(self, point: Point) -> dict[float, dict[str, Any]]:
        """Rows of a `LandingWindow` by shift, that of 0 with them; the point must be solved."""
        own = row_of({**self.portraits[point].numbers, "status": Status.CONVERGED}, blades(self.case))
        return {0.0: own, **self.landings.get(point, {})}

    def next_landings(self, point: Point) -> dict[float, Any]:
        """As `following`, for a solved point."""
        _, task = near.at(self.case, point)
        ahead = float(self.portraits[point].arrays["landing"])
        return following(self.landed(point), task, ahead)

    def _begun(self, task: Task) -> bool:
        return self.finished(task) or task in self.running

    def _put(self, priority: int, task: Task) -> None:
        """Wanted, and no later than so; what is taken from the queue a second time is begun already."""
        if not self._begun(task):
            if self.done == len(self.asked):
                self._ended_s = []
            self.asked.add(task)
            self._queue.put_nowait((priority, next(self._order), task))

    def _go_on(self) -> None:
        """Once nothing is left, ask what lacks."""
        if not self.halted and self._deciding is None and self.done == len(self.asked):
            self._deciding = asyncio.create_task(self._decide())

    async def _decide(self) -> None:
        try:
            lacking = await asyncio.to_thread(self._lacks, self)
        finally:
            self._deciding = None
        if not self.halted:
            for task in lacking:
                self._put(_LACKING, task)

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
            self._go_on()

    async def _solve(self, task: Task) -> None:
        point, member, shift = task
        asked = self._from_nearest(task)
        row, kept = await asyncio.to_thread(self._strides.solved, asked, self._executor, self._work)
        if not kept:
            self._ended_s.append(time.monotonic())
        if row["status"] != Status.CONVERGED:
            self._fail(task, row["status"], row["why"])
            return
        self._solved[task], row = asked, weighed(row, self.case.priorities)
        if shift:
            self.landings.setdefault(point, {})[shift] = row_of(row, blades(self.case))
        elif member:
            keys = ("status", *self.portraits[point].keys)
            self.members.setdefault(point, {})[member] = {key: row[key] for key in keys}
        else:
            self.portraits[point] = await asyncio.to_thread(self._portrait, asked)

    def _portrait(self, asked: Asked) -> Portrait:
        return portrait(read_stride(self._strides.path(asked)), self.case.priorities)

    def _from_nearest(self, task: Task) -> Asked:
        """What is asked for a task; from the stride that it varies, else from the nearest point."""
        point, member, shift = task
        if shift:
            before, ahead = self.next_landings(point)[shift]
            own = self._solved[Task(point)].inputs
            return Asked(replace(own, task=ahead), self._solved[Task(point, shift_mm=before)])
        if member:
            own = self._solved[Task(point)]
            return Asked(replace(own.inputs, variation=self.draws[member - 1]), own)
        fitting, at_speed = near.at(self.case, point)
        inputs = replace(Inputs.of(self.case, fitting), task=at_speed)
        return Asked.from_nearest(inputs, (self._solved[Task(one)] for one in self.portraits))

    def _fail(self, task: Task, status: str, why: str) -> None:
        point, member, shift = task
        if shift:
            self.landings.setdefault(point, {})[shift] = row_of({"status": status}, blades(self.case))
        elif member:
            self.members.setdefault(point, {})[member] = {"status": status, "why": why}
        else:
            self.failed[point] = f"{status}: {why}"
