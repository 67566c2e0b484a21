"""Levenberg-Marquardt with an augmented Lagrangian on the residual forces.

Takes a first guess of control points and times and a problem's `Arrays`; gives the stride of least cost with
root and passive-joint residuals driven to zero.

Gauss-Newton with constant scaling, damping after Nielsen 1999 (IMM-REP-1999-05), second-order terms by
conjugate gradients, a second-order correction where a step met curvature (Maratos 1978), longer steps
where it met less than expected, multipliers after Hestenes 1969 (doi 10.1007/BF00927673).
"""

from dataclasses import dataclass, replace

import numpy as np

from bladerun.options import NewtonOptions
from bladerun.stride._curvature import curvature
from bladerun.stride._linear_algebra import Factor, NotPositive
from bladerun.stride.cost.residual_forces import penalty
from bladerun.stride.dynamics.inverse_dynamics import motion
from bladerun.stride.sweep import Arrays, Sweep, Terms, correction, sweep, sweep_arrays
from bladerun.stride.transcription.blocks import OFFSETS, TIMES, hessian_vector_product
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
    p = at_weight(arrays, weight, start.multiplier)
    m, knots = motion(p.tree), len(start.c)
    places = mesh(knots, start.times)
    here, there = (sweep_arrays(knots, p) for _ in range(2))
    c, nodes, mu, nu, quiet = start.c, start.activation, start.damping, 2.0, 0
    squares, age = start.squares, start.age
    near, slow = False, squares is not None
    cost = sweep(p, m, places, c, nodes, here, True)
    iterations = 0
    bend = np.empty_like(here.gradient)
    while iterations < limit and quiet < own.quiet_steps:
        iterations += 1
        if slow and (squares is None or age >= own.second_order_steps):
            width = OFFSETS * c.shape[1] + TIMES
            # new ones: the start keeps its own
            squares = np.zeros((knots, width, width)), np.zeros((knots, nodes.shape[1], width))
            curvature(p, m, places, nodes, here, *squares)
            age = 0
        damping = _metric(own, mu, c, nodes)
        try:
            factor = Factor(here, damping)
        except NotPositive:
            mu, nu = mu * nu, nu * 2
            continue
        first = factor.solve(-here.gradient)
        if near:
            first = _curved(own, factor, here.gradient, first, here.exact, c.size, squares)
        step = first
        promised = 0.5 * (damping @ step**2 - here.gradient @ step)
        trial, rho = _try(p, own, m, places, c, nodes, step, cost, promised, there)
        for _ in range(own.corrections):
            if rho >= own.correction_below or not np.isfinite(trial):
                break
            correction(p.muscles, here, there, step, bend)
            second = first - factor.solve(bend)
            other, better = _try(p, own, m, places, c, nodes, second, cost, promised, there)
            gain = better - rho
            if gain > 0:
                step, trial, rho = second, other, better
            if gain < own.correction_gain:
                break
        bow, length = step - first, 2.0  # corrections grow with the square of the length
        while rho > own.extend_above:
            farther = length * first + length**2 * bow
            other, _ = _try(p, own, m, places, c, nodes, farther, cost, promised, there)
            if other >= trial:
                break
            step, trial, length = farther, other, 2 * length
        if rho > 1e-4:
            places, c, nodes = _moved(places, c, nodes, step)
            age += 1
            near = near or cost - trial < own.exact_times_below * cost
            slow = slow or cost - trial < own.second_order_below * cost
            quiet = quiet + 1 if cost - trial < tolerance * cost else 0
            cost = sweep(p, m, places, c, nodes, here, True)
            ease = max(own.damping_ease, 1 - (2 * min(rho, 1.0) - 1) ** 3)
            mu, nu = max(own.least_damping, mu * ease), 2.0
        else:
            mu, nu = mu * nu, nu * 2
            if promised < tolerance * cost:
                quiet += 1
            elif (
                nu > own.second_order_stale and age > 0
            ):  # refused again and again: perhaps the second-order terms are old
                cost, age = sweep(p, m, places, c, nodes, here, True), own.second_order_steps
            elif mu > own.greatest_damping:
                break
    return replace(
        start,
        c=c,
        times=places.times,
        activation=nodes,
        cost=cost,
        weight=weight,
        iterations=start.iterations + iterations,
        quiet=quiet >= own.quiet_steps,
        damping=mu,
        squares=squares,
        age=age,
    )


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


def _metric(own: NewtonOptions, mu, c, nodes):
    """What damping mu adds to the diagonal, flat.

    None on `later`, the landing of the right foot alone: damped it would make steps unlike those of the
    mirrored runner.
    """
    on_c = np.full(c.size, own.damping_joints / len(c))
    on_nodes = np.full(nodes.size, own.damping_activations / len(nodes))
    on_times = own.damping_times * (np.arange(TIMES) != LATER)
    return mu * np.concatenate([on_c, on_times, on_nodes])


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


def _try(p, own, m, places, c, nodes, step, cost, promised, out):
    """Cost after a step, and the decrease as a share of what was promised."""
    times = places.times + step[c.size : c.size + TIMES]
    if times[0] < 0.3 * places.times[0] or abs(times[LATER]) > own.latest_landing * times[0]:
        return np.inf, -1.0
    places, c, nodes = _moved(places, c, nodes, step)
    if places.weight.min() < own.closest_knots:
        return np.inf, -1.0
    trial = sweep(p, m, places, c, nodes, out, False)
    if not np.isfinite(trial):
        return np.inf, -1.0
    return trial, (cost - trial) / promised
