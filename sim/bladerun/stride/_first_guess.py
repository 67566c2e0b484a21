"""A first guess of a stride: reference running, as high as lets the ground carry the weight.

Takes a `Problem`; gives control points.
"""

import numpy as np

from bladerun.stride.cost.look_up import look_up
from bladerun.stride.dynamics.inverse_dynamics import motion
from bladerun.stride.dynamics.passive import DAMPER, Laws
from bladerun.stride.dynamics.required_forces import required_forces
from bladerun.stride.motion import control_points
from bladerun.stride.problem import Problem
from bladerun.stride.transcription.mesh import mesh

_SWING = (0.36, 0.96)  # share of the knots from a foot's touchdown between which it is in the air


def straight_legs(problem: Problem) -> tuple[str, ...]:
    """Sides on which nothing bends at the knee: "left", "right"."""
    joints = problem.joints
    units = np.setdiff1d(np.flatnonzero(joints.of(part="knee unit")), swinging(problem.arrays.tree.laws))
    return tuple(joints.side[knee] for knee in units)


def first_guess(problem: Problem, swing_round_rad: float = 0.0) -> np.ndarray:
    """Control points (N, n) of the reference motion, as high as lets the ground carry the weight.

    Passive joints give way as their springs do under the ground's force in each posture, so that a blade
    stands compressed and a longer leg does not carry everything. A prosthetic knee, which no spring holds, is
    straight where a knee bears load and bends in swing.

    swing_round_rad: abduction in swing of a leg that cannot bend, which else goes through the ground.
    """
    arrays, joints = problem.arrays, problem.joints
    m, target = motion(arrays.tree), reference_at_knots(problem)
    n = target.shape[1]
    poses, work = target.copy(), np.zeros((3, n, n))
    swings = swinging(arrays.tree.laws)
    for joint in swings:
        target[:, joint] = poses[:, joint] = _beyond_stance(target[:, joint])
    for side in straight_legs(problem):
        hip = joints.name.index(f"hip_adduction_{side[0]}")
        target[:, hip] = poses[:, hip] = target[:, hip] - swing_round_rad * _in_swing(side, len(target))
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


def swinging(laws: Laws) -> np.ndarray:
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


def _in_swing(side: str, knots: int) -> np.ndarray:
    """(N,) 0 while this foot is down, 1 in the middle of its swing."""
    since = (np.arange(knots) / knots - (0.5 if side == "left" else 0.0)) % 1.0
    inside = np.clip((since - _SWING[0]) / (_SWING[1] - _SWING[0]), 0.0, 1.0)
    return np.sin(np.pi * inside) ** 2


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
