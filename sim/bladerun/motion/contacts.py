"""When the feet are on the ground, by forces or by the motion alone.

Takes `Forces` or a `Posed`; gives `Contact`s in the order of time, and with forces what each foot carries.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.signal import butter, find_peaks, sosfiltfilt

from bladerun._lib.data_files import toml
from bladerun.gait.events import CONTACT_THRESHOLD_N
from bladerun.motion.posed import Posed, turned
from bladerun.motion.records import Forces, Plate

_RATE_HZ = 200.0  # at which the pelvis' fall is looked at


class Contact(NamedTuple):
    """down, up: touchdown and toe-off, s."""

    side: str
    down: float
    up: float


class Load(NamedTuple):
    """What one foot carries at time (N,): force_n (N, 3), and point_m (N, 2), its centre of pressure, NaN
    below the threshold, where plates do not know it, and where the file does not say; free_nm (N,), the
    moment about the vertical there, 0 where the file does not say.
    """

    time: np.ndarray
    force_n: np.ndarray
    point_m: np.ndarray
    free_nm: np.ndarray


def by_forces(forces: Forces, posed: Posed) -> tuple[list[Contact], dict[str, Load]]:
    """Contacts above the threshold of `bladerun.gait.registry`, and the load of each foot.

    A plate that does not say whose it is carries, at each contact, the leg whose knee is bent less.
    """
    time, found = forces.time_s, []
    sides = ("right", "left")
    carried = {side: np.zeros((len(time), 3)) for side in sides}
    moment = {side: np.zeros((len(time), 3)) for side in sides}  # vertical force, and that times its place
    free = {side: np.zeros(len(time)) for side in sides}
    for plate in forces.plates:
        force = turned(plate.force_n, posed.quarters)
        point = turned(plate.point_m, posed.quarters)[:, :2]
        weight = np.where(force[:, 2:] > CONTACT_THRESHOLD_N, force[:, 2:], 0.0)
        there = np.column_stack([weight, np.where(weight > 0, weight * point, 0.0)])
        own = contacts_of(time, plate, posed)
        found += own
        for side in (plate.side,) if plate.side else sides:
            mine = np.ones(len(time), bool) if plate.side else _around(time, own, side)
            carried[side][mine] += force[mine]
            moment[side][mine] += there[mine]
            if plate.free_nm is not None:
                free[side][mine] += np.nan_to_num(plate.free_nm[mine])
    with np.errstate(invalid="ignore", divide="ignore"):
        points = {side: moment[side][:, 1:] / moment[side][:, :1] for side in sides}
    loads = {side: Load(time, carried[side], points[side], free[side]) for side in sides}
    return sorted(found, key=lambda contact: contact.down), loads


def contacts_of(time: np.ndarray, plate: Plate, posed: Posed) -> list[Contact]:
    """The contacts on one plate, each with the side whose it is."""
    spans = _loaded(time, plate.force_n[:, 2])
    return [Contact(plate.side or _standing(posed, (start + end) / 2), start, end) for start, end in spans]


def by_motion(posed: Posed) -> list[Contact]:
    """Contacts of running by the rules of models/motion.toml; none where pelvis or knees were not measured.

    Touchdown: the pelvis' fastest fall, less its published lag, of the leg whose thigh is ahead. Toe-off: the
    knee's greatest extension late in stance.
    """
    rules = toml("motion.toml")["kinematic_events"]
    if not posed.has(["pelvis_tz", *(f"{j}_flexion_{s}" for j in ("hip", "knee") for s in "rl")]):
        return []
    time = np.arange(posed.time[0], posed.time[-1], 1 / _RATE_HZ)
    if len(time) < 2 * _RATE_HZ * rules["step_s"]:
        return []
    gain = butter(2, rules["smoothed_hz"], fs=_RATE_HZ, output="sos")
    fall = -np.gradient(sosfiltfilt(gain, posed.at_joint("pelvis_tz", time)), time)
    peaks, _ = find_peaks(fall, distance=int(rules["step_s"] * _RATE_HZ), height=0.0)
    falls = CubicSpline(time, fall).derivative().roots(extrapolate=False)
    downs = np.array([falls[np.abs(falls - time[p]).argmin()] for p in peaks]) - rules["touchdown_lag_s"]
    found = []
    for down, following in pairwise([*downs, np.inf]):
        ahead = [float(posed.at_joint(f"hip_flexion_{s}", np.array([down]))[0]) for s in "rl"]
        side = "right" if ahead[0] > ahead[1] else "left"
        up = _toe_off(posed, side, down, following, rules["toe_off_s"])
        if up is not None:
            found.append(Contact(side, float(down), up))
    return found


def _toe_off(
    posed: Posed, side: str, down: float, following: float, window: tuple[float, float]
) -> float | None:
    """Greatest knee extension in the window after touchdown, before another foot lands; None at its edge."""
    time = np.arange(down + window[0], min(down + window[1], following, posed.time[-1]), 1e-3)
    if len(time) < 3:
        return None
    bent = posed.at_joint(f"knee_flexion_{side[0]}", time)
    least = int(bent.argmin())
    return float(time[least]) if 0 < least < len(time) - 1 else None


def _loaded(time: np.ndarray, vertical: np.ndarray) -> list[tuple[float, float]]:
    """Spans above the threshold that begin and end in the record; what is short is none."""
    least_s = toml("motion.toml")["contact"]["least_s"]
    excess = vertical - CONTACT_THRESHOLD_N
    before = np.flatnonzero((excess[:-1] > 0) != (excess[1:] > 0))
    share = excess[before] / (excess[before] - excess[before + 1])
    edges = (time[before] + share * (time[before + 1] - time[before])).tolist()
    if excess[0] > 0:
        edges = edges[1:]
    spans = zip(edges[::2], edges[1::2], strict=False)
    return [(start, end) for start, end in spans if end - start >= least_s]


def _standing(posed: Posed, time: float) -> str:
    """The side whose knee is bent less."""
    right, left = (posed.at_joint(f"knee_flexion_{s}", np.array([time]))[0] for s in "rl")
    return "left" if left < right else "right"


def _around(time: np.ndarray, contacts: list[Contact], side: str) -> np.ndarray:
    """(N,) True at times nearer to a contact of this side than to one of the other."""
    if not contacts:
        return np.zeros(len(time), bool)
    middles = [(one.up + other.down) / 2 for one, other in pairwise(contacts)]
    return np.array([each.side == side for each in contacts])[np.searchsorted(middles, time)]
