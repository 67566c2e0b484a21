"""Physics simulation of running on carbon-fibre blades.

The public names are those of `__init__.pyi`, one a line; each is loaded when it is first used.

`bladerun.outcomes`, `bladerun.replay` and `bladerun.ensemble` are functions. The modules that hold them have
the same names: import from those with `from bladerun.gait.outcomes import ...`.
"""

import ast
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from bladerun._lib import (
    compiled,
    threads,  # noqa: F401  (first: before numpy and numba load)
)

__version__ = "0.1.0"

_STUB = Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8")
_HOME = {
    entry.name: str(line.module)
    for line in ast.parse(_STUB).body
    if isinstance(line, ast.ImportFrom)
    for entry in line.names
}

__all__ = ["__version__", *_HOME]  # pyright: ignore[reportUnsupportedDunderAll]  (checkers read the stub)


class _Package(ModuleType):
    """This package. Importing a module of it does not hide the public function of the same name."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOME and isinstance(value, ModuleType)):  # which the import of a module sets
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'bladerun' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
