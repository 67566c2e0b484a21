"""What cost weights of models/cost.toml do to able-bodied running: the table they were chosen from.

Takes no arguments; prints for each candidate, at 2.5 and 3.5 m/s (Fukuchi 2017): shares of angle and moment
curves within one SD, muscles on when electromyography says so, net metabolic cost beside the published one,
peak force and contact time off the mean in SD, the greatest reserve, and how active muscles at rest are
(5 % of all activations lie below). "as is": the weights in the file.
"""

from __future__ import annotations

import sys
from copy import deepcopy
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from bladerun import Task, build_model, solve
from bladerun._facts import models_dir, toml
from bladerun.outcomes import outcomes

sys.path.append(str(Path(__file__).parents[1] / "validation"))
from able_bodied import ANGLES, COST_J_KG_M, MOMENTS, PEAKS, RUNNER, agreement

ON = (
    0.2  # share of a muscle's peak activation above which it counts as on; a usual threshold for EMG, assumed
)
CANDIDATES: dict[str, dict[tuple[str, str], float]] = {
    "as is": {},
    "effort 3": {("activation", "effort"): 3.0},
    "effort 10": {("activation", "effort"): 10.0},
    "effort 30": {("activation", "effort"): 30.0},
    "resting 4 %": {("activation", "least"): 0.01, ("activation", "bound"): 10.0},
    "height 0.15": {("tracking", "pelvis_height_m_s"): 0.15},
    "height 0.3": {("tracking", "pelvis_height_m_s"): 0.3},
    "tracking 0.5": {("tracking", "weight"): 0.5},
    "tracking 1": {("tracking", "weight"): 1.0},
    "reserve 3": {("force", "reserve"): 3.0},
    "power 2": {("power", "weight"): 2.0},
    "power 5": {("power", "weight"): 5.0},
}


def row(stride: xr.Dataset, speed: float) -> dict[str, float | str]:
    """One candidate's stride beside the data."""
    angle = [
        agreement(np.degrees(stride.q.sel(joint=joint).values), joint.removesuffix("_r"), speed)[0]
        for joint in ANGLES
    ]
    moment = [
        agreement(stride.tau.sel(joint=joint).values / RUNNER.mass_kg, quantity, speed)[0]
        for joint, quantity in MOMENTS.items()
    ]
    found = outcomes(stride)
    off = {
        key: (found[key]["right"] - PEAKS[speed][key][0]) / PEAKS[speed][key][1]
        for key in ("peak_vgrf_bw", "contact_time_s")
    }
    return {
        "m/s": speed,
        "angles %": 100 * float(np.mean(angle)),
        "moments %": 100 * float(np.mean(moment)),
        "EMG %": 100 * timing(stride),
        "J/kg/m": found["cost_of_transport_j_kg_m"],
        "off %": 100 * (found["cost_of_transport_j_kg_m"] / COST_J_KG_M - 1),
        "upper": found["upper_body_cost_of_transport_j_kg_m"],
        "force SD": off["peak_vgrf_bw"],
        "contact SD": off["contact_time_s"],
        "reserve %": 100 * found["reserve_peak_fraction"]["right"],
        "quiet": float(np.percentile(stride.activation, 5)),
        "status": stride.attrs["status"],
    }


def timing(stride: xr.Dataset) -> float:
    """Share of the stride in which muscles are on, or off, as electromyography has them; mean of muscles."""
    table = pd.read_csv(models_dir() / "reference" / "emg.csv")
    percent = 100 * np.arange(stride.sizes["time"]) / stride.sizes["time"]
    shares = []
    for muscle, bars in table.groupby("muscle"):
        expected = np.zeros(len(percent), bool)
        for start, end in zip(bars.on_percent, bars.off_percent, strict=True):
            inside = (percent >= start) & (percent <= end)
            expected |= inside if start <= end else (percent >= start) | (percent <= end)
        activation = stride.activation.sel(muscle=f"{muscle}_r").values
        shares.append(((activation > ON * activation.max()) == expected).mean())
    return float(np.mean(shares))


def main() -> None:
    cost = toml("cost.toml")  # what the solver reads: changed here for one candidate at a time
    published, model, rows = deepcopy(cost), build_model(RUNNER), []
    neighbours = {speed: solve(model, Task(speed)) for speed in PEAKS}
    for name, changes in CANDIDATES.items():
        cost |= deepcopy(published)
        for (section, key), value in changes.items():
            cost[section][key] = value
        for speed, neighbour in neighbours.items():
            stride = solve(model, Task(speed), start=neighbour) if changes else neighbour
            rows.append({"candidate": name} | row(stride, speed))
    print(pd.DataFrame(rows).to_string(index=False, float_format="%.2f"))


if __name__ == "__main__":
    main()
