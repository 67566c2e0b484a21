"""How able-bodied people run, at any speed and size: the curves that a stride is compared with.

Takes joint names, a speed, a number of knots and a leg length (facts: `models/reference/`).
Gives periodic joint angles, their SD between people, stride time and ground force; phase 0 = right touchdown.
"""

import csv
from collections import defaultdict
from dataclasses import dataclass
from functools import cache

import numpy as np

from bladerun._lib.data_files import models_dir, toml
from bladerun.body.joints import side_of, without_side
from bladerun.body.own_gait import PERCENT, OwnGait
from bladerun.errors import InputError, nearest

_CURVES = ("fukuchi2017.csv", "pooled_upper_body.csv", "trunk.csv")
_NAMED_OTHERWISE = {
    "pelvis_tilt": "pelvis_anterior_tilt",
    "pelvis_tz": "pelvis_height",
    "subtalar_inversion": "ankle_inversion",
}
_SPINE = ("lumbar_extension", "lumbar_bending")  # what lies between the pelvis and the trunk in space
_LEG = (
    "hip_flexion", "hip_adduction", "hip_rotation", "knee_flexion", "ankle_dorsiflexion",
    "subtalar_inversion",
)  # fmt: skip
_SYMMETRIC = ("pelvis_tilt", "pelvis_tz", "lumbar_extension")  # repeat with every step
_UNDER = {"lumbar_extension": "pelvis_tilt", "lumbar_bending": "pelvis_list"}  # what a spine makes up for
_ANTISYMMETRIC = (
    "pelvis_list",
    "pelvis_rotation",
    "lumbar_bending",
    "lumbar_rotation",
)  # change sign with every step


@dataclass(frozen=True)
class Reference:
    """One stride of reference running at phases k / knots, phase 0 = right touchdown.

    q, sd: (knots, joints) rad; pelvis_tz in m as deviation from its own mean. Zero where not tracked.
    tracked: (joints,) False where there are no data (pelvis_tx, pelvis_ty, toes, socket, blade).
    stride_time_s, stride_time_sd_s: two steps, at this leg length.
    grf: (knots, [right, left], [forward, left, up]) body weights, on the runner.
    sideways: (knots,) force of the ground to the left, body weights, without the vibration of a treadmill.
    step_width_m, step_width_sd_m: sideways distance of the feet, at this leg length.
    own: (joints,) True where q and sd are this runner's, and not people's.
    own_step_width: whether the step width is.
    """

    q: np.ndarray
    sd: np.ndarray
    tracked: np.ndarray
    stride_time_s: float
    stride_time_sd_s: float
    grf: np.ndarray
    sideways: np.ndarray
    step_width_m: float
    step_width_sd_m: float
    own: np.ndarray
    own_step_width: bool


def reference(
    joints: tuple[str, ...],
    speed_m_s: float,
    knots: int,
    *,
    leg_length_m: float,
    amplitude: float = 1.0,
    later: float = 0.0,
    inward_deg: float = 0.0,
    lean: float = 0.0,
    own: OwnGait | None = None,
) -> Reference:
    """The reference stride for these joints (order and signs of the model) at this speed and leg length.

    Stride time scales with sqrt(leg length), a pendulum's period; pelvis height with leg length. amplitude:
    multiplies the deviation of the legs' angles from their means; later: share of a stride by which they lag
    behind pelvis, trunk and arms; inward_deg: how much further their hips are rotated inward; lean: how much
    further forward the trunk is, in SD between people. own: how this runner was measured to run: what differs
    from people at its speed is added to people at this one. Raises InputError where that is too far away.
    """
    if own:
        own.check_speed(speed_m_s)
    size = leg_length_m / toml("reference/gait.toml")["leg_length"]["value_m"]
    phase = np.arange(knots) / knots
    q, sd = np.zeros((2, knots, len(joints)))
    tracked, measured = np.zeros((2, len(joints)), bool)
    for i, joint in enumerate(joints):
        name = without_side(joint)
        if name not in _SPINE and _NAMED_OTHERWISE.get(name, name) not in _table():
            continue
        leg = name in _LEG
        at = phase - _touchdown(joint, own) - later * leg
        q[:, i], sd[:, i] = _people(name, speed_m_s, at, size)
        if name == "lumbar_extension":
            q[:, i] -= lean * sd[:, i]
        if name == "hip_rotation":
            q[:, i] += np.radians(inward_deg)
        if own:
            q[:, i] += _difference(joint, own, at, size)
        if own and joint in own.joints:
            measured[i], sd[:, i] = True, _unit(name) * own.sd(joint, at, speed_m_s)
        q[:, i] += (amplitude - 1.0) * leg * (q[:, i] - q[:, i].mean())
        tracked[i] = True
    time, time_sd = _scaled("stride_time", speed_m_s, size, own and own.stride_time_s, own)
    width, width_sd = _scaled("step_width", speed_m_s, size, own and own.step_width_m, own)
    grf, sideways = _grf(speed_m_s, phase), _sideways(speed_m_s, phase)
    widths = bool(own and own.step_width_m)
    return Reference(q, sd, tracked, time, time_sd, grf, sideways, width, width_sd, measured, widths)


