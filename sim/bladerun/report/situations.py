"""One page of a study whose points are situations of one runner: a row a situation, what to watch in each.

Takes the folder of a study with a list as its design; writes `situations.html`. What was never measured, and
what validation did not confirm, is marked where it stands.
"""

from __future__ import annotations

import base64
import io
import math
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.figure import Figure

from bladerun import __version__
from bladerun._lib.files import atomic, output_dir
from bladerun.body.runner import Amputation
from bladerun.dataset.files import read_stride
from bladerun.errors import InputError
from bladerun.gait.outcomes import OUTCOMES
from bladerun.report._page import page
from bladerun.report.unconfirmed import unconfirmed
from bladerun.show.sketch import draw_stride, moments
from bladerun.status import Status
from bladerun.study import solved
from bladerun.study.file import Study
from bladerun.study.job import Inputs
from bladerun.study.recommend import matters


class _Column(NamedTuple):
    """of: the leg it is shown of. places: shown behind the point. factor: from the table's unit to this."""

    key: str
    of: str
    title: str
    unit: str
    places: int
    factor: float = 1.0

    def shown(self, value: float) -> str:
        text = f"{self.factor * value:z.{self.places}f}"
        return text.replace("-", "−")

    def moved(self, change: float) -> str:
        text = self.shown(change)
        return f"+{text}" if change > 0 and float(text) else text


_COLUMNS = (
    _Column("sweet_spot_offset_m", "blade", "sweet spot ahead of the body", "cm", 1, 100),
    _Column("recoil_direction_deg", "blade", "recoil above the ground", "°", 0),
    _Column("hip_torque_adduction_peak_nm_kg", "blade", "hip torque, abduction", "Nm/kg", 2),
    _Column("hip_torque_rotation_peak_nm_kg", "blade", "hip torque, rotation", "Nm/kg", 2),
    _Column("hip_height_difference_mm", "", "hip higher over the blade", "mm", 0),
    _Column("foot_progression_deg", "blade", "toe points out", "°", 0),
    _Column("socket_pistoning_mm", "blade", "pistoning", "mm", 0),
    _Column("peak_vgrf_bw", "sound", "sound leg's peak force", "BW", 2),
    _Column("knee_contact_force_bw", "sound", "sound knee's contact force", "BW", 1),
    _Column("cost_j_kg_m", "", "cost", "J/kg/m", 2),
    _Column("blade_margin", "", "strain margin of the blade", "times", 2),
)
_SOCKET = ("volume_loss_percent", "socks_ply")


def is_situations(asked: Study) -> bool:
    """Whether a study is of situations: a list, of one runner."""
    return asked.document.get("design", {}).get("kind") == "list" and len(asked.runners) == 1


def write_situations(folder: str | Path, out: str | Path) -> Path:
    """Write the page.

    Parameters
    ----------
    folder
        Of a study that `is_situations`.
    out
        Where the page goes.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    InputError
        Where the first situation, from which changes are told, was not solved.
    """
    asked = solved.asked(folder)
    table: pd.DataFrame = solved.table(folder).query("member == 0").reset_index(drop=True)
    if table.empty or table.status.iloc[0] != Status.CONVERGED:
        raise InputError("the first situation has no stride; changes are told from it", file=folder)
    path = output_dir(out) / "situations.html"
    text = page("situations.html", "style.css", _content(asked, table, Path(folder)))
    with atomic(path) as tmp:
        tmp.write_text(text, encoding="utf-8")
    return path


def _content(asked: Study, table: pd.DataFrame, folder: Path) -> dict[str, Any]:
    (name,) = asked.runners
    inputs = [asked.inputs(name, point) for point in asked.points[: len(table)]]
    side = inputs[0].amputation.side
    rows: list[dict[str, Any]] = [{str(key): row[key] for key in row.index} for _, row in table.iterrows()]
    columns = [column for column in _COLUMNS if _shown(column, side, rows[0])]
    notes: dict[str, str] = {}  # mark by sentence
    titles = [
        _title(each, inputs[0], asked, point) for each, point in zip(inputs, asked.points, strict=False)
    ]
    described = []
    for i, (row, own) in enumerate(zip(rows, inputs, strict=True)):
        changed = _changed(asked, i)
        doubts = [_mark(notes, text) for text in (own.task.untested, own.amputation.untested) if text]
        described.append(
            {
                "title": titles[i],
                "marks": " ".join(doubts),
                "why": "" if row["status"] == Status.CONVERGED else f"{row['status']}: {row['why']}",
                "cells": [_cell(each, side, row, rows[0] if i else None, changed, notes) for each in columns],
            }
        )
    return {
        "version": __version__,
        "runner": _runner(inputs[0]),
        "columns": [{"title": c.title, "unit": c.unit, "untested": _untested(c)} for c in columns],
        "rows": described,
        "notes": {mark: text for text, mark in notes.items()},
        "picture": _picture(folder, rows, titles, side),
    }


