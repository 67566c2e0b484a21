"""The command about time to come: which blade at which weight.

Takes parsed arguments; gives `Answer`s.
"""

from __future__ import annotations

import argparse
import math
import re
from typing import TYPE_CHECKING, Any

from bladerun._lib.files import atomic
from bladerun._lib.forkserver import prepare
from bladerun.cli._answer import NOT_CONVERGED, RUNS, Answer, about, default_folder, fail
from bladerun.cli._arguments import FOLDER, RUNNER, count, declare, with_replace
from bladerun.cli._console import progress_bar, rounded, table
from bladerun.cli._results import results
from bladerun.status import Status

if TYPE_CHECKING:
    from bladerun.study.by_mass import MassPlan, Span

_WRITTEN = ("plan.json", "plan.png", "strides")


def add(commands: Any) -> None:
    """Declare `plan`."""
    plan = declare(
        commands,
        _plan,
        "tell which category fits from which body mass to which",
        "plan runner.toml --mass 60:95",
        RUNNER,
        FOLDER,
    )
    plan.add_argument(
        "--mass", type=_span, required=True, metavar="LOW:HIGH", help="body masses in kg, prosthesis included"
    )
    plan.add_argument("--workers", type=count, metavar="N", help="processes (default: one a core)")
    with_replace(plan)


def _span(text: str) -> tuple[float, float]:
    """Two numbers with a colon between them."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?):(\d+(?:\.\d+)?)", text)
    if not found:
        raise argparse.ArgumentTypeError(f"'{text}' is not allowed; two masses in kg, as 60:95")
    return float(found[1]), float(found[2])


def _plan(args: argparse.Namespace) -> Answer:
    from bladerun.case import load_case

    case, (low_kg, high_kg) = load_case(args.file), args.mass
    folder = args.out or default_folder(args.file)
    if args.workers != 1:
        prepare()
    from bladerun.study.by_mass import plan_masses  # slow to load: only for a file that can be used
    from bladerun.study.by_mass_plot import draw_masses

    with results(folder, "plan", case, args.file, replace=args.replace) as written:
        with about(args.file), progress_bar() as progress:
            plan = plan_masses(
                case, low_kg, high_kg, written.folder, workers=args.workers, progress=progress, look_in=RUNS
            )
        picture = written.folder / "plan.png"
        with atomic(picture) as tmp:
            draw_masses(plan).savefig(tmp, dpi=130)
        written.add(*(path for name in _WRITTEN if (path := written.folder / name).exists()))
    header = ["category", "chart, kg", "fits, kg", "below that", "above that", "margin", "compression, mm"]
    text = "\n".join(
        [table(header, [_row(plan, span) for span in plan.spans]), *plan.warnings(), str(picture)]
    )
    data = plan.to_dict() | {"plot": str(picture)}
    if (plan.table.status == Status.CONVERGED).any():
        return Answer(data, text)
    return Answer(data, text, fail(f"{args.file}: no stride converged", NOT_CONVERGED))


def _row(plan: MassPlan, span: Span) -> list[str]:
    """One category; margin and compression from the lightest to the heaviest that it was solved for."""
    name = f"{span.category:g}{' (today)' if span.category == plan.current else ''}"
    chart = f"{span.chart_kg[0]:.0f} to {span.chart_kg[1]:.0f}" if span.chart_kg else "-"
    rows = plan.table.xs(span.category, level="category")
    values = [f"{rounded(rows[key].iloc[0])} to {rounded(rows[key].iloc[-1])}" for key in
              ("blade_margin", "blade_compression_mm")]  # fmt: skip
    if math.isnan(span.low_kg):
        return [name, chart, "never", span.low_by, span.high_by, *values]
    return [name, chart, f"{span.low_kg:.0f} to {span.high_kg:.0f}", span.low_by, span.high_by, *values]
