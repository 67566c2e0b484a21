"""The picture of a plan over body mass: where each category fits, and how it loads and bends there.

Takes a `MassPlan`; gives a matplotlib figure.
"""

from __future__ import annotations

import math
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from bladerun.study.by_mass import NOT_SOLVED, OVERLOADED, TOO_STIFF, MassPlan, curve
from bladerun.study.recommend import weights

_STYLE: dict[Any, Any] = {
    "font.size": 10, "axes.titlesize": 11, "axes.spines.top": False, "axes.spines.right": False,
    "legend.frameon": False, "axes.edgecolor": "#777777",
}  # fmt: skip
_FITS, _CHART = "#0072B2", "#222222"
_WORDS = {OVERLOADED: "overloaded", TOO_STIFF: "too stiff", NOT_SOLVED: "?"}


@matplotlib.rc_context(_STYLE)
def draw_masses(plan: MassPlan) -> Figure:
    """Where each category fits, its margin and its compression over body mass.

    Parameters
    ----------
    plan
        What `plan_masses` gave.

    Returns
    -------
    matplotlib.figure.Figure
        Three panels, one above the other.
    """
    figure = Figure(figsize=(9, 9.5), layout="constrained")
    bars, margin, bend = figure.subplots(3, 1, sharex=True, height_ratios=(1.25, 1, 1))
    masses = plan.table.index.get_level_values("mass_kg").to_numpy(float)
    low, high = float(masses.min()), float(masses.max())
    _bars(bars, plan, low, high)
    colours = matplotlib.colormaps["viridis"](np.linspace(0.0, 0.85, len(plan.spans)))
    kg = np.linspace(low, high, 400)
    for span, colour in zip(plan.spans, colours, strict=True):
        name = f"category {span.category:g}"
        for axes, column in ((margin, "blade_margin"), (bend, "blade_compression_mm")):
            axes.plot(kg, curve(plan.table, column, span.category, kg), color=colour, lw=1.8, label=name)
            rows = plan.table.xs(span.category, level="category")[column]
            axes.plot(rows.index, rows, "o", color=colour, ms=4)
    margin.axhline(weights()["constraint"]["minimum"], color="#D55E00", lw=1.2, ls="--")
    margin.annotate("overloaded below", (low, weights()["constraint"]["minimum"]), va="top", color="#D55E00",
                    fontsize=9, xytext=(0, -3), textcoords="offset points")  # fmt: skip
    margin.set_ylabel("strength margin of the blade")
    bend.set_ylabel("greatest compression, mm")
    bend.set_xlabel("body mass with prosthesis, kg; dots are solved strides")
    margin.legend(ncols=2, fontsize=8.5, loc="upper right")
    for axes in (bars, margin, bend):
        axes.axvline(plan.today_kg, color="#999999", lw=1, ls=":", zorder=0)
    return figure


def _bars(axes: Any, plan: MassPlan, low: float, high: float) -> None:
    for span in plan.spans:
        if span.chart_kg:
            axes.plot(span.chart_kg, [span.category - 0.33] * 2, color=_CHART, lw=2.5, solid_capstyle="butt")
        if math.isnan(span.low_kg):
            axes.text((low + high) / 2, span.category, span.low_by, va="center", ha="center", color="#777777")
            continue
        worn = span.category == plan.current
        axes.barh(span.category, span.high_kg - span.low_kg, left=span.low_kg, height=0.45, color=_FITS,
                  alpha=0.85 if worn else 0.4)  # fmt: skip
        for at, by, side, gap in (
            (span.low_kg, span.low_by, "right", -4),
            (span.high_kg, span.high_by, "left", 4),
        ):
            axes.annotate(_WORDS.get(by, ""), (at, span.category), ha=side, va="center", fontsize=8.5,
                          xytext=(gap, 0), textcoords="offset points", color="#555555")  # fmt: skip
    axes.annotate("today", (plan.today_kg, 1.0), xycoords=("data", "axes fraction"), ha="center", va="bottom",
                  color="#777777", fontsize=9)  # fmt: skip
    axes.set_yticks([span.category for span in plan.spans])
    axes.set_ylabel("category")
    axes.set_xlim(low - 0.03 * (high - low), high + 0.03 * (high - low))
    axes.set_title("where it fits (bar; dark: worn today) and the chart's band (line)", loc="left", pad=16)