def _changed(asked: Study, number: int) -> list[str]:
    """Names of the parameters in which a situation differs from the first."""
    both = zip(asked.parameters, asked.points[number], asked.points[0], strict=True)
    return [parameter.name for parameter, value, first in both if value != first]


def _mark(notes: dict[str, str], text: str) -> str:
    return notes.setdefault(text, "abcdefghijklmnopqrstuvwxyz"[len(notes)])


def _cell(
    column: _Column,
    side: str,
    row: Mapping[str, Any],
    first: Mapping[str, Any] | None,
    changed: Sequence[str],
    notes: dict[str, str],
) -> dict[str, Any]:
    """What stands in a cell: numbers, of both legs where both are meant, and changes from the first row."""
    if row["status"] != Status.CONVERGED:
        return {"value": "–", "change": "", "matters": False, "mark": ""}
    values = _values(column, side, row)
    moved = (
        [] if first is None else [a - b for a, b in zip(values, _values(column, side, first), strict=True)]
    )
    least = matters(column.key) or math.inf
    doubt = unconfirmed(column.key, changed)
    return {
        "value": " / ".join(map(column.shown, values)),
        "change": " / ".join(map(column.moved, moved)),
        "matters": any(abs(each) >= least for each in moved),
        "mark": _mark(notes, f"Validation did not confirm {doubt}.") if doubt else "",
    }


def _values(column: _Column, side: str, row: Mapping[str, Any]) -> list[float]:
    other = {"left": "right", "right": "left"}.get(side, "none")
    return solved.values_of(column.key, row, other if column.of == "sound" else side)


def _shown(column: _Column, side: str, row: Mapping[str, Any]) -> bool:
    sound = column.of != "sound" or side in ("left", "right")
    return sound and all(math.isfinite(value) for value in _values(column, side, row))


def _untested(column: _Column) -> str:
    return next((each.untested for each in OUTCOMES if each.key == column.key), "")


def _title(own: Inputs, first: Inputs, asked: Study, point: tuple[Any, ...]) -> str:
    """A situation in words: of the task, of the socket, then whatever else the study varies."""
    words = list(own.task.conditions)
    if (radius := own.task.bend_radius_m) and own.amputation.side in ("left", "right"):
        words[-1] += (
            f", the blade {'inside' if (radius > 0) == (own.amputation.side == 'left') else 'outside'}"
        )
    words += _limb(own.amputation)
    tasks = vars(own.task)
    for parameter, value in zip(asked.parameters, point, strict=True):
        if parameter.name not in (*tasks, *_SOCKET):
            words.append(f"{parameter.name.replace('_', ' ')} {value}")
    if own.task.speed_m_s != first.task.speed_m_s:
        words.insert(0, f"{own.task.speed_m_s:g} m/s")
    return ", ".join(words) or "level road"


def _limb(amputation: Amputation) -> list[str]:
    limb = amputation.of(amputation.sides[0]) if amputation.sides else amputation
    words = [f"limb {limb.volume_loss_percent:g} % smaller"] if limb.volume_loss_percent else []
    return words + ([f"a {limb.socks_ply:g}-ply sock"] if limb.socks_ply else [])


def _runner(own: Inputs) -> str:
    worn = "" if own.fitting is None else f", category {own.fitting.category:g}"
    return f"{own.runner.mass_kg:g} kg, {own.runner.height_m:.2f} m, {own.task.speed_m_s:g} m/s{worn}"


def _picture(folder: Path, rows: Sequence[Mapping[str, Any]], titles: Sequence[str], side: str) -> str:
    """The runner at the blade's greatest compression, from the side and from behind, as a data address; ""
    where the study kept no strides."""
    paths = [solved.stride_path(folder, row["number"]) for row in rows]
    kept = [(path, title) for path, title in zip(paths, titles, strict=True) if path.is_file()]
    if not kept:
        return ""
    figure = Figure(figsize=(1.75 * len(kept), 4.6), layout="constrained")
    grid = figure.subplots(2, len(kept), squeeze=False)
    for i, (path, title) in enumerate(kept):
        stride = read_stride(path)
        time = moments(stride, "left" if side == "left" else "right")["greatest compression"]
        for axes, view in zip(grid[:, i], ("side", "behind"), strict=True):
            draw_stride(axes, stride, time, view)
            axes.set_axis_off()
        grid[0, i].set_title(textwrap.fill(title, 24), size=9)
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=110)
    return f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"
