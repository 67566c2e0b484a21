"""Today's fitting, predicted and measured, in words.

Takes a `HeldToday`; gives the sentences and rows that report and terminal say.
"""

from __future__ import annotations

import math
from typing import Any

from bladerun.motion.comparison import AGREES, DIFFERS, UNKNOWN
from bladerun.report.words import figure
from bladerun.study.today import HeldToday


def today_words(today: HeldToday) -> dict[str, Any]:
    """verdict and narrowed (empty without an ensemble): sentences; doubt: whether advice is; rows."""
    rows = [{**row._asdict(), "sd": row.sd if math.isfinite(row.sd) else None} for row in today.rows]
    return {
        "verdict": _verdict(today),
        "doubt": today.verdict != AGREES,
        "narrowed": _narrowed(today),
        "rows": rows,
    }


def _verdict(today: HeldToday) -> str:
    told = [row for row in today.rows if row.verdict != UNKNOWN]
    agree = sum(row.verdict == AGREES for row in told)
    counts = f"{agree} of {len(told)} outcomes agree"
    speeds = f"{today.strides} strides at {today.measured_m_s:.2f} m/s"
    if abs(today.measured_m_s - today.predicted_m_s) > 0.05:
        speeds += f", the prediction is of {today.predicted_m_s:.2f} m/s"
    said = {
        AGREES: "The prediction of today's setting agrees with what was measured of this runner",
        DIFFERS: "The prediction of today's setting differs from what was measured of this runner, so what "
        "it says of other settings is in doubt",
        UNKNOWN: "Too little was measured to tell whether the prediction of today's setting is right",
    }
    return f"{said[today.verdict]}: {counts} ({speeds})."


def _narrowed(today: HeldToday) -> str:
    if today.share is None:
        return ""
    each = "; ".join(
        f"{row['title']} from ±{figure(row['without'], 2)} to ±{figure(row['with'], 2)} {row['unit']}".strip()
        for row in today.narrowed
    )
    return (
        f"Knowing how this runner runs, the intervals of today's setting are {100 * today.share:.0f} % of "
        f"what they would be without (median): {each}."
    )
