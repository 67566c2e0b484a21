"""What a runner cares about: the weights of the score's trade-offs.

Takes the section [priorities] of a runner's file; gives a weight for each trade-off of
models/recommendation.toml. Presets and usual weights are a choice, not a measurement.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from bladerun._lib import data_files
from bladerun._lib.table import Table
from bladerun.errors import InputError, nearest

LIKE = "like"  # key of the section that names a preset


def usual() -> Mapping[str, float]:
    """Weights by the name of the trade-off, where a file says nothing."""
    return Table({row["name"]: row["weight"] for row in data_files.toml("recommendation.toml")["tradeoff"]})


def priorities(section: Mapping[str, Any]) -> Mapping[str, float]:
    """Weights by the name of the trade-off: the usual ones, those of the preset it is like, its own.

    Raises
    ------
    InputError
        For an unknown key or preset, a weight that is not a number from 0, and where all are 0.
    """
    presets = data_files.toml("recommendation.toml")["priorities"]
    like, own = section.get(LIKE), {key: value for key, value in section.items() if key != LIKE}
    if like is not None and like not in presets:
        raise InputError(f"{like!r} is not known; {nearest(str(like), presets)}", key=LIKE)
    weights = dict(usual())
    for key, value in own.items():
        if key not in weights:
            raise InputError(f"not a known key; {nearest(key, [*weights, LIKE])}", key=key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
            raise InputError(f"{value!r} is not allowed; a weight from 0", key=key)
    weights |= {**(presets[like]["weights"] if like else {}), **own}
    if not any(weights.values()):
        raise InputError("every weight is 0; one trade-off at least must count")
    return Table(weights)
