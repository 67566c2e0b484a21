"""The rows of a sweep in the order they are solved, and what each starts from.

Takes a `Study` and the store of its rows; gives jobs as they become ready, and puts what became of them into
the store. Starts are decided by the study alone, never by which worker was first, so the same study gives the
same table on any number of workers. Seeds stay in the store until every row that starts from them is kept.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import Any

import numpy as np

from bladerun._lib import data_files
from bladerun.body.variation import NOMINAL, draw
from bladerun.errors import InputError
from bladerun.status import Status
from bladerun.study import fingerprint
from bladerun.study._store import Store
from bladerun.study._tree import tree
from bladerun.study.file import Study
from bladerun.study.job import NOTHING, SEED, STRIDE, Done, Inputs, Job
from bladerun.study.nearness import hops, shares
from bladerun.study.parameters import changed


class Plan:
    """Rows are numbered: runner after runner, point after point, the nominal stride and then its ensemble.

    total: rows in all. take: the next job. finish: what became of it. first: the number of the first row, for
    others a study that has grown gives before.
    """

    def __init__(self, study: Study, store: Store, solver: str, first: int = 0):
        self._study, self._solver, self._store, self.first = study, solver, store, first
        self._names = list(study.runners)
        own = next(iter(study.runners.values())).reference  # of the base, and so of all
        self._variations = [NOMINAL, *draw(study.settings.ensemble, study.settings.seed, own)]
        self._points, self._each = len(study.points), len(self._variations)
        self.total = len(self._names) * self._points * self._each
        self._tree = _tree_of(study)
        self._seeds = self._found_seeds()
        self._done = np.zeros(self.total, dtype=bool)
        self._done[[number - first for number in store.done if 0 <= number - first < self.total]] = True
        self._link()

    def take(self) -> tuple[int, Job] | None:
        """The number of the next row that is ready, and its job; None while none is."""
        if not self._ready:
            return None
        number = heapq.heappop(self._ready)[1]
        name = self.first + number
        settings = self._study.settings
        keep = STRIDE if settings.keep_strides else SEED if self._pending[number] else NOTHING
        program, limit_s = fingerprint.signature(), settings.time_limit_s
        try:
            inputs = self.inputs(name)
        except InputError as error:
            return name, Job(str(error), program=program)
        return name, Job(inputs, self._ways(number), keep, limit_s, self._solver, program)

    def inputs(self, number: int) -> Inputs:
        """What a row is solved from; InputError where its values do not go together."""
        runner, point, member = self._of(number - self.first)
        inputs = self._study.inputs(self._names[runner], self._study.points[point])
        variation = self._variations[member]
        return (
            inputs
            if member == 0
            else changed(inputs, {f"variation.{k}": v for k, v in vars(variation).items()})
        )

    def described(self, number: int) -> dict[str, Any]:
        """The columns that say which row it is."""
        runner, point, member = self._of(number - self.first)
        values = zip(self._study.parameters, self._study.points[point], strict=True)
        row = {"number": number, "runner": self._names[runner], "member": member}
        row |= {p.name: float(v) if p.numeric else str(v) for p, v in values}
        if self._each > 1:
            row |= {f"variation.{key}": value for key, value in vars(self._variations[member]).items()}
        return row

    def finish(self, number: int, done: Done, again: bool = False) -> None:
        """Keep the row: what waits for it may begin, what it alone waited for goes; the latter stays where
        the row is to be tried again, by another client."""
        row, keep_stride = self.described(number) | done.row, self._study.settings.keep_strides
        number -= self.first
        seeds = self._handed_on(number, done)
        for before in () if again else self._before(number):
            self._pending[before] -= 1
            if not self._pending[before]:
                seeds |= self._dropped(before)
        self._store.add(row, stride=done.stride if keep_stride else None, seeds=seeds, again=again)
        self._done[number] = True
        for after in self._after(number):
            self._missing[after] -= 1
            if not self._missing[after] and not self._done[after]:
                heapq.heappush(self._ready, (self._rank(after), int(after)))

    def _handed_on(self, number: int, done: Done) -> dict[str, bytes | None]:
        """What others start from: this stride, or where there is none what it started from itself."""
        if not self._pending[number]:
            return {}
        usable = done.stride is not None and Status(done.row["status"]).usable_as_start
        before = None if usable else next((n for n in self._before(number) if n in self._seeds), None)
        if not usable and before is None:
            return {}
        seed = done.stride if before is None else self._store.seed(self._seed(before))
        seeds = self._dropped(number)
        self._seeds[number] = number if before is None else self._seeds[before]
        return {**seeds, self._seed(number): seed}

    def _link(self) -> None:
        """Which rows wait for which: counts and lists, a few numbers a row."""
        first = np.arange(self.total, dtype=np.int64)
        member, point = first % self._each, first // self._each % self._points
        base = first - first % (self._points * self._each)
        starts = []
        for parents in (self._tree.start, self._tree.other if self._study.settings.both_ways else None):
            if parents is None:
                continue
            nominal = np.where(parents[point] < 0, -1, base + parents[point] * self._each)
            starts.append(np.where(member == 0, nominal, first - member if not starts else -1))
        self._starts = np.stack(starts, axis=1)
        rows, column = np.nonzero(self._starts >= 0)
        before = self._starts[rows, column]
        order = np.argsort(before, kind="stable")
        self._children, self._child_at = (
            rows[order],
            np.searchsorted(before[order], np.arange(self.total + 1)),
        )
        self._missing = np.bincount(rows[~self._done[before]], minlength=self.total)
        self._pending = np.bincount(before[~self._done[rows]], minlength=self.total)
        ranks = np.empty(self._points, dtype=np.int64)
        ranks[self._tree.order] = np.arange(self._points)
        self._ranks = ranks
        ready = np.flatnonzero(~self._done & (self._missing == 0))
        self._ready = [(self._rank(number), number) for number in ready.tolist()]
        heapq.heapify(self._ready)

    def _ways(self, number: int) -> tuple[tuple[bytes | None, tuple[Inputs, ...]], ...]:
        ways, origins = [], set()
        for before in self._before(number):
            origin = self._seeds.get(before)
            if origin is None or origin in origins:
                continue
            origins.add(origin)
            between = self._between(origin, number)
            if between is not None:
                ways.append((self._store.seed(self._seed(before)), between))
        return tuple(ways) or ((None, ()),)

    def _between(self, start: int, end: int) -> tuple[Inputs, ...] | None:
        """Inputs on the way between two rows in steps a stride can start across; None if that is too far."""
        (_, a, m), (runner, b, n) = self._of(start), self._of(end)
        if m == n == 0 and a != b:
            points = self._study.points
            return between(self._study, self._names[runner], points[a], points[b])
        return ()

    def _of(self, number: int) -> tuple[int, int, int]:
        rest, member = divmod(int(number), self._each)
        runner, point = divmod(rest, self._points)
        return runner, point, member

    def _rank(self, number: int) -> int:
        """What many rows start from comes first: nominal strides, in the order of the tree."""
        runner, point, member = self._of(number)
        return (member > 0) * self.total + int(self._ranks[point]) * len(self._names) + runner

    def _before(self, number: int) -> Iterator[int]:
        return (int(n) for n in self._starts[number] if n >= 0)

    def _after(self, number: int) -> np.ndarray:
        return self._children[self._child_at[number] : self._child_at[number + 1]]

    def _seed(self, number: int) -> str:
        """The name of what stands for a row as a start, with the row whose stride that is."""
        return f"{self.first + number} {self.first + self._seeds[number]}"

    def _dropped(self, number: int) -> dict[str, bytes | None]:
        """No longer keep what stands for a row, where something does."""
        seeds: dict[str, bytes | None] = {self._seed(number): None} if number in self._seeds else {}
        self._seeds.pop(number, None)
        return seeds

    def _found_seeds(self) -> dict[int, int]:
        """Which row's stride stands for each row as a start."""
        pairs = ([int(each) - self.first for each in name.split()] for name in self._store.seeds())
        return {number: origin for number, origin in pairs if 0 <= number < self.total}


