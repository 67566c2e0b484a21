"""Who does the work: this process, a local Dask cluster, or any running one; and how it is kept busy.

Takes jobs one at a time, each when it is ready; gives results in the order they end. Never more than one job
a worker is under way, so that the number of jobs in all costs nothing, and a worker that ends takes only its
own job with it. It is replaced, its job done again; a job whose workers end again is put off until nothing
else runs, and given up if they end then too, so that no job is given up for another's fault.
"""

from __future__ import annotations

import itertools
import logging
import os
import queue
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Any, Protocol, TypeVar

from bladerun import _forkserver
from bladerun._console import say
from bladerun.errors import InputError

RETRIES = 1  # how often a job whose worker ended is done again at once, and once more alone
_TEND_S = 1.0
_K = TypeVar("_K")


class Lost(Exception):
    """The processes that did a job were ended from outside, also where nothing else ran."""


class Crew(Protocol):
    """Something that does jobs. size: how many at once, now."""

    @property
    def size(self) -> int: ...

    def submit(self, work: Callable[[Any], Any], job: Any) -> Any:
        """A future with `add_done_callback` and `result`; the latter raises `Lost`, or as `work` does."""

    def tend(self) -> None:
        """See to the workers; called about once a second."""


def run(
    crew: Crew, take: Callable[[], tuple[_K, Any] | None], work: Callable[[Any], Any]
) -> Iterator[tuple[_K, Any]]:
    """Do every job that `take` gives, and yield its key with what `work` made of it, or with a `Lost`.

    take: the next job that is ready with a key; None while none is, asked again after each result. Ends when
    nothing is ready and nothing runs. work: importable where the crew is.
    """
    running: dict[int, tuple[_K, Any, bool, Any]] = {}
    put_off: deque[tuple[_K, Any]] = deque()
    ended: queue.SimpleQueue[int] = queue.SimpleQueue()
    numbers, tended = itertools.count(), time.monotonic()

    def begin(key: _K, job: Any, alone: bool) -> None:
        number, future = next(numbers), crew.submit(work, job)
        running[number] = key, job, alone, future
        future.add_done_callback(lambda _: ended.put(number))

    while True:
        if time.monotonic() - tended > _TEND_S:
            crew.tend()
            tended = time.monotonic()
        while len(running) < crew.size and (item := take()) is not None:
            begin(*item, alone=False)
        if not running and put_off:
            begin(*put_off.popleft(), alone=True)
        if not running:
            return
        try:
            number = ended.get(timeout=_TEND_S)
        except queue.Empty:
            continue
        key, job, alone, future = running.pop(number)
        try:
            result = future.result()
        except Lost as lost:
            if not alone:
                put_off.append((key, job))
                continue
            result = lost
        yield key, result


def answered(result: Any, crew: Crew) -> Any:
    """What `run` gave for a job; InputError for a `Lost`, where the rest is of no use without it."""
    if isinstance(result, Lost):
        raise InputError(
            f"one of {crew.size} solving processes was ended from outside, perhaps for lack of memory; "
            "do the same again with fewer of them to go on from here",
            key="workers",
        )
    return result


@contextmanager
def hire(workers: int | None = None, cluster: str | None = None, here: bool = False) -> Iterator[Crew]:
    """A crew for as long as the block runs.

    workers: processes on this machine, one a core by default. cluster: address of a running Dask scheduler
    (`tcp://host:port`) instead. here: this process alone. Raises InputError where the cluster is not reached.
    """
    if here:
        yield _Here()
        return
    with _dask(workers or cores(), cluster) as crew:
        yield crew


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Here:
    size = 1

    def submit(self, work: Callable[[Any], Any], job: Any) -> Future:
        future: Future = Future()
        future.set_result(work(job))
        return future

    def tend(self) -> None:
        pass


class _Dask:
    def __init__(self, client: Any, local: Any, workers: int):
        self._client, self._local, self._workers = client, local, workers
        self._waited = False

    @property
    def size(self) -> int:
        if self._local is not None:
            return self._workers
        return max(1, sum(self._client.nthreads().values()))

    def submit(self, work: Callable[[Any], Any], job: Any) -> Any:
        return _Promise(self._client.submit(work, job, pure=False), self)

    def tend(self) -> None:
        if self._client.status not in ("running", "connecting"):
            raise _gone(self._client)
        if self._local is not None:
            self._local.scale(self._workers)  # starts those that could not be started again
            return
        alive = len(self._client.scheduler_info(n_workers=-1)["workers"])
        if not alive and not self._waited:
            say("the cluster has no workers now; waiting for some")
        self._waited = not alive

    def result(self, future: Any) -> Any:
        from distributed.client import FutureCancelledError
        from distributed.scheduler import KilledWorker

        try:
            return future.result()
        except KilledWorker:
            raise Lost(
                "its processes were ended from outside, one after the other, perhaps for lack of memory"
            ) from None
        except FutureCancelledError:
            raise _gone(self._client) from None


class _Promise:
    def __init__(self, future: Any, crew: _Dask):
        self._future, self._crew = future, crew

    def add_done_callback(self, call: Callable[[Any], None]) -> None:
        self._future.add_done_callback(call)

    def result(self) -> Any:
        return self._crew.result(self._future)


def _gone(client: Any) -> InputError:
    return InputError("the Dask cluster is gone; do the same again to go on from here", key="--cluster")


def _end(local: Any) -> None:
    """End the processes: one in the midst of a stride hears nobody, and closing would wait for it."""
    for nanny in local.workers.values():
        if nanny.pid:
            with suppress(OSError):
                os.kill(nanny.pid, signal.SIGTERM)


@contextmanager
def _dask(workers: int, address: str | None) -> Iterator[Crew]:
    from dask import config
    from distributed import Client, LocalCluster

    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    settings = {
        "distributed.scheduler.allowed-failures": RETRIES,
        "distributed.worker.multiprocessing-method": _forkserver.METHOD,
        "distributed.deploy.lost-worker-timeout": "60s",  # a busy machine is slow to start one again
        "distributed.worker.memory.target": False,
        "distributed.worker.memory.spill": False,
        "distributed.admin.large-graph-warning-threshold": "100MB",
        "distributed.admin.low-level-log-length": 10,  # of messages, with their seeds, for each connection
        "distributed.comm.timeouts.connect": "20s",
        # what interrupts a solve: samples and ticks wait for its interpreter
        "distributed.worker.profile.enabled": False,
        "distributed.admin.tick.interval": "500ms",
    }
    with config.set(settings):
        local = None
        if address is None:
            _forkserver.prepare()
            local = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
            )
        try:
            client = Client(local or address, set_as_default=False)
        except (OSError, ValueError) as error:
            raise InputError(
                f"'{address}' is no Dask cluster that answers: {error}", key="--cluster"
            ) from None
        try:
            yield _Dask(client, local, workers)
        finally:
            if local is not None:
                _end(local)
            for each in (client, local):
                if each is not None:
                    with suppress(TimeoutError):  # what is just starting ends with this process
                        each.close(timeout=5)
