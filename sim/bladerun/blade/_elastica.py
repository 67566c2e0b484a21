"""The planar elastica of a blade, solved apart from MuJoCo: the bench's independent witness.

Takes a `Beam`'s centreline and EI(s); gives how far a frictionless plane has moved at a given force.
"""

import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from bladerun.blade.chain import Beam

_RTOL = 1e-7


def elastica_rise_m(beam: Beam, force_n: np.ndarray, *, angle_deg: float = 0.0) -> np.ndarray:
    """Travel of the plane (loads,) at each force, m, the blade's top leaning back by ``angle_deg``.

    Inextensible Euler elastica with initial curvature (Love, Mathematical Theory of Elasticity, ch. XIX):
    with phi the rotation of the section, x along the plane and F normal to it at the contact x_c,
    EI dphi/ds = F (x_c - x), dx/ds = cos(heading + phi), dz/ds = sin(heading + phi), phi(0) = 0. The contact
    is where the sole is parallel to the plane, or its rear edge or tip where it nowhere is. Shooting on x_c.
    """
    solve = _Shooting(beam, np.radians(angle_deg))
    unloaded = solve.contact(0.0, 0.0)[1]
    guess, rise = solve.contact(0.0, 0.0)[0], []
    for force in np.atleast_1d(force_n):
        guess = _root(lambda x, force=force: solve.contact(force, x)[0] - x, guess)
        rise.append(solve.contact(force, guess)[1] - unloaded)
    return np.array(rise)


class _Shooting:
    """Integrates the blade from the clamp for a trial force and contact."""

    def __init__(self, beam: Beam, tilt: float):
        free = beam.s_m >= 0
        self.s, self.heading = beam.s_m[free], beam.heading[free] + tilt
        self.bending = beam.bending_nm2[free]
        self.sole = beam.sole_s_m

    def contact(self, force: float, x_contact: float) -> tuple[float, float]:
        """Place of the sole's point that touches, along and normal to the plane, from the clamp's end."""

        def slope(s, state):
            phi, x, _ = state
            angle = np.interp(s, self.s, self.heading) + phi
            return [
                force * (x_contact - x) / np.interp(s, self.s, self.bending),
                np.cos(angle),
                np.sin(angle),
            ]

        def parallel(s, state):
            return np.interp(s, self.s, self.heading) + state[0]

        parallel.terminal, parallel.direction = True, 1.0  # pyright: ignore
        rear = solve_ivp(slope, (0, self.sole), [0, 0, 0], rtol=_RTOL, atol=1e-9).y[:, -1]
        if parallel(self.sole, rear) >= 0:
            return rear[1], rear[2]
        end = solve_ivp(slope, (self.sole, self.s[-1]), rear, events=parallel, rtol=_RTOL, atol=1e-9)
        return end.y[1, -1], end.y[2, -1]


def _root(function, guess: float) -> float:
    """The zero of ``function`` nearest to ``guess``, bracketed outwards by centimetres."""
    step = 0.01
    while function(guess - step) * function(guess + step) > 0:
        step *= 2
        if step > 0.7:
            raise ArithmeticError("the elastica found no contact: load it less")
    return float(brentq(function, guess - step, guess + step, xtol=1e-8))  # pyright: ignore[reportArgumentType]
