"""What a comparison of fittings found: a `FitResult`, and the same for JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from bladerun import __version__
from bladerun._lib.json_values import json_value
from bladerun.case import Case
from bladerun.status import Status
from bladerun.study import answer
from bladerun.study.knee_comparison import KneeComparison
from bladerun.study.landing_window import LandingWindow
from bladerun.study.today import HeldToday


@dataclass(frozen=True)
class FitResult:
    """What a comparison of fittings found.

    Attributes
    ----------
    case
        What it was asked of.
    table
        One row a fitting, indexed by its name: settings, status and why, score and trade-offs, objective,
        every outcome (`contact_time_s_left`), each with `<column>_scatter`, the largest difference between
        the converged visits of that fitting (`visits` counts them), NaN with fewer than two. NaN throughout
        where none converged. With an ensemble also `<column>_low` and `<column>_high`, see
        `bladerun.study.intervals`.
    recommended
        Name of a row: None where no fitting qualifies, the current one where no change is worth making.
    current
        Name of the row of the fitting worn today.
    indistinct
        Rows whose score does not differ clearly from that of the best one.
    why
        The recommendation in words.
    comparison
        The trade-offs of recommended and current side by side (empty where either has none).
    weights
        What the score is made of.
    folder
        Where all of it lies.
    first
        The one change to try first on the way to the recommended one.
    members
        One row a fitting and draw of the ensemble, as `table` without scatter; member 0 is as the facts have
        it; `estimated`: not solved, but taken from those that were. Empty without an ensemble.
    held
        The recommended fitting under the controls of today's stride (`bladerun.forward.unadapted`): status,
        why, feedback_share, and every outcome where status is "held". Empty unless asked for and the two
        differ.
    window
        How far the landing on the recommended fitting, or today's, may move; None where neither was solved.
    today
        Today's fitting, predicted beside measured, and by how much that narrowed the answer; None where the
        runner's file has no [reference], or today's fitting did not converge.
    knees
        Today's fitting on the knees of the sweep; None where it names none.
    """

    case: Case
    table: pd.DataFrame
    recommended: str | None
    current: str
    indistinct: list[str]
    why: str
    comparison: list[dict[str, Any]]
    weights: Mapping[str, Any]
    folder: Path
    first: str | None = None
    members: pd.DataFrame = field(default_factory=pd.DataFrame)
    held: dict[str, Any] = field(default_factory=dict)
    window: LandingWindow | None = None
    today: HeldToday | None = None
    knees: KneeComparison | None = None

    @property
    def only_knees(self) -> bool:
        """Whether knees were compared, on today's fitting, and no settings of the blade."""
        return self.knees is not None and len(self.table) == 1

    @property
    def report(self) -> Path:
        """Where `bladerun.write_report` writes it."""
        return self.folder / "report.html"

    def stride(self, name: str) -> Path:
        """The file of the stride that stands for a fitting."""
        return self.folder / self.table.at[name, "stride"]

    def to_dict(self) -> dict[str, Any]:
        """For JSON: inputs, recommendation and every row; None for NaN."""
        rows = {name: json_value(row.to_dict()) for name, row in self.table.iterrows()}
        return {
            "version": __version__,
            "runner": asdict(self.case.runner),
            "amputation": asdict(self.case.amputation),
            "task": asdict(self.case.task),
            "cost": self.case.cost.to_dict(),
            "environment": self.case.environment.to_dict(),
            "converged": int((self.table.status == Status.CONVERGED).sum()),
            "fittings": len(self.table),
            "recommended": self.recommended and {"name": self.recommended, **rows[self.recommended]},
            "today": self.today and self.today.to_dict(),
            "knees": self.knees and self.knees.to_dict(),
            "current": {"name": self.current, **rows[self.current]},
            "first": self.first,
            "changes": [json_value(row) for row in answer.changes(self.table, self.current)],
            "indistinct": self.indistinct,
            "why": self.why,
            "comparison": [json_value(row) for row in self.comparison],
            "held": json_value(self.held),
            "window": self.window and self.window.to_dict(),
            "weights": self.weights,
            "report": str(self.report),
            "table": str(self.folder / "outcomes.parquet"),
        }
