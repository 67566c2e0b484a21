"""Does a stride on a leg that ends above the knee converge? Writes above_knee.csv beside this file.

Each cell from nothing. `python experiments/verification/above_knee.py [CELL ...]`: cells by their number.
"""

import sys
from pathlib import Path

import pandas as pd

from bladerun.body.legs import SIDES
from bladerun.body.runner import Amputation, Runner
from bladerun.fitting import Fitting
from bladerun.gait.outcomes import flat, outcomes
from bladerun.model import build_model
from bladerun.stride import solve
from bladerun.task import Task

FILE = Path(__file__).with_suffix(".csv")
HEIGHT_M = {50.0: 1.60, 72.0: 1.78, 95.0: 1.88}
CELLS = [  # side, knee, kg, m/s
    ("right", "hydraulic-running", 72.0, 3.0),
    ("right", "pylon", 72.0, 3.0),
    ("right", "hybrid-locked", 72.0, 2.0),
    ("right", "pylon", 72.0, 4.0),
    ("right", "hydraulic-running", 72.0, 4.0),
    ("left", "hydraulic-running", 72.0, 2.0),
    ("left", "pylon", 50.0, 2.0),
    ("left", "hybrid", 50.0, 3.0),
    ("left", "hydraulic-running", 95.0, 3.0),
    ("right", "pylon", 95.0, 3.0),
    ("both", "hydraulic-running", 72.0, 2.0),
    ("both", "hydraulic-running", 72.0, 3.5),
    ("both", "pylon", 72.0, 2.0),
    ("both", "pylon", 72.0, 3.5),
]
SHOWN = (
    "cost_of_transport_j_kg_m", "knee_flexion_swing_peak_deg", "knee_stop_moment_least_nm_kg",
    "circumduction_mm", "hip_hike_swing_deg", "vaulting_mm", "swing_clearance_mm",
)  # fmt: skip


def found(side: str, knee: str, mass_kg: float, speed_m_s: float) -> dict[str, object]:
    """One row: what was asked, whether and how fast it was found, and how the prosthetic leg gets through."""
    runner = Runner(mass_kg, HEIGHT_M[mass_kg])
    model = build_model(runner, Amputation(side, "transfemoral"), Fitting("j-sprint", knee=knee))
    stride = solve(model, Task(speed_m_s))
    rows, leg = flat(outcomes(stride)), side if side in SIDES else "right"
    return {
        "side": side,
        "knee": knee,
        "mass_kg": mass_kg,
        "speed_m_s": speed_m_s,
        **{key: stride.attrs[key] for key in ("status", "iterations", "seconds", "objective")},
        **{key: rows.get(key, rows.get(f"{key}_{leg}")) for key in SHOWN},
    }


def main(cells: list[int]) -> None:
    rows = []
    for at in cells:
        rows.append({"cell": at, **found(*CELLS[at])})
        print({key: f"{value:.4g}" if isinstance(value, float) else value for key, value in rows[-1].items()})
    table = pd.DataFrame(rows).set_index("cell")
    print(table.to_string(float_format="%.3g"))
    if len(cells) == len(CELLS):
        table.to_csv(FILE, float_format="%.4g")


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or list(range(len(CELLS))))
