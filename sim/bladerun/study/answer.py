"""The answer step by step: which change to try first, what should then be seen, what each change alone does.

Takes a table of fittings and the one worn today; gives names, numbers and sentences. A change alone differs
from today's fitting in one of category, height, toe-out and flexion.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from bladerun.case import ADJUSTED
from bladerun.status import Status
from bladerun.study.recommend import matters, weights

_SEEN = (  # column (of the blade's leg where it ends with an underscore), factor, unit, more, less
    ("foot_progression_deg_", 1, "°", "the blade points further out", "the blade points further in"),
    ("hip_height_difference_mm", 1, " mm", "the hip rides higher over the blade",
     "the hip rides lower over the blade"),
    ("tip_swing_mm_", 1, " mm", "the tip swings further out after toe-off",
     "the tip swings less after toe-off"),
    ("blade_compression_mm_", 1, " mm", "the blade bends more", "the blade bends less"),
    ("contact_time_s_", 1e3, " ms", "longer contact on the blade", "shorter contact on the blade"),
    ("knee_flexion_touchdown_deg_", 1, "°", "the knee lands more bent", "the knee lands straighter"),
    ("recoil_direction_deg_", 1, "°", "the push goes more upright", "the push goes more forward"),
    ("landing_offset_m_", 1e3, " mm", "the blade lands further ahead", "the blade lands closer to the body"),
)  # fmt: skip
_MOST = 4


def changes(table: pd.DataFrame, current: str) -> list[dict[str, Any]]:
    """Every solved fitting that differs from today's in one setting, best first.

    name, axis (of `ADJUSTED`), words, gain (score of today less its own; NaN where today's was not solved),
    and the change of every trade-off and of the blade's margin by key.
    """
    today, keys = table.loc[current], [row["key"] for row in weights()["tradeoff"]]
    keys.append(weights()["constraint"]["key"])
    rows = []
    for name, row in table.iterrows():
        moved = [axis for axis in ADJUSTED if row[axis] != today[axis]]
        if len(moved) != 1 or row.status != Status.CONVERGED:
            continue
        rows.append(
            {
                "name": name,
                "axis": moved[0],
                "words": in_words(moved[0], row[moved[0]] - today[moved[0]]),
                "gain": today.score - row.score,
                "holds": bool(row[weights()["constraint"]["key"]] >= weights()["constraint"]["minimum"]),
                **{key: row[key] - today[key] for key in keys},
            }
        )
    return sorted(rows, key=lambda row: -row["gain"] if math.isfinite(row["gain"]) else math.inf)


def first_step(table: pd.DataFrame, recommended: str | None, current: str) -> str | None:
    """The one change to try first on the way to the recommended fitting; None where nothing is to change.

    It is the best of those that change one setting towards it; the recommended fitting itself if none is
    better than today's.
    """
    if recommended is None or recommended == current:
        return None
    today, aim = table.loc[current], table.loc[recommended]
    towards = [
        row["name"]
        for row in changes(table, current)
        if row["holds"] and row["gain"] > 0 and table.at[row["name"], row["axis"]] == aim[row["axis"]]
    ]
    return towards[0] if towards and not _single(today, aim) else recommended


def look_for(table: pd.DataFrame, name: str, current: str, side: str) -> list[str]:
    """What should be seen on the track with this fitting against today's, by what matters, most first.

    side: of the blade that is looked at, "left" or "right".
    """
    rows = []
    for key, factor, unit, more, less in _SEEN:
        column = f"{key}{side}" if key.endswith("_") else key
        change, least = table.at[name, column] - table.at[current, column], matters(column) or math.inf
        if abs(change) >= least:
            text = f"{more if change > 0 else less} ({abs(factor * change):.0f}{unit})"
            rows.append((abs(change) / least, text))
    return [text for _, text in sorted(rows, reverse=True)[:_MOST]]


def in_words(axis: str, step: float) -> str:
    """A change of one setting: `one category softer`, `10 mm shorter`, `5° further out`."""
    size = abs(step)
    if axis == "category":
        count = "one category" if size == 1 else f"{size:g} categories"
        return f"{count} {'stiffer' if step > 0 else 'softer'}"
    if axis == "height_mm":
        return f"{size:g} mm {'taller' if step > 0 else 'shorter'}"
    if axis == "sagittal_deg":
        return f"{size:g}° {'more' if step > 0 else 'less'} flexion"
    return f"toe {size:g}° further {'out' if step > 0 else 'in'}"


def _single(today: Mapping[str, Any], aim: Mapping[str, Any]) -> bool:
    return sum(today[axis] != aim[axis] for axis in ADJUSTED) == 1
