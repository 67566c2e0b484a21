"""The `bladerun` command: one subcommand a question.

Takes command-line arguments; gives tables, or with `--json` one object, on stdout, everything else on stderr,
and an exit code: 0 done, 2 an input cannot be used, 3 not converged or too weak, 130 interrupted. With
`--json`, stdout stays empty when an input cannot be used. Each command imports what it needs, so that the
light ones are fast.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from bladerun import __version__
from bladerun._console import as_json, muscle_text, outcome_table, progress_bar, rounded, say, table
from bladerun._files import atomic, output_dir
from bladerun.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

    from bladerun.case import Case
    from bladerun.model import Model

_OK, _BAD_INPUT, _NOT_CONVERGED, _INTERRUPTED, _PIPE_CLOSED = 0, 2, 3, 130, 141


class _Answer(NamedTuple):
    """What a command found: the object for --json, the text for people, the exit code."""

    data: Mapping[str, Any]
    text: str
    code: int = _OK


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; `argv` defaults to the arguments of the process."""
    try:
        args = _parser().parse_args(argv)
        with contextlib.redirect_stdout(sys.stderr):  # whatever a library prints is not the answer
            answer = args.command(args)
        print(as_json(answer.data) if args.json else answer.text, flush=True)
        return answer.code
    except InputError as error:
        return _fail(str(error), _BAD_INPUT)
    except KeyboardInterrupt:
        return _fail("interrupted", _INTERRUPTED)
    except BrokenPipeError:  # the reader left, as `head` does; the interpreter's last flush stays silent too
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE_CLOSED


# --- Commands --------------------------------------------------------------------------------------------


def _catalog(args: argparse.Namespace) -> _Answer:
    from bladerun.blade import catalog, load_blade

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
    return _Answer({"blades": data}, table(["blade", "", "categories", "stiffness, kN/m", "mass, kg"], rows))


def _bench(args: argparse.Namespace) -> _Answer:
    from bladerun.bench import plot_bench, run_bench
    from bladerun.blade import load_blade

    result = run_bench(load_blade(args.blade), args.category, angle_deg=args.angle, height_mm=args.height)
    path = output_dir(args.out or Path("runs") / f"bench-{args.blade}-{args.category:g}") / "bench.png"
    with atomic(path) as tmp:
        plot_bench(result, tmp)
    rows = [
        ["stiffness, secant", f"{result.stiffness_secant_kn_m:.2f}", "kN/m"],
        ["stiffness, initial", f"{result.stiffness_initial_kn_m:.2f}", "kN/m"],
        [
            "stiffness of the category",
            f"{result.stiffness_nominal_kn_m:.2f} +- {result.stiffness_sd_kn_m:.2f}",
            "kN/m, extrapolated" if result.extrapolated else "kN/m",
        ],
        ["deflection at the peak load", f"{result.displacement_mm[-1]:.1f}", "mm"],
        ["peak load", f"{result.peak_load_n:.0f}", "N"],
        ["energy lost", f"{100 * result.hysteresis_fraction:.1f}", "%"],
        ["toe forward", f"{result.toe_forward_mm_per_mm:.3f}", "mm per mm"],
        ["fit of a line, r2", f"{result.r2_linear:.5f}", ""],
        ["fit of a quadratic, r2", f"{result.r2_quadratic:.5f}", ""],
        ["difference from the elastica", f"{100 * result.elastica_difference_fraction:.2f}", "%"],
        ["peak strain", f"{100 * result.peak_strain:.3f}", "%"],
    ]
    return _Answer({**result.to_dict(), "plot": str(path)}, f"{table(['', '', 'unit'], rows)}\n{path}")


def _model(args: argparse.Namespace) -> _Answer:
    from bladerun.model import save_xml

    case, model = _load(args.file)
    path = args.out or _default_folder(args.file) / "model.xml"
    output_dir(path.parent)
    save_xml(model, path)
    data = {
        "file": str(path),
        **_described(case, model),
        "mass_kg": model.mass_kg,
        "leg_length_m": model.leg_length_m,
        "joints": list(model.joints),
    }
    text = (
        f"{model.mass_kg:.1f} kg, {len(model.joints)} joints, leg length {model.leg_length_m:.3f} m\n{path}"
    )
    return _Answer(data, text)


