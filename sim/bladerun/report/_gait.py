"""How the runner runs, as gait laboratories report it: pace, cadence, times, lengths, posture.

Takes the table of a study and the names of the fittings shown; gives the rows of the report's first table.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pandas as pd

from bladerun.gait.outcomes import OUTCOMES
from bladerun.report.sheet import interval

_MILE_M = 1609.344  # international mile (NIST SP 811, appendix B.8)


class _Measure(NamedTuple):
    key: str
    title: str
    unit: str
    factor: float = 1.0


_MEASURES = (
    _Measure("step_frequency_hz", "cadence", "steps/min", 60.0),
    _Measure("step_length_m", "step length", "m"),
    _Measure("step_time_s", "step time", "ms", 1e3),
    _Measure("contact_time_s", "contact time", "ms", 1e3),
    _Measure("flight_time_s", "flight time", "ms", 1e3),
    _Measure("duty_factor", "duty factor", "%", 1e2),
    _Measure("com_excursion_mm", "vertical oscillation", "mm"),
    _Measure("heel_step_width_m", "step width", "mm", 1e3),
    _Measure("trunk_lean_deg", "forward lean of the trunk", "deg"),
    _Measure("landing_offset_m", "overstride: landing ahead of the body", "mm", 1e3),
    _Measure("knee_flexion_touchdown_deg", "knee flexion at touchdown", "deg"),
    _Measure("peak_vgrf_bw", "peak vertical force", "BW"),
    _Measure("loading_rate_bw_s", "loading rate", "BW/s"),
    _Measure("vertical_impulse_bw_s", "vertical impulse", "BW s"),
)


def pace(speed_m_s: float) -> str:
    """A speed as runners and treadmills say it: `3 m/s = 10.8 km/h = 6.7 mph = 5:33 min/km = ...`."""
    parts = [f"{speed_m_s:g} m/s", f"{3.6 * speed_m_s:.1f} km/h", f"{3600 * speed_m_s / _MILE_M:.1f} mph"]
    for length_m, name in ((1e3, "km"), (_MILE_M, "mile")):
        minutes, seconds = divmod(round(length_m / speed_m_s), 60)
        parts.append(f"{minutes}:{seconds:02d} min/{name}")
    return " = ".join(parts)


def spatiotemporal(table: pd.DataFrame, names: list[str]) -> list[dict[str, Any]]:
    """The rows: title, unit, definition and, for each fitting, the values with half their interval: of left
    and right, or one of both. Rows that no fitting has are left out."""
    outcomes = {row.key: row for row in OUTCOMES}
    rows = []
    for key, title, unit, factor in _MEASURES:
        outcome = outcomes[key]
        columns = [f"{key}_{leg}" for leg in ("left", "right")] if outcome.per_leg else [key]
        if not set(columns) <= set(table.columns) or table.loc[names, columns].isna().all(axis=None):
            continue
        values = [[_scaled(table, column, name, factor) for column in columns] for name in names]
        rows.append({"title": title, "unit": unit, "definition": outcome.definition, "fittings": values})
    return rows


def _scaled(table: pd.DataFrame, column: str, name: str, factor: float) -> tuple[float, float]:
    low, value, high = interval(table, column, name)
    return factor * value, factor * (high - low) / 2
