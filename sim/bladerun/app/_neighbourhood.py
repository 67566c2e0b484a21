"""The fittings around one fitting that the page has solved, and what lies between them.

Takes a case; gives the points to solve, one step and two steps away along each of category, height, toe-out
and speed, and for any point the solved ones it is a weighted sum of.

Between solved points each quantity is followed along its own arm, straight from one solved point to the next,
and what the arms say is added up. A point that was solved itself is used as it is.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from bladerun._lib import data_files
from bladerun.case import Case
from bladerun.errors import InputError
from bladerun.fitting import Fitting, altered, resolve
from bladerun.placement import placements
from bladerun.task import Task


class Point(NamedTuple):
    """What the four sliders say, of both legs: a leg that differs keeps its difference."""

    category: float
    height_mm: float
    toe_out_deg: float
    speed_m_s: float


def centre(case: Case) -> Point:
    """The fitting and the speed in the runner's file; InputError where there is no blade to fit."""
    if case.fitting is None:
        raise InputError("is missing; the page compares fittings of a blade", key="[fitting]")
    fitting = resolve(case.fitting, case.runner)
    return Point(
        float(fitting.category),
        float(fitting.height_mm),
        float(fitting.toe_out_deg),
        float(case.task.speed_m_s),
    )


def size() -> Mapping[str, Any]:
    """How much is solved around a fitting: `arms`, `draws` and `step` of models/neighbourhood.toml."""
    return data_files.toml("neighbourhood.toml")


def steps() -> Point:
    """How far apart solved points are."""
    known = data_files.toml("sweep.toml")["step"] | size()["step"]
    return Point(*(known[axis] for axis in Point._fields))


def at(case: Case, point: Point) -> tuple[Fitting, Task]:
    """The fitting and the task of a point; InputError where they are not allowed."""
    fitting = fitting_of(case, point)
    placements(fitting, case.runner, case.amputation)
    return fitting, replace(case.task, speed_m_s=point.speed_m_s)


def fitting_of(case: Case, point: Point) -> Fitting:
    """The fitting of a point, whether it can be built or not; InputError where a value is not allowed."""
    assert case.fitting is not None
    changed = {"category": point.category, "height_mm": point.height_mm, "toe_out_deg": point.toe_out_deg}
    return resolve(altered(resolve(case.fitting, case.runner), **changed), case.runner)


def around(case: Case) -> list[Point]:
    """The centre, then every point one step away, then two; without those that are not allowed."""
    middle, step = centre(case), steps()
    points = [middle]
    for count in range(1, size()["arms"] + 1):
        for axis in Point._fields:
            for sign in (-1, 1):
                value = round(getattr(middle, axis) + sign * count * getattr(step, axis), 6)
                points.append(middle._replace(**{axis: value}))
    return [point for point in points if allowed(case, point)]


def steps_away(point: Point, middle: Point) -> float:
    """Steps between two points, along the quantity where they are furthest apart."""
    return float(np.max(np.abs((np.array(point) - middle) / np.array(steps()))))


def arm(axis: str, middle: Point, solved: Iterable[Point]) -> list[Point]:
    """The solved points that differ from the middle along this quantity alone, and the middle, in order."""
    return sorted(p for p in solved if p._replace(**{axis: getattr(middle, axis)}) == middle)


def weights(point: Point, middle: Point, solved: Iterable[Point]) -> dict[Point, float]:
    """Solved points and how much of each a point is; the weights add up to 1.

    Empty where nothing can be said: without the centre, or beyond what is solved along an arm.
    """
    solved = set(solved)
    if point in solved:
        return {point: 1.0}
    if middle not in solved:
        return {}
    found = {middle: 1.0}
    for axis in Point._fields:
        along = {getattr(p, axis): p for p in arm(axis, middle, solved)}
        values = list(along)
        value = getattr(point, axis)
        if value in along:
            low = high = value
        elif values[0] < value < values[-1]:
            place = bisect(values, value)
            low, high = values[place - 1], values[place]
        else:
            return {}
        share = (value - low) / (high - low) if high > low else 0.0
        found[along[low]] = found.get(along[low], 0.0) + 1.0 - share
        found[along[high]] = found.get(along[high], 0.0) + share
        found[middle] -= 1.0
    return {one: weight for one, weight in found.items() if abs(weight) > 1e-9}


def scatter(middle: Point, numbers: dict[Point, np.ndarray]) -> np.ndarray | None:
    """How far each number scatters about smooth arms (SD); None before three neighbours are solved.

    From second differences of neighbours, whose variance is six times that of independent scatter. What
    really bends counts as scatter too, so this is rather too large than too small.
    """
    bends = []
    for axis in Point._fields:
        along = arm(axis, middle, numbers)
        step = getattr(steps(), axis)
        for a, b, c in zip(along, along[1:], along[2:], strict=False):
            if np.isclose(getattr(c, axis) - getattr(a, axis), 2 * step) and np.isclose(
                getattr(b, axis) - getattr(a, axis), step
            ):
                bends.append(numbers[a] - 2 * numbers[b] + numbers[c])
    if not bends:
        return None
    return np.sqrt(np.mean(np.square(bends), axis=0) / 6)


def stray(point: Point, middle: Point, numbers: dict[Point, np.ndarray]) -> np.ndarray | None:
    """How far what `weights` says of a point may be off, for each number; None where that cannot be told.

    The most by which a solved point on the same arm lies off the line through its neighbours, were it left
    out: they are further apart than those the estimate is between. What changing two quantities at once does
    beyond the sum of both is in no arm, so with more than one changed nothing is known.
    """
    changed = [axis for axis in Point._fields if getattr(point, axis) != getattr(middle, axis)]
    if len(changed) != 1:
        return None
    (axis,) = changed
    along = arm(axis, middle, numbers)
    off = []
    for a, b, c in zip(along, along[1:], along[2:], strict=False):
        low, at, high = (getattr(p, axis) for p in (a, b, c))
        share = (at - low) / (high - low)
        off.append(np.abs(numbers[b] - (1 - share) * numbers[a] - share * numbers[c]))
    return np.max(off, axis=0) if off else None


def allowed(case: Case, point: Point) -> bool:
    """Whether this fitting can be built and this speed be asked for."""
    try:
        at(case, point)
    except InputError:
        return False
    return True
