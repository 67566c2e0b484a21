"""What a stride costs: the weights of the optimal-control problem, as one value.

Takes defaults from models/cost.toml and changes by dotted name; gives a `Cost`. What each term is and how it
is computed stands in the file of that term, in `stride/cost/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from bladerun._lib import data_files
from bladerun._lib.kinds import SIGNED
from bladerun._lib.settings import Settings, read
from bladerun._lib.table import Table


@dataclass(frozen=True)
class ForceCost(Settings):
    """Forces and moments at joints: scales of residual forces, weights of motors and reserves."""

    root_m: float
    passive_m: float
    moment: float
    reserve: float


@dataclass(frozen=True)
class ActivationCost(Settings):
    """Activations of muscles: effort, and bounds on activation and excitation."""

    effort: float
    least: SIGNED
    bound: float
    excitation: float


@dataclass(frozen=True)
class PowerCost(Settings):
    """Mechanical power of motor-driven joints, per kW."""

    weight: float


@dataclass(frozen=True)
class TrackingCost(Settings):
    """Distance from reference running. sigma_rad: by joint, without its side."""

    weight: float
    affected_leg: float
    sigma_rad: Table
    pelvis_height_m_s: float
    locked_m: float
    sideways_bw: float
    drift_m: float


@dataclass(frozen=True)
class RateCost(Settings):
    """Rate of the whole-body force."""

    per_s: float
    vertical: float
    horizontal: float


@dataclass(frozen=True)
class LandingCost(Settings):
    """Where a blade lands, if the task says so."""

    weight_m: float


@dataclass(frozen=True)
class ClearanceCost(Settings):
    """Height of feet in swing. swing: share of the knots from the foot's own touchdown; knee_unit: factor on
    a leg with a prosthetic knee that bends."""

    height_m: float
    weight_m: float
    swing: tuple[float, float]
    ramp: float
    knee_unit: float


@dataclass(frozen=True)
class EdgeCost(Settings):
    """Where the mesh has a foot land and leave the ground. toe_off_share: (speed, share of the stride)."""

    landing_m: float
    toe_off_m: float
    toe_off_share: tuple[tuple[float, float], ...]
    affected: float
    sound: float
    off_m: float


@dataclass(frozen=True)
class JerkCost(Settings):
    """Jerk that counts as 1, rad/s^3 or m/s^3, in driven and in passive joints."""

    driven: float
    passive: float


@dataclass(frozen=True)
class LimitCost(Settings):
    """Ranges of joints. spare_rad: beyond the reference's range, in which muscle paths are fitted."""

    weight_rad: float
    round_rad: float
    spare_rad: float


@dataclass(frozen=True)
class KneeStopCost(Settings):
    """A prosthetic knee under load. stance: share of the knots from the leg's own touchdown."""

    weight_rad: float
    straight_rad: float
    round_rad: float
    stance: tuple[SIGNED, SIGNED]
    ramp: float


@dataclass(frozen=True)
class StrideTimeCost(Settings):
    """Stride time, per SD between people; and where the task says the cadence."""

    weight: float
    held_1_s: float


@dataclass(frozen=True)
class LeanCost(Settings):
    """Lean of the trunk, if the task says so."""

    held_1_rad: float


@dataclass(frozen=True)
class Cost(Settings):
    """The weights of every cost term, frozen; sources and units: models/cost.toml.

    `Cost.default({"tracking.weight": 1.4})` or `cost.changed(...)` gives another one.

    Parameters
    ----------
    force
        Forces and moments at joints: scales of residual forces, weights of motors and reserves.
    activation
        Activations of muscles: effort, and bounds on activation and excitation.
    power
        Mechanical power of motor-driven joints, per kW.
    tracking
        Distance from reference running.
    rate
        Rate of the whole-body force.
    landing
        Where a blade lands, if the task says so.
    clearance
        Height of feet in swing.
    edge
        Where the mesh has a foot land and leave the ground.
    jerk
        Jerk that counts as 1, in driven and in passive joints.
    limit
        Ranges of joints.
    stride_time
        Stride time, per SD between people.
    lean
        Lean of the trunk, if the task says so.
    knee_stop
        A prosthetic knee under load, which is kept straight.

    Notes
    -----
    Weights are chosen on able-bodied running (experiments/calibration).
    """

    force: ForceCost
    activation: ActivationCost
    power: PowerCost
    tracking: TrackingCost
    rate: RateCost
    landing: LandingCost
    clearance: ClearanceCost
    edge: EdgeCost
    jerk: JerkCost
    limit: LimitCost
    stride_time: StrideTimeCost
    lean: LeanCost
    knee_stop: KneeStopCost

    @classmethod
    def default(cls, changes: Mapping[str, Any] | None = None) -> Cost:
        """That of models/cost.toml.

        Parameters
        ----------
        changes
            Other values, by dotted name.

        Raises
        ------
        InputError
            For unknown names, and values that are not allowed.
        """
        return _default().changed(changes or {})


@cache
def _default() -> Cost:
    return read(Cost, {k: v for k, v in data_files.toml("cost.toml").items() if k != "status"})
