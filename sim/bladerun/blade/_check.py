"""What a blade's file must hold for its blade to be built.

Takes its tables, frozen; gives nothing, or one `InputError` that names section, key, value and what is
allowed. Ranges: models/blade.toml.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from bladerun._lib.data_files import toml
from bladerun._lib.table import overflows
from bladerun.errors import InputError, nearest

STATUS = ("measured", "read", "derived", "assumed", "numerical")
IMPACTS = ("low", "moderate", "high")
_PLAIN = {  # keys beside the ranges of models/blade.toml, and the sections whose figures share one source
    "profile": ("status", "source", "points_mm"),
    "laminate": ("taper",),
    "stiffness": ("reference_category", "at_reference_n_m", "categories", "extrapolated_steps"),
    "height": ("range_m", "how"),
    "recommendation": ("status", "source", "band_kg", *IMPACTS),
}
_FIGURE = ("value", "status", "source")
_POINTS = 8  # fewer do not draw a blade
_STRAIGHT_MM = 0.5  # by which a tab may wave
_LONGEST = 400  # characters of a text


def check(facts: Mapping[str, Any]) -> None:
    """Raise InputError for the first thing in a blade's tables that cannot be used."""
    for name, table in facts.items():
        if overflows(table):
            raise InputError("a number is too large; TOML allows 64 bits", key=f"[{name}]")
    _sections(facts)
    for section, ranges in toml("blade.toml").items():
        for key, (low, high) in ranges.items() if section in facts else ():
            _figure(facts, section, key, _number(low, high))
    _profile(facts)
    _figure(facts, "laminate", "taper", _taper)
    _categories(facts["stiffness"])
    _height(facts)
    if "recommendation" in facts:
        _recommendation(facts["recommendation"], facts["stiffness"]["categories"])


def _sections(facts: Mapping[str, Any]) -> None:
    """Every section and key is known, and none is missing."""
    _text(facts, "", "title")
    if "like" in facts:
        _text(facts, "", "like")
    if facts.get("shape") not in ("J", "C"):
        raise InputError(f"{facts.get('shape')!r} is not allowed; 'J' or 'C'", key="shape")
    ranges = toml("blade.toml")
    keys = {name: (*ranges.get(name, ()), *_PLAIN.get(name, ())) for name in (*ranges, *_PLAIN)}
    spared = {"recommendation"} | ({"pylon"} if facts["shape"] == "J" else set())
    _known(facts, ("title", "shape", "like", *keys), "")
    for name in keys:
        if name not in {*facts, *spared}:
            raise InputError("missing; give it, or like = a blade that has it", key=f"[{name}]")
    for name in (name for name in keys if name in facts):
        if not isinstance(facts[name], Mapping):
            raise InputError(f"{facts[name]!r} is not allowed; a section of keys", key=f"[{name}]")
        _keys(facts[name], keys[name], f"[{name}]")
        if "status" in keys[name]:
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


def _figure(facts: Mapping[str, Any], section: str, key: str, problem: Callable[[Any], str]) -> None:
    """A value with status and source; `problem` says what is allowed instead, "" where nothing is wrong."""
    entry, where = facts[section][key], f"[{section}] {key}"
    if not isinstance(entry, Mapping):
        raise InputError(f"{entry!r} is not allowed; {{ value = , status = , source = }}", key=where)
    _keys(entry, _FIGURE, where)
    if wrong := problem(entry["value"]):
        raise InputError(f"{entry['value']!r} is not allowed; {wrong}", key=where)
    _sourced(entry, where)


def _text(table: Mapping[str, Any], where: str, key: str) -> None:
    text = table.get(key)
    if not isinstance(text, str) or not 0 < len(text) <= _LONGEST:
        raise InputError(f"{text!r} is not allowed; a text", key=f"{where}{key}")


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


def _number(low: float, high: float) -> Callable[[Any], str]:
    def problem(value: Any) -> str:
        return "" if _is_number(value) and low <= value <= high else f"a number from {low:g} to {high:g}"

    return problem


