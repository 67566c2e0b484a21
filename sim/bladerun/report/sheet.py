"""The sheet: one page to file and to hand to the runner, as HTML and as PDF.

Takes a `FitResult`; writes `sheet.html` and `sheet.pdf` beside the report. What the sheet says is decided
here, once for both; `sheet.html` and `_sheet_pdf` only set it on paper, A4 with margins that Letter has too.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import xarray as xr

from bladerun import __version__
from bladerun._lib.files import atomic
from bladerun.blade.catalog import load_blade
from bladerun.blade.running_blade import Blade
from bladerun.dataset.files import read_stride
from bladerun.errors import InputError
from bladerun.fitting import row_of
from bladerun.gait.outcomes import OUTCOMES
from bladerun.report import _sheet_pdf
from bladerun.report._page import page
from bladerun.report._particulars import particulars
from bladerun.report._pictures import moments
from bladerun.report.seen import seen_in_words, seen_rows
from bladerun.report.words import (
    blade_from,
    blade_title,
    both_masses,
    figure,
    known,
    recoil,
    setting,
    sweet_spot,
    whip,
)
from bladerun.status import Status
from bladerun.study.recommend import told_apart, verdict, weights
from bladerun.visit import Visit

if TYPE_CHECKING:
    from bladerun.case import Case
    from bladerun.study import FitResult

_OF_BLADE = (  # outcome, what the sheet calls it, what the runner notices
    ("sweet_spot_offset_m", "Blade ahead of the body", "when loaded most; 0 = right under it"),
    ("recoil_direction_deg", "Direction of the push", "90 = straight up, less = forward"),
    ("blade_energy_returned_j", "Energy given back", "more = livelier"),
    ("foot_progression_deg", "Direction of the blade, loaded most", "0 = straight ahead, toe out +"),
    ("hip_torque_rotation_peak_nm_kg", "Twist at the hip", "less is easier on hip and socket"),
    ("tip_swing_mm", "Sideways swing of the tip after toe-off", "outward +"),
)
_OF_BOTH = (
    ("hip_height_difference_mm", "Hip higher over the blade", "0 = level, + = rises over the blade"),
    ("asymmetry_percent", "Left-right difference", "0 = even"),
    ("cost_j_kg_m", "Energy cost of running", "less = easier"),
    ("blade_margin", "Strength margin of the blade", "1 = at its limit"),
)
_UNITS = {"m": (" mm", 1e3), "deg": ("°", 1.0), "-": ("", 1.0), "": ("", 1.0)}  # as read, factor to it
_SAID = {
    "same": "no clear difference",
    "little": "differs too little to matter",
    "matters": "matters",
    "differs": "differs",
}
_PICTURE_PX = (460, 560)


def write_sheet(result: FitResult, chosen: str | None = None) -> tuple[Path, Path]:
    """Write sheet.html and sheet.pdf into the study's folder and give their paths.

    chosen: the fitting to put beside the one worn today; the recommended one unless given.
    """
    content = sheet_content(result, chosen)
    html, pdf = result.folder / "sheet.html", result.folder / "sheet.pdf"
    with atomic(html) as tmp:
        tmp.write_text(page("sheet.html", "sheet.css", content), encoding="utf-8")
    with atomic(pdf) as tmp:
        _sheet_pdf.write(content, tmp)
    return html, pdf


def sheet_content(result: FitResult, chosen: str | None = None) -> dict[str, Any]:
    """Everything the sheet says, in words and numbers."""
    case, table = result.case, result.table
    solved = table.status == Status.CONVERGED
    shown = chosen or result.recommended
    names = {"today": result.current} | ({"try": shown} if shown and shown != result.current else {})
    solved_names = {role: name for role, name in names.items() if solved[name]}
    pictured = shown if shown and solved[shown] else result.current
    stride = _stride(result, pictured)
    return {
        "version": __version__,
        "name": case.name,
        "notes": case.notes,
        "visit": _visit(case.visit or Visit()),
        "seen_today": case.visit.seen if case.visit else "",
        "runner": _runner(result),
        "particulars": particulars(case),
        "settings": {role: setting(table.loc[name]) for role, name in names.items()},
        "label": _label(result, shown),
        "why": result.why if not chosen or chosen == result.recommended else "",
        "alike": [setting(table.loc[name]) for name in result.indistinct[:4]] if not chosen else [],
        "alike_more": max(0, len(result.indistinct) - 4),
        "pictures": moments(stride, _PICTURE_PX) if stride is not None else [],
        "pictured": setting(table.loc[pictured]),
        "rows": [row for row in _rows(result, solved_names) if row],
        "uncertainty": uncertainty(table),
        "window": _window(result, pictured),
        "look_for": _look_for(result, solved_names),
        "assumptions": [text for text in _assumed(case) if text],
    }


_ASSUMED = (
    "Steady running at {task}, by a typical runner of these measures: the smallest change "
    "from able-bodied running that physics, strength and the blade allow. Real runners adapt over weeks.",
    "Hip twist, whip and the effect of toe-out have never been measured in blade runners: untested.",
)


def _assumed(case: Case) -> list[str]:
    doubts = [case.task.untested, case.amputation.untested]
    return [_ASSUMED[0].format(task=case.task), blade_from(case.fitting), _ASSUMED[1], *doubts]


def _runner(result: FitResult) -> list[tuple[str, str]]:
    runner, amputation, task = result.case.runner, result.case.amputation, result.case.task
    blade = blade_title(result.case.fitting) if result.case.fitting else ""
    feet, inches = divmod(round(runner.height_m / 0.0254), 12)
    rows = [
        ("weight, with prosthesis", both_masses(runner.mass_kg)),
        ("height", f"{100 * runner.height_m:.0f} cm ({feet} ft {inches} in)"),
        ("sex", runner.sex),
        ("amputation", f"{amputation.level}, {amputation.side}"),
        ("speed", str(task)),
        ("blade", blade),
    ]
    return rows


def _visit(visit: Visit) -> list[tuple[str, str]]:
    """What a patient's folder needs to know of a sheet; what is not known is left to be written by hand."""
    return [
        ("Date", visit.date),
        ("Clinic", visit.clinic),
        ("Fitted by", visit.fitter),
        ("Blade", visit.blade_maker),
        ("Serial number", visit.blade_serial),
    ]


