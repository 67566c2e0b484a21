"""What both legs have, and what one of them has instead.

Takes a frozen dataclass whose fields `left` and `right` are tables of a leg's own settings; checks them,
gives the settings of one leg, and joins those of two. Also says of both legs what is said of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

from bladerun._lib.docstrings import texts_of
from bladerun._lib.kinds import Kind, kinds_of
from bladerun._lib.table import Table
from bladerun._unknown_keys import instead
from bladerun.errors import InputError

SIDES = ("left", "right")
_OF_NO_LEG = ("side", *SIDES)
_T = TypeVar("_T")


@dataclass(frozen=True)
class Own(Kind):
    """A table of what one leg has of its own; `check_legs` checks what stands in it."""

    whole: Callable[[], Any]
    said = "a table of what this leg has of its own"

    def read(self, value: Any, key: str = "", base: Any = None) -> Mapping[str, Any]:
        if isinstance(value, Mapping):
            return value
        raise self.refused(value, key)

    def schema(self, base: Any = None) -> dict[str, Any]:
        kinds, texts = kinds_of(self.whole()), texts_of(self.whole())
        described = {key: {"description": texts[key]} if texts.get(key) else {} for key in kinds}
        own = {key: kinds[key].schema() | described[key] for key in settings_of(self.whole())}
        return {"type": "object", "properties": own, "additionalProperties": False}


def settings_of(kind: Any) -> list[str]:
    """The names of what a leg can have of its own, of a dataclass or of its type."""
    return [each.name for each in fields(kind) if each.name not in _OF_NO_LEG]


def apart(whole: Any) -> tuple[str, ...]:
    """Both legs where one has anything of its own; else none."""
    return SIDES if whole.left or whole.right else ()


def of_both(whole: _T) -> _T:
    """What both legs have, without anything of one leg's own."""
    return replace(whole, left=Table(), right=Table())  # type: ignore[type-var]


def of_leg(whole: _T, side: str) -> _T:
    """What one leg has. Raises InputError where that is not allowed."""
    return replace(of_both(whole), **getattr(whole, side))  # type: ignore[type-var]


def joined(both: _T, legs: Mapping[str, _T], before: Any, always: tuple[str, ...] = ()) -> _T:
    """What both legs have with what is different in each. Also named of each is what a leg had of its own
    `before`, and `always`."""
    own = {
        side: {
            key: getattr(leg, key)
            for key in settings_of(leg)
            if key in (*getattr(before, side), *always) or getattr(leg, key) != getattr(both, key)
        }
        for side, leg in legs.items()
    }
    return replace(both, **own)  # type: ignore[type-var]


def check_legs(whole: Any, section: str) -> None:
    """Check and freeze `left` and `right` of a dataclass that is being made; InputError with the key."""
    known = settings_of(whole)
    for side in SIDES:
        own = getattr(whole, side)
        for key in own:
            if key not in known:
                raise InputError(f"not a known key; {instead(section, key, known)}", key=f"{side}.{key}")
        if own:
            try:
                leg = of_leg(whole, side)
            except InputError as error:
                raise error.at(key=f"{side}.{error.key}") from None
            own = {key: getattr(leg, key) for key in own}
        object.__setattr__(whole, side, Table(own))


def check_both(whole: Any, side: str) -> None:
    """InputError where one leg of a runner who has lost `side` alone is given anything of its own."""
    for leg in SIDES:
        if getattr(whole, leg) and side in SIDES:
            raise InputError(
                f"is for runners who wear two blades; this one wears one, on the {side}: what it needs goes "
                "into the section itself",
                key=leg,
            )


@contextmanager
def on_leg(side: str, named: bool = True) -> Iterator[None]:
    """An `InputError` raised inside is about this leg, and says so where the two are not alike."""
    try:
        yield
    except InputError as error:
        if not named:
            raise
        raise InputError(f"on the {side} leg {error.what}", file=error.file, key=error.key) from None


def told(words: Callable[[str], str]) -> str:
    """What is said of the left and of the right leg: once where it is the same."""
    left, right = map(words, SIDES)
    return left if left == right else f"left: {left}; right: {right}"
