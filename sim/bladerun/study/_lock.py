"""One client a folder: a second one is told who holds it.

Takes a folder; holds it while a block runs. The system itself gives the lock up when its holder ends, however
that came. A second file says host, process and its start, so that what a dead process of this host left
behind is told apart from another host's, which cannot be looked at from here; it is not the locked one, which
nobody else may read on Windows. On a file system without locks that file alone tells.
"""

from __future__ import annotations

import errno
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock, Timeout

from bladerun.errors import InputError

_NAME, _HELD = ".lock", ".held"
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)  # as network file systems answer


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder; InputError names who holds it already."""
    path = folder / _NAME
    with _system_lock(folder) as kept:
        left = holder(folder)
        if left and not (kept and left["host"] == socket.gethostname()):
            raise _held(folder, left)
        try:
            path.write_text(json.dumps(_me()), encoding="utf-8")
            yield
        finally:
            path.write_text("", encoding="utf-8")


@contextmanager
def _system_lock(folder: Path) -> Iterator[bool]:
    """Hold it by the system's lock; gives False where the file system has none, and only the note tells."""
    try:
        lock = FileLock(folder / _HELD).acquire(timeout=0)
    except Timeout:
        raise _held(folder, holder(folder)) from None
    except NotImplementedError:  # how the package says ENOSYS
        lock = None
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise InputError(f"cannot be written: {error.strerror}", file=folder / _NAME) from None
        lock = None
    with lock or nullcontext():
        yield lock is not None


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
