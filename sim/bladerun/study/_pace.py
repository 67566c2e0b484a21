"""How long there is to wait: told from strides that were solved, never from the time that compiling took.

Takes how many are solved and how many are left; gives seconds, or None until there is something to tell by.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

COMPILING = "compiling, once, about a minute"


class Pace:
    """workers: how many solve at once; the first stride of each may have compiled, and does not count."""

    def __init__(self, workers: int):
        self._workers = workers
        self._from: tuple[float, int] | None = None
        self._compiled = _compiled()

    def left_s(self, solved: int, left: int) -> float | None:
        """Seconds that so many take that are left; solved: since this began."""
        if solved < self._workers:
            return None
        if self._from is None:
            self._from = time.monotonic(), solved
        since, before = self._from
        return (time.monotonic() - since) / (solved - before) * left if solved > before else None

    def words(self, solved: int, what: str) -> str:
        """What is being done: before anything was ever solved here that is compiling."""
        return what if solved or self._compiled else COMPILING


def _compiled() -> bool:
    kept = os.environ.get("NUMBA_CACHE_DIR")
    return kept is not None and next(Path(kept).rglob("*.nbi"), None) is not None