def _taper(value: Any) -> str:
    if _rows(value, 2, 2):
        at, relative = zip(*value, strict=True)
        if _rising(at, 2) and (at[0], at[-1]) == (0, 1) and min(relative) >= 0.1 and max(relative) == 1:
            return ""
    return "pairs of place, rising from 0 to 1, and thickness there over the greatest, 0.1 to 1"


def _profile(facts: Mapping[str, Any]) -> None:
    points, where = facts["profile"]["points_mm"], "[profile] points_mm"
    if not _rows(points, 2, _POINTS) or any(not -1000 <= v <= 1000 for row in points for v in row):
        raise InputError(f"not allowed; at least {_POINTS} pairs [x, y] within 1000 mm", key=where)
    if any(a == b for a, b in pairwise(points)):
        raise InputError("a point follows itself; each place on the line once", key=where)
    x, y = np.array(points).T
    steps = np.hypot(np.diff(x), np.diff(y))
    lowest = int(np.argmin(y))
    from_tip = steps[lowest:].sum() / 1e3
    if lowest < len(y) / 2 or x[-1] <= x[lowest]:
        raise InputError("the lowest point must lie near the tip, which must lie ahead of it", key=where)
    _figure(facts, "sole", "length_m", lambda v: "" if v > from_tip else f"longer than {from_tip:.3g} m: "
            "from the tip to behind the lowest point")  # fmt: skip


def _categories(law: Mapping[str, Any]) -> None:
    """Which categories there are, and that the reference has a stiffness that a blade can have."""
    listed = law["categories"]
    if not _rising(listed, 1):
        raise InputError(f"{listed!r} is not allowed; rising numbers", key="[stiffness] categories")
    steps = law["extrapolated_steps"]
    if type(steps) is not int or not 0 <= steps <= 5:
        raise InputError(f"{steps!r} is not allowed; 0 to 5", key="[stiffness] extrapolated_steps")
    low, high = listed[0] - steps, listed[-1] + steps
    reference = law["reference_category"]
    if not _is_number(reference) or not low <= reference <= high:
        raise InputError(
            f"{reference!r} is not allowed; a category from {low:g} to {high:g}",
            key="[stiffness] reference_category",
        )
    least, most = (1e3 * limit for limit in toml("body.toml")["fitting"]["stiffness_kn_m"])
    _figure({"stiffness": law}, "stiffness", "at_reference_n_m", _number(least, most))


def _height(facts: Mapping[str, Any]) -> None:
    """The clamp stays on the straight tab of a J, above the plate of a C."""
    height, points = facts["height"], np.array(facts["profile"]["points_mm"])
    _text(height, "[height] ", "how")
    radius, up = facts["sole"]["radius_m"]["value"], (points[:, 1] - points[:, 1].min()) / 1e3
    if facts["shape"] == "J":
        straight = np.abs(points[:, 0] - points[0, 0]) <= _STRAIGHT_MM
        foot = len(points) if straight.all() else int(np.argmin(straight))
        least, most, what = up[foot - 1] + radius, up[0] + radius, "the clamp stays on the straight tab"
    else:
        least, most, what = up[0] + radius, 1.5, "the pylon stands on the plate"

    def span(value: Any) -> str:
        if _rising(value, 2) and len(value) == 2 and least <= value[0] and value[1] <= most:
            return ""
        return f"two numbers within {least:.3f} to {most:.3f} m, so that {what}"

    _figure(facts, "height", "range_m", span)
    _figure(facts, "height", "rating_m", _number(*height["range_m"]["value"]))


def _recommendation(table: Mapping[str, Any], categories: Sequence[float]) -> None:
    bands = table["band_kg"]
    if not _rising(bands, 2) or bands[0] <= 0:
        raise InputError(f"{bands!r} is not allowed; rising numbers", key="[recommendation] band_kg")
    for impact in IMPACTS:
        row = table[impact]
        if (
            not isinstance(row, tuple)
            or len(row) != len(bands) - 1
            or not any(row)
            or any(not _is_number(each) or (each and each not in categories) for each in row)
        ):
            raise InputError(
                f"{row!r} is not allowed; a category of each of the {len(bands) - 1} bands, 0 for none",
                key=f"[recommendation] {impact}",
            )
