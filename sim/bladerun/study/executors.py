"""Who does the work: this process, others on this machine, or a running Dask cluster; how it is kept busy.

Takes jobs one at a time, each when it is ready; gives results in the order they end. Never more than one job
a worker is under way, so that the number of jobs in all costs nothing, and a worker that ends takes only its
own job with it. It is replaced, its job done again; a job whose workers end again is put off until nothing
else runs, and given up if they end then too, so that no job is given up for another's fault.
"""

from __future__ import annotations

import itertools
import queue
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from bladerun._lib import forkserver
from bladerun._lib.threads import cores
from bladerun.errors import InputError
from bladerun.study._processes import Pool, WorkerLost

if TYPE_CHECKING:
    from bladerun.study._dask import Cluster

RETRIES = 1  # how often a job whose worker ended is done again at once, and once more alone
_POLL_S = 1.0
_K = TypeVar("_K")


class Executor(Protocol):
    """Something that does jobs. size: how many at once, now."""

    @property
    def size(self) -> int: ...

    def submit(self, work: Callable[[Any], Any], job: Any) -> Any:
        """A future with `add_done_callback` and `result`, which raises `WorkerLost`, or as `work` does."""

    def poll(self) -> None:
        """See to the workers; called about once a second."""


def run(
    executor: Executor, take: Callable[[], tuple[_K, Any] | None], work: Callable[[Any], Any]
) -> Iterator[tuple[_K, Any]]:
    """Do every job that `take` gives, and yield its key with what `work` made of it, or with a `WorkerLost`.

    take: the next job that is ready with a key; None while none is, asked again after each result. Ends when
    nothing is ready and nothing runs. work: importable where the executor is.
    """
    running: dict[int, tuple[_K, Any, bool, Any]] = {}
    put_off: deque[tuple[_K, Any]] = deque()
    ended: queue.SimpleQueue[int] = queue.SimpleQueue()
    numbers, polled = itertools.count(), time.monotonic()

    def begin(key: _K, job: Any, alone: bool) -> None:
        number, future = next(numbers), executor.submit(work, job)
        running[number] = key, job, alone, future
        future.add_done_callback(lambda _: ended.put(number))

    while True:
        if time.monotonic() - polled > _POLL_S:
            executor.poll()
            polled = time.monotonic()
        while len(running) < executor.size and (item := take()) is not None:
            begin(*item, alone=False)
        if not running and put_off:
            begin(*put_off.popleft(), alone=True)
        if not running:
            return
        try:
            number = ended.get(timeout=_POLL_S)
        except queue.Empty:
            continue
        key, job, alone, future = running.pop(number)
        try:
            result = future.result()
        except WorkerLost as lost:
            if not alone:
                put_off.append((key, job))
                continue
            result = lost
        yield key, result


def in_turn(jobs: Iterable[tuple[_K, Any]]) -> Callable[[], tuple[_K, Any] | None]:
    """What `run` takes, of jobs with their keys that are all ready."""
    waiting = iter(jobs)
    return lambda: next(waiting, None)


def answered(result: Any, executor: Executor) -> Any:
    """What `run` gave for a job; InputError for a `WorkerLost`, where the rest is of no use without it."""
    if isinstance(result, WorkerLost):
        raise InputError(
            f"one of {executor.size} solving processes was ended from outside, perhaps for lack of memory; "
            "do the same again with fewer of them to go on from here",
            key="workers",
        )
    return result


@contextmanager
def opened(
    workers: int | None = None, cluster: Cluster | None = None, here: bool = False
) -> Iterator[Executor]:
    """An executor for as long as the block runs.

    workers: processes on this machine, one a core by default. cluster: a running one instead. here: this
    process alone. Raises InputError where the cluster is not reached.
    """
    if here:
        yield _Here()
    elif cluster:
        from bladerun.study._dask import joined

        with joined(cluster) as executor:
            yield executor
    else:
        forkserver.prepare()
        pool = Pool(workers or cores(), 1 + RETRIES)
        try:
            yield pool
        finally:
            pool.close()


class _Here:
    size = 1

    def submit(self, work: Callable[[Any], Any], job: Any) -> Future:
        future: Future = Future()
        future.set_result(work(job))
        return future

    def poll(self) -> None:
        pass
