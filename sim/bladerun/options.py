"""How a stride is solved: mesh, Newton steps, continuation and what counts as solved, as one value.

Takes defaults from models/solver.toml and changes by dotted name; gives `SolverOptions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from bladerun._lib import data_files
from bladerun._lib.settings import Settings, read
from bladerun.errors import InputError

KNOTS_STEP = 6  # two halves of the stride, activations at every third knot


@dataclass(frozen=True)
class NewtonOptions(Settings):
    """Levenberg-Marquardt steps; what each entry does stands beside it in models/solver.toml."""

    damping_joints: float
    damping_tendons: float
    damping_activations: float
    damping_times: float
    least_damping: float
    greatest_damping: float
    damping_ease: float
    conjugate_steps: int
    conjugate_precision: float
    least_curvature: float
    exact_times_below: float
    second_order_below: float
    second_order_steps: int
    second_order_stale: float
    second_order_ahead: bool
    corrections: int
    correction_below: float
    correction_gain: float
    extend_above: float
    shorten_below: float
    shortest_halvings: int
    shortened_gain: float
    latest_landing: float
    closest_knots: float
    quiet_steps: int


class SoftStage(NamedTuple):
    """A ground that is softer than the real one, and the weight of the residual forces on it."""

    smoothing_m: float
    slip_speed_m_s: float
    slip_load_n: float
    stiffness: float
    weight: float


class FirstSteps(NamedTuple):
    """What steps from nothing do otherwise than `NewtonOptions` say."""

    damping_tendons: float
    shortest_halvings: int
    second_order_ahead: bool


class MultiplierPass(NamedTuple):
    """A weight of the residual forces, and the relative decrease of the cost that ends the descent at it.

    quiet_steps: how many such decreases in a row.
    """

    weight: float
    tolerance: float
    quiet_steps: int


@dataclass(frozen=True)
class ContinuationOptions(Settings):
    """The way from nothing, or from a neighbour, to a solved stride; see models/solver.toml."""

    from_atlas: bool
    first_knots: int
    first_jerk_s3_rad: float
    first_hold_1_s: float
    first_clearance_m: float
    first_clearance_1_m: float
    first_swing_from: float
    swing_round_rad: float
    two_knees_from_m_s: float
    two_knees_step_m_s: float
    first_tolerance: float
    settled_tolerance: float
    first_steps: FirstSteps
    soft: tuple[SoftStage, ...]
    passes: tuple[MultiplierPass, ...]
    passes_at_least: int
    residual_bw: float
    damping_first: float
    damping_refined: float
    damping_muscles: float
    damping_neighbour: float
    damping_resumed: float
    steps_a_stage: int


@dataclass(frozen=True)
class AcceptanceOptions(Settings):
    """What counts as solved: residual force and moment on the pelvis, and what muscles may lack."""

    residual_bw: float
    lacking_fraction: float
    saturated: float


@dataclass(frozen=True)
class SolverOptions(Settings):
    """Settings of the solver, frozen; sources: models/solver.toml.

    Parameters
    ----------
    knots
        Points of the mesh, a multiple of 6 from `least_knots` on.
    least_knots
        The coarsest mesh that is allowed.
    muscle_driven
        False lets motors move the legs, each joint as strong as models/body.toml says: a quick look.
    newton, continuation, accepted
        See their classes.

    Raises
    ------
    InputError
        For a number of knots that is not allowed.
    """

    knots: int
    least_knots: int
    muscle_driven: bool
    newton: NewtonOptions
    continuation: ContinuationOptions
    accepted: AcceptanceOptions

    def __post_init__(self) -> None:
        for key, knots in (("knots", self.knots), ("first_knots", self.continuation.first_knots)):
            if knots < self.least_knots or knots % KNOTS_STEP:
                raise InputError(
                    f"{knots} is not allowed; multiples of {KNOTS_STEP} from {self.least_knots} on", key=key
                )

    @classmethod
    def default(cls, changes: Mapping[str, Any] | None = None, **more: Any) -> SolverOptions:
        """Those of models/solver.toml; `SolverOptions.default(knots=180)` changes one.

        Parameters
        ----------
        changes, more
            Other values, by dotted name or by name.

        Raises
        ------
        InputError
            For unknown names, and values that are not allowed.
        """
        return _default().changed({**(changes or {}), **more})


@cache
def _default() -> SolverOptions:
    return read(SolverOptions, {k: v for k, v in data_files.toml("solver.toml").items() if k != "status"})
