"""Commands about trust: predictions beside published measurements.

Takes parsed arguments; gives `Answer`s.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from bladerun._console import progress_bar
from bladerun.cli._answer import Answer
from bladerun.cli._arguments import count, declare


def add(commands: Any) -> None:
    """Declare `validate`."""
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


def _validate(args: argparse.Namespace) -> Answer:
    from bladerun.validation import validate  # slow to load

    with progress_bar() as progress:
        result = validate(
            args.out or Path("runs") / "validation",
            runners=args.reduced,
            workers=args.workers,
            progress=progress,
        )
    lines = [f"{row.verdict:14}{row.finding.title}: {row.target.what}" for row in result.rows]
    counts = result.counts().items()
    summary = [f"{kind}: {row['agree']} of {row['targets']} targets agree" for kind, row in counts]
    page = str(result.folder / "validation.html")
    return Answer(result.to_dict(), "\n".join([*lines, "", *summary, page]))
