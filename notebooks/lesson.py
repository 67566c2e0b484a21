"""What the lessons share: the runner, predictions, how pictures look, the slider, the folded answer.

Takes nothing; importing it makes matplotlib draw for a projector: large type, thick lines, colours that all
kinds of colour vision tell apart (Okabe & Ito 2008).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import ipywidgets
import matplotlib
import matplotlib.pyplot as plt
import xarray as xr
from IPython.display import HTML, Markdown, display

from bladerun import build_model, fit, load_case, solve

CHECKOUT = Path(__file__).resolve().parents[1]
CASE = load_case(CHECKOUT / "experiments" / "first-fit.toml")
BLUE, ORANGE, GREEN, PINK, YELLOW, INK = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#222222"
_WIDE = {"description_width": "initial"}

matplotlib.rcParams.update(
    {
        "figure.figsize": (11, 6), "figure.constrained_layout.use": True, "savefig.dpi": 80,
        "font.size": 17, "axes.titlesize": 19, "axes.titlelocation": "left", "axes.labelsize": 17,
        "axes.prop_cycle": matplotlib.cycler(color=[BLUE, ORANGE, GREEN, PINK, YELLOW, INK]),
        "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.25,
        "lines.linewidth": 3.5, "lines.markersize": 11, "legend.frameon": False, "text.color": INK,
    }
)  # fmt: skip


def vary(key: str, values: Sequence[float], case=CASE, *, start: xr.Dataset | None = None):
    """Solve one stride for each value of a key of the fitting, or of the runner; {value: stride}.

    The first from `start` or from nothing (15 s), the others from the nearest that is solved (5 to 10 s).
    """
    strides: dict[float, xr.Dataset] = {}
    for value in values:
        runner, fitting = case.runner, case.fitting
        if hasattr(fitting, key):
            fitting = replace(fitting, **{key: value})
        else:
            runner = replace(runner, **{key: value})
        near = strides[min(strides, key=lambda done: abs(done - value))] if strides else start
        strides[value] = solve(build_model(runner, case.amputation, fitting), case.task, start=near)
        print(f"{key} = {value:g}: {strides[value].attrs['status']}")
    return dict(sorted(strides.items()))


def compare(case=CASE, **sweep: Iterable[float]):
    """`bladerun.fit` over values of category (steps), height_mm and toe_out_deg; kept under runs/lessons.

    Each fitting is solved from two sides, so that the result says how far its own numbers can be trusted.
    """
    name = "_".join(f"{key}{'_'.join(f'{v:g}' for v in values)}" for key, values in sweep.items())
    folder = CHECKOUT / "runs" / "lessons" / name
    case = replace(case, sweep={key: tuple(values) for key, values in sweep.items()})

    line = display(Markdown("solving"), display_id=True)

    def progress(done: int, of: int, what: str, left: float | None) -> None:
        line.update(Markdown(f"{done} of {of} solved, the last one: {what}"))

    return fit(case, folder, progress=progress, widen=False, ensemble=0)


def strides_of(result) -> dict[str, xr.Dataset]:
    """The stride of every fitting that converged, by the name of its row."""
    good = result.table.index[result.table.status == "converged"]
    return {name: xr.load_dataset(result.stride(name)) for name in good}


def turn(draw: Callable[..., None], **controls: Sequence[float]) -> None:
    """A slider for each argument of `draw`, over the values given; it starts in the middle."""
    sliders = {
        key: ipywidgets.SelectionSlider(
            options=[(f"{value:g}", value) for value in values],
            value=values[len(values) // 2],
            description=f"{key.replace('_', ' ')}:",
            style=_WIDE,
            layout={"width": "90%"},
            continuous_update=False,
        )
        for key, values in controls.items()
    }
    out = ipywidgets.interactive_output(draw, sliders)
    display(HTML("<style>.widget-label, .widget-readout {font-size: 20px}</style>"))
    display(ipywidgets.VBox([*sliders.values(), out]))


def answer(text: str) -> None:
    """The answer, folded away until it is clicked."""
    style = "font-size: 1.25em; cursor: pointer; color: #0072B2"
    summary = f'<summary style="{style}"><b>The answer</b></summary>'
    display(Markdown(f"<details>{summary}\n\n{text}\n\n</details>"))


def more_or_less(difference: float, scatter: float, more: str = "more", less: str = "less") -> str:
    """In a word, what a difference says; that it says nothing where scatter is as large."""
    if not abs(difference) > scatter:
        return "no difference that can be told from scatter"
    return more if difference > 0 else less


def panels(count: int, **figure):
    """Axes side by side; always a list."""
    axes = plt.subplots(1, count, **figure)[1]
    return [axes] if count == 1 else list(axes)