def _people(name, speed_m_s, at, size):
    """People's mean and SD (len(at),) at phases from the leg's own touchdown, rad or m, at this size."""
    percent, mean, spread = band(name, speed_m_s)
    scale = size * _unit(name) if name == "pelvis_tz" else _unit(name)
    q = scale * _periodic(percent / 100, mean, at, _parity(name))
    if name == "pelvis_tz":  # published about the mean with both ends counted
        q -= q.mean()
    return q, scale * np.interp(at, percent / 100, spread, period=1)


def _difference(joint, own: OwnGait, at, size):
    """What the runner's curve has over people's at its own speed, rad or m, 0 where it was not measured.

    A trunk that was not measured keeps people's posture in space, whatever the pelvis under it does.
    """
    source = joint if joint in own.joints else _UNDER.get(joint)
    if source is None or source not in own.joints:
        return 0.0
    name = without_side(source)
    mine = _unit(name) * _periodic(PERCENT / 100, np.array(own.joints[source].mean), at)
    if name == "pelvis_tz":
        mine -= mine.mean()
    return mine - _people(name, own.speed_m_s, at, size)[0]


def _touchdown(joint, own: OwnGait | None) -> float:
    """Of the joint's own leg, as a share of the stride."""
    return 0.0 if side_of(joint) != "left" else own.left_after_right if own else 0.5


def _unit(name) -> float:
    """Of a curve as the tables have it, in rad or m."""
    return 1.0 if name == "pelvis_tz" else np.pi / 180


def _scaled(fact, speed_m_s, size, spread, own: OwnGait | None):
    """Mean and SD of a fact of gait.toml at this speed and size; spread: of this runner, or None."""
    unit, power = {"stride_time": ("s", 0.5), "step_width": ("m", 1.0)}[fact]
    scale = float(size**power)
    mean, sd = (scale * each for each in _scalar(fact, unit, speed_m_s))
    if own is None or spread is None:
        return mean, sd
    mean += spread.mean - scale * _scalar(fact, unit, own.speed_m_s)[0]
    return mean, own.off(unit, speed_m_s, spread.sd)


