"""Pictures of one stride: both legs over the gait cycle, the blade's loop, energy, and where the feet go.

Takes a Stride dataset; gives matplotlib figures, or PNG files in a folder. Right is blue and left is orange
throughout (Okabe & Ito 2008, a palette for all kinds of colour vision); able-bodied runners are grey.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bladerun._lib.data_files import models_dir
from bladerun._lib.files import atomic
from bladerun.body.reference_gait import band
from bladerun.dataset.asked import environment_of, task_of
from bladerun.dataset.reading import has_muscles
from bladerun.gait.cycle import own_cycle
from bladerun.gait.events import Leg

COLOURS = {"right": "#0072B2", "left": "#D55E00"}
_COM, _BAND, _INK = "#333333", "#8c8c8c", "#222222"
_POTENTIAL, _KINETIC = "#009E73", "#CC79A7"
STYLE: dict[Any, Any] = {
    "font.size": 11, "axes.titlesize": 12, "axes.labelsize": 11, "axes.grid": True, "grid.alpha": 0.25,
    "axes.spines.top": False, "axes.spines.right": False, "lines.linewidth": 2.0, "legend.frameon": False,
    "text.color": _INK, "axes.edgecolor": "#777777", "svg.fonttype": "path",
}  # fmt: skip

PANELS = (  # joint, or axis of the ground force; title; what up means; unit
    ("pelvis_tilt", "pelvis tilt", "forward", "deg"),
    ("pelvis_list", "pelvis list", "own hip up", "deg"),
    ("pelvis_rotation", "pelvis rotation", "own hip forward", "deg"),
    ("hip_flexion", "hip flexion", "flexion", "deg"),
    ("hip_adduction", "hip adduction", "adduction", "deg"),
    ("hip_rotation", "hip rotation", "internal", "deg"),
    ("knee_flexion", "knee flexion", "flexion", "deg"),
    ("ankle_dorsiflexion", "ankle", "dorsiflexion", "deg"),
    ("hip_flexion_moment", "hip moment, sagittal", "flexion", "Nm/kg"),
    ("hip_adduction_moment", "hip moment, frontal", "adduction", "Nm/kg"),
    ("hip_internal_rotation_moment", "hip moment, rotation", "internal", "Nm/kg"),
    ("knee_flexion_moment", "knee moment", "flexion", "Nm/kg"),
    ("ankle_dorsiflexion_moment", "ankle moment", "dorsiflexion", "Nm/kg"),
    ("grf_vertical", "ground force, vertical", "up", "BW"),
    ("grf_fore_aft", "ground force, fore-aft", "forward", "BW"),
    ("grf_medial", "ground force, sideways", "to the midline", "BW"),
)
_MUSCLES = {  # in the order drawn, row by row: what they do at the hip, at the knee, at the ankle
    "glmax1": "gluteus maximus, upper", "glmax2": "gluteus maximus, lower",
    "glmed1": "gluteus medius, anterior", "glmed2": "gluteus medius, posterior", "glmin": "gluteus minimus",
    "iliopsoas": "iliopsoas", "tfl": "tensor fasciae latae", "addlong": "adductor longus",
    "addmag": "adductor magnus", "extrot": "external rotators",
    "recfem": "rectus femoris", "vasti": "vasti", "semimem": "medial hamstrings",
    "bflh": "biceps femoris, long", "bfsh": "biceps femoris, short",
    "gastroc": "gastrocnemius", "soleus": "soleus", "tibpost": "tibialis posterior",
    "peroneus": "peroneus", "tibant": "tibialis anterior",
}  # fmt: skip
_MOMENTS = {"touchdown": "v", "greatest compression": "o", "toe-off": "^"}
DASH = {"right": "-", "left": (0, (6, 1.2))}
_PERCENT = np.linspace(0.0, 100.0, 201)


def plot_run(stride: xr.Dataset, out_dir: str | Path) -> list[Path]:
    """Write every picture that a stride has.

    Parameters
    ----------
    stride
        What `solve` gave.
    out_dir
        The folder.

    Returns
    -------
    list of Path
        The PNG files.
    """
    figures = {"gait-cycle": gait_cycle(stride), "energy": energy(stride), "foot-path": foot_path(stride)}
    if has_muscles(stride):
        figures["activations"] = activations(stride)
    if stride.attrs["blade"]:
        figures["blade-loop"] = blade_loop(stride)
    written = []
    for name, figure in figures.items():
        path = Path(out_dir) / f"{name}.png"
        figure.text(0.995, 0.995, str(task_of(stride)), ha="right", va="top", fontsize=8, color="#777777")
        with atomic(path) as tmp:
            figure.savefig(tmp, dpi=130)
        written.append(path)
    return written


@matplotlib.rc_context(STYLE)
def gait_cycle(stride: xr.Dataset) -> Figure:
    """Angles, moments and ground force of both legs, each from its own touchdown, on the able-bodied band."""
    figure = Figure(figsize=(15, 12.5), layout="constrained")
    legs = _legs(stride)
    panels = figure.subplots(4, 4)
    for axes, (quantity, title, up, unit) in zip(panels.flat, PANELS, strict=True):
        percent, mean, sd = band(quantity, float(stride.attrs["speed_m_s"]))
        axes.fill_between(percent, mean - sd, mean + sd, color=_BAND, alpha=0.3, lw=0)
        axes.plot(percent, mean, color=_BAND, lw=1.2)
        for leg in legs:
            curve = own_cycle(leg, quantity, _PERCENT)
            if curve is not None:
                axes.plot(_PERCENT, curve, color=COLOURS[leg.side], ls=DASH[leg.side])
            axes.axvline(100 * (leg.up - leg.down) / leg.period, color=COLOURS[leg.side], lw=1, ls=":")
        axes.axhline(0, color="#bbbbbb", lw=0.8, zorder=0)
        axes.set_title(title, loc="left")
        axes.set_ylabel(f"{unit}, + {up}")
        axes.set_xlim(0, 100)
    for axes in panels[-1]:
        axes.set_xlabel("% of stride from own touchdown")
    handles = [line(COLOURS[leg.side], _label(leg), ls=DASH[leg.side]) for leg in legs]
    words = "able-bodied runners at this speed, mean and SD (Fukuchi 2017)"
    handles.append(line(_BAND, words, lw=8, alpha=0.45))
    handles.append(line("#777777", "toe-off", lw=1, ls=":"))
    figure.legend(handles=handles, loc="outside upper center", ncols=4)
    return figure


@matplotlib.rc_context(STYLE)
def activations(stride: xr.Dataset) -> Figure:
    """Activation of every muscle of both legs, each from its own touchdown, over the published EMG timing."""
    figure = Figure(figsize=(15, 10.5), layout="constrained")
    legs, timing = _legs(stride), pd.read_csv(models_dir() / "reference" / "emg.csv")
    panels = figure.subplots(4, 5, sharex=True, sharey=True)
    for axes, (muscle, title) in zip(panels.flat, _MUSCLES.items(), strict=True):
        for row in timing[timing.muscle == muscle].itertuples():
            later = row.off_percent > row.on_percent
            parts = (
                [(row.on_percent, row.off_percent)]
                if later
                else [(0, row.off_percent), (row.on_percent, 100)]
            )
            for start, end in parts:
                axes.fill_between([start, end], 1.04, 1.12, color=_BAND, lw=0)
        for leg in legs:
            name = f"{muscle}_{leg.suffix}"
            if name in stride.muscle.values:
                curve = leg.curve(stride.activation.sel(muscle=name).values)
                time = leg.down + _PERCENT / 100 * leg.period
                axes.plot(_PERCENT, curve(time), color=COLOURS[leg.side], ls=DASH[leg.side])
            axes.axvline(100 * (leg.up - leg.down) / leg.period, color=COLOURS[leg.side], lw=1, ls=":")
        axes.set_title(title, loc="left")
        axes.set(xlim=(0, 100), ylim=(0, 1.14), yticks=(0, 0.5, 1))
    for axes in panels[-1]:
        axes.set_xlabel("% of stride from own touchdown")
    for axes in panels[:, 0]:
        axes.set_ylabel("activation")
    handles = [line(COLOURS[leg.side], _label(leg), ls=DASH[leg.side]) for leg in legs]
    handles.append(
        line(_BAND, "EMG of able-bodied running, where published (models/reference/emg.csv)", lw=6)
    )
    handles.append(line("#777777", "toe-off", lw=1, ls=":"))
    figure.legend(handles=handles, loc="outside upper center", ncols=4)
    return figure


@matplotlib.rc_context(STYLE)
def blade_loop(stride: xr.Dataset) -> Figure:
    """Force against compression of each blade, which turns at its greatest elastic energy.

    The loop is wider than the energy lost: in recoil the force has rolled towards the softer tip.
    """
    figure = Figure(figsize=(7, 5.2), layout="constrained")
    axes = figure.subplots()
    for leg in _legs(stride):
        if not leg.has_blade:
            continue
        colour = COLOURS[leg.side]
        given = leg.curve(stride.blade_compression.sel(side=leg.side).values)
        for start, end, style in ((leg.down, leg.deepest, "-"), (leg.deepest, leg.up, "--")):
            time = np.linspace(start, end, 200)
            force = np.linalg.norm([component(time) for component in leg.force], axis=0)
            word = "loading" if style == "-" else "recoil"
            compression = 1e3 * given(time)
            axes.plot(compression, force / 1e3, style, color=colour, label=f"{leg.side}, {word}")
    axes.set(xlabel="compression in the direction of the force (mm)", ylabel="ground reaction force (kN)")
    axes.set_title("Force and compression of the blade", loc="left")
    axes.set_ylim(bottom=0)
    axes.legend(loc="upper left")
    note = "wider than the energy lost: in recoil the force\nhas rolled towards the softer tip and turned"
    axes.text(0.98, 0.03, note, transform=axes.transAxes, ha="right", fontsize="small", color="0.35")
    return figure


@matplotlib.rc_context(STYLE)
def energy(stride: xr.Dataset) -> Figure:
    """Energy of the centre of mass and, where there is one, in the blade over one stride."""
    legs = _legs(stride)
    rows = 2 if any(leg.has_blade for leg in legs) else 1
    figure = Figure(figsize=(9, 2.2 + 2.4 * rows), layout="constrained")
    panels = figure.subplots(rows, 1, sharex=True, squeeze=False)[:, 0]
    time = np.linspace(0, legs[0].period, 401)
    height, mass = legs[0].com[2], legs[0].mass_kg
    kinetic = legs[0].curve(0.5 * mass * (stride.com_velocity.values**2).sum(axis=1))(time)
    forward, _, up = environment_of(stride).gravity_m_s2
    climbed = legs[0].com[0](time) + legs[0].speed * time
    potential = -mass * (up * height(time) + forward * climbed)
    for curve, colour, label in (
        (potential, _POTENTIAL, "potential"),
        (kinetic, _KINETIC, "kinetic"),
        (potential + kinetic, _COM, "their sum"),
    ):
        panels[0].plot(time, curve - curve.min(), color=colour, label=label)
    panels[0].set_title("Energy of the centre of mass, above its least", loc="left")
    if rows == 2:
        for leg in legs:
            if leg.has_blade:
                panels[1].plot(
                    time, leg.blade_energy(time), color=COLOURS[leg.side], label=f"{leg.side} blade"
                )
        panels[1].set_title("Elastic energy in the blade", loc="left")
    for axes in panels:
        for leg in legs:
            look: Any = {"color": COLOURS[leg.side], "alpha": 0.10, "lw": 0}
            axes.axvspan(leg.down, leg.up, label=f"{leg.side} foot on the ground", **look)
            axes.axvspan(leg.down - leg.period, leg.up - leg.period, **look)
        axes.set_xlim(0, legs[0].period)
        axes.set_ylabel("J")
        axes.set_ylim(bottom=0)
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    panels[-1].set_xlabel("time (s)")
    return figure


@matplotlib.rc_context(STYLE)
def foot_path(stride: xr.Dataset) -> Figure:
    """Side and top view of one stride: centre of mass, tips of both feet, ground force where it acts."""
    figure = Figure(figsize=(13, 6.8), layout="constrained")
    side, top = figure.subplots(2, 1, sharex=True, height_ratios=(2.2, 1))
    legs = _legs(stride)
    start = min((leg.down for leg in legs if leg.touches), default=0.0) - 0.05
    time = np.linspace(start, start + legs[0].period, 400)
    for axes, axis in ((side, 2), (top, 1)):
        com = legs[0].com
        axes.plot(com[0](time) + legs[0].speed * time, com[axis](time), color=_COM, label="centre of mass")
        for leg in legs:
            _draw_leg(axes, leg, axis, time)
        axes.set_ylabel({2: "height (m)", 1: "to the left (m)"}[axis])
    side.set_aspect("equal", adjustable="datalim")
    side.set_title("Side view", loc="left")
    top.set_title("Top view, sideways scale enlarged", loc="left")
    top.set_xlabel("forward (m)")
    marks = [line(_COM, word, marker=mark, ls="", ms=8) for word, mark in _MOMENTS.items()]
    marks.append(line(_COM, "ground force, 1 m for 4 body weights", lw=1, alpha=0.6))
    handles = [*side.get_legend_handles_labels()[0], *marks]
    side.legend(handles=handles, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def _draw_leg(axes: Axes, leg: Leg, axis: int, time: np.ndarray) -> None:
    """Path of the foot's tip, centre of pressure, and in the side view the push at three moments."""
    colour, name = COLOURS[leg.side], "blade_tip" if leg.has_blade else "toe"
    path = leg.site(name)
    forward, label = path[0](time) + leg.speed * time, f"{_label(leg)}, tip"
    axes.plot(forward, path[axis](time), color=colour, lw=1.3, label=label)
    if not leg.touches:
        return
    shift = leg.period * np.ceil((time[0] - leg.down) / leg.period)
    contact = np.linspace(leg.down, leg.up, 60) + shift
    spots = np.array([leg.pressure_centre(t) for t in contact])
    across = spots[:, 1] if axis == 1 else np.zeros(len(contact))
    forward, label = spots[:, 0] + leg.speed * contact, f"{leg.side}, centre of pressure"
    axes.plot(forward, across, color=colour, lw=6, alpha=0.45, solid_capstyle="round", label=label)
    for moment, mark in zip((leg.down, leg.deepest, leg.up), _MOMENTS.values(), strict=True):
        t = moment + shift
        foot = leg.pressure_centre(t) + np.array([leg.speed * t, 0])
        com = np.array([leg.com[0](t) + leg.speed * t, leg.com[axis](t)])
        axes.plot(*com, mark, color=colour, ms=8, mec="white")
        axes.plot([foot[0], com[0]], [0 if axis == 2 else foot[1], com[1]], color=colour, lw=0.8, ls=":")
    if axis == 2:
        for t in np.linspace(leg.down, leg.up, 15)[1:-1] + shift:
            foot = leg.pressure_centre(t)[0] + leg.speed * t
            push = [float(leg.force[i](t)) / leg.weight_n for i in (0, 2)]  # 1 m = 4 body weights
            axes.plot([foot, foot + push[0] / 4], [0, push[1] / 4], color=colour, lw=1, alpha=0.6)


def _legs(stride: xr.Dataset) -> list[Leg]:
    return [Leg(stride, "right"), Leg(stride, "left")]


def _label(leg: Leg) -> str:
    return f"{leg.side} ({'blade' if leg.has_blade else 'foot'})"


def line(colour: str, label: str, **style) -> matplotlib.lines.Line2D:
    return matplotlib.lines.Line2D([], [], color=colour, label=label, **style)
