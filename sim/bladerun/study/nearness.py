"""How far one point is from another, and the way between them in steps that a stride can start across.

Takes what is asked of one runner on one kind of blade, its settings by name, or points of a study;
models/sweep.toml has a step for each setting. A distance is the sum of the steps.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bladerun._lib import data_files
from bladerun.study.job import Inputs
from bladerun.study.parameters import Parameter, changed

_WHOLE = ("category",)


def settings(point: Inputs) -> dict[str, Any]:
    """Those of its fitting and of its task."""
    return {**vars(point.task), **(vars(point.fitting) if point.fitting else {})}


def distance(one: Mapping[str, Any], other: Mapping[str, Any]) -> float:
    """Over the settings that both have."""
    return sum(_steps(one, other).values())


def hops(parameters: Sequence[Parameter], start: Sequence[Any], end: Sequence[Any]) -> list[float]:
    """Steps from one point of a study to another along each parameter; a word that differs is one."""
    pairs = zip(parameters, start, end, strict=True)
    return [abs(p.place(a) - p.place(b)) if p.numeric else float(a != b) for p, a, b in pairs]


def between(start: Inputs, end: Inputs) -> tuple[Inputs, ...]:
    """What lies on the way, no two further apart than a step in any setting; nothing within one step."""
    a, b = settings(start), settings(end)
    steps = _steps(a, b)
    way = []
    for share in shares(steps.values()):
        values = {key: a[key] + (b[key] - a[key]) * share for key, apart in steps.items() if apart}
        way.append(changed(end, values | {key: float(round(values[key])) for key in _WHOLE if key in values}))
    return tuple(way)


def shares(steps: Iterable[float]) -> list[float]:
    """The shares of a way, of so many steps in each setting, that cut it into pieces of a step at most."""
    count = max(1, math.ceil(max(steps, default=0.0) - 1e-9))
    return [i / count for i in range(1, count)]


def _steps(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, float]:
    """Steps between numbers, by name."""
    found = {}
    for key, step in data_files.toml("sweep.toml")["step"].items():
        a, b = one.get(key), other.get(key)
        if isinstance(a, int | float) and isinstance(b, int | float):
            found[key] = abs(a - b) / step
    return found
