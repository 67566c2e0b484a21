"""Processes of this machine that do jobs, each at the end of a pipe that nobody else can open.

Takes jobs; gives futures. No port is opened: what is sent to a process it runs, so nobody else may send. A
process that ends takes only its own job with it, and another takes its place.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import Any

from bladerun._lib import forkserver

_STARTING = threading.Lock()
_PATIENCE_S, _PAUSE_S = 5.0, 1.0


class WorkerLost(Exception):
    """The processes that did a job were ended from outside, one after the other."""

    def __str__(self):
        return "its processes were ended from outside, one after the other, perhaps for lack of memory"


class Pool:
    """An executor. size: processes, begun at once. tries: how many may end with one job."""

    def __init__(self, size: int, tries: int):
        self.size, self._tries = size, tries
        self._jobs: queue.SimpleQueue[tuple[Future, bytes] | None] = queue.SimpleQueue()
        self._processes: dict[int, BaseProcess] = {}
        self._closed = False
        self._threads = [
            threading.Thread(target=self._tend, args=(seat,), daemon=True) for seat in range(size)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, work: Callable[[Any], Any], job: Any) -> Future:
        """What becomes of `work(job)`; work: importable. The future raises `WorkerLost`, or as
        `work` does.
        """
        future: Future = Future()
        self._jobs.put((future, pickle.dumps((work, job))))
        return future

    def poll(self) -> None:
        """Nothing to see to: each process has a thread that does."""

    def close(self) -> None:
        """End every process, whatever it does; what it was to do is `WorkerLost`."""
        self._closed = True
        for _ in self._threads:
            self._jobs.put(None)
        for process in list(self._processes.values()):
            process.terminate()
        for thread in self._threads:
            thread.join(_PATIENCE_S)

    def _tend(self, seat: int) -> None:
        """Hand jobs to one process, and start another when it ends."""
        pipe = self._start(seat)
        while (item := self._jobs.get()) is not None:
            future, job = item
            done, result = False, WorkerLost()
            for _ in range(0 if self._closed else self._tries):
                if (given := _given(pipe, job)) is not None:
                    done, result = given
                    break
                pipe.close()
                pipe = self._start(seat)
            (future.set_result if done else future.set_exception)(result)
        if process := self._processes.pop(seat, None):
            process.terminate()
            process.join(_PATIENCE_S)

    def _start(self, seat: int) -> Connection:
        """A new process at this seat, as soon as the system gives one."""
        context = multiprocessing.get_context(forkserver.METHOD)
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs,), daemon=True)
        while not self._closed:
            try:
                with _STARTING, _without_main():
                    process.start()
            except OSError:
                time.sleep(_PAUSE_S)
                continue
            self._processes[seat] = process
            break
        theirs.close()
        return ours


def _given(pipe: Connection, job: bytes) -> tuple[bool, Any] | None:
    """Whether a process did the job, and its result or its exception; None where it ended instead."""
    try:
        pipe.send_bytes(job)
        answer = pipe.recv_bytes()
    except (EOFError, OSError):
        return None
    try:
        return pickle.loads(answer)
    except Exception as error:  # an exception that cannot be made again here
        return False, error


def _serve(pipe: Connection) -> None:
    """Do jobs until the other end is closed; end with the process that asked, also in mid-job."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the process that asked
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            job = pipe.recv_bytes()
        except (EOFError, OSError):
            return
        answer = _done(job)
        with suppress(OSError):
            pipe.send_bytes(answer)


def _done(job: bytes) -> bytes:
    try:
        work, given = pickle.loads(job)
        return pickle.dumps((True, work(given)))
    except Exception as error:
        error.add_note("".join(traceback.format_exception(error)))
        try:
            return pickle.dumps((False, error))
        except Exception:
            return pickle.dumps((False, RuntimeError(f"{type(error).__name__}: {error}")))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


@contextmanager
def _without_main() -> Iterator[None]:
    """What is started meanwhile does not run the caller's script again: all that it does is importable."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
