"""Where a fitting puts the blade.

Takes a resolved `Fitting`, a runner and an amputation; gives a `Placement` for each leg: where the blade's
clamp sits on the limb, how it is turned and how far it is slid, and above the knee where the knee sits.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import mujoco
import numpy as np

from bladerun._lib import data_files
from bladerun.blade.running_blade import Blade
from bladerun.body.anthropometry import length_m
from bladerun.body.build import sound_leg_below_knee_m
from bladerun.body.knee_unit import KneeUnit, knee_units
from bladerun.body.legs import apart, check_both, on_leg
from bladerun.body.runner import Amputation, Runner
from bladerun.errors import InputError
from bladerun.fitting import NO_KNEE, RANGE, Fitting, blade_of


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
    if level == "transfemoral" and fitting.knee == NO_KNEE:
        *most, last = knee_units()
        known = f"{', '.join(most)} or {last}"
        raise InputError(f"missing; an amputation above the knee needs one: {known}", key="knee")
    if level == "transtibial" and fitting.knee != NO_KNEE:
        raise InputError(
            f"{fitting.knee!r} is not possible; a limb below the knee keeps its own knee", key="knee"
        )
    for key in ("knee_damping_flexion", "knee_damping_extension"):
        if getattr(fitting, key) != 1.0 and (fitting.knee == NO_KNEE or not KneeUnit(fitting.knee).bends):
            worn = "no prosthetic knee" if fitting.knee == NO_KNEE else f"a {KneeUnit(fitting.knee).title}"
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
            and error.allowed[0] > RANGE["height_mm"][1]
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
        allowed = RANGE["height_mm"]
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
