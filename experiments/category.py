"""The figure of the category study: what stiffness does to cost and to the loads, at each speed.

Takes the folder that `bladerun sweep experiments/category.toml` wrote; gives category.png in it.
"""

import numpy as np
from _draw import draw
from matplotlib.figure import Figure

SHOWN = {
    "cost_j_kg_m": "cost, J/kg/m",
    "asymmetry_percent": "asymmetry, %",
    "socket_torque_nm_kg": "socket torque, Nm/kg",
    "hip_level_mm": "hips off level, mm",
}


def figure(rows) -> Figure:
    """A panel an outcome, a line a speed, beside each other: mean over the heights that converged."""
    result = Figure(figsize=(11, 3.2), layout="constrained")
    for axes, (outcome, label) in zip(result.subplots(1, len(SHOWN)), SHOWN.items(), strict=True):
        speeds = sorted(set(rows.speed_m_s))
        for beside, speed in zip(np.linspace(-0.15, 0.15, len(speeds)), speeds, strict=True):
            part = rows[rows.speed_m_s == speed]
            groups = part.groupby("category_step")
            mean, over_heights = groups[outcome].mean(), groups[outcome].std().fillna(0)
            spread = np.hypot(over_heights, groups[f"{outcome}_scatter"].mean().fillna(0))
            axes.errorbar(mean.index + beside, mean, spread, marker="o", capsize=2, label=f"{speed:g} m/s")
        axes.set_xticks(sorted(set(rows.category_step)))
        axes.set_ylabel(label)
        axes.grid(alpha=0.25)
    result.supxlabel("category, from recommended; bars: 1 SD over heights, and numerical scatter", fontsize=9)
    result.axes[0].legend(frameon=False, fontsize=8)
    return result


if __name__ == "__main__":
    draw(figure, "category.png")
