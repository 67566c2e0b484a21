"""Laws of passive joints: what springs, stops and dampers take, with all derivatives; compiled by numba.

Takes a table of laws, a row each: joint, kind and parameters; gives generalised forces, as they must be
overcome, with first and second derivatives in the joint's position q and velocity v, and elastic energy. With
x = q - rest, p(u, e) the smooth positive part of `contact_law`, p' its slope:

    LINEAR        k x + d v
    POLYNOMIAL    x (k1 + k2 x + k3 x^2) + v (d1 + d2 |v| + d3 v^2), MuJoCo's polynomial joint
    DEAD_BAND     k [p(x - g, e) - p(-x - g, e)] + d v [p'(x - g, e) + p'(-x - g, e)]
    STOP          s k p(u, e) p(1 + c s v, 0.2), u = s (q - at)
    DAMPER        v [a + b v / sqrt(v^2 + w^2)] [1 + f r((q - from) / width)]

DEAD_BAND is loose by g either way. STOP acts on one side, above `at` for s = 1, below for s = -1, and never
pulls. DAMPER resists by a + b in one direction, a - b in the other, and more with the joint's angle:
r(y) = y^3 (10 - 15 y + 6 y^2) goes from 0 to 1; a width below 0 lets it rise towards smaller angles. A MuJoCo
model keeps its own springs and dampers; other laws stand in it as numeric elements (`body.passive_laws`).
"""

from __future__ import annotations

from typing import NamedTuple

import mujoco
import numpy as np
from numba import njit

from bladerun._lib.jitable import register_jitable
from bladerun.body.passive_laws import NAME, PARAMETERS
from bladerun.errors import ModelError
from bladerun.stride.dynamics.contact_law import positive_part

LINEAR, POLYNOMIAL, DEAD_BAND, STOP, DAMPER = range(5)
LAW_SIZE = max(map(len, PARAMETERS.values()))
_RELEASE_ROUND = 0.2  # of a stop that is left so fast that it lets go, as of the ground


class Laws(NamedTuple):
    """Passive laws, L rows; a joint may have several."""

    joint: np.ndarray  # (L,) index
    kind: np.ndarray  # (L,)
    parameter: np.ndarray  # (L, 7), as in PARAMETERS


def laws_of(mj: mujoco.MjModel) -> Laws:
    """The passive laws of a compiled model: its own springs and dampers, and those that `write_law` noted."""
    return _table([*_native(mj), *_written(mj)])


def written_laws(mj: mujoco.MjModel) -> Laws:
    """Only those that `write_law` noted, which MuJoCo itself does not act on."""
    return _table(_written(mj))


_Row = tuple[int, int, list[float]]


def _table(rows: list[_Row]) -> Laws:
    parameter = np.zeros((len(rows), LAW_SIZE))
    for row, (_, _, values) in zip(parameter, rows, strict=True):
        row[: len(values)] = values
    joint, kind = (np.array([row[column] for row in rows], np.int64) for column in (0, 1))
    return Laws(joint, kind, parameter)


def _native(mj: mujoco.MjModel) -> list[_Row]:
    rows: list[_Row] = []
    for j in range(mj.njnt):
        spring, damper = _polynomial(mj, j)
        rest = float(mj.qpos_spring[j])
        if np.any(spring[1:]) or np.any(damper[1:]):
            rows.append((j, POLYNOMIAL, [*spring, rest, *damper]))
        elif spring[0] or damper[0]:
            rows.append((j, LINEAR, [spring[0], rest, damper[0]]))
    return rows


def _written(mj: mujoco.MjModel) -> list[_Row]:
    """Raises ModelError for what `write_law` did not write."""
    rows: list[_Row] = []
    for i in range(mj.nnumeric):
        words = mj.numeric(i).name.split(" ")
        if words[0] == NAME:
            first = mj.numeric_adr[i]
            kind, *values = mj.numeric_data[first : first + mj.numeric_size[i]].tolist()
            joint = mujoco.mj_name2id(mj, mujoco.mjtObj.mjOBJ_JOINT, " ".join(words[1:-1]))
            wanted = dict(enumerate(PARAMETERS.values())).get(kind, ())
            if joint < 0 or not wanted or len(values) != len(wanted):
                raise ModelError("it is not a passive law", key=" ".join(words))
            rows.append((joint, int(kind), values))
    return rows


def _polynomial(mj: mujoco.MjModel, joint: int) -> tuple[list[float], list[float]]:
    """Coefficients of stiffness and of damping, the linear one first, three each."""
    found = []
    for linear, poly in (("jnt_stiffness", "jnt_stiffnesspoly"), ("dof_damping", "dof_dampingpoly")):
        first = np.ravel(np.asarray(getattr(mj, linear))[joint])[:1]
        more = np.ravel(np.asarray(getattr(mj, poly))[joint]) if hasattr(mj, poly) else np.zeros(0)
        found.append(np.concatenate([first, more, np.zeros(3)])[:3].tolist())
    return found[0], found[1]


# --- Compiled ----------------------------------------------------------------------------------------------


@register_jitable
def add_passive(laws, q, v, tau, derivatives, tau_q, tau_v):
    """Add what passive laws take to tau (n,) and, with `derivatives`, to tau_q and tau_v (n, n)."""
    by = np.empty(6)
    for row in range(len(laws.joint)):
        i = laws.joint[row]
        law_force(laws.kind[row], laws.parameter[row], q[i], v[i], by)
        tau[i] += by[0]
        if derivatives:
            tau_q[i, i] += by[1]
            tau_v[i, i] += by[2]


