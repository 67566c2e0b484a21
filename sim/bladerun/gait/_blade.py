"""The blade: energy, compression, strain, and the push that it gives back.

Takes the legs of a stride; gives rows of the table of results. The recoil is that of intact legs too.
"""

import math

from bladerun.gait._both import Both
from bladerun.gait.events import Leg
from bladerun.gait.registry import DONELAN, NEVER, OWN, SPRINT, Row, each_leg


@each_leg(
    Row("blade_energy_peak_j", "energy stored in the blade", "J", "greatest elastic energy", OWN, SPRINT),
    Row(
        "blade_energy_returned_j",
        "energy the blade gives back",
        "J",
        "elastic energy released from its peak to toe-off, less what the blade loses meanwhile",
        OWN,
        SPRINT,
    ),
    Row(
        "blade_energy_lost_j",
        "energy lost in the blade",
        "J",
        "dissipated inside the blade during contact",
        OWN,
        SPRINT,
    ),
    Row(
        "blade_energy_return_percent",
        "energy return of the blade",
        "%",
        "returned / (rise of elastic energy from touchdown to its peak + loss meanwhile)",
        OWN,
    ),
    Row(
        "blade_compression_mm",
        "blade compression",
        "mm",
        "how far the loaded sole gives way, seen from the clamp, in the direction of the ground force, "
        "at greatest compression",
        OWN,
    ),
    Row(
        "blade_stiffness_seen_kn_m",
        "blade stiffness as the runner feels it",
        "kN/m",
        "size of the ground reaction force at greatest compression / that compression",
        OWN,
    ),
    Row(
        "blade_strain_margin",
        "strength margin of the blade",
        "-",
        "allowable fibre strain / greatest fibre strain in contact; below 1 the blade is overloaded",
        OWN,
    ),
    needs=("contact", "blade"),
)
def blade(leg: Leg, _: Both) -> dict[str, float]:
    """Energy, compression and strain of the blade."""
    down, deepest, up, energy = leg.down, leg.deepest, leg.up, leg.blade_energy
    loss = leg.curve(leg.stride.blade_loss.sel(side=leg.side).values)
    peak = float(energy(deepest))
    returned = peak - float(energy(up)) - loss.integral(deepest, up)
    absorbed = peak - float(energy(down)) + loss.integral(down, deepest)
    compression = float(leg.curve(leg.stride.blade_compression.sel(side=leg.side).values)(deepest))
    force = math.hypot(*(float(component(deepest)) for component in leg.force))
    return {
        "blade_energy_peak_j": peak,
        "blade_energy_returned_j": returned,
        "blade_energy_lost_j": loss.integral(down, up),
        "blade_energy_return_percent": 100 * returned / absorbed if absorbed > 0 else math.nan,
        "blade_compression_mm": 1e3 * compression,
        "blade_stiffness_seen_kn_m": force / compression / 1e3 if compression > 0 else math.nan,
        "blade_strain_margin": _strain_margin(leg),
    }


def _strain_margin(leg: Leg) -> float:
    """Allowable fibre strain of the blade over the greatest in contact."""
    strain = leg.curve(leg.stride.blade_strain.sel(side=leg.side).values)
    peak = strain.peak(leg.down, leg.up)[1]
    return 1 / peak if peak > 0 else math.nan


@each_leg(
    Row(
        "recoil_direction_deg",
        "recoil direction",
        "deg",
        "angle of the ground reaction impulse of the recoil above the horizontal: 90 = straight up, "
        "below 90 = up and forward, above 90 = up and backward",
        OWN,
        NEVER,
    ),
    Row(
        "recoil_work_up_j",
        "work of the recoil upward",
        "J",
        "work of this leg's vertical ground reaction force on the centre of mass in the recoil",
        DONELAN,
        NEVER,
    ),
    Row(
        "recoil_work_forward_j",
        "work of the recoil forward",
        "J",
        "work of this leg's fore-aft ground reaction force on the centre of mass in the recoil",
        DONELAN,
        NEVER,
    ),
)
def recoil(leg: Leg, _: Both) -> dict[str, float]:
    """The push from greatest compression to toe-off: its direction and its work on the centre of mass."""
    start, end = leg.deepest, leg.up
    forward, vertical = leg.force[0], leg.force[2]
    velocity = leg.stride.com_velocity.values
    angle = math.atan2(vertical.integral(start, end), forward.integral(start, end))
    return {
        "recoil_direction_deg": math.degrees(angle),
        "recoil_work_up_j": leg.curve(vertical.values * velocity[:, 2]).integral(start, end),
        "recoil_work_forward_j": leg.curve(forward.values * velocity[:, 0]).integral(start, end),
    }
