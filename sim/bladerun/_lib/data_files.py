"""Where the facts are: the `models/` folder, in a checkout or inside an installed wheel.

Takes a path relative to `models/`; gives the file's path or its parsed TOML.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from bladerun._lib.table import frozen

_INSTALLED = Path(__file__).parents[1] / "models"
_CHECKOUT = Path(__file__).parents[3] / "models"


def models_dir() -> Path:
    """The folder of MJCF, blades, muscle and reference tables."""
    return _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT


@cache
def toml(relative: str) -> Mapping[str, Any]:
    """The parsed TOML file ``models/<relative>``; shared by all, so read-only: `Table`s, and tuples."""
    return frozen(tomllib.loads((models_dir() / relative).read_text(encoding="utf-8")))
