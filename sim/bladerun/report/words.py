"""Numbers in plain words.

Takes a number of a study; gives a phrase for people who fit prostheses. Thresholds: `models/words.toml`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from bladerun._lib.data_files import toml
from bladerun.blade.catalog import load_blade
from bladerun.blade.running_blade import Blade
from bladerun.body.legs import told
from bladerun.case import ADJUSTED
from bladerun.fitting import Fitting, row_of
from bladerun.status import Status
from bladerun.study.answer import in_words, look_for
from bladerun.study.landing_window import LandingWindow

_NOTHING = 1e-4  # below which nothing is known, in any unit that is shown
_PLACES = {"%": 1}  # behind the point, at most, by unit
_KG_PER_LB = 0.45359237


def figure(value: float | None, digits: int = 3, unit: str = "") -> str:
    """A number with that many significant digits and no exponent, fewer where its unit is known less well; a
    dash where there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    if abs(value) < _NOTHING:
        return "0"
    shown = float(f"{value:.{digits - 1}e}")  # 99.96 is 100 to three digits
    places = digits - 1 - math.floor(math.log10(abs(shown)))
    return _at(shown, min(places, _PLACES.get(unit, places)))


def signed(value: float | None, unit: str = "") -> str:
    """A difference, as `figure` of two digits with its sign: `+12`, `−0.4`, `0`."""
    text = figure(value, 2, unit)
    return f"+{text}" if value is not None and value > 0 and text != "0" else text


def known(value: float, half: float, unit: str = "") -> tuple[str, str]:
    """A number and half the interval around it, both to the place to which it is known: `82`, `3`.

    The half has one significant digit, two where it begins with a 1; "" without an interval.
    """
    if not (math.isfinite(value) and math.isfinite(half) and half >= _NOTHING):
        return figure(value, unit=unit), ""
    power = math.floor(math.log10(half))
    places = -power + (half < 2 * 10**power)
    return _at(value, places), _at(half, places)


def _at(value: float, places: int) -> str:
    text = f"{round(value, places):.{max(places, 0)}f}"
    return "0" if float(text) == 0 else text.replace("-", "−")


def setting(row: Mapping[str, Any]) -> str:
    """A fitting in words: `category 4, 30 mm taller, toe-out 5°`; a measured stiffness after the category,
    and socket flexion where it is not the usual one.

    row: with the columns of `Fitting.row`. Of each leg where they differ: `left: ...; right: ...`.
    """
    return told(lambda side: _setting(row_of(row, side)))


def _setting(row: Mapping[str, Any]) -> str:
    height = row["height_mm"]
    level = f"{abs(height):g} mm {'taller' if height > 0 else 'shorter'}" if height else "same height"
    turn = row["toe_out_deg"]
    toe = f"toe-{'out' if turn > 0 else 'in'} {abs(turn):g}°" if turn else "toe straight"
    measured = row.get("stiffness_kn_m", math.nan)
    stiffness = f" ({measured:g} kN/m)" if math.isfinite(measured) else ""
    flexion = row.get("sagittal_deg", Fitting.sagittal_deg)
    flexed = "" if flexion == Fitting.sagittal_deg else f", {flexion:g}° of socket flexion"
    return f"category {row['category']:g}{stiffness}, {level}, {toe}{flexed}"


def blade_title(fitting: Fitting) -> str:
    """What the blade is called, of each leg where they differ."""
    return told(lambda side: load_blade(fitting.of(side).blade).title)


class Answer(NamedTuple):
    """label: "Try", "Keep", ... and the fitting it speaks of; first: the one change to make first, "" where
    nothing is to change; then, seen: sentences on what follows it and what should be seen, or "".
    """

    label: str
    setting: str
    first: str
    then: str
    seen: str


def answer(
    table: pd.DataFrame, recommended: str | None, current: str, first: str | None, sides: tuple[str, ...]
) -> Answer:
    """The answer in words; names are rows of the table. first: as from `first_step`. sides: of the blades."""
    if recommended is None:
        return Answer("No recommendation", "", "", "", "")
    words = setting(table.loc[recommended])
    if first is None:
        return Answer("Nothing compared yet" if len(table) == 1 else "Keep", words, "", "", "")
    aim, start = table.loc[recommended], table.loc[first]
    moved = [in_words(axis, aim[axis] - start[axis]) for axis in ADJUSTED if aim[axis] != start[axis]]
    seen = []
    if table.at[current, "status"] == Status.CONVERGED:
        seen = [text for leg in sides for text in look_for(table, first, current, leg)]
    return Answer(
        "Try",
        words,
        setting(table.loc[first]),
        f"Second, if that does what it should: {', '.join(moved)}; in all {words}."
        if moved
        else "On top of it nothing more gains enough to be worth a second change.",
        f"If the prediction is right you will see: {'; '.join(seen)}." if seen else "",
    )


def blade_from(fitting: Fitting | None) -> str:
    """Where what is known of the blade is from."""
    known = told(lambda side: _known_of(fitting and fitting.of(side)))
    return f"{known[0].upper()}{known[1:]}; the socket gives as a usual one."


def _known_of(fitting: Fitting | None) -> str:
    own = fitting is not None and isinstance(fitting.blade, Blade)
    source = "its own file" if own else "the catalogue, not from this blade"
    if fitting is not None and fitting.stiffness_kn_m is not None:
        known = f"the blade's stiffness was measured ({fitting.stiffness_kn_m:g} kN/m); its strength comes"
    else:
        known = "the blade's stiffness and strength come"
    return f"{known} from {source}"


def recoil(direction_deg: float) -> str:
    """Where the recoil of the blade sends the runner."""
    if not math.isfinite(direction_deg):
        return "not known"
    edges = toml("words.toml")["recoil"]
    if direction_deg < edges["falling_forward_below"]:
        return "falling forward"
    if direction_deg <= edges["popping_up_above"]:
        return "up and forward"
    return "mostly popping up" if direction_deg <= edges["backward_above"] else "up and backward"


def whip(turn_deg: float) -> str:
    """The turn of the blade after toe-off as clinicians name it, by where the heel goes."""
    if not math.isfinite(turn_deg):
        return "not known"
    size = round(abs(turn_deg))
    return f"{'lateral' if turn_deg > 0 else 'medial'} whip of {size}°" if size else "no whip"


def sweet_spot(offset_m: float) -> str:
    """Where the blade stands when it is compressed most."""
    if not math.isfinite(offset_m):
        return "not known"
    if abs(offset_m) <= toml("words.toml")["sweet_spot"]["under_body"]:
        return "under the body"
    return f"{figure(100 * abs(offset_m), 2)} cm {'ahead of' if offset_m > 0 else 'behind'} the body"


def both_masses(mass_kg: float) -> str:
    """A mass in both units: `72 kg (159 lb)`."""
    return f"{mass_kg:.3g} kg ({mass_kg / _KG_PER_LB:.0f} lb)"


def landing_words(window: LandingWindow) -> str:
    """How far the landing may move from where this runner lands, and what ends it."""
    why = {"cost": "then it costs more than matters", "not known": "further was not tried"}
    ends = [
        (abs(window.closer_mm), "closer", window.closer_by),
        (abs(window.further_mm), "further ahead", window.further_by),
    ]
    parts = [f"{round(mm, -1):z.0f} mm {way} ({why.get(by, f'then it is {by}')})" for mm, way, by in ends]
    return (
        f"The blade may land up to {' or '.join(parts)} and still return up and forward at little more cost."
    )