def _label(result: FitResult, shown: str | None) -> str:
    if result.only_knees:
        return "Knees compared"
    if shown is None:
        return "No recommendation"
    if len(result.table) == 1 or (shown == result.current and result.recommended is None):
        return "Nothing compared yet"
    if shown == result.current:
        return "Keep what is worn today"
    return "Try" if shown == result.recommended else "Compared with"


def _sides(result: FitResult) -> tuple[str, ...]:
    side = result.case.amputation.side
    return ("left", "right") if side == "both" else (side,)


def _rows(result: FitResult, names: dict[str, str]) -> list[dict[str, Any] | None]:
    if not names:
        return []
    titles = {row.key: row for row in OUTCOMES}
    units = {row["key"]: row["unit"] for row in weights()["tradeoff"]} | {"hip_height_difference_mm": "mm"}
    rows = []
    for key, title, meaning in _OF_BLADE:
        for side in _sides(result):
            named = f"{title}, {side}" if len(_sides(result)) > 1 else title
            rows.append(_row(result, names, f"{key}_{side}", named, meaning, titles[key].unit))
    for key, title, meaning in _OF_BOTH:
        rows.append(_row(result, names, key, title, meaning, units.get(key, "")))
    return rows


def _row(
    result: FitResult, names: dict[str, str], column: str, title: str, meaning: str, unit: str
) -> dict[str, Any] | None:
    """One line: value and interval of each fitting, their places on a bar from 0 to 1, and the verdict."""
    table = result.table
    if column not in table or table.loc[list(names.values()), column].isna().any():
        return None
    unit, factor = _UNITS.get(unit, (f" {unit}", 1.0))
    spans = {role: [factor * x for x in interval(table, column, name)] for role, name in names.items()}
    low, high = min(s[0] for s in spans.values()), max(s[2] for s in spans.values())
    room = 0.08 * (high - low) or 1.0
    places = {
        role: [(x - low + room) / (high - low + 2 * room) for x in span] for role, span in spans.items()
    }
    shown = {role: known(span[1], (span[2] - span[0]) / 2, unit.strip()) for role, span in spans.items()}
    said = ""
    if len(names) == 2:
        apart = told_apart(table, column, names["try"], [names["today"]], result.members)[names["today"]]
        said = _SAID[
            verdict(column, apart, table.at[names["try"], column] - table.at[names["today"], column])
        ]
    return {
        "title": title,
        "meaning": meaning,
        "unit": unit,
        "values": {role: value for role, (value, _) in shown.items()},
        "margins": {role: f" ± {margin}" if margin else "" for role, (_, margin) in shown.items()},
        "places": places,
        "verdict": said,
    }


def interval(table: pd.DataFrame, column: str, name: str) -> tuple[float, float, float]:
    """Low, value and high of a fitting by its ensemble; both ends are the value where there is none."""
    value = float(table.at[name, column])
    if {f"{column}_low", f"{column}_high"} <= set(table.columns):
        low, high = (float(table.at[name, f"{column}_{end}"]) for end in ("low", "high"))
        if math.isfinite(low) and math.isfinite(high):
            return min(low, value), value, max(high, value)
    return value, value, value


