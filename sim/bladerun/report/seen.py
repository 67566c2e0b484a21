"""What was seen of the runner on a film, beside the prediction for today's fitting: rows and a sentence.

Takes what was seen and the outcomes predicted; gives rows to show, in the units that people read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from bladerun.gait.outcomes import OUTCOMES
from bladerun.motion.comparison import AGREES, DIFFERS, UNKNOWN, compare_seen
from bladerun.report.words import figure, known
from bladerun.seen import Seen

_NAMED = 3  # that differ, in a sentence
_UNITS = {"m": ("mm", 1e3), "s": ("ms", 1e3), "deg": ("°", 1.0), "-": ("", 1.0)}  # as read, factor to it


def seen_rows(seen: Seen, predicted: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """Every outcome that was seen, in the order of `OUTCOMES`: column, title, leg, unit, seen, margin,
    predicted, verdict, strides.

    margin: within this the prediction agrees, twice the SD of strides and marks together. Without what is
    predicted, or where it has not such an outcome, predicted is "–" and the verdict "".
    """
    found = {(row.key, row.side): row for row in compare_seen({} if predicted is None else predicted, seen)}
    rows = []
    for outcome in OUTCOMES:
        unit, factor = _UNITS.get(outcome.unit, (outcome.unit, 1.0))
        for leg in ("left", "right") if outcome.per_leg else ("",):
            column = f"{outcome.key}_{leg}" if leg else outcome.key
            if column not in seen.outcomes:
                continue
            value, beside = seen.outcomes[column], found.get((outcome.key, leg))
            half = 2 * math.hypot(value.accuracy, value.sd or 0.0)
            shown, margin = known(factor * value.mean, factor * half, unit)
            rows.append(
                {
                    "column": column,
                    "title": outcome.title,
                    "leg": leg,
                    "unit": unit,
                    "seen": shown,
                    "margin": margin,
                    "strides": value.strides,
                    "predicted": figure(factor * beside.predicted if beside else None, unit=unit),
                    "verdict": beside.verdict if beside else "",
                }
            )
    return rows


def seen_in_words(rows: Sequence[Mapping[str, Any]]) -> str:
    """How many agree, and which do not."""
    told = [row for row in rows if row["verdict"] in (AGREES, DIFFERS)]
    unknown = sum(row["verdict"] == UNKNOWN for row in rows)
    agree = sum(row["verdict"] == AGREES for row in told)
    if not told:
        return "nothing was seen on more than one stride, so the prediction cannot be held against it."
    words = f"{agree} of {len(told)} outcomes seen agree with the prediction for today's fitting"
    if differing := [row for row in told if row["verdict"] == DIFFERS]:
        more = f" and {len(differing) - _NAMED} more" if len(differing) > _NAMED else ""
        words += f"; these differ: {', '.join(map(_differs, differing[:_NAMED]))}{more}"
    if unknown:
        words += f"; {unknown} cannot be told, seen on one stride"
    return words + "."


def _differs(row: Mapping[str, Any]) -> str:
    leg, unit = row["leg"] and f" {row['leg']}", row["unit"] and f" {row['unit']}".replace(" °", "°")
    return f"{row['title']}{leg} {row['seen']} ± {row['margin']}{unit} for {row['predicted']} predicted"
