"""The report of a study: one page for a prosthetist to read, keep and send; nothing is loaded from elsewhere.

Takes a `FitResult`; writes `report.html` (pictures and style inside) and the sheet, one page to file. What
the page says is decided here and in `words`, how it looks in `template.html` and `style.css`.
"""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from bladerun import __version__
from bladerun._lib import paper  # noqa: F401  (before reportlab)
from bladerun._lib.data_files import toml
from bladerun._lib.files import atomic
from bladerun.body.legs import apart
from bladerun.dataset.files import read_stride
from bladerun.dataset.reading import has_muscles
from bladerun.gait.outcomes import OUTCOMES
from bladerun.report._gait import pace, spatiotemporal
from bladerun.report._heat import heat_map
from bladerun.report._knees import knee_section
from bladerun.report._page import page
from bladerun.report._particulars import particulars
from bladerun.report._pictures import bench, landings, moments
from bladerun.report.seen import seen_in_words, seen_rows
from bladerun.report.sheet import interval, uncertainty, write_sheet
from bladerun.report.today import today_words
from bladerun.report.unconfirmed import differing, unconfirmed
from bladerun.report.words import answer, blade_from, blade_title, landing_words, recoil, setting, sweet_spot
from bladerun.show import plots
from bladerun.status import Status
from bladerun.study.answer import changes
from bladerun.study.recommend import told_apart, verdict, weights

if TYPE_CHECKING:
    import pandas as pd

    from bladerun.study import FitResult

_AFFECTED = (  # what is shown side by side of the leg with the blade, in this order
    "foot_progression_deg", "sweet_spot_offset_m", "recoil_direction_deg", "blade_energy_return_percent",
    "blade_energy_peak_j",
    "blade_energy_returned_j", "blade_compression_mm", "hip_torque_rotation_peak_nm_kg",
    "hip_torque_adduction_peak_nm_kg", "hip_torque_flexion_peak_nm_kg", "socket_axial_torque_peak_nm",
    "hip_rotation_torque_excess_nm_kg", "pelvic_obliquity_deg", "lateral_whip_deg", "tip_swing_mm",
    "knee_flexion_touchdown_deg", "running_leg_length_midstance_mm", "standing_height_difference_mm",
    "swing_clearance_mm", "toe_ahead_mm",
    "alignment_alpha_deg", "alignment_beta_deg", "landing_offset_m", "contact_time_s", "peak_vgrf_bw",
    "leg_stiffness_kn_m", "blade_strain_margin", "ankle_or_blade_work_net_j_kg",
    "leg_cost_of_transport_j_kg_m", "activation_peak", "reserve_peak_fraction", "hip_contact_force_bw",
    "knee_contact_force_bw",
)  # fmt: skip
_SOUND = (
    "foot_progression_deg", "peak_vgrf_bw", "loading_rate_bw_s", "contact_time_s",
    "hip_torque_rotation_peak_nm_kg", "hip_adduction_torque_excess_nm_kg", "knee_flexion_torque_excess_nm_kg",
    "running_leg_length_midstance_mm", "knee_extension_torque_peak_nm_kg", "leg_stiffness_kn_m",
    "ankle_or_blade_work_net_j_kg",
    "leg_cost_of_transport_j_kg_m", "activation_peak", "reserve_peak_fraction", "hip_contact_force_bw",
    "knee_contact_force_bw",
)  # fmt: skip
_HELD = (
    "blade_compression_mm", "blade_energy_returned_j", "sweet_spot_offset_m", "recoil_direction_deg",
    "hip_torque_rotation_peak_nm_kg", "psis_difference_mm", "lateral_whip_deg", "contact_time_s",
    "peak_vgrf_bw", "landing_offset_m",
)  # fmt: skip
_MAPPED = ("sweet_spot_offset_m", "blade_energy_return_percent")  # heat maps besides score and trade-offs
_FRAME = (640, 480)


def write_report(result: FitResult) -> Path:
    """Write the report and the fitting sheet beside it.

    Parameters
    ----------
    result
        What `fit` gave.

    Returns
    -------
    Path
        The page, `result.report`.
    """
    text = page("template.html", "style.css", _content(result))
    with atomic(result.report) as tmp:
        tmp.write_text(text, encoding="utf-8")
    write_sheet(result)
    return result.report


