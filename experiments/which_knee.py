"""The answer of the knee study in a table and in words, a line a knee at each speed.

Takes the folder that `bladerun sweep experiments/which-knee.toml` wrote; prints it.
"""

import sys
from pathlib import Path

import pandas as pd

from bladerun.body.knee_unit import KneeUnit
from bladerun.study._store import table
from bladerun.study.recommend import matters

SHOWN = {
    "cost_j_kg_m": "cost, J/kg/m",
    "asymmetry_percent": "asymmetry, %",
    "peak_vgrf_bw": "sound leg's peak, BW",
    "swing_clearance_mm": "clearance, mm",
    "circumduction_mm": "circumduction, mm",
    "vaulting_mm": "vaulting, mm",
    "hip_abductor_force_peak_bw": "hip abductors, BW",
    "hip_work_positive_j_kg": "hip work, J/kg",
}


SOUND = ("peak_vgrf_bw",)  # of the leg without a prosthesis; what else a leg has is of the other
SAID = (  # a column, and what the knee with least of it is
    ("cost_j_kg_m", "cheapest (nothing measured confirms the order)"),
    ("asymmetry_percent", "most even"),
    ("peak_vgrf_bw", "easiest on the sound leg"),
    ("hip_work_positive_j_kg", "least work for the hip"),
    ("swing_clearance_mm", "first to stumble"),
)


def column(rows: pd.DataFrame, key: str) -> str:
    """The column of an outcome, of the leg that it is shown of."""
    worn = "right" if rows.circumduction_mm_right.notna().any() else "left"
    sound = "left" if worn == "right" else "right"
    return key if key in rows else f"{key}_{sound if key in SOUND else worn}"


def answer(rows: pd.DataFrame, speed: float) -> str:
    """Which knee is first in what at this speed; those that hardly differ are first together."""
    solved = rows[(rows.speed_m_s == speed) & (rows.status == "converged")]
    if solved.empty:
        return f"At {speed:g} m/s no stride was found."
    parts = []
    for key, words in SAID:
        value = solved.groupby("knee")[column(rows, key)].mean()
        alike = value[value - value.min() <= (matters(key) or 0.0)].sort_values()
        parts.append(f"{words}: {' or '.join(KneeUnit(str(name)).title for name in alike.index)}")
    return f"At {speed:g} m/s {'; '.join(parts)}."


def main(folder: Path) -> None:
    rows = table(folder).to_pandas()
    columns = {column(rows, key): title for key, title in SHOWN.items()}
    shown = rows[["speed_m_s", "knee", "status", *columns]].rename(columns=columns)
    print(shown.sort_values(["speed_m_s", "knee"]).to_string(index=False, float_format="%.2f"))
    for speed in sorted(rows.speed_m_s.unique()):
        print(answer(rows, speed))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
