"""What able-bodied running chose in models/ (cost, foot contact, trunk lean) against it, and what else does.

Takes --rounds N (default 1) and --out; solves the mean able-bodied runner at 2.5 and 3.5 m/s with every
weight halved and doubled in turn, keeps the best change, N times; with --rounds 0 only the weights in the
files. Gives weights.json (targets, best weights, all those in the files), weights.csv (a row for each set
tried: misfit, targets that agree, every target's distance) and weights.png beside this script.

Targets are the findings of experiments/validation that are of able-bodied running, at these two speeds, and
marked as used. A distance is 1 where a target just agrees; the misfit is the mean of their squares, each at
most 9.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from bladerun import Cost, Environment, Runner, Task, Variation, build_model, solve
from bladerun._lib.data_files import toml
from bladerun._lib.files import atomic
from bladerun.validation import findings_dir
from bladerun.validation._measures import measures
from bladerun.validation.finding import Finding, Target, load

SPEEDS_M_S = (2.5, 3.5)
COHORT = "fukuchi2017"
WEIGHTS = (  # file, and where in it; reserve, excitation and power move the misfit by under 5 %
    ("cost.toml", "rate", "vertical"),
    ("cost.toml", "rate", "horizontal"),
    ("cost.toml", "tracking", "weight"),
    ("cost.toml", "tracking", "pelvis_height_m_s"),
    ("cost.toml", "tracking", "sigma_rad", "lumbar_extension"),
    ("cost.toml", "activation", "effort"),
    ("cost.toml", "stride_time", "weight"),
    ("cost.toml", "jerk", "driven"),
    ("contact.toml", "foot", "stiffness_n_m15"),
    ("contact.toml", "foot", "damping_s_m"),
    ("reference/gait.toml", "trunk_lean", "mean_deg"),
)
CONTACT = {"stiffness": "contact.foot.stiffness_n_m15", "damping": "contact.foot.damping_s_m"}
LEAN = "gait.trunk_lean.mean_deg"
FILES = ("cost.toml", "contact.toml", "reference/gait.toml")
FACTORS = (0.5, 2.0)
WORST = 9.0  # of a squared distance: a target that is far off does not decide alone
BETTER = 0.02  # share by which the misfit must fall for a change to be kept


def targets() -> list[tuple[str, Finding, Target]]:
    """What the weights are judged by: name, finding and target."""
    findings, cohorts = load(findings_dir())
    chosen = []
    for finding in findings:
        for target in finding.targets:
            speed = (target.where or {}).get("speed_m_s")
            if (
                finding.data == "able-bodied"
                and finding.used
                and target.cohort == COHORT
                and speed in SPEEDS_M_S
            ):
                chosen.append((f"{finding.name}: {target.what}", finding, target))
    assert all(condition["blade"] == "none" for condition in cohorts[COHORT].conditions)
    return chosen


def runner() -> Runner:
    """The mean of the runners that were measured; no amputation."""
    return Runner(**load(findings_dir())[1][COHORT].runners[0])


def distance(target: Target, value: float) -> float:
    """From the middle of what agrees, in half its width, signed; 0 inside a range without a value."""
    assert target.limits is not None
    low, high = target.limits
    off = (value - (low + high) / 2) / ((high - low) / 2)
    return 0.0 if target.range and abs(off) <= 1 else off


def in_the_files() -> dict[str, float]:
    """Every number of the files, by name."""
    numbers: dict[str, float] = {}

    def take(table: dict[str, Any], path: str) -> None:
        for key, value in table.items():
            if isinstance(value, dict):
                take(value, f"{path}.{key}")
            elif isinstance(value, int | float):
                numbers[f"{path}.{key}"] = value

    for file in FILES:
        take(toml(file), _stem(file))
    return numbers


def present() -> dict[str, float]:
    """The weights that are tried, as they are in the files."""
    return {name(weight): in_the_files()[name(weight)] for weight in WEIGHTS}


def name(weight: tuple[str, ...]) -> str:
    return ".".join((_stem(weight[0]), *weight[1:]))


def _stem(file: str) -> str:
    return Path(file).stem


class Trial:
    """Solves with changed weights, from the strides of the weights in the files."""

    def __init__(self) -> None:
        self.runner, self.targets = runner(), targets()
        self.start: dict[float, xr.Dataset] = {}
        self.start = {speed: self._solve(speed, present()) for speed in SPEEDS_M_S}

    def row(self, weights: dict[str, float]) -> dict[str, Any]:
        """Misfit, targets that agree and every target's distance, with these weights."""
        strides = {speed: self._solve(speed, weights) for speed in SPEEDS_M_S}
        if any(stride.attrs["status"] != "converged" for stride in strides.values()):
            return weights | {"misfit": math.inf, "agree": 0}
        found = {speed: measures(stride) for speed, stride in strides.items()}
        off = {
            label: distance(target, found[(target.where or {})["speed_m_s"]][target.quantity])
            for label, _, target in self.targets
        }
        misfit = sum(min(z * z, WORST) for z in off.values()) / len(off)
        return weights | {"misfit": misfit, "agree": sum(abs(z) <= 1 for z in off.values())} | off

    def _solve(self, speed: float, weights: dict[str, float]) -> xr.Dataset:
        cost, environment, variation = settings(weights)
        model = build_model(self.runner, variation=variation)
        start = self.start.get(speed)
        return solve(model, Task(speed), start=start, cost=cost, environment=environment)


