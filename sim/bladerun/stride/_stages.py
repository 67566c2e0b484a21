"""From nothing, or from a neighbour, to a solved stride: the order of meshes, softness and weights.

Takes a model and what is weighed; gives the solver's last point. A high weight on hard forces right away,
or stiff ground under a poor guess, stalls the descent: so the ground is soft and the mesh coarse at first.
"""

from dataclasses import replace

import numpy as np

from bladerun.model import Model
from bladerun.stride import _terms
from bladerun.stride._blocks import NODE
from bladerun.stride._contact import Ground
from bladerun.stride._kernel import Terms
from bladerun.stride._links import Links
from bladerun.stride._muscles import none_of
from bladerun.stride._recruit import recruited
from bladerun.stride._solver import Point, at_knots, minimise, updated

CALM = 4e-5  # s^3/rad, weight of jerk in the first guess: it smooths what is still far from running
HELD = 2000.0  # 1/s, weight that holds landings at the reference's while the ground is soft, and so higher,
# and contacts unstretched while no toe-off is tied to a knot
# s by which feet land later in the first guess than the reference's do: a foot that lands while it still
# swings forward slides, and stays in a gait that is up to 4 % dearer
LATE = 0.01
COARSE = 90  # knots of the first guess
# ground and weight of the hard forces on the way to the real ones
SOFT = (
    (Ground(0.030, 0.80, 150.0, 0.12), 3.0),
    (Ground(0.015, 0.40, 150.0, 0.24), 6.0),
    (Ground(0.008, 0.25, 150.0, 0.60), 10.0),
)
ROUGH = 3e-3  # relative decrease that ends a first guess
# weight of the hard forces and tolerance before each move of the multipliers; from the third on if needed
# (with 30 throughout, strides ended up to 0.15 % short of their objective, by the way that they came)
PASSES = ((100.0, 1e-4), *((500.0 * 3**i, 5e-6) for i in range(4)))
ENOUGH = 7e-4  # body weights left on the pelvis
CAREFUL = 30.0  # damping at first where a start may stand in the ground: the nearest stride that does not
GENTLE = 3.0  # where it stands on it
RELIEVED = 10.0  # where muscles have just taken over
RESUME = 0.1  # damping after the multipliers have moved
LIMIT = 100  # iterations a stage


def cold(links: Links, model: Model, terms: Terms, hard: np.ndarray) -> Point:
    """From the reference motion: motors first, which muscles then relieve."""
    point = _driven(links, model, terms)
    if terms.muscles.count:
        point = replace(recruited(links, terms, point), damping=RELIEVED)
        point = minimise(links, terms, point, hard, SOFT[-1][-1], tolerance=ROUGH, limit=LIMIT)
    # twice: some settle on a saddle, up to 0.7 % dearer than a stride 10 mrad away
    return warm(links, terms, warm(links, terms, point, hard), hard)


def _driven(links, model, terms):
    """A stride moved by motors, from the reference motion."""
    motors = none_of(terms.muscles)
    hard = _terms.hard_joints(model, motors)
    coarse = _terms.terms(model, terms.speed, COARSE, motors)
    coarse = coarse._replace(
        jerk_weight=np.full_like(coarse.jerk_weight, CALM),
        times_weight=np.where(coarse.times_weight > 0, coarse.times_weight, HELD),
        edge_weight=0.0,
        times=coarse.times + np.array([0.0, LATE, 0.0, 0.0, 0.0]),
    )
    soft = coarse._replace(ground=SOFT[0][0])
    c = _terms.first_guess(links, _terms.passive_joints(model), model.mass_kg * links.gravity, soft)
    point = Point(c, coarse.times, np.zeros_like(c), np.zeros((COARSE // NODE, 0)))
    for ground, weight in SOFT:
        soft = coarse._replace(ground=ground)
        point = minimise(links, soft, point, hard, weight, tolerance=ROUGH, limit=LIMIT)
    point = replace(resampled(point, len(terms.multiplier)), damping=CAREFUL)
    fine = _terms.terms(model, terms.speed, len(terms.multiplier), motors)
    tolerance = ROUGH if terms.muscles.count else 1e-4
    return minimise(links, fine, point, hard, SOFT[-1][-1], tolerance=tolerance, limit=LIMIT)


def warm(links: Links, terms: Terms, point: Point, hard: np.ndarray) -> Point:
    """From a stride near by with its multipliers, until nobody holds the runner."""
    point = replace(point, damping=GENTLE)
    for weight, tolerance in PASSES:
        point = minimise(links, terms, point, hard, weight, tolerance=tolerance, limit=LIMIT)
        if tolerance == PASSES[-1][1] and point.quiet and _left(links, terms, point) < ENOUGH:
            break
        point = replace(updated(links, terms, point, hard), damping=RESUME)
    return point


def resampled(point: Point, knots: int) -> Point:
    """The same motion and multipliers on another number of knots."""
    if len(point.c) == knots:
        return point
    return replace(
        point,
        c=_terms.resample(point.c, knots),
        multiplier=_between(point.multiplier, knots),
        activation=_between(point.activation, knots // NODE),
        squares=None,
    )


def _between(values, count):
    """Periodic samples (., x) at `count` places, along straight lines."""
    closed = np.vstack([values, values[:1]])
    old, new = np.arange(len(closed)) / len(values), np.arange(count) / count
    found = np.empty((count, values.shape[1]))
    for column, sampled in zip(closed.T, found.T, strict=True):
        sampled[:] = np.interp(new, old, column)
    return found


def _left(links, terms, point):
    """Greatest force on the pelvis that nobody gives, in body weights."""
    return np.abs(at_knots(links, terms, point).tau[:, :3] / terms.force_scale[:3, 1]).max()
