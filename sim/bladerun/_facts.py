"""Where the facts are: the `models/` folder, in a checkout or inside an installed wheel.

Takes a path relative to `models/`; gives the file's path or its parsed TOML.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

_INSTALLED = Path(__file__).parent / "models"
_CHECKOUT = Path(__file__).parents[2] / "models"


def _refuse(*_: Any, **__: Any) -> Any:
    raise TypeError("facts cannot be changed: change a copy, or the file in models/")


class Facts(dict):
    """A dict that cannot be changed; what is copied or unpickled from it is a plain dict."""

    __setitem__ = __delitem__ = __ior__ = update = setdefault = pop = popitem = clear = _refuse

    def __reduce__(self) -> tuple[type, tuple[dict[str, Any]]]:
        return dict, (dict(self),)


def models_dir() -> Path:
    """The folder of MJCF, blades, muscle and reference tables."""
    return _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT


@cache
def toml(relative: str) -> Mapping[str, Any]:
    """The parsed TOML file ``models/<relative>``; shared by all, so read-only: `Facts`, and tuples."""
    return _frozen(tomllib.loads((models_dir() / relative).read_text(encoding="utf-8")))


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return Facts((key, _frozen(each)) for key, each in value.items())
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
