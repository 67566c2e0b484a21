"""How closely the able-bodied runner agrees with people: Fukuchi 2017 at 2.5 and 3.5 m/s.

Takes no arguments (or --json); prints, for each speed, the share of the stride in which each angle and moment
is within one SD of the mean, peak values beside theirs, and the metabolic cost beside the published one. Cost
weights are chosen on these data and frozen.
"""

import json
import sys

import numpy as np

from bladerun import Runner, Task, build_model, solve
from bladerun._reference import band
from bladerun.outcomes import outcomes

# Fukuchi 2017 (doi 10.7717/peerj.3298), from the individual strides: mean, SD between the 26 runners.
PEAKS = {
    2.5: {"contact_time_s": (0.279, 0.025), "step_frequency_hz": (2.70, 0.16), "peak_vgrf_bw": (2.37, 0.14)},
    3.5: {"contact_time_s": (0.231, 0.018), "step_frequency_hz": (2.86, 0.18), "peak_vgrf_bw": (2.61, 0.15)},
}
ANGLES = [
    "pelvis_tilt", "pelvis_list", "pelvis_rotation", "hip_flexion_r", "hip_adduction_r", "hip_rotation_r",
    "knee_flexion_r", "ankle_dorsiflexion_r", "subtalar_inversion_r",
]  # fmt: skip
MOMENTS = {
    "hip_flexion_r": "hip_flexion_moment",
    "hip_adduction_r": "hip_adduction_moment",
    "hip_rotation_r": "hip_internal_rotation_moment",
    "knee_flexion_r": "knee_flexion_moment",
    "ankle_dorsiflexion_r": "ankle_dorsiflexion_moment",
}
COST_J_KG_M = 3.8  # metabolic, above rest, at any speed: di Prampero 2005, J Exp Biol 208:2809
RUNNER = Runner(mass_kg=67.9, height_m=1.76)  # the mean of the 26 runners; stature as in models/reference


def agreement(values: np.ndarray, quantity: str, speed: float) -> tuple[float, float]:
    """Share of the stride within one SD, and RMS distance in SD, of a curve on its own knots (N,)."""
    percent, mean, sd = band(quantity, speed)
    at = 100 * np.arange(len(values)) / len(values)
    off = (values - np.interp(at, percent, mean)) / np.interp(at, percent, sd)
    return float((np.abs(off) <= 1).mean()), float(np.sqrt((off**2).mean()))


def compare(speed: float) -> dict[str, dict[str, float]]:
    """One able-bodied stride beside the data at one speed [m/s]."""
    stride = solve(build_model(RUNNER), Task(speed))
    rows = {}
    for joint in ANGLES:
        inside, rms = agreement(np.degrees(stride.q.sel(joint=joint).values), joint.removesuffix("_r"), speed)
        rows[joint.removesuffix("_r")] = {"within_1_sd": inside, "rms_sd": rms}
    for joint, quantity in MOMENTS.items():
        inside, rms = agreement(stride.tau.sel(joint=joint).values / RUNNER.mass_kg, quantity, speed)
        rows[quantity] = {"within_1_sd": inside, "rms_sd": rms}
    found = outcomes(stride)
    for key, (mean, sd) in PEAKS[speed].items():
        value = found[key]["right"] if isinstance(found[key], dict) else found[key]
        rows[key] = {"predicted": value, "mean": mean, "sd": sd, "off_sd": (value - mean) / sd}
    cost = found["cost_of_transport_j_kg_m"]
    rows["cost_of_transport_j_kg_m"] = {
        "predicted": cost,
        "published": COST_J_KG_M,
        "off": cost / COST_J_KG_M - 1,
    }
    return rows


def main() -> None:
    table = {str(speed): compare(speed) for speed in PEAKS}
    if "--json" in sys.argv:
        print(json.dumps(table, indent=2))
        return
    for speed, rows in table.items():
        print(f"\n{speed} m/s")
        for name, row in rows.items():
            if "within_1_sd" in row:
                print(
                    f"  {name:32s} within 1 SD {100 * row['within_1_sd']:4.0f} %   rms {row['rms_sd']:.2f} SD"
                )
            elif "published" in row:
                off = f"{100 * row['off']:+.0f} %"
                print(f"  {name:32s} {row['predicted']:.3f} against {row['published']} ({off})")
            else:
                print(f"  {name:32s} {row['predicted']:.3f} against {row['mean']} ({row['off_sd']:+.1f} SD)")


if __name__ == "__main__":
    main()
