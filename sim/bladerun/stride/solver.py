"""Levenberg-Marquardt with an augmented Lagrangian on the residual forces.

Takes a first guess of control points and times and a problem's `Arrays`; gives the stride of least cost with
root and passive-joint residuals driven to zero.

Gauss-Newton with constant scaling, damping after Nielsen 1999 (IMM-REP-1999-05), second-order terms by
conjugate gradients, a second-order correction where a step met curvature (Maratos 1978), shorter steps
where it did not help and longer ones where less was met than expected, multipliers after Hestenes 1969
(doi 10.1007/BF00927673).
"""

from dataclasses import dataclass, replace

import numpy as np

from bladerun.options import NewtonOptions
from bladerun.stride._curvature import curvature
from bladerun.stride._linear_algebra import Factor, NotPositive
from bladerun.stride.cost.residual_forces import penalty
from bladerun.stride.dynamics.inverse_dynamics import motion
from bladerun.stride.sweep import Arrays, Sweep, Terms, correction, sweep, sweep_arrays
from bladerun.stride.transcription.blocks import (
    NODE,
    OFFSETS,
    TIMES,
    at_knot,
    hessian_vector_product,
    later_share,
)
from bladerun.stride.transcription.mesh import LATER, mesh

MULTIPLIER_UNIT = 30.0  # weight of the residual forces in whose units multipliers are kept


@dataclass(frozen=True)
class Point:
    """A stride under way: control points (N, n), times (TIMES,), multipliers (N, n), activations (G, M).

    A multiplier is the residual that would pull as hard at weight MULTIPLIER_UNIT; weight is the last one
    used.
    """

    c: np.ndarray
    times: np.ndarray
    multiplier: np.ndarray
    activation: np.ndarray
    cost: float = np.inf
    weight: float = MULTIPLIER_UNIT
    iterations: int = 0
    quiet: bool = False  # stopped because decreases had become small
    damping: float = 0.1
    squares: tuple[np.ndarray, np.ndarray] | None = (
        None  # second-order terms of the dynamics, as `curvature` fills them
    )
    age: int = 0  # steps since


def minimise(
    arrays: Arrays, own: NewtonOptions, start: Point, weight: float, *, tolerance: float, limit: int
) -> Point:
    """Descend from `start` with residual forces at this weight until decreases fall below tolerance.

    tolerance: relative decrease of the cost an iteration; limit: most iterations. Multipliers stay.
    """
    on = _Descent(arrays, own, start, weight)
    iterations = quiet = 0
    while iterations < limit and quiet < own.quiet_steps:
        iterations += 1
        damping = on.damping * on.unit
        try:
            factor = Factor(on.here, damping)
        except NotPositive:
            on.damp_more()
            continue
        first = factor.solve(-on.here.gradient)
        on.renew_curvature(first)
        first = on.newton(factor, first)
        promised = 0.5 * (damping @ first**2 - on.here.gradient @ first)
        step, trial, rho = on.corrected(factor, first, promised)
        length = 1.0
        if rho > own.extend_above:
            step, trial = on.extended(first, step, trial, promised)
        elif rho < own.shorten_below:
            step, trial, rho, length = on.shortened(first, step, trial, rho, promised)
        if rho > 1e-4:
            quiet = quiet + 1 if on.cost - trial < tolerance * on.cost else 0
            on.move(step, trial, rho, length)
            continue
        on.damp_more()
        if promised < tolerance * on.cost:
            quiet += 1
        elif on.stale:
            on.linearise()
            on.age = own.second_order_steps
        elif on.damping > own.greatest_damping:
            break
    return replace(
        start,
        c=on.c,
        times=on.places.times,
        activation=on.nodes,
        cost=on.cost,
        weight=weight,
        iterations=start.iterations + iterations,
        quiet=quiet >= own.quiet_steps,
        damping=on.damping,
        squares=on.squares,
        age=on.age,
    )