class Plans:
    """Those of the stages of a study (`_grown`), one after the other."""

    def __init__(self, stages: list[Study], store: Store, solver: str):
        self._plans: list[Plan] = []
        self.total = 0
        for stage in stages:
            self._plans.append(Plan(stage, store, solver, self.total))
            self.total += self._plans[-1].total

    def take(self) -> tuple[int, Job] | None:
        """The next job that is ready; None while none is."""
        return next((item for plan in self._plans if (item := plan.take())), None)

    def of(self, number: int) -> Plan:
        """The plan that has a row."""
        return next(plan for plan in reversed(self._plans) if plan.first <= number)


def between(study: Study, runner: str, start: tuple, end: tuple) -> tuple[Inputs, ...] | None:
    """Inputs of a runner on the way from one point to another; None where that takes too many steps, or one
    that is not allowed."""
    cuts = shares(hops(study.parameters, start, end))
    if len(cuts) >= data_files.toml("sweep.toml")["bridge"]["longest"]:
        return None
    way = []
    for share in cuts:
        values = (_mixed(p, a, b, share) for p, a, b in zip(study.parameters, start, end, strict=True))
        try:
            way.append(study.inputs(runner, tuple(values)))
        except InputError:
            return None
    return tuple(way)


def _mixed(parameter, a, b, share: float):
    if not parameter.numeric:
        return b
    value = a + (b - a) * share
    return round(value) if parameter.whole else value


def _tree_of(study: Study):
    parameters = study.parameters
    places = np.array(
        [[p.place(v) for p, v in zip(parameters, point, strict=True)] for point in study.points]
    )
    apart = [i for i, p in enumerate(parameters) if p.apart]
    kinds = [tuple(point[i] for i in apart) for point in study.points]
    return tree(places, kinds, data_files.toml("sweep.toml")["bridge"]["longest"])
