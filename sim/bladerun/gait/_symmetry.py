"""How alike the legs are: symmetry indices of timing and ground forces.

Takes the legs of a stride; gives rows of the table of results.
"""

import math

from bladerun.gait._both import Both
from bladerun.gait._ground_forces import forces
from bladerun.gait._timing import timing
from bladerun.gait.registry import ROBINSON, Row, whole_stride

_OF = {  # key and title of what is compared, by the outcome it is taken from
    "contact_time_s": ("contact_time", "contact time"),
    "step_time_s": ("step_time", "step time"),
    "step_length_m": ("step_length", "step length"),
    "peak_vgrf_bw": ("peak_vgrf", "peak vertical force"),
    "vertical_impulse_bw_s": ("vertical_impulse", "vertical impulse"),
    "braking_impulse_bw_s": ("braking_impulse", "braking impulse"),
    "propulsive_impulse_bw_s": ("propulsive_impulse", "propulsive impulse"),
}


def _symmetry(key: str, title: str) -> Row:
    definition = (
        f"200 (A - U) / (|A| + |U|) of {title}; A is the affected and U the other leg, with both or no leg "
        "affected A is the right one; 0 = symmetric, positive = more on A"
    )
    return Row(f"asymmetry_{key}_percent", f"asymmetry of {title}", "%", definition, ROBINSON)


@whole_stride(*(_symmetry(*of) for of in _OF.values()), needs=("contact",))
def asymmetry(both: Both) -> dict[str, float]:
    """Symmetry indices in %, Robinson 1987: 200 (A - U) / (|A| + |U|)."""
    affected, other = (timing(leg, both) | forces(leg, both) for leg in both.affected_first)
    rows = {}
    for outcome, (key, _) in _OF.items():
        a, u = abs(affected[outcome]), abs(other[outcome])
        rows[f"asymmetry_{key}_percent"] = 200.0 * (a - u) / (a + u) if a + u else math.nan
    return rows
