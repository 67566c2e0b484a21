"""The knees of a comparison as the report shows them: one table a speed.

Takes a `FitResult` that compares knees; gives heads and rows with their margins and marks.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from bladerun.report.sheet import interval
from bladerun.report.unconfirmed import unconfirmed
from bladerun.status import Status
from bladerun.study.knee_answer import Told, catches, first, told_by

if TYPE_CHECKING:
    from bladerun.study import FitResult


def knee_section(result: FitResult) -> dict[str, Any]:
    """`catches`, `uncertain`, and `tables`: speed, heads, rows; empty without knees compared."""
    knees = result.knees
    if knees is None:
        return {}
    amputation = result.case.amputation
    tables = []
    for speed in knees.speeds:
        at = knees.at(speed)
        heads = [
            {"title": row.title, "today": row.today, "failed": row.status != Status.CONVERGED and row.why}
            for row in at.itertuples()
        ]
        rows = [_row(result, told, speed) for told in told_by(amputation)]
        tables.append({"speed": speed, "heads": heads, "rows": [row for row in rows if row]})
    return {
        "catches": catches(knees, amputation),
        "uncertain": not knees.members.empty,
        "tables": tables,
    }


def _row(result: FitResult, told: Told, speed: float) -> dict[str, Any] | None:
    """Title, marks, a value and half its interval for each knee, and which has least."""
    knees = result.knees
    assert knees is not None
    at = knees.at(speed)
    if told.column not in at or not np.isfinite(at[told.column].to_numpy(float)).any():
        return None
    values = []
    for name in at.index:
        low, value, high = interval(at, told.column, name)
        values.append((value, (high - low) / 2) if math.isfinite(value) else None)
    least = first(knees, speed, told.column)
    return {
        **told._asdict(),
        "unconfirmed": unconfirmed(told.key, ("knee",)),
        "values": values,
        "least": " or ".join(least),
    }
