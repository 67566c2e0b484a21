"""The laminate of a blade: its line from points, and what the bench finds of its thickness and loss.

Takes a `Blade`; gives its `Beam` and `Chain`, thickness and relaxation time, each computed once.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy.interpolate import Akima1DInterpolator

from bladerun.blade._press import Press, loss_fraction
from bladerun.blade.chain import Beam, Chain, make_chain
from bladerun.errors import InputError

if TYPE_CHECKING:
    from bladerun.blade.running_blade import Blade

SEGMENTS = 5  # bending hinges; the bench with 20 differs by less than 1 %
_POINTS = 801
_TRIAL_THICKNESS_M = 0.010


@lru_cache(64)
def chain(blade: Blade, category: float, clamp_to_ground_m: float, segments: int) -> Chain:
    bearer = make_chain(blade.beam(category, blade.rating_height_m), segments).out_of_plane_at
    return replace(make_chain(blade.beam(category, clamp_to_ground_m), segments), out_of_plane_at=bearer)


@lru_cache(256)
def thickness_m(blade: Blade, category: float) -> float:
    """At one displacement the force goes with EI, so with t^3: one equilibrium of a trial blade settles t."""
    stiffness, _, _ = blade.stiffness_n_m(category)
    load = blade.rating_load_n
    press = Press(make_chain(beam(blade, blade.rating_height_m, _TRIAL_THICKNESS_M), SEGMENTS))
    q, force, steps = np.zeros(press.model.nv), 0.0, 12
    for k in range(1, steps + 1):
        guess = q * k / (k - 1) if k > 1 else q
        try:
            q, force = press.equilibrium(
                guess, force * k / max(k - 1, 1), rise_m=load / stiffness * k / steps
            )
        except ArithmeticError as why:
            raise InputError(
                f"{blade.name} cannot be as soft as {stiffness / 1e3:.3g} kN/m: {why}", key="category"
            ) from why
    return _TRIAL_THICKNESS_M * (load / force) ** (1 / 3)


@lru_cache(256)
def relaxation_s(blade: Blade) -> float:
    """From pi^2 tau / duration, the loss of a linear Kelvin-Voigt spring, corrected by the bench's own loss.

    The loss does not depend on EI where inertia is small, so the middle category serves all.
    """
    wanted, duration = blade.value("damping", "loss_fraction"), blade.value("damping", "half_cycle_s")
    middle = blade.chain(blade.facts["stiffness"]["reference_category"], blade.rating_height_m)
    tau = wanted * duration / np.pi**2
    press = Press(middle, relaxation_s=tau)
    try:
        cycle = press.half_cycle(blade.rating_load_n, duration, steps=60)
    except ArithmeticError as why:
        raise InputError(
            f"{blade.name} cannot be pressed by {blade.rating_load_n:g} N: {why}", key="[stiffness] load_n"
        ) from why
    return tau * wanted / loss_fraction(*cycle)


def beam(blade: Blade, clamp_to_ground_m: float, greatest_m: float) -> Beam:
    """The profile, shifted so that the clamp is the origin and the sole rests at -clamp_to_ground_m.

    greatest_m: thickness where the taper is 1.
    """
    s, x, z = profile(blade.points_mm)
    radius = blade.value("sole", "radius_m")
    if blade.shape == "J":
        start, clamp_x = z[0] - (clamp_to_ground_m - radius), x[0]  # down the straight tab
    else:
        start, clamp_x = (blade.value("pylon", key) for key in ("clamped_arc_m", "axis_x_m"))
    at, relative = np.array(blade.value("laminate", "taper")).T
    along = np.sort(np.r_[s, start]) if start else s
    spline = _spline(blade.points_mm)
    x, z = (np.interp(along, s, a) for a in (x, z))
    tangent = spline(np.interp(along, s, np.linspace(0, 1, _POINTS)), 1)
    heading = np.unwrap(np.arctan2(tangent[:, 1], tangent[:, 0]))
    return Beam(
        s_m=along - start,
        x_m=x - clamp_x,
        z_m=z - (clamp_to_ground_m - radius),
        heading=heading - 2 * np.pi * round(heading[-1] / (2 * np.pi)),
        thickness_m=greatest_m * np.interp(along / s[-1], at, relative),
        width_m=blade.value("laminate", "width_m"),
        youngs_modulus_pa=blade.value("laminate", "youngs_modulus_pa"),
        shear_modulus_pa=blade.value("laminate", "shear_modulus_pa"),
        mass_kg=blade.mass_kg,
        sole_s_m=s[-1] - start - blade.value("sole", "length_m"),
        sole_radius_m=radius,
    )


@lru_cache(64)
def _spline(points_mm: tuple) -> Akima1DInterpolator:
    """Position in m, x forward and z up with the lowest point at zero, over a parameter from 0 to 1."""
    points = np.array(points_mm) / 1e3
    u = np.r_[0, np.cumsum(np.hypot(*np.diff(points, axis=0).T))]
    fine = np.linspace(0, 1, 20001)
    points[:, 1] -= Akima1DInterpolator(u / u[-1], points, method="makima")(fine)[:, 1].min()
    return Akima1DInterpolator(u / u[-1], points, method="makima")


@lru_cache(64)
def profile(points_mm: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Arc length, x and z of the centreline at equal steps of the spline's parameter."""
    x, z = _spline(points_mm)(np.linspace(0, 1, _POINTS)).T
    return np.r_[0, np.cumsum(np.hypot(np.diff(x), np.diff(z)))], x, z
