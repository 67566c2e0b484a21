"""The README's picture: the recommended stride of `make fit`, and what the sweep showed.

Takes the folder of a finished fit (default runs/first-fit); writes docs/first-fit.png.
"""

import json
import sys
from pathlib import Path

import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from bladerun.show.video import frames

MAPS = {
    "hip_height_difference_mm": "hip higher over the blade (mm)",
    "foot_progression_deg_right": "direction of the blade (deg, out +)",
    "hip_torque_rotation_peak_nm_kg_right": "hip rotation torque (Nm/kg)",
}
PHASES = {0.02: "touchdown", 0.15: "greatest compression", 0.29: "toe-off"}


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/first-fit")
    table = pd.read_parquet(folder / "outcomes.parquet")
    study = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    stride = xr.load_dataset(folder / study["recommended"]["stride"])
    figure = Figure(figsize=(11, 7.6), layout="constrained")
    panels = figure.subplots(2, 3, height_ratios=(1.5, 1))
    pictures = frames(stride, list(PHASES))
    for axes, title, picture in zip(panels[0], PHASES.values(), pictures, strict=True):
        axes.imshow(picture[60:640, 380:960])
        axes.set_title(title, loc="left")
        axes.axis("off")
    for axes, (key, title) in zip(panels[1], MAPS.items(), strict=True):
        grid = table.pivot_table(index="height_mm", columns="toe_out_deg", values=key)
        image = axes.imshow(grid, origin="lower", aspect="auto", cmap="cividis")
        axes.set_xticks(range(len(grid.columns)), [f"{value:g}" for value in grid.columns])
        axes.set_yticks(range(len(grid.index)), [f"{value:g}" for value in grid.index])
        axes.set(xlabel="toe-out (deg)", ylabel="height (mm)")
        axes.set_title(title, loc="left", fontsize=10)
        figure.colorbar(image, ax=axes)
    figure.savefig(Path(__file__).with_name("first-fit.png"), dpi=90)


if __name__ == "__main__":
    main()