def _run(args: argparse.Namespace) -> _Answer:
    case, model = _load(args.file)
    folder = output_dir(args.out or _default_folder(args.file))
    from bladerun.outcomes import outcomes  # slow to load: only for a file that can be used
    from bladerun.plots import plot_run
    from bladerun.stride import solve

    say(f"solving one stride at {case.task.speed_m_s:g} m/s (the first one on a machine also compiles)")
    stride = solve(model, case.task)
    solved = stride.attrs
    data = {
        "status": solved["status"],
        "why": solved["why"],
        **_described(case, model),
        "solve": {key: solved[key] for key in ("iterations", "seconds", "knots")},
        "residuals": json.loads(solved["residuals"]),
        "outcomes": outcomes(stride),
    } | _muscles(stride)
    with atomic(folder / "stride.nc") as tmp:
        stride.to_netcdf(tmp, engine="h5netcdf")
    with atomic(folder / "outcomes.json") as tmp:
        tmp.write_text(as_json(data) + "\n", encoding="utf-8")
    written = [folder / "stride.nc", folder / "outcomes.json", *plot_run(stride, folder)]
    how = f"{solved['status']} after {solved['iterations']} iterations, {solved['seconds']:.1f} s"
    tables = [outcome_table(data["outcomes"]), *muscle_text(data)]
    text = "\n".join([*tables, how, *map(str, written)])
    if solved["status"] == "converged":
        return _Answer(data, text)
    return _Answer(data, text, _fail(f"{args.file}: {solved['status']}: {solved['why']}", _NOT_CONVERGED))


def _fit(args: argparse.Namespace) -> _Answer:
    from bladerun.case import load_case

    case = load_case(args.file)
    folder = output_dir(args.out or _default_folder(args.file))
    from bladerun.study import fit  # slow to load: only for a file that can be used

    with _in(args.file), progress_bar() as progress:
        result = fit(case, folder, workers=args.workers, progress=progress)
    rows = [
        [
            row["title"],
            row["unit"],
            *(rounded(row[column]) for column in ("recommended", "current", "difference")),
        ]
        for row in result.comparison
    ]
    header = ["", "unit", "recommended", "current", "difference"]
    comparison = [table(header, rows, numbers=3)] if rows else []
    best = f"recommended: {result.recommended or 'none'} (worn today: {result.current})"
    text = "\n".join([*comparison, best, result.why, str(result.report)])
    if (result.table.status == "converged").any():
        return _Answer(result.to_dict(), text)
    return _Answer(result.to_dict(), text, _fail(f"{args.file}: no fitting converged", _NOT_CONVERGED))


def _video(args: argparse.Namespace) -> _Answer:
    stride = _read_stride(args.file)
    path = args.out or args.file.with_suffix(".mp4")
    if path.suffix != ".mp4":
        raise InputError("not the name of a video; it must end in .mp4", file=path)
    output_dir(path.parent)
    from bladerun.forward import render_video

    say(f"rendering {path}")
    render_video(stride, path)
    return _Answer({"file": str(path)}, str(path))


