"""Whether a runner moves over the ground or the ground under the runner, and how fast.

Takes a `Posed` with the contacts of its strides; gives the belt's speed, which added to all places makes the
two alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bladerun._lib.data_files import toml
from bladerun.errors import InputError
from bladerun.motion.contacts import Contact
from bladerun.motion.posed import Posed

KINDS = ("treadmill", "overground")
_MIDDLE = (0.3, 0.7)  # of contact, where the ball of the foot stands still
_FOOT = ("hip_flexion", "knee_flexion", "ankle_dorsiflexion")


class Ground(NamedTuple):
    """kind: one of `KINDS`. belt_m_s: how fast the ground moves backward, 0 over ground. notes: how it was
    told.
    """

    kind: str
    belt_m_s: float
    notes: tuple[str, ...]


def ground_of(posed: Posed, contacts: Sequence[Contact], kind: str | None, speed_m_s: float | None) -> Ground:
    """As asked, else by whether the standing foot moves. Raises InputError where neither is known, and for a
    speed over ground, which is that of the pelvis."""
    pelvis = _pelvis_m_s(posed, contacts)
    belt = _belt_m_s(posed, contacts) if speed_m_s is None else speed_m_s - pelvis
    if kind is None:
        if not np.isfinite(belt):
            raise InputError("the motion does not say whether the ground moves; give --ground, or --speed")
        share = pelvis / max(pelvis + belt, 1e-6)
        kind = KINDS[0] if share < toml("motion.toml")["treadmill"]["pelvis_share"] else KINDS[1]
    if kind == KINDS[1]:
        if not np.isfinite(pelvis):
            raise InputError("over ground, the motion has to say where the pelvis is")
        return Ground(kind, 0.0, (f"over ground, {pelvis:.2f} m/s by the pelvis",))
    if not np.isfinite(belt):
        raise InputError("the speed of the treadmill is not in the motion; give --speed")
    how = "as given" if speed_m_s is not None else "by the standing foot, some 5 % off: give --speed"
    return Ground(kind, belt, (f"on a treadmill, {pelvis + belt:.2f} m/s {how}",))


def _pelvis_m_s(posed: Posed, contacts: Sequence[Contact]) -> float:
    """Mean of the pelvis forward, between touchdowns of one foot; 0 where it was not measured."""
    mine = [contact.down for contact in contacts if contact.side == contacts[0].side]
    ends = np.array([mine[0], mine[-1]])
    place = posed.at_joint("pelvis_tx", ends)
    return float(np.nan_to_num((place[1] - place[0]) / (ends[1] - ends[0])))


def _belt_m_s(posed: Posed, contacts: Sequence[Contact]) -> float:
    """How fast the ball of the foot goes backward in the middle of contact, the median; NaN without one."""
    speeds = []
    for side in ("right", "left"):
        s = side[0]
        if not posed.has(["pelvis_tx", *(f"{joint}_{s}" for joint in _FOOT)]):
            continue
        for contact in (each for each in contacts if each.side == side):
            times = contact.down + np.array(_MIDDLE) * (contact.up - contact.down)
            places = posed.body_at(f"toes_{s}", times)[:, 0]
            speeds.append((places[0] - places[1]) / (times[1] - times[0]))
    return float(np.median(speeds)) if speeds else np.nan
