"""In which order the fittings of a comparison are solved, and from which start.

Takes a case; gives its fittings on a grid and a plan of visits (each fitting once on the way up and once on
the way down, always from a solved neighbour). What a visit does, and where, is the caller's.

Two ways through the same grid show how far a result depends on where the solver came from. The plan, not the
number of cores, decides every start, so a study gives the same numbers on any machine.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from bladerun._lib import data_files
from bladerun.body.legs import SIDES, told
from bladerun.case import ADJUSTED, SWEPT, Case
from bladerun.errors import InputError
from bladerun.fitting import Fitting, altered, recommended, resolve
from bladerun.placement import placements
from bladerun.status import Status
from bladerun.study.nearness import distance

_EASIEST = (1, 0, 2)  # of SWEPT: a step in height takes the solver the fewest iterations, in toe-out the most


class Visit(NamedTuple):
    """A solve of a fitting. way: "first" (from nothing), "up", "down", "again" (from a better neighbour)."""

    name: str
    way: str


Plan = dict[Visit, Visit | None]
"""Which visit starts from the result of which; None starts from nothing."""

Results = dict[Visit, dict[str, Any]]
"""What a visit gave: at least "status" and "objective"; "from_nothing" where its start was of no use."""


@dataclass(frozen=True)
class Grid:
    """Fittings by name (categories as numbers), their places on the grid, and the one worn today.

    The fitting worn today has no place where the sweep does not contain it. outside: fittings beyond the
    sweep, and the one that each starts from.
    """

    fittings: dict[str, Fitting]
    places: dict[tuple[int, ...], str]
    current: str
    outside: dict[str, str] = field(default_factory=dict)


def grid(case: Case) -> Grid:
    """Every combination in the case's sweep; a quantity that is not swept keeps the case's value.

    Raises InputError where there is no fitting, or one that is not allowed.
    """
    if case.fitting is None:
        raise InputError("is missing; there is nothing to fit on a runner without a blade", key="[fitting]")
    current = resolve(case.fitting, case.runner)
    axes = []
    for axis in SWEPT:
        values = case.sweep.get(axis, ())
        if axis == "category":
            values = tuple(float(recommended(current, case.runner)) + step for step in values)
        axes.append(sorted(values) or [getattr(current, axis)])
    fittings, places = {}, {}
    for place in itertools.product(*(range(len(values)) for values in axes)):
        setting = {axis: values[i] for axis, values, i in zip(SWEPT, axes, place, strict=True)}
        fitting = resolve(altered(current, **setting), case.runner)
        places[place] = name_of(fitting)
        fittings[name_of(fitting)] = fitting
    fittings.setdefault(name_of(current), current)
    return Grid(fittings, places, name_of(current))


def beside(grid: Grid, case: Case) -> Grid:
    """The grid with every change of one setting, by one step either way, from the fitting worn today.

    Left out is what cannot be built.
    """
    step, today = data_files.toml("sweep.toml")["step"], grid.fittings[grid.current]
    fittings, outside = dict(grid.fittings), dict(grid.outside)
    for axis, way in itertools.product(ADJUSTED, (-1, 1)):
        fitting = _built(today, {axis: getattr(today, axis) + way * step[axis]}, case)
        if isinstance(fitting, InputError):
            continue
        name = name_of(fitting)
        if axis not in SWEPT:
            name += f"_sagittal{fitting.sagittal_deg:g}"
        if name not in fittings:
            fittings[name], outside[name] = fitting, grid.current
    return replace(grid, fittings=fittings, outside=outside)


def _built(start: Fitting, change: dict[str, float], case: Case) -> Fitting | InputError:
    """The fitting with that change, or why it cannot be."""
    try:
        fitting = resolve(altered(start, **change), case.runner)
        placements(fitting, case.runner, case.amputation)
    except InputError as why:
        return why
    return fitting


def beyond(grid: Grid, best: str, edges: Mapping[str, int], case: Case) -> tuple[Grid, list[str]]:
    """The grid with a fitting one step outside it, along every axis at whose edge the best one lies.

    edges: axis of `SWEPT`: -1 or 1. Gives the same grid where none can be built, and a sentence a limit.
    """
    step, start = data_files.toml("sweep.toml")["step"], grid.fittings[best]
    fittings, outside, limits = dict(grid.fittings), dict(grid.outside), []
    for axis, way in edges.items():
        fitting = _built(start, {axis: getattr(start, axis) + way * step[axis]}, case)
        if isinstance(fitting, InputError):
            limits.append(f"It lies at a limit in {_WORDS[axis]}: {str(fitting).rstrip('.')}.")
            continue
        if name_of(fitting) not in fittings:
            fittings[name_of(fitting)] = fitting
            outside[name_of(fitting)] = best
    return replace(grid, fittings=fittings, outside=outside), limits


_WORDS = {"category": "category", "height_mm": "height", "toe_out_deg": "toe-out"}


def name_of(fitting: Fitting) -> str:
    """A short name that is also a file name: ``category4_height30_toe5``; of each leg if they differ."""
    left, right = (
        f"category{leg.category:g}_height{leg.height_mm:g}_toe{leg.toe_out_deg:g}"
        for leg in map(fitting.of, SIDES)
    )
    return left if left == right else f"left_{left}_right_{right}"


def describe(fitting: Fitting) -> str:
    """The same in words: ``category 4, 30 mm, toe-out 5 deg``; a measured stiffness after the category."""
    return told(lambda side: _described(fitting.of(side)))


def _described(leg: Fitting) -> str:
    stiffness = "" if leg.stiffness_kn_m is None else f" ({leg.stiffness_kn_m:g} kN/m)"
    return f"category {leg.category:g}{stiffness}, {leg.height_mm:g} mm, toe-out {leg.toe_out_deg:g} deg"


def plan(grid: Grid) -> Plan:
    """The fitting worn today first, then from the grid's lowest corner up and from its highest one down."""
    first = Visit(grid.current, "first")
    if list(grid.places.values()) == [grid.current]:  # both ways would start from the same stride
        up = {grid.current: first} | {name: Visit(name, "up") for name in grid.outside}
        return {first: None} | {up[name]: up[start] for name, start in grid.outside.items()}
    top, visits = max(grid.places), []
    for place, name in grid.places.items():
        below = _towards(place, (0, 0, 0))
        above = _towards(place, top)
        visits.append((sum(place), Visit(name, "up"), Visit(grid.places[below], "up") if below else first))
        depth = sum(top) - sum(place)
        visits.append((depth, Visit(name, "down"), Visit(grid.places[above], "down") if above else first))
    if grid.current not in grid.places.values():
        today = vars(grid.fittings[grid.current])
        nearest = min(grid.places.values(), key=lambda name: distance(vars(grid.fittings[name]), today))
        for way in ("up", "down"):
            visits.append((sum(top) + 1, Visit(grid.current, way), Visit(nearest, way)))
    for name, start in grid.outside.items():
        visits += [(sum(top) + 2, Visit(name, way), Visit(start, way)) for way in ("up", "down")]
    visits.sort(key=lambda visit: visit[0])  # stable: a wave through the grid keeps many cores busy
    return {first: None} | {visit: before for _, visit, before in visits}


