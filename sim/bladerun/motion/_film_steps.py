"""Contacts and steps from touchdowns and toe-offs marked on a film.

Takes events by leg and frame; gives the contacts of each leg, and outcomes of timing for every stride.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Annotated, NamedTuple

from bladerun._lib.data_files import toml
from bladerun._lib.kinds import Number, Word
from bladerun.errors import InputError

SIDES = ("left", "right")
FRAME = Number(0, 1e6, words="a frame from 0", to=float)


class Event(NamedTuple):
    """A foot lands or leaves the ground: the first frame on which it does."""

    leg: Annotated[str, Word(SIDES)]
    event: Annotated[str, Word(("touchdown", "toe-off"))]
    frame: Annotated[float, FRAME]


class Contact(NamedTuple):
    """Frames of touchdown, toe-off and the same leg's next touchdown; NaN where it is not marked."""

    down: float
    up: float
    next_down: float


def contacts(events: Iterable[Event], *, strict: bool = True) -> dict[str, list[Contact]]:
    """Those of each leg in time. strict: InputError where a leg lands twice without leaving between, or
    leaves twice without landing."""
    found = {}
    for leg in SIDES:
        mine = sorted((e.frame, e.event) for e in events if e.leg == leg)
        for (frame, event), (later, again) in pairwise(mine) if strict else ():
            if event == again:
                other = "toe-off" if event == "touchdown" else "touchdown"
                raise InputError(
                    f"the {leg} leg has a {event} on frame {frame:.0f} and on frame {later:.0f}, and no "
                    f"{other} between",
                    key="marks",
                )
        downs = [frame for frame, event in mine if event == "touchdown"]
        ups = [frame for frame, event in mine if event == "toe-off"]
        found[leg] = [
            Contact(
                down,
                next((up for up in ups if down < up <= after), math.nan),
                after if math.isfinite(after) else math.nan,
            )
            for down, after in pairwise([*downs, math.inf])
        ]
    return found


def timing(downs: Mapping[str, list[Contact]], hz: float, affected: str) -> dict[str, list[float]]:
    """Every outcome of timing by its column, of every stride or step that is marked whole.

    Raises InputError for a stride that no runner makes.
    """
    values: dict[str, list[float]] = {}
    longest = toml("motion.toml")["film"]["stride_s"][1] * hz

    def add(column: str, value: float) -> None:
        if math.isfinite(value):
            values.setdefault(column, []).append(value)

    for leg in SIDES:
        for each in downs[leg]:
            contact, period = (each.up - each.down) / hz, (each.next_down - each.down) / hz
            _check(leg, each, period)
            add("stride_time_s", period)
            add("step_frequency_hz", 2 / period)
            add(f"contact_time_s_{leg}", contact)
            add(f"duty_factor_{leg}", contact / period)
            other = _next_of(downs, leg, each, longest)
            add(f"flight_time_s_{leg}", (other.down - each.up) / hz)
            add(f"step_time_s_{'left' if leg == 'right' else 'right'}", (other.down - each.down) / hz)
    for each in downs[affected]:  # of one stride: the affected leg, the other one, the affected again
        other = _next_of(downs, affected, each, longest)
        add("asymmetry_contact_time_percent", _asymmetry(each.up - each.down, other.up - other.down))
        add(
            "asymmetry_step_time_percent",
            _asymmetry(each.next_down - other.down, other.down - each.down),
        )
    return values


def _check(leg: str, each: Contact, period: float) -> None:
    low, high = toml("motion.toml")["film"]["stride_s"]
    if not math.isnan(period) and not low <= period <= high:
        raise InputError(
            f"the {leg} leg's stride, frame {each.down:.0f} to {each.next_down:.0f} takes {period:.2f} s; "
            f"runners take {low:g} to {high:g} s: a touchdown is left out, or it was filmed at another rate",
            key="marks",
        )


def _next_of(downs: Mapping[str, list[Contact]], leg: str, each: Contact, longest: float) -> Contact:
    """The other leg's contact before this leg lands again, within a stride of at most so many frames; NaN
    where it is not marked."""
    other = downs["left" if leg == "right" else "right"]
    end = each.down + longest if math.isnan(each.next_down) else each.next_down
    later = [c for c in other if each.down < c.down < end]
    return later[0] if later else Contact(math.nan, math.nan, math.nan)


def _asymmetry(affected: float, other: float) -> float:
    """Symmetry index in %, Robinson 1987: 200 (A - U) / (|A| + |U|)."""
    whole = abs(affected) + abs(other)
    return 200 * (abs(affected) - abs(other)) / whole if whole else math.nan