def _content(result: FitResult) -> dict[str, Any]:
    case, table = result.case, result.table
    names = {"current": result.current} | ({"recommended": result.recommended} if result.recommended else {})
    shown = result.recommended or result.current
    stride = _stride(result, shown)
    solved = table.status == Status.CONVERGED
    told = answer(table, result.recommended, result.current, result.first, _sides(result)[0])
    return {
        "version": __version__,
        "title": "Which knee" if result.only_knees else "Which blade setting to try",
        "only_knees": result.only_knees,
        "knees": knee_section(result),
        "runner": _runner(result),
        "task": case.task,
        "limb": case.amputation.untested,
        "blade": blade_title(case.fitting) if case.fitting else "",
        "apart": bool(case.fitting and apart(case.fitting)),
        "settings": {role: setting(table.loc[name]) for role, name in names.items()},
        "same": result.recommended == result.current,
        "today": today_words(result.today) if result.today else {},
        "answer": told._replace(label="Knees compared") if result.only_knees else told,
        "changes": changes(table, result.current) if solved[result.current] else [],
        "doubtful": unconfirmed,
        "why": result.why,
        "indistinct": [setting(table.loc[name]) for name in result.indistinct],
        "tradeoffs": _tradeoffs(result) if solved.any() else [],
        "limit": weights()["constraint"],
        "least_gain": weights()["change"]["least_gain"],
        "weights_source": weights()["source"],
        "pace": pace(case.task.speed_m_s),
        "gait": _gait(result, names, stride) if solved.any() else {},
        "sections": _sections(result) if solved.any() else [],
        "seen": _seen(result),
        "held": _held(result),
        "catches": _catches(result, names) if solved.any() else [],
        "words": {role: _in_words(result, name) for role, name in names.items() if solved[name]},
        "maps": _maps(result) if solved.any() else [],
        "failed": [
            (setting(table.loc[name]), table.at[name, "status"], table.at[name, "why"])
            for name in table.index[~solved]
        ],
        "counts": {"fittings": len(table), "solved": int(solved.sum()), "visits": int(table.visits.sum())},
        "pictures": moments(stride, _FRAME) if stride is not None else [],
        "plots": _bench(result, names) + _plots(stride) if stride is not None else [],
        "window": _window(result),
        "shown": setting(table.loc[shown]),
        "all_outcomes": _all_outcomes(result, shown) if solved[shown] else [],
        "uncertainty": uncertainty(table),
        "blade_from": blade_from(case.fitting),
        "definitions": OUTCOMES,
        "sources": sorted({row.source for row in OUTCOMES if "own" not in row.source}),
    }


def _runner(result: FitResult) -> list[tuple[str, str]]:
    runner, amputation, task = result.case.runner, result.case.amputation, result.case.task
    sides = {"both": "both sides", "left": "left side", "right": "right side"}
    rows = [
        ("body mass", f"{runner.mass_kg:g} kg"),
        ("height", f"{runner.height_m:g} m"),
        ("sex", runner.sex),
        ("amputation", f"{amputation.level}, {sides.get(amputation.side, amputation.side)}"),
        ("running", f"steady, at {task}"),
    ]
    own = particulars(result.case)
    return [*rows, ("set for this runner", "; ".join(own))] if own else rows