def settings(weights: dict[str, float]) -> tuple[Cost, Environment, Variation]:
    """The weights as what `solve` and `build_model` take: of the foot's contact the share of its own, of the
    trunk's lean the shift in SD between people.
    """
    files = in_the_files()
    cost = {key.removeprefix("cost."): value for key, value in weights.items() if key.startswith("cost.")}
    ground = {part: weights[key] / files[key] for part, key in CONTACT.items()}
    changes = {f"ground.{part}": share for part, share in ground.items()}
    lean = (weights[LEAN] - files[LEAN]) / files["gait.trunk_lean.sd_deg"]
    return Cost.default(cost), Environment.default().changed(changes), Variation(trunk_lean=lean)


def search(rounds: int) -> Iterator[dict[str, Any]]:
    """Every set of weights as it was tried; `kept` marks those that became the base of the next round."""
    trial, base = Trial(), present()
    best = trial.row(base) | {"round": 0, "change": "as in the files", "kept": True}
    yield best
    for turn in range(1, rounds + 1):
        rows = []
        for weight in WEIGHTS:
            for factor in FACTORS:
                changed = base | {name(weight): base[name(weight)] * factor}
                change = {"round": turn, "change": f"{name(weight)} x {factor:g}", "kept": False}
                rows.append(trial.row(changed) | change)
                yield rows[-1]
        step = min(rows, key=lambda row: row["misfit"])
        if step["misfit"] > (1 - BETTER) * best["misfit"]:
            return
        best, base = step, {key: step[key] for key in base}
        best["kept"] = True


def draw(table: pd.DataFrame, path: Path) -> None:
    """Misfit of every change beside that of the weights it started from."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 0.24 * len(table) + 1.2), layout="constrained")
    axes = figure.subplots()
    colours = ["#d9482b" if kept else "#7b8794" for kept in table.kept]
    finite = table.misfit.replace(math.inf, math.nan)
    labels = [f"{row.change} (round {row.round})" if row.round else row.change for row in table.itertuples()]
    axes.barh(range(len(table)), finite, color=colours, height=0.7)
    for place, row in enumerate(table.itertuples()):
        text = f" {row.agree}" if math.isfinite(row.misfit) else " not converged"
        axes.text(0 if math.isinf(row.misfit) else row.misfit, place, text, va="center", fontsize=7)
    axes.axvline(table.misfit[0], color="#1f2933", lw=1)
    axes.set_yticks(range(len(table)), labels, fontsize=7)
    axes.invert_yaxis()
    axes.set(xlabel="misfit to able-bodied targets (number: targets that agree)")
    axes.spines[["top", "right"]].set_visible(False)
    with atomic(path) as tmp:
        figure.savefig(tmp, dpi=130)


def _evidence(finding: Finding, off: float) -> dict[str, Any]:
    return {"source": finding.source, "data": finding.data, "distance": round(float(off), 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    args = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for row in search(args.rounds):
        rows.append(row)
        print(f"{row['change']:44}{row['misfit']:8.3f}{row['agree']:5}", flush=True)
        write(rows, args.out)  # after each, so that a run that is stopped leaves what it found


def write(rows: list[dict[str, Any]], folder: Path) -> None:
    """The evidence: weights.json, weights.csv, weights.png."""
    table = pd.DataFrame(rows)
    best = min(rows, key=lambda row: row["misfit"])
    evidence = {
        "speeds_m_s": SPEEDS_M_S,
        "in_the_files": in_the_files(),
        "misfit_in_the_files": rows[0]["misfit"],
        "tried": len(rows),
        "best": {"change": best["change"], "misfit": best["misfit"], **{key: best[key] for key in present()}},
        "targets": {label: _evidence(finding, rows[0][label]) for label, finding, _ in targets()},
    }
    folder.mkdir(parents=True, exist_ok=True)
    with atomic(folder / "weights.json") as tmp:
        tmp.write_text(json.dumps(evidence, indent=2) + "\n", encoding="utf-8")
    with atomic(folder / "weights.csv") as tmp:
        table.to_csv(tmp, index=False, float_format="%.4g")
    draw(table, folder / "weights.png")


if __name__ == "__main__":
    main()