def plan_again(grid: Grid, plan: Plan, results: Results) -> Plan:
    """Once more, from the best neighbour not yet tried: the fittings that two visits do not agree on."""
    gap = data_files.toml("sweep.toml")["again"]["objective_gap"]
    best = {name: found[0] for name in grid.fittings if (found := converged(name, plan, results))}
    again: Plan = {}
    for place, name in grid.places.items():
        found = [results[visit]["objective"] for visit in converged(name, plan, results)]
        if len(found) > 1 and max(found) - min(found) <= gap * abs(min(found)):
            continue
        tried = {plan.get(Visit(name, way)) for way in ("up", "down")}
        near = [best[n] for n in _neighbours(grid, place) if n in best and best[n] not in tried]
        if near:
            again[Visit(name, "again")] = min(near, key=lambda visit: results[visit]["objective"])
    return again


def converged(name: str, plan: Plan, results: Results) -> list[Visit]:
    """The converged visits of a fitting, lowest objective first; of visits with the same start only one."""
    found = [v for v, result in results.items() if v.name == name and result["status"] == Status.CONVERGED]
    distinct = {
        None if results[visit].get("from_nothing") else start_of(visit, plan, results): visit
        for visit in reversed(found)
    }
    return sorted(distinct.values(), key=lambda visit: results[visit]["objective"])


def start_of(visit: Visit, plan: Plan, results: Results) -> Visit | None:
    """The nearest visit on the way to this one that converged, too weak or not; None if there is none."""
    before = plan[visit]
    while before is not None and not Status(results[before]["status"]).usable_as_start:
        before = plan.get(before)
    return before


def ready(todo: Plan, results: Results, begun: set[Visit]) -> Visit | None:
    """The next visit of a plan that has not begun and whose start is done; None if there is none now."""
    return next((v for v in todo if v not in begun and (todo[v] is None or todo[v] in results)), None)


def _towards(place: tuple[int, ...], corner: tuple[int, ...]) -> tuple[int, ...] | None:
    """One step along an axis that still differs from the corner's, the easiest first; None at the corner."""
    for axis in _EASIEST:
        if place[axis] != corner[axis]:
            step = 1 if corner[axis] > place[axis] else -1
            return (*place[:axis], place[axis] + step, *place[axis + 1 :])
    return None


def _neighbours(grid: Grid, place: tuple[int, ...]) -> list[str]:
    moved = [(*place[:a], place[a] + step, *place[a + 1 :]) for a in range(len(place)) for step in (-1, 1)]
    return [grid.places[p] for p in moved if p in grid.places]
