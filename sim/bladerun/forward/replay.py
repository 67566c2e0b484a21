"""The stride run again by MuJoCo: does its own forward dynamics do what the solver says?

Takes a Stride dataset; gives a `Replay`: the motion that MuJoCo makes of the stride's first state and of what
drives it, and how far it strays from the stride. Nothing holds the pelvis; contact is the solver's law on
MuJoCo's own kinematics; small feedback about the stride keeps a runner, who is unstable, on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr

from bladerun._lib.data_files import toml
from bladerun.dataset.asked import environment_of
from bladerun.forward._controller import Controller, by_muscles, controller_for
from bladerun.forward.simulator import Simulator


@dataclass(frozen=True)
class Replay:
    """What MuJoCo made of a stride: samples at the knots from time 0 on, until the end or a fall.

    Attributes
    ----------
    time
        (samples,) s.
    q
        (samples, joint) rad or m, positions.
    v
        (samples, joint) rad/s or m/s, velocities.
    grf
        (samples, 2, 3) N, ground reaction force, right and left.
    feedback
        (samples, m) Nm, in the m driven joints.
    strides
        Whole ones done.
    joint_error_deg
        Difference from the stride, root mean square over hinges and time.
    last_stride_error_deg
        The same of the last stride alone.
    faithful_s
        How long every hinge stays within 1 deg of the stride.
    peak_vgrf_difference
        Of the vertical ground reaction force, fraction of the stride's peak, the worse leg's.
    vgrf_error_bw
        The same, root mean square in body weights.
    feedback_share
        Root mean square of the feedback over that of the stride's own moments.
    drift_m
        How far the pelvis is from its place at the last sample.
    """

    time: np.ndarray
    q: np.ndarray
    v: np.ndarray
    grf: np.ndarray
    feedback: np.ndarray
    strides: float
    joint_error_deg: float
    last_stride_error_deg: float
    faithful_s: float
    peak_vgrf_difference: float
    vgrf_error_bw: float
    feedback_share: float
    drift_m: float


def replay(
    stride: xr.Dataset,
    *,
    strides: int = 1,
    first: int = 0,
    integrator: str = "euler",
    timestep_s: float | None = None,
    feedback: bool = True,
    muscles: bool = False,
    driven_by: Controller | None = None,
    model_xml: str | None = None,
) -> Replay:
    """Integrate the model in `stride.attrs["model_xml"]` by `mj_step`, driven as the stride was.

    Parameters
    ----------
    stride
        What `solve` gave.
    strides
        How many to run.
    first
        The knot to start from.
    integrator
        "euler" (semi-implicit), "implicitfast" or "rk4".
    timestep_s
        The longest step, by default that of models/replay.toml; contact is explicit and rings at longer
        steps.
    feedback
        Without it a runner strays by 1 deg within 0.1 to 0.2 s.
    muscles
        MuJoCo's own muscles at the solved activations, and motors for the rest; else driven joints get the
        stride's moments, splined over time.
    driven_by
        The controller, where one made before shall be used again.
    model_xml
        Another body of the same joints under the same controller.

    Returns
    -------
    Replay
        The motion, and how far it is from the stride's.
    """
    own = driven_by or controller_for(stride, feedback=feedback)
    if muscles and not own.has_muscles:
        own = by_muscles(own, stride)
    simulator = Simulator(
        model_xml or stride.attrs["model_xml"],
        environment_of(stride),
        own.driven,
        muscles=own.has_muscles,
    )
    step_s = timestep_s or toml("replay.toml")["step"]["timestep_s"]
    samples = run(simulator, own, first, strides * own.knots, step_s, integrator)
    columns = (np.array(column) for column in zip(*samples, strict=True))
    return _compared(stride, own, simulator.hinge, first, *columns)


Sample = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def run(
    simulator: Simulator,
    own: Controller,
    first: int,
    samples: int,
    timestep_s: float,
    integrator: str = "euler",
    *,
    pieces: int = 1,
    most: np.ndarray | None = None,
    before: Callable[[int], None] | None = None,
) -> Iterator[Sample]:
    """Run on from knot `first` of the stride; at each knot q, v, the q of the stride, grf and the feedback.

    It ends after so many samples, or with a fall. pieces: how often in a knot's interval the feedback looks.
    most (m,): moments that feedback does not go beyond. before: called with each sample's number, counted on
    from `first`, ahead of it.
    """
    lost_rad, intervals = toml("replay.toml")["step"]["lost_rad"], np.diff(own.time) / pieces
    steps = np.ceil(intervals / timestep_s).astype(int)
    simulator.set_state(*own.curve(own.time_of(first))[:2])
    for sample in range(first, first + samples):
        k = sample % own.knots
        if before:
            before(sample)
        for piece in range(pieces):
            later = piece * intervals[k]
            q_wanted, v_wanted, _ = own.curve(own.time_of(sample) + later)
            here, speed = simulator.data.qpos.copy(), simulator.data.qvel.copy()
            if not np.abs(here - q_wanted)[simulator.hinge].max() < lost_rad:
                return
            moment, activation = _later(own.moment[:, k], later), _later(own.activation[::-1, k], later)[::-1]
            extra = -own.gain[k] @ np.concatenate([here - q_wanted, speed - v_wanted])
            if most is not None:
                extra = np.clip(moment[3] + extra, -most, most) - moment[3]
            moment[3] += extra
            if not piece:
                simulator.forward(moment[3], own.activation[0, k])
                yield here, speed, q_wanted, simulator.grf, extra
            simulator.step(moment, activation, intervals[k], int(steps[k]), integrator)


def _later(polynomials: np.ndarray, time: float) -> np.ndarray:
    """Polynomials (order, m) in the time since some moment, highest power first, as of a later one."""
    shifted = polynomials.copy()
    for end in range(len(shifted), 1, -1):
        for i in range(1, end):
            shifted[i] += time * shifted[i - 1]
    return shifted


def accelerations(stride: xr.Dataset, *, muscles: bool = False) -> np.ndarray:
    """Accelerations (time, joint) that MuJoCo gives, at the knots, to what drives the stride and the ground.

    M (these - stride.a) is 0 in driven joints and minus the stride's residual force in all others.
    """
    own = controller_for(stride, feedback=False)
    own = by_muscles(own, stride) if muscles else own
    simulator = Simulator(stride.attrs["model_xml"], environment_of(stride), own.driven, muscles=muscles)
    result = np.zeros_like(stride.a.values)
    for k in range(own.knots):
        simulator.set_state(stride.q.values[k], stride.v.values[k])
        simulator.forward(own.moment[3, k], own.activation[0, k])
        result[k] = simulator.data.qacc
    return result


def _compared(stride, own, hinge, first, q, v, wanted, grf, extra) -> Replay:
    """The figures of a replay; q, v, wanted, grf and the feedback `extra` have one row a knot."""
    error = np.degrees(q - wanted)[:, hinge]
    astray = np.flatnonzero(np.abs(error).max(1) > 1.0)
    solved = stride.grf.values[(first + np.arange(len(q))) % own.knots]
    peaks = grf[:, :, 2].max(0) - solved[:, :, 2].max(0)
    weight = float(stride.attrs["mass_kg"]) * float(stride.attrs["gravity"])
    whole = stride.tau.sel(joint=own.driven).values
    time = np.array([own.time_of(first + sample) for sample in range(len(q) + 1)]) - own.time_of(first)
    return Replay(
        time=time[:-1],
        q=q,
        v=v,
        grf=grf,
        feedback=extra,
        strides=len(q) / own.knots,
        joint_error_deg=_rms(error),
        last_stride_error_deg=_rms(error[-own.knots :]),
        faithful_s=float(time[astray[0] if len(astray) else -1]),
        peak_vgrf_difference=float(np.abs(peaks / stride.grf.values[:, :, 2].max(0)).max()),
        vgrf_error_bw=_rms((grf - solved)[:, :, 2]) / weight,
        feedback_share=_rms(extra) / _rms(whole),
        drift_m=float(np.linalg.norm((q - wanted)[-1, :3])),
    )


def _rms(x: np.ndarray) -> float:
    return float(np.sqrt(np.mean(x**2)))
