"""The virtual materials tester: how stiff a blade is under the protocol of the published tests.

Takes a blade, its category, the angle and height it is clamped at; gives the force-displacement curve, what
is read off it, the difference from an independent elastica, and a plot.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bladerun.blade._elastica import elastica_rise_m
from bladerun.blade._press import Press, loss_fraction
from bladerun.blade.running_blade import SEGMENTS, Blade
from bladerun.errors import InputError

ANGLES_DEG = (-25.0, 30.0)
LOADS_N = (100.0, 2500.0)
_STEPS = 40
_ELASTICA_STEPS = (10, 20, 40)


@dataclass(frozen=True)
class BenchResult:
    """What one test gave.

    Slow loading gives the curve and all stiffnesses; one half-cycle ``peak sin(pi t / stance)`` with the full
    dynamics gives the loop and the hysteresis. Arrays run over the load steps, from zero to the peak;
    displacement is that of the plane.

    Attributes
    ----------
    blade
        Its name.
    category
        The one that was tested.
    extrapolated
        Whether the category lies beyond those of the blade's catalogue.
    angle_deg
        How far the blade's top leant back, as `run_bench` was given it.
    height_mm
        Clamp above its rating position, likewise.
    clamp_to_ground_mm
        Height of the clamp over the ground, unloaded.
    peak_load_n
        Of the slow and of the dynamic test.
    thickness_mm
        Greatest thickness of the laminate.
    plies
        That thickness in plies, to the nearest.
    stiffness_nominal_kn_m
        What the catalogue says of the category.
    stiffness_sd_kn_m
        Standard deviation of that.
    stiffness_secant_kn_m
        Peak force over peak displacement.
    stiffness_initial_kn_m
        The same of the first load step.
    hysteresis_fraction
        Share of the energy that the loop loses.
    toe_forward_mm_per_mm
        What the sole has gone forward at the peak over what it has gone along, in the clamp's axes, which at
        0 deg are the plane's.
    stiffness_axes_kn_m
        (2, 2) force on the unloaded sole for travel of either of the clamp's axes, forward and along, the
        other held.
    r2_linear
        Of a fit through the origin, F = a d.
    r2_quadratic
        Of a fit through the origin, F = a d + b d^2.
    elastica_difference_fraction
        Largest difference of displacement from a planar elastica, solved apart from MuJoCo.
    peak_strain
        Greatest fibre strain at the peak load.
    displacement_mm
        Of the slow curve.
    force_n
        Of the slow curve.
    loop_displacement_mm
        Of the dynamic loop.
    loop_force_n
        Of the dynamic loop.
    """

    blade: str
    category: float
    extrapolated: bool
    angle_deg: float
    height_mm: float
    clamp_to_ground_mm: float
    peak_load_n: float
    thickness_mm: float
    plies: int
    stiffness_nominal_kn_m: float
    stiffness_sd_kn_m: float
    stiffness_secant_kn_m: float
    stiffness_initial_kn_m: float
    hysteresis_fraction: float
    toe_forward_mm_per_mm: float
    stiffness_axes_kn_m: np.ndarray
    r2_linear: float
    r2_quadratic: float
    elastica_difference_fraction: float
    peak_strain: float
    displacement_mm: np.ndarray
    force_n: np.ndarray
    loop_displacement_mm: np.ndarray
    loop_force_n: np.ndarray

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain JSON values."""
        return {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in asdict(self).items()}


