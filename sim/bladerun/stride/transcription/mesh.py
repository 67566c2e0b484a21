"""Where the knots of a stride lie in time: close where feet land, and moving with their contacts.

Takes a number of knots and the `times` of a stride; gives a `Mesh`. Between knots a motion is a periodic
cubic B-spline in the knots' own count s, 0..1 over a stride, and time follows s as

    t(s) = T phase(s) + uneven (1 - cos 2 pi s) / 2 + right hill(s) + left hill(s - 1/2),
    hill(s) = sin^4 2 pi s for s in 0..1/2, else 0,
    phase(s) = s - GRADE / 4 pi (sin 4 pi (s - LANDED) + sin 4 pi LANDED),

2.5 times as dense just after s = 0, where the right foot lands, and s = 1/2, where the left one does, as
evenly spaced knots. A landing that stands still on the mesh is what lets a step of the solver change its
moment: one that had to cross knots would stick between them. So does a toe-off, at a knot of its own: left to
itself, strides whose contact ended half a knot apart were both of least cost. Reference running is looked up
at t + later.

times (TIMES,) [s]: T, stride time; later, how much after its moment in the reference the right foot lands;
uneven, how much later than half a stride after it the left foot does; right, left: by how much the mesh of
each foot's contact is stretched.
"""

from functools import cache
from typing import NamedTuple

import numpy as np

from bladerun.stride.transcription.blocks import NODE, TIMES

GRADE = 0.6  # 1 - GRADE: spacing at its closest, in strides of even spacing; numerical
LANDED = 0.03  # s at which it is closest, half a stride later again; numerical
LATER, UNEVEN, STRETCH = 1, 2, 3  # places in times, after T; STRETCH: of the right foot, then the left
_TURN = 2 * np.pi


class Mesh(NamedTuple):
    """N knots, G = N / NODE nodes on every NODE-th of them. *_by: derivative in each of the times."""

    times: np.ndarray  # (TIMES,)
    time: np.ndarray  # (N,) of the knots [s], from 0 on
    phase: np.ndarray  # (N,) of the reference, in strides
    phase_by: np.ndarray  # (N, TIMES)
    phase_by2: np.ndarray  # (N, TIMES, TIMES)
    stencil: np.ndarray  # (N, 3, 3) q, v, a at a knot k by c[k-1], c[k], c[k+1]
    stencil_by: np.ndarray  # (N, TIMES, 2, 3) of v and a
    stencil_by2: np.ndarray  # (N, TIMES, TIMES, 2, 3)
    weight: np.ndarray  # (N,) what a knot counts in a mean over time; their mean is 1
    weight_by: np.ndarray  # (N, TIMES)
    step: np.ndarray  # (N,) to the next knot [s]
    step_by: np.ndarray  # (N, TIMES)
    node_step: np.ndarray  # (G,) to the next node [s]
    node_step_by: np.ndarray  # (G, TIMES)


def mesh(knots: int, times: np.ndarray) -> Mesh:
    """The mesh of so many knots, a multiple of 2 NODE."""
    base, T = _base(knots), float(times[0])
    tau, kappa = base.slope @ times, base.bend @ times  # dt/ds and d2t/ds2, linear in the times
    first, second = base.first, base.second
    b, k = base.slope[:, :, None], base.bend[:, :, None]
    tau_, kappa_ = tau[:, None], kappa[:, None]
    v = first / tau_
    a = (second - v * kappa_) / tau_**2
    v_by = -v[:, None] * b / tau_[:, None]
    a_by = (-2 * a[:, None] * b - (v_by * kappa_[:, None] + v[:, None] * k) / tau_[:, None]) / tau_[:, None]
    bb = b[:, :, None] * b[:, None]
    bk = b[:, :, None] * k[:, None] + k[:, :, None] * b[:, None]
    wide = tau_[:, None, None]
    v_by2 = 2 * v[:, None, None] * bb / wide**2
    a_by2 = (
        6 * second[:, None, None] * bb / wide**4
        + 3 * first[:, None, None] * bk / wide**4
        - 12 * (first * kappa_)[:, None, None] * bb / wide**5
    )
    offset = base.time[:, LATER:] @ times[LATER:]  # of the reference's time from phase
    phase_by = base.time / T
    phase_by[:, 0] = -offset / T**2
    phase_by2 = np.zeros((knots, TIMES, TIMES))
    phase_by2[:, 0, :] = phase_by2[:, :, 0] = -base.time / T**2
    phase_by2[:, 0, 0] = 2 * offset / T**3
    weight_by = base.slope / T
    weight_by[:, 0] = -(base.slope[:, LATER:] @ times[LATER:]) / T**2
    return Mesh(
        times=np.asarray(times, float),
        time=base.time @ times - times[LATER],
        phase=base.time @ times / T,
        phase_by=phase_by,
        phase_by2=phase_by2,
        stencil=np.stack([base.value, v, a], 1),
        stencil_by=np.stack([v_by, a_by], 2),
        stencil_by2=np.stack([v_by2, a_by2], 3),
        weight=tau / T,
        weight_by=weight_by,
        step=base.step @ times,
        step_by=base.step,
        node_step=base.node_step @ times,
        node_step_by=base.node_step,
    )


