"""A study that was changed: what differs from the one that a folder holds, and whether that simply goes on.

Takes what a manifest has and what is asked now; gives the stages of a sweep that has grown, each with rows of
its own after those of the stages before, or one `InputError` that says what differs. What is solved keeps its
number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from bladerun._lib.table import plain
from bladerun.errors import InputError
from bladerun.study.design import Points, hashable
from bladerun.study.file import Study, study

_NOTHING = object()


def may_have_more_trials(before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """For documents of a search: InputError where they differ in more than trials and the time of a row."""
    _refuse(_differences(before, plain(now)), ("search.trials", "run.time_limit_s"))


def may_have_more_points(before: Mapping[str, Any], now: Study) -> None:
    """For a sweep: InputError where it is not the document's with more points or runners."""
    was = study(before)
    found = list(_differences(before, plain(now.document)))
    new = [f"cohort.{name}." for name in now.runners if name not in was.runners]
    new += [f"blades.{name}." for name in now.blades if name not in was.blades]
    added = tuple(k for k, _, _ in found if k.startswith(tuple(new)))
    varied = tuple(k for k, _, _ in found if k.startswith("parameters."))
    _refuse(found, ("design.count", "run.time_limit_s", *added, *varied))
    points = set(map(hashable, now.points))
    same = [(p.name, p.numeric) for p in was.parameters] == [(p.name, p.numeric) for p in now.parameters]
    if not same or not all(hashable(point) in points for point in was.points):
        _refuse(found, added, "; points may be added, none taken away")


def stages(asked: Study, documents: Sequence[Mapping[str, Any]]) -> list[Study]:
    """The study in parts, in the order in which they were asked for: documents of what it was before, oldest
    first."""
    was = [*(replace(study(each), settings=asked.settings) for each in documents), asked]
    parts = was[:1]
    for before, now in pairwise(was):
        known = set(map(hashable, before.points))
        points = [point for point in now.points if hashable(point) not in known]
        if points:
            old = {name: now.runners[name] for name in before.runners}
            parts.append(replace(now, runners=old, points=Points.of(points)))
        new = {name: inputs for name, inputs in now.runners.items() if name not in before.runners}
        if new:
            parts.append(replace(now, runners=new))
    return parts


def _differences(before: Any, now: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Key, value before and now (`_NOTHING` where there is none) of all that differs."""
    if path == "cohort":
        before, now = _by_name(before), _by_name(now)
    if before is _NOTHING and isinstance(now, Mapping):
        before = {}
    if now is _NOTHING and isinstance(before, Mapping):
        now = {}
    if not isinstance(before, Mapping) or not isinstance(now, Mapping):
        if before is _NOTHING or now is _NOTHING or before != now:
            yield path, before, now
        return
    for key in dict.fromkeys([*before, *now]):
        where = f"{path}.{key}" if path else key
        yield from _differences(before.get(key, _NOTHING), now.get(key, _NOTHING), where)


def _by_name(rows: Any) -> Any:
    if not isinstance(rows, list):
        return rows
    return {row.get("name", f"runner{number}"): row for number, row in enumerate(rows, 1)}


def _refuse(found: Any, allowed: tuple[str, ...], why: str = "") -> None:
    others = [each for each in found if each[0] not in allowed]
    if others:
        key, before, now = others[0]
        section, _, name = key.partition(".")
        where = f"[{section}] {name}" if name else section
        more = f", and {len(others) - 1} more" if len(others) > 1 else ""
        raise InputError(
            f"holds another study: {where} is {_said(before)} there and {_said(now)} here{more}{why}; "
            "give another --out"
        )


def _said(value: Any) -> str:
    if value is _NOTHING:
        return "not set"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
