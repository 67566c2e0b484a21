"""How a blade is fitted to a limb: a `Fitting`, what a prosthetist sets.

Gives the same with its category as a number (`resolve`) and with other settings (`altered`); where a fitting
puts the blade is `placement`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from bladerun._lib import data_files
from bladerun._lib.kinds import Number, Special, Word, check
from bladerun._lib.table import Table
from bladerun.blade.catalog import catalog, load_blade
from bladerun.blade.running_blade import STIFFNESS, Blade
from bladerun.body.knee_unit import knee_units
from bladerun.body.legs import (
    SIDES,
    Own,
    apart,
    check_legs,
    joined,
    of_both,
    of_leg,
    on_leg,
    settings_of,
)
from bladerun.body.runner import Runner
from bladerun.errors import InputError

_MEASURED = "stiffness_kn_m"
STEPS = Number(-100, 100, words="whole steps from the recommended category", whole=True)
RANGE = data_files.toml("body.toml")["fitting"]
_KNEE = data_files.toml("body.toml")["range_knee"]
NO_KNEE = "none"


def _blade(value: Any) -> str | Blade:
    return value if isinstance(value, str | Blade) else Blade.of_json(value)


def _any_blade() -> dict[str, Any]:
    return {"anyOf": [{"enum": list(catalog())}, {"type": "string", "pattern": "[.]toml$"}]}


def _category(value: Any) -> Any:
    if isinstance(value, str) and value != "recommended":
        raise InputError(f"{value!r} is not allowed; a number or 'recommended'")
    return value  # a number is checked by the blade, which knows its categories


def _any_category() -> dict[str, Any]:
    return {"anyOf": [{"const": "recommended"}, {"type": "number"}]}


@dataclass(frozen=True)
class Fitting:
    """A blade and how it is set.

    Parameters
    ----------
    blade
        A name of the catalogue, or a `Blade` (what JSON makes of one will do); in a file also the name of a
        blade's own file beside it.
    category
        A number, or "recommended" for the runner's mass at high impact.
    height_mm
        Hip joint centre to the lowest point of the unloaded blade's sole, upright in bench alignment
        (`bladerun.gait.alignment`: blade upright, hip over knee), minus the same of the sound leg in its shoe
        (both legs amputated: of the leg the runner would have); positive makes the prosthesis taller.
    toe_out_deg
        0 = the loaded sole points where the runner goes (models/body.toml [mount]); positive turns clamp and
        blade outward about the limb's long axis. A limb that is aligned for walking has about 5.
    sagittal_deg
        Socket flexion; positive pitches the limb forward over an upright blade, so that seen from an upright
        limb the blade is dorsiflexed: its toe goes forward and up.
    fore_aft_mm
        Shift of the clamp from its usual place, forward positive.
    medio_lateral_mm
        Shift of the clamp from its usual place, lateral positive.
    knee
        Above the knee: a name of models/knees/, a running knee or a straight pylon, with "-locked" after it
        one that can be locked and is; "none" below the knee.
    knee_damping_flexion, knee_damping_extension
        Factors on the knee's hydraulic damping as the catalogue has it.
    knee_axis_mm
        Load line in front of the knee's axis in bench alignment; more holds the knee more safely on its stop.
    stiffness_kn_m
        Measured on this very blade as the catalogue's are (`Blade.stiffness_n_m`), and taken in place of
        that; the category is a label then, and "recommended" that of the nearest nominal stiffness.

    left, right
        What a leg has of its own instead, by the same names, where both wear a blade; `of` gives the fitting
        of a leg.

    Raises
    ------
    InputError
        Outside the ranges of models/body.toml [fitting].
    """

    blade: Annotated[str | Blade, Special("the name of a blade", _blade, _any_blade)]
    category: Annotated[float | str, Special("a number or 'recommended'", _category, _any_category)] = (
        "recommended"
    )
    height_mm: Annotated[float, Number(*RANGE["height_mm"], unit="mm")] = 20.0
    toe_out_deg: Annotated[float, Number(*RANGE["toe_out_deg"], unit="deg")] = 0.0
    sagittal_deg: Annotated[float, Number(*RANGE["sagittal_deg"], unit="deg")] = 5.0
    fore_aft_mm: Annotated[float, Number(*RANGE["fore_aft_mm"], unit="mm")] = 0.0
    medio_lateral_mm: Annotated[float, Number(*RANGE["medio_lateral_mm"], unit="mm")] = 0.0
    knee: Annotated[str, Word((NO_KNEE, *knee_units()), listed=True)] = NO_KNEE
    knee_damping_flexion: Annotated[float, Number(*_KNEE["damping"])] = 1.0
    knee_damping_extension: Annotated[float, Number(*_KNEE["damping"])] = 1.0
    knee_axis_mm: Annotated[float, Number(*_KNEE["axis_mm"], unit="mm")] = 5.0
    stiffness_kn_m: Annotated[float, STIFFNESS] | None = None
    left: Annotated[Mapping[str, Any], Own(lambda: Fitting)] = Table()
    right: Annotated[Mapping[str, Any], Own(lambda: Fitting)] = Table()

    def __post_init__(self) -> None:
        check(self)
        check_legs(self, "fitting")
        for side in SIDES:
            own = getattr(self, side)
            if self.stiffness_kn_m is not None and {"blade", "category"} & set(own) and _MEASURED not in own:
                raise InputError(
                    "missing; what was measured of both blades does not hold for a blade of this leg's own",
                    key=f"{side}.{_MEASURED}",
                )

    def of(self, side: str) -> "Fitting":
        """The fitting of one leg, "left" or "right"."""
        return of_leg(self, side)

    def row(self) -> dict[str, Any]:
        """Its settings as columns of a table, a blade by its name.

        Where the legs differ in a setting it also has a column a leg, `height_mm_left`; the one without a leg
        is what both would have.
        """
        row = _row(self)
        for key in {**self.left, **self.right}:
            row |= {f"{key}_{side}": _row(self.of(side))[key] for side in SIDES}
        return row


def row_of(row: Mapping[str, Any], side: str) -> dict[str, Any]:
    """The settings of one leg in a row of a table with the columns of `Fitting.row`."""
    keys = (key for key in settings_of(Fitting) if key in row)
    return {key: row[f"{key}_{side}" if f"{key}_{side}" in row else key] for key in keys}


def _row(fitting: Fitting) -> dict[str, Any]:
    settings = {key: getattr(fitting, key) for key in settings_of(fitting)}
    stiffness = math.nan if fitting.stiffness_kn_m is None else fitting.stiffness_kn_m
    return settings | {"blade": load_blade(fitting.blade).name, _MEASURED: stiffness}


def resolve(fitting: Fitting, runner: Runner) -> Fitting:
    """The same with every category as a number the blade has or extends to; else InputError."""
    both = _resolved(of_both(fitting), runner)
    legs = {}
    for side in apart(fitting):
        with on_leg(side):
            legs[side] = _resolved(fitting.of(side), runner)
    return _joined(both, legs, fitting)


def _joined(both: Fitting, legs: Mapping[str, Fitting], before: Fitting) -> Fitting:
    return joined(both, legs, before, () if both.stiffness_kn_m is None else (_MEASURED,))


def _resolved(fitting: Fitting, runner: Runner) -> Fitting:
    category = fitting.category
    if isinstance(category, str):
        if fitting.stiffness_kn_m is None:
            category = recommended(fitting, runner)
        else:
            category = load_blade(fitting.blade).nearest_category(fitting.stiffness_kn_m)
    fitting = replace(fitting, category=category)
    blade_of(fitting).stiffness_n_m(category)
    return fitting


def recommended(fitting: Fitting, runner: Runner) -> float:
    """The category of the fitting's blade for the runner's mass at high impact; InputError without one."""
    return load_blade(fitting.blade).recommended_category(runner.mass_kg, impact="high")


def blade_of(fitting: Fitting) -> Blade:
    """The blade of a resolved fitting, as stiff as measured where that is given."""
    blade = load_blade(fitting.blade)
    blade.check_category(fitting.category)
    stiffness = fitting.stiffness_kn_m
    return blade if stiffness is None else blade.measured(float(fitting.category), stiffness)


def altered(fitting: Fitting, **settings: Any) -> Fitting:
    """A resolved fitting with other settings, of both legs; left, right: of that leg. Raises InputError.

    A leg with a number of its own stays as far from what both have as it was; one with a word of its own (a
    blade) takes what both get. A measured stiffness that is not among the settings is that of the category
    worn: another category differs from it by the blade's nominal step.
    """
    own = {side: settings.pop(side) for side in SIDES if side in settings}
    both, legs = _altered(of_both(fitting), settings), {}
    for side in SIDES if own else apart(fitting):
        leg = fitting.of(side)
        moved = {key: _moved(getattr(leg, key), getattr(fitting, key), to) for key, to in settings.items()}
        with on_leg(side):
            legs[side] = _altered(leg, {**moved, **own.get(side, {})})
    return _joined(both, legs, fitting)


def _altered(fitting: Fitting, settings: Mapping[str, Any]) -> Fitting:
    other = replace(fitting, **settings)
    if fitting.stiffness_kn_m is None or _MEASURED in settings:
        return other
    if isinstance(other.category, str) or other.category == fitting.category:
        return other
    worn = blade_of(replace(other, category=fitting.category))
    return replace(other, stiffness_kn_m=round(worn.stiffness_n_m(other.category)[0] / 1e3, 6))


def _moved(own: Any, both: Any, to: Any) -> Any:
    """What a leg gets where both get `to`."""
    numbers = all(isinstance(value, int | float) for value in (own, both, to))
    return to if own == both or not numbers else round(to + own - both, 6)
