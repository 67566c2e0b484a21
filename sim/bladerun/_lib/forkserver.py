"""How processes that solve on this machine start: on Linux forked from one that has loaded what they need.

Loading takes seconds: `prepare` begins it, beside this process, and returns at once. Elsewhere each process
loads for itself: Windows has no fork, on macOS what system libraries have begun does not outlive one, and
where the folder for temporary files has a long name that process could not be reached. This module itself
loads nothing heavy.
"""

import multiprocessing
import os
import sys

# bytes in the name of a socket, less what multiprocessing adds to the folder for temporary files
_LONGEST = 107 - len("/pymp-12345678/listener-12345678")
_FOLDER = next((os.environ[name] for name in ("TMPDIR", "TEMP", "TMP") if os.environ.get(name)), "")

METHOD = "forkserver" if sys.platform == "linux" and len(os.fsencode(_FOLDER)) <= _LONGEST else "spawn"

_LOADED = ["bladerun.study"]
# of freed memory that a process keeps, so as not to ask for it again; the most for glibc's mmap threshold,
# mallopt(3)
_KEEP_BYTES = 2**25
_MALLOC = {"MALLOC_TRIM_THRESHOLD_": str(_KEEP_BYTES), "MALLOC_MMAP_THRESHOLD_": str(_KEEP_BYTES)}


def prepare() -> None:
    """Start the process to fork from, where one is used and does not run yet."""
    if METHOD != "forkserver":
        return
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
