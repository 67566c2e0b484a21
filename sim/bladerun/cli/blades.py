"""Commands about blades and knees alone: which there are, how stiff the one is and how the other swings.

Takes parsed arguments; gives `Answer`s.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bladerun._lib.files import atomic, output_dir
from bladerun.cli._answer import Answer
from bladerun.cli._arguments import declare, number
from bladerun.cli._console import table
from bladerun.errors import InputError

if TYPE_CHECKING:
    from bladerun.blade.bench import BenchResult


def add(commands: Any) -> None:
    """Declare `catalog` and `bench`."""
    declare(commands, _catalog, "list the blades there are", "catalog --json", None, None)
    bench = declare(
        commands,
        _bench,
        "load a blade on the virtual materials tester, or let a knee swing",
        "bench j-sprint --category 4 --angle 10",
        None,
        ("DIR", "runs/bench-BLADE-N"),
    )
    bench.add_argument(
        "blade", metavar="BLADE", help="a name from `bladerun catalog`, a blade's file, or a knee's name"
    )
    bench.add_argument("--category", type=number, metavar="N", help="stiffness category")
    bench.add_argument(
        "--stiffness", type=number, metavar="KN_M", help="measured, in place of that of the category"
    )
    bench.add_argument("--angle", type=number, default=0, metavar="DEG", help="lean, top back (default: 0)")
    bench.add_argument(
        "--height", type=number, default=0, metavar="MM", help="above the rating height (default: 0)"
    )


def _catalog(args: argparse.Namespace) -> Answer:
    from bladerun.blade.catalog import catalog, load_blade

    blades = [load_blade(name) for name in catalog()]
    data = [
        {
            "name": blade.name,
            "title": blade.title,
            "shape": blade.shape,
            "mass_kg": blade.mass_kg,
            "stiffness_kn_m": {str(n): blade.stiffness_n_m(n)[0] / 1e3 for n in blade.categories},
        }
        for blade in blades
    ]
    rows = []
    for blade, row in zip(blades, data, strict=True):
        low, high = blade.categories[0], blade.categories[-1]
        stiffness = row["stiffness_kn_m"]
        span = f"{stiffness[str(low)]:.1f} to {stiffness[str(high)]:.1f}"
        rows.append([blade.name, blade.title, f"{low} to {high}", span, f"{blade.mass_kg:.2f}"])
    return Answer({"blades": data}, table(["blade", "", "categories", "stiffness, kN/m", "mass, kg"], rows))


def _bench(args: argparse.Namespace) -> Answer:
    from bladerun.blade.bench import plot_bench, run_bench
    from bladerun.blade.catalog import load_blade, own_blade
    from bladerun.body.knee_unit import knee_units

    if args.blade in knee_units():
        return _knee_bench(args)
    blade = own_blade(args.blade, ".") or load_blade(args.blade)
    category = args.category
    if args.stiffness is not None:
        category = blade.nearest_category(args.stiffness) if category is None else category
        blade = blade.measured(category, args.stiffness)
    elif category is None:
        raise InputError("missing; give it, or --stiffness as measured", key="--category")
    result = run_bench(blade, category, angle_deg=args.angle, height_mm=args.height)
    path = output_dir(args.out or Path("runs") / f"bench-{blade.name}-{category:g}") / "bench.png"
    with atomic(path) as tmp:
        plot_bench(result, tmp)
    rows = [
        ["stiffness, secant", f"{result.stiffness_secant_kn_m:.2f}", "kN/m"],
        ["stiffness, initial", f"{result.stiffness_initial_kn_m:.2f}", "kN/m"],
        _wanted(result, measured=args.stiffness is not None),
        ["deflection at the peak load", f"{result.displacement_mm[-1]:.1f}", "mm"],
        ["peak load", f"{result.peak_load_n:.0f}", "N"],
        ["energy lost", f"{100 * result.hysteresis_fraction:.1f}", "%"],
        ["toe forward", f"{result.toe_forward_mm_per_mm:.3f}", "mm per mm"],
        *_axes(result),
        ["fit of a line, r2", f"{result.r2_linear:.5f}", ""],
        ["fit of a quadratic, r2", f"{result.r2_quadratic:.5f}", ""],
        ["difference from the elastica", f"{100 * result.elastica_difference_fraction:.2f}", "%"],
        ["peak strain", f"{100 * result.peak_strain:.3f}", "%"],
    ]
    return Answer({**result.to_dict(), "plot": str(path)}, f"{table(['', '', 'unit'], rows)}\n{path}")


def _knee_bench(args: argparse.Namespace) -> Answer:
    from bladerun.forward.knee_swing import RELEASE_DEG, plot_swings, swing_test

    for option, usual in (("category", None), ("stiffness", None), ("angle", 0), ("height", 0)):
        if getattr(args, option) != usual:
            raise InputError("is of a blade's bench, not of a knee's", key=f"--{option}")
    swings = swing_test(args.blade)
    path = output_dir(args.out or Path("runs") / f"bench-{args.blade}") / "bench.png"
    with atomic(path) as tmp:
        plot_swings(swings, tmp)
    heading = ["damping", "straight after, s", "speed then, deg/s", "bends again, deg"]
    rows = [
        [
            f"{s.damping:g}",
            *(_known(value, n) for value, n in ((s.straight_s, 2), (s.impact_deg_s, 0), (s.rebound_deg, 1))),
        ]
        for s in swings
    ]
    text = f"shank and blade let go at {RELEASE_DEG:g} deg, thigh upright\n{table(heading, rows)}\n{path}"
    return Answer({"swings": [one.to_dict() for one in swings], "plot": str(path)}, text)


def _known(value: float, places: int) -> str:
    return "never" if math.isnan(value) else f"{value:.{places}f}"


def _axes(result: BenchResult) -> list[list[str]]:
    """What the toe meets that cannot slide: the stiffnesses along and across the clamp, unloaded."""
    (forward, coupling), (_, along) = result.stiffness_axes_kn_m
    return [
        ["toe fixed: stiffness along the clamp", f"{along:.0f}", "kN/m"],
        ["toe fixed: stiffness forward", f"{forward:z.0f}", "kN/m"],
        ["toe fixed: coupling of the two", f"{coupling:z.0f}", "kN/m"],
    ]


def _wanted(result: BenchResult, *, measured: bool) -> list[str]:
    """The stiffness that the blade on the tester should have."""
    if measured:
        return ["stiffness measured", f"{result.stiffness_nominal_kn_m:.2f}", "kN/m"]
    spread = f"{result.stiffness_nominal_kn_m:.2f} +- {result.stiffness_sd_kn_m:.2f}"
    return ["stiffness of the category", spread, "kN/m, extrapolated" if result.extrapolated else "kN/m"]
