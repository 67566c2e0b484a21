"""Timing and steps: when the feet are down, how long, how far apart, and how the body rises meanwhile.

Takes the legs of a stride; gives rows of the table of results.
"""

import math

from bladerun.gait._both import Both
from bladerun.gait.events import Leg
from bladerun.gait.registry import FUKUCHI, OWN, Row, each_leg, whole_stride


@whole_stride(
    Row("stride_time_s", "stride time", "s", "time of one whole stride, two steps", FUKUCHI),
    Row("step_frequency_hz", "step frequency", "1/s", "2 / stride time", FUKUCHI),
)
def stride_time(both: Both) -> dict[str, float]:
    """Of one whole stride."""
    period = both.left.period
    return {"stride_time_s": period, "step_frequency_hz": 2.0 / period}


@each_leg(
    Row("contact_time_s", "contact time", "s", "touchdown to toe-off", FUKUCHI),
    Row("duty_factor", "duty factor", "-", "contact time / stride time", FUKUCHI),
    Row(
        "flight_time_s",
        "flight time",
        "s",
        "from this leg's toe-off to the other's touchdown; negative where both are down",
        OWN,
    ),
    Row("step_time_s", "step time", "s", "from the other leg's touchdown to this leg's", OWN),
    Row(
        "step_length_m",
        "step length",
        "m",
        "forward distance from the other leg's to this leg's next mean centre of pressure "
        "(mean over contact, weighted with vertical force)",
        OWN,
    ),
)
def timing(leg: Leg, both: Both) -> dict[str, float]:
    """Contact, flight and step."""
    other = both.other(leg)
    period, contact = leg.period, leg.up - leg.down
    ahead = leg.mean_pressure_centre[0] - other.mean_pressure_centre[0]
    return {
        "contact_time_s": contact,
        "duty_factor": contact / period,
        "flight_time_s": (other.down - leg.down) % period - contact,
        "step_time_s": (leg.down - other.down) % period,
        "step_length_m": leg.speed * ((leg.load_time - other.load_time) % period) + float(ahead),
    }


@whole_stride(
    Row(
        "step_width_m",
        "step width",
        "m",
        "distance between the lines of the two legs' mean centres of pressure; negative where they cross",
        OWN,
    ),
    Row(
        "heel_step_width_m",
        "step width between the heels",
        "m",
        "sideways distance of the heels, each at the middle of its contact; negative where they cross; "
        "none with a blade",
        FUKUCHI,
    ),
    needs=("contact",),
)
def step_width(both: Both) -> dict[str, float]:
    """Between what the feet press on, and between the heels; NaN where a heel is missing."""
    left, right = both.left, both.right
    width = float(left.mean_pressure_centre[1] - right.mean_pressure_centre[1])
    if left.has_blade or right.has_blade:
        return {"step_width_m": width, "heel_step_width_m": math.nan}
    places = [float(leg.site("heel")[1]((leg.down + leg.up) / 2 % leg.period)) for leg in (left, right)]
    return {"step_width_m": width, "heel_step_width_m": places[0] - places[1]}


@whole_stride(
    Row(
        "com_excursion_mm",
        "vertical travel of the centre of mass",
        "mm",
        "highest minus lowest over the stride",
        OWN,
    ),
)
def com_excursion(both: Both) -> dict[str, float]:
    """Of the centre of mass, up and down."""
    height, period = both.left.com[2], both.left.period
    return {"com_excursion_mm": 1e3 * (height.peak(0, period)[1] - height.trough(0, period)[1])}
