"""How long a stride takes, how exact it is and how well it repeats: one runner, one core.

Takes a runner's file with an amputation (default: experiments/first-fit.toml); prints tables, or one JSON
object with --json. A few minutes:  python experiments/benchmarks/stride.py [RUNNER.toml] [--json]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial, wraps
from pathlib import Path
from unittest.mock import patch

import numpy as np
import xarray as xr

import bladerun
from bladerun.case import Case, load_case
from bladerun.fitting import resolve
from bladerun.model import build_model
from bladerun.options import SolverOptions
from bladerun.stride import solve, solver

HEIGHTS_MM = (10.0, 20.0, 30.0, 40.0, 50.0)
# Import, first stride and second stride of a new process: the first one compiles, or loads what is compiled.
FIRST_CALL = """
import sys, time; t = [time.perf_counter()]
from bladerun import Runner, Task, build_model, solve
t.append(time.perf_counter())
for _ in range(2):
    solve(build_model(Runner(75.0, 1.75)), Task(3.3)); t.append(time.perf_counter())
print(*(b - a for a, b in zip(t, t[1:])))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Time, residuals and repeatability of the stride.")
    parser.add_argument("runner", nargs="?", default=Path(__file__).parents[1] / "first-fit.toml")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    arguments = parser.parse_args()
    case = load_case(arguments.runner)
    if case.fitting is None:
        parser.error(f"{arguments.runner} has no fitting whose neighbours could be solved")
    case = replace(case, fitting=resolve(case.fitting, case.runner))
    say = partial(print, file=sys.stderr, flush=True)
    began = time.perf_counter()
    say("compiling, without and with a cache ...")
    results = {"compile": compile_times()}
    say("one stride, its neighbours and its profile ...")
    solved(case)  # compiles, or loads what is compiled
    results |= neighbours(case)
    say("heights, up and down ...")
    results["scatter"] = scatter(case)
    results["total_s"] = time.perf_counter() - began
    if arguments.json:
        print(json.dumps(results))
    else:
        report(results)


def compile_times() -> dict[str, dict[str, float]]:
    """Seconds of importing, and of compiling or loading, in new processes without and with a cache."""
    with tempfile.TemporaryDirectory() as folder:
        return {name: _first_call(folder) for name in ("without_cache", "with_cache")}


