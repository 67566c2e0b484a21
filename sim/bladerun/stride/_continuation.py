"""Continuation: from nothing, or from a neighbour, to a solved stride; the order of meshes, softness,
weights.

Takes a `Problem`; gives the solver's last point. A high weight on residual forces right away, or stiff ground
under a poor guess, stalls the descent: so the ground is soft and the mesh coarse at first.
"""

from dataclasses import replace

import numpy as np

from bladerun.environment import Ground
from bladerun.options import FirstSteps, NewtonOptions
from bladerun.stride._first_guess import first_guess, straight_legs, swinging
from bladerun.stride._static_optimisation import recruited
from bladerun.stride.cost import clearance
from bladerun.stride.motion import resample
from bladerun.stride.problem import Problem
from bladerun.stride.solver import Point, at_knots, minimise, updated
from bladerun.stride.transcription.blocks import NODE


def first_guesses(problem: Problem) -> tuple[float, ...]:
    """Abduction in swing [rad] of a straight leg in each first guess that is worth a way of its own.

    Such a leg passes the ground round or over it, and either ends where the other does not come from.
    """
    return (0.0, problem.options.continuation.swing_round_rad) if straight_legs(problem) else (0.0,)


def slower_m_s(problem: Problem) -> float | None:
    """Speed of a stride to start this one from; None where the reference leads there as well.

    Two knees that nothing but the hips moves leave the motion far from any reference; on two straight legs
    the ways from the reference end in cheaper strides. How the runner runs holds near the speed where it was
    measured, so with it there is no slower one.
    """
    own, speed_m_s = problem.options.continuation, problem.task.speed_m_s
    if len(swinging(problem.arrays.tree.laws)) < 2 or problem.own is not None:
        return None
    if speed_m_s <= own.two_knees_from_m_s:
        return None
    return max(speed_m_s - own.two_knees_step_m_s, own.two_knees_from_m_s)


def cold(problem: Problem, swing_round_rad: float = 0.0) -> Point:
    """From the reference motion: motors first, which muscles then relieve."""
    own, point = problem.options.continuation, _by_motors(problem, swing_round_rad)
    if problem.arrays.muscles.count:
        point = replace(recruited(problem, point), damping=own.damping_muscles)
        point = _begin(_alike(problem), point, own.soft[-1].weight, own.first_tolerance)
    point = replace(point, damping=own.damping_neighbour)
    point = _begin(problem, point, own.passes[0].weight, own.settled_tolerance)
    point = warm(problem, point, own.first_steps)
    # twice: some settle on a saddle, up to 0.7 % dearer than a stride 10 mrad away
    return warm(problem, point)


def warm(problem: Problem, point: Point, steps: FirstSteps | None = None) -> Point:
    """From a stride near by with its multipliers, until residual forces are gone; steps: other than usual."""
    own = problem.options.continuation
    usual = problem.options.newton if steps is None else _cautious(problem, steps)
    point = replace(point, damping=own.damping_neighbour)
    for number, (weight, tolerance, quiet_steps) in enumerate(own.passes, 1):
        newton = replace(usual, quiet_steps=quiet_steps)
        point = _descend(problem, newton, point, weight, tolerance)
        if number >= own.passes_at_least and point.quiet and _left(problem, point) < own.residual_bw:
            break
        point = replace(updated(problem.arrays, point), damping=own.damping_resumed)
    return point


def _by_motors(problem: Problem, swing_round_rad: float) -> Point:
    """A stride moved by motors, from the reference motion."""
    own, knots = problem.options.continuation, problem.knots
    coarse = _held(_alike(problem.by_motors(own.first_knots)))
    grounds = [Ground(*stage[:3], stiffness=stage.stiffness) for stage in own.soft]
    c = first_guess(coarse.on(grounds[0]), swing_round_rad)
    times = coarse.arrays.terms.stride_time.prior
    point = Point(
        c, times, np.zeros_like(c), np.zeros((own.first_knots // NODE, 0)), damping=own.damping_first
    )
    for ground, stage in zip(grounds, own.soft, strict=True):
        point = _begin(coarse.on(ground), point, stage.weight, own.first_tolerance)
    point = replace(resampled(point, knots), damping=own.damping_refined)
    tolerance = own.first_tolerance if problem.arrays.muscles.count else own.settled_tolerance
    return _begin(_alike(problem.by_motors(knots)), point, own.soft[-1].weight, tolerance)


def _alike(problem: Problem) -> Problem:
    """The same with each step held to the reference's bounce by itself."""
    return problem.with_terms(bounce=problem.arrays.terms.bounce._replace(apart=1.0))


def _held(coarse: Problem) -> Problem:
    """A first problem: smooth, feet lifted, with landings and the mesh held near the reference's."""
    own, terms = coarse.options.continuation, coarse.arrays.terms
    usual = coarse.cost.clearance
    lifted = replace(
        usual,
        height_m=own.first_clearance_m,
        weight_m=own.first_clearance_1_m,
        swing=(own.first_swing_from, usual.swing[1]),
    )
    weight = np.where(terms.stride_time.weight > 0, terms.stride_time.weight, own.first_hold_1_s)
    return coarse.with_terms(
        jerk=terms.jerk._replace(weight=np.full_like(terms.jerk.weight, own.first_jerk_s3_rad)),
        contact_edges=terms.contact_edges._replace(weight=0.0),
        clearance=clearance.prepare(coarse.model, coarse.arrays.tree, lifted, coarse.knots),
        stride_time=terms.stride_time._replace(weight=weight),
    )


def _begin(problem: Problem, point: Point, weight: float, tolerance: float) -> Point:
    """A descent before the multipliers have moved, by the cautious steps of a beginning."""
    newton = _cautious(problem, problem.options.continuation.first_steps)
    return _descend(problem, newton, point, weight, tolerance)


def _cautious(problem: Problem, steps: FirstSteps) -> NewtonOptions:
    return replace(problem.options.newton, **steps._asdict())


def _descend(problem: Problem, newton: NewtonOptions, point: Point, weight: float, tolerance: float) -> Point:
    limit = problem.options.continuation.steps_a_stage
    return minimise(problem.arrays, newton, point, weight, tolerance=tolerance, limit=limit)


def resampled(point: Point, knots: int) -> Point:
    """The same motion and multipliers on another number of knots."""
    if len(point.c) == knots:
        return point
    return replace(
        point,
        c=resample(point.c, knots),
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


def _left(problem: Problem, point: Point) -> float:
    """Greatest residual force on the pelvis, in body weights."""
    return float(np.abs(at_knots(problem.arrays, point).tau[:, :3]).max() / problem.weight_n)
