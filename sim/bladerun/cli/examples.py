"""The command that hands out the examples of the manual, so that they are at hand wherever bladerun is.

Takes parsed arguments; gives `Answer`s. In a wheel the examples are shipped with the package.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from bladerun.cli._answer import Answer
from bladerun.cli._arguments import declare
from bladerun.errors import InputError, one_of

_INSTALLED = Path(__file__).parents[1] / "examples"
_CHECKOUT = Path(__file__).parents[3] / "experiments"
_BESIDE = re.compile(r'"\.?/?([\w-]+\.(?:toml|csv))"|^#:schema \./([\w.-]+)', re.MULTILINE)


def add(commands: Any) -> None:
    """Declare `example`."""
    example = declare(
        commands,
        _example,
        "write an example from the manual, with the files that it names",
        "example first-fit",
        None,
        ("DIR", "this folder"),
    )
    example.add_argument("name", nargs="?", help="which one (default: list them)")


def examples_dir() -> Path:
    """The folder of examples: inside an installed wheel, or experiments/ in a checkout."""
    return _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT


def _example(args: argparse.Namespace) -> Answer:
    known = {path.stem: path for path in sorted(examples_dir().glob("*.toml"))}
    if args.name is None:
        return Answer(
            {"examples": list(known)}, "\n".join(f"{name:12} {_about(known[name])}" for name in known)
        )
    named = _with_what_it_names(known[one_of(args.name.removesuffix(".toml"), known, "example")])
    return _written(named, args.out or Path())


def _about(path: Path) -> str:
    """The first sentence of its opening comment."""
    line = path.read_text(encoding="utf-8").splitlines()[1].removeprefix("# ")
    return re.split(r"(?<=\?) |[.:] ", line)[0].rstrip(".")


def _with_what_it_names(path: Path) -> list[Path]:
    """The file, and those beside it that it or they name."""
    found, left = [], [path]
    while left:
        one = left.pop()
        found.append(one)
        if one.suffix == ".toml":
            names = {a or b for a, b in _BESIDE.findall(one.read_text(encoding="utf-8"))}
            beside = [one.parent / name for name in sorted(names)]
            left += [each for each in beside if each.is_file() and each not in [*found, *left]]
    return found


def _written(files: list[Path], folder: Path) -> Answer:
    """All of them or none: a file of that name with other content is somebody's work."""
    from bladerun._lib.files import atomic, output_dir

    folder = output_dir(folder)
    for file in files:
        there = folder / file.name
        if there.exists() and there.read_bytes() != file.read_bytes():
            why = "is there already and differs from the example; name another folder with --out"
            raise InputError(why, file=there)
    for file in files:
        with atomic(folder / file.name) as tmp:
            tmp.write_bytes(file.read_bytes())
    written = [str(folder / file.name) for file in files]
    return Answer({"files": written}, "\n".join(written))
