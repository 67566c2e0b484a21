"""How a blade is fitted to a limb, and where that puts it.

Takes a `Fitting` (what a prosthetist sets), a blade, a runner and a residual limb; gives the category as a
number and a `Placement`: where the blade's clamp sits on the limb, how it is turned and how far it is slid.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Annotated, Any

import mujoco
import numpy as np

from bladerun._lib import data_files
from bladerun._lib.kinds import Number, Special, Word, check
from bladerun._lib.table import Table
from bladerun.blade.catalog import STIFFNESS, Blade, catalog, load_blade
from bladerun.body.anthropometry import length_m
from bladerun.body.build import sound_leg_below_knee_m
from bladerun.body.knee_unit import KneeUnit, knee_units
from bladerun.body.legs import (
    SIDES,
    Own,
    apart,
    check_both,
    check_legs,
    joined,
    of_both,
    of_leg,
    on_leg,
    settings_of,
)
from bladerun.body.runner import Amputation, Runner
from bladerun.errors import InputError

_MEASURED = "stiffness_kn_m"
STEPS = Number(-100, 100, words="whole steps from the recommended category", whole=True)
_RANGE = data_files.toml("body.toml")["fitting"]
_KNEE = data_files.toml("body.toml")["range_knee"]
_NO_KNEE = "none"


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
    height_mm: Annotated[float, Number(*_RANGE["height_mm"], unit="mm")] = 20.0
    toe_out_deg: Annotated[float, Number(*_RANGE["toe_out_deg"], unit="deg")] = 0.0
    sagittal_deg: Annotated[float, Number(*_RANGE["sagittal_deg"], unit="deg")] = 5.0
    fore_aft_mm: Annotated[float, Number(*_RANGE["fore_aft_mm"], unit="mm")] = 0.0
    medio_lateral_mm: Annotated[float, Number(*_RANGE["medio_lateral_mm"], unit="mm")] = 0.0
    knee: Annotated[str, Word((_NO_KNEE, *knee_units()), listed=True)] = _NO_KNEE
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


@dataclass(frozen=True)
class Placement:
    """Where the blade's frame sits in the frame of the right shank (origin knee, x forward, y left, z up).

    pos (3,) in m, quat (4,) wxyz; for a left leg mirror both in y: `mirrored`. mass_kg: of the blade as it is
    mounted, without the socket but with the knee. knee: above the knee, what carries that frame.
    """

    pos: np.ndarray
    quat: np.ndarray
    clamp_to_ground_m: float
    mass_kg: float
    knee: "KneePlacement | None" = None

    def mirrored(self) -> "Placement":
        knee = self.knee and replace(self.knee, pos=self.knee.pos * _FLIP[:3], quat=self.knee.quat * _FLIP)
        return replace(self, pos=self.pos * _FLIP[:3], quat=self.quat * _FLIP, knee=knee)

    def off_by(self, fore_aft_mm: float, sagittal_deg: float, toe_out_deg: float) -> "Placement":
        """The blade shifted forward, flexed and turned out so much further: not aligned quite as meant."""
        if not fore_aft_mm and not sagittal_deg and not toe_out_deg:
            return self
        outward, flexed = _turn(-math.radians(toe_out_deg), 2), _turn(-math.radians(sagittal_deg), 1)
        pos = self.pos + np.array([fore_aft_mm / 1e3, 0.0, 0.0])
        return replace(self, pos=pos, quat=_times(_times(outward, self.quat), flexed))


@dataclass(frozen=True)
class KneePlacement:
    """Where a knee sits in the frame of the right thigh (origin hip): pos (3,) m, quat (4,) wxyz."""

    unit: KneeUnit
    pos: np.ndarray
    quat: np.ndarray


_FLIP = np.array([1.0, -1.0, 1.0, -1.0])


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


def placements(fitting: Fitting, runner: Runner, amputation: Amputation) -> dict[str, Placement]:
    """Where a resolved fitting puts the blade of each amputated side, each as if that were the right one.

    Raises InputError as `place` does, and for a leg's own settings where only one leg wears a blade.
    """
    check_both(fitting, amputation.side)
    named, placed = bool(apart(fitting) or apart(amputation)), {}
    for side in amputation.sides:
        with on_leg(side, named):
            leg, own = amputation.of(side), fitting.of(side)
            limb_m = leg.residual_limb(runner)
            _check_knee(own, leg.level)
            if leg.level == "transfemoral":
                placed[side] = _place_above_knee(own, runner, limb_m, leg.facts["socket"])
            else:
                placed[side] = place(own, runner, limb_m)
    return placed


def _check_knee(fitting: Fitting, level: str) -> None:
    """InputError for a knee below the knee, none above it, and settings of a damper that is not there."""
    if level == "transfemoral" and fitting.knee == _NO_KNEE:
        *most, last = knee_units()
        known = f"{', '.join(most)} or {last}"
        raise InputError(f"missing; an amputation above the knee needs one: {known}", key="knee")
    if level == "transtibial" and fitting.knee != _NO_KNEE:
        raise InputError(
            f"{fitting.knee!r} is not possible; a limb below the knee keeps its own knee", key="knee"
        )
    for key in ("knee_damping_flexion", "knee_damping_extension"):
        if getattr(fitting, key) != 1.0 and (fitting.knee == _NO_KNEE or not KneeUnit(fitting.knee).bends):
            worn = "no prosthetic knee" if fitting.knee == _NO_KNEE else f"a {KneeUnit(fitting.knee).title}"
            raise InputError(f"{getattr(fitting, key):g} is not possible; {worn} has no damping", key=key)


def place(fitting: Fitting, runner: Runner, residual_limb_m: float) -> Placement:
    """Where a resolved fitting puts the blade, so that `height_mm` is met; InputError where it cannot be.

    First the blade is slid along its tab or pylon with the clamp at its usual height on the socket; what is
    still missing moves the clamp along the socket within the window of models/body.toml.
    """
    facts = data_files.toml("body.toml")["mount"]
    mount = facts[blade_of(fitting).shape]
    usual = residual_limb_m + mount["below_limb_m"]
    window = (usual - mount["up_m"], usual, usual + mount["down_m"])
    return _placed(fitting, runner, window, facts["straight_deg"])


def _place_above_knee(
    fitting: Fitting, runner: Runner, residual_limb_m: float, socket: Mapping[str, float]
) -> Placement:
    """The same under a prosthetic knee level with the sound one, which stands upright in bench alignment.

    There the socket is flexed by `sagittal_deg`, and the load line falls from the hip `knee_axis_mm` in front
    of the axis. The knee is turned out as blades are, and carries the blade; the blade's clamp is anywhere
    under it.
    """
    unit, thigh = KneeUnit(fitting.knee), length_m("thigh", runner)
    if runner.mass_kg > unit.limit_kg:
        raise InputError(
            f"{fitting.knee!r} carries up to {unit.limit_kg:g} kg; this runner weighs {runner.mass_kg:g} kg",
            key="knee",
        )
    room = thigh - residual_limb_m - socket["overhang_m"]
    if room < unit.above_axis_m:
        raise InputError(
            f"{fitting.knee!r} needs {1e3 * unit.above_axis_m:.0f} mm over its axis; this limb in its socket "
            f"ends {1e3 * room:.0f} mm over the level of the sound knee",
            key="knee",
        )
    mounts = data_files.toml("body.toml")["mount"]
    usual = max(unit.below_axis_m, mounts[blade_of(fitting).shape]["below_knee_m"])
    window = (unit.below_axis_m, usual, usual + mounts[blade_of(fitting).shape]["down_m"])
    try:
        found = _placed(replace(fitting, sagittal_deg=0.0), runner, window, 0.0)
    except InputError as error:
        if (
            error.allowed
            and error.allowed[0] > fitting.height_mm
            and error.allowed[0] > _RANGE["height_mm"][1]
        ):
            raise InputError(
                f"{fitting.knee!r} does not fit over {blade_of(fitting).name}: with the "
                f"{1e3 * unit.below_axis_m:.0f} mm under its axis this leg is at least "
                f"{error.allowed[0] - fitting.height_mm:.0f} mm too long",
                key="knee",
            ) from None
        raise
    flexed = _turn(math.radians(fitting.sagittal_deg), 1)
    pos = np.array([-fitting.knee_axis_mm / 1e3, 0.0, -thigh])
    mujoco.mju_rotVecQuat(pos, pos.copy(), flexed)
    knee = KneePlacement(unit, pos, _times(flexed, _turn(-math.radians(mounts["straight_deg"]), 2)))
    return replace(found, mass_kg=found.mass_kg + unit.worn_kg(-float(found.pos[2])), knee=knee)


def _placed(
    fitting: Fitting, runner: Runner, window: tuple[float, float, float], straight_deg: float
) -> Placement:
    """Where the blade's clamp sits. window: highest, usual and lowest place of the clamp along the limb, m
    below the knee; straight_deg: by how much it is turned out where `toe_out_deg` is 0."""
    blade, category = blade_of(fitting), float(fitting.category)
    flexion = math.radians(fitting.sagittal_deg)
    outward = _turn(-math.radians(fitting.toe_out_deg + straight_deg), 2)
    quat = _times(outward, _turn(-flexion, 1))
    pos = np.array([data_files.toml("body.toml")["mount"][blade.shape]["forward_m"], 0.0, 0.0])
    mujoco.mju_rotVecQuat(pos, pos.copy(), outward)
    pos += [fitting.fore_aft_mm / 1e3, -fitting.medio_lateral_mm / 1e3, 0.0]

    below = sound_leg_below_knee_m(runner)
    needed = below + fitting.height_mm / 1e3 - pos[0] * math.sin(flexion)  # of clamp and blade, upright
    highest, usual, lowest = (at * math.cos(flexion) for at in window)
    shortest, longest = blade.clamp_to_ground_range_m
    upright = tuple(_times(_turn(flexion, 1), quat).tolist())
    low, high = (_sole_depth(blade, category, at, upright) for at in (shortest, longest))
    if not highest + low <= needed <= lowest + high:
        least, most = (fitting.height_mm + 1e3 * (depth - needed) for depth in (highest + low, lowest + high))
        allowed = _RANGE["height_mm"]
        beyond = least > allowed[1] or most < allowed[0]
        if not beyond:
            least, most = max(least, allowed[0]), min(most, allowed[1])
        raise InputError(
            f"{fitting.height_mm:g} mm is not possible with {blade.name} on this limb; "
            f"from {math.ceil(least)} to {math.floor(most)} mm{', beyond what is allowed' if beyond else ''}",
            key="height_mm",
            allowed=(math.ceil(least), math.floor(most)),
        )
    wanted = float(np.clip(needed - usual, low, high))
    clamp_to_ground = shortest + (longest - shortest) * (wanted - low) / (high - low)
    pos[2] = -(needed - wanted) / math.cos(flexion)
    mass = float(_trial(blade, category, clamp_to_ground, upright).body_mass.sum())
    return Placement(pos, quat, clamp_to_ground, mass)


def _turn(angle_rad: float, axis: int) -> np.ndarray:
    """The quaternion (4,) wxyz of a turn about x, y or z."""
    quat = np.zeros(4)
    quat[0], quat[1 + axis] = math.cos(angle_rad / 2), math.sin(angle_rad / 2)
    return quat


def _times(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The turn that does `other` first and `one` then."""
    quat = np.zeros(4)
    mujoco.mju_mulQuat(quat, one, other)
    return quat


def _trial(blade: Blade, category: float, clamp_to_ground_m: float, quat: tuple) -> mujoco.MjModel:
    """The blade alone, clamped at the origin as it is turned on the limb."""
    spec = mujoco.MjSpec()
    blade.attach(
        spec.worldbody,
        suffix="r",
        category=category,
        clamp_to_ground_m=clamp_to_ground_m,
        quat=quat,
    )
    return spec.compile()


@lru_cache(64)
def _sole_depth(blade: Blade, category: float, clamp_to_ground_m: float, quat: tuple) -> float:
    """Clamp to the lowest point of the unloaded sole, vertically, m; affine in the clamp's place."""
    model = _trial(blade, category, clamp_to_ground_m, quat)
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    sole = model.geom_type == mujoco.mjtGeom.mjGEOM_SPHERE
    return -float((data.geom_xpos[sole, 2] - model.geom_size[sole, 0]).min())
