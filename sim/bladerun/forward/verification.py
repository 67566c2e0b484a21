"""Are the equations solved right? A stride run by MuJoCo for many strides, in several ways, against limits.

Takes a Stride dataset; gives a `Verification`: a row for each time step, integrator and kind of drive, and
how far MuJoCo's own muscles agree with the solver's. Limits and runs: models/replay.toml.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import xarray as xr

from bladerun._lib.data_files import toml
from bladerun.dataset.asked import environment_of
from bladerun.dataset.reading import has_muscles
from bladerun.forward._controller import Controller, by_muscles, controller_for
from bladerun.forward.replay import replay
from bladerun.forward.simulator import Simulator


@dataclass(frozen=True)
class Check:
    """One replay. drive: "moments" or "muscles"; strides: whole ones run, of those asked for; the other
    figures as in `bladerun.forward.replay.Replay`; holds: every stride was run and the limits were kept.
    """

    drive: str
    integrator: str
    timestep_s: float
    strides: float
    joint_error_deg: float
    last_stride_error_deg: float
    peak_vgrf_difference: float
    vgrf_error_bw: float
    feedback_share: float
    drift_m: float
    holds: bool


@dataclass(frozen=True)
class Verification:
    """How a stride stood the test.

    Attributes
    ----------
    checks
        Each replay with its figures, and whether it was within the limits.
    multiplier
        The largest factor by which a small deviation grows from stride to stride under the feedback, below 1
        where the orbit is stable.
    free_multiplier
        The same without feedback.
    muscle_force_error
        The largest difference at a knot between MuJoCo's muscle and the solver's, as a fraction of the
        muscle's greatest force; None for a stride without muscles.
    muscle
        Whose; None for a stride without muscles.
    limits
        Those of models/replay.toml.
    """

    checks: list[Check]
    multiplier: float
    free_multiplier: float
    muscle_force_error: float | None
    muscle: str | None
    limits: dict[str, float]

    @property
    def holds(self) -> bool:
        return self.multiplier < 1.0 and all(check.holds for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        return {"holds": self.holds, **asdict(self)}


def verify(
    stride: xr.Dataset, *, strides: int | None = None, progress: Callable[[Check], None] | None = None
) -> Verification:
    """Replay a stride in every way of models/replay.toml.

    Parameters
    ----------
    stride
        What `solve` gave.
    strides
        How many in each; by default as models/replay.toml says.
    progress
        Called with each check when it is done.

    Returns
    -------
    Verification
        Every check, and whether the stride stood them.

    Raises
    ------
    InputError
        Where the stride has not what a solved one has.

    References
    ----------
    The feedback is a periodic linear-quadratic regulator: Varga 2008, doi 10.1002/nla.604.
    """
    facts = toml("replay.toml")
    limits, count = facts["limit"], strides or facts["verify"]["strides"]
    controllers = {"moments": controller_for(stride)}
    if has_muscles(stride):
        controllers["muscles"] = by_muscles(controllers["moments"], stride)
    checks = []
    for run in facts["verify"]["run"]:
        if run["drive"] in controllers:
            checks.append(_check(stride, controllers[run["drive"]], run, count, limits))
            if progress:
                progress(checks[-1])
    error, muscle = _muscle_forces(stride, controllers["muscles"]) if has_muscles(stride) else (None, None)
    return Verification(
        checks=checks,
        multiplier=controllers["moments"].multiplier,
        free_multiplier=controllers["moments"].free_multiplier,
        muscle_force_error=error,
        muscle=muscle,
        limits=limits,
    )


def _check(stride, own: Controller, run: dict[str, Any], count: int, limits: dict[str, float]) -> Check:
    found = replay(
        stride,
        strides=count,
        integrator=run["integrator"],
        timestep_s=run["timestep_s"],
        driven_by=own,
    )
    figures = {name: getattr(found, name) for name in Check.__annotations__ if hasattr(found, name)}
    kept = (
        found.strides == count
        and found.joint_error_deg < limits["joint_error_deg"]
        and found.peak_vgrf_difference < limits["peak_vgrf_difference"]
    )
    return Check(**run, **figures, holds=bool(kept))


def _muscle_forces(stride: xr.Dataset, own: Controller) -> tuple[float, str]:
    """The largest difference of force over greatest force at the knots, and the muscle that has it."""
    simulator = Simulator(stride.attrs["model_xml"], environment_of(stride), own.driven, muscles=True)
    pull = np.zeros_like(stride.muscle_force.values)
    for k in range(own.knots):
        simulator.set_state(stride.q.values[k], stride.v.values[k])
        simulator.forward(own.moment[3, k], own.activation[0, k])
        pull[k] = -simulator.data.actuator_force[simulator.muscles]
    share = np.abs(pull - stride.muscle_force.values).max(0) / stride.muscle_f0.values
    return float(share.max()), str(stride.muscle.values[share.argmax()])
