"""This program beside an earlier one of its own: the same strides, solved in turn by both on one machine.

Takes a commit (default: the last one before strides were made faster) and what to measure; prints a table of
CPU times, steps and objectives, old beside new, and their medians. About five minutes:
    python experiments/benchmarks/paired.py [--base COMMIT] [--fit] [--grid] [--json]
"""

import argparse
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import IO, Any

HERE = Path(__file__).parents[2]
BASE = "4f79ab3"
FIRST_FIT = HERE / "experiments" / "first-fit.toml"
# mass (kg), height (m), sex, side, blade, speed (m/s): none, one and two blades, small and large bodies
RUNNERS = (
    (72, 1.76, "female", "none", None, 2.5),
    (55, 1.58, "female", "none", None, 3.3),
    (80, 1.84, "male", "none", None, 4.0),
    (95, 1.92, "male", "none", None, 3.0),
    (72, 1.76, "female", "right", "j-sprint", 3.3),
    (55, 1.60, "female", "left", "j-sprint", 4.0),
    (85, 1.86, "male", "right", "j-sprint", 4.5),
    (65, 1.70, "male", "left", "c-distance", 3.0),
    (90, 1.88, "male", "right", "c-distance", 2.5),
    (70, 1.78, "male", "both", "j-sprint", 3.5),
    (60, 1.66, "female", "both", "j-sprint", 4.0),
    (80, 1.80, "male", "both", "c-distance", 3.0),
)
# Whose neighbour, by its place among RUNNERS, and what differs from the stride that was solved from nothing.
NEIGHBOURS = (
    (4, {"height_mm": 10.0}), (4, {"height_mm": -10.0}), (4, {"height_mm": 2.0}),
    (4, {"toe_out_deg": 5.0}), (4, {"toe_out_deg": -5.0}), (4, {"toe_out_deg": 1.0}),
    (4, {"category": 1.0}), (4, {"category": -1.0}),
    (7, {"height_mm": 10.0}), (7, {"toe_out_deg": 5.0}), (7, {"category": -1.0}),
    (8, {"height_mm": -10.0}), (8, {"toe_out_deg": -5.0}), (8, {"category": 1.0}),
    (11, {"height_mm": 10.0}), (11, {"toe_out_deg": 5.0}), (11, {"category": -1.0}),
)  # fmt: skip


class Program:
    """A process that solves what it is told with the package in a folder."""

    def __init__(self, source: Path, cache: Path):
        env = os.environ | {"PYTHONPATH": str(source / "sim"), "NUMBA_CACHE_DIR": str(cache)}
        command = [sys.executable, str(Path(__file__)), "--solve"]
        self._process = subprocess.Popen(command, stdin=-1, stdout=-1, text=True, env=env)
        self.env = env
        self.ask("compile")

    def ask(self, what: str, number: int = 0) -> dict[str, Any]:
        """What became of a stride that `serve` solves."""
        to, back = _pipes(self._process)
        print(what, number, file=to, flush=True)
        return json.loads(back.readline())


def _pipes(process: subprocess.Popen) -> tuple[IO[str], IO[str]]:
    assert process.stdin and process.stdout
    return process.stdin, process.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description="Old and new program, the same strides.")
    parser.add_argument("--base", default=BASE, help="commit of the old one")
    parser.add_argument("--fit", action="store_true", help="also `bladerun fit` as a whole, on all cores")
    parser.add_argument("--grid", action="store_true", help="also 5 x 5 x 5 fittings, on all cores")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--solve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.solve:
        return serve()
    with tempfile.TemporaryDirectory() as folder:
        old = unpacked(given.base, Path(folder) / "old")
        sources = {"old": old, "new": HERE}
        programs = {name: Program(each, Path(folder) / f"{name}-compiled") for name, each in sources.items()}
        found = {
            what: [{name: one.ask(what, i) for name, one in programs.items()} for i in range(count)]
            for what, count in (("nothing", len(RUNNERS)), ("neighbour", len(NEIGHBOURS)))
        }
        whole = {
            what: {
                name: timed(one.env, what, Path(folder) / f"{name}-{what}") for name, one in programs.items()
            }
            for what, wanted in (("fit", given.fit), ("grid", given.grid))
            if wanted
        }
    if given.json:
        print(json.dumps({**found, **whole}))
    else:
        report(found, whole)


