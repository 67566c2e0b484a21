"""How a solved stride is driven: what its motors and muscles do over time, and small feedback about it.

Takes a Stride dataset; gives a `Controller`, which knows nothing of the body it will drive but its
joints' names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import mujoco
import numpy as np
import xarray as xr
from scipy.interpolate import CubicSpline

from bladerun._lib.data_files import toml
from bladerun.body.joints import joints_of
from bladerun.dataset.asked import environment_of
from bladerun.dataset.check import check_solved
from bladerun.dataset.model_text import model_of
from bladerun.environment import Environment
from bladerun.forward._lqr import gains, transitions
from bladerun.forward.simulator import Simulator
from bladerun.model import joint_strength
from bladerun.stride.dynamics.muscle_paths import muscles
from bladerun.stride.dynamics.required_forces import required
from bladerun.stride.dynamics.tree import external, tree_of
from bladerun.stride.result import times_of
from bladerun.stride.transcription.mesh import at_times

Curve = Callable[[float], tuple[np.ndarray, np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Controller:
    """What a stride of N knots does again and again.

    curve: t [s] -> q, v, a (n,), strides following each other. driven: names of joints with moments, (m,).
    moment (4, N, m): polynomials in the time since each knot. activation (2, N, M): there, and its rate; M is
    0 where moments stand for the muscles. gain (N, m, 2n): feedback about the curve, held from knot to knot.
    multiplier: of the orbit with this feedback, the largest factor by which a small deviation grows in a
    stride; free_multiplier: without it (both NaN where no feedback was asked for). time (N + 1,): of the
    knots in a stride, and of its end [s].
    """

    curve: Curve
    driven: list[str]
    moment: np.ndarray
    activation: np.ndarray
    gain: np.ndarray
    multiplier: float
    free_multiplier: float
    time: np.ndarray

    @property
    def knots(self) -> int:
        return len(self.gain)

    def time_of(self, sample: int) -> float:
        """When a knot comes, counted on over strides."""
        turn, k = divmod(sample, self.knots)
        return float(turn * self.time[-1] + self.time[k])

    @property
    def has_muscles(self) -> bool:
        return self.activation.shape[2] > 0


def controller_for(stride: xr.Dataset, *, feedback: bool = True) -> Controller:
    """Drive this stride by its joints' moments; an Achilles tendon's end gets the force that moves it."""
    check_solved(stride)
    time = np.append(stride.time.values, stride.attrs["stride_time_s"])
    mj = model_of(stride)
    series, strength = joints_of(mj).of(part="tendon"), joint_strength(mj).max(1)
    strength[series] = toml("replay.toml")["regulator"]["achilles_n"]
    driven, curve = np.flatnonzero(strength), spline(stride)
    names = [mj.joint(i).name for i in driven]
    around = environment_of(stride)
    body = Simulator(stride.attrs["model_xml"], around, names)
    K, growth = np.zeros((stride.sizes["time"], len(driven), 2 * mj.nv)), (np.nan, np.nan)
    if feedback:
        A, B = transitions(tree_of(body.mj), external(body.mj, around), curve, time, driven)
        K = gains(A, B, strength[driven])
        growth = _growth(A - B @ K), _growth(A)
    return Controller(
        curve=curve,
        driven=names,
        moment=_polynomials(_moments(stride, body.mj, around, series)[:, driven], time),
        activation=np.zeros((2, len(K), 0)),
        gain=K,
        multiplier=growth[0],
        free_multiplier=growth[1],
        time=time,
    )


def by_muscles(own: Controller, stride: xr.Dataset) -> Controller:
    """The same stride driven by its muscles' activations, and motors for what they leave.

    The feedback, in the motors, stays that of the body driven by moments: muscles only damp it.
    """
    mj = model_of(stride)
    series = joints_of(mj).of(part="tendon")
    motors = [i for i, name in enumerate(own.driven) if not series[mj.joint(name).id]]
    reserve = np.isin(np.arange(mj.nv), muscles(mj).rows)
    given = np.where(reserve, stride.reserve.values, stride.tau.values)
    names = [own.driven[i] for i in motors]
    activation = stride.activation.values
    rate = (np.roll(activation, -1, 0) - activation) / np.diff(own.time)[:, None]
    return replace(
        own,
        driven=names,
        moment=_polynomials(given[:, [mj.joint(name).id for name in names]], own.time),
        activation=np.array([activation, rate]),
        gain=own.gain[:, motors],
    )


def spline(stride: xr.Dataset) -> Curve:
    """The stride's own cubic B-spline at any time, strides following each other."""
    c, times = stride.control_points.values, times_of(stride)
    speed = float(stride.attrs["speed_m_s"])

    def at(t: float):
        q, v, a = (row[0] for row in at_times(c, times, np.array([t])))
        q[0] += speed * t
        v[0] += speed
        return q, v, a

    return at


def _moments(stride: xr.Dataset, mj: mujoco.MjModel, around: Environment, series: np.ndarray) -> np.ndarray:
    """(N, n) moment of each joint; for a tendon's end (N) what must act there without muscles."""
    given = stride.tau.values.copy()
    motion = (stride[name].values for name in ("q", "v", "a"))
    given[:, series] = required(tree_of(mj), external(mj, around), *motion).tau[:, series]
    return given


def _polynomials(given: np.ndarray, time: np.ndarray) -> np.ndarray:
    """(4, N, m) of the periodic spline through (N, m) at time (N + 1,)."""
    return CubicSpline(time, np.vstack([given, given[:1]]), bc_type="periodic").c


def _growth(steps: np.ndarray) -> float:
    whole = np.eye(steps.shape[1])
    for one in steps:
        whole = one @ whole
    return float(np.abs(np.linalg.eigvals(whole)).max())
