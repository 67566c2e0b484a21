"""What a runner cares about: the weights of the score's trade-offs.

Takes the section [priorities] of a runner's file; gives a weight for each trade-off of
models/recommendation.toml. Presets and usual weights are a choice, not a measurement.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from bladerun._lib import data_files
from bladerun._lib.kinds import ByName, Kind, Number, Word
from bladerun._lib.table import Table
from bladerun.errors import InputError

LIKE = "like"  # key of the section that names a preset


def usual() -> Mapping[str, float]:
    """Weights by the name of the trade-off, where a file says nothing."""
    return Table({row["name"]: row["weight"] for row in data_files.toml("recommendation.toml")["tradeoff"]})


@cache
def _kinds() -> Mapping[str, Kind]:
    presets = data_files.toml("recommendation.toml")["priorities"]
    return {LIKE: Word(tuple(presets))} | dict.fromkeys(usual(), Number(words="a weight from 0"))


SECTION = ByName(_kinds, said="a section of keys")  # what [priorities] may hold


def priorities(section: Mapping[str, Any]) -> Mapping[str, float]:
    """Weights by the name of the trade-off: the usual ones, those of the preset it is like, its own.

    Raises
    ------
    InputError
        For an unknown key or preset, a weight that is not a number from 0, and where all are 0.
    """
    own = dict(SECTION.read(section))
    presets = data_files.toml("recommendation.toml")["priorities"]
    weights = {**usual(), **(presets[own.pop(LIKE)]["weights"] if LIKE in own else {}), **own}
    if not any(weights.values()):
        raise InputError("every weight is 0; one trade-off at least must count")
    return Table(weights)