def even_phase(knots: int) -> np.ndarray:
    """(N,) share of the stride at which each knot lies while nothing stretches the mesh."""
    return _base(knots).time[:, 0].copy()


def at_times(c: np.ndarray, times: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """q, v, a (P, n) at t (P,) [s] after knot 0, of the motion with control points c (N, n)."""
    knots = len(c)
    s = _count(times, np.asarray(t, float))
    k = np.floor(knots * s).astype(int)
    x = knots * s - k
    r = 1 - x
    value = np.array([r**3, 3 * x**3 - 6 * x**2 + 4, 3 * r**3 - 6 * r**2 + 4, x**3]).T / 6
    first = knots * np.array([-(r**2), 3 * x**2 - 4 * x, 4 * r - 3 * r**2, x**2]).T / 2
    second = knots**2 * np.array([r, 1 - 3 * r, 1 - 3 * x, x]).T
    tau, kappa = ((_rows(s, order) @ times)[:, None] for order in (1, 2))
    near = c[(k[:, None] + np.arange(-1, 3)) % knots]
    rate = first / tau
    weights = np.stack([value, rate, (second - rate * kappa) / tau**2], 1)
    q, v, a = np.einsum("pdx,pxi->dpi", weights, near)
    return q, v, a


class _Base(NamedTuple):
    """What does not change with the times; time and its derivatives in s are linear in them."""

    time: np.ndarray  # (N, TIMES) of the reference
    slope: np.ndarray
    bend: np.ndarray
    step: np.ndarray
    node_step: np.ndarray  # (G, TIMES)
    value: np.ndarray  # (N, 3) spline weights of the value, its slope and its bend in s
    first: np.ndarray
    second: np.ndarray


@cache
def _base(knots):
    s = np.arange(knots) / knots
    edges = _rows(np.arange(knots + 1) / knots, 0)
    weights = np.array([[1 / 6, 4 / 6, 1 / 6], [-0.5, 0.0, 0.5], [1.0, -2.0, 1.0]])
    value, first, second = (np.tile(w * knots**d, (knots, 1)) for d, w in enumerate(weights))
    return _Base(
        edges[:-1],
        _rows(s, 1),
        _rows(s, 2),
        np.diff(edges, axis=0),
        np.diff(edges[::NODE], axis=0),
        value,
        first,
        second,
    )


def _rows(s, order):
    """(P, TIMES) of the reference's time t + later, or its first or second derivative in s, per time."""
    two = 2 * _TURN
    if order == 0:
        phase = s - GRADE / two * (np.sin(two * (s - LANDED)) + np.sin(two * LANDED))
        rows = [phase, np.ones_like(s), (1 - np.cos(_TURN * s)) / 2]
    elif order == 1:
        rows = [1 - GRADE * np.cos(two * (s - LANDED)), np.zeros_like(s), np.pi * np.sin(_TURN * s)]
    else:
        bend = two * GRADE * np.sin(two * (s - LANDED))
        rows = [bend, np.zeros_like(s), np.pi * _TURN * np.cos(_TURN * s)]
    return np.stack([*rows, _hill(s, order), _hill(s - 0.5, order)], 1)


def _hill(s, order):
    sin, cos = np.sin(_TURN * s), np.cos(_TURN * s)
    if order == 0:
        value = sin**4
    elif order == 1:
        value = 4 * _TURN * sin**3 * cos
    else:
        value = 4 * _TURN**2 * sin**2 * (3 * cos**2 - sin**2)
    return np.where(s % 1.0 < 0.5, value, 0.0)


def _count(times, t):
    """s in [0, 1) at t [s] after knot 0, by Newton's method from an even mesh."""
    wanted = t % times[0]
    s = wanted / times[0]
    for _ in range(50):
        step = (_rows(s, 0) @ times - times[LATER] - wanted) / (_rows(s, 1) @ times)
        s = s - np.clip(step, -0.05, 0.05)
        if np.abs(step).max(initial=0.0) < 1e-15:
            break
    return s % 1.0