def _first_call(cache: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-c", FIRST_CALL],
        env=os.environ | {"NUMBA_CACHE_DIR": cache},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    imported, first, second = map(float, done.stdout.split())
    return {"import_s": imported, "compile_or_load_s": first - second}


def neighbours(case: Case) -> dict:
    """The stride from nothing, with its profile, and its neighbours from it."""
    with profiled() as spent:
        cold = solved(case)
    rows = {"cold": facts(cold)}
    profile = {part: {"seconds": s, "calls": n} for part, (s, n) in spent.items()}
    rest = cold.attrs["seconds"] - sum(s for s, _ in spent.values())
    profile["rest"] = {"seconds": rest, "calls": 1}
    for key, step in (("height_mm", 10.0), ("toe_out_deg", 5.0), ("category", 1)):
        for sign in (+1, -1):
            change = {key: getattr(case.fitting, key) + sign * step}
            rows[f"{key} {sign * step:+g}"] = facts(solved(case, start=cold, **change))
    return {"strides": rows, "profile": profile}


def scatter(case: Case) -> dict:
    """Objective over heights, going up and going down, and the greatest relative difference."""
    ways = {}
    for way, heights in (("up", HEIGHTS_MM), ("down", HEIGHTS_MM[::-1])):
        stride, strides = None, []
        for height in heights:
            stride = solved(case, start=stride, height_mm=height)
            strides.append(stride)
        ways[way] = strides if way == "up" else strides[::-1]
    objective = {way: [s.attrs["objective"] for s in strides] for way, strides in ways.items()}
    up, down = objective.values()
    apart = [float(np.abs(a.grf.values - b.grf.values).max()) for a, b in zip(*ways.values(), strict=True)]
    return {
        "height_mm": HEIGHTS_MM,
        **objective,
        "grf_apart_n": apart,
        "converged": all(s.attrs["status"] == "converged" for strides in ways.values() for s in strides),
        "relative": max(abs(a - b) / abs(a) for a, b in zip(up, down, strict=True)),
    }


def solved(case: Case, *, start: xr.Dataset | None = None, **change) -> xr.Dataset:
    """The case's stride with its fitting changed. Adds the CPU time, which a busy machine leaves alone."""
    assert case.fitting is not None
    model = build_model(case.runner, case.amputation, replace(case.fitting, **change))
    began = time.process_time()
    stride = solve(model, case.task, start=start)
    stride.attrs["cpu_seconds"] = time.process_time() - began
    return stride


def facts(stride: xr.Dataset) -> dict[str, float | str]:
    """What the table shows of one stride; forces in % of body weight."""
    left = json.loads(stride.attrs["residuals"])
    percent_bw = 100 / (stride.attrs["mass_kg"] * stride.attrs["gravity"])
    return {
        "status": stride.attrs["status"],
        "seconds": stride.attrs["seconds"],
        "cpu_seconds": stride.attrs["cpu_seconds"],
        "iterations": int(stride.attrs["iterations"]),
        "root_percent_bw": left["root_force_peak_n"] * percent_bw,
        "between_knots_percent_bw": left["between_knots_force_peak_n"] * percent_bw,
        "penetration_mm": left["penetration_mm"],
        "slip_mm": left["slip_mm"],
        "objective": stride.attrs["objective"],
    }


@contextmanager
def profiled() -> Iterator[dict[str, list]]:
    """Seconds and calls of the solver's parts while the context lasts."""
    spent: dict[str, list] = defaultdict(lambda: [0.0, 0])

    def timed(call: Callable, part: Callable[..., str]) -> Callable:
        @wraps(call, updated=())
        def wrapper(*arguments):
            began = time.perf_counter()
            try:
                return call(*arguments)
            finally:
                spent[part(*arguments)][0] += time.perf_counter() - began
                spent[part(*arguments)][1] += 1

        return wrapper

    with (
        patch.object(
            solver,
            "sweep",
            timed(solver.sweep, lambda *a: "sweep with derivatives" if a[-1] else "sweep, cost only"),
        ),
        patch.object(solver, "curvature", timed(solver.curvature, lambda *_: "curvature")),
        patch.object(solver, "correction", timed(solver.correction, lambda *_: "correction")),
        patch.object(
            solver,
            "hessian_vector_product",
            timed(solver.hessian_vector_product, lambda *_: "curvature, product"),
        ),
        patch.object(solver.Factor, "__init__", timed(solver.Factor.__init__, lambda *_: "factor")),
        patch.object(solver.Factor, "solve", timed(solver.Factor.solve, lambda *_: "factor, solving")),
    ):
        yield spent


def report(results: dict) -> None:
    print(f"bladerun {bladerun.__version__}, {SolverOptions.default().knots} knots\n")
    print(f"{'new process':26}{'import':>10}{'compile or load':>18}")
    for name, row in results["compile"].items():
        print(f"{name.replace('_', ' '):26}{row['import_s']:8.1f} s{row['compile_or_load_s']:16.1f} s")
    print(
        f"\n{'stride':22}{'time':>8}{'CPU':>8}{'steps':>7}"
        f"{'root':>11}{'between':>9}{'depth':>8}{'slip':>8}  objective"
    )
    for name, row in results["strides"].items():
        print(
            f"{name:22}{row['seconds']:6.2f} s{row['cpu_seconds']:6.2f} s{row['iterations']:7d}"
            f"{row['root_percent_bw']:7.3f} %BW{row['between_knots_percent_bw']:5.1f} %BW"
            f"{row['penetration_mm']:5.1f} mm{row['slip_mm']:5.1f} mm"
            f"  {row['objective']:.6f}  {row['status']}"
        )
    total = sum(row["seconds"] for row in results["profile"].values())
    print(f"\n{'cold stride, profile':26}{'time':>8}{'share':>9}{'calls':>8}")
    for part, row in sorted(results["profile"].items(), key=lambda item: -item[1]["seconds"]):
        print(f"{part:26}{row['seconds']:6.2f} s{100 * row['seconds'] / total:7.1f} %{row['calls']:8d}")
    sweep = results["scatter"]
    print(f"\n{'height':>8}{'objective up':>16}{'down':>12}{'apart':>12}{'force apart':>14}")
    for height, up, down, apart in zip(
        sweep["height_mm"], sweep["up"], sweep["down"], sweep["grf_apart_n"], strict=True
    ):
        print(f"{height:5.0f} mm{up:16.6f}{down:12.6f}{(down - up) / up:12.1e}{apart:12.1f} N")
    print(f"greatest scatter {100 * sweep['relative']:.4f} %")
    if not sweep["converged"]:
        print("not all of them converged")
    print(f"\nall in {results['total_s']:.0f} s")


if __name__ == "__main__":
    main()
