"""Ground reaction forces, what they add up to, and the stiffness of the leg they press on.

Takes the legs of a stride; gives rows of the table of results.
"""

import math

import numpy as np

from bladerun.dataset.asked import environment_of
from bladerun.gait._both import Both
from bladerun.gait.events import Leg
from bladerun.gait.registry import BECK, FUKUCHI, MCMAHON, OWN, Row, each_leg


@each_leg(
    Row("peak_vgrf_bw", "peak vertical force", "BW", "greatest vertical force", FUKUCHI),
    Row("mean_vgrf_bw", "mean vertical force", "BW", "mean vertical force over contact", BECK),
    Row(
        "loading_rate_bw_s",
        "loading rate",
        "BW/s",
        "steepest rise of the vertical force between touchdown and its peak",
        OWN,
    ),
    Row("vertical_impulse_bw_s", "vertical impulse", "BW s", "vertical force over contact", OWN),
    Row(
        "braking_impulse_bw_s",
        "braking impulse",
        "BW s",
        "backward part of the fore-aft force over contact; never positive",
        OWN,
    ),
    Row(
        "propulsive_impulse_bw_s",
        "propulsive impulse",
        "BW s",
        "forward part of the fore-aft force over contact; never negative",
        OWN,
    ),
    Row(
        "leg_stiffness_kn_m",
        "leg stiffness",
        "kN/m",
        "peak vertical force / (dy + L (1 - cos a)), sin a = speed x contact time / (2 L); dy = fall of "
        "the centre of mass from touchdown to its lowest point in contact, less the travel of soft "
        "ground, L = hip centre to ground when standing",
        MCMAHON,
    ),
)
def forces(leg: Leg, _: Both) -> dict[str, float]:
    """In body weights, and their impulses."""
    down, up, weight = leg.down, leg.up, leg.weight_n
    forward, vertical = leg.force[0], leg.force[2]
    summit, peak = vertical.peak(down, up)
    impulse = vertical.integral(down, up)
    return {
        "peak_vgrf_bw": peak / weight,
        "mean_vgrf_bw": impulse / (up - down) / weight,
        "loading_rate_bw_s": vertical.rate().peak(down, summit)[1] / weight,
        "vertical_impulse_bw_s": impulse / weight,
        "braking_impulse_bw_s": forward.negative(down, up) / weight,
        "propulsive_impulse_bw_s": forward.positive(down, up) / weight,
        "leg_stiffness_kn_m": _leg_stiffness_n_m(leg, peak) / 1e3,
    }


def _ground_travel_m(leg: Leg, time: float) -> float:
    """How far the ground itself gives under this leg, mean over spheres by load; 0 where it is firm.

    Of the layer in `stride/dynamics/contact_law.py`, f = K d^1.5, as if it were still.
    """
    stiffness = 0.0 if "measured" in leg.stride.attrs else environment_of(leg.stride).ground.layer_stiffness
    if not stiffness:
        return 0.0
    mine = leg.stride.contact_side.values == leg.side
    load = np.maximum(leg.stride.contact_force.sel(xyz="z").values[:, mine], 0.0)
    whole = load.sum(1)
    travel = (load * (load / stiffness) ** (2 / 3)).sum(1) / np.where(whole > 0, whole, 1.0)
    return float(leg.curve(travel)(time))


def _leg_stiffness_n_m(leg: Leg, peak_n: float) -> float:
    """McMahon & Cheng 1990: F / (dy + L (1 - cos a)), sin a = u t_c / (2 L)."""
    height, length = leg.com[2], float(leg.stride.attrs["leg_length_m"])
    lowest, least = height.trough(leg.down, leg.up)
    fall = float(height(leg.down)) - least - _ground_travel_m(leg, lowest)
    sweep = min(leg.speed * (leg.up - leg.down) / (2 * length), 1.0)
    return peak_n / (fall + length * (1 - math.sqrt(1 - sweep**2)))
