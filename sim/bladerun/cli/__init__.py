"""The `bladerun` command: one subcommand a question.

Takes command-line arguments; gives tables, or with `--json` one object, on stdout, everything else on stderr,
and an exit code: 0 done, 2 an input cannot be used, 3 not converged, too weak or not verified, 130
interrupted. With `--json`, stdout stays empty when an input cannot be used. Each file beside this one holds a
group of commands and an `add` that declares them; a command imports what it needs, so that the light ones are
fast.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
from collections.abc import Sequence

from bladerun import __version__
from bladerun.cli import blades, evidence, examples, measured, page, plans, schemas, strides, studies
from bladerun.cli._answer import BAD_INPUT, INTERRUPTED, PIPE_CLOSED, fail
from bladerun.cli._arguments import Parser
from bladerun.cli._console import as_json
from bladerun.errors import InputError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; `argv` defaults to the arguments of the process."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a file's encoding may lack a letter of a name
    try:
        args = _parser().parse_args(argv)
        with contextlib.redirect_stdout(sys.stderr):  # whatever a library prints is not the answer
            answer = args.command(args)
        print(as_json(answer.data) if args.json else answer.text, flush=True)
        return answer.code
    except InputError as error:
        return fail(str(error), BAD_INPUT)
    except KeyboardInterrupt:
        return fail("interrupted", INTERRUPTED)
    except BrokenPipeError:  # the reader left, as `head` does; the interpreter's last flush stays silent too
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="bladerun",
        description="Predict how a person runs on carbon-fibre blades, and compare fittings.",
        epilog="example: bladerun example first-fit && bladerun fit first-fit.toml\n\n"
        "exit codes: 0 done, 2 an input cannot be used, 3 not converged, too weak or not verified, "
        "130 interrupted",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"bladerun {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for group in (blades, strides, measured, studies, plans, page, evidence, schemas, examples):
        group.add(commands)
    return parser