class _Descent:
    """Where a descent stands: the unknowns, the sweep `here` with its derivatives, damping and curvature.

    near: decreases are small enough for exact times; slow: for second-order terms, which are `age` steps old.
    """

    def __init__(self, arrays: Arrays, own: NewtonOptions, start: Point, weight: float):
        self.own, self._p = own, at_weight(arrays, weight, start.multiplier)
        self._m, knots = motion(self._p.tree), len(start.c)
        self.places, self.c, self.nodes = mesh(knots, start.times), start.c, start.activation
        self.here, self._there = (sweep_arrays(knots, self._p) for _ in range(2))
        self.damping, self._growth = start.damping, 2.0
        self.unit = unit_damping(own, self._p, start)
        self.squares, self.age = start.squares, start.age
        self._near, self._slow = False, start.squares is not None
        self.linearise()

    def linearise(self) -> None:
        """Cost and derivatives of where it stands."""
        self.cost = sweep(self._p, self._m, self.places, self.c, self.nodes, self.here, True)

    def renew_curvature(self, first: np.ndarray) -> None:
        """Second-order terms, once decreases are small, where there are none or they are old.

        Ahead: weighed with the forces' sensitivities as the Gauss-Newton step `first` leaves them. Those of
        here hold what the last step's curvature left in the residual forces, times their weight squared.
        """
        if not self._slow or (self.squares is not None and self.age < self.own.second_order_steps):
            return
        knots, n = self.c.shape
        width = OFFSETS * n + TIMES
        # new ones: the start keeps its own
        self.squares = np.zeros((knots, width, width)), np.zeros((knots, self.nodes.shape[1], width))
        here, y = self.here, self.here.y.copy()
        if self.own.second_order_ahead:
            here.y[:] += here.force_weight * force_change(self._p.muscles, here, first)
        curvature(self._p, self._m, self.places, self.nodes, here, *self.squares)
        here.y[:] = y
        self.age = 0

    def newton(self, factor: Factor, first: np.ndarray) -> np.ndarray:
        """The Gauss-Newton step `first`, or the Newton step once decreases are small."""
        if not self._near:
            return first
        return _curved(
            self.own, factor, self.here.gradient, first, self.here.exact, self.c.size, self.squares
        )

    def corrected(self, factor: Factor, first: np.ndarray, promised):
        """The step with second-order corrections where they gain, its cost, and the share of `promised`."""
        step, (trial, rho) = first, self._try(first, promised)
        bend = np.empty_like(first)
        for _ in range(self.own.corrections):
            if rho >= self.own.correction_below or not np.isfinite(trial):
                break
            correction(self._p.muscles, self.here, self._there, step, bend)
            second = first - factor.solve(bend)
            other, better = self._try(second, promised)
            gain = better - rho
            if gain > 0:
                step, trial, rho = second, other, better
            if gain < self.own.correction_gain:
                break
        return step, trial, rho

    def extended(self, first: np.ndarray, step: np.ndarray, trial: float, promised):
        """The step twice as long for as long as that costs less, and its cost."""
        bow, length = step - first, 2.0  # corrections grow with the square of the length
        while True:
            farther = length * first + length**2 * bow
            other, _ = self._try(farther, promised)
            if other >= trial:
                return step, trial
            step, trial, length = farther, other, 2 * length

    def shortened(self, first: np.ndarray, step: np.ndarray, trial: float, rho: float, promised):
        """The step cut in half until it gains, its cost, share of `promised` and length; else as it came."""
        bow, length = step - first, 1.0  # corrections shrink with the square of the length
        for _ in range(self.own.shortest_halvings):
            length /= 2
            nearer = length * first + length**2 * bow
            other, _ = self._try(nearer, promised)
            if self.cost - other > self.own.shortened_gain * promised * length:
                return nearer, other, (self.cost - other) / (promised * length * (2 - length)), length
        return step, trial, rho, 1.0

    def move(self, step: np.ndarray, trial: float, rho: float, length: float) -> None:
        """Take the step, whose cost is `trial`, and damp by how well it went."""
        own, decrease = self.own, self.cost - trial
        self.places, self.c, self.nodes = _moved(self.places, self.c, self.nodes, step)
        self.age += 1
        self._near = self._near or decrease < own.exact_times_below * self.cost
        self._slow = self._slow or decrease < own.second_order_below * self.cost
        self.linearise()
        ease = max(own.damping_ease, 1 - (2 * min(rho, 1.0) - 1) ** 3)
        ease = 1 / length if length < 1 else ease
        self.damping, self._growth = max(own.least_damping, self.damping * ease), 2.0

    def damp_more(self) -> None:
        """After a step that was refused, each time by more."""
        self.damping, self._growth = self.damping * self._growth, self._growth * 2

    @property
    def stale(self) -> bool:
        """Refused again and again: perhaps the second-order terms are old."""
        return self._growth > self.own.second_order_stale and self.age > 0

    def _try(self, step: np.ndarray, promised) -> tuple[float, float]:
        """Cost after a step, and the decrease as a share of what was promised."""
        times = self.places.times + step[self.c.size : self.c.size + TIMES]
        if times[0] < 0.3 * self.places.times[0] or abs(times[LATER]) > self.own.latest_landing * times[0]:
            return np.inf, -1.0
        places, c, nodes = _moved(self.places, self.c, self.nodes, step)
        if places.weight.min() < self.own.closest_knots:
            return np.inf, -1.0
        trial = sweep(self._p, self._m, places, c, nodes, self._there, False)
        if not np.isfinite(trial):
            return np.inf, -1.0
        return trial, (self.cost - trial) / promised


