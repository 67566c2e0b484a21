"""The process from which those that solve on this machine are forked.

It loads what they need, which takes seconds: `prepare` begins that, beside this process, and returns at once.
This module itself loads nothing heavy.
"""

import multiprocessing
import os

_LOADED = ["distributed", "bladerun.study"]
# of freed memory that a process keeps, so as not to ask for it again; the most for glibc's mmap threshold,
# mallopt(3)
_KEEP_BYTES = 2**25
_MALLOC = {"MALLOC_TRIM_THRESHOLD_": str(_KEEP_BYTES), "MALLOC_MMAP_THRESHOLD_": str(_KEEP_BYTES)}


def prepare() -> None:
    """Start it where it does not run yet."""
    from multiprocessing import forkserver  # not on every system

    before = {name: os.environ.get(name) for name in _MALLOC}
    os.environ.update(_MALLOC)
    try:
        multiprocessing.get_context("forkserver").set_forkserver_preload(_LOADED)
        forkserver.ensure_running()
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
