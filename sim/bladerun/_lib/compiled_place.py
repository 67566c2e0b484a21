"""Imported before anything that is compiled: an `InputError` where compiled code can be kept nowhere.

Numba would say that it has no locator. What compiles nothing works all the same.
"""

from bladerun._lib import compiled
from bladerun.errors import InputError

if not compiled.PLACE:
    raise InputError(
        "nowhere to keep compiled code; give a folder that can be written to", key="NUMBA_CACHE_DIR"
    )
