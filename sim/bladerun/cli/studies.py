"""Commands about many strides: comparing fittings.

Takes parsed arguments; gives `Answer`s.
"""

from __future__ import annotations

import argparse
from typing import Any

from bladerun._console import progress_bar, rounded, table
from bladerun._files import output_dir
from bladerun.cli._answer import NOT_CONVERGED, Answer, about, default_folder, fail
from bladerun.cli._arguments import FOLDER, RUNNER, count, declare


def add(commands: Any) -> None:
    """Declare `fit`."""
    fit = declare(
        commands,
        _fit,
        "compare the fittings in [sweep] and write a report",
        "fit runner.toml",
        RUNNER,
        FOLDER,
    )
    fit.add_argument("--workers", type=count, metavar="N", help="processes (default: one a core)")


def _fit(args: argparse.Namespace) -> Answer:
    from bladerun.case import load_case

    case = load_case(args.file)
    folder = output_dir(args.out or default_folder(args.file))
    from bladerun.study import fit  # slow to load: only for a file that can be used

    with about(args.file), progress_bar() as progress:
        result = fit(case, folder, workers=args.workers, progress=progress)
    rows = [
        [
            row["title"],
            row["unit"],
            *(rounded(row[column]) for column in ("recommended", "current", "difference")),
        ]
        for row in result.comparison
    ]
    header = ["", "unit", "recommended", "current", "difference"]
    comparison = [table(header, rows, numbers=3)] if rows else []
    best = f"recommended: {result.recommended or 'none'} (worn today: {result.current})"
    text = "\n".join([*comparison, best, result.why, str(result.report)])
    if (result.table.status == "converged").any():
        return Answer(result.to_dict(), text)
    return Answer(result.to_dict(), text, fail(f"{args.file}: no fitting converged", NOT_CONVERGED))
