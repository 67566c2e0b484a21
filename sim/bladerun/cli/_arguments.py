"""How commands and their arguments are declared.

Takes the function of a command and its words; gives a parser whose mistakes are `InputError`s.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from bladerun._lib.kinds import entries
from bladerun.cli._answer import Answer
from bladerun.errors import InputError
from bladerun.task import Task

if TYPE_CHECKING:
    from bladerun.case import Case

RUNNER, FOLDER = "RUNNER.toml", ("DIR", "runs/RUNNER")


class Parser(argparse.ArgumentParser):
    """Says what is wrong with the arguments as every other input."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; see `{self.prog} --help`")


def declare(
    commands: Any,
    command: Callable[[argparse.Namespace], Answer],
    help: str,
    example: str,
    file: str | None,
    out: tuple[str, str] | None,
) -> Parser:
    """Add a command, called as its function is.

    file: what to call the file it reads, if any. out: what to call the place it writes to and its default,
    if any.
    """
    sub = commands.add_parser(
        command.__name__.strip("_"),
        help=help,
        description=f"{help[0].upper()}{help[1:]}.",
        epilog=f"example: bladerun {example}",
        allow_abbrev=False,
    )
    sub.set_defaults(command=command)
    if file:
        sub.add_argument("file", type=Path, metavar=file, help="the file to read")
    if out:
        sub.add_argument("--out", type=Path, metavar=out[0], help=f"where to write (default: {out[1]})")
    sub.add_argument("--json", action="store_true", help="print one JSON object on stdout, nothing else")
    return sub


def with_replace(command: Parser) -> None:
    """Let it write where another runner's results are."""
    command.add_argument(
        "--replace", action="store_true", help="take away another runner's results that are there"
    )


def with_task(command: Parser) -> None:
    """Let options stand in for [task] in the runner's file: one for each field of `Task`."""
    for entry in entries(Task):
        help = f"{entry.text.rstrip('.')}; {entry.said} (default: the file's)"
        option = f"--{entry.key.replace('_', '-')}"
        kind, metavar = (str, "WORD") if isinstance(entry.usual, str) else (number, "N")
        command.add_argument(option, type=kind, metavar=metavar, help=help.replace("%", "%%"))


def asked(case: Case, args: argparse.Namespace) -> Case:
    """The case with what those options say. Raises InputError."""
    given = {entry.name: getattr(args, entry.name) for entry in fields(Task)}
    changes = {name: value for name, value in given.items() if value is not None}
    return replace(case, task=replace(case.task, **changes)) if changes else case


def number(text: str) -> float:
    """A finite number; whole ones stay whole, so that messages repeat them as they were typed."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"'{text}' is not allowed; a number")
    return int(value) if value.is_integer() else value


def count(text: str) -> int:
    """A whole number from 1."""
    return _whole(text, 1)


def count_or_none(text: str) -> int:
    """A whole number from 0."""
    return _whole(text, 0)


def _whole(text: str, least: int) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"'{text}' is not allowed; a whole number from {least}")
    return int(text)
