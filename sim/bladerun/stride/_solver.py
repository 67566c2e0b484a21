"""Levenberg-Marquardt with an augmented Lagrangian on the forces nobody gives.

Takes a first guess of control points and times and the `Terms` of the cost; gives the stride that
minimises them with root and passive-joint residuals driven to zero.

Gauss-Newton with constant scaling, damping after Nielsen 1999 (IMM-REP-1999-05), second-order terms by
conjugate gradients, a second-order correction where a step met curvature (Maratos 1978), longer steps
where it met less than expected, multipliers after Hestenes 1969 (doi 10.1007/BF00927673).
"""

from dataclasses import dataclass, replace

import numpy as np

from bladerun.stride._blocks import OFFSETS, TIMES, times_squares
from bladerun.stride._curvature import curvature
from bladerun.stride._dynamics import motion
from bladerun.stride._kernel import Sweep, Terms, correction, sweep, sweep_arrays
from bladerun.stride._linear import Factor, NotPositive
from bladerun.stride._links import Links
from bladerun.stride._mesh import LATER, mesh

HARD = 30.0  # weight of the hard forces in whose units multipliers are kept
SCALE_C = 100.0  # curvature [1/rad^2] that damping 1 adds to each joint, mean over knots
LEAST = 1e-3  # damping
EASE = 0.2  # least factor on the damping after a good step
INNER, PRECISE = 6, 0.1  # most steps of conjugate gradients, and the error left at which they end
POSITIVE = 0.3  # least curvature along one of them, as a share of Gauss-Newton's
SCALE_A = 0.3  # and to each activation, mean over nodes
# And to the times [1/s^2]: 10 ms count like 0.05 rad. None on `later`, the landing of the right foot alone:
# damped it would make steps unlike those of the mirrored runner.
SCALE_T = 2500.0 * (np.arange(TIMES) != LATER)
NEAR = 0.1  # relative decrease below which the exact terms of the times join in
SLOW = 1e-3  # relative decrease below which second-order terms of the dynamics join in
REFRESH = 20  # steps for which they are kept
STALE = 8  # growth of the damping in a row of refused steps, after which they are made anew
CORRECTIONS = 8  # second-order corrections a step may get
EAGER = 1.5  # share of what was promised from which on steps of twice the length are tried
GAIN = 0.02  # share of what was promised that one must bring for another to be tried
MOST = 0.12  # of the stride time, that the right foot may land early or late
CLOSEST = 0.1  # spacing of knots over their mean; time would soon run backwards
QUIET = 2  # stop after so many successive small decreases


@dataclass(frozen=True)
class Point:
    """A stride under way: control points (N, n), times (TIMES,), multipliers (N, n), activations (G, M).

    A multiplier is the residual that would pull as hard at weight HARD; weight is the last one used.
    """

    c: np.ndarray
    times: np.ndarray
    multiplier: np.ndarray
    activation: np.ndarray
    cost: float = np.inf
    weight: float = HARD
    iterations: int = 0
    quiet: bool = False  # stopped because decreases had become small
    damping: float = 0.1
    squares: tuple[np.ndarray, np.ndarray] | None = (
        None  # second-order terms of the dynamics, as `curvature` fills them
    )
    age: int = 0  # steps since


def minimise(
    model: Links, terms: Terms, start: Point, hard: np.ndarray, weight: float, *, tolerance: float, limit: int
) -> Point:
    """Descend from `start` with the hard joints (n,) at this weight until decreases fall below tolerance.

    tolerance: relative decrease of the cost an iteration; limit: most iterations. Multipliers stay.
    """
    t = terms._replace(
        force_weight=np.where(hard, weight, terms.force_weight),
        multiplier=HARD**2 / weight * start.multiplier,
    )
    m, knots = motion(model), len(start.c)
    places = mesh(knots, start.times)
    here, there = (sweep_arrays(knots, start.c.shape[1], terms.muscles) for _ in range(2))
    c, nodes, mu, nu, quiet = start.c, start.activation, start.damping, 2.0, 0
    squares, age = start.squares, start.age
    near, slow = False, squares is not None
    cost = sweep(model, m, t, places, c, nodes, here, True)
    iterations = 0
    bend = np.empty_like(here.gradient)
    while iterations < limit and quiet < QUIET:
        iterations += 1
        if slow and (squares is None or age >= REFRESH):
            width = OFFSETS * c.shape[1] + TIMES
            # new ones: the start keeps its own
            squares = np.zeros((knots, width, width)), np.zeros((knots, nodes.shape[1], width))
            curvature(model, m, t, places, nodes, here, *squares)
            age = 0
        damping = _metric(mu, c, nodes)
        try:
            factor = Factor(here, damping)
        except NotPositive:
            mu, nu = mu * nu, nu * 2
            continue
        first = factor.solve(-here.gradient)
        if near:
            first = _curved(factor, here.gradient, first, here.exact, c.size, squares)
        step = first
        promised = 0.5 * (damping @ step**2 - here.gradient @ step)
        trial, rho = _try(model, m, t, places, c, nodes, step, cost, promised, there)
        for _ in range(CORRECTIONS):
            if rho >= 0.9 or not np.isfinite(trial):
                break
            correction(t, places, here, there, step, bend)
            second = first - factor.solve(bend)
            other, better = _try(model, m, t, places, c, nodes, second, cost, promised, there)
            gain = better - rho
            if gain > 0:
                step, trial, rho = second, other, better
            if gain < GAIN:
                break
        bow, length = step - first, 2.0  # corrections grow with the square of the length
        while rho > EAGER:
            farther = length * first + length**2 * bow
            other, _ = _try(model, m, t, places, c, nodes, farther, cost, promised, there)
            if other >= trial:
                break
            step, trial, length = farther, other, 2 * length
        if rho > 1e-4:
            places, c, nodes = _moved(places, c, nodes, step)
            age += 1
            near, slow = near or cost - trial < NEAR * cost, slow or cost - trial < SLOW * cost
            quiet = quiet + 1 if cost - trial < tolerance * cost else 0
            cost = sweep(model, m, t, places, c, nodes, here, True)
            mu, nu = max(LEAST, mu * max(EASE, 1 - (2 * min(rho, 1.0) - 1) ** 3)), 2.0
        else:
            mu, nu = mu * nu, nu * 2
            if promised < tolerance * cost:
                quiet += 1
            elif nu > STALE and age > 0:  # refused again and again: perhaps the second-order terms are old
                cost, age = sweep(model, m, t, places, c, nodes, here, True), REFRESH
            elif mu > 1e8:
                break
    return replace(
        start,
        c=c,
        times=places.times,
        activation=nodes,
        cost=cost,
        weight=weight,
        iterations=start.iterations + iterations,
        quiet=quiet >= QUIET,
        damping=mu,
        squares=squares,
        age=age,
    )


