"""Where compiled code is kept between runs: one folder for each version of what is compiled.

Takes nothing; gives the environment variable that numba reads when it loads. Numba looks only at the file a
function stands in: without this, a change in the contact law would leave the old law in the compiled sweep.
A version that compiles the same finds it there, also in an installation that nobody may write to. Where the
user has no cache, a folder for temporary files serves. `bladerun` imports this before numba.
"""

import contextlib
import hashlib
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

_HERE = Path(__file__).parents[1]
# files with functions that are compiled, and with the tuples and constants that those read
_COMPILED = (
    "_lib/jitable.py",
    "body/passive_laws.py",
    "environment.py",
    "forward/simulator.py",
    "stride/_curvature.py",
    "stride/_linear_algebra.py",
    "stride/cost/*.py",
    "stride/dynamics/*.py",
    "stride/sweep.py",
    "stride/transcription/*.py",
)
SOURCES = [path for pattern in _COMPILED for path in sorted(_HERE.glob(pattern))]
_HASH = hashlib.sha256(b"".join(path.read_bytes() for path in SOURCES)).hexdigest()[:16]
_OURS = re.compile("[0-9a-f]{16}")
_UNUSED_S = 60 * 86400.0
_NAME = "NUMBA_CACHE_DIR"


def _places() -> Iterator[Path]:
    """Where it may be kept, the best first."""
    if given := os.environ.get(_NAME):
        yield Path(given)
    caches = [os.environ.get("XDG_CACHE_HOME"), os.environ.get("LOCALAPPDATA")]  # the latter on Windows
    with contextlib.suppress(RuntimeError):  # a user whom the system does not know has no home
        caches.append(str(Path.home() / ".cache"))
    for cache in caches:
        if cache and os.path.isabs(cache):
            yield Path(cache) / "bladerun" / _HASH
    if private := _private():
        yield private / _HASH


def _private() -> Path | None:
    """A folder for temporary files of this user alone: what others could put there would be run."""
    user = os.getuid() if hasattr(os, "getuid") else ""
    try:
        path = Path(tempfile.gettempdir()) / f"bladerun-{user}"
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
    except OSError:
        return None
    theirs = user != "" and (found.st_uid != user or found.st_mode & 0o077)
    return None if theirs or not stat.S_ISDIR(found.st_mode) else path


def _usable(path: Path) -> bool:
    try:
        path.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=path).close()
    except OSError:
        return False
    return True


def _sweep(place: Path) -> None:
    """Mark a folder as used now, and remove those beside it that no version used for two months."""
    with contextlib.suppress(OSError):
        os.utime(place)
        for path in place.parent.iterdir():
            if _OURS.fullmatch(path.name) and path.stat().st_mtime < time.time() - _UNUSED_S:
                shutil.rmtree(path, ignore_errors=True)


PLACE = next(filter(_usable, _places()), None)
if PLACE:
    os.environ[_NAME] = str(PLACE)
    if PLACE.name == _HASH:
        _sweep(PLACE)
