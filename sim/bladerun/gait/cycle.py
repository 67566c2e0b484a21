"""Curves of one leg over its own gait cycle, from touchdown to touchdown.

Takes a leg and the name of a curve as the reference has them (`bladerun.body.reference_gait.band`); gives its
values in the reference's units and senses: degrees, Nm/kg, body weights, the own side up and forward.
"""

from __future__ import annotations

import numpy as np

from bladerun.gait.events import Leg, joint_curve


def own_cycle(leg: Leg, quantity: str, percent: np.ndarray) -> np.ndarray | None:
    """The curve at percents of the leg's cycle; None where the leg has no such thing."""
    time = leg.down + percent / 100 * leg.period
    mirror = -leg.outward
    if quantity.startswith("grf_"):
        axis, sign = {"vertical": (2, 1.0), "fore_aft": (0, 1.0), "medial": (1, mirror)}[quantity[4:]]
        return sign * leg.force[axis](time) / leg.weight_n
    if quantity.startswith("pelvis_"):
        sign = 1.0 if quantity == "pelvis_tilt" else mirror
        return sign * np.degrees(joint_curve(leg.stride, "q", quantity)(time))
    joint = quantity.removesuffix("_moment").replace("internal_", "")
    if not leg.has_joint(joint):
        return None
    if quantity.endswith("_moment"):
        return leg.joint("tau", joint)(time) / leg.mass_kg
    return np.degrees(leg.joint("q", joint)(time))
