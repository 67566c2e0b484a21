"""Where the leg stands under the body: at touchdown, and when the blade is compressed most.

Takes the legs of a stride; gives rows of the table of results.
"""

from bladerun.gait._both import Both
from bladerun.gait.events import Leg
from bladerun.gait.registry import NEVER, OWN, Row, each_leg


@each_leg(
    Row(
        "landing_offset_m",
        "landing ahead of the body",
        "m",
        "centre of pressure minus whole-body centre of mass at touchdown, forward positive",
        OWN,
    ),
    Row(
        "landing_offset_leg_percent",
        "landing ahead of the body",
        "% leg length",
        "landing_offset_m / leg length",
        OWN,
    ),
    Row(
        "landing_offset_hip_m",
        "landing ahead of the hip",
        "m",
        "centre of pressure minus this leg's hip centre at touchdown, forward positive",
        OWN,
    ),
)
def landing(leg: Leg, _: Both) -> dict[str, float]:
    """Where the foot lands, forward positive."""
    ahead_m, of_hip_m = _ahead_m(leg, leg.down)
    return {
        "landing_offset_m": ahead_m,
        "landing_offset_leg_percent": 100 * ahead_m / float(leg.stride.attrs["leg_length_m"]),
        "landing_offset_hip_m": of_hip_m,
    }


@each_leg(
    Row(
        "sweet_spot_offset_m",
        "sweet spot offset",
        "m",
        "centre of pressure minus whole-body centre of mass at greatest blade compression, "
        "forward positive; 0 = the loaded blade stands under the body",
        OWN,
        NEVER,
    ),
    Row(
        "sweet_spot_offset_hip_m",
        "sweet spot offset from the hip",
        "m",
        "centre of pressure minus this leg's hip centre at greatest blade compression, forward positive",
        OWN,
        NEVER,
    ),
    needs=("contact", "blade"),
)
def sweet_spot(leg: Leg, _: Both) -> dict[str, float]:
    """Where the blade stands when it is compressed most, forward positive."""
    ahead_m, of_hip_m = _ahead_m(leg, leg.deepest)
    return {"sweet_spot_offset_m": ahead_m, "sweet_spot_offset_hip_m": of_hip_m}


def _ahead_m(leg: Leg, time: float) -> tuple[float, float]:
    """Centre of pressure ahead of the centre of mass, and of the hip."""
    foot = leg.pressure_centre(time)[0]
    return foot - leg.com[0](time), foot - leg.site("hip")[0](time)
