"""Muscles that give the moments of a torque-driven stride: where a muscle-driven one begins.

Takes a point solved with motors and the `Terms` with muscles; gives the point with series springs stretched
by the load they carry, and at each node the activations of least effort (static optimisation).
"""

from dataclasses import replace

import numpy as np
from scipy.optimize import lsq_linear

from bladerun.stride._blocks import NODE
from bladerun.stride._kernel import Terms
from bladerun.stride._links import Links
from bladerun.stride._solver import Point
from bladerun.stride._tension import add_muscles, tension
from bladerun.stride._terms import at_points, control_points, required

LEAST_N = 50.0  # a series spring is never quite slack: muscles keep a tone


def recruited(links: Links, terms: Terms, point: Point) -> Point:
    """The point with activations (G, M); its motion changes in the joints that series springs stretch."""
    q, v, a = at_points(point.c, point.times, terms.speed)
    motors = required(links, terms.ground, q, v, a)
    c = point.c.copy()
    for spring in range(len(terms.muscles.rest)):
        joint, path = _stretched(links, terms, spring, q, motors)
        c[:, joint] = control_points(path[:, None])[:, 0]
    q, v, a = at_points(c, point.times, terms.speed)
    need = required(links, terms.ground, q, v, a)
    rows, M = terms.muscles.rows, terms.muscles.count
    weight = terms.force_weight[rows] / terms.force_scale[rows, 1]
    nodes = np.zeros((len(c) // NODE, M))
    for j in range(len(nodes)):
        rest, by_a, _ = _pull(terms, q[NODE * j], v[NODE * j], np.zeros(M))
        A = np.vstack([weight[:, None] * by_a, np.diag(terms.effort_weight)])
        b = np.append(-weight * (need[NODE * j] + rest)[rows], np.zeros(M))
        nodes[j] = lsq_linear(A, b, (0.0, 1.0)).x
    return replace(point, c=c, activation=nodes, squares=None)


def _pull(terms, q, v, activation):
    """What muscles leave of nothing (n,), its slope in activation (r, M), and the paths they pull along."""
    n, scratch = len(q), tension(terms.muscles)
    held, by_q, by_v = np.zeros(n), np.zeros((n, n)), np.zeros((n, n))
    by_a = np.zeros((len(terms.muscles.rows), terms.muscles.count))
    add_muscles(terms.muscles, scratch, activation, q, v, held, True, by_q, by_v, by_a)
    return held, by_a, scratch


def _stretched(links, terms, spring, q, motors):
    """The slide that a series spring hangs on, and its positions (N,) under the moment that motors gave."""
    muscles = terms.muscles
    at = int(np.flatnonzero(muscles.path == muscles.count + spring)[0])
    group = int(np.searchsorted(muscles.first, at, side="right")) - 1
    joints = muscles.joints[group, : muscles.span[group]]
    slide = next(i for i, j in enumerate(joints) if links.slide[j])
    hinge = next(i for i, j in enumerate(joints) if not links.slide[j])
    still, none = np.zeros(q.shape[1]), np.zeros(muscles.count)
    k = muscles.stiffness[spring]
    path = np.zeros(len(q))
    for knot in range(len(q)):
        pose = q[knot].copy()
        for _ in range(4):
            shape = _pull(terms, pose, still, none)[2].shape[at]
            force = max(LEAST_N, -motors[knot, joints[hinge]] / shape[1 + hinge])
            stretch = np.roots([k[2], k[1], k[0], -force])
            stretch = stretch[(np.abs(stretch.imag) < 1e-12) & (stretch.real > 0)].real.min()
            pose[joints[slide]] += (muscles.rest[spring] + stretch - shape[0]) / shape[1 + slide]
        path[knot] = pose[joints[slide]]
    return joints[slide], path
