"""Which uncertain facts matter: Morris' elementary effects on the main outcomes of the first-fit runner.

Writes morris-runs.csv, morris.csv and morris.png beside this file. Each fact moves within the middle 90 % of
its distribution in models/uncertainty.toml; mu* is the mean size of what a move over that whole range would
change, in % of the outcome (Campolongo 2007, doi 10.1016/j.envsoft.2006.10.004). 10 strides a trajectory:
`python experiments/sensitivity/morris.py [--trajectories 8] [--knots 180]`
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure
from SALib.analyze import morris as effects
from SALib.sample import morris as sampling

from bladerun.body.variation import names, quantiles
from bladerun.case import load_case
from bladerun.gait.outcomes import flat, outcomes
from bladerun.model import build_model
from bladerun.options import SolverOptions
from bladerun.stride import solve

HERE = Path(__file__).parent
MAIN = {
    "peak_vgrf_bw_right": "peak vertical force, blade",
    "peak_vgrf_bw_left": "peak vertical force, sound",
    "contact_time_s_right": "contact time, blade",
    "blade_energy_returned_j_right": "blade energy returned",
    "blade_compression_mm_right": "blade compression",
    "hip_torque_rotation_peak_nm_kg_right": "hip rotation torque, blade",
    "hip_torque_adduction_peak_nm_kg_right": "hip abduction torque, blade",
    "knee_extension_torque_peak_nm_kg_left": "knee torque, sound",
    "stride_time_s": "stride time",
    "cost_of_transport_j_kg_m": "cost of transport",
}
PROBLEM = {"num_vars": len(names()), "names": list(names()), "bounds": [[0.05, 0.95]] * len(names())}


def runs(points: np.ndarray, knots: int) -> pd.DataFrame:
    """Main outcomes at each point (p, 12) of quantiles, NaN where not converged; first of the middle."""
    case = load_case(HERE.parent / "first-fit.toml")
    inputs = case.runner, case.amputation, case.fitting
    options = SolverOptions.default(knots=knots)
    start = solve(build_model(*inputs), case.task, options=options)
    rows = [_row(start, np.full(len(names()), 0.5))]
    for k, point in enumerate(points, 1):
        stride = solve(build_model(*inputs, quantiles(point)), case.task, start=start, options=options)
        rows.append(_row(stride, point))
        print(f"{k} of {len(points)}: {stride.attrs['status']}, {stride.attrs['seconds']:.1f} s", flush=True)
        pd.DataFrame(rows).to_csv(HERE / "morris-runs.csv", float_format="%.6g")
    return pd.DataFrame(rows)


def _row(stride: xr.Dataset, point: np.ndarray) -> dict[str, float]:
    found = flat(outcomes(stride)) if stride.attrs["status"] != "not converged" else {}
    row = {"knots": stride.attrs["knots"]} | dict(zip(names(), point, strict=True))
    return row | {key: found.get(key, np.nan) for key in MAIN}


def analysed(points: np.ndarray, table: pd.DataFrame) -> pd.DataFrame:
    """mu* of each fact (row) on each outcome (column), % of the nominal outcome; whole trajectories only."""
    size = len(names()) + 1
    nominal, values = table.iloc[0], table.iloc[1:]
    whole = values[list(MAIN)].notna().all(axis=1).to_numpy().reshape(-1, size).all(axis=1).repeat(size)
    result = {}
    for key in MAIN:
        y = values.loc[whole, key].to_numpy(float)
        found = effects.analyze(PROBLEM, points[whole], y, num_levels=4, print_to_console=False)
        result[key] = 100 * np.asarray(found["mu_star"]) / abs(nominal[key])
    print(f"{whole.sum() // size} of {len(whole) // size} trajectories are whole")
    return pd.DataFrame(result, index=list(names()))


def drawn(table: pd.DataFrame, how: str) -> Figure:
    """how: trajectories and knots, in words."""
    figure = Figure(figsize=(9.5, 4.6), layout="constrained")
    axes = figure.subplots()
    axes.imshow(table, cmap="Blues", aspect="auto", vmin=0, vmax=100)
    axes.set_xticks(range(len(MAIN)), list(MAIN.values()), rotation=30, ha="right", fontsize=8)
    axes.set_yticks(range(len(table)), [name.replace("_", " ") for name in table.index], fontsize=9)
    for (i, j), value in np.ndenumerate(table.to_numpy()):
        axes.text(
            j,
            i,
            f"{value:.1f}",
            ha="center",
            va="center",
            fontsize=8,
            color="white" if value > 60 else "#222222",
        )
    title = f"Change over the middle 90 % of what is unknown, % of the outcome (Morris' mu*, {how})"
    axes.set_title(title, loc="left", fontsize=9)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure


def main() -> None:
    parser = argparse.ArgumentParser(description="Morris screening of uncertain facts")
    parser.add_argument("--trajectories", type=int, default=8)
    parser.add_argument("--knots", type=int, default=SolverOptions.default().knots)
    args = parser.parse_args()
    points = sampling.sample(PROBLEM, args.trajectories, num_levels=4, seed=0)
    table = analysed(points, runs(points, args.knots))
    table.to_csv(HERE / "morris.csv", float_format="%.4g")
    drawn(table, f"{args.trajectories} trajectories, {args.knots} knots").savefig(
        HERE / "morris.png", dpi=110
    )


if __name__ == "__main__":
    main()
