"""What a blade's file must hold for its blade to be built.

Takes its tables, frozen; gives nothing, or one `InputError` that names section, key, value and what is
allowed. Ranges: models/blade.toml.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from bladerun._lib.data_files import toml
from bladerun._lib.kinds import Kind, Number, Special
from bladerun._lib.table import frozen, overflows
from bladerun.errors import InputError, nearest

STATUS = ("measured", "read", "derived", "assumed", "numerical")
IMPACTS = ("low", "moderate", "high")
SPARED = ("recommendation", "pylon")  # what a blade may lack; a pylon only a J
_FIGURE = ("value", "status", "source")
_POINTS = 8  # fewer do not draw a blade
_STRAIGHT_MM = 0.5  # by which a tab may wave
_LONGEST = 400  # characters of a text
_NUMBERS = {"type": "array", "items": {"type": "number"}, "minItems": 1}
_PAIRS = {"type": "array", "items": {**_NUMBERS, "minItems": 2, "maxItems": 2}, "minItems": 2}


def _that(said: str, right: Callable[[Any], bool], schema: Mapping[str, Any] = _NUMBERS) -> Special:
    """What holds to a condition."""

    def make(value: Any) -> Any:
        if not right(value):
            raise InputError(f"{value!r} is not allowed; {said}")
        return value

    return Special(said, make, lambda: dict(schema))


TEXT = _that(
    "a text",
    lambda value: isinstance(value, str) and 0 < len(value) <= _LONGEST,
    {"type": "string", "minLength": 1, "maxLength": _LONGEST},
)
_SOURCED: dict[str, Kind] = {
    "status": Special(
        f"one of {', '.join(STATUS)}",
        lambda value: value,
        lambda: {"type": "string", "pattern": f"^({'|'.join(STATUS)})( |$)"},
    ),
    "source": TEXT,
}  # checked together, by `_sourced`


@dataclass(frozen=True)
class Figure(Kind):
    """A value with its status and its source."""

    of: Kind
    said = "{ value = , status = , source = }"

    def read(self, value: Any, key: str = "", base: Any = None) -> Any:
        if not isinstance(value, Mapping):
            raise self.refused(value, key)
        _keys(value, _FIGURE, key)
        self.of.read(value["value"], key)
        _sourced(value, key)
        return value

    def schema(self, base: Any = None) -> dict[str, Any]:
        parts = {"value": self.of, **_SOURCED}
        properties = {name: kind.schema() for name, kind in parts.items()}
        return {
            "type": "object",
            "properties": properties,
            "required": list(_FIGURE),
            "additionalProperties": False,
        }


@cache
def sections() -> Mapping[str, Mapping[str, Kind]]:
    """What may stand under the keys of each section, as far as it depends on no other."""
    ranges = toml("blade.toml").items()
    found: dict[str, dict[str, Kind]] = {
        name: {key: Figure(Number(*ends)) for key, ends in table.items()} for name, table in ranges
    }
    least, most = (1e3 * limit for limit in toml("body.toml")["fitting"]["stiffness_kn_m"])
    found["profile"] = {**_SOURCED, "points_mm": Special(f"at least {_POINTS} pairs", _points, _any_points)}
    taper = "pairs of place, rising from 0 to 1, and thickness there over the greatest, 0.1 to 1"
    found["laminate"]["taper"] = Figure(_that(taper, _tapers, _PAIRS))
    found["stiffness"] |= {
        "reference_category": Number(-math.inf),
        "at_reference_n_m": Figure(Number(least, most)),
        "categories": _that("rising numbers", lambda value: _rising(value, 1)),
        "extrapolated_steps": _that(
            "0 to 5", lambda value: type(value) is int and 0 <= value <= 5, Number(0, 5, whole=True).schema()
        ),
    }
    found["height"] |= {"range_m": Figure(_that("two numbers", _two, _PAIRS["items"])), "how": TEXT}
    bands = _that("rising numbers", lambda value: _rising(value, 2) and value[0] > 0)
    rows = _that("a category of each band", lambda value: isinstance(value, tuple))
    found["recommendation"] = {**_SOURCED, "band_kg": bands, **dict.fromkeys(IMPACTS, rows)}
    return found


def check_chart(table: Mapping[str, Any]) -> None:
    """Raise InputError for the first thing in a chart's own file that cannot be used on any blade."""
    kinds, place = sections()["recommendation"], "chart"
    _keys(table, tuple(kinds), place)
    _sourced(table, place)
    for key, kind in kinds.items():
        kind.read(frozen(table)[key], f"{place} {key}")


def check(facts: Mapping[str, Any]) -> None:
    """Raise InputError for the first thing in a blade's tables that cannot be used."""
    for name, table in facts.items():
        if overflows(table):
            raise InputError("a number is too large; TOML allows 64 bits", key=f"[{name}]")
    _sections(facts)
    for section, kinds in sections().items():
        for key, kind in kinds.items() if section in facts else ():
            kind.read(facts[section][key], f"[{section}] {key}")
    _tip(facts)
    _reference(facts["stiffness"])
    _height(facts)
    if "recommendation" in facts:
        _recommendation(facts["recommendation"], facts["stiffness"]["categories"])


