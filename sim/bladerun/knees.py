"""Prosthetic knees as a clinic compares them: today's fitting on each of them, each as it may be set.

Takes a resolved fitting, an amputation and lists by setting; gives fittings, and what a knee and its settings
are called.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from bladerun.body.knee_unit import KneeUnit
from bladerun.body.runner import Amputation
from bladerun.errors import InputError
from bladerun.fitting import Fitting, altered

_DAMPING = ("knee_damping_flexion", "knee_damping_extension")
SETTINGS = ("knee", *_DAMPING, "knee_axis_mm")
_SAID = {
    "knee_damping_flexion": ("damping in flexion", " times the usual"),
    "knee_damping_extension": ("damping in extension", " times the usual"),
    "knee_axis_mm": ("load line in front of the knee's axis by", " mm"),
}


def on_each_knee(
    fitting: Fitting, amputation: Amputation, lists: Mapping[str, Sequence[Any]]
) -> list[Fitting]:
    """The fitting worn today, and it on every knee in every setting of it; damping only of what bends.

    lists: by a name of `SETTINGS`; what is left out stays as it is. Raises InputError where no leg ends above
    the knee, and for damping where no knee bends.
    """
    sides = amputation.above_knee
    if not sides:
        raise InputError("no leg ends above the knee, and below it the runner keeps a knee", key="knee")
    worn = KneeUnit(fitting.of(sides[0]).knee)
    units = [KneeUnit(name) for name in lists.get("knee", (worn.name,))]
    for key in _DAMPING:
        if key in lists and not any(unit.bends for unit in units):
            raise InputError(f"a {units[0].title} has no damping", key=key)
    found = [fitting]
    for unit in units:
        known = {} if unit.bends else dict.fromkeys(_DAMPING, 1.0)
        known |= {"knee": unit.name} if "knee" in lists else {}
        varied = [key for key in SETTINGS[1:] if key in lists and key not in known]
        for values in itertools.product(*(lists[key] for key in varied)):
            settings = known | dict(zip(varied, values, strict=True))
            if len(sides) < len(amputation.sides):
                settings = dict.fromkeys(sides, settings)
            found.append(altered(fitting, **settings))
    return list(dict.fromkeys(found))


def knee_title(fitting: Fitting, amputation: Amputation) -> str:
    """What the knees of a runner are called, with what is not set as usual: of each leg where they differ."""
    of = {side: ", ".join(in_words(fitting.of(side))) for side in amputation.above_knee}
    if len(set(of.values())) == 1:
        return next(iter(of.values()))
    return "; ".join(f"{side}: {words}" for side, words in of.items())


def in_words(fitting: Fitting) -> list[str]:
    """The knee of a leg's fitting, and its settings that are not as usual; nothing without one."""
    if fitting.knee == Fitting.knee:
        return []
    values = {key: getattr(fitting, key) for key in _SAID}
    unusual = {key: value for key, value in values.items() if value != getattr(Fitting, key)}
    return [
        KneeUnit(fitting.knee).title,
        *("{0} {2:g}{1}".format(*_SAID[key], v) for key, v in unusual.items()),
    ]