def _sides(result: FitResult) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Legs with a blade, and without."""
    side = result.case.amputation.side
    affected = ("left", "right") if side == "both" else (side,)
    return affected, tuple(leg for leg in ("left", "right") if leg not in affected)


def _gait(result: FitResult, names: dict[str, str], stride: xr.Dataset | None) -> dict[str, Any]:
    """How the runner runs on the fittings that were solved, the recommended one first, and the curves of the
    one shown."""
    titles = {"recommended": "to try", "current": "worn today"}
    shown = {names[role]: title for role, title in titles.items() if role in names}
    solved = [name for name in shown if result.table.at[name, "status"] == Status.CONVERGED]
    return {
        "fittings": [shown[name] for name in solved],
        "legs": [f"{leg}, blade" if leg in _sides(result)[0] else leg for leg in ("left", "right")],
        "rows": spatiotemporal(result.table, solved),
        "curves": _drawing(plots.gait_cycle(stride)) if stride is not None else "",
    }


def _catches(result: FitResult, names: dict[str, str]) -> list[str]:
    """A sentence for each fitting and leg whose blade passes the ground closer than is safe."""
    titles = {"recommended": "the one to try", "current": "the one worn today"}
    least = toml("outcomes.toml")["clearance"]["least_mm"]
    return [
        f"On {titles[role]} the {leg} blade passes {result.table.at[name, column]:z.0f} mm over the "
        f"ground in swing; under {least:g} mm it may catch."
        for role, name in names.items()
        for leg in _sides(result)[0]
        if (column := f"swing_clearance_mm_{leg}") in result.table and result.table.at[name, column] < least
    ]


def _tradeoffs(result: FitResult) -> list[dict[str, Any]]:
    """The rows of the score: weight, value of each fitting, and whether the two are told apart."""
    compared = {row["key"]: row for row in result.comparison}
    rows = []
    for row in result.weights["tradeoff"]:
        values = {
            role: _with_margin(result.table, row["key"], name)
            for role, name in (("recommended", result.recommended), ("current", result.current))
            if name is not None
        }
        shown = {"values": values, "verdict": compared.get(row["key"], {}).get("verdict"), "untested": ""}
        rows.append(row | shown | {"unconfirmed": _unconfirmed(result, row["key"])})
    return rows


def _unconfirmed(result: FitResult, key: str) -> str:
    """What validation did not confirm of the change from today's fitting to the recommended one."""
    if result.recommended is None:
        return ""
    rows = (result.table.loc[name] for name in (result.recommended, result.current))
    return unconfirmed(key, differing(*rows))


def _sections(result: FitResult) -> list[dict[str, Any]]:
    """Recommended beside current, one table a leg."""
    affected, sound = _sides(result)
    sections = [(f"{leg} leg, with the blade", leg, _AFFECTED) for leg in affected]
    sections += [(f"{leg} leg, sound", leg, _SOUND) for leg in sound]
    return [
        {"title": title, "rows": [row for key in keys if (row := _row(result, key, leg)) is not None]}
        for title, leg, keys in sections
    ]


def _row(result: FitResult, key: str, leg: str) -> dict[str, Any] | None:
    """One outcome of one leg: both values with their margins, and whether the two are told apart."""
    table, column = result.table, f"{key}_{leg}"
    names = [name for name in (result.recommended, result.current) if name is not None]
    if column not in table or table.loc[names, column].isna().all():
        return None
    outcome = next(row for row in OUTCOMES if row.key == key)
    unit, factor = _shown(outcome.unit)
    values = [factor * float(table.at[name, column]) for name in names]
    told = state = None
    if len(names) == 2 and names[0] != names[1] and np.isfinite(values).all():
        told = bool(told_apart(table, column, names[0], [names[1]], result.members)[names[1]])
        state = verdict(column, told, (values[0] - values[1]) / factor)
    return {
        "title": outcome.title,
        "unit": unit,
        "definition": outcome.definition,
        "untested": outcome.untested,
        "unconfirmed": _unconfirmed(result, key),
        "values": [_with_margin(table, column, name, factor) for name in names],
        "told_apart": told,
        "verdict": state,
    }


def _held(result: FitResult) -> dict[str, Any]:
    """The recommended fitting under today's controls beside the adapted one; empty where it was not asked."""
    if not result.held:
        return {}
    rows = []
    for leg in _sides(result)[0]:
        for key in _HELD:
            row, column = _row(result, key, leg), f"{key}_{leg}"
            if row is None or result.held["status"] != Status.HELD:
                continue
            _, factor = _shown(next(each.unit for each in OUTCOMES if each.key == key))
            held, (adapted, _), (today, _) = factor * result.held[column], *row["values"]
            same = (held - today) * (adapted - today) > 0 if row["told_apart"] else None
            rows.append(row | {"leg": leg, "held": held, "same": same})
    return {"rows": rows, **{key: result.held[key] for key in ("status", "why", "feedback_share")}}


