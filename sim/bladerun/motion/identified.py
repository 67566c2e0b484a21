"""What forces and motion together give away of a runner: how stiff blade and socket are, how strong the legs
are at least.

Takes measured strides with forces, and the model that they were put on; gives `Identified` numbers, each with
its interval. In stance every joint of a leg balances M a + b - J' f, the ground's force at its centre of
pressure: springs of blade and socket have to take that, and muscles have to give it. Compared with what the
model's springs take in the measured posture, and with what its joints can give at most.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import mujoco
import numpy as np
import xarray as xr
from scipy.stats import norm
from scipy.stats import t as student

from bladerun._lib.data_files import toml
from bladerun.body.joints import contact_spheres, sphere_sides, without_side
from bladerun.gait.events import CONTACT_THRESHOLD_N
from bladerun.model import Model
from bladerun.stride.dynamics.passive import add_passive, laws_of
from bladerun.stride.motion_rows import SIDES

LEVEL = 0.90  # of two-sided intervals
_LOADED = 0.5  # of the greatest force: where it is more, the ground's force outweighs what accelerates a leg
_LEAST_TURN_RAD = 0.005  # that a spring has to give for its stiffness to be seen


class Identified(NamedTuple):
    """One number of one leg. usual: as the runner's file and the facts have it. low, high: of 90 %."""

    key: str
    title: str
    unit: str
    side: str
    value: float
    low: float
    high: float
    usual: float


class _Stance(NamedTuple):
    """Of one leg of one stride, where it is loaded: positions, velocities, what acts in a joint (k, nv)."""

    q: np.ndarray
    v: np.ndarray
    acts: np.ndarray


def identified(strides: Sequence[xr.Dataset], model: Model) -> list[Identified]:
    """Blade and socket stiffness where their joints were measured, and the strength of each muscle group that
    it is known to have at least; empty without forces. What cannot be told from zero is not there."""
    if not strides or not np.isfinite(strides[0].grf).any():
        return []
    found = []
    for side in SIDES:
        here, there = ([_stance(stride, model, side, ahead) for stride in strides] for ahead in (0.0, _off()))
        whole = [(one, other) for one, other in zip(here, there, strict=True) if one and other]
        if whole:
            found += [row for row in _of_leg(whole, model, side) if row.low > 0]
    return found


def _of_leg(stances: list[tuple[_Stance, _Stance]], model: Model, side: str) -> Iterator[Identified]:
    """stances: of each stride as measured, and with centres of pressure as far ahead as they are off."""

    def said(key: str, title: str, unit: str, usual: float, of: Callable[[_Stance], float]) -> Identified:
        values, moved = np.array([[of(one), of(other)] for one, other in stances]).T
        mean, reach = _interval(values, moved)
        return Identified(key, title, unit, side, mean, mean - reach, mean + reach, usual)

    joints = model.joint_data
    if side in model.blades:
        bends = joints.of(part="blade", side=side) & [name.startswith("blade_bend") for name in model.joints]
        leg = model.fitting.of(side) if model.fitting else None
        if leg and leg.category is not None:
            usual = model.blades[side].stiffness_n_m(float(leg.category))[0] / 1e3
            yield said(
                "blade_stiffness_kn_m", "blade stiffness", "kN/m", usual,
                lambda stance: usual * _stiffer(stance, model, bends),
            )  # fmt: skip
        turns = np.array([name == f"socket_rotation_{side[0]}" for name in model.joints])
        if turns.any():
            yield said(
                "socket_rotation_share", "socket's stiffness in rotation, of what is assumed", "-", 1.0,
                lambda stance: _stiffer(stance, model, turns),
            )  # fmt: skip
    for group, senses in _groups(model, side).items():
        usual = model.runner.strength_of(group) * model.amputation.strength_of(group, side[0])
        yield said(
            f"{group}_least", f"{group.replace('_', ' ')} at least, of usual", "-", usual,
            lambda stance, senses=senses, usual=usual: usual * _needed(stance, model, senses),
        )  # fmt: skip


