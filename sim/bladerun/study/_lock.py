"""One client a folder: a second one is told who holds it.

Takes a folder; holds it while a block runs. The system itself gives the lock up when its holder ends, however
that came; the file also says host, process and its start, so that what a dead process of this host left
behind is told apart from another host's, which cannot be looked at from here.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from bladerun.errors import InputError

_NAME = ".lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder; InputError names who holds it already."""
    path = folder / _NAME
    try:
        file = open(path, "a+", encoding="utf-8")  # noqa: SIM115  (stays open as long as it is held)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", file=path) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise _held(folder, holder(folder)) from None
        left = holder(folder)
        if left and left["host"] != socket.gethostname():
            raise _held(folder, left)
        file.truncate(0)
        file.write(json.dumps(_me()))
        file.flush()
        try:
            yield
        finally:
            file.truncate(0)


def holder(folder: Path) -> dict[str, Any] | None:
    """Who holds a folder: host, pid, started, since; None if nobody does, or a process that is no more."""
    try:
        who = json.loads((folder / _NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if who["host"] == socket.gethostname() and not _runs(who):
        return None
    return who


def _me() -> dict[str, Any]:
    started = psutil.Process().create_time()
    since = datetime.now(UTC).isoformat(timespec="seconds")
    return {"host": socket.gethostname(), "pid": os.getpid(), "started": started, "since": since}


def _runs(who: dict[str, Any]) -> bool:
    try:
        return abs(psutil.Process(who["pid"]).create_time() - who["started"]) < 1.0
    except psutil.Error:
        return False


def _held(folder: Path, who: dict[str, Any] | None) -> InputError:
    if who is None:
        return InputError("is in use by another process; wait for it", file=folder)
    what = f"is in use by process {who['pid']} on {who['host']} since {who['since']}; wait for it, or end it"
    if who["host"] != socket.gethostname():
        what += f"; if that is gone, delete {folder / _NAME}"
    return InputError(what, file=folder)