@register_jitable
def add_passive_curvature(laws, q, v, y, S):
    """Add to S (3 n, 3 n), in (q, v, a), the second derivatives of y (n,) times what the laws take."""
    n, by = len(q), np.empty(6)
    for row in range(len(laws.joint)):
        i = laws.joint[row]
        law_force(laws.kind[row], laws.parameter[row], q[i], v[i], by)
        S[i, i] += y[i] * by[3]
        S[i, n + i] += y[i] * by[4]
        S[n + i, i] += y[i] * by[4]
        S[n + i, n + i] += y[i] * by[5]


@register_jitable
def law_force(kind, p, q, v, by):
    """Fill by (6,): the force of one law, its derivatives in q and v, and those in qq, qv and vv."""
    by[:] = 0.0
    if kind == LINEAR:
        by[0], by[1], by[2] = p[0] * (q - p[1]) + p[2] * v, p[0], p[2]
    elif kind == POLYNOMIAL:
        x, size = q - p[3], abs(v)
        by[0] = x * (p[0] + x * (p[1] + x * p[2])) + v * (p[4] + size * (p[5] + size * p[6]))
        by[1], by[3] = p[0] + x * (2 * p[1] + 3 * x * p[2]), 2 * p[1] + 6 * x * p[2]
        by[2], by[5] = p[4] + size * (2 * p[5] + 3 * size * p[6]), np.sign(v) * (2 * p[5] + 6 * size * p[6])
    elif kind == DEAD_BAND:
        x, e = q - p[1], p[3]
        over, over_x, over_xx = _rounded(x - p[2], e)
        under, under_x, under_xx = _rounded(-x - p[2], e)
        by[0] = p[0] * (over - under) + p[4] * v * (over_x + under_x)
        by[1] = p[0] * (over_x + under_x) + p[4] * v * (over_xx - under_xx)
        by[2] = p[4] * (over_x + under_x)
        by[3] = p[0] * (over_xx - under_xx)
        by[4] = p[4] * (over_xx - under_xx)
    elif kind == STOP:
        k, s, c = p[0], p[2], p[4]
        depth, d1, d2 = _rounded(s * (q - p[1]), p[3])
        hold, h1, h2 = _rounded(1 + c * s * v, _RELEASE_ROUND)
        by[0], by[1], by[2] = s * k * depth * hold, k * d1 * hold, k * c * depth * h1
        by[3], by[4], by[5] = s * k * d2 * hold, s * k * c * d1 * h1, s * k * c * c * depth * h2
    else:
        _damper(p, q, v, by)


@register_jitable
def _damper(p, q, v, by):
    mean, half, w = 0.5 * (p[0] + p[1]), 0.5 * (p[0] - p[1]), p[2]
    size = np.sqrt(v * v + w * w)
    force = v * (mean + half * v / size)
    slope = mean + half * v * (v * v + 2 * w * w) / size**3
    bend = half * w * w * (2 * w * w - v * v) / size**5
    y = min(max((q - p[3]) / p[4], 0.0), 1.0)
    ramp = 1 + p[5] * y * y * y * (10 - y * (15 - 6 * y))
    ramp_q = p[5] * 30 * y * y * (1 - y) ** 2 / p[4]
    ramp_qq = p[5] * 60 * y * (1 - y) * (1 - 2 * y) / p[4] ** 2
    by[0], by[1], by[2] = force * ramp, force * ramp_q, slope * ramp
    by[3], by[4], by[5] = force * ramp_qq, slope * ramp_q, bend * ramp


@register_jitable
def _rounded(u, e):
    """The smooth positive part with its two derivatives."""
    value, slope = positive_part(u, e)
    return value, slope, 1 / (2 * e) if -e < u < e else 0.0


def joint_force(mj: mujoco.MjModel, joint: str, q: np.ndarray, v: np.ndarray) -> np.ndarray:
    """(N,) what the passive laws of a joint exert on it at positions and velocities (N,), Nm or N."""
    laws, by, force = laws_of(mj), np.empty(6), np.zeros(len(q))
    for row in np.flatnonzero(laws.joint == mj.joint(joint).id):
        for k in range(len(q)):
            law_force(laws.kind[row], laws.parameter[row], q[k], v[k], by)
            force[k] -= by[0]
    return force


@register_jitable
def law_energy(kind, p, q):
    """Elastic energy that one law holds, J."""
    if kind == LINEAR:
        return 0.5 * p[0] * (q - p[1]) ** 2
    if kind == POLYNOMIAL:
        x = q - p[3]
        return x * x * (p[0] / 2 + x * (p[1] / 3 + x * p[2] / 4))
    if kind == DEAD_BAND:
        x = q - p[1]
        return p[0] * (_integral(x - p[2], p[3]) + _integral(-x - p[2], p[3]))
    if kind == STOP:
        return p[0] * _integral(p[2] * (q - p[1]), p[3])
    return 0.0


@register_jitable
def _integral(u, e):
    if u <= -e:
        return 0.0
    if u >= e:
        return 2 * e * e / 3 + (u * u - e * e) / 2
    return (u + e) ** 3 / (12 * e)


@njit(cache=True)
def energy_and_loss(laws, q, v, energy, loss):
    """Fill energy (N, n), J, and loss (N, n), W, of each joint's laws at positions and velocities (N, n)."""
    by = np.empty(6)
    energy[:] = 0.0
    loss[:] = 0.0
    for k in range(len(q)):
        for row in range(len(laws.joint)):
            i = laws.joint[row]
            law_force(laws.kind[row], laws.parameter[row], q[k, i], v[k, i], by)
            moving = by[0]
            law_force(laws.kind[row], laws.parameter[row], q[k, i], 0.0, by)
            energy[k, i] += law_energy(laws.kind[row], laws.parameter[row], q[k, i])
            loss[k, i] += (moving - by[0]) * v[k, i]
