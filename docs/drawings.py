"""The manual's drawings of what outcomes mean: run it with a folder, or let the manual's build call it.

Bodies are drawn from the model, postures are those of reference running, force curves those of measured
running and of the virtual tester. Titles come from the table of definitions: none can go stale.
"""

import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import matplotlib
import mujoco
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bladerun.blade.bench import run_bench
from bladerun.blade.catalog import load_blade
from bladerun.body.reference_gait import band, reference
from bladerun.body.runner import Amputation, Runner
from bladerun.fitting import Fitting
from bladerun.gait.outcomes import OUTCOMES
from bladerun.model import Model, build_model
from bladerun.show.plots import COLOURS
from bladerun.show.sketch import draw_body

TITLE = {row.key: row.title for row in OUTCOMES}
BLUE, ORANGE, GREEN, INK = COLOURS["right"], COLOURS["left"], "#009E73", "#222222"
STYLE = {
    "font.size": 13, "axes.titlesize": 14, "axes.titlelocation": "left", "axes.spines.top": False,
    "axes.spines.right": False, "svg.fonttype": "path", "svg.hashsalt": "bladerun", "lines.linewidth": 2.2,
}  # fmt: skip
SPEED_M_S = 3.3
DEEPEST = 0.16  # phase of the stride, about where a blade is bent most
BENT_RAD = 0.09  # in each hinge of a blade under some 2.4 body weights
POSITIVE = {  # joint: angle drawn in deg, view, what it is called
    "hip_flexion": (35, "side", "hip flexion"),
    "hip_adduction": (20, "behind", "hip adduction"),
    "hip_rotation": (30, "above", "hip internal rotation"),
    "knee_flexion": (45, "side", "knee flexion"),
    "ankle_dorsiflexion": (25, "side", "ankle dorsiflexion"),
}


def contact() -> Figure:
    """Vertical and fore-aft force of one contact, measured on able-bodied runners."""
    figure = Figure(figsize=(9, 5.6), layout="constrained")
    up, along = figure.subplots(2, 1, sharex=True, height_ratios=(1.6, 1))
    percent, vertical, _ = band("grf_vertical", SPEED_M_S)
    _, forward, _ = band("grf_fore_aft", SPEED_M_S)
    down = np.flatnonzero(vertical > 0.05)
    first, last, summit = down[0], down[-1], int(vertical.argmax())
    for axes, curve in ((up, vertical), (along, forward)):
        axes.plot(percent, curve, color=INK)
        axes.axhline(0, color="#999999", lw=1)
        axes.set_xlim(-2, 46)
    up.fill_between(percent, vertical, color=BLUE, alpha=0.15, lw=0)
    _span(up, percent[first], percent[last], -0.35, TITLE["contact_time_s"])
    up.plot(percent[summit], vertical[summit], "o", color=ORANGE)
    up.annotate(TITLE["peak_vgrf_bw"], (percent[summit] + 1, vertical[summit]), color=ORANGE)
    steep = int(np.argmax(np.gradient(vertical[: summit + 1])))
    slope = np.gradient(vertical, percent)[steep]
    run = np.array([-1.6, 2.2])
    up.plot(percent[steep] + run, vertical[steep] + slope * run, color=GREEN, lw=4, alpha=0.7)
    up.annotate(f"{TITLE['loading_rate_bw_s']}: steepest rise", (percent[steep] + 3, 0.45), color=GREEN)
    up.annotate(f"area: {TITLE['vertical_impulse_bw_s']}", (percent[summit] - 4, 1.0), color=BLUE)
    up.set(ylabel="vertical force (BW)", ylim=(-0.65, 3.0))
    for part, colour, key in ((-1, ORANGE, "braking_impulse_bw_s"), (1, BLUE, "propulsive_impulse_bw_s")):
        area = np.where(part * forward > 0, forward, 0)
        along.fill_between(percent, area, color=colour, alpha=0.3, lw=0)
        middle = percent[int(np.argmax(part * forward))]
        along.annotate(TITLE[key], (middle - 3, part * 0.42 - 0.05), color=colour)
    along.set(ylabel="fore-aft force (BW)", xlabel="% of stride from touchdown", ylim=(-0.55, 0.55))
    return figure


