"""Pictures of a study: what each parameter does, alone and with another, and how a search went.

Takes a study's folder; gives PNG files. Sweeps: heat maps with hatching where a cell cannot be told apart
from the best one, main effects, interactions. Searches: the front with infeasible points grey, history,
importance.
"""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bladerun._lib import data_files
from bladerun._lib.files import atomic, output_dir
from bladerun.errors import InputError
from bladerun.gait.outcomes import OUTCOMES
from bladerun.status import Status
from bladerun.study import _store
from bladerun.study._objective import columns
from bladerun.study._optuna import best, opened
from bladerun.study.file import Study, study

_STYLE: dict[Any, Any] = {
    "font.size": 10, "axes.titlesize": 10, "axes.spines.top": False, "axes.spines.right": False,
    "legend.frameon": False, "axes.edgecolor": "#777777",
}  # fmt: skip
_INK, _GREY, _COLOURS = (
    "#0072B2",
    "#b0b0b0",
    ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"),
)
_LEVELS = 8  # into which a parameter that takes more values than this is divided
_SHOWN = 4  # outcomes of a sweep: the trade-offs of a recommendation


def plot(folder: str | Path, out: Path) -> list[Path]:
    """Draw what there is; InputError where no row has converged yet. Gives the files."""
    about, out = _store.manifest(folder), output_dir(out)
    asked = study(about["study"])
    names = [p.name for p in asked.parameters]
    if about["kind"] == "sweep":
        outcomes = [row["key"] for row in data_files.toml("recommendation.toml")["tradeoff"]][:_SHOWN]
    else:
        assert asked.search is not None
        outcomes = [objective.name for objective in asked.search.objectives]
    table = _store.table(folder).to_pandas()
    table = table[table.status == Status.CONVERGED]
    if table.empty:
        raise InputError("holds no stride that converged; nothing to draw", file=folder)
    figures = _of_search(asked, Path(folder), about) if asked.search else _of_sweep(table, names, outcomes)
    written = []
    with matplotlib.rc_context(_STYLE):
        for name, figure in figures:
            with atomic(out / f"{name}.png") as tmp:
                figure.savefig(tmp, dpi=130, bbox_inches="tight")
            written.append(out / f"{name}.png")
    return written


def _of_sweep(table: pd.DataFrame, names: list[str], outcomes: list[str]) -> Iterator[tuple[str, Figure]]:
    outcomes = [name for name in outcomes if np.isfinite(table[name]).any()] or ["objective"]
    levels: Any = pd.DataFrame({name: _levels(table[name]) for name in names})
    varied = [name for name in names if levels[name].nunique() > 1]
    if len(set(table.runner)) > 1:
        levels["runner"], varied = table.runner, [*varied, "runner"]
    if not varied:
        raise InputError("varies nothing that could be drawn")
    for a, b in itertools.combinations([name for name in varied if name != "runner"], 2):
        yield f"heat-{a}-{b}", _heat(table, levels, a, b, outcomes)
    yield "main-effects", _effects(table, levels, varied, outcomes)
    if len(varied) > 1:
        yield "interactions", _interactions(table, levels, varied, outcomes[0])


def _levels(values: Any) -> Any:
    """The values, or where there are many the middles of as many equal parts of the range."""
    if values.dtype.kind not in "if" or values.nunique() <= _LEVELS:
        return values
    parts = pd.cut(values, _LEVELS)
    return parts.map(lambda part: float(f"{part.mid:.3g}")).astype(float)


def _heat(table: pd.DataFrame, levels: pd.DataFrame, a: str, b: str, outcomes: list[str]) -> Figure:
    figure, judged = Figure(figsize=(4.6 * len(outcomes), 3.8), layout="constrained"), False
    for axes, outcome in zip(figure.subplots(1, len(outcomes), squeeze=False)[0], outcomes, strict=True):
        cells = table.groupby([levels[b], levels[a]])
        mean = cells[outcome].mean().unstack()
        known = _uncertainty(table, cells, outcome).unstack()
        image = axes.pcolormesh(mean.to_numpy(), cmap="cividis", edgecolors="white", linewidth=0.5)
        figure.colorbar(image, ax=axes, label=_unit(outcome))
        lowest = np.unravel_index(np.nanargmin(mean.to_numpy()), mean.shape)
        at_best = known.to_numpy()[lowest]
        judged |= bool(np.isfinite(at_best))
        same = mean.to_numpy() - np.nanmin(mean.to_numpy()) <= np.hypot(known.to_numpy(), at_best)
        axes.pcolor(
            np.ma.masked_where(~same, mean.to_numpy()),
            hatch="///",
            facecolor="none",
            edgecolor="white",
            linewidth=0,
        )
        axes.plot(lowest[1] + 0.5, lowest[0] + 0.5, "o", color="white", markeredgecolor="black")
        for axis, ticks, name in ((axes.xaxis, mean.columns, a), (axes.yaxis, mean.index, b)):
            axis.set_ticks(np.arange(len(ticks)) + 0.5, [_short(tick) for tick in ticks])
            axis.set_label_text(_words(name))
        axes.set_title(_title(outcome))
    hatched = "hatched: no clear difference from it, by scatter and ensemble"
    unknown = "its scatter is not known, so no cell is hatched"
    figure.supxlabel(f"dot: lowest; {hatched if judged else unknown}", fontsize=9)
    return figure


