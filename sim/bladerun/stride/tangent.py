"""How a solved stride changes with what it was solved from, by the implicit function theorem.

Takes a problem and a point that solves it, and the same problem with a parameter a little less and a little
more; gives the derivatives of all unknowns and multipliers, and strides on that tangent. At a stride of least
cost the gradient vanishes whatever the parameter p is, so that (Fiacco 1976, doi 10.1007/BF01580677)

    H dz/dp = - d gradient / dp,    H the Hessian of the augmented Lagrangian.

Joint forces stand in the gradient times their Jacobian times weights up to 500^2. Differences of a gradient
would leave second differences of forces beside that Jacobian's rows, where H is a million times weaker. So
every derivative of a gradient is made of two parts: differences with the forces held as they are, and what
the change of the forces does through the Jacobians as they are. H is applied so too, exactly as the cost has
it with all its rounded corners, and inverted by conjugate gradients; a factor of the Gauss-Newton matrix with
the curvature of the dynamics is close enough to it for three to six of them.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import xarray as xr

from bladerun.options import NewtonOptions
from bladerun.stride import _continuation, _start, result, solver, sweep
from bladerun.stride._curvature import curvature
from bladerun.stride._linear_algebra import Factor, NotPositive
from bladerun.stride.dynamics.inverse_dynamics import motion
from bladerun.stride.problem import Problem
from bladerun.stride.transcription.blocks import NODE, OFFSETS, REACH, TIMES, later_share
from bladerun.stride.transcription.mesh import mesh

_SETTLED = 1e-8  # relative decrease of the cost that ends the steps of `Tangent`, and how many may be small
_QUIET_STEPS = 4
_MOVES = 3  # of the multipliers before, and of their derivatives
_STEPS = 40  # at most between two of them
_DAMPING = 0.1  # at first after one
_SHIFT = 1e-5  # rad, of a joint, by which the gradient is differenced; activations go 50 times as far
_FORCES = 1e-3  # N or Nm, by which it is differenced in forces: within the corners of all that is rounded
_CONJUGATE_STEPS, _PRECISION = 12, 1e-4
_LEAST_DAMPING, _GROWTH = 1e-4, 10.0


class Change(NamedTuple):
    """What a unit of a parameter changes: unknowns (flat, as `Sweep.gradient`) and multipliers (N, n)."""

    unknowns: np.ndarray
    multiplier: np.ndarray


class Tangent:
    """The tangent to the solutions of a problem at a converged point of it.

    arrays: those of the problem; own: the solver's settings.
    """

    def __init__(self, arrays: sweep.Arrays, own: NewtonOptions, point: solver.Point):
        self.point, self._own = point, own
        self._p = self._at_weight(arrays)
        self._here, self._there = (sweep.sweep_arrays(len(point.c), self._p) for _ in range(2))
        self._fill(self._p, point, self._here)
        self._costs(self._p, point, self._here)
        self._factor = self._factored()

    def derivative(self, less: sweep.Arrays, more: sweep.Arrays, apart: float) -> Change:
        """By a parameter that differs by `apart` between two problems, with this one in the middle."""
        (low, low_tau, low_force), (high, tau, force) = (
            self._with_forces_held(self._at_weight(arrays), self.point) for arrays in (less, more)
        )
        tau, force = (tau - low_tau) / apart, (force - low_force) / apart
        gradient = (high - low) / apart + self._through_forces(tau, force)
        return self._with_multipliers(-self._solved(gradient), tau)

    def _at_weight(self, arrays: sweep.Arrays) -> sweep.Arrays:
        return solver.at_weight(arrays, self.point.weight, self.point.multiplier)

    def _fill(self, p: sweep.Arrays, at: solver.Point, out: sweep.Sweep) -> None:
        places = mesh(len(at.c), at.times)
        tree, muscles = p.tree, p.muscles
        sweep._forces(
            tree, p.external, muscles, p.speed, motion(tree), places, at.c, at.activation, out, True
        )

    def _costs(self, p: sweep.Arrays, at: solver.Point, out: sweep.Sweep) -> np.ndarray:
        places = mesh(len(at.c), at.times)
        sweep._costs(p.tree, p.muscles, p.terms, places, at.c, at.activation, out, True)
        return out.gradient.copy()

    def _with_forces_held(self, p: sweep.Arrays, at: solver.Point) -> tuple[np.ndarray, ...]:
        """The gradient with joint and ground forces as they are here; these forces as they would be."""
        out = self._there
        self._fill(p, at, out)
        tau, force = out.tau.copy(), out.force.copy()
        out.tau[:], out.force[:] = self._here.tau, self._here.force
        return self._costs(p, at, out), tau, force

    def _through_forces(self, tau: np.ndarray, force: np.ndarray) -> np.ndarray:
        """Change of the gradient by that of the forces alone, (N, n) and (N, 3)."""
        out, found = self._there, []
        self._fill(self._p, self.point, out)
        share = _FORCES / max(np.abs(tau).max(), np.abs(force).max(), 1e-9)
        for way in (share, -share):
            out.tau[:], out.force[:] = self._here.tau + way * tau, self._here.force + way * force
            found.append(self._costs(self._p, self.point, out))
        return (found[0] - found[1]) / (2 * share)

    def _product(self, x: np.ndarray) -> np.ndarray:
        """H x, x flat."""
        joints = self.point.c.size + TIMES
        share = _SHIFT / max(np.abs(x[:joints]).max(), 0.02 * np.abs(x[joints:]).max(initial=0.0), 1e-30)
        high, low = (
            self._with_forces_held(self._p, solver.shifted(self.point, way * x))[0] for way in (share, -share)
        )
        here, near = self._here, solver.near_knots(x, *self.point.c.shape)
        tau = solver.force_change(self._p.muscles, here, x)
        return (high - low) / (2 * share) + self._through_forces(tau, np.einsum("kij,kj->ki", here.Jf, near))

    def _solved(self, wanted: np.ndarray) -> np.ndarray:
        """x of H x = wanted."""
        x, left = np.zeros_like(wanted), wanted
        along = step = self._factor.solve(left)
        size = first = left @ step
        for _ in range(_CONJUGATE_STEPS):
            product = self._product(along)
            bent = along @ product
            if bent <= 0 or size <= _PRECISION**2 * first:
                break
            x, left = x + size / bent * along, left - size / bent * product
            step = self._factor.solve(left)
            size, before = left @ step, size
            along = step + size / before * along
        return x

    def _with_multipliers(self, unknowns: np.ndarray, tau: np.ndarray) -> Change:
        """Both moved in turn until residual forces stay as they are; tau (N, n): by the parameter alone."""
        own, weight, N = self._p.terms.residual_forces, self.point.weight, len(tau)
        j, multiplier = own.joint, np.zeros_like(tau)
        for move in range(_MOVES):
            left = (tau + solver.force_change(self._p.muscles, self._here, unknowns))[:, j] / own.scale
            multiplier[:, j] += (weight / solver.MULTIPLIER_UNIT) ** 2 * left
            if move < _MOVES - 1:
                pull = np.zeros_like(tau)
                pull[:, j] = weight**2 / own.scale * left / N
                unknowns = unknowns - self._factor.solve(
                    solver.through_jacobians(self._p.muscles, self._here, pull)
                )
        return Change(unknowns, multiplier)

    def _factored(self) -> Factor:
        """Of the Gauss-Newton matrix with the curvature of the dynamics, damped where not positive."""
        out = self._there
        for field, values in self._here._asdict().items():
            getattr(out, field)[:] = values
        _add_curvature(self._p, self.point, out)
        unit, damping = solver.unit_damping(self._own, self._p, self.point), 0.0
        while True:
            try:
                return Factor(out, damping * unit)
            except NotPositive:
                damping = max(_LEAST_DAMPING, _GROWTH * damping)


def settled(arrays: sweep.Arrays, own: NewtonOptions, point: solver.Point) -> solver.Point:
    """The point descended further, multipliers moved in between, to where derivatives mean something."""
    newton = replace(own, quiet_steps=_QUIET_STEPS)
    for _ in range(_MOVES):
        point = replace(solver.updated(arrays, point), damping=_DAMPING)
        point = solver.minimise(arrays, newton, point, point.weight, tolerance=_SETTLED, limit=_STEPS)
    return point


def point_of(stride: xr.Dataset, problem: Problem) -> solver.Point:
    """Where a stride of this very problem stands, converged further."""
    own = problem.options.continuation
    point = solver.Point(
        stride.control_points.values.copy(),
        result.times_of(stride),
        stride.multiplier.values.copy(),
        stride.activation.values[::NODE].copy(),
        weight=own.passes[own.passes_at_least - 1].weight,
    )
    return settled(problem.arrays, problem.options.newton, point)


def moved(point: solver.Point, change: Change, amount: float) -> solver.Point:
    """Where the tangent leads to."""
    at = solver.shifted(point, amount * change.unknowns)
    return replace(at, multiplier=at.multiplier + amount * change.multiplier)


def stride_at(problem: Problem, point: solver.Point) -> xr.Dataset:
    """A point as a stride, without what a solve adds to its attributes."""
    return result.dataset(problem, point, solver.at_knots(problem.arrays, point))


def solved(problem: Problem, start: xr.Dataset) -> xr.Dataset | None:
    """The stride of a problem from one near by, as converged as `point_of`; None where it is not."""
    point = _continuation.warm(problem, _start.neighbour(problem, start))
    if not point.quiet:
        return None
    return stride_at(problem, settled(problem.arrays, problem.options.newton, point))


def _add_curvature(p: sweep.Arrays, point: solver.Point, out: sweep.Sweep) -> None:
    """Add second-order terms of the dynamics and the exact ones of the times to a sweep's blocks."""
    (N, n), (G, M) = out.q.shape, point.activation.shape
    wide = OFFSETS * n + TIMES
    squares, mixed = np.zeros((N, wide, wide)), np.zeros((N, M, wide))
    curvature(p, motion(p.tree), mesh(N, point.times), point.activation, out, squares, mixed)
    last, knot = OFFSETS * n, np.arange(N)
    for o in range(OFFSETS):
        rows, at = slice(o * n, (o + 1) * n), (knot + o - 1) % N
        for z in range(o, OFFSETS):
            out.hessian[at, z - o] += squares[:, rows, z * n : (z + 1) * n]
        out.border[(at[:, None] * n + np.arange(n)).ravel()] += squares[:, rows, last:].reshape(-1, TIMES)
    out.border[N * n : N * n + TIMES] += squares[:, last:, last:].sum(0)
    by_nodes = out.border[N * n + TIMES :].reshape(G, M, TIMES)
    for k in range(N):
        for late, share in enumerate((1 - later_share(k), later_share(k))):
            node, first = (k // NODE + late) % G, k % NODE + NODE - 1 - late * NODE
            for o in range(OFFSETS if share else 0):
                out.mixed[node, (first + o) % REACH] += share * mixed[k, :, o * n : (o + 1) * n]
            by_nodes[node] += share * mixed[k, :, last:]
    out.border[:] += out.exact