def _groups(model: Model, side: str) -> dict[str, list[tuple[int, int]]]:
    """By muscle group of a leg: joints, and the column of `Model.strength` in whose sense it pulls."""
    found: dict[str, list[tuple[int, int]]] = {}
    for i in np.flatnonzero(model.joint_data.of(role="muscle", side=side)):
        row = toml("body.toml")["strength"][without_side(model.joints[i])]
        for sense, group in enumerate(row["groups"]):
            if model.strength[i, sense] > 0:
                found.setdefault(group, []).append((int(i), sense))
    return found


def _needed(stance: _Stance, model: Model, senses: list[tuple[int, int]]) -> float:
    """The greatest share of what the joints can give at most that acts in them."""
    shares = [(-1.0, 1.0)[sense] * stance.acts[:, i] / model.strength[i, sense] for i, sense in senses]
    return max(0.0, float(np.max(shares)))


def _stance(stride: xr.Dataset, model: Model, side: str, ahead_m: float) -> _Stance | None:
    """Where the leg is loaded; None where it is not, or what it takes was not measured."""
    mj, s = model.mj, list(stride.side.values).index(side)
    force, centre = stride.grf.values[:, s], stride.cop.values[:, s] + [ahead_m, 0.0, 0.0]
    loaded = (force[:, 2] > max(CONTACT_THRESHOLD_N, _LOADED * np.nanmax(force[:, 2]))) & np.isfinite(
        centre
    ).all(1)
    q, v, a = (stride[name].values[loaded] for name in ("q", "v", "a"))
    if not loaded.any() or not np.isfinite(q[:, :6]).all():
        return None
    mine = [g for g, of in zip(contact_spheres(mj), sphere_sides(mj), strict=True) if of == side]
    data, acts = mujoco.MjData(mj), np.full(q.shape, np.nan)
    jacobian, forces = np.zeros((3, mj.nv)), np.zeros(mj.nv)
    for k in range(len(q)):
        data.qpos[:], data.qvel[:], data.qacc[:] = (np.nan_to_num(each[k]) for each in (q, v, a))
        mujoco.mj_fwdPosition(mj, data)
        mujoco.mj_fwdVelocity(mj, data)
        mujoco.mj_rne(mj, data, 1, forces)
        nearest = min(mine, key=lambda g: np.linalg.norm(data.geom_xpos[g] - centre[loaded][k]))
        mujoco.mj_jac(mj, data, jacobian, None, centre[loaded][k], mj.geom_bodyid[nearest])
        acts[k] = forces - jacobian.T @ force[loaded][k]
    acts[:, ~np.isfinite(q).all(0)] = np.nan
    return _Stance(np.nan_to_num(q), np.nan_to_num(v), acts)


def _stiffer(stance: _Stance, model: Model, joints: np.ndarray) -> float:
    """By how much these springs are stiffer than the model's, least squares over stance; NaN where they were
    not measured or hardly move."""
    if np.abs(stance.q[:, joints]).max() < _LEAST_TURN_RAD or not np.isfinite(stance.acts[:, joints]).all():
        return math.nan
    taken, laws, none = np.zeros_like(stance.q), laws_of(model.mj), np.zeros((0, 0))
    for q, v, tau in zip(stance.q, stance.v, taken, strict=True):
        add_passive(laws, q, v, tau, False, none, none)
    springs = taken[:, joints]
    return float(-(springs * stance.acts[:, joints]).sum() / (springs**2).sum())


def _interval(values: np.ndarray, moved: np.ndarray) -> tuple[float, float]:
    """Mean over strides and half its interval: of strides, and of where the ground's force acts."""
    tail, count = (1 + LEVEL) / 2, len(values)
    if count < 2:
        return float(values.mean()), math.nan
    strides = student.ppf(tail, count - 1) * values.std(ddof=1) / math.sqrt(count)
    return float(values.mean()), math.hypot(strides, norm.ppf(tail) * abs((moved - values).mean()))


def _off() -> float:
    return float(toml("motion.toml")["accuracy"]["m"])
