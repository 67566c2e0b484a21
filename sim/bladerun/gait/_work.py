"""Work of the joints, and of what moves the ground away: an ankle, or a blade.

Takes the legs of a stride; gives rows of the table of results.
"""

import numpy as np

from bladerun.gait._both import Both
from bladerun.gait.events import JOINTS, Leg
from bladerun.gait.periodic import Periodic
from bladerun.gait.registry import OWN, Row, each_leg, whole_stride


@whole_stride(
    Row(
        "joint_work_j_kg_m",
        "positive work of the joints",
        "J/kg/m",
        "positive power of every driven joint, summed, over mass and distance; "
        "mechanical work, not metabolic cost",
        OWN,
    ),
)
def positive_work(both: Both) -> dict[str, float]:
    """Of every driven joint over the stride."""
    stride, leg = both.stride, both.left
    driven = np.isin(stride.joint_role.values, ("muscle", "motor"))
    power = (stride.tau * stride.v).values[:, driven]
    work_j = sum(leg.curve(p).positive(0, leg.period) for p in power.T)
    return {"joint_work_j_kg_m": work_j / (leg.mass_kg * leg.speed * leg.period)}


def _work_of(key: str, of: str, power: str) -> tuple[Row, Row]:
    return (
        Row(
            f"{key}_work_positive_j_kg", f"positive work of {of}", "J/kg",
            f"positive part over the stride, of {power}", OWN,
        ),
        Row(
            f"{key}_work_negative_j_kg", f"negative work of {of}", "J/kg",
            f"negative part over the stride, of {power}; never positive", OWN,
        ),
    )  # fmt: skip


@each_leg(
    *_work_of("joint", "the leg's joints", "power of each joint: hip, knee, ankle with subtalar joint, toes"),
    *_work_of("hip", "the hip", "its power about three axes"),
    *_work_of("knee", "the knee", "its power"),
    *_work_of(
        "ankle_or_blade",
        "the ankle or the blade",
        "power of the ankle with its subtalar joint, Achilles tendon included; on the side of a blade, of "
        "what the blade gives: fall of its elastic energy less its loss",
    ),
    Row(
        "ankle_or_blade_work_net_j_kg",
        "net work of the ankle or the blade",
        "J/kg",
        "positive and negative work added: above 0 only a living ankle",
        OWN,
    ),
    Row(
        "ankle_or_blade_power_peak_w_kg",
        "peak power of the ankle or the blade",
        "W/kg",
        "greatest power given, as for ankle_or_blade_work_positive_j_kg",
        OWN,
    ),
    needs=(),
)
def work(leg: Leg, _: Both) -> dict[str, float]:
    """Of this leg's joints, and of its ankle or its blade, over the stride."""
    rows, total = {}, np.zeros(2)
    for joint, axes in JOINTS.items():
        mine = [f"{axis}_{leg.suffix}" for axis in axes if leg.drives(axis)]
        if not mine:
            continue
        power = leg.curve((leg.stride.tau * leg.stride.v).sel(joint=mine).sum("joint", skipna=False).values)
        done = _work(power) / leg.mass_kg
        total += done
        if joint in ("hip", "knee"):
            rows[f"{joint}_work_positive_j_kg"], rows[f"{joint}_work_negative_j_kg"] = done
        if joint == "ankle":
            rows |= _end_of_leg(power, leg.mass_kg)
    rows["joint_work_positive_j_kg"], rows["joint_work_negative_j_kg"] = total
    if leg.has_blade:
        loss = leg.stride.blade_loss.sel(side=leg.side).values
        rows |= _end_of_leg(leg.curve(-leg.blade_energy.rate().values - loss), leg.mass_kg)
    return rows


def _end_of_leg(power: Periodic, mass_kg: float) -> dict[str, float]:
    """What moves the ground away: a living ankle's power (W), or a blade's."""
    positive, negative = _work(power) / mass_kg
    return {
        "ankle_or_blade_work_positive_j_kg": positive,
        "ankle_or_blade_work_negative_j_kg": negative,
        "ankle_or_blade_work_net_j_kg": positive + negative,
        "ankle_or_blade_power_peak_w_kg": power.peak(0, power.period)[1] / mass_kg,
    }


def _work(power: Periodic) -> np.ndarray:
    """Positive and negative work (J) over one period."""
    return np.array([power.positive(0, power.period), power.negative(0, power.period)])
