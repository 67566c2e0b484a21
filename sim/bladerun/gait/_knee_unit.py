"""What a prosthetic knee, or a pylon in its place, does in stance and how the leg gets through in swing.

Takes legs of a stride that carry one; gives rows of the table of results.
"""

from __future__ import annotations

import math

import numpy as np

from bladerun.body.knee_unit import KneeUnit
from bladerun.dataset.asked import fitting_of
from bladerun.gait._both import Both
from bladerun.gait.events import Leg
from bladerun.gait.periodic import Periodic
from bladerun.gait.registry import NEVER, OWN, Row, each_leg

_STRAIGHT_RAD = math.radians(2.0)


@each_leg(
    Row(
        "knee_flexion_contact_peak_deg",
        "prosthetic knee, greatest flexion in contact",
        "deg",
        "greatest flexion of the prosthetic knee in contact; near 0 it rests on its stop",
        OWN,
    ),
    Row(
        "knee_stop_moment_least_nm_kg",
        "prosthetic knee, buckling margin",
        "Nm/kg",
        "least moment on the prosthetic knee's extension stop while the leg carries more than half of body "
        "weight; at 0 the knee gives way; none with a pylon",
        OWN,
        NEVER,
    ),
    Row(
        "knee_flexion_swing_peak_deg",
        "prosthetic knee, greatest flexion in swing",
        "deg",
        "greatest flexion of the prosthetic knee in swing",
        OWN,
    ),
    Row(
        "knee_straight_before_touchdown_s",
        "prosthetic knee, straight before touchdown",
        "s",
        "time from where the prosthetic knee comes to its stop in swing, within 2 degrees, to touchdown; "
        "none where it lands bent, or with a pylon",
        OWN,
        NEVER,
    ),
    Row(
        "knee_impact_deg_s",
        "prosthetic knee, speed of terminal impact",
        "deg/s",
        "how fast the prosthetic knee still straightens when it comes to its stop in swing",
        OWN,
        NEVER,
    ),
    needs=("contact", "knee unit", "solved"),
)
def knee_unit(leg: Leg, _: Both) -> dict[str, float]:
    """The knee's angle, and how firmly it stands on its stop."""
    unit, knee = KneeUnit(fitting_of(leg.stride, leg.side).knee), leg.joint("q", "knee_flexion")
    lands = leg.down + leg.period
    bent_at, bent = knee.peak(leg.up, lands)
    rows = {
        "knee_flexion_contact_peak_deg": math.degrees(knee.peak(leg.down, leg.up)[1]),
        "knee_flexion_swing_peak_deg": math.degrees(bent),
    }
    if unit.bends:
        stops = leg.curve(knee.values - _STRAIGHT_RAD).zeros(bent_at, lands)
        if stops:
            rows["knee_straight_before_touchdown_s"] = lands - stops[0]
            rows["knee_impact_deg_s"] = -math.degrees(float(knee(stops[0], 1)))
        firm = leg.force[2].values > 0.5 * leg.weight_n
        moment = unit.stop_moment_nm(knee.values)[firm]
        rows["knee_stop_moment_least_nm_kg"] = float(moment.min(initial=math.inf)) / leg.mass_kg
    return rows


@each_leg(
    Row(
        "circumduction_mm",
        "circumduction",
        "mm",
        "greatest way outward in swing of the middle of the sole from the straight line between where it "
        "leaves the ground and where it lands",
        OWN,
        NEVER,
    ),
    Row(
        "hip_abduction_swing_peak_deg",
        "hip abduction in swing",
        "deg",
        "greatest hip abduction in swing",
        OWN,
    ),
    Row(
        "hip_hike_swing_deg",
        "hip hiking in swing",
        "deg",
        "greatest pelvic list in swing that lifts this leg's side",
        OWN,
        NEVER,
    ),
    Row(
        "vaulting_mm",
        "vaulting",
        "mm",
        "height of the sound leg's heel over where it stands flat, in the middle of the prosthetic swing",
        OWN,
        NEVER,
    ),
    needs=("contact", "knee unit"),
)
def getting_through(leg: Leg, both: Both) -> dict[str, float]:
    """How a leg that does not shorten as a living one gets past the ground: round, up, or by the other."""
    start, end = leg.up, leg.down + leg.period
    mine = leg.stride.contact_side.values == leg.side
    aside = leg.curve(leg.outward * leg.stride.contact_position.values[:, mine, 1].mean(axis=1))
    times = np.linspace(start, end, 100)
    line = np.interp(times, [start, end], [float(aside(start)), float(aside(end))])
    lift = leg.curve(-leg.outward * _list(leg).values)
    rows = {
        "circumduction_mm": 1e3 * float((aside(times) - line).max()),
        "hip_abduction_swing_peak_deg": -math.degrees(leg.joint("q", "hip_adduction").trough(start, end)[1]),
        "hip_hike_swing_deg": math.degrees(lift.peak(start, end)[1]),
    }
    other = both.other(leg)
    if not other.has_blade:
        heel, standing = other.site("heel")[2], _standing_heel_m(other)
        rows["vaulting_mm"] = 1e3 * (float(heel((start + end) / 2)) - standing)
    return rows


def _list(leg: Leg) -> Periodic:
    return leg.curve(leg.stride.q.sel(joint="pelvis_list").values)


def _standing_heel_m(leg: Leg) -> float:
    """Height of the heel's site where the runner stands upright."""
    model = leg.model
    chain, z = int(model.site_bodyid[model.site(f"heel_{leg.suffix}").id]), 0.0
    z += float(model.site(f"heel_{leg.suffix}").pos[2])
    while chain:
        z += float(model.body_pos[chain, 2])
        chain = int(model.body_parentid[chain])
    return z
