"""The command about files: what they may hold, for editors.

Takes parsed arguments; gives `Answer`s.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from bladerun.cli._answer import Answer
from bladerun.cli._arguments import declare

FILES = ("runner", "study", "blade", "finding")


def add(commands: Any) -> None:
    """Declare `schema`."""
    schema = declare(
        commands,
        _schema,
        "print what a file may hold as a JSON Schema, by which editors complete it",
        "schema runner > runner.schema.json",
        None,
        None,
    )
    schema.add_argument(
        "what", nargs="?", choices=FILES, default="runner", help="which file's (default: the runner's)"
    )


def _schema(args: argparse.Namespace) -> Answer:
    from bladerun.schemas import schema

    found = schema(args.what)
    return Answer(found, json.dumps(found, indent=1, ensure_ascii=False))