def under_the_body() -> Figure:
    """Where the leg stands under the body, and where the recoil points."""
    figure = Figure(figsize=(11, 6), layout="constrained")
    landing, deepest, recoil = figure.subplots(1, 3, sharey=True)
    for axes, phase, bend, key in (
        (landing, 0.0, 0.0, "landing_offset_m"),
        (deepest, DEEPEST, BENT_RAD, "sweet_spot_offset_m"),
    ):
        com, foot = _pose(axes, phase, bend)
        axes.plot([com[0]] * 2, [-0.05, com[1]], color=INK, ls=":")
        axes.plot([foot] * 2, [-0.05, 0.25], color=INK, ls=":")
        axes.plot(*com, "o", ms=9, mfc="white", mec=INK, mew=2.5)
        _span(axes, com[0], foot, -0.05, "")
        axes.set_title(f"{TITLE[key]}:\ncentre of pressure ahead of centre of mass", fontsize=11)
    com, foot = _pose(recoil, DEEPEST, BENT_RAD)
    for angle, word, side, colour in (
        (60, "falling\nforward", "left", "#777777"),
        (81, "up and\nforward", "center", ORANGE),
        (96, "popping\nup", "right", "#777777"),
    ):
        tip = (com[0] + 0.62 * np.cos(np.radians(angle)), com[1] + 0.62 * np.sin(np.radians(angle)))
        recoil.annotate("", tip, com, arrowprops={"arrowstyle": "-|>", "lw": 2.5, "color": colour}, zorder=9)
        low = {"left": -0.06, "center": 0.02, "right": -0.04}[side]
        recoil.annotate(word, (tip[0], tip[1] + low), color=colour, ha=side, va="bottom", fontsize=11)
    recoil.plot([com[0], com[0] + 0.45], [com[1]] * 2, color=INK, lw=1)
    recoil.set_title(
        f"{TITLE['recoil_direction_deg']}: of the push from\ngreatest compression to toe-off", fontsize=11
    )
    for axes in (landing, deepest, recoil):
        axes.axis("off")
        axes.set(xlim=(-0.75, 0.75), ylim=(-0.12, 1.85))
    return figure


def pelvis() -> Figure:
    """From behind: the two PSIS and the line through them."""
    figure = Figure(figsize=(7.5, 5), layout="constrained")
    axes = figure.subplots()
    model, q = _runner(), np.zeros(_runner().mj.nq)
    q[model.joints.index("pelvis_list")] = np.radians(7)
    draw_body(axes, model.mj, q, "behind")
    data = _data(model, q)
    right, left = ((-data.site(f"psis_{side}").xpos[1], data.site(f"psis_{side}").xpos[2]) for side in "rl")
    axes.plot(*zip(left, right, strict=True), "o-", color=ORANGE, ms=8, zorder=9)
    axes.plot([left[0] - 0.02, right[0] + 0.25], [left[1]] * 2, color=INK, lw=1, ls=":", zorder=9)
    slope = (right[1] - left[1]) / (right[0] - left[0])
    axes.plot(
        [right[0], right[0] + 0.25], [right[1], right[1] + 0.25 * slope], color=ORANGE, lw=1, ls=":", zorder=9
    )
    axes.annotate("", (right[0], right[1]), (right[0], left[1]), zorder=10, arrowprops={"arrowstyle": "<->"})
    axes.annotate(f"{TITLE['psis_difference_mm']},\nown side up positive", (0.18, 1.2), color=ORANGE)
    axes.annotate(f"{TITLE['pelvic_obliquity_deg']}", (right[0] + 0.26, left[1] - 0.01), color=INK)
    axes.set(xlim=(-0.35, 0.7), ylim=(0.75, 1.45))
    axes.axis("off")
    return figure


def blade() -> Figure:
    """Energy of a blade, as the loop of the virtual materials tester shows it."""
    figure = Figure(figsize=(7.5, 4.8), layout="constrained")
    axes = figure.subplots()
    test = run_bench(load_blade("j-sprint"), 5)
    d, f = test.loop_displacement_mm, test.loop_force_n / 1e3
    turn = int(np.argmax(d))
    axes.fill_between(d[turn:], f[turn:], color=BLUE, alpha=0.25, lw=0)
    axes.fill(d, f, color=ORANGE, alpha=0.5, lw=0)
    axes.plot(d, f, color=INK)
    axes.annotate(TITLE["blade_energy_returned_j"], (0.62 * d[turn], 0.35), color=BLUE, ha="center")
    axes.annotate(
        TITLE["blade_energy_lost_j"], (0.5 * d[turn], 0.5 * f.max()), (0.12 * d[turn], 0.8 * f.max()),
        color=ORANGE, arrowprops={"arrowstyle": "->", "color": ORANGE},
    )  # fmt: skip
    axes.plot([0, d[turn]], [0, f[turn]], color=INK, lw=1, ls="--")
    axes.annotate("slope: stiffness", (0.75 * d[turn], 0.9 * f.max()), ha="right")
    axes.set(xlabel="compression (mm)", ylabel="force (kN)", xlim=(0, None), ylim=(0, None))
    return figure


