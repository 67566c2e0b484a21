"""What people see on a terminal: messages, tables, a progress bar, and JSON for programs.

Takes results; gives text. Messages and the bar go to stderr, so that stdout holds the answer alone.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bladerun._lib.json_values import json_value
from bladerun._lib.messages import say

if TYPE_CHECKING:
    import pandas as pd


def as_json(data: Mapping[str, Any]) -> str:
    """`data` as JSON; what is not a finite number is null."""
    return json.dumps(json_value(data), indent=2, allow_nan=False)


def table(header: Sequence[str], rows: Sequence[Sequence[str]], numbers: int = 0) -> str:
    """Plain text; the last `numbers` columns to the right."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column, name in enumerate(header):
        right = column >= len(header) - numbers
        table.add_column(name, justify="right" if right else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    text = io.StringIO()
    Console(file=text, width=200).print(table)
    return "\n".join(line.rstrip() for line in text.getvalue().strip("\n").splitlines())


def outcome_table(
    outcomes: Mapping[str, Any], intervals: Mapping[str, tuple[float, float]] | None = None
) -> str:
    """Every outcome of one stride, a row each; intervals: low and high, by the columns of `outcomes.flat`."""
    from bladerun.gait.outcomes import OUTCOMES

    known, rows = intervals or {}, []
    for row in OUTCOMES:
        value = outcomes[row.key]
        each = {f"_{side}": value[side] for side in ("left", "right")} if row.per_leg else {"": value}
        cells = {side: _with_interval(number, known.get(row.key + side)) for side, number in each.items()}
        rows.append([row.title, row.unit, *(cells.get(side, "") for side in ("", "_left", "_right"))])
    return table(["", "unit", "runner", "left leg", "right leg"], rows, numbers=3)


def sensitivity_table(parameters: pd.DataFrame, change: pd.DataFrame, linear: pd.DataFrame) -> str:
    """Change of each trade-off, a column each, as a parameter goes from its value to one spread more.

    parameters, change, linear: as of `bladerun.study.sensitivities.Sensitivities`, with its check.
    """
    from bladerun.study.recommend import weights

    shown = [row for row in weights()["tradeoff"] if row["key"] in change.index]
    shown = shown or [{"key": "cost_of_transport_j_kg_m", "name": "cost", "unit": "J/kg/m"}]
    rows = [
        [
            name.removeprefix("variation.").replace("_", " "),
            f"{at['value']:g} to {at['more']:.3g}",
            *(_change(change.at[row["key"], name], linear.at[row["key"], name]) for row in shown),
        ]
        for name, at in parameters.to_dict("index").items()
    ]
    names = [f"{row['name'].replace('_', ' ')}, {row['unit']}" for row in shown]
    return (
        table(["as this goes", "from", *names], rows, numbers=len(names))
        + "\nthe derivative over one spread; ~ not linear: solved there it differs by over a tenth"
    )


def _change(value: float, linear: bool | None) -> str:
    return f"{value:+.2g}" if linear else f"~{value:+.2g}"


def muscle_text(data: Mapping[str, Any]) -> list[str]:
    """Every muscle of one stride, a row each, and the reserve that helps them most; empty without muscles."""
    if "muscles" not in data:
        return []
    columns = {
        "activation_peak": "peak activation",
        "force_peak_n": "peak force, N",
        "force_peak_f0": "of its greatest",
        "metabolic_power_w": "metabolic power, W",
        "hip_flexion_share_percent": "share of hip flexion torque, %",
        "hip_adduction_share_percent": "adduction, %",
        "hip_rotation_share_percent": "rotation, %",
    }
    rows = [[name, *(rounded(row[key]) for key in columns)] for name, row in data["muscles"].items()]
    worst = max(data["reserves"], key=lambda joint: data["reserves"][joint]["peak_fraction"])
    reserve = data["reserves"][worst]
    share = 100 * reserve["peak_fraction"]
    line = f"largest reserve: {worst}, {reserve['peak_nm']:.1f} Nm, {share:.1f} % of the joint's peak moment"
    return [table(["muscle", *columns.values()], rows, numbers=len(columns)), _full(data["muscles"]), line]


def _full(muscles: Mapping[str, Any]) -> str:
    """The muscles that could not give more at some time, the longest first."""
    full = sorted(
        ((row["full_percent"], name) for name, row in muscles.items() if row["full_percent"]), reverse=True
    )
    each = [f"{name} for {percent:.0f} % of the stride" for percent, name in full]
    return f"fully active: {', '.join(each) or 'no muscle'}"


@contextlib.contextmanager
def progress_bar() -> Iterator[Callable[[int, int, str, float | None], None]]:
    """Gives a callback (done, of how many, what is being solved, seconds left) that draws a bar on stderr.

    Where stderr is no terminal, each call is a line.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    def left(seconds: float | None) -> str:
        return "" if seconds is None else "{}:{:02} left".format(*divmod(round(seconds), 60))

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda done, total, what, seconds: say(f"{done}/{total} {left(seconds)} {what}")
        return
    time_left, what_now = TextColumn("{task.fields[left]}"), TextColumn("{task.description}")
    columns = (BarColumn(), MofNCompleteColumn(), time_left, what_now)
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("preparing", total=None, left="")
        yield lambda done, total, what, seconds: bar.update(
            task, completed=done, total=total, description=what, left=left(seconds)
        )


def _with_interval(value: float | None, interval: tuple[float, float] | None) -> str:
    if interval is None or not all(map(math.isfinite, interval)):
        return rounded(value)
    return f"{rounded(value)} [{rounded(interval[0])}, {rounded(interval[1])}]"


def rounded(value: float | str | None) -> str:
    """A number for a table: one to three decimals by its size, "-" for none."""
    if value is None or isinstance(value, str):
        return "-" if value is None else value
    text = f"{value:.{3 if abs(value) < 1 else 2 if abs(value) < 10 else 1}f}"
    return text if float(text) else text.removeprefix("-")