def uncertainty(table: pd.DataFrame) -> str:
    if "score_low" in table.columns:
        return (
            "Margins: where the result stays when the blade, the body and the way of running are varied "
            "as far as they are unknown."
        )
    return (
        "How far these numbers may be off was not computed: the blade's stiffness is known to 10 %, socket, "
        "strength and habits less well. `bladerun fit --ensemble 8` varies all of it. Until then take "
        "differences as directions."
    )


def _window(result: FitResult, name: str) -> list[str]:
    """From which mass to which mass the category holds, and the blade's margin at each end; of each leg where
    they wear different ones."""
    row, fitting, limit = result.table.loc[name], result.case.fitting, weights()["constraint"]["key"]
    assert fitting is not None
    sides, mass_kg = _sides(result), result.case.runner.mass_kg
    worn = {s: (load_blade(fitting.of(s).blade), float(row_of(row, s)["category"])) for s in sides}
    if len(set(worn.values())) == 1:
        return _charted(*worn[sides[0]], mass_kg, row.get(limit, math.nan))
    texts = {s: _charted(*worn[s], mass_kg, row.get(f"blade_strain_margin_{s}", math.nan)) for s in sides}
    return [f"{side.capitalize()} leg: {' '.join(text)}" for side, text in texts.items()]


def _charted(blade: Blade, category: float, mass_kg: float, margin: float) -> list[str]:
    limit = weights()["constraint"]["minimum"]
    if "recommendation" not in blade.facts:
        return ["No chart of categories by weight is known for this blade."]
    edges, high = blade.facts["recommendation"]["band_kg"], blade.facts["recommendation"]["high"]
    bands = [i for i, charted in enumerate(high) if charted and charted == category]
    if not bands:
        return [f"The chart for running has no weight for category {category:g}."]
    low_kg, high_kg = edges[bands[0]], edges[bands[-1] + 1]
    sentences = [
        f"By the chart for running, category {category:g} is for {both_masses(low_kg)} "
        f"to under {both_masses(high_kg)}."
    ]
    try:
        charted = blade.recommended_category(mass_kg)
    except InputError:
        sentences.append(f"It has no category for {both_masses(mass_kg)}.")
    else:
        if charted != category:
            sentences.append(f"For {both_masses(mass_kg)} it gives category {charted:g}.")
    if math.isfinite(margin):
        ends = [margin * mass_kg / mass for mass in (low_kg, high_kg)]
        sentences.append(
            f"The blade's strength margin is {figure(margin)} now; in proportion to weight {figure(ends[0])} "
            f"at the light end and {figure(ends[1])} at the heavy end. "
            f"It reaches {limit:g}, the least to run on, at {both_masses(margin * mass_kg / limit)}."
        )
    return sentences


def _look_for(result: FitResult, names: dict[str, str]) -> list[tuple[str, str]]:
    """Where to look, and what was predicted there."""
    if not names:
        return []
    role = "try" if "try" in names else "today"
    row, points = result.table.loc[names[role]], []
    if result.case.measured and "today" in names:
        seen = seen_rows(result.case.measured, result.table.loc[names["today"]].to_dict())
        points.append(("Seen on video, fitting worn today", seen_in_words(seen)))
    for side in _sides(result):
        where = f" ({side} leg)" if len(_sides(result)) > 1 else ""
        level = row[f"psis_difference_mm_{side}"]
        higher = "higher" if level > 0 else "lower"
        points += [
            (
                f"From the side, blade bent most{where}",
                f"the blade is predicted {sweet_spot(row[f'sweet_spot_offset_m_{side}'])}, the push "
                f"{recoil(row[f'recoil_direction_deg_{side}'])}. Popping up: the body rises more than it "
                "advances. Falling forward: the next step comes early and low.",
            ),
            (
                f"Phone video from behind at hip height, slow motion{where}",
                "mark both PSIS (the dimples) and stop where the blade is bent most, not standing: the "
                f"{side} one is predicted {figure(abs(level), 2)} mm {higher} than the other.",
            ),
            (
                f"From behind, after toe-off{where}",
                f"the blade's toe should swing straight; predicted: {whip(row[f'lateral_whip_deg_{side}'])}, "
                f"the tip {figure(abs(row[f'tip_swing_mm_{side}']), 2)} mm "
                f"{'outward' if row[f'tip_swing_mm_{side}'] > 0 else 'inward'}.",
            ),
        ]
    return points


def _stride(result: FitResult, name: str) -> xr.Dataset | None:
    if result.table.at[name, "status"] != Status.CONVERGED:
        return None
    return read_stride(result.stride(name))