# --- Arguments -------------------------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; see `{self.prog} --help`")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="bladerun",
        description="Predict how a person runs on carbon-fibre blades, and compare fittings.",
        epilog="example: bladerun fit experiments/first-fit.toml\n\n"
        "exit codes: 0 done, 2 an input cannot be used, 3 not converged or too weak, 130 interrupted",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"bladerun {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def add(command: Any, help: str, example: str, file: str | None, out: tuple[str, str] | None) -> _Parser:
        sub = commands.add_parser(
            command.__name__.strip("_"),
            help=help,
            description=f"{help[0].upper()}{help[1:]}.",
            epilog=f"example: bladerun {example}",
            allow_abbrev=False,
        )
        sub.set_defaults(command=command)
        if file:
            sub.add_argument("file", type=Path, metavar=file, help="the file to read")
        if out:
            sub.add_argument("--out", type=Path, metavar=out[0], help=f"where to write (default: {out[1]})")
        sub.add_argument("--json", action="store_true", help="print one JSON object on stdout, nothing else")
        return sub

    runner, folder = "RUNNER.toml", ("DIR", "runs/RUNNER")
    add(_catalog, "list the blades there are", "catalog --json", None, None)
    bench = add(
        _bench,
        "load a blade on the virtual materials tester",
        "bench j-sprint --category 4 --angle 10",
        None,
        ("DIR", "runs/bench-BLADE-N"),
    )
    bench.add_argument("blade", metavar="BLADE", help="a name from `bladerun catalog`")
    bench.add_argument("--category", type=_number, required=True, metavar="N", help="stiffness category")
    bench.add_argument("--angle", type=_number, default=0, metavar="DEG", help="lean (default: 0)")
    bench.add_argument(
        "--height", type=_number, default=0, metavar="MM", help="above the rating height (default: 0)"
    )
    add(
        _model,
        "write the runner on the blade as a MuJoCo model",
        "model runner.toml --out model.xml",
        runner,
        ("FILE", "runs/RUNNER/model.xml"),
    )
    add(_run, "predict one stride with the fitting in the file", "run runner.toml --json", runner, folder)
    fit = add(_fit, "compare the fittings in [sweep] and write a report", "fit runner.toml", runner, folder)
    fit.add_argument("--workers", type=_count, metavar="N", help="processes (default: one a core)")
    add(
        _video,
        "render a stride as a moving runner",
        "video runs/runner/stride.nc --out run.mp4",
        "STRIDE.nc",
        ("FILE", "beside the stride"),
    )
    return parser


def _number(text: str) -> float:
    """A finite number; whole ones stay whole, so that messages repeat them as they were typed."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"'{text}' is not allowed; a number")
    return int(number) if number.is_integer() else number


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"'{text}' is not allowed; a whole number from 1")
    return int(text)


# --- Files -----------------------------------------------------------------------------------------------


def _load(file: Path) -> tuple[Case, Model]:
    from bladerun.case import load_case
    from bladerun.model import build_model

    case = load_case(file)
    with _in(file):
        return case, build_model(case.runner, case.amputation, case.fitting)


@contextlib.contextmanager
def _in(file: Path) -> Iterator[None]:
    """An `InputError` raised inside is about this file, unless it names another."""
    try:
        yield
    except InputError as error:
        raise error.at(error.file or file) from None


def _default_folder(file: Path) -> Path:
    return Path("runs") / file.stem


def _described(case: Case, model: Model) -> dict[str, Any]:
    return {
        "runner": asdict(case.runner),
        "amputation": asdict(case.amputation),
        "fitting": asdict(model.fitting) if model.fitting else None,
        "task": asdict(case.task),
    }


def _read_stride(file: Path) -> xr.Dataset:
    import xarray

    try:
        with xarray.open_dataset(file, engine="h5netcdf") as stride:
            if "model_xml" in stride.attrs:
                return stride.load()
    except (OSError, ValueError, KeyError) as error:
        if isinstance(error, OSError) and error.strerror:
            raise InputError(f"cannot be read: {error.strerror}", file=file) from None
    raise InputError("not a stride; give a stride.nc that `bladerun run` wrote", file=file)


def _muscles(stride: xr.Dataset) -> dict[str, Any]:
    """Muscle by muscle and reserve by reserve; nothing for a stride without muscles."""
    from bladerun._muscle_tables import has_muscles, muscle_table, reserve_table

    if not has_muscles(stride):
        return {}
    return {
        "muscles": muscle_table(stride).to_dict("index"),
        "reserves": reserve_table(stride).to_dict("index"),
    }


def _fail(message: str, code: int) -> int:
    say(f"bladerun: {message}")
    return code