def run_bench(
    blade: Blade,
    category: float,
    *,
    angle_deg: float = 0.0,
    height_mm: float = 0.0,
    peak_load_n: float | None = None,
    segments: int = SEGMENTS,
) -> BenchResult:
    """Press the blade's sole with a frictionless plane along the test axis, the clamp held.

    Parameters
    ----------
    blade
        The blade.
    category
        Its stiffness category.
    angle_deg
        How far the blade's top leans back from the test axis, the toe ahead, as at a running contact; the
        published tests go from 0 to 25.
    height_mm
        Clamp above its rating position: a J moves along its tab and grows longer and softer, a C gets a
        longer pylon and stays as it is.
    peak_load_n
        Of the slow and of the dynamic test; the rating load of the blade if None.
    segments
        Rigid parts that the blade is made of.

    Returns
    -------
    BenchResult
        Curve, loop and stiffnesses.

    Raises
    ------
    InputError
        Names what is out of range, and the load where the blade cannot bear it.

    References
    ----------
    Beck, Taboga & Grabowski 2016, doi 10.1371/journal.pone.0168298.
    """
    peak = blade.rating_load_n if peak_load_n is None else peak_load_n
    _check(blade, angle_deg, height_mm, peak)
    nominal, sd, extrapolated = blade.stiffness_n_m(category)
    clamp = blade.rating_height_m + height_mm / 1e3
    thickness, chain = blade.thickness_m(category), blade.chain(category, clamp, segments)
    press = Press(chain, angle_deg=angle_deg, relaxation_s=blade.relaxation_s())
    try:
        travel, slide, force, bend = press.load(peak, _STEPS)
        loop, loop_force = press.half_cycle(peak, blade.value("damping", "half_cycle_s"))
        picked = list(_ELASTICA_STEPS)
        witness = elastica_rise_m(chain.beam, force[picked], angle_deg=angle_deg)
    except ArithmeticError as why:
        raise InputError(
            f"{blade.name} category {category:g} cannot bear {peak:g} N: {why}", key="peak_load"
        ) from why
    forward, along = press.in_clamps_axes(slide[-1], travel[-1])
    return BenchResult(
        blade=blade.name,
        category=float(category),
        extrapolated=extrapolated,
        angle_deg=float(angle_deg),
        height_mm=float(height_mm),
        clamp_to_ground_mm=clamp * 1e3,
        peak_load_n=float(peak),
        thickness_mm=thickness * 1e3,
        plies=round(thickness / blade.value("laminate", "ply_m")),
        stiffness_nominal_kn_m=nominal / 1e3,
        stiffness_sd_kn_m=sd / 1e3,
        stiffness_secant_kn_m=float(force[-1] / travel[-1]) / 1e3,
        stiffness_initial_kn_m=float(force[1] / travel[1]) / 1e3,
        hysteresis_fraction=loss_fraction(loop, loop_force),
        toe_forward_mm_per_mm=float(forward / along),
        stiffness_axes_kn_m=np.linalg.inv(press.flexibility_m_n()) / 1e3,
        r2_linear=_r2(travel, force, 1),
        r2_quadratic=_r2(travel, force, 2),
        elastica_difference_fraction=float(np.abs(travel[picked] / witness - 1).max()),
        peak_strain=float(np.abs(chain.strain_per_bend @ bend).max()),
        displacement_mm=travel * 1e3,
        force_n=force,
        loop_displacement_mm=loop * 1e3,
        loop_force_n=loop_force,
    )


def plot_bench(result: BenchResult, path: str | Path) -> Path:
    """Draw the slow curve, its secant and the dynamic loop.

    Parameters
    ----------
    result
        What `run_bench` gave.
    path
        A file to write: png, svg or pdf.

    Returns
    -------
    Path
        The file that was written.
    """
    from matplotlib.figure import Figure

    from bladerun._lib.fonts import drawn

    figure = Figure(figsize=(6.4, 4.6), layout="constrained")
    axes = figure.subplots()
    d, f = result.displacement_mm, result.force_n
    axes.fill(result.loop_displacement_mm, result.loop_force_n / 1e3, color="#d9482b", alpha=0.18, lw=0)
    axes.plot(
        result.loop_displacement_mm,
        result.loop_force_n / 1e3,
        color="#d9482b",
        lw=1.2,
        label=f"half-cycle, {100 * result.hysteresis_fraction:.1f} % lost",
    )
    axes.plot(d, f / 1e3, color="#1f2933", lw=2, label="slow loading")
    axes.plot(
        d[[0, -1]],
        f[[0, -1]] / 1e3,
        "--",
        color="#7b8794",
        lw=1,
        label=f"secant {result.stiffness_secant_kn_m:.1f} kN/m",
    )
    axes.set(
        xlabel="displacement along the test axis (mm)", ylabel="force (kN)", xlim=(0, None), ylim=(0, None)
    )
    at = f"{result.angle_deg:g}°, {result.height_mm:+g} mm"
    title = f"{drawn(result.blade)}, category {result.category:g}, {at}"
    axes.set_title(title, loc="left", parse_math=False)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper left")
    figure.savefig(path, dpi=150)
    return Path(path)


def _check(blade: Blade, angle_deg: float, height_mm: float, peak_load_n: float) -> None:
    _within("angle", angle_deg, ANGLES_DEG, "deg")
    _within("peak_load", peak_load_n, LOADS_N, "N")
    reach = tuple(1e3 * (limit - blade.rating_height_m) for limit in blade.clamp_to_ground_range_m)
    _within("height", height_mm, reach, f"mm over the rating position ({blade.facts['height']['how']})")


def _within(key: str, value: float, limits: tuple[float, ...], unit: str):
    low, high = limits
    if not low - 1e-6 <= value <= high + 1e-6:
        raise InputError(f"{value:g} is outside {low:g} to {high:g} {unit}", key=key)


def _r2(travel: np.ndarray, force: np.ndarray, degree: int) -> float:
    """Share of the force's variance that a polynomial through the origin explains."""
    powers = travel[:, None] ** np.arange(1, degree + 1)
    misfit = force - powers @ np.linalg.lstsq(powers, force, rcond=None)[0]
    return float(1 - misfit @ misfit / np.sum((force - force.mean()) ** 2))
