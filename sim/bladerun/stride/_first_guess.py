"""A first guess of a stride: reference running, as high as lets the ground carry the weight.

Takes a `Problem`; gives control points.
"""

from collections.abc import Iterator

import numpy as np

from bladerun.body.joints import Joints
from bladerun.stride.cost.look_up import look_up
from bladerun.stride.dynamics.inverse_dynamics import motion
from bladerun.stride.dynamics.passive import DAMPER, Laws
from bladerun.stride.dynamics.required_forces import required_forces
from bladerun.stride.motion import control_points
from bladerun.stride.problem import Problem
from bladerun.stride.transcription.mesh import mesh

_SWING = (0.36, 0.96)  # share of the knots from a foot's touchdown between which it is in the air
_ROUND_RAD = 0.18  # abduction by which a straight leg passes the ground, no lower than the sound one


def first_guess(problem: Problem) -> np.ndarray:
    """Control points (N, n) of the reference motion, as high as lets the ground carry the weight.

    Passive joints give way as their springs do under the ground's force in each posture, so that a blade
    stands compressed and a longer leg does not carry everything. A prosthetic knee, which no spring holds, is
    straight where a knee bears load and bends in swing; a leg that cannot bend swings round, or its first
    height would be that at which it bears load on its way through the ground.
    """
    arrays, joints = problem.arrays, problem.joints
    m, target = motion(arrays.tree), reference_at_knots(problem)
    n = target.shape[1]
    poses, work = target.copy(), np.zeros((3, n, n))
    swings = _swinging(arrays.tree.laws)
    for joint in swings:
        target[:, joint] = poses[:, joint] = _beyond_stance(target[:, joint])
    for hip, outward in _swinging_round(joints, swings, len(target)):
        target[:, hip] -= outward
        poses[:, hip] -= outward
    passive = joints.of(role="passive") & ~joints.of(part="tendon")
    index = np.setdiff1d(np.flatnonzero(passive), swings)
    low, high = -0.4, 0.4  # m about standing height: a runner's pelvis is never further off
    for _ in range(14):
        middle = (low + high) / 2
        carried = 0.0
        for q, pose in zip(target, poses, strict=True):
            pose[2] = q[2] + middle
            carried += _settle(arrays.tree, arrays.external, m, pose, index, work)
        low, high = (middle, high) if carried / len(poses) > problem.weight_n else (low, middle)
    return control_points(poses)


def reference_at_knots(problem: Problem) -> np.ndarray:
    """(N, n) reference running at the knots, at its own times."""
    terms = problem.arrays.terms
    found = np.empty((problem.knots, 4, len(problem.joints.name)))
    for phase, out in zip(mesh(problem.knots, terms.stride_time.prior).phase, found, strict=True):
        look_up(terms.tracking.reference, phase, out)
    return found[:, 0]


def _swinging(laws: Laws) -> np.ndarray:
    """Joints that a hydraulic damper slows and no spring brings to rest."""
    return np.unique(laws.joint[laws.kind == DAMPER])


def _beyond_stance(knee: np.ndarray) -> np.ndarray:
    """(N,) the reference's knee, straight as long as it bends no more than in the loaded half of a stride.

    Its flexion has two waves, of stance and of swing; what is left is the second, as high as it was.
    """
    waves = np.flatnonzero((knee > np.roll(knee, 1)) & (knee >= np.roll(knee, -1)))
    swing = knee.max()
    stance = sorted(knee[waves])[-2] if len(waves) > 1 else knee.min()
    return np.maximum(knee - stance, 0.0) * swing / (swing - stance)


def _swinging_round(joints: Joints, swings: np.ndarray, knots: int) -> Iterator[tuple[int, np.ndarray]]:
    """Hips over a knee unit that does not bend, and their abduction (N,) in swing, rad."""
    stiff = np.setdiff1d(np.flatnonzero(joints.of(part="knee unit")), swings)
    for side in {joints.side[knee] for knee in stiff}:
        since = (np.arange(knots) / knots - (0.5 if side == "left" else 0.0)) % 1.0
        inside = np.clip((since - _SWING[0]) / (_SWING[1] - _SWING[0]), 0.0, 1.0)
        yield joints.name.index(f"hip_adduction_{side[0]}"), _ROUND_RAD * np.sin(np.pi * inside) ** 2


def _settle(tree, external, m, q, index, work):
    """Move the joints `index` of q (n,) to rest between springs and ground; gives the vertical force."""
    still, tau = np.zeros(len(q)), np.zeros(len(q))
    for _ in range(12):
        required_forces(tree, external, m, q, still, still, tau, True, *work)
        if not len(index):
            break
        step = np.linalg.solve(work[0][np.ix_(index, index)], -tau[index])
        largest = np.abs(step).max()
        q[index] += step * 0.1 / max(largest, 0.1)
        if largest < 1e-3:
            break
    return m.sphere_force[:, 2].sum()
