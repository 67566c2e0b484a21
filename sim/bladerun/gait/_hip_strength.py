"""How much of the strength of its hip a leg uses: what is asked over what its muscles could give.

Takes the legs of a stride; gives rows of the table of results, none without muscles.
"""

from __future__ import annotations

import numpy as np

from bladerun.gait._both import Both
from bladerun.gait.events import Leg
from bladerun.gait.metabolic import fully_active_n
from bladerun.gait.registry import NEVER, OWN, Row, each_leg

_WAYS = {  # what the hip does: its axis, sign of the moment
    "flexion": ("flexion", 1),
    "extension": ("flexion", -1),
    "abduction": ("adduction", -1),
}


def _used(way: str) -> Row:
    definition = (
        f"greatest share in the stride of the {way} moment in what the muscles that the leg has could give "
        "that way at that moment, each fully active at its length and speed; other axes and muscles that "
        "pull against are not counted, so what is left is less"
    )
    return Row(f"hip_{way}_strength_used_percent", f"hip {way}, strength used", "%", definition, OWN, NEVER)


@each_leg(*(_used(way) for way in _WAYS), needs=("muscles",))
def strength_used(leg: Leg, _: Both) -> dict[str, float]:
    """Of the muscles as they are in this runner, cut, sewn and weakened."""
    stride = leg.stride
    passive_n = stride.muscle_force.values - stride.fibre_force_active.values
    most_n = fully_active_n(stride, stride.muscle_velocity.values) + passive_n
    rows = {}
    for way, (axis, sign) in _WAYS.items():
        joint = f"hip_{axis}_{leg.suffix}"
        arm = sign * stride.moment_arm.sel(joint=joint).values
        could = (np.maximum(arm, 0.0) * most_n).sum(axis=1)
        asked = sign * stride.tau.sel(joint=joint).values
        rows[f"hip_{way}_strength_used_percent"] = 100 * max(float((asked / could).max()), 0.0)
    return rows
