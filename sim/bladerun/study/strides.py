"""Solved strides, each known by its inputs, the program, and the side it was reached from.

Takes what is asked; gives the numbers and the file of the stride, found where it is kept or else solved and
kept. `fit`, the page and validation ask in the same words, so what one has solved no other solves again. A
folder of results holds every stride it speaks of: `strides/KEY.nc`, and in a database beside them their
numbers and the checksum of each file. What is damaged is not there, and is solved again.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from bladerun._lib.files import atomic, content_of, output_dir
from bladerun._lib.messages import say
from bladerun.body.legs import SIDES
from bladerun.dataset.files import MOST_BYTES, read_stride
from bladerun.errors import InputError
from bladerun.status import Status
from bladerun.study import _database, executors, fingerprint
from bladerun.study._database import Database
from bladerun.study._lock import locked
from bladerun.study.executors import Executor
from bladerun.study.job import STRIDE, Done, Inputs, Job, numbers, work
from bladerun.study.nearness import between, distance, settings

FOLDER, _TABLE, _KIND = "strides", "strides.sqlite", "stride"
_SIGNATURE = ("worker", "identity", "seconds", "visits")  # of a row, which say nothing of the stride
_ANSWERS = (Status.CONVERGED, Status.TOO_WEAK, Status.NOT_CONVERGED)  # alike whenever they are solved
_K = TypeVar("_K")


@dataclass(frozen=True)
class Asked:
    """A stride to be: of which inputs, and from which other, by way of what lies between; None: from nothing.

    start: one that `Status.usable_as_start`. way: of two strides of the same inputs that are to be reached
    from two sides, to see how far they lie apart, each has a name of its own.
    """

    inputs: Inputs
    start: Asked | None = None
    way: str = "up"

    @classmethod
    def from_nearest(cls, inputs: Inputs, solved: Iterable[Asked]) -> Asked:
        """From the one of these that is fewest steps away, the first of several; from nothing without any at
        this speed, of this reference, on these knees: from another a stride may end in a dearer gait."""
        here, own = settings(inputs), _apart(inputs)
        alike = (one for one in solved if _apart(one.inputs) == own)
        return cls(inputs, min(alike, key=lambda one: distance(settings(one.inputs), here), default=None))

    @cached_property
    def key(self) -> str:
        """A name for its file; one solved from another start on the same way will do as well."""
        return f"{self.inputs.identity(fingerprint.of_strides())}-{self.way if self.start else 'nothing'}"


def _apart(inputs: Inputs) -> tuple[Any, ...]:
    """What a stride has in common with one that it may start from."""
    knees = tuple(inputs.fitting.of(side).knee for side in SIDES) if inputs.fitting else ()
    return inputs.task.speed_m_s, inputs.reference, knees


class Solved(NamedTuple):
    """What came of an `Asked`: a row of numbers as of a `Done`; kept: whether it was there already."""

    row: dict[str, Any]
    kept: bool


class Strides:
    """The strides in a folder of results; made by `opened`. More than one process may use them at once."""

    def __init__(self, folder: Path, database: Database, look_in: Path | None):
        self._folder, self._database, self._look_in = folder, database, look_in
        self._alone = threading.Lock()

    def path(self, asked: Asked) -> Path:
        """The file of a solved stride."""
        return self._folder / f"{asked.key}.nc"

    def row(self, asked: Asked) -> dict[str, Any] | None:
        """Its numbers, where it is kept here; where it lies in another folder it is copied from there."""
        with self._alone:
            found = _found(self._database, self._folder, asked.key)
            return found["row"] if found else self._copied(asked)

    def job(self, asked: Asked) -> Job:
        """What a worker is to do for it."""
        if asked.start is None:
            return Job(asked.inputs, keep=STRIDE)
        start = content_of(self.path(asked.start), MOST_BYTES)
        way = start, between(asked.start.inputs, asked.inputs)
        return Job(asked.inputs, (way,), keep=STRIDE)

    def keep(self, asked: Asked, done: Done) -> dict[str, Any]:
        """Keep what a worker made of it, where that would be the same again; gives its numbers."""
        row = {key: value for key, value in done.row.items() if key not in _SIGNATURE}
        if row["status"] in _ANSWERS:
            content = done.stride if Status(row["status"]).usable_as_start else None
            with self._alone:
                self._put(asked, row, content)
        return row

    def solved(self, asked: Asked, executor: Executor, work: Callable[[Job], Done] = work) -> Solved:
        """One stride; waits for it."""
        if (row := self.row(asked)) is not None:
            return Solved(row, kept=True)
        done = executor.submit(work, self.job(asked)).result()
        return Solved(self.keep(asked, done), kept=False)

    def each(
        self, executor: Executor, take: Callable[[], tuple[_K, Asked] | None]
    ) -> Iterator[tuple[_K, Solved]]:
        """Every stride that `take` gives, as they end, as `executors.run`; raises as `executors.answered`."""
        waiting: dict[_K, Asked] = {}

        def next_job() -> tuple[_K, Job | Solved] | None:
            if (item := take()) is None:
                return None
            key, asked = item
            if (row := self.row(asked)) is not None:
                return key, Solved(row, kept=True)
            waiting[key] = asked
            return key, self.job(asked)

        for key, done in executors.run(_Besides(executor), next_job, work):
            if not isinstance(done, Solved):
                row = self.keep(waiting.pop(key), executors.answered(done, executor))
                done = Solved(row, kept=False)
            yield key, done

    def _put(self, asked: Asked, row: dict[str, Any], content: bytes | None) -> None:
        entry = {
            "start": asked.start and asked.start.key,
            "rows": fingerprint.of_rows(),
            "row": row,
            "sha256": content and hashlib.sha256(content).hexdigest(),
        }
        with self._database.transaction():
            if content:
                with atomic(self.path(asked)) as tmp:
                    tmp.write_bytes(content)
            self._database.put(_KIND, asked.key, json.dumps(entry).encode())

    def _copied(self, asked: Asked) -> dict[str, Any] | None:
        for table in self._look_in.glob(f"*/{FOLDER}/{_TABLE}") if self._look_in else ():
            if table.parent.absolute() == self._folder.absolute():
                continue
            with suppress(InputError, OSError), _database.reading(table) as other:
                if found := _found(other, table.parent, asked.key):
                    self._put(asked, found["row"], found["content"])
                    return found["row"]
        return None


class _Besides:
    """An executor for jobs, and for what is solved already."""

    def __init__(self, executor: Executor):
        self._executor, self.poll = executor, executor.poll

    @property
    def size(self) -> int:
        return self._executor.size

    def submit(self, work: Callable[[Any], Any], job: Any) -> Any:
        if not isinstance(job, Solved):
            return self._executor.submit(work, job)
        future: Future[Solved] = Future()
        future.set_result(job)
        return future


@contextmanager
def opened(out: str | Path, look_in: str | Path | None = None) -> Iterator[Strides]:
    """The strides of a folder of results, both made where they are missing.

    look_in: a folder of such folders, whose strides are copied where the same is asked. What was damaged is
    mended, and said. Raises InputError where `out` cannot be written to.
    """
    output_dir(out)
    folder = output_dir(Path(out) / FOLDER)
    with ExitStack() as stack:
        alone = True
        try:
            stack.enter_context(locked(folder))
        except InputError:  # another process has them open, which has checked them
            alone = False
        database = stack.enter_context(_database.opened(folder / _TABLE, check=alone))
        if database.mended:
            say(database.mended)
        yield Strides(folder, database, Path(look_in) if look_in else None)


def _found(database: Database, folder: Path, key: str) -> dict[str, Any] | None:
    """An entry and the `content` of its file, None where it has none; None unless both are whole."""
    value = database.get(_KIND, key)
    if value is None:
        return None
    entry, path = json.loads(value), folder / f"{key}.nc"
    entry["content"] = None
    if entry["sha256"]:
        try:
            entry["content"] = content_of(path, MOST_BYTES)
        except InputError:
            return None
        if hashlib.sha256(entry["content"]).hexdigest() != entry["sha256"]:
            return None
        if entry["rows"] != fingerprint.of_rows():
            told = entry["row"]["from_nothing"]
            entry["row"] = numbers(read_stride(path)) | {"from_nothing": told}
    return entry
