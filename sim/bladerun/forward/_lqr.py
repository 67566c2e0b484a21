"""Small feedback that keeps a runner on a known stride: a periodic time-varying linear-quadratic regulator.

Takes the stride's motion and the solver's analytic derivatives of its dynamics; gives, for each knot, the
moments in the driven joints per deviation of position and velocity, to be held until the next knot.

With x = (dq, dv) and u = dtau of the driven joints, M da = u - tau_q dq - tau_v dv about the stride; this is
integrated over each knot interval, x[k+1] = A x[k] + B u[k], and the discrete periodic Riccati equation swept
backward until it repeats: Varga 2008 (doi 10.1002/nla.604).
"""

from collections.abc import Callable

import numpy as np
from scipy.linalg import cho_factor, cho_solve, expm

from bladerun._lib.data_files import toml
from bladerun.stride.dynamics.inverse_dynamics import motion
from bladerun.stride.dynamics.required_forces import required_forces
from bladerun.stride.dynamics.tree import External, Tree

Curve = Callable[[float], tuple[np.ndarray, np.ndarray, np.ndarray]]


def transitions(tree: Tree, external: External, curve: Curve, time: np.ndarray, driven: np.ndarray):
    """A (knots, 2n, 2n) and B (knots, 2n, m) from each knot to the next.

    external: what acts on the tree from outside, as on the stride. curve: t [s] -> q, v, a, (n,) each; time
    (knots + 1,) [s]: of the knots in its period, and of its end; driven (m,): indices of the joints with a
    motor.
    """
    n, m, pieces = len(tree.parent), len(driven), toml("replay.toml")["regulator"]["pieces"]
    knots = len(time) - 1
    A, B = np.tile(np.eye(2 * n), (knots, 1, 1)), np.zeros((knots, 2 * n, m))
    scratch, tau, by = motion(tree), np.zeros(n), np.zeros((3, n, n))
    rate = np.zeros((2 * n + m, 2 * n + m))  # d/dt (dq, dv, u)
    rate[:n, n : 2 * n] = np.eye(n)
    for k in range(knots):
        h = (time[k + 1] - time[k]) / pieces
        for piece in range(pieces):
            q, v, a = curve(time[k] + (piece + 0.5) * h)
            required_forces(tree, external, scratch, q, v, a, tau, True, *by)
            rate[n : 2 * n] = np.linalg.solve(by[2], np.hstack([-by[0], -by[1], np.eye(n)[:, driven]]))
            step = expm(h * rate)
            A[k] = step[: 2 * n, : 2 * n] @ A[k]
            B[k] = step[: 2 * n, : 2 * n] @ B[k] + step[: 2 * n, 2 * n :]
    return A, B


def gains(A: np.ndarray, B: np.ndarray, strength: np.ndarray) -> np.ndarray:
    """K (knots, m, 2n) of u = -K[k] x [Nm]; strength (m,) [Nm]: moment in whose share effort counts."""
    facts = toml("replay.toml")["regulator"]
    knots, states, m = B.shape
    Q = np.diag(np.repeat([facts["position"] ** -2, facts["velocity_s"] ** -2], states // 2))
    R = np.diag((facts["effort"] * strength) ** -2)
    P, K = Q, np.zeros((knots, m, states))
    for _ in range(facts["sweeps"]):
        before = K.copy()
        for k in reversed(range(knots)):
            PB = P @ B[k]
            K[k] = cho_solve(cho_factor(R + B[k].T @ PB), PB.T @ A[k])
            rest = A[k] - B[k] @ K[k]
            P = Q + rest.T @ P @ rest + K[k].T @ R @ K[k]
            P = (P + P.T) / 2
        if np.abs(K - before).max() < facts["settled"] * np.abs(K).max():
            break
    return K