def _uncertainty(table: pd.DataFrame, cells: Any, outcome: str) -> Any:
    """Of a cell's mean: numerical scatter and spread of the ensemble; NaN where neither is known."""
    scatter = (
        cells[f"{outcome}_scatter"].mean()
        if f"{outcome}_scatter" in table
        else cells[outcome].mean() * np.nan
    )
    if table.member.max() > 0:
        nominal = table[table.member == 0].set_index(["runner", *_point(table)])[outcome]
        beside = table.set_index(["runner", *_point(table)])[outcome]
        apart = (beside - nominal.reindex(beside.index)).to_numpy()
        spread = pd.Series(apart, table.index).groupby(cells.ngroup()).std().to_numpy()
        return np.sqrt(scatter.fillna(0) ** 2 + spread**2)
    return scatter


def _point(table: pd.DataFrame) -> list[str]:
    """The columns of the parameters: those between `member` and the variations or `status`."""
    names = list(table.columns)
    between = names[names.index("member") + 1 : names.index("status")]
    return [name for name in between if not name.startswith("variation.")]


def _effects(table: pd.DataFrame, levels: pd.DataFrame, varied: list[str], outcomes: list[str]) -> Figure:
    figure = Figure(figsize=(2.9 * len(varied) + 0.8, 2.3 * len(outcomes)), layout="constrained")
    grid = figure.subplots(len(outcomes), len(varied), squeeze=False, sharex="col", sharey="row")
    for row, outcome in zip(grid, outcomes, strict=True):
        for axes, name in zip(row, varied, strict=True):
            groups: Any = table.groupby(levels[name])[outcome]
            mean = groups.mean()
            at = np.arange(len(mean))
            beyond = np.stack([mean - groups.min(), groups.max() - mean])  # no interval: a grid is no sample
            axes.errorbar(at, mean, beyond, marker="o", color=_INK, capsize=3)
            axes.set_xticks(at, [_short(tick) for tick in mean.index], rotation=45 if len(at) > 5 else 0)
            axes.grid(alpha=0.25)
        row[0].set_ylabel(f"{_title(outcome, 20)},\n{_unit(outcome)}")
    for axes, name in zip(grid[-1], varied, strict=True):
        axes.set_xlabel(_words(name))
    figure.suptitle(
        "dot: mean over everything else that is varied; bar: from the lowest of it to the highest", fontsize=9
    )
    return figure


