"""How far a study is, and its table as it is now.

Takes its folder; gives rows done and in all, how they ended, who is at it, and about how long it will take.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from bladerun.study import _store
from bladerun.study._lock import holder
from bladerun.study._store import export

__all__ = ["export", "status"]


def status(folder: str | Path) -> dict[str, Any]:
    """What is known without disturbing who is at it; InputError where the folder holds no study.

    seconds_left: of one process a core of the machine that is at it; None while nothing is known.
    """
    about = _store.manifest(folder)
    rows = _store.table(folder, ["status", "seconds", "worker"])
    counts = {each["values"]: each["counts"] for each in rows.column("status").value_counts().to_pylist()}
    workers = len(rows.column("worker").slice(max(len(rows) - 100, 0)).unique())
    seconds = rows.column("seconds").to_numpy()
    each_s = float(np.nanmean(seconds)) if np.isfinite(seconds).any() else None
    left = max(about["rows"] - len(rows), 0)
    who = holder(Path(folder))
    return {
        "kind": about["kind"],
        "done": len(rows),
        "rows": about["rows"],
        **{f"rows_{name.replace(' ', '_')}": count for name, count in sorted(counts.items())},
        "seconds_a_row": each_s and round(each_s, 2),
        "seconds_left": each_s and round(left * each_s / max(workers, 1)),
        "held_by": f"process {who['pid']} on {who['host']} since {who['since']}" if who else None,
        "begun": about["begun"],
    }
