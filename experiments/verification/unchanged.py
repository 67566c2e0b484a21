"""Did a change of the program change what it computes? Eight strides, before and after.

`python experiments/verification/unchanged.py record DIR` solves eight strides (no, left, right and both
blades; 2.5 to 4.5 m/s; two body sizes) and writes them to DIR with cost, gradient and residual forces of the
stored point and with its outcomes. `... evaluate OLD DIR` does the second part again on the strides in OLD,
with the program as it is now; `... compare OLD DIR` prints how far DIR lies from OLD: of the same stored
points, where OLD and DIR hold the same strides, else of strides solved anew.
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np
import xarray as xr

from bladerun import Amputation, Fitting, Runner, Task, build_model, solve
from bladerun.cost import Cost
from bladerun.dataset.files import read_stride, write_stride
from bladerun.environment import Environment
from bladerun.gait.outcomes import flat, outcomes
from bladerun.model import Model
from bladerun.options import SolverOptions
from bladerun.stride import result, solver
from bladerun.stride.dynamics.inverse_dynamics import motion
from bladerun.stride.problem import problem
from bladerun.stride.sweep import sweep, sweep_arrays
from bladerun.stride.transcription.blocks import NODE
from bladerun.stride.transcription.mesh import mesh

SMALL, LARGE = Runner(52.0, 1.60, "female"), Runner(88.0, 1.88, "male")
CASES = (
    ("none", SMALL, 2.5), ("none", LARGE, 4.5), ("left", LARGE, 2.5), ("left", SMALL, 4.0),
    ("right", SMALL, 3.3), ("right", LARGE, 4.5), ("both", SMALL, 3.0), ("both", LARGE, 4.0),
)  # fmt: skip
WEIGHT = 500.0  # of residual forces
LEAST = 1e-2  # smallest size of an outcome, in its unit, of which a difference is a share


def model_of(number: int) -> Model:
    side, runner, _ = CASES[number]
    blade = "c-distance" if number % 4 == 3 else "j-sprint"
    fitting = None if side == "none" else Fitting(blade, height_mm=20.0, toe_out_deg=5.0)
    return build_model(runner, Amputation(side), fitting)


def evaluate(number: int, stride: xr.Dataset, folder: Path) -> None:
    """Cost, gradient and residual forces of the point that a stride stores, and its outcomes."""
    task = Task(CASES[number][2])
    posed = problem(model_of(number), task, Cost.default(), Environment.default(), SolverOptions.default())
    point = solver.Point(
        stride.control_points.values.copy(),
        result.times_of(stride),
        stride.multiplier.values.copy(),
        stride.activation.values[::NODE].copy(),
        weight=WEIGHT,
    )
    arrays = solver.at_weight(posed.arrays, WEIGHT, point.multiplier)
    out, places = sweep_arrays(posed.knots, arrays), mesh(posed.knots, point.times)
    cost = sweep(arrays, motion(arrays.tree), places, point.c, point.activation, out, True)
    objective = sum(solver.objective_by_term(posed.arrays, point).values())
    summed = np.einsum("ki,kij->kj", np.abs(out.y), np.abs(out.J)).max()  # size of what the gradient adds up
    found = {"cost": cost, "objective": objective, "gradient": out.gradient, "tau": out.tau, "summed": summed}
    np.savez_compressed(folder / f"{number}.npz", **found)
    again = result.dataset(posed, point, solver.at_knots(posed.arrays, point))
    (folder / f"{number}.json").write_text(json.dumps(flat(outcomes(again))), encoding="utf-8")


def compare(old: Path, new: Path) -> None:
    """Greatest differences, relative but for forces; of the gradient over the size of what it adds up.

    At a solution what the gradient adds up cancels to a millionth of itself.
    """
    print(f"{'':20}{'cost':>10}{'objective':>11}{'gradient':>10}{'forces, N':>11}{'outcomes':>10}  which")
    for number, (side, runner, speed) in enumerate(CASES):
        a, b = (np.load(folder / f"{number}.npz") for folder in (old, new))
        cost, objective = (float(abs(b[key] / a[key] - 1)) for key in ("cost", "objective"))
        gradient, forces = (float(np.abs(b[key] - a[key]).max()) for key in ("gradient", "tau"))
        gradient /= float(b["summed"])
        one, two = (json.loads((folder / f"{number}.json").read_text()) for folder in (old, new))
        off = {  # an asymmetry is a share itself, which is near 0 where both legs are alike
            key: abs(two[key] - value) / (100.0 if key.endswith("_percent") else max(abs(value), LEAST))
            for key, value in one.items()
            if math.isfinite(value)
        }
        worst = max(off, key=lambda key: off[key])
        name = f"{side} {runner.mass_kg:g} kg {speed:g} m/s"
        print(
            f"{name:20}{cost:10.1e}{objective:11.1e}{gradient:10.1e}{forces:11.1e}{off[worst]:10.1e}  {worst}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("record", "evaluate", "compare"))
    parser.add_argument("folders", nargs="+", type=Path)
    args = parser.parse_args()
    if args.what == "compare":
        return compare(*args.folders)
    folder = args.folders[-1]
    folder.mkdir(parents=True, exist_ok=True)
    for number, (_, _, speed) in enumerate(CASES):
        if args.what == "record":
            stride = solve(model_of(number), Task(speed))
            write_stride(stride, folder / f"{number}.nc")
            print(number, *(stride.attrs[key] for key in ("status", "iterations", "seconds", "objective")))
        else:
            stride = read_stride(args.folders[0] / f"{number}.nc")
        evaluate(number, stride, folder)


if __name__ == "__main__":
    main()