def _interactions(table: pd.DataFrame, levels: pd.DataFrame, varied: list[str], outcome: str) -> Figure:
    pairs = list(itertools.combinations(varied, 2))
    columns = min(3, len(pairs))
    lines = -(-len(pairs) // columns)
    figure = Figure(figsize=(3.9 * columns, 3.1 * lines), layout="constrained")
    for axes, (a, b) in zip(figure.subplots(lines, columns, squeeze=False).flat, pairs, strict=False):
        mean: Any = table.groupby([levels[a], levels[b]])[outcome].mean().unstack()
        for i, level in enumerate(mean.columns):
            axes.plot(
                np.arange(len(mean)),
                mean[level],
                "o-",
                label=_short(level),
                color=_COLOURS[i % len(_COLOURS)],
            )
        axes.set_xticks(np.arange(len(mean)), [_short(tick) for tick in mean.index])
        axes.set_xlabel(_words(a))
        axes.grid(alpha=0.25)
        axes.legend(title=_words(b), fontsize=8, title_fontsize=8)
    for axes in figure.axes[len(pairs) :]:
        axes.remove()
    figure.supylabel(f"{_title(outcome)}, {_unit(outcome)}", fontsize=10)
    figure.suptitle("lines that are not parallel: one setting changes what the other does", fontsize=9)
    return figure


def _of_search(asked: Study, folder: Path, about: dict[str, Any]) -> Iterator[tuple[str, Figure]]:
    import warnings

    import optuna

    assert asked.search is not None
    warnings.filterwarnings("ignore", module="optuna.importance")  # that low is good: signs say what is
    signs = [objective.sign for objective in asked.search.objectives]
    storage = about["storage"]
    found = opened(asked, folder, storage if "://" in storage else None, about["name"])
    trials = [t for t in found.get_trials(deepcopy=False) if t.state.name == "COMPLETE"]
    names = [objective.name for objective in asked.search.objectives]
    held = np.array([all(v <= 0 for v in t.constraints.values()) for t in trials])
    values = np.array([t.values for t in trials]).reshape(len(trials), len(names))
    if len(names) > 1:
        front = {each["trial"] for each in best(found, asked.search)}
        yield "front", _front(values, held, [t.number in front for t in trials], names)
    yield "history", _history(values, held, names, signs)
    if len(trials) > 3 and len(asked.parameters) > 1:
        shares = [
            optuna.importance.get_param_importances(
                found,
                evaluator=optuna.importance.PedAnovaImportanceEvaluator(),
                target=lambda t, i=i: signs[i] * t.values[i],
            )
            for i in range(len(names))
        ]
        yield "importance", _importance(shares, names)


def _front(values: np.ndarray, held: np.ndarray, best: list[bool], names: list[str]) -> Figure:
    figure = Figure(figsize=(5.4, 4.4), layout="constrained")
    axes = figure.subplots()
    front = np.array(best, dtype=bool)
    axes.scatter(*values[~held, :2].T, color=_GREY, marker="x", label="past a constraint")
    axes.scatter(*values[held & ~front, :2].T, color=_INK, alpha=0.4, label="allowed")
    at = values[front, :2][np.argsort(values[front, 0])]
    axes.plot(*at.T, "o-", color=_COLOURS[1], label="beaten by none")
    for axis, name in ((axes.xaxis, names[0]), (axes.yaxis, names[1])):
        axis.set_label_text(f"{_title(name)}, {_unit(name)}")
    axes.grid(alpha=0.25)
    axes.legend()
    return figure


def _history(values: np.ndarray, held: np.ndarray, names: list[str], signs: list[int]) -> Figure:
    figure = Figure(figsize=(6.4, 2.9 * len(names)), layout="constrained")
    for i, (axes, name) in enumerate(
        zip(figure.subplots(len(names), 1, squeeze=False)[:, 0], names, strict=True)
    ):
        at, column = np.arange(len(values)), values[:, i]
        axes.scatter(at[~held], column[~held], color=_GREY, marker="x", label="past a constraint")
        axes.scatter(at[held], column[held], color=_INK, alpha=0.5, label="allowed")
        allowed = np.where(held, signs[i] * column, np.inf)
        so_far = np.minimum.accumulate(allowed)
        known = np.isfinite(so_far)
        axes.step(at[known], signs[i] * so_far[known], where="post", color=_COLOURS[1], label="best so far")
        axes.set_xlabel("trial")
        axes.set_ylabel(f"{_title(name)},\n{_unit(name)}")
        axes.grid(alpha=0.25)
        axes.legend(fontsize=8)
    return figure


def _importance(shares: list[dict[str, float]], names: list[str]) -> Figure:
    figure = Figure(figsize=(6.0, 0.5 + 0.45 * len(shares[0]) * len(names)), layout="constrained")
    axes, parameters = figure.subplots(), sorted(shares[0], key=lambda name: shares[0][name])
    height = 0.8 / len(names)
    for i, (share, name) in enumerate(zip(shares, names, strict=True)):
        at = np.arange(len(parameters)) + i * height
        axes.barh(at, [share[p] for p in parameters], height, label=_title(name), color=_COLOURS[i])
    axes.set_yticks(np.arange(len(parameters)) + 0.4 - height / 2, [_words(p) for p in parameters])
    axes.set_xlabel("share in what sets the best tenth apart (PED-ANOVA; Watanabe 2023)")
    if len(names) > 1:
        axes.legend()
    return figure


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, int | float | np.number) else str(value)


def _words(name: str) -> str:
    """`height_mm` as `height, mm`."""
    units = {"mm": "mm", "deg": "deg", "kg": "kg", "m": "m"}
    if name.endswith("_m_s"):
        return f"{name.removesuffix('_m_s').replace('_', ' ')}, m/s"
    stem, _, last = name.rpartition("_")
    return f"{stem.replace('_', ' ')}, {units[last]}" if last in units and stem else name.replace("_", " ")


def _unit(outcome: str) -> str:
    return columns().get(outcome) or next(row.unit for row in OUTCOMES if row.key == outcome)


def _title(outcome: str, width: int = 40) -> str:
    """What an outcome is called."""
    for row in data_files.toml("recommendation.toml")["tradeoff"]:
        if row["key"] == outcome:
            return textwrap.fill(row["title"], width)
    for row in OUTCOMES:
        for side in ("", "_left", "_right"):
            if outcome == row.key + side:
                return textwrap.fill(f"{row.title}{side.replace('_', ', ')}", width)
    return outcome.replace("_", " ")