def at_weight(arrays: Arrays, weight: float, multiplier: np.ndarray) -> Arrays:
    """The same with residual forces at this weight and multipliers (N, n) in units of MULTIPLIER_UNIT."""
    forces = arrays.terms.residual_forces
    forces = forces._replace(weight=weight, multiplier=MULTIPLIER_UNIT**2 / weight * multiplier)
    return arrays._replace(terms=arrays.terms._replace(residual_forces=forces))


def updated(arrays: Arrays, point: Point) -> Point:
    """The point with its multipliers moved by the residual that is left (a first-order update)."""
    own, tau = arrays.terms.residual_forces, at_knots(arrays, point).tau
    left = np.zeros_like(point.multiplier)
    left[:, own.joint] = tau[:, own.joint] / own.scale
    return replace(point, multiplier=point.multiplier + (point.weight / MULTIPLIER_UNIT) ** 2 * left)


def objective_by_term(arrays: Arrays, point: Point) -> dict[str, float]:
    """Share of each cost term in the objective: the augmented Lagrangian less its penalty.

    The cost alone would be lower by what the residual forces that are left would cost to give.
    """
    each = dict(zip(Terms._fields, at_knots(arrays, point).terms.tolist(), strict=True))
    own = at_weight(arrays, point.weight, point.multiplier).terms.residual_forces
    return each | {"residual_forces": each["residual_forces"] - penalty(own)}


def at_knots(arrays: Arrays, point: Point) -> Sweep:
    """Values at the knots, and the cost by term at the point's own weight."""
    p, knots = at_weight(arrays, point.weight, point.multiplier), len(point.c)
    out = sweep_arrays(knots, p)
    sweep(p, motion(p.tree), mesh(knots, point.times), point.c, point.activation, out, False)
    return out


def near_knots(flat: np.ndarray, knots: int, joints: int) -> np.ndarray:
    """(N, 3 n + TIMES) of a flat vector what each knot depends on, as the columns of a Sweep's J."""
    c, times = flat[: knots * joints].reshape(knots, joints), flat[knots * joints : knots * joints + TIMES]
    return np.concatenate([np.roll(c, 1, 0), c, np.roll(c, -1, 0), np.tile(times, (knots, 1))], 1)