def updated(model: Links, terms: Terms, point: Point, hard: np.ndarray) -> Point:
    """The point with its multipliers moved by the residual that is left (a first-order update)."""
    out = at_knots(model, terms, point)
    left = np.where(hard, out.tau / terms.force_scale[:, 1], 0.0)
    return replace(point, multiplier=point.multiplier + (point.weight / HARD) ** 2 * left)


def objective(point: Point, hard: np.ndarray) -> float:
    """What is weighed when nobody holds the runner, but for the square of what is left of the hard forces.

    The augmented Lagrangian: the cost alone is lower by what those little forces would cost to give.
    """
    shift = HARD**2 / point.weight * point.multiplier
    return float(point.cost - 0.5 * (shift[:, hard] ** 2).sum() / len(point.c))


def at_knots(model: Links, terms: Terms, point: Point) -> Sweep:
    """Values at the knots."""
    knots, n = point.c.shape
    out, places = sweep_arrays(knots, n, terms.muscles), mesh(knots, point.times)
    sweep(model, motion(model), terms, places, point.c, point.activation, out, False)
    return out


def _metric(mu, c, nodes):
    """What damping mu adds to the diagonal, flat."""
    on_c, on_nodes = np.full(c.size, SCALE_C / len(c)), np.full(nodes.size, SCALE_A / len(nodes))
    return mu * np.concatenate([on_c, SCALE_T, on_nodes])


def _moved(places, c, nodes, step):
    of_c, of_times, of_nodes = np.split(step, [c.size, c.size + TIMES])
    times = places.times + of_times
    return mesh(len(c), times), c + of_c.reshape(c.shape), nodes + of_nodes.reshape(nodes.shape)


def _curved(factor, gradient, first, exact, at_times, squares):
    """The Newton step: conjugate gradients from the Gauss-Newton step `first`, preconditioned by its factor.

    Added to the factor's matrix are exact, in the rows and columns of the times, from at_times on, and
    `squares` where there are some. They may leave it indefinite: where that shows, the step so far has to do
    (Steihaug 1983, doi 10.1137/0720042).
    """
    inner = slice(at_times, at_times + TIMES)
    step, left, wanted = np.zeros_like(first), -gradient, first
    along, pushed = first, left  # a direction, and the Gauss-Newton matrix times it
    size = left @ wanted
    enough = PRECISE**2 * size
    for _ in range(INNER):
        product = exact @ along[inner]
        product[inner] = exact.T @ along
        if squares:
            by_joints, by_muscles = squares
            times_squares(by_joints, by_muscles, along, product)
        product += pushed
        bent = along @ product
        if bent < POSITIVE * (along @ pushed):
            return step if step.any() else first
        step = step + size / bent * along
        left = left - size / bent * product
        wanted = factor.solve(left)
        size, before = left @ wanted, size
        if size < enough:
            break
        along, pushed = wanted + size / before * along, left + size / before * pushed
    return step


def _try(model, m, t, places, c, nodes, step, cost, promised, out):
    """Cost after a step, and the decrease as a share of what was promised."""
    times = places.times + step[c.size : c.size + TIMES]
    if times[0] < 0.3 * places.times[0] or abs(times[LATER]) > MOST * times[0]:
        return np.inf, -1.0
    places, c, nodes = _moved(places, c, nodes, step)
    if places.weight.min() < CLOSEST:
        return np.inf, -1.0
    trial = sweep(model, m, t, places, c, nodes, out, False)
    if not np.isfinite(trial):
        return np.inf, -1.0
    return trial, (cost - trial) / promised
