"""Commands about many strides: comparing fittings, sweeping a design, searching for the best.

Takes parsed arguments; gives `Answer`s.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bladerun._lib.forkserver import prepare
from bladerun.cli._answer import NOT_CONVERGED, RUNS, Answer, about, default_folder, fail
from bladerun.cli._arguments import FOLDER, RUNNER, Parser, count, count_or_none, declare, with_replace
from bladerun.cli._console import progress_bar, rounded, table
from bladerun.cli._results import results
from bladerun.errors import InputError
from bladerun.status import Status

if TYPE_CHECKING:
    from pathlib import Path

    from bladerun.case import Case
    from bladerun.study import FitResult, StudyResult

_OF_FIT = (
    "outcomes.parquet", "members.parquet", "knees.parquet", "study.json", "report.html", "sheet.html",
    "sheet.pdf", "strides",
)  # fmt: skip
_STUDY, _THERE = "STUDY.toml", ("DIR", "runs/STUDY")


def add(commands: Any) -> None:
    """Declare `fit`, `sweep`, `optimise`, `status`, `table` and `plot`."""
    fit = declare(
        commands,
        _fit,
        "compare the fittings in [sweep] and write a report",
        "fit runner.toml",
        RUNNER,
        FOLDER,
    )
    _with_workers(fit)
    with_replace(fit)
    fit.add_argument(
        "--ensemble",
        type=count_or_none,
        metavar="N",
        help="draws of the uncertain inputs of every fitting (default: 8 of those the answer names; 0: none)",
    )
    fit.add_argument(
        "--hold", action="store_true", help="also the recommended fitting without adapting (a minute)"
    )
    sweep = declare(
        commands,
        _sweep,
        "solve every point of a study, or go on with it",
        "sweep experiments/category.toml --out runs/category",
        _STUDY,
        _THERE,
    )
    optimise = declare(
        commands,
        _optimise,
        "search for the best point of a study, or go on with it",
        "optimise experiments/search.toml --out runs/search",
        _STUDY,
        _THERE,
    )
    for command in (sweep, optimise):
        _with_workers(command)
        command.add_argument("--cluster", metavar="URL", help="a running Dask cluster, tls://host:port")
        command.add_argument(
            "--cluster-tls",
            nargs=3,
            type=Path,
            metavar=("CA", "CERT", "KEY"),
            help="PEM files for it: the authority, your certificate and its key",
        )
        command.add_argument("--dry-run", action="store_true", help="how many strides, and about how long")
    optimise.add_argument("--storage", metavar="URL", help="a database for Optuna, postgresql://...")
    declare(commands, _status, "tell how far a study is", "status runs/category", "DIR", None)
    declare(commands, _table, "write a study's table as it is now", "table runs/category", "DIR", None)
    declare(commands, _plot, "draw what a study found", "plot runs/category", "DIR", ("DIR", "the study's"))


def _with_workers(command: Parser) -> None:
    command.add_argument("--workers", type=count, metavar="N", help="processes (default: one a core)")


def _fit(args: argparse.Namespace) -> Answer:
    from bladerun.case import load_case
    from bladerun.report import write_report

    case = load_case(args.file)
    folder = args.out or default_folder(args.file)
    with results(folder, "fit", case, args.file, replace=args.replace) as written:
        result = _compared(args, case, written.folder)
        write_report(result)
        written.add(*(path for name in _OF_FIT if (path := written.folder / name).exists()))
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
    said = [*_today(result), *comparison, *_knees(result), best, result.why, str(result.report)]
    text = "\n".join(said)
    if (result.table.status == Status.CONVERGED).any():
        return Answer(result.to_dict(), text)
    return Answer(result.to_dict(), text, fail(f"{args.file}: no fitting converged", NOT_CONVERGED))


def _knees(result: FitResult) -> list[str]:
    """The knees side by side at each speed; nothing where none are compared."""
    if result.knees is None:
        return []
    from bladerun.study.knee_answer import told_by

    tables = []
    for speed in result.knees.speeds:
        at = result.knees.at(speed)
        rows = [
            [told.title, told.unit, *(rounded(value) for value in at[told.column])]
            for told in told_by(result.case.amputation)
            if told.column in at
        ]
        tables.append(table([f"{speed:g} m/s", "unit", *at.title], rows, numbers=len(at)))
    return tables


def _today(result: FitResult) -> list[str]:
    """Today's fitting against what was measured on it; nothing where nothing was."""
    if result.today is None:
        return []
    from bladerun.report.today import today_words

    words = today_words(result.today)
    return [words["verdict"], *([words["narrowed"]] if words["narrowed"] else [])]


