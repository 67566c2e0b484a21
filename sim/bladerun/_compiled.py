"""Where compiled code is kept between runs: one folder for each version of the source.

Takes nothing; gives the environment variable that numba reads when it loads. Numba looks only at the file a
function stands in: without this, a change in the contact law would leave the old law in the compiled sweep.
`bladerun` imports this before numba.
"""

import contextlib
import hashlib
import os
from pathlib import Path

_HERE = Path(__file__).parent
_SOURCES = [*sorted(_HERE.glob("stride/**/*.py")), _HERE / "_plant.py", _HERE / "environment.py"]
_HASH = hashlib.sha256(b"".join(path.read_bytes() for path in _SOURCES)).hexdigest()[:16]
_CACHES = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")  # the latter on Windows
_CACHE = Path(_CACHES or Path.home() / ".cache") / "bladerun" / _HASH

if "NUMBA_CACHE_DIR" not in os.environ:
    with contextlib.suppress(OSError):  # where nothing can be kept, numba finds a place of its own
        _CACHE.mkdir(parents=True, exist_ok=True)
        if os.access(_CACHE, os.W_OK):
            os.environ["NUMBA_CACHE_DIR"] = str(_CACHE)
