"""Predicted and measured curves over the gait cycle, one figure.

Takes a Stride dataset and what was measured; gives a matplotlib figure.
"""

from __future__ import annotations

import matplotlib
import xarray as xr
from matplotlib.figure import Figure

from bladerun.gait.cycle import own_cycle
from bladerun.gait.events import Leg
from bladerun.motion.measured import PERCENT, Measured
from bladerun.show.plots import COLOURS, DASH, PANELS, STYLE, line

_COLUMNS = 4


@matplotlib.rc_context(STYLE)
def compared_curves(stride: xr.Dataset, measured: Measured) -> Figure:
    """Each leg from its own touchdown: predicted as a line, measured as a band of mean and SD."""
    panels = [panel for panel in PANELS if any((panel[0], side) in measured.curves for side in COLOURS)]
    rows = -(-len(panels) // _COLUMNS)
    figure = Figure(figsize=(15, 0.8 + 3.0 * rows), layout="constrained")
    grid = figure.subplots(rows, _COLUMNS, squeeze=False)
    legs = [Leg(stride, side) for side in COLOURS]
    for axes, (quantity, title, up, unit) in zip(grid.flat, panels, strict=False):
        for leg in legs:
            colour = COLOURS[leg.side]
            if (quantity, leg.side) in measured.curves:
                mean, sd = measured.curves[quantity, leg.side]
                axes.fill_between(PERCENT, mean - sd, mean + sd, color=colour, alpha=0.25, lw=0)
                axes.plot(PERCENT, mean, color=colour, lw=1.0, alpha=0.6)
            curve = own_cycle(leg, quantity, PERCENT)
            if curve is not None:
                axes.plot(PERCENT, curve, color=colour, ls=DASH[leg.side])
        axes.axhline(0, color="#bbbbbb", lw=0.8, zorder=0)
        axes.set_title(title, loc="left")
        axes.set_ylabel(f"{unit}, + {up}")
        axes.set_xlim(0, 100)
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    for axes in grid[-1]:
        axes.set_xlabel("% of stride from own touchdown")
    handles = [line(COLOURS[side], f"{side}, predicted", ls=DASH[side]) for side in COLOURS]
    words = f"mean and SD of {len(measured.table)} strides"
    handles += [line(COLOURS[side], f"{side}, measured: {words}", lw=8, alpha=0.35) for side in COLOURS]
    figure.legend(handles=handles, loc="outside upper center", ncols=4)
    return figure
