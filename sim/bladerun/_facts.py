"""Where the facts are: the `models/` folder, in a checkout or inside an installed wheel.

Takes a path relative to `models/`; gives the file's path or its parsed TOML.
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

_INSTALLED = Path(__file__).parent / "models"
_CHECKOUT = Path(__file__).parents[2] / "models"


def models_dir() -> Path:
    """The folder of MJCF, blades, muscle and reference tables."""
    return _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT


@cache
def toml(relative: str) -> dict[str, Any]:
    """The parsed TOML file ``models/<relative>``; shared, so not to be changed."""
    return tomllib.loads((models_dir() / relative).read_text(encoding="utf-8"))
