"""The simplest runner there is: a point mass that bounces once on a massless spring.

Takes how it lands; gives one contact. The foot stands where it landed and does not roll; there are no hip
muscles, no second leg, nothing is lost. Blickhan 1989 (doi 10.1016/0021-9290(89)90224-8).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.integrate import solve_ivp

GRAVITY_M_S2 = 9.81


class Contact(NamedTuple):
    """One contact; arrays run over time (n,). x forward from the foot, z up."""

    time_s: np.ndarray
    x_m: np.ndarray
    z_m: np.ndarray
    force_n: np.ndarray  # (n, 2) forward, up: of the ground on the runner
    energy_j: np.ndarray  # in the spring
    velocity_m_s: np.ndarray  # (n, 2)
    deepest: int  # index of greatest compression

    @property
    def sweet_spot_offset_m(self) -> float:
        """Foot minus mass at greatest compression, forward positive; 0 = the spring stands under the mass."""
        return -float(self.x_m[self.deepest])

    @property
    def recoil_direction_deg(self) -> float:
        """Angle of the impulse from greatest compression to toe-off: 90 straight up, below 90 forward."""
        late = slice(self.deepest, None)
        forward, up = np.trapezoid(self.force_n[late], self.time_s[late], axis=0)
        return float(np.degrees(np.arctan2(up, forward)))


def bounce(
    landing_offset_m: float,
    *,
    mass_kg: float,
    leg_m: float,
    stiffness_n_m: float,
    speed_m_s: float,
    fall_m_s: float,
) -> Contact:
    """Land with the foot this far ahead of the mass, run over the spring, take off when it is as long again.

    speed_m_s forward and fall_m_s downward, both positive, at touchdown. Raises ValueError where the mass
    falls to the ground or never leaves it within a second.
    """

    def push(state: np.ndarray) -> np.ndarray:
        length = np.hypot(state[0], state[1])
        return stiffness_n_m * max(leg_m - length, 0.0) * state[:2] / length

    def motion(_, state):
        return np.r_[state[2:], push(state) / mass_kg - [0.0, GRAVITY_M_S2]]

    def toe_off(_, state):
        return np.hypot(state[0], state[1]) - leg_m

    def fallen(_, state):
        return state[1] - 0.3 * leg_m

    toe_off.direction = 1
    toe_off.terminal = fallen.terminal = True
    height = np.sqrt(leg_m**2 - landing_offset_m**2)
    start = [-landing_offset_m, height, speed_m_s, -fall_m_s]
    run = solve_ivp(motion, (0, 1), start, events=(toe_off, fallen), rtol=1e-9, atol=1e-9, dense_output=True)
    if not len(run.t_events[0]):
        raise ValueError(f"a foot {landing_offset_m:g} m ahead does not carry this runner")
    time = np.linspace(0, run.t[-1], 400)
    states = run.sol(time)
    stretch = np.maximum(leg_m - np.hypot(states[0], states[1]), 0.0)
    force = np.array([push(state) for state in states.T])
    energy = 0.5 * stiffness_n_m * stretch**2
    return Contact(time, states[0], states[1], force, energy, states[2:].T, int(np.argmax(energy)))
