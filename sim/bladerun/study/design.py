"""Which points a design has: counted at once, listed only where they are solved.

Takes the table of a [design] and the parameters; gives `Points`, so that a design too large to solve is still
counted.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, TypeVar

from scipy.stats import qmc

from bladerun._lib.kinds import Number, Record, Word
from bladerun.errors import InputError
from bladerun.study.parameters import Parameter

_GIVEN, DRAWN = ("grid", "list"), ("sobol", "latin-hypercube")
MOST = 1_000_000  # rows of one study: the plan of so many takes about a gigabyte

Point = tuple[Any, ...]
_T = TypeVar("_T")


@dataclass(frozen=True)
class Given:
    """[design] of the values that the parameters list.

    Parameters
    ----------
    kind
        Every combination of them (grid), or the first of each, the second of each and so on (list).
    """

    kind: Annotated[str, Word(_GIVEN)]


@dataclass(frozen=True)
class Drawn:
    """[design] of points drawn between bounds.

    Parameters
    ----------
    kind
        A scrambled Sobol sequence, or a Latin hypercube.
    count
        How many points.
    seed
        Of the random numbers.
    """

    kind: Annotated[str, Word((*_GIVEN, *DRAWN))]
    count: Annotated[int, Number(1, whole=True, to=int)]
    seed: int = 0


class Points(Sequence[Point]):
    """The points of a design. size: how many, also where they are too many to list; whoever looks at one
    gets InputError then.
    """

    def __init__(self, size: int, listed: Callable[[], tuple[Point, ...]]):
        self.size, self._make = size, listed

    @classmethod
    def of(cls, points: Sequence[Point]) -> Points:
        """Those that are there."""
        return cls(len(points), lambda: tuple(points))

    @cached_property
    def _all(self) -> tuple[Point, ...]:
        if self.size > MOST:
            raise InputError(
                f"{self.size} points are too many for one study; at most {MOST}, so divide it",
                key="[design]",
            )
        return self._make()

    def __len__(self) -> int:
        return len(self._all)

    def __getitem__(self, i: Any) -> Any:
        return self._all[i]

    def __iter__(self) -> Iterator[Point]:
        return iter(self._all)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Points) and self._all == other._all

    __hash__ = None  # type: ignore[assignment]


def section(cls: type[_T], table: Mapping[str, Any], where: str) -> _T:
    """A section of a study file as the dataclass that describes it; InputError with its place."""
    try:
        return Record(cls).read(table)
    except InputError as error:
        raise error.at(key=f"{where} {error.key}") from None


def points(table: Mapping[str, Any], parameters: tuple[Parameter, ...]) -> Points:
    """Those of a [design]; InputError for what it may not say, and for what would be solved twice."""
    design = section(Given if table.get("kind") in _GIVEN else Drawn, table, "[design]")
    if design.kind == "list":
        return Points.of(_listed(parameters))
    for parameter in parameters:
        once(parameter)
        if parameter.bounded and isinstance(design, Given):
            raise _without_values(design.kind, parameter)
    if isinstance(design, Drawn):
        return Points(design.count, lambda: _random(design.kind, design.count, design.seed, parameters))
    values = [parameter.values for parameter in parameters]
    return Points(math.prod(map(len, values)), lambda: tuple(itertools.product(*values)))


def once(parameter: Parameter) -> None:
    """InputError for a list that has a value twice, as 20 and 20.0."""
    if _twice(parameter.values):
        raise InputError(
            f"{list(parameter.values)!r} is not allowed; each value once",
            key=f"[parameters] {parameter.name}",
        )


def _listed(parameters: tuple[Parameter, ...]) -> tuple[Point, ...]:
    for parameter in parameters:
        if parameter.bounded:
            raise _without_values("list", parameter)
    if len({len(parameter.values) for parameter in parameters}) > 1:
        raise InputError(
            "a list needs as many values of each parameter; point i takes the i-th of each",
            key="[parameters]",
        )
    listed = tuple(zip(*(parameter.values for parameter in parameters), strict=True))
    if twice := _twice(listed):
        one, other = (i + 1 for i in twice)
        raise InputError(
            f"points {one} and {other} of the list are the same: {listed[other - 1]!r}; each point once",
            key="[parameters]",
        )
    return listed


def _without_values(kind: str, parameter: Parameter) -> InputError:
    return InputError(
        f"a {kind} needs values; a list, or count beside low and high", key=f"[parameters] {parameter.name}"
    )


def _twice(values: Sequence[Any]) -> tuple[int, int] | None:
    """Where the first two equal values stand."""
    seen: dict[Any, int] = {}
    for i, value in enumerate(values):
        before = seen.setdefault(hashable(value), i)
        if before != i:
            return before, i
    return None


def hashable(value: Any) -> Any:
    """Equal for equal values, also for tables and lists."""
    if isinstance(value, Mapping):
        return tuple(sorted((key, hashable(entry)) for key, entry in value.items()))
    return tuple(map(hashable, value)) if isinstance(value, list | tuple) else value


def _random(kind: str, count: int, seed: int, parameters: tuple[Parameter, ...]) -> tuple[Point, ...]:
    if kind == "sobol":
        shares = qmc.Sobol(len(parameters), rng=seed).random_base2((count - 1).bit_length())[:count]
    else:
        shares = qmc.LatinHypercube(len(parameters), rng=seed).random(count)
    return tuple(tuple(p.at(s) for p, s in zip(parameters, row, strict=True)) for row in shares.tolist())
