"""The figure of the category study: what stiffness does to cost and to the loads, at each speed.

Takes the folder that `bladerun sweep experiments/category.toml` wrote; gives category.png in it.
"""

from _draw import draw
from matplotlib.figure import Figure

SHOWN = {
    "cost_j_kg_m": "cost, J/kg/m",
    "asymmetry_percent": "asymmetry, %",
    "hip_rotation_torque_nm_kg": "hip rotation torque, Nm/kg",
    "pelvic_level_mm": "pelvis off level, mm",
}


def figure(rows) -> Figure:
    """A panel an outcome, a line a speed: mean over heights, bars as wide as scatter and heights."""
    result = Figure(figsize=(11, 3.2), layout="constrained")
    for axes, (outcome, label) in zip(result.subplots(1, len(SHOWN)), SHOWN.items(), strict=True):
        for speed, part in rows.groupby("speed_m_s"):
            groups = part.groupby("category_step")
            spread = (groups[outcome].std() ** 2 + groups[f"{outcome}_scatter"].mean().fillna(0) ** 2) ** 0.5
            axes.errorbar(groups[outcome].mean().index, groups[outcome].mean(), spread, marker="o", capsize=3,
                          label=f"{speed:g} m/s")  # fmt: skip
        axes.set_xlabel("category, from recommended")
        axes.set_ylabel(label)
        axes.grid(alpha=0.25)
    result.axes[0].legend(frameon=False, fontsize=8)
    return result


if __name__ == "__main__":
    draw(figure, "category.png")
