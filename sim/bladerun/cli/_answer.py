"""What every command shares: its answer, its exit codes, and the files it is given.

Takes paths from the command line; gives loaded cases and models, or an `InputError` that names the
file.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bladerun._lib.messages import say
from bladerun.errors import InputError

if TYPE_CHECKING:
    from bladerun.case import Case
    from bladerun.model import Model

RUNS = Path("runs")  # where results are written, unless --out says otherwise; strides of all are shared
OK, BAD_INPUT, NOT_CONVERGED, INTERRUPTED, PIPE_CLOSED = 0, 2, 3, 130, 141


class Answer(NamedTuple):
    """What a command found: the object for --json, the text for people, the exit code."""

    data: Mapping[str, Any]
    text: str
    code: int = OK


def fail(message: str, code: int) -> int:
    """Say the sentence on stderr; gives `code`."""
    say(f"bladerun: {message}")
    return code


def load(file: Path) -> tuple[Case, Model]:
    """A runner's file, and the model of the fitting in it."""
    from bladerun.case import load_case
    from bladerun.model import build_model

    case = load_case(file)
    with about(file):
        model = build_model(case.runner, case.amputation, case.fitting)
        case.environment.bodies(model.mj)
        return case, model


@contextlib.contextmanager
def about(file: Path) -> Iterator[None]:
    """An `InputError` raised inside is about this file, unless it names another."""
    try:
        yield
    except InputError as error:
        raise error.at(error.file or file) from None


def default_folder(file: Path) -> Path:
    return RUNS / file.stem


def described(case: Case, model: Model) -> dict[str, Any]:
    """The inputs, for JSON."""
    return {
        "runner": asdict(case.runner),
        "amputation": asdict(case.amputation),
        "fitting": asdict(model.fitting) if model.fitting else None,
        "task": asdict(case.task),
    }
