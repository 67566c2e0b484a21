"""From nothing, or from a neighbour, to a solved stride: the order of meshes, softness and weights.

Takes a model and what is weighed; gives the solver's last point. A high weight on hard forces right away,
or stiff ground under a poor guess, stalls the descent: so the ground is soft and the mesh coarse at first.
"""

from dataclasses import replace

import numpy as np

from bladerun.model import Model
from bladerun.stride import _terms
from bladerun.stride._dynamics import Links
from bladerun.stride._kernel import Terms
from bladerun.stride._solver import Point, minimise, updated

COARSE = 90  # knots of the first guess
# ground: share of its stiffness, smoothing [m], slip speed [m/s]; weight of the hard forces
SOFT = ((0.12, 0.030, 0.80, 3.0), (0.24, 0.015, 0.40, 6.0), (0.60, 0.008, 0.25, 10.0))
HARD = 30.0  # weight of the hard forces once multipliers carry them
TOLERANCE = (1e-4, 1e-5, 1e-7)  # before each move of the multipliers
LIMIT = 80  # iterations a stage


def cold(links: Links, model: Model, terms: Terms, hard: np.ndarray) -> Point:
    """From the reference motion."""
    coarse = _terms.terms(model, terms.speed, COARSE)
    scale, smoothing, slip, _ = SOFT[0]
    soft = coarse._replace(contact_scale=scale, smoothing=smoothing, slip_speed=slip)
    c = _terms.first_guess(links, _terms.passive_joints(model), model.mass_kg * links.gravity, soft)
    point = Point(c, coarse.time, np.zeros_like(c))
    for scale, smoothing, slip, weight in SOFT:
        soft = coarse._replace(contact_scale=scale, smoothing=smoothing, slip_speed=slip)
        point = minimise(links, soft, point, hard, weight, tolerance=1e-3, limit=LIMIT)
    point = resampled(point, len(terms.target))
    point = minimise(links, terms, point, hard, SOFT[-1][-1], tolerance=1e-4, limit=LIMIT)
    return warm(links, terms, point, hard)


def warm(links: Links, terms: Terms, point: Point, hard: np.ndarray) -> Point:
    """From a stride near by with its multipliers, until nobody holds the runner."""
    return _firm(links, terms, point, hard, TOLERANCE)


def resampled(point: Point, knots: int) -> Point:
    """The same motion and multipliers on another number of knots."""
    if len(point.c) == knots:
        return point
    old, new = np.arange(len(point.c) + 1) / len(point.c), np.arange(knots) / knots
    closed = np.vstack([point.multiplier, point.multiplier[:1]])
    multiplier = np.array([np.interp(new, old, row) for row in closed.T]).T
    return replace(point, c=_terms.resample(point.c, knots), multiplier=multiplier)


def _firm(links, terms, point, hard, tolerances):
    for stage, tolerance in enumerate(tolerances):
        if stage:
            point = updated(links, terms, point, hard)
        point = minimise(links, terms, point, hard, HARD, tolerance=tolerance, limit=LIMIT)
    return point