def whip() -> Figure:
    """The blade's turn about the limb's long axis, and the swing of its tip."""
    figure = Figure(figsize=(9, 4.6), layout="constrained")
    above, behind = figure.subplots(1, 2)
    model = _runner()
    for axes, view, angle, knee in ((above, "above", 20, 0), (behind, "behind", -20, 60)):
        q = np.zeros(model.mj.nq)
        q[model.joints.index("knee_flexion_r")] = np.radians(knee)
        _ghost(axes, model, q, view)
        q[model.joints.index("socket_rotation_r")] = np.radians(angle)
        draw_body(axes, model.mj, q, view)
        axes.axis("off")
    above.set(xlim=(-0.3, 0.4), ylim=(-0.4, 0.25))
    above.set_title(f"{TITLE['lateral_whip_deg']}: from above,\ninternal (toe inward) positive", fontsize=11)
    behind.set(xlim=(-0.35, 0.45), ylim=(-0.05, 1.0))
    behind.set_title(f"{TITLE['tip_swing_mm']}: from behind,\naway from the midline positive", fontsize=11)
    return figure


def signs() -> Figure:
    """Each joint of the right leg, turned in its positive sense; moments have the sign of the angle."""
    figure = Figure(figsize=(13, 5), layout="constrained")
    model = build_model(Runner(75.0, 1.75))
    for axes, (joint, (angle, view, title)) in zip(figure.subplots(1, 5), POSITIVE.items(), strict=True):
        q = np.zeros(model.mj.nq)
        _ghost(axes, model, q, view)
        q[model.joints.index(f"{joint}_r")] = np.radians(angle)
        draw_body(axes, model.mj, q, view)
        axes.set_title(f"{title} +", fontsize=13)
        axes.axis("off")
    return figure


DRAWINGS: dict[str, Callable[[], Figure]] = {
    function.__name__.replace("_", "-"): function
    for function in (contact, under_the_body, pelvis, blade, whip, signs)
}


def write(folder: Path) -> list[Path]:
    """Every drawing as an SVG file; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with matplotlib.rc_context(STYLE):  # type: ignore[arg-type]
        for name, draw in DRAWINGS.items():
            path = folder / f"{name}.svg"
            draw().savefig(path, metadata={"Date": None})
            written.append(path)
    return written


@cache
def _runner() -> Model:
    return build_model(Runner(72.0, 1.76, "female"), Amputation("right"), Fitting("j-sprint"))


def _data(model: Model, q: np.ndarray) -> mujoco.MjData:
    data = mujoco.MjData(model.mj)
    data.qpos[:] = q
    mujoco.mj_kinematics(model.mj, data)
    mujoco.mj_comPos(model.mj, data)
    return data


def _pose(axes: Axes, phase: float, bend: float) -> tuple[np.ndarray, float]:
    """Draw reference running at this phase, the blade on the ground; gives centre of mass and foot."""
    model = _runner()
    q = reference(model.joints, SPEED_M_S, 100, leg_length_m=model.leg_length_m).q[round(100 * phase)].copy()
    q[[joint.startswith("blade_bend") for joint in model.joints]] = bend
    data = _data(model, q)
    spheres = [i for i in range(model.mj.ngeom) if model.mj.geom(i).name.startswith("contact_r_")]
    lowest = min(spheres, key=lambda i: data.geom_xpos[i, 2])
    q[model.joints.index("pelvis_tz")] -= data.geom_xpos[lowest, 2] - model.mj.geom_size[lowest, 0]
    q[model.joints.index("pelvis_tx")] -= data.subtree_com[0, 0]
    draw_body(axes, model.mj, q)
    axes.axhline(0, color="#777777", lw=1)
    data = _data(model, q)
    return data.subtree_com[0, [0, 2]], float(data.geom_xpos[lowest, 0])


def _ghost(axes: Axes, model: Model, q: np.ndarray, view: str) -> None:
    """The body as a pale outline."""
    draw_body(axes, model.mj, q, view)
    for patch in axes.patches:
        patch.set_alpha(0.3)


def _span(axes: Axes, start: float, end: float, height: float, word: str) -> None:
    """A double arrow with a word under it."""
    look = {"arrowstyle": "<->", "lw": 2, "color": ORANGE, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", (start, height), (end, height), arrowprops=look)
    axes.annotate(word, ((start + end) / 2, height - 0.05), ha="center", va="top", color=ORANGE)


if __name__ == "__main__":
    for drawing in write(Path(sys.argv[1] if len(sys.argv) > 1 else "runs/drawings")):
        print(drawing)
