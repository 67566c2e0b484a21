"""What a comparison of knees says: which outcomes it is told by, and which knee comes first in what.

Takes a `KneeComparison` and whose it is; gives rows, and a sentence a speed. Knees that do not differ clearly
are first together; none is recommended.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from bladerun._lib.data_files import toml
from bladerun.body.runner import Amputation
from bladerun.gait.outcomes import OUTCOMES
from bladerun.status import Status
from bladerun.study.knee_comparison import KneeComparison
from bladerun.study.recommend import weights

ALL, SOUND, KNEE = "all", "sound", "knee"  # of the whole runner, of legs without a blade, of legs with a knee
_HIP = tuple(f"hip_{way}_strength_used_percent" for way in ("flexion", "extension", "abduction"))
_CLEARANCE = "swing_clearance_mm"
_TOLD = (
    ("cost_j_kg_m", ALL),
    ("asymmetry_percent", ALL),
    ("peak_vgrf_bw", SOUND),
    ("loading_rate_bw_s", SOUND),
    (_CLEARANCE, KNEE),
    ("circumduction_mm", KNEE),
    ("hip_hike_swing_deg", KNEE),
    ("vaulting_mm", KNEE),
    *((key, KNEE) for key in _HIP),
    ("knee_stop_moment_least_nm_kg", KNEE),
    ("socket_flexion_torque_peak_nm_kg", KNEE),
    ("socket_adduction_torque_peak_nm_kg", KNEE),
)
_FIRST = (  # what the knee with least of it is
    ("cost_j_kg_m", "cheapest (an order that measurements contradict)"),
    ("asymmetry_percent", "most even"),
    ("peak_vgrf_bw", "easiest on the sound leg"),
)


class Told(NamedTuple):
    """A row of the comparison: column of its table, the key of the outcome or trade-off, words and unit."""

    column: str
    key: str
    title: str
    unit: str
    definition: str
    untested: str


def told_by(amputation: Amputation) -> list[Told]:
    """The rows by which knees are compared, of the legs that they are of."""
    legs = {ALL: ("",), KNEE: amputation.above_knee, SOUND: _sound(amputation)}
    known: dict[str, Any] = {row.key: row._asdict() for row in OUTCOMES}
    known |= {row["key"]: {"untested": "", **row} for row in weights()["tradeoff"]}
    return [
        Told(
            f"{key}_{side}" if side else key,
            key,
            known[key]["title"] + _of(side, whose, legs[whose]),
            known[key]["unit"],
            known[key]["definition"],
            known[key]["untested"],
        )
        for key, whose in _TOLD
        for side in legs[whose]
    ]


def in_words(knees: KneeComparison, amputation: Amputation) -> str:
    """What each speed says: which knee comes first in what."""
    return " ".join(_at(knees, speed, amputation) for speed in knees.speeds)


def catches(knees: KneeComparison, amputation: Amputation) -> list[str]:
    """A sentence for each knee and speed at which the blade passes the ground closer than is safe."""
    least = toml("outcomes.toml")["clearance"]["least_mm"]
    rows = [row for row in told_by(amputation) if row.key == _CLEARANCE and row.column in knees.table]
    found = ((name, row.column) for name in _solved(knees.table).index for row in rows)
    return [
        f"{_capital(name)}: the blade passes {knees.table.at[name, column]:z.0f} mm over the ground in "
        f"swing; under {least:g} mm it may catch."
        for name, column in found
        if knees.table.at[name, column] < least
    ]


def first(knees: KneeComparison, speed_m_s: float, column: str) -> list[str]:
    """Titles of the knees with least of a column, several where they do not differ clearly; none where all of
    them are alike."""
    rows = _solved(knees.at(speed_m_s))
    given = zip(map(str, rows.index), rows[column].to_numpy(float), strict=True)
    values = {name: value for name, value in given if math.isfinite(value)}
    if not values:
        return []
    order = sorted(values, key=lambda name: values[name])
    alike = [name for name in order if name == order[0] or not knees.differ(column, order[0], name)]
    return [str(rows.at[name, "title"]) for name in alike] if len(alike) < len(order) else []


def _at(knees: KneeComparison, speed: float, amputation: Amputation) -> str:
    rows = knees.at(speed)
    solved = _solved(rows)
    if solved.empty:
        return f"At {speed:g} m/s no stride was found."
    told = [row for row in told_by(amputation) if row.column in solved]
    words = {row.column: word for key, word in _FIRST for row in told if row.key == key}
    if hip := _hardest(solved, told):
        way = hip.title.removeprefix("hip ").split(",")[0]
        words[hip.column] = f"asks least of the hip's strength in {way}"
    words |= {row.column: "first to stumble" for row in told if row.key == _CLEARANCE}
    parts = [
        f"{word}: {' or '.join(titles)}"
        for column, word in words.items()
        if (titles := first(knees, speed, column))
    ]
    missing = [str(title) for title in rows.title[rows.status != Status.CONVERGED]]
    text = f"At {speed:g} m/s {'; '.join(parts) or 'the knees do not differ clearly'}."
    return text + (f" No stride was found on: {'; '.join(missing)}." if missing else "")


def _hardest(solved: pd.DataFrame, told: list[Told]) -> Told | None:
    """The direction in which the hip is nearest to its strength, on any knee; None without muscles."""
    most = {
        row: np.nanmax(solved[row.column].to_numpy(float), initial=0.0) for row in told if row.key in _HIP
    }
    return max((row for row in most if most[row] > 0), key=lambda row: most[row], default=None)


def _solved(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.loc[rows.status == Status.CONVERGED]


def _sound(amputation: Amputation) -> tuple[str, ...]:
    return tuple(side for side in ("left", "right") if side not in amputation.sides)


def _of(side: str, whose: str, legs: tuple[str, ...]) -> str:
    if whose == SOUND:
        return ", sound leg"
    return f", {side}" if len(legs) > 1 else ""


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
