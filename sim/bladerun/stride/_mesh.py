"""Where the knots of a stride lie in time: close where feet land, wide apart where they do not.

Takes a number of knots; gives a `Mesh`. Between knots a motion is a periodic cubic B-spline in the knots' own
count s, and time follows s as the phase

    phase(s) = s - GRADE / 4 pi (sin 4 pi (s - LANDED) + sin 4 pi LANDED),

twice as dense just after 0 and 1/2, where reference running lands, as evenly spaced knots. Landing on a coarse
mesh rings in the friction from knot to knot and holds the moment of touchdown where it is.
"""

from functools import cache
from typing import NamedTuple

import numpy as np

from bladerun.stride._blocks import NODE

GRADE = 0.5  # 1 - GRADE: spacing at its closest, in strides of even spacing; numerical
LANDED = 0.04  # s at which it is closest, half a stride later again; numerical


class Mesh(NamedTuple):
    """N knots from phase 0 on, G = N / NODE nodes of the activations on every NODE-th of them."""

    phase: np.ndarray  # (N,) share of the stride
    stencil: np.ndarray  # (N, 3, 3) q, v, a at a knot k by c[k-1], c[k], c[k+1] in a stride of 1 s
    weight: np.ndarray  # (N,) what a knot counts in a mean over time; their mean is 1
    step: np.ndarray  # (N,) from a knot to the next, in strides of even spacing
    share: np.ndarray  # (N,) of the later node in the activations at a knot
    node_weight: np.ndarray  # (G,) as weight and step, for nodes
    node_step: np.ndarray  # (G,)


@cache
def mesh(knots: int) -> Mesh:
    """The mesh of so many knots, a multiple of NODE."""
    s = np.arange(knots) / knots
    phase, weight = _phase(s), _slope(s)
    nodes = phase[::NODE]
    return Mesh(
        phase=phase,
        stencil=_stencil(s, knots, np.array([[1, 4, 1], [-3, 0, 3], [6, -12, 6]]) / 6),
        weight=weight,
        step=knots * _gaps(phase),
        share=(phase - np.repeat(nodes, NODE)) / np.repeat(_gaps(nodes), NODE),
        node_weight=weight[::NODE],
        node_step=knots / NODE * _gaps(nodes),
    )


def at_phase(c: np.ndarray, T: float, phase: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """q, v, a (P, n) at phases (P,) of the motion with control points c (N, n) and stride time T [s]."""
    knots = len(c)
    s = _count(np.asarray(phase, float))
    k = np.floor(knots * s).astype(int)
    x = (knots * s - k)[:, None]
    r = 1 - x
    basis = np.array(
        [
            [r**3, 3 * x**3 - 6 * x**2 + 4, 3 * r**3 - 6 * r**2 + 4, x**3],
            [-3 * r**2, 9 * x**2 - 12 * x, 12 * r - 9 * r**2, 3 * x**2],
            [6 * r, 6 - 18 * r, 6 - 18 * x, 6 * x],
        ]
    )[..., 0].transpose(2, 0, 1)
    weights = _stencil(s, knots, basis / 6)
    near = c[(k[:, None] + np.arange(-1, 3)) % knots]
    q, v, a = np.einsum("pdx,pxi->dpi", weights, near)
    return q, v / T, a / T**2


def _stencil(s, knots, basis):
    """From weights (..., 3, x) of the value and its derivatives in the knots' count to those in phase."""
    slope, bend = _slope(s)[:, None], _bend(s)[:, None]
    out = np.empty((len(s), *basis.shape[-2:]))
    value, first, second = (np.broadcast_to(basis[..., d, :], out[:, d].shape) for d in range(3))
    out[:, 0] = value
    out[:, 1] = knots * first / slope
    out[:, 2] = knots**2 * second / slope**2 - knots * first * bend / slope**3
    return out


def _phase(s):
    turn = 4 * np.pi
    return s - GRADE / turn * (np.sin(turn * (s - LANDED)) + np.sin(turn * LANDED))


def _slope(s):
    return 1 - GRADE * np.cos(4 * np.pi * (s - LANDED))


def _bend(s):
    return 4 * np.pi * GRADE * np.sin(4 * np.pi * (s - LANDED))


def _count(phase):
    """s in [0, 1) of phases, by Newton's method from an even mesh."""
    wanted = phase % 1.0
    s = wanted.copy()
    for _ in range(50):
        step = (_phase(s) - wanted) / _slope(s)
        s -= np.clip(step, -0.05, 0.05)
        if np.abs(step).max(initial=0.0) < 1e-15:
            break
    return s % 1.0


def _gaps(phase):
    """From each phase to the next, around the stride."""
    return np.diff(phase, append=phase[0] + 1.0)