def unpacked(commit: str, folder: Path) -> Path:
    """The package and its tables as they were at a commit."""
    archive = subprocess.run(
        ["git", "archive", commit, "sim", "models"], cwd=HERE, stdout=subprocess.PIPE, check=True
    )
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        tar.extractall(folder, filter="data")
    return folder


def timed(env: dict[str, str], what: str, out: Path) -> float:
    """Seconds of a whole command in a folder of its own."""
    study = out.with_suffix(".toml")
    command = ["fit", str(FIRST_FIT)]
    if what == "grid":
        study.write_text(
            f'base = "{FIRST_FIT.as_posix()}"\n[parameters]\ncategory_step = [-2, -1, 0, 1, 2]\n'
            "height_mm = [0, 10, 20, 30, 40]\ntoe_out_deg = [-5, -2.5, 0, 2.5, 5]\n"
            '[design]\nkind = "grid"\n',
            encoding="utf-8",
        )
        command = ["sweep", str(study)]
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", "from bladerun.cli import main; main()", *command, "--out", str(out)],
        env=env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return time.perf_counter() - began


def serve() -> None:
    """Solve what stdin asks for until it ends, and say on stdout what became of it."""
    from bladerun import Amputation, Fitting, Runner, Task, build_model, solve
    from bladerun.fitting import altered, resolve

    def stride(place, change, start):
        mass, height, sex, side, blade, speed = RUNNERS[place]
        runner, amputation = Runner(mass, height, sex=sex), Amputation(side)
        fitting = resolve(Fitting(blade), runner) if blade else None
        if fitting and change:
            fitting = altered(fitting, **{key: getattr(fitting, key) + step for key, step in change.items()})
        model = build_model(runner, amputation, fitting)
        return solve(model, Task(speed), start=start)

    solved = {}
    for line in sys.stdin:
        what, number = line.split()
        place, change = NEIGHBOURS[int(number)] if what == "neighbour" else (int(number), {})
        began = time.process_time()
        found = stride(place, change, solved[place] if change else None)
        spent = time.process_time() - began
        if not change:
            solved[place] = found
        row = {"cpu_s": spent, "steps": int(found.attrs["iterations"])}
        row |= {"objective": float(found.attrs["objective"]), "status": found.attrs["status"]}
        print(json.dumps(row), flush=True)


def report(found: dict[str, list[dict[str, Any]]], whole: dict[str, dict[str, float]]) -> None:
    runners = [
        f"{m} kg, {h} m, {side}, {blade or 'no blade'}, {v} m/s" for m, h, _, side, blade, v in RUNNERS
    ]
    near = [
        f"{RUNNERS[place][0]} kg, {RUNNERS[place][3]}: "
        + ", ".join(f"{key} {step:+g}" for key, step in change.items())
        for place, change in NEIGHBOURS
    ]
    names = {"nothing": runners, "neighbour": near}
    for what, rows in found.items():
        print(
            f"\n{'from ' + what:42}{'CPU old':>9}{'new':>8}{'steps':>7}{'new':>5}"
            f"{'objective':>12}{'new less old':>14}"
        )
        for name, row in zip(names[what], rows, strict=True):
            old, new = row["old"], row["new"]
            gap = 100 * (new["objective"] / old["objective"] - 1)
            words = (
                "" if new["status"] == old["status"] == "converged" else f"  {old['status']}, {new['status']}"
            )
            print(
                f"{name:42}{old['cpu_s']:7.2f} s{new['cpu_s']:6.2f} s{old['steps']:7}{new['steps']:5}"
                f"{old['objective']:12.6f}{gap:12.4f} %{words}"
            )
        old, new = ([row[which]["cpu_s"] for row in rows] for which in ("old", "new"))
        ratio = median(o / n for o, n in zip(old, new, strict=True))
        print(f"{'median':42}{median(old):7.2f} s{median(new):6.2f} s   {ratio:.2f} times as fast")
        print(f"{'the slowest but one in ten':42}{sorted(new)[int(0.9 * len(new))]:15.2f} s")
    for what, row in whole.items():
        ratio = row["old"] / row["new"]
        print(f"\n{what}: {row['old']:.0f} s, now {row['new']:.0f} s, {ratio:.2f} times as fast")


if __name__ == "__main__":
    main()
