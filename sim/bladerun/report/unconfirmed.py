"""What validation did not confirm: effects of a setting on an outcome, for the numbers that they concern.

Takes an outcome and the settings that differ; gives a sentence for reports. Facts: models/effects.toml.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bladerun._lib.data_files import toml
from bladerun.case import ADJUSTED


def unconfirmed(column: str, settings: Iterable[str]) -> str:
    """What validation did not confirm of a change of these settings on a column, with or without its side; ""
    where nothing.
    """
    keys, changed = {column, column.rpartition("_")[0]}, set(settings)
    found = [e["says"] for e in toml("effects.toml")["effect"] if e["of"] in changed and keys & set(e["on"])]
    return "; ".join(found)


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """The settings of `ADJUSTED` in which two rows of a table differ."""
    return [axis for axis in ADJUSTED if one[axis] != other[axis]]
