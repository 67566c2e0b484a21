"""Commands about one stride: the model, the solve, the video.

Takes parsed arguments; gives `Answer`s.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bladerun._lib.files import atomic, output_dir, write_parquet
from bladerun._lib.messages import say
from bladerun.cli._answer import (
    NOT_CONVERGED,
    Answer,
    about,
    default_folder,
    described,
    fail,
    load,
)
from bladerun.cli._arguments import (
    FOLDER,
    RUNNER,
    Parser,
    asked,
    count,
    declare,
    number,
    with_replace,
    with_task,
)
from bladerun.cli._console import as_json, muscle_text, outcome_table, progress_bar, sensitivity_table, table
from bladerun.cli._results import Written, add_shown, results
from bladerun.errors import InputError
from bladerun.status import Status

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from bladerun.case import Case
    from bladerun.model import Model
    from bladerun.study.sensitivities import Sensitivities


def add(commands: Any) -> None:
    """Declare `model`, `run`, `video` and `export`."""
    model = declare(
        commands,
        _model,
        "write the runner on the blade as a MuJoCo model",
        "model runner.toml --out model.xml",
        RUNNER,
        ("FILE", "runs/RUNNER/model.xml"),
    )
    with_replace(model)
    run = declare(
        commands,
        _run,
        "predict one stride with the fitting in the file",
        "run runner.toml --json",
        RUNNER,
        FOLDER,
    )
    run.add_argument(
        "--ensemble", type=count, metavar="N", help="solve it N times more with its uncertain inputs varied"
    )
    run.add_argument("--terms", action="store_true", help="also print the objective by cost term")
    run.add_argument(
        "--sensitivities",
        action="store_true",
        help="also print what the trade-offs hang on: fitting, speed, what is uncertain; some minutes",
    )
    with_replace(run)
    with_task(run)
    run.add_argument("--workers", type=count, metavar="N", help="processes of it (default: one a core)")
    video = declare(
        commands,
        _video,
        "render a stride as a moving runner",
        "video runs/runner/stride.nc --view behind --out run.mp4",
        "STRIDE.nc",
        ("FILE", "beside the stride"),
    )
    _with_camera(video)
    export = declare(
        commands,
        _export,
        "write a stride as OpenSim reads it",
        "export runs/runner/stride.nc --out opensim",
        "STRIDE.nc",
        ("DIR", "beside the stride"),
    )
    export.add_argument(
        "--strides", type=count, default=1, metavar="N", help="how many follow each other (default: 1)"
    )
    export.add_argument(
        "--rate", type=number, metavar="HZ", help="rows a second, evenly (default: the stride's own times)"
    )


def _with_camera(video: Parser) -> None:
    video.add_argument(
        "--view",
        choices=("side", "square", "behind", "front", "above"),
        default="side",
        help="from where (default: the side; square: to the running direction and level, to measure on)",
    )
    video.add_argument(
        "--slow", type=number, default=4, metavar="N", help="times slower than life (default: 4)"
    )
    video.add_argument("--strides", type=count, default=4, metavar="N", help="how many (default: 4)")
    video.add_argument(
        "--size", type=_size, default=(1280, 720), metavar="WxH", help="pixels (default: 1280x720)"
    )
    video.add_argument(
        "--other", type=Path, metavar="OTHER.nc", help="a second stride, in step with the first"
    )
    video.add_argument(
        "--together",
        choices=("beside", "ghost"),
        default="beside",
        help="where the second one is: beside it, or blue in the same place (default: beside)",
    )
    video.add_argument("--caption", action="store_true", help="write speed and fitting in the corner")
    video.add_argument("--clothed", action="store_true", help="hide the muscles")


def _size(text: str) -> tuple[int, int]:
    width, x, height = text.partition("x")
    if not (x and width.isdecimal() and height.isdecimal()):
        raise argparse.ArgumentTypeError(f"'{text}' is not allowed; pixels as 1280x720")
    return int(width), int(height)


def _model(args: argparse.Namespace) -> Answer:
    from bladerun.model import save_xml

    case, model = load(args.file)
    if args.out:
        path = output_dir(args.out.parent) / args.out.name
        save_xml(model, path)
    else:
        path = default_folder(args.file) / "model.xml"
        with results(path.parent, "model", case, args.file, replace=args.replace) as written:
            save_xml(model, path)
            written.add(path)
    data = {
        "file": str(path),
        **described(case, model),
        "mass_kg": model.mass_kg,
        "leg_length_m": model.leg_length_m,
        "joints": list(model.joints),
    }
    text = (
        f"{model.mass_kg:.1f} kg, {len(model.joints)} joints, leg length {model.leg_length_m:.3f} m\n{path}"
    )
    return Answer(data, text)


def _run(args: argparse.Namespace) -> Answer:
    case, model = load(args.file)
    case = asked(case, args)
    folder = args.out or default_folder(args.file)
    with results(folder, "run", case, args.file, replace=args.replace) as written:
        return _solved(args, case, model, written)


def _solved(args: argparse.Namespace, case: Case, model: Model, results: Written) -> Answer:
    folder = results.folder
    from bladerun.dataset.files import write_stride
    from bladerun.gait.outcomes import outcomes  # slow to load: only for a file that can be used
    from bladerun.show.plots import plot_run
    from bladerun.stride import solve

    say(f"solving one stride at {case.task} (the first one on a machine also compiles)")
    with about(args.file):
        own = case.reference and case.reference.motion
        stride = solve(model, case.task, cost=case.cost, environment=case.environment, reference=own)
    solved = stride.attrs
    data = {
        "status": solved["status"],
        "why": solved["why"],
        **described(case, model),
        "solve": {key: solved[key] for key in ("iterations", "seconds", "knots")},
        "residuals": json.loads(solved["residuals"]),
        "objective_by_term": stride.objective_term.to_series().to_dict(),
        "outcomes": outcomes(stride),
    } | _muscles(stride)
    written = [folder / "stride.nc", folder / "outcomes.json"]
    bounds: dict[str, tuple[float, float]] = {}
    if args.ensemble and solved["status"] == Status.CONVERGED:
        members = _ensemble(args, case, stride)
        written.append(folder / "members.parquet")
        write_parquet(members, written[-1])
        data["ensemble"], bounds = _bounds(members)
    hangs = _sensitivities(args, stride) if args.sensitivities else None
    if hangs:
        data["sensitivities"] = hangs.to_dict()
    write_stride(stride, folder / "stride.nc")
    with atomic(folder / "outcomes.json") as tmp:
        tmp.write_text(as_json(data) + "\n", encoding="utf-8")
    written += plot_run(stride, folder)
    results.add(*written)
    how = f"{solved['status']} after {solved['iterations']} iterations, {solved['seconds']:.1f} s"
    if bounds:
        how += f"\n[low, high] of {data['ensemble']['converged']} varied strides that converged"
    tables = [outcome_table(data["outcomes"], bounds), *muscle_text(data)]
    if args.terms:
        tables.append(_terms(data["objective_by_term"]))
    if hangs:
        tables.append(sensitivity_table(hangs.parameters, hangs.change, hangs.linear))
    text = "\n".join([*tables, how, *map(str, written)])
    if solved["status"] == Status.CONVERGED:
        return Answer(data, text)
    return Answer(data, text, fail(f"{args.file}: {solved['status']}: {solved['why']}", NOT_CONVERGED))


def _terms(shares: dict[str, float]) -> str:
    """The objective by cost term, the greatest first."""
    whole = sum(shares.values())
    rows = [
        [name.replace("_", " "), f"{value:.5f}", f"{100 * value / whole:.1f}"]
        for name, value in sorted(shares.items(), key=lambda item: -item[1])
    ]
    return table(["cost term", "objective", "%"], [*rows, ["all", f"{whole:.5f}", "100.0"]], numbers=2)


def _sensitivities(args: argparse.Namespace, stride: xr.Dataset) -> Sensitivities | None:
    """None for a stride that did not converge."""
    from bladerun.study.sensitivities import sensitivities

    if stride.attrs["status"] != Status.CONVERGED:
        return None
    with about(args.file), progress_bar() as progress:
        return sensitivities(stride, check=True, progress=progress)


def _ensemble(args: argparse.Namespace, case: Case, stride: xr.Dataset) -> pd.DataFrame:
    from bladerun.study.ensemble import ensemble

    with about(args.file), progress_bar() as progress:
        return ensemble(case, stride, args.ensemble, workers=args.workers, progress=progress)


def _bounds(members: pd.DataFrame) -> tuple[dict[str, Any], dict[str, tuple[float, float]]]:
    """For JSON, and low and high by column."""
    from bladerun.study.ensemble import NAME
    from bladerun.study.intervals import LEVEL, intervals

    row = intervals(members).loc[NAME].to_dict()
    bounds = {key[:-4]: (row[key], row[f"{key[:-4]}_high"]) for key in row if key.endswith("_low")}
    known = {key: pair for key, pair in bounds.items() if all(map(math.isfinite, pair))}
    data = {
        "draws": len(members) - 1,
        "converged": int((members.status == Status.CONVERGED).sum()) - 1,
        "level": LEVEL,
        "intervals": {key: {"low": low, "high": high} for key, (low, high) in known.items()},
    }
    return data, known


def _video(args: argparse.Namespace) -> Answer:
    from bladerun.dataset.files import read_stride
    from bladerun.show.video import KINDS, render_video

    stride = read_stride(args.file)
    other = read_stride(args.other) if args.other else None
    path = args.out or args.file.with_suffix(".mp4")
    if path.suffix not in KINDS:
        raise InputError("not the name of a video; it must end in .mp4, .gif or .webp", file=path)
    output_dir(path.parent)
    with about(args.file), progress_bar() as progress:
        render_video(
            stride,
            path,
            view=args.view,
            slow=args.slow,
            strides=args.strides,
            size=args.size,
            muscles=not args.clothed,
            other=other,
            together=args.together,
            caption=args.caption,
            progress=progress,
        )
    add_shown(path.parent, "video", [path])
    return Answer({"file": str(path)}, str(path))


def _export(args: argparse.Namespace) -> Answer:
    from bladerun.dataset.files import read_stride

    stride = read_stride(args.file)
    folder = output_dir(args.out or args.file.parent)
    from bladerun.gait.opensim import export

    with about(args.file):
        paths = export(stride, folder, args.strides, rate_hz=args.rate)
    add_shown(folder, "export", paths)
    return Answer({"files": paths}, "\n".join(map(str, paths)))


def _muscles(stride: xr.Dataset) -> dict[str, Any]:
    """Muscle by muscle and reserve by reserve; nothing for a stride without muscles."""
    from bladerun.dataset.reading import has_muscles
    from bladerun.gait.muscle_tables import muscle_table, reserve_table

    if not has_muscles(stride):
        return {}
    return {
        "muscles": muscle_table(stride).to_dict("index"),
        "reserves": reserve_table(stride).to_dict("index"),
    }