def _compared(args: argparse.Namespace, case: Case, folder: Path) -> FitResult:
    if args.workers != 1:
        prepare()
    from bladerun.study import fit  # slow to load: only for a file that can be used

    with about(args.file), progress_bar() as progress:
        return fit(
            case,
            folder,
            workers=args.workers,
            progress=progress,
            ensemble=args.ensemble,
            hold=args.hold,
            look_in=RUNS,
        )


def _sweep(args: argparse.Namespace) -> Answer:
    from bladerun.study import sweep

    return _study(
        args,
        lambda study, folder, progress: sweep(study, folder, progress=progress, **_who(args)),
    )


def _optimise(args: argparse.Namespace) -> Answer:
    from bladerun.study import optimise

    return _study(
        args,
        lambda study, folder, progress: optimise(
            study, folder, storage=args.storage, progress=progress, **_who(args)
        ),
    )


def _who(args: argparse.Namespace) -> dict[str, Any]:
    if args.cluster_tls and not args.cluster:
        raise InputError("is for a cluster; say which with --cluster", key="--cluster-tls")
    return {"workers": args.workers, "cluster": args.cluster, "cluster_tls": args.cluster_tls}


def _study(args: argparse.Namespace, run: Any) -> Answer:
    from bladerun._lib.threads import cores
    from bladerun.study import expected_s, load_study, rows

    study = load_study(args.file)
    if args.dry_run:
        workers = args.workers or cores()
        data = {"rows": rows(study), "workers": workers, "expected_s": expected_s(study, workers)}
        hours = data["expected_s"] / 3600
        return Answer(data, f"{data['rows']} rows, about {hours:.1f} h on {workers} workers")
    with about(args.file), progress_bar() as progress:
        result: StudyResult = run(study, args.out or default_folder(args.file), progress)
    lines = [table(["status", "rows"], [[k, str(n)] for k, n in result.counts.items()], numbers=1)]
    for each in result.best[:10]:
        parameters = ", ".join(
            f"{k} {v:g}" if isinstance(v, float) else f"{k} {v}" for k, v in each["parameters"].items()
        )
        values = ", ".join(f"{k} {rounded(v)}" for k, v in each.items() if k not in ("trial", "parameters"))
        lines.append(f"trial {each['trial']}: {values}; {parameters}")
    data = result.to_dict()
    text = "\n".join([*lines, data["table"]])
    if result.counts.get(Status.CONVERGED):
        return Answer(data, text)
    return Answer(data, text, fail(f"{args.file}: no stride converged", NOT_CONVERGED))


def _status(args: argparse.Namespace) -> Answer:
    from bladerun.study.status import status

    data = status(args.file)
    return Answer(data, "\n".join(f"{key.replace('_', ' ')}: {value}" for key, value in data.items()))


def _table(args: argparse.Namespace) -> Answer:
    from bladerun.study.status import export

    path = str(export(args.file))
    return Answer({"table": path}, path)


def _plot(args: argparse.Namespace) -> Answer:
    from bladerun.report.situations import is_situations, write_situations
    from bladerun.study import solved
    from bladerun.study.plots import plot

    folder, out = args.file, args.out or args.file
    listed = is_situations(solved.asked(folder))
    paths = [str(path) for path in ([write_situations(folder, out)] if listed else plot(folder, out))]
    return Answer({"plots": paths}, "\n".join(paths))