def force_change(muscles, here, step):
    """(N, n) change of the joint forces over a step, by their Jacobians; here: Sweep."""
    (N, n), (G, _, M, _) = here.q.shape, here.own.shape
    nodes, activation = step[N * n + TIMES :].reshape(G, M), np.zeros(M)
    change = np.einsum("kij,kj->ki", here.J, near_knots(step, N, n))
    for k in range(N):
        at_knot(nodes, k, activation)
        change[k, muscles.rows] += here.Ja[k] @ activation
    return change


def through_jacobians(muscles, here, pull):
    """What joint forces' derivatives `pull` (N, n) are by the unknowns, flat; here: Sweep."""
    (N, n), (G, _, M, _) = here.q.shape, here.own.shape
    near, back = np.einsum("ki,kij->kj", pull, here.J), np.zeros((G, M))
    by_c = np.roll(near[:, :n], -1, 0) + near[:, n : 2 * n] + np.roll(near[:, 2 * n : 3 * n], 1, 0)
    by_activation = np.einsum("kr,kre->ke", pull[:, muscles.rows], here.Ja)
    for k in range(N):
        share, node = later_share(k), k // NODE
        back[node] += (1 - share) * by_activation[k]
        back[(node + 1) % G] += share * by_activation[k]
    return np.concatenate([by_c.ravel(), near[:, 3 * n :].sum(0), back.ravel()])


def flat(point: Point) -> np.ndarray:
    """Its unknowns in the order of `Sweep.gradient`."""
    return np.concatenate([point.c.ravel(), point.times, point.activation.ravel()])


def shifted(point: Point, step: np.ndarray) -> Point:
    """The point a flat step further."""
    places, c, nodes = _moved(mesh(len(point.c), point.times), point.c, point.activation, step)
    return replace(point, c=c, times=places.times, activation=nodes)


def unit_damping(own: NewtonOptions, arrays: Arrays, point: Point) -> np.ndarray:
    """What damping 1 adds to the diagonal, flat.

    None on `later`, the landing of the right foot alone: damped it would make steps unlike those of the
    mirrored runner.
    """
    spanned = arrays.muscles.rows
    on_c = np.full(point.c.shape, own.damping_joints / len(point.c))
    on_c[:, spanned[arrays.tree.slide[spanned]]] *= own.damping_tendons
    on_nodes = np.full(point.activation.size, own.damping_activations / len(point.activation))
    on_times = own.damping_times * (np.arange(TIMES) != LATER)
    return np.concatenate([on_c.ravel(), on_times, on_nodes])


def _moved(places, c, nodes, step):
    of_c, of_times, of_nodes = np.split(step, [c.size, c.size + TIMES])
    times = places.times + of_times
    return mesh(len(c), times), c + of_c.reshape(c.shape), nodes + of_nodes.reshape(nodes.shape)


def _curved(own, factor, gradient, first, exact, at_times, squares):
    """The Newton step: conjugate gradients from the Gauss-Newton step `first`, preconditioned by its factor.

    Added to the factor's matrix are exact, in the rows and columns of the times, from at_times on, and
    `squares` where there are some. They may leave it indefinite: where that shows, the step so far has to do
    (Steihaug 1983, doi 10.1137/0720042).
    """
    inner = slice(at_times, at_times + TIMES)
    step, left, wanted = np.zeros_like(first), -gradient, first
    along, pushed = first, left  # a direction, and the Gauss-Newton matrix times it
    size = left @ wanted
    enough = own.conjugate_precision**2 * size
    for _ in range(own.conjugate_steps):
        product = exact @ along[inner]
        product[inner] = exact.T @ along
        if squares:
            by_joints, by_muscles = squares
            hessian_vector_product(by_joints, by_muscles, along, product)
        product += pushed
        bent = along @ product
        if bent < own.least_curvature * (along @ pushed):
            return step if step.any() else first
        step = step + size / bent * along
        left = left - size / bent * product
        wanted = factor.solve(left)
        size, before = left @ wanted, size
        if size < enough:
            break
        along, pushed = wanted + size / before * along, left + size / before * pushed
    return step
