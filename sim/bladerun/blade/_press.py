"""The virtual materials tester: a chain in MuJoCo, clamped, its sole on a frictionless plane that rises.

Takes a `Chain` and the angle of the test; gives equilibria (and steps of motion) found by Newton's method on
MuJoCo's own inverse dynamics and kinematics.
"""

from typing import Any

import mujoco
import numpy as np

from bladerun.blade.chain import Chain, add_chain, bend_joints, sole_points

_POINTS = 240  # along the sole
_ROUND_M = 2e-5  # softness of the minimum over them, numerical
_TOLERANCE = 1e-9


class Press:
    """Clamps a chain, its top leaning back by ``angle_deg`` (toe ahead); no gravity, as a tared tester."""

    def __init__(self, chain: Chain, *, angle_deg: float = 0.0, relaxation_s: float = 0.0):
        spec = mujoco.MjSpec()
        spec.option.gravity = [0, 0, 0]
        self._tilt = np.radians(angle_deg)
        quat = [np.cos(self._tilt / 2), 0, -np.sin(self._tilt / 2), 0]
        add_chain(
            spec.worldbody,
            chain,
            suffix="r",
            relaxation_s=relaxation_s,
            contact=[0, 0, 0],
            pos=[0, 0, 0],
            quat=quat,
        )
        self.model = m = spec.compile()
        self.data = mujoco.MjData(m)
        owner, self._place = sole_points(chain, _POINTS)
        self._body = 1 + owner
        depth = np.array([sum(m.dof_bodyid[j] <= b for j in range(m.nv)) for b in self._body])
        self._moves = np.arange(m.nv) < depth[:, None]
        self._bends = [m.joint(name).id for name in bend_joints(chain, "r")]
        self.unloaded_m = self.lowest(np.zeros(m.nv))[0]

    def lowest(self, q: np.ndarray) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
        """Height of the sole's lowest point, its gradient (nv,), Hessian (nv, nv), weights of the points."""
        d, p = self.data, self._sole(q)
        low = p[:, 2].min()
        weight = np.exp((low - p[:, 2]) / _ROUND_M)
        total = weight.sum()
        weight /= total
        lever = self._levers(p)
        up = lever[:, :, 2]
        gradient = weight @ up
        mean = np.einsum("p,pjk->jk", weight, lever)
        # d2z/dq_a dq_b = axis_a x (axis_b x r) for a before b: only the lever of the later joint turns.
        turn = np.cross(d.xaxis[:, None], mean[None])[:, :, 2]
        hessian = np.triu(turn) + np.triu(turn, 1).T
        hessian -= ((up * weight[:, None]).T @ up - np.outer(gradient, gradient)) / _ROUND_M
        return low - _ROUND_M * np.log(total), gradient, hessian, weight

    def equilibrium(
        self,
        q,
        force_n: float,
        *,
        rise_m: float | None = None,
        rate_s: float = 0.0,
        v0: Any = 0.0,
        a0: Any = 0.0,
    ) -> tuple[np.ndarray, float]:
        """Joint angles (nv,) and force where the blade is in balance, from a guess ``q``, ``force_n``.

        The force is held, or with ``rise_m`` the plane. A step of motion has v = rate_s q + v0 and
        a = rate_s^2 q + a0. Raises `ArithmeticError` when Newton's method does not settle.
        """
        m, d = self.model, self.data
        mass = np.zeros((m.nv, m.nv))
        q = np.array(q, float)
        for _ in range(60):
            height, gradient, hessian, _ = self.lowest(q)
            d.qvel[:] = rate_s * q + v0
            d.qacc[:] = rate_s**2 * q + a0
            mujoco.mj_inverse(m, d)
            residual = d.qfrc_inverse - force_n * gradient
            tangent = np.diag(m.jnt_stiffness + rate_s * m.dof_damping) - force_n * hessian
            if rate_s:
                mujoco.mj_fullM(m, d, mass)
                tangent += rate_s**2 * mass
            if rise_m is None:
                step, gain = np.linalg.solve(tangent, -residual), 0.0
            else:
                system = np.block([[tangent, -gradient[:, None]], [gradient[None], np.zeros((1, 1))]])
                gap = self.unloaded_m + rise_m - height
                *step, gain = np.linalg.solve(system, np.r_[-residual, gap])
            scale = min(1.0, 0.05 / np.abs(step).max()) if np.any(step) else 1.0
            q += scale * np.asarray(step)
            force_n += scale * gain
            if np.abs(step).max() < _TOLERANCE:
                return q, float(force_n)
        raise ArithmeticError("the blade on the bench found no balance: load it less")

    def rise_m(self, q: np.ndarray) -> float:
        """How far the plane has risen since it touched the unloaded sole."""
        return self.lowest(q)[0] - self.unloaded_m

    def flexibility_m_n(self) -> np.ndarray:
        """Small travel (forward, along) of the unloaded blade's contact for unit forces there, (2, 2), in the
        clamp's axes."""
        q = np.zeros(self.model.nv)
        weight = self.lowest(q)[3]
        moves = np.einsum("p,pjk->kj", weight, self._levers(self._sole(q)))[[0, 2]]
        moves = self.in_clamps_axes(*moves)
        return moves / self.model.jnt_stiffness @ moves.T

    def in_clamps_axes(self, along_plane: Any, rise: Any) -> np.ndarray:
        """Forward of and along the clamp, (2, ...), what is along and normal to the plane."""
        cos, sin = np.cos(self._tilt), np.sin(self._tilt)
        return np.array([cos * along_plane + sin * rise, cos * rise - sin * along_plane])

    def load(self, peak_n: float, steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Slow loading to ``peak_n``: travel of the plane and of the sole along it (steps + 1,) in m, forces
        in N, and the bends at the peak (n,) in rad.

        The sole's travel is that of a plate on rollers: what touches carries it along and rolls on it. The
        tip would show less, as it turns up and back.
        """
        forces = np.linspace(0, peak_n, steps + 1)
        q = before = np.zeros(self.model.nv)
        travel, slide = [0.0], [0.0]
        touching, sole = self.lowest(q)[3], self._sole(q)
        for force in forces[1:]:
            guess = 2 * q - before
            before = q
            q, _ = self.equilibrium(guess, force)
            travel.append(self.rise_m(q))
            touched, was = touching, sole
            touching, sole = self.lowest(q)[3], self._sole(q)
            slide.append(slide[-1] + float((touched + touching) / 2 @ (sole - was)[:, 0]))
        return np.array(travel), np.array(slide), forces, q[self._bends]

    def half_cycle(self, peak_n: float, duration_s: float, steps: int = 100) -> tuple[np.ndarray, np.ndarray]:
        """Travel of the plane (steps + 1,) m under a force peak_n sin(pi t / duration), and that force.

        Full dynamics of the chain, backward differences of second order in time.
        """
        dt = duration_s / steps
        forces = peak_n * np.sin(np.pi * np.linspace(0, 1, steps + 1))
        q = q_before = v = v_before = np.zeros(self.model.nv)
        travel = [0.0]
        for force in forces[1:]:
            v0 = (q_before - 4 * q) / (2 * dt)
            a0 = 1.5 / dt * v0 + (v_before - 4 * v) / (2 * dt)
            new, _ = self.equilibrium(2 * q - q_before, force, rate_s=1.5 / dt, v0=v0, a0=a0)
            q, q_before, v, v_before = new, q, 1.5 / dt * new + v0, v
            travel.append(self.rise_m(q))
        return np.array(travel), forces

    def _sole(self, q: np.ndarray) -> np.ndarray:
        """Where the sole's points are, (points, 3)."""
        m, d = self.model, self.data
        d.qpos[:] = q
        mujoco.mj_kinematics(m, d)
        return d.xpos[self._body] + np.einsum("pij,pj->pi", d.xmat.reshape(-1, 3, 3)[self._body], self._place)

    def _levers(self, sole: np.ndarray) -> np.ndarray:
        """How the joints move the sole's points where these are, (points, nv, 3)."""
        d = self.data
        return np.cross(d.xaxis, sole[:, None] - d.xanchor) * self._moves[:, :, None]


def loss_fraction(travel_m: np.ndarray, force_n: np.ndarray) -> float:
    """Share of the work put in while the travel grew that does not come back."""
    work = np.diff(travel_m) * (force_n[1:] + force_n[:-1]) / 2
    return float(work.sum() / work[work > 0].sum())
