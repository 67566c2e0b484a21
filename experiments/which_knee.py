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
    "peak_vgrf_bw_{sound}": "sound leg's peak, BW",
    "swing_clearance_mm_{worn}": "clearance, mm",
    "circumduction_mm_{worn}": "circumduction, mm",
    "vaulting_mm_{worn}": "vaulting, mm",
    "hip_abductor_force_peak_bw_{worn}": "hip abductors, BW",
    "hip_work_positive_j_kg_{worn}": "hip work, J/kg",
}


def answer(rows: pd.DataFrame, speed: float) -> str:
    """One sentence: what is cheapest at this speed, and by how much."""
    solved = rows[(rows.speed_m_s == speed) & (rows.status == "converged")]
    cost = solved.groupby("knee").cost_j_kg_m.mean().sort_values()
    if cost.empty:
        return f"At {speed:g} m/s no stride was found."
    apart = []
    for name, more in (cost.iloc[1:] - cost.iloc[0]).items():
        differs = "costs" if more >= (matters("cost_j_kg_m") or 0.0) else "hardly differs,"
        apart.append(f"{KneeUnit(str(name)).title} {differs} {more:+.2f} J/kg/m")
    best = KneeUnit(str(cost.index[0])).title
    return f"At {speed:g} m/s the {best} is cheapest; {'; '.join(apart)}."


def main(folder: Path) -> None:
    rows = table(folder).to_pandas()
    worn = "right" if rows.circumduction_mm_right.notna().any() else "left"
    legs = {"worn": worn, "sound": "left" if worn == "right" else "right"}
    columns = {key.format(**legs): title for key, title in SHOWN.items()}
    shown = rows[["speed_m_s", "knee", "status", *columns]].rename(columns=columns)
    print(shown.sort_values(["speed_m_s", "knee"]).to_string(index=False, float_format="%.2f"))
    for speed in sorted(rows.speed_m_s.unique()):
        print(answer(rows, speed))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
