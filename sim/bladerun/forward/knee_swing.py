"""The swing test of a prosthetic knee: a shank and blade, let go bent, come forward to the stop.

Takes a knee's name and factors on its damping; gives the angle against time and what is read off it,
and draws it beside the knee's damping. The thigh is held upright: what the knee does, not what a runner does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import mujoco
import numpy as np

from bladerun.body.knee_unit import KneeUnit
from bladerun.body.runner import Amputation, Runner
from bladerun.errors import InputError
from bladerun.fitting import Fitting
from bladerun.gait.alignment import bench_posture
from bladerun.model import build_model
from bladerun.stride.dynamics.passive import law_force, laws_of

RELEASE_DEG = 90.0
DAMPINGS = (0.5, 1.0, 2.0)  # times the catalogue's
_RUNNER, _BLADE, _JOINT = Runner(75.0, 1.75), "j-sprint", "knee_flexion_r"  # whose shank swings
_STEP_S, _END_S, _KEEP = 1e-4, 1.5, 20
_STRAIGHT_DEG, _SPEED_DEG_S = 2.0, 300.0


@dataclass(frozen=True)
class KneeSwing:
    """What one swing gave.

    Attributes
    ----------
    knee
        Its name.
    damping
        Factor on its damping in flexion and in extension.
    time_s, angle_deg
        The swing, from where it is let go.
    straight_s
        When the knee is first within 2 deg of straight; NaN where it never is.
    impact_deg_s
        How fast it still extends then.
    rebound_deg
        How far it bends once more after that.
    """

    knee: str
    damping: float
    time_s: np.ndarray
    angle_deg: np.ndarray
    straight_s: float
    impact_deg_s: float
    rebound_deg: float

    def to_dict(self) -> dict[str, Any]:
        """For JSON: None for what is not known."""
        found = {key: value for key, value in asdict(self).items() if key not in ("time_s", "angle_deg")}
        found = {key: None if value != value else value for key, value in found.items()}
        return found | {"time_s": self.time_s.tolist(), "angle_deg": self.angle_deg.tolist()}


def swing_test(knee: str, dampings: Sequence[float] = DAMPINGS) -> list[KneeSwing]:
    """One swing for each factor on the knee's damping; InputError for a knee that does not bend."""
    if not KneeUnit(knee).bends:
        raise InputError(f"{knee!r} has no swing to test; it does not bend")
    return [_swing(knee, damping) for damping in dampings]


def damping_moment(knee: str, damping: float, angle_deg: np.ndarray, speed_deg_s: float) -> np.ndarray:
    """What the knee's damper takes at these angles and this speed, Nm; flexion positive."""
    rows, v = _laws(knee, damping), math.radians(speed_deg_s)
    return np.array(
        [_moment(rows, math.radians(q), v) - _moment(rows, math.radians(q), 0) for q in angle_deg]
    )


def _swing(knee: str, damping: float) -> KneeSwing:
    inertia, level, upright = _pendulum(knee)
    rows, q, v = _laws(knee, damping), math.radians(RELEASE_DEG), 0.0
    path = np.empty((round(_END_S / _STEP_S), 2))
    for at in path:
        at[:] = q, v
        v -= _STEP_S * (level * math.cos(q) + upright * math.sin(q) + _moment(rows, q, v)) / inertia
        q += _STEP_S * v
    angle, speed = np.degrees(path).T
    there = np.flatnonzero(angle < _STRAIGHT_DEG)
    first = int(there[0]) if len(there) else None
    return KneeSwing(
        knee=knee,
        damping=damping,
        time_s=_STEP_S * np.arange(len(path))[::_KEEP],
        angle_deg=angle[::_KEEP],
        straight_s=math.nan if first is None else first * _STEP_S,
        impact_deg_s=math.nan if first is None else -float(speed[first]),
        rebound_deg=math.nan if first is None else max(float(angle[first + 1 :].max()), 0.0),
    )


@cache
def _worn(knee: str, damping: float):
    fitting = Fitting(_BLADE, knee=knee, knee_damping_flexion=damping, knee_damping_extension=damping)
    return build_model(_RUNNER, Amputation("right", "transfemoral"), fitting).mj


def _pendulum(knee: str) -> tuple[float, float, float]:
    """Of all below the axis: inertia about it, kg m2, and gravity's moment, Nm, level and upright."""
    mj = _worn(knee, 1.0)
    data, dof = mujoco.MjData(mj), int(mj.joint(_JOINT).dofadr[0])
    moment = []
    for angle in (0.0, math.pi / 2):
        data.qpos[:] = bench_posture(mj, "right", Fitting.sagittal_deg)
        data.qpos[mj.joint(_JOINT).qposadr[0]] = angle
        mujoco.mj_forward(mj, data)
        moment.append(float(data.qfrc_bias[dof]))
    full = np.zeros((mj.nv, mj.nv))
    mujoco.mj_fullM(mj, data, full)
    return float(full[dof, dof]), moment[0], moment[1]


def _laws(knee: str, damping: float) -> list[tuple[Any, np.ndarray]]:
    mj = _worn(knee, damping)
    laws = laws_of(mj)
    rows = np.flatnonzero(laws.joint == int(mj.joint(_JOINT).dofadr[0]))
    return [(laws.kind[row], laws.parameter[row]) for row in rows]


def _moment(rows: list[tuple[Any, np.ndarray]], q: float, v: float) -> float:
    by, total = np.zeros(6), 0.0
    for kind, parameter in rows:
        law_force(kind, parameter, q, v, by)
        total += by[0]
    return total


def plot_swings(swings: Sequence[KneeSwing], path: str | Path) -> Path:
    """Draw the swings against time, and the knee's usual damping against its angle; gives the file."""
    from matplotlib.figure import Figure

    from bladerun._lib.fonts import drawn

    figure = Figure(figsize=(9.2, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    shades = ["#9aa5b1", "#1f2933", "#d9482b"]
    for one, colour in zip(swings, shades, strict=False):
        left.plot(one.time_s, one.angle_deg, color=colour, label=f"damping {one.damping:g} of the usual")
    left.axhline(0, color="#7b8794", lw=0.6)
    left.set(xlabel="time since it is let go (s)", ylabel="knee flexion (deg)", xlim=(0, _END_S))
    left.set_title(drawn(KneeUnit(swings[0].knee).title), loc="left", parse_math=False)
    left.legend(frameon=False)
    angles = np.linspace(0, 120, 121)
    for speed, name, colour in (
        (_SPEED_DEG_S, "bending", "#1f2933"),
        (-_SPEED_DEG_S, "straightening", "#d9482b"),
    ):
        moment = np.abs(damping_moment(swings[0].knee, 1.0, angles, speed))
        right.plot(angles, moment, color=colour, label=name)
    right.set(xlabel="knee flexion (deg)", ylabel="damping moment (Nm)", xlim=(0, 120), ylim=(0, None))
    right.set_title(f"its damping at {_SPEED_DEG_S:g} deg/s", loc="left")
    right.legend(frameon=False)
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)
    return Path(path)
