"""The runner at touchdown, greatest compression and toe-off of the blade, for pages to carry inside.

Takes a Stride dataset; gives pictures as bytes: rendered, or as line drawings where nothing can render.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import NamedTuple

import matplotlib.image
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from bladerun.blade.catalog import load_blade
from bladerun.dataset.asked import fitting_of
from bladerun.dataset.model_text import model_of
from bladerun.errors import InputError
from bladerun.gait.events import Leg
from bladerun.show.sketch import draw_alignment, draw_stride
from bladerun.show.video import frames
from bladerun.status import Status
from bladerun.study.landing_window import LandingWindow

_INCH_PX = 160


class Picture(NamedTuple):
    """title: what is seen. kind: "jpeg" or "png". data: the file's bytes."""

    title: str
    kind: str
    data: bytes

    @property
    def address(self) -> str:
        """As a data address."""
        return f"data:image/{self.kind};base64,{base64.b64encode(self.data).decode()}"


def moments(stride: xr.Dataset, size: tuple[int, int]) -> list[Picture]:
    """Three pictures of `size` (width, height) in pixels, of the leg with the blade (the right if both)."""
    leg = Leg(stride, "left" if stride.attrs["amputation_side"] == "left" else "right")
    times = {"touchdown": leg.down, "greatest compression": leg.deepest, "toe-off": leg.up}
    try:
        pictures = frames(stride, [time / leg.period for time in times.values()], size=size)
    except InputError:
        return [_drawn(stride, title, time, size) for title, time in times.items()]
    return [_rendered(title, pixels) for title, pixels in zip(times, pictures, strict=True)]


def landings(window: LandingWindow, sides: tuple[str, ...]) -> Figure:
    """Cost and direction of the recoil over where the blade lands, the window shaded."""
    figure = Figure(figsize=(7.2, 3.6))
    cost = figure.subplots()
    rows = window.table[window.table.status == Status.CONVERGED]
    cost.axvspan(window.closer_mm, window.further_mm, color="#2f7d4f", alpha=0.14, lw=0)
    cost.axvline(0, color="#1c2733", lw=1, ls=":")
    cost.annotate("lands here", (0, 1), xycoords=("data", "axes fraction"), ha="center", va="bottom", size=9)
    cost.plot(rows.index, rows.cost_j_kg_m, "o-", color="#1c2733", ms=4)
    cost.set(xlabel="landing closer  ←  mm  →  further ahead", ylabel="cost of running (J/kg/m)")
    recoil = cost.twinx()
    for side, style in zip(sides, ("s--", "^--"), strict=False):
        recoil.plot(
            rows.index, rows[f"recoil_direction_deg_{side}"], style, color="#d9482b", ms=4, label=side
        )
    recoil.set_ylabel("recoil above the horizontal (°)", color="#d9482b")
    if len(sides) > 1:
        recoil.legend(frameon=False)
    figure.tight_layout()
    return figure


def bench(strides: Mapping[str, xr.Dataset], legs: tuple[str, ...]) -> Figure:
    """Every leg with a blade in bench alignment, from the side and from behind, one row a stride."""
    figure = Figure(figsize=(5.2 * len(legs), 4.4 * len(strides)))
    rows = figure.subplots(len(strides), 2 * len(legs), squeeze=False)
    for row, (title, stride) in zip(rows, strides.items(), strict=True):
        model = model_of(stride)
        for k, leg in enumerate(legs):
            fitting = fitting_of(stride, leg)
            side, behind = row[2 * k : 2 * k + 2]
            found = draw_alignment(side, model, leg, fitting.sagittal_deg)
            draw_alignment(behind, model, leg, fitting.sagittal_deg, "behind")
            side.set_title(
                f"{title}, {leg}: alpha {found.alpha_deg:z.0f}°, beta {found.beta_deg:z.0f}°", size=10
            )
            outside = found.outside(load_blade(fitting.blade).shape)
            behind.set_title(f"outside the published rule: {', '.join(outside)}" if outside else "", size=9)
            for axes in (side, behind):
                axes.set_axis_off()
    figure.tight_layout()
    return figure


def _rendered(title: str, pixels: np.ndarray) -> Picture:
    out = io.BytesIO()
    matplotlib.image.imsave(out, pixels, format="jpg", pil_kwargs={"quality": 85})
    return Picture(title, "jpeg", out.getvalue())


def _drawn(stride: xr.Dataset, title: str, time: float, size: tuple[int, int]) -> Picture:
    figure = Figure(figsize=(size[0] / _INCH_PX, size[1] / _INCH_PX))
    axes = figure.add_axes((0, 0, 1, 1))
    draw_stride(axes, stride, time)
    axes.set_axis_off()
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=_INCH_PX)
    return Picture(title, "png", out.getvalue())
