"""What muscles change: cost, reserves and solve times, and the first fit moved by motors and by muscles.

Takes no arguments; prints two tables, or one JSON object with --json. Solves every stride from nothing, one
core; the first one compiles.
"""

import json
import sys
from pathlib import Path

from bladerun import Runner, Task, build_model, solve
from bladerun.case import load_case
from bladerun.fitting import resolve
from bladerun.outcomes import outcomes

SPEEDS_M_S = (2.5, 3.0, 3.5)
CASE = load_case(Path(__file__).parents[1] / "first-fit.toml")


def blade_model():
    return build_model(CASE.runner, CASE.amputation, resolve(CASE.fitting, CASE.runner))


def strides() -> dict[str, dict]:
    """Cost, work, loads and how the solve went, able-bodied and on a blade."""
    rows = {}
    for name, model in (("able-bodied", build_model(Runner(75.0, 1.75))), ("blade", blade_model())):
        for speed in SPEEDS_M_S:
            stride = solve(model, Task(speed))
            found = outcomes(stride)
            left = json.loads(stride.attrs["residuals"])
            rows[f"{name} {speed}"] = {
                "status": stride.attrs["status"],
                "seconds": stride.attrs["seconds"],
                "iterations": int(stride.attrs["iterations"]),
                "cost_of_transport_j_kg_m": found["cost_of_transport_j_kg_m"],
                "metabolic_power_w_kg": found["metabolic_power_w_kg"],
                "reserve_peak_fraction": found["reserve_peak_fraction"],
                "between_knots_percent_bw": 100
                * left["between_knots_force_peak_n"]
                / (stride.attrs["mass_kg"] * stride.attrs["gravity"]),
                "slip_mm": left["slip_mm"],
            }
    return rows


def before_and_after() -> dict[str, dict]:
    """Every outcome of the first fit, torque-driven and muscle-driven."""
    model = blade_model()
    motors, muscles = (outcomes(solve(model, CASE.task, muscle_driven=by)) for by in (False, True))
    return {key: {"torque_driven": motors[key], "muscle_driven": muscles[key]} for key in muscles}


def say(value) -> str:
    if isinstance(value, dict):
        return " / ".join(say(part) for part in value.values())
    return f"{value:.4g}" if isinstance(value, int | float) else str(value or "-")


def main() -> None:
    results = {"strides": strides(), "first_fit": before_and_after()}
    if "--json" in sys.argv:
        print(json.dumps(results))
        return
    for name, row in results["strides"].items():
        print(f"\n{name} m/s")
        for key, value in row.items():
            print(f"  {key:30}{say(value)}")
    print(f"\n{'first fit, left / right':44}{'torque-driven':>28}{'muscle-driven':>28}")
    for key, row in results["first_fit"].items():
        print(f"{key:44}{say(row['torque_driven']):>28}{say(row['muscle_driven']):>28}")


if __name__ == "__main__":
    main()
