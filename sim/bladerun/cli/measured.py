"""Commands about measured runners: their outcomes, and a prediction beside them.

Takes parsed arguments; gives `Answer`s.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bladerun._lib.files import atomic, output_dir
from bladerun.cli._answer import Answer, default_folder
from bladerun.cli._arguments import declare, number
from bladerun.cli._console import as_json, rounded, table
from bladerun.cli._results import add_shown
from bladerun.errors import InputError

if TYPE_CHECKING:
    from bladerun.motion.comparison import Compared
    from bladerun.motion.measured import Measured


def add(commands: Any) -> None:
    """Declare `measure` and `compare`."""
    measure = declare(
        commands,
        _measure,
        "find the strides of a measured runner and their outcomes",
        "measure motion.mot --forces ground_forces.mot --runner runner.toml",
        "MOTION",
        ("DIR", "runs/MOTION"),
    )
    measure.add_argument("--forces", type=Path, metavar="FILE", help="ground forces on the same clock")
    measure.add_argument(
        "--runner", type=Path, metavar="RUNNER.toml", help="who ran (default: able-bodied, of usual height)"
    )
    measure.add_argument(
        "--columns", type=Path, metavar="FILE.toml", help="what the columns of a CSV of motion are"
    )
    measure.add_argument(
        "--markers", type=Path, metavar="FILE.toml", help="where on the body markers of other names are"
    )
    measure.add_argument(
        "--static",
        type=Path,
        metavar="FILE",
        help="markers of the runner standing, more of them than in motion",
    )
    measure.add_argument(
        "--ground", metavar="KIND", help="treadmill or overground (default: told from the motion)"
    )
    measure.add_argument(
        "--speed", type=number, metavar="M_S", help="of the treadmill (default: told from the standing foot)"
    )
    compare = declare(
        commands,
        _compare,
        "hold a predicted stride against a measured runner",
        "compare runs/runner/stride.nc runs/motion/measured.json",
        "STRIDE.nc",
        ("DIR", "beside the stride"),
    )
    compare.add_argument("measured", type=Path, metavar="MEASURED.json", help="what `bladerun measure` wrote")


def _measure(args: argparse.Namespace) -> Answer:
    if args.speed is not None and not 0 < args.speed <= 20:
        raise InputError(f"{args.speed:g} is not allowed; over 0 to 20 m/s", key="--speed")
    from bladerun.case import load_case
    from bladerun.motion import measure

    case = load_case(args.runner) if args.runner else None
    found = measure(
        args.file,
        args.forces,
        case,
        columns=args.columns,
        markers=args.markers,
        static=args.static,
        ground=args.ground,
        speed_m_s=args.speed,
    )
    path = output_dir(args.out or default_folder(args.file)) / "measured.json"
    with atomic(path) as tmp:
        tmp.write_text(as_json(found.to_dict()) + "\n", encoding="utf-8")
    parts = [_outcomes(found), *_identified(found), *_residuals(found)]
    text = "\n".join([*parts, *(f"note: {note}" for note in found.notes), str(path)])
    return Answer({"file": path, **found.to_dict()}, text)


def _outcomes(found: Measured) -> str:
    """Every outcome that was had, mean and SD over strides."""
    from bladerun.gait.outcomes import OUTCOMES

    rows = []
    for row in OUTCOMES:
        columns = (f"{row.key}_left", f"{row.key}_right") if row.per_leg else (row.key, "")
        cells = [
            _mean_and_sd(*found.mean_and_sd(column)) if column in found.table else "" for column in columns
        ]
        if any(cells):
            rows.append([row.title, row.unit, *(["", *cells] if row.per_leg else [cells[0], "", ""])])
    count = len(found.table)
    header = f"{count} strides, {found.speed_m_s:.2f} m/s, {found.ground}"
    return table([header, "unit", "runner", "left leg", "right leg"], rows, numbers=3)


def _identified(found: Measured) -> list[str]:
    """What forces and motion say of blade, socket and strength, with its interval; nothing without forces."""
    rows = [
        [row.title, row.unit, row.side, f"{rounded(row.value)} [{rounded(row.low)}, {rounded(row.high)}]",
         rounded(row.usual)]
        for row in found.identified
    ]  # fmt: skip
    return [table(["by the forces", "unit", "leg", "value", "as assumed"], rows, numbers=2)] if rows else []


def _residuals(found: Measured) -> list[str]:
    """How far each marker was from its place on the model, the farthest first."""
    if not found.residual_mm:
        return []
    worst = sorted(found.residual_mm.items(), key=lambda each: -each[1])
    return [table(["marker", "RMS, mm"], [[name, rounded(mm)] for name, mm in worst], numbers=1)]


def _mean_and_sd(mean: float, sd: float) -> str:
    return rounded(mean) if sd != sd else f"{rounded(mean)} ± {rounded(sd)}"


def _compare(args: argparse.Namespace) -> Answer:
    from bladerun.dataset.files import read_stride
    from bladerun.motion.comparison import AGREES, DIFFERS, compare
    from bladerun.motion.measured import read_measured
    from bladerun.show.measured import compared_curves

    stride, measured = read_stride(args.file), read_measured(args.measured)
    rows = compare(stride, measured)
    if not rows:
        raise InputError("no outcome that the stride has", file=args.measured)
    path = output_dir(args.out or args.file.parent) / "compared.png"
    with atomic(path) as tmp:
        compared_curves(stride, measured).savefig(tmp, dpi=110)
    add_shown(path.parent, "compare", [path])
    speeds = {"predicted": float(stride.attrs["speed_m_s"]), "measured": measured.speed_m_s}
    data = {
        "speed_m_s": speeds,
        "agree": sum(row.verdict == AGREES for row in rows),
        "differ": sum(row.verdict == DIFFERS for row in rows),
        "outcomes": [row._asdict() for row in rows],
        "files": [path],
    }
    at = ", ".join(f"{what} at {speed:.2f} m/s" for what, speed in speeds.items())
    summary = f"{data['agree']} of {len(rows)} agree, {data['differ']} differ; {at}"
    return Answer(data, "\n".join([_compared(rows), summary, str(path)]))


def _compared(rows: list[Compared]) -> str:
    cells = [
        [row.title, row.side, row.unit, rounded(row.predicted), _mean_and_sd(row.mean, row.sd), row.verdict]
        for row in rows
    ]
    return table(["", "leg", "unit", "predicted", "measured", ""], cells, numbers=3)
