"""Muscles that give the moments of a torque-driven stride: where a muscle-driven one begins.

Takes a point solved with motors and the `Problem` with muscles; gives the point with series springs stretched
by the load they carry, and at each node the activations of least effort (static optimisation).
"""

from dataclasses import replace

import numpy as np
from scipy.optimize import lsq_linear

from bladerun.stride.dynamics.muscle_forces import add_muscles, tension
from bladerun.stride.dynamics.required_forces import required
from bladerun.stride.motion import at_points, control_points
from bladerun.stride.problem import Problem
from bladerun.stride.solver import Point
from bladerun.stride.sweep import Arrays
from bladerun.stride.transcription.blocks import NODE

LEAST_N = 50.0  # a series spring is never quite slack: muscles keep a tone


def recruited(problem: Problem, point: Point) -> Point:
    """The point with activations (G, M); its motion changes in the joints that series springs stretch."""
    arrays = problem.arrays
    tree, muscles = arrays.tree, arrays.muscles
    q, v, a = at_points(point.c, point.times, arrays.speed)
    motors = required(tree, arrays.external, q, v, a).tau
    c = point.c.copy()
    for spring in range(len(muscles.rest)):
        joint, path = _stretched(tree, muscles, spring, q, motors)
        c[:, joint] = control_points(path[:, None])[:, 0]
    q, v, a = at_points(c, point.times, arrays.speed)
    need = required(tree, arrays.external, q, v, a).tau
    weight, effort = _weights(arrays), arrays.terms.effort.weight
    nodes = np.zeros((len(c) // NODE, muscles.count))
    for j in range(len(nodes)):
        rest, by_a, _ = _muscle_moments(muscles, q[NODE * j], v[NODE * j], np.zeros(muscles.count))
        A = np.vstack([weight[:, None] * by_a, np.diag(effort)])
        b = np.append(-weight * (need[NODE * j] + rest)[muscles.rows], np.zeros(muscles.count))
        nodes[j] = lsq_linear(A, b, (0.0, 1.0)).x
    return replace(point, c=c, activation=nodes, squares=None)


def _weights(arrays: Arrays) -> np.ndarray:
    """(r,) weight on what muscles leave in the joints that they span."""
    weight, terms = np.zeros(len(arrays.tree.parent)), arrays.terms
    residual, reserve = terms.residual_forces, terms.reserves
    weight[residual.joint] = residual.weight / residual.scale
    weight[reserve.joint] = reserve.weight / reserve.scale[:, 1]
    return weight[arrays.muscles.rows]


def _muscle_moments(muscles, q, v, activation):
    """What muscles leave of nothing (n,), its slope in activation (r, M), and the paths they pull along."""
    n, scratch = len(q), tension(muscles)
    held, by_q, by_v = np.zeros(n), np.zeros((n, n)), np.zeros((n, n))
    by_a = np.zeros((len(muscles.rows), muscles.count))
    add_muscles(muscles, scratch, activation, q, v, held, True, by_q, by_v, by_a)
    return held, by_a, scratch


def _stretched(tree, muscles, spring, q, motors):
    """The slide that a series spring hangs on, and its positions (N,) under the moment that motors gave."""
    at = int(np.flatnonzero(muscles.path == muscles.count + spring)[0])
    group = int(np.searchsorted(muscles.first, at, side="right")) - 1
    joints = muscles.joints[group, : muscles.span[group]]
    slide = next(i for i, j in enumerate(joints) if tree.slide[j])
    hinge = next(i for i, j in enumerate(joints) if not tree.slide[j])
    still, none = np.zeros(q.shape[1]), np.zeros(muscles.count)
    k = muscles.stiffness[spring]
    path = np.zeros(len(q))
    for knot in range(len(q)):
        pose = q[knot].copy()
        for _ in range(4):
            shape = _muscle_moments(muscles, pose, still, none)[2].shape[at]
            force = max(LEAST_N, -motors[knot, joints[hinge]] / shape[1 + hinge])
            stretch = np.roots([k[2], k[1], k[0], -force])
            stretch = stretch[(np.abs(stretch.imag) < 1e-12) & (stretch.real > 0)].real.min()
            pose[joints[slide]] += (muscles.rest[spring] + stretch - shape[0]) / shape[1 + slide]
        path[knot] = pose[joints[slide]]
    return joints[slide], path
