"""Does a finer mesh give the same stride? Writes refinement.csv and refinement.png beside this file.

One runner on the blade, from coarse to fine and back, each mesh started from the stride on the one before;
of both the better one, so that meshes are compared and not the gaits that they fall into. Left: residual
force and moment on the pelvis half-way between knots, against the limits of OpenSim's evaluation checklist
(25 N, 75 Nm). Right: how far main outcomes lie from those of the finest mesh.
`python experiments/verification/refinement.py [KNOTS ...]`
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from bladerun.case import load_case
from bladerun.gait.outcomes import flat, outcomes
from bladerun.model import build_model
from bladerun.options import SolverOptions
from bladerun.stride import solve

HERE = Path(__file__).parent
KNOTS = (60, 90, 120, 180, 240, 360)
SOLVE = (
    "status", "objective", "iterations", "root_force_peak_n", "between_knots_force_peak_n",
    "between_knots_moment_peak_nm", "energy_balance_j",
)  # fmt: skip
MAIN = {
    "stride_time_s": "stride time",
    "peak_vgrf_bw_right": "peak vertical force, blade",
    "peak_vgrf_bw_left": "peak vertical force, sound",
    "contact_time_s_right": "contact time, blade",
    "blade_energy_returned_j_right": "blade energy returned",
    "hip_torque_rotation_peak_nm_kg_right": "hip rotation torque, blade",
    "cost_of_transport_j_kg_m": "cost of transport",
}


def measured(meshes: list[int]) -> pd.DataFrame:
    """One row a mesh: residuals, objective, outcomes."""
    case = load_case(HERE.parent / "first-fit.toml")
    model = build_model(case.runner, case.amputation, case.fitting)
    rows, stride = {}, None
    for knots in [*meshes, *meshes[-2::-1]]:
        stride = solve(model, case.task, start=stride, options=SolverOptions.default(knots=knots))
        attrs = stride.attrs
        print(knots, attrs["status"], f"{attrs['seconds']:.1f} s", attrs["residuals"], flush=True)
        if knots in rows and rows[knots]["objective"] < attrs["objective"]:
            continue
        row = {key: attrs[key] for key in ("status", "objective", "iterations", "seconds")}
        rows[knots] = row | json.loads(attrs["residuals"]) | flat(outcomes(stride))
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("knots")


def order(x: np.ndarray, y: np.ndarray) -> float:
    """p of y ~ (1/x)^p, least squares."""
    return float(-np.polyfit(np.log(x), np.log(y), 1)[0])


def drawn(table: pd.DataFrame) -> Figure:
    figure = Figure(figsize=(12.5, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    knots = table.index.to_numpy(float)
    for column, limit, colour, text in (
        ("between_knots_force_peak_n", 25, "#0072B2", "force, N"),
        ("between_knots_moment_peak_nm", 75, "#D55E00", "moment, Nm"),
    ):
        values = table[column].to_numpy(float)
        left.loglog(knots, values, "o-", color=colour, label=f"{text}: order {order(knots, values):.1f}")
        left.axhline(limit, color=colour, linestyle=":", linewidth=1)
    left.set_title("Residual force and moment between knots, peak (dotted: limit)", loc="left", fontsize=10)
    finest, coarser = table.iloc[-1], table.iloc[:-1]
    for column, text in MAIN.items():
        error = (coarser[column] / finest[column] - 1).abs().to_numpy(float)
        right.loglog(knots[:-1], 100 * error, "o-", linewidth=1.2, markersize=4, label=text)
    right.set_title(f"Difference from {table.index[-1]} knots, %", loc="left", fontsize=10)
    for axes in (left, right):
        axes.set_xlabel("knots of a stride")
        axes.set_xticks(knots, [f"{k:g}" for k in knots])
        axes.minorticks_off()
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    ticks = [2, 5, 10, 20, 50, 100, 200, 400]
    left.set_yticks(ticks, [str(tick) for tick in ticks])
    left.legend(frameon=False, fontsize=9)
    right.set_yticks([0.01, 0.1, 1, 10], ["0.01", "0.1", "1", "10"])
    right.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def main() -> None:
    meshes = [int(text) for text in sys.argv[1:]] or list(KNOTS)
    table = measured(meshes)
    table[[*SOLVE, *MAIN]].to_csv(HERE / "refinement.csv", float_format="%.6g")
    drawn(table).savefig(HERE / "refinement.png", dpi=110)


if __name__ == "__main__":
    main()