def _sections(facts: Mapping[str, Any]) -> None:
    """Every section and key is known, and none is missing."""
    for key in [key for key in ("title", "like", "chart") if key == "title" or key in facts]:
        TEXT.read(facts.get(key), key)
    if facts.get("shape") not in ("J", "C"):
        raise InputError(f"{facts.get('shape')!r} is not allowed; 'J' or 'C'", key="shape")
    known = sections()
    spared = SPARED if facts["shape"] == "J" else SPARED[:1]
    _known(facts, ("title", "shape", "like", "chart", *known), "")
    for name in known:
        if name not in {*facts, *spared}:
            raise InputError("missing; give it, or like = a blade that has it", key=f"[{name}]")
    for name in (name for name in known if name in facts):
        if not isinstance(facts[name], Mapping):
            raise InputError(f"{facts[name]!r} is not allowed; a section of keys", key=f"[{name}]")
        _keys(facts[name], tuple(known[name]), f"[{name}]")
        if "status" in known[name]:
            _sourced(facts[name], f"[{name}]")


def _keys(table: Mapping[str, Any], keys: Sequence[str], where: str) -> None:
    """Every key is known, and none is missing."""
    _known(table, keys, f"{where} ")
    for key in keys:
        if key not in table:
            raise InputError("missing", key=f"{where} {key}")


def _known(table: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for key in table:
        if key not in known:
            raise InputError(f"not a known key; {nearest(key, known)}", key=f"{where}{key}")


def _sourced(entry: Mapping[str, Any], where: str) -> None:
    status = entry.get("status")
    if not isinstance(status, str) or status.split(" ")[0] not in STATUS:
        raise InputError(f"status {status!r} is not allowed; one of {', '.join(STATUS)}", key=where)
    source = entry.get("source")
    if not isinstance(source, str) or not source or len(source) > _LONGEST:
        raise InputError(f"source {source!r} is not allowed; where it is from, in words", key=where)


def _is_number(value: Any) -> bool:
    right = isinstance(value, int | float) and not isinstance(value, bool)
    return right and math.isfinite(value)


def _rows(value: Any, width: int, least: int) -> bool:
    """Whether it is at least so many rows of so many numbers."""
    return (
        isinstance(value, tuple)
        and len(value) >= least
        and all(isinstance(row, tuple) and len(row) == width and all(map(_is_number, row)) for row in value)
    )


def _rising(value: Any, least: int) -> bool:
    right = isinstance(value, tuple) and len(value) >= least and all(map(_is_number, value))
    return right and all(a < b for a, b in pairwise(value))


def _two(value: Any) -> bool:
    return _rising(value, 2) and len(value) == 2


def _tapers(value: Any) -> bool:
    if not _rows(value, 2, 2):
        return False
    at, relative = zip(*value, strict=True)
    return _rising(at, 2) and (at[0], at[-1]) == (0, 1) and min(relative) >= 0.1 and max(relative) == 1


def _any_points() -> dict[str, Any]:
    within = {"type": "number", "minimum": -1000, "maximum": 1000}
    return {**_PAIRS, "items": {**_PAIRS["items"], "items": within}, "minItems": _POINTS}


def _points(points: Any) -> Any:
    if not _rows(points, 2, _POINTS) or any(not -1000 <= v <= 1000 for row in points for v in row):
        raise InputError(f"not allowed; at least {_POINTS} pairs [x, y] within 1000 mm")
    if any(a == b for a, b in pairwise(points)):
        raise InputError("a point follows itself; each place on the line once")
    return points


def _tip(facts: Mapping[str, Any]) -> None:
    """The lowest point lies near the tip, and the sole reaches behind it."""
    x, y = np.array(facts["profile"]["points_mm"]).T
    steps = np.hypot(np.diff(x), np.diff(y))
    lowest = int(np.argmin(y))
    from_tip = steps[lowest:].sum() / 1e3
    if lowest < len(y) / 2 or x[-1] <= x[lowest]:
        raise InputError(
            "the lowest point must lie near the tip, which must lie ahead of it", key="[profile] points_mm"
        )
    said = f"longer than {from_tip:.3g} m: from the tip to behind the lowest point"
    length = facts["sole"]["length_m"]
    Figure(_that(said, lambda value: value > from_tip)).read(length, "[sole] length_m")


def _reference(law: Mapping[str, Any]) -> None:
    """The reference is a category that there is."""
    listed, steps = law["categories"], law["extrapolated_steps"]
    low, high = listed[0] - steps, listed[-1] + steps
    said = f"a category from {low:g} to {high:g}"
    Number(low, high, words=said).read(law["reference_category"], "[stiffness] reference_category")


def _height(facts: Mapping[str, Any]) -> None:
    """The clamp stays on the straight tab of a J, above the plate of a C."""
    height, points = facts["height"], np.array(facts["profile"]["points_mm"])
    radius, up = facts["sole"]["radius_m"]["value"], (points[:, 1] - points[:, 1].min()) / 1e3
    if facts["shape"] == "J":
        straight = np.abs(points[:, 0] - points[0, 0]) <= _STRAIGHT_MM
        foot = len(points) if straight.all() else int(np.argmin(straight))
        least, most, what = up[foot - 1] + radius, up[0] + radius, "the clamp stays on the straight tab"
    else:
        least, most, what = up[0] + radius, 1.5, "the pylon stands on the plate"

    said = f"two numbers within {least:.3f} to {most:.3f} m, so that {what}"
    span = _that(said, lambda value: _two(value) and least <= value[0] and value[1] <= most)
    Figure(span).read(height["range_m"], "[height] range_m")
    Figure(Number(*height["range_m"]["value"])).read(height["rating_m"], "[height] rating_m")


def _recommendation(table: Mapping[str, Any], categories: Sequence[float]) -> None:
    bands = table["band_kg"]
    for impact in IMPACTS:
        row = table[impact]
        if (
            len(row) != len(bands) - 1
            or not any(row)
            or any(not _is_number(each) or (each and each not in categories) for each in row)
        ):
            raise InputError(
                f"{row!r} is not allowed; a category of each of the {len(bands) - 1} bands, 0 for none",
                key=f"[recommendation] {impact}",
            )
