"""Commands about trust: a stride in MuJoCo's own forward dynamics, predictions beside published measurements.

Takes parsed arguments; gives `Answer`s.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bladerun._lib.messages import say
from bladerun.cli._answer import NOT_CONVERGED, OK, RUNS, Answer, about, fail
from bladerun.cli._arguments import count, declare, number
from bladerun.cli._console import progress_bar, rounded, table
from bladerun.errors import one_of
from bladerun.status import Status

if TYPE_CHECKING:
    from bladerun.forward.perturbation import Margin
    from bladerun.forward.verification import Check


def add(commands: Any) -> None:
    """Declare `verify`, `perturb`, `hold` and `validate`."""
    verify = declare(
        commands,
        _verify,
        "run a solved stride again in MuJoCo's own forward dynamics, and hold it to limits",
        "verify runs/runner/stride.nc",
        "STRIDE.nc",
        None,
    )
    verify.add_argument("--strides", type=count, metavar="N", help="strides to run (default: 10)")
    perturb = declare(
        commands,
        _perturb,
        "disturb a solved stride by uneven ground, pushes and slips, and find what its feedback survives",
        "perturb runs/runner/stride.nc --kinds step_up_mm step_down_mm",
        "STRIDE.nc",
        None,
    )
    perturb.add_argument("--kinds", nargs="+", metavar="KIND", help="only these (default: all)")
    perturb.add_argument("--against", type=Path, metavar="STRIDE.nc", help="another stride beside it")
    hold = declare(
        commands,
        _hold,
        "keep the muscle controls of a stride and change the blade, beside letting the runner adapt",
        "hold runs/runner/stride.nc --category 3",
        "STRIDE.nc",
        None,
    )
    for name, unit in (("category", "N"), ("height", "MM"), ("toe-out", "DEG")):
        hold.add_argument(f"--{name}", type=number, metavar=unit, help="default: the stride's")
    validate = declare(
        commands,
        _validate,
        "hold predictions against published measurements",
        "validate --reduced",
        None,
        ("DIR", "runs/validation"),
    )
    validate.add_argument(
        "--reduced",
        type=count,
        nargs="?",
        const=1,
        metavar="N",
        help="only the first N runners of each cohort (default: all; --reduced alone: 1, some minutes)",
    )
    validate.add_argument("--workers", type=count, metavar="N", help="processes (default: one a core)")


def _verify(args: argparse.Namespace) -> Answer:
    from bladerun.dataset.files import read_stride

    stride = read_stride(args.file)
    from bladerun.forward.verification import verify  # slow to load: only for a file that can be used

    say("running the stride again in MuJoCo (some minutes)")
    with about(args.file):
        result = verify(stride, strides=args.strides, progress=lambda check: say("  ".join(_row(check))))
    limits = result.limits
    rows = [
        f"growth of a small deviation in a stride: {result.multiplier:.2f} with feedback, "
        f"{result.free_multiplier:.3g} without"
    ]
    if result.muscle_force_error is not None:
        rows.append(
            f"muscle force, MuJoCo's against the solver's at the knots: within "
            f"{100 * result.muscle_force_error:.2f} % of the greatest ({result.muscle})"
        )
    rows.append(
        f"limits: joint error {limits['joint_error_deg']:g} deg, "
        f"peak vertical force {100 * limits['peak_vgrf_difference']:g} %; "
        f"{'kept' if result.holds else 'missed'}"
    )
    text = "\n".join([table(_HEADER, [_row(check) for check in result.checks], numbers=6), *rows])
    missed = f"{args.file}: not verified: a replay fell or missed a limit"
    return Answer(result.to_dict(), text, OK if result.holds else fail(missed, NOT_CONVERGED))


def _perturb(args: argparse.Namespace) -> Answer:
    from bladerun.dataset.files import read_stride

    files = [args.file, *([args.against] if args.against else [])]
    strides = [read_stride(file) for file in files]
    from bladerun.forward.perturbation import KINDS, margins  # slow to load

    kinds, found = [one_of(kind, KINDS, "--kinds") for kind in args.kinds or KINDS], []
    for file, stride in zip(files, strides, strict=True):
        say(f"disturbing {file} in MuJoCo (some minutes)")
        with about(file):
            found.append(margins(stride, kinds=kinds, progress=lambda each: say("  ".join(_margin(each)))))
    rows = [
        [*_margin(margins[0]), *(_margin(each)[-1] for each in margins[1:])]
        for margins in zip(*found, strict=True)
    ]
    header = ["disturbance", "leg", *("survived" if file is args.file else str(file) for file in files)]
    data = {str(file): [each.to_dict() for each in own] for file, own in zip(files, found, strict=True)}
    text = "\n".join([table(header, rows, numbers=len(files)), _NO_FORECAST])
    return Answer({"margins": data}, text)


def _margin(margin: Margin) -> list[str]:
    """ "step up, mm", the leg, and the largest survived."""
    what, _, unit = _UNITS.sub(r"\1|\2", margin.kind).partition("|")
    words = f"{what.replace('_', ' ')}, {_SAID[unit]}"
    if margin.failed is None:
        return [words, margin.side, f"at least {margin.survived:g}"]
    return [words, margin.side, f"{margin.survived:g}" if margin.survived else f"under {margin.failed:g}"]


_NO_FORECAST = (
    "Once, on one contact of that leg; pushes are at the pelvis, inward toward the other leg. The feedback "
    "has no reflexes and plans no step: compare fittings by it, it is no forecast of whether a person falls."
)


_UNITS = re.compile(r"^(.*)_(mm|n_s|percent)$")
_SAID = {"mm": "mm", "n_s": "N s", "percent": "% of friction"}
_HEADER = [
    "drive", "integrator", "step, us", "strides", "joints, deg", "last stride, deg", "peak force, %",
    "force, BW", "feedback, %", "drift, mm", "",
]  # fmt: skip


def _row(check: Check) -> list[str]:
    return [
        check.drive,
        check.integrator,
        f"{1e6 * check.timestep_s:g}",
        f"{check.strides:g}",
        f"{check.joint_error_deg:.3f}",
        f"{check.last_stride_error_deg:.3f}",
        f"{100 * check.peak_vgrf_difference:.2f}",
        f"{check.vgrf_error_bw:.4f}",
        f"{100 * check.feedback_share:.2f}",
        f"{1e3 * check.drift_m:.2f}",
        "passed" if check.holds else "failed",
    ]


def _hold(args: argparse.Namespace) -> Answer:
    from bladerun.dataset.files import read_stride

    stride = read_stride(args.file)
    from bladerun.dataset.asked import asked_of
    from bladerun.forward.unadapted import (  # slow to load: only for a file that can be used
        hold,
        other_fitting,
    )
    from bladerun.gait.outcomes import OUTCOMES, outcomes
    from bladerun.stride import solve

    asked = {"category": args.category, "height_mm": args.height, "toe_out_deg": args.toe_out}
    with about(args.file):
        model = other_fitting(stride, {key: value for key, value in asked.items() if value is not None})
        kept = asked_of(stride)._asdict()
        say("running on with today's muscle controls, then letting the runner adapt")
        held, adapted = hold(stride, model), solve(model, start=stride, **kept)
    columns = {"before": stride, "held": held, "adapted": adapted}
    good = (Status.HELD, Status.CONVERGED)
    found = {name: outcomes(each) for name, each in columns.items() if each.attrs["status"] in good}
    data = {
        "status": held.attrs["status"],
        "why": held.attrs["why"],
        "feedback_share": held.attrs["feedback_share"],
        "outcomes": {name: found.get(name) for name in columns},
    }
    rows = []
    for row in OUTCOMES:
        for side in ("left", "right") if row.per_leg else (None,):
            values = [found[name][row.key] if name in found else None for name in columns]
            cells = [each[side] if side and each else each for each in values]
            if any(cell is not None for cell in cells):
                rows.append([row.title, side or "", row.unit, *map(rounded, cells)])
    share = f"feedback: {100 * held.attrs['feedback_share']:.1f} % of the moments"
    text = "\n".join([table(["", "leg", "unit", "before", "not adapted", "adapted"], rows, numbers=3), share])
    if "held" in found:
        return Answer(data, text)
    missed = f"{args.file}: {data['status']}: {data['why']}"
    return Answer(data, text, fail(missed, NOT_CONVERGED))


def _validate(args: argparse.Namespace) -> Answer:
    from bladerun.validation import validate  # slow to load

    with progress_bar() as progress:
        result = validate(
            args.out or RUNS / "validation",
            runners=args.reduced,
            workers=args.workers,
            progress=progress,
        )
    lines = [f"{row.verdict:14}{row.finding.title}: {row.target.what}" for row in result.rows]
    counts = result.counts().items()
    summary = [f"{kind}: {row['agree']} of {row['targets']} targets agree" for kind, row in counts]
    page = str(result.folder / "validation.html")
    return Answer(result.to_dict(), "\n".join([*lines, "", *summary, page]))
