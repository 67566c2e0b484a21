"""Which program a stride comes from: a hash of the code that builds and solves it, and of the facts.

Takes nothing; gives two hashes: of what a stride comes from, and of what the numbers in a row come from. What
is solved under one hash is used again only under the same one. The code is found by following imports, so
what comes after a stride (plots, reports, commands) may change without making strides old.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from bladerun import __version__
from bladerun._lib import data_files

_PACKAGE = Path(__file__).parents[1]
_SOLVING = ("bladerun.model", "bladerun.stride")
_READING = {"case.py", "_lib/files.py", "errors.py", "status.py"}  # imported there, decide nothing
_TELLING = ("bladerun.gait.outcomes", "bladerun.study.recommend")
_TOLD = {"outcomes.toml", "recommendation.toml"}
_AFTERWARDS = {"neighbourhood.toml", "replay.toml", "uncertainty.toml", "words.toml"}


@cache
def of_strides() -> str:
    """A hash of the version, the facts and the code that a stride comes from."""
    return _hash(sources(_SOLVING), _AFTERWARDS | _TOLD)


@cache
def of_rows() -> str:
    """The same, and of what turns a stride into numbers."""
    return _hash(sources((*_SOLVING, *_TELLING)), _AFTERWARDS)


def signature() -> str:
    """The version and the beginning of that hash, for people: what a worker signs its rows with."""
    return f"{__version__} ({of_rows()[:12]})"


def _hash(code: set[Path], without: set[str]) -> str:
    digest = hashlib.sha256(__version__.encode())
    for file in sorted(code):
        digest.update(file.relative_to(_PACKAGE).as_posix().encode() + file.read_bytes())
    models = data_files.models_dir()
    for file in sorted(models.rglob("*.*")):
        if file.suffix in (".toml", ".xml", ".csv", ".npz") and file.name not in without:
            digest.update(file.relative_to(models).as_posix().encode() + file.read_bytes())
    return digest.hexdigest()


def sources(modules: Iterable[str]) -> set[Path]:
    """The files of the package that these modules come from."""
    found: set[Path] = set()
    waiting = list(modules)
    while waiting:
        file = _file(waiting.pop())
        if file is None or file in found or file.relative_to(_PACKAGE).as_posix() in _READING:
            continue
        found.add(file)
        waiting += _imports(file)
    return found


def _imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "bladerun":
            yield str(node.module)
            yield from (f"{node.module}.{name.name}" for name in node.names)


def _file(module: str) -> Path | None:
    """Where a module of the package stands; None for the package itself and for names inside a module."""
    path = _PACKAGE.joinpath(*module.split(".")[1:])
    if path == _PACKAGE:
        return None
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            return file
    return None
