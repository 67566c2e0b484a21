"""What a study aims at: outcomes to make small or large, and limits on others.

Takes texts as a study file has them ("cost_of_transport_j_kg_m", "|psis_difference_mm| < 5"); gives numbers
from a row of outcomes. A name without its leg means the amputated one; with both, the mean of an objective
and the worse of a constraint.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from bladerun._lib import data_files
from bladerun.errors import InputError, nearest
from bladerun.gait.outcomes import OUTCOMES

_LIMIT = re.compile(r"^\s*(\|?)\s*(\w+)\s*(\|?)\s*(<=?|>=?)\s*([-+0-9.eE]+)\s*$")


@cache
def columns() -> dict[str, str]:
    """Every number of a row with its unit: trade-offs of a recommendation, then the outcomes of each leg."""
    facts = data_files.toml("recommendation.toml")
    units = {"objective": "-", "score": "-"} | {row["key"]: row["unit"] for row in facts["tradeoff"]}
    units[facts["constraint"]["key"]] = "-"
    for row in OUTCOMES:
        units |= dict.fromkeys(_sides(row.key, row.per_leg), row.unit)
    return units


def _sides(key: str, per_leg: bool) -> list[str]:
    return [f"{key}_left", f"{key}_right"] if per_leg else [key]


@cache
def _legs() -> set[str]:
    return {row.key for row in OUTCOMES if row.per_leg}


def values_of(name: str, row: Mapping[str, Any], side: str) -> list[float]:
    """The numbers that a name means in a row: one, or one a leg where both are; NaN where it has none."""
    if name in columns():
        found = [name]
    else:
        found = [f"{name}_{each}" for each in (("left", "right") if side in ("both", "none") else (side,))]
    return [math.nan if row[key] is None else float(row[key]) for key in found]


def _check(name: str, text: str) -> str:
    names = set(columns()) | _legs()
    if name not in names:
        raise InputError(f"'{text}': '{name}' is not a known outcome; {nearest(name, names)}", key="[search]")
    return name


@dataclass(frozen=True)
class Objective:
    """sign: 1 to make the outcome small, -1 to make it large."""

    name: str
    sign: int

    @classmethod
    def parse(cls, text: str, sign: int) -> Objective:
        return cls(_check(text.strip(), text), sign)

    def value(self, row: Mapping[str, Any], side: str) -> float:
        """The outcome itself, in its unit."""
        values = values_of(self.name, row, side)
        return sum(values) / len(values)


@dataclass(frozen=True)
class Constraint:
    """A limit on an outcome, or on its size."""

    text: str
    name: str
    size: bool
    below: bool
    limit: float

    @classmethod
    def parse(cls, text: str) -> Constraint:
        """From `name < 5`, `name > 1.5` or `|name| < 5`; InputError for anything else."""
        found = _LIMIT.match(text)
        try:
            if not found or bool(found[1]) != bool(found[3]):
                raise ValueError
            limit = float(found[5])
        except ValueError:
            raise InputError(
                f"'{text}' is not a limit; as in '|psis_difference_mm| < 5' or 'blade_strain_margin > 1.5'",
                key="[search] subject_to",
            ) from None
        return cls(text, _check(found[2], text), bool(found[1]), found[4].startswith("<"), limit)

    def excess(self, row: Mapping[str, Any], side: str) -> float:
        """How far past the limit, in the outcome's unit; 0 or less where it holds."""
        values = [abs(v) if self.size else v for v in values_of(self.name, row, side)]
        past = [v - self.limit if self.below else self.limit - v for v in values]
        return max(past) if all(math.isfinite(v) for v in past) else math.inf
