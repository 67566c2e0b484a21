"""Physics simulation of running on carbon-fibre blades.

The public names are those of `__init__.pyi`, one a line; each is loaded when it is first used.
"""

import ast
from importlib import import_module
from pathlib import Path
from typing import Any

from bladerun._lib import compiled, threads  # noqa: F401  (first: before numpy and numba load)

__version__ = "0.1.0"

_STUB = Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8")
_HOME = {
    entry.name: str(line.module)
    for line in ast.parse(_STUB).body
    if isinstance(line, ast.ImportFrom)
    for entry in line.names
}

__all__ = ["__version__", *_HOME]  # pyright: ignore[reportUnsupportedDunderAll]  (checkers read the stub)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'bladerun' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
