"""Values as JSON has them, which knows no numpy, no paths and no NaN.

Takes any value of results; gives one that `json.dumps(..., allow_nan=False)` writes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def json_value(value: Any) -> Any:
    """The value with Python's own numbers and lists in it, None for what is not finite, texts for paths and
    keys."""
    if isinstance(value, Mapping):
        return {str(key): json_value(entry) for key, entry in value.items()}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [json_value(entry) for entry in value]
    if isinstance(value, Path):
        return str(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value