def _seen(result: FitResult) -> dict[str, Any]:
    """What was seen on a film beside the prediction for today's fitting; empty where there is none."""
    seen = result.case.measured
    if seen is None or result.table.at[result.current, "status"] != Status.CONVERGED:
        return {}
    rows = seen_rows(seen, result.table.loc[result.current].to_dict())
    return {"rows": rows, "words": seen_in_words(rows), "speed_m_s": seen.speed_m_s}


def _with_margin(table: pd.DataFrame, column: str, name: str, factor: float = 1.0) -> tuple[float, float]:
    """A value and half the interval around it."""
    low, value, high = interval(table, column, name)
    return factor * value, factor * (high - low) / 2


def _in_words(result: FitResult, name: str) -> list[dict[str, str]]:
    """What the recoil does and where the blade stands, for every leg with a blade."""
    affected, _ = _sides(result)
    row = result.table.loc[name]
    return [
        {
            "leg": leg,
            "recoil": recoil(row[f"recoil_direction_deg_{leg}"]),
            "sweet_spot": sweet_spot(row[f"sweet_spot_offset_m_{leg}"]),
        }
        for leg in affected
    ]


def _maps(result: FitResult) -> list[dict[str, Any]]:
    """Heat maps over category, height and toe-out."""
    limit = weights()["constraint"]
    columns = [("score", "Score", "lowest is recommended", "")]
    for row in (*weights()["tradeoff"], limit):
        columns.append((row["key"], row["title"].capitalize(), row["definition"], row.get("unit", "")))
    for key in _MAPPED:
        outcome = next(row for row in OUTCOMES if row.key == key)
        for leg in _sides(result)[0]:
            title = f"{outcome.title.capitalize()}, {leg}"
            columns.append((f"{key}_{leg}", title, outcome.definition, outcome.unit))
    maps = []
    for column, title, text, unit in columns:
        unit, factor = _shown(unit)
        maps.append({"title": title, "definition": text, "unit": unit, "factor": factor})
        maps[-1] |= heat_map(result, column)
    return maps


def _shown(unit: str) -> tuple[str, float]:
    """The unit that a prosthetist reads, and the factor to it."""
    return {"m": ("mm", 1e3), "-": ("", 1.0)}.get(unit, (unit, 1.0))


def _all_outcomes(result: FitResult, name: str) -> list[dict[str, Any]]:
    """Every outcome of one fitting."""
    row = result.table.loc[name]
    return [
        {
            "outcome": outcome,
            "values": [row.get(f"{outcome.key}_{leg}") for leg in ("left", "right")]
            if outcome.per_leg
            else [row.get(outcome.key)],
        }
        for outcome in OUTCOMES
    ]


def _stride(result: FitResult, name: str) -> xr.Dataset | None:
    if result.table.at[name, "status"] != Status.CONVERGED:
        return None
    return read_stride(result.stride(name))


def _bench(result: FitResult, names: dict[str, str]) -> list[dict[str, str]]:
    """The bench alignment of both fittings."""
    titles = {"recommended": "To try", "current": "Worn today"}
    if names.get("recommended") == names["current"]:
        names = {"current": names["current"]}
    found = {titles[role]: _stride(result, name) for role, name in names.items()}
    strides = {title: stride for title, stride in found.items() if stride is not None}
    return [{"title": "Bench alignment", "data": _drawing(bench(strides, _sides(result)[0]))}]


def _window(result: FitResult) -> dict[str, str]:
    """How far the landing may move, in words and drawn; empty where it was not solved."""
    if result.window is None:
        return {}
    drawn = landings(result.window, _sides(result)[0])
    return {"words": landing_words(result.window), "data": _drawing(drawn)}


def _plots(stride: xr.Dataset) -> list[dict[str, str]]:
    figures = {
        "Where the feet land and push": plots.foot_path(stride),
        "The blade's spring": plots.blade_loop(stride),
        "Energy over one stride": plots.energy(stride),
    }
    if has_muscles(stride):
        figures["When each muscle works"] = plots.activations(stride)
    return [{"title": title, "data": _drawing(drawn)} for title, drawn in figures.items()]


def _drawing(drawn: Figure) -> str:
    """A figure as a data address."""
    out = io.BytesIO()
    drawn.savefig(out, format="png", dpi=100)
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()