def band(quantity: str, speed_m_s: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Percent of stride (51,), mean and SD between people of a curve of "this side" from its own touchdown.

    Units as in the table: angles deg, `pelvis_height` m, `grf_*` body weights, `*_moment` Nm/kg. A joint's
    name without its side is understood too. Raises InputError for a name that has no data.
    """
    if quantity in _SPINE:
        return _spine(quantity, speed_m_s)
    name = _NAMED_OTHERWISE.get(quantity, quantity)
    if name not in _table():
        raise InputError(f"no reference curve is called {quantity!r}; {nearest(quantity, _table())}")
    speeds, percent, means, sds = _table()[name]
    sd = np.array([np.interp(speed_m_s, speeds, s) for s in sds.T])
    return percent, _at_speed(speeds, means, speed_m_s), sd


def _spine(joint: str, speed_m_s: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`band` of a lumbar angle: the trunk keeps its posture in space, the spine makes up for the pelvis."""
    if joint == "lumbar_bending":
        percent, pelvis, pelvis_sd = band("pelvis_list", speed_m_s)
        _, trunk, trunk_sd = band("trunk_list", speed_m_s)
        return percent, pelvis + trunk, np.hypot(pelvis_sd, trunk_sd)  # as if independent
    percent, tilt, _ = band("pelvis_tilt", speed_m_s)
    lean = toml("reference/gait.toml")["trunk_lean"]
    about_its_mean = band("trunk_lean", speed_m_s)[1]
    return percent, tilt - lean["mean_deg"] - about_its_mean, np.full_like(tilt, lean["sd_deg"])


@cache
def _table() -> dict[str, tuple[np.ndarray, ...]]:
    """quantity -> speeds (s,), percent (51,), mean (s, 51), sd (s, 51)."""
    rows = defaultdict(list)
    for file in _CURVES:
        with (models_dir() / "reference" / file).open(encoding="utf-8", newline="") as text:
            for row in csv.DictReader(text):
                key = row["quantity"], float(row["speed_m_s"])
                rows[key].append([float(row[column]) for column in ("percent", "mean", "sd")])
    table = {}
    for quantity in {name for name, _ in rows}:
        speeds = sorted(speed for name, speed in rows if name == quantity)
        curves = np.array([rows[quantity, speed] for speed in speeds])
        table[quantity] = np.array(speeds), curves[0, :, 0], curves[:, :, 1], curves[:, :, 2]
    return table


def _at_speed(speeds, values, speed_m_s):
    """Linear in speed over the first axis of values; outside straight on for a short way, then held."""
    if len(speeds) == 1:
        return values[0]
    reach = toml("reference/gait.toml")["fit"]["extrapolate_m_s"]
    speed = np.clip(speed_m_s, speeds[0] - reach, speeds[-1] + reach)
    i = np.clip(np.searchsorted(speeds, speed) - 1, 0, len(speeds) - 2)
    part = (speed - speeds[i]) / (speeds[i + 1] - speeds[i])
    return (1 - part) * values[i] + part * values[i + 1]


def _scalar(fact, unit, speed_m_s):
    """Mean and SD between people of a fact of gait.toml at this speed."""
    table = toml("reference/gait.toml")[fact]
    speeds = np.array(table["speed_m_s"])
    return [float(_at_speed(speeds, np.array(table[f"{key}_{unit}"]), speed_m_s)) for key in ("mean", "sd")]


def _parity(name):
    """Which harmonics a curve has: None all, 0 even (repeats each step), 1 odd (changes sign each step)."""
    return 0 if name in _SYMMETRIC else 1 if name in _ANTISYMMETRIC else None


def _periodic(phase, curve, at, parity=None, harmonics=None):
    """A low-order Fourier series through one stride given from phase 0 to 1, evaluated at phases `at`.

    What the two ends differ by is spread along the stride first. Keeping only even (odd) harmonics is
    the same as averaging a curve with (minus) itself half a stride later.
    """
    closed = (curve - (curve[-1] - curve[0]) * (phase - phase[:-1].mean()))[:-1]
    keep = harmonics or toml("reference/gait.toml")["fit"]["harmonics"]
    n = np.arange(keep + 1)
    terms = np.fft.rfft(closed)[: keep + 1] / len(closed) * np.where(n == 0, 1, 2)
    if parity is not None:
        terms = np.where(n % 2 == parity, terms, 0)
    return np.real(np.exp(2j * np.pi * np.outer(at, n)) @ terms)


def _grf(speed_m_s, phase):
    """(knots, 2, 3): as tabulated, linear between points so that contact stays as short as it was."""
    grf = np.zeros((len(phase), 2, 3))
    for axis, name in enumerate(("grf_fore_aft", "grf_medial", "grf_vertical")):
        percent, mean, _ = band(name, speed_m_s)
        for side, shift in enumerate((0.0, 0.5)):
            grf[:, side, axis] = np.interp(phase - shift, percent / 100, mean, period=1)
    grf[:, 1, 1] *= -1  # towards the midline is left for the right foot, right for the left foot
    return grf


def _sideways(speed_m_s, phase):
    """(knots,) medial forces of both feet together: a few odd harmonics, as they change sign every step."""
    percent, mean, _ = band("grf_medial", speed_m_s)
    both = mean - np.interp(percent / 100 - 0.5, percent / 100, mean, period=1)
    return _periodic(percent / 100, both, phase, 1, toml("reference/gait.toml")["fit"]["sideways_harmonics"])
