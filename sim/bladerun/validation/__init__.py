"""Validation: predictions beside what was measured on people and blades, one row a target.

Takes the findings of experiments/validation/ (in a wheel: shipped with the package); gives a `Validation` and
writes it as `validation.json`, `validation.html` and `VALIDATION.md`. A target that fails stays in the table.
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bladerun import __version__
from bladerun._lib.files import atomic, output_dir
from bladerun._lib.threads import cores
from bladerun.errors import InputError
from bladerun.status import Status
from bladerun.validation._page import html, markdown
from bladerun.validation._runs import Progress, run_cohorts
from bladerun.validation._statistics import Estimate, estimate, verdict
from bladerun.validation.finding import DATA, Cohort, Finding, Target, load

__all__ = ["Row", "Validation", "findings_dir", "validate"]

_INSTALLED = Path(__file__).parent / "findings"
_CHECKOUT = Path(__file__).parents[3] / "experiments" / "validation"


def findings_dir() -> Path:
    """The folder of findings: inside an installed wheel, or experiments/validation in a checkout."""
    return _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT


@dataclass(frozen=True)
class Row:
    """One target: what was published, what is predicted, and whether they agree."""

    finding: Finding
    target: Target
    found: Estimate
    verdict: str

    def to_dict(self) -> dict[str, Any]:
        """For JSON: None for what is not known."""
        finding = {key: value for key, value in asdict(self.finding).items() if key != "targets"}
        numbers = {key: _known(value) for key, value in self.found._asdict().items()}
        return finding | {"target": asdict(self.target), "predicted": numbers, "verdict": self.verdict}


@dataclass(frozen=True)
class Validation:
    """Every target, predicted beside measured.

    Attributes
    ----------
    rows
        One a target, with its verdict.
    cohorts
        The runners that were predicted.
    runners
        How many of each cohort ran, None for all.
    strides
        How many were solved.
    failed
        How many strides did not converge, by cohort.
    minutes
        How long it took.
    folder
        Where the tables lie.
    """

    rows: tuple[Row, ...]
    cohorts: tuple[Cohort, ...]
    runners: int | None
    strides: int
    failed: dict[str, int]
    minutes: float
    folder: Path

    def counts(self) -> dict[str, dict[str, int]]:
        """Of each kind of data: targets, those that agree, those not used to make the model that agree."""
        table = {}
        for kind in DATA:
            mine = [row for row in self.rows if row.finding.data == kind]
            new = [row for row in mine if not row.finding.used]
            table[kind] = {
                "targets": len(mine),
                "agree": sum(row.verdict == "agrees" for row in mine),
                "not_used": len(new),
                "not_used_agree": sum(row.verdict == "agrees" for row in new),
            }
        return table

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "version": __version__,
            "runners": self.runners,
            "strides": self.strides,
            "failed": self.failed,
            "minutes": round(self.minutes, 1),
            "counts": self.counts(),
            "targets": [row.to_dict() for row in self.rows],
        }


def validate(
    out: str | Path,
    *,
    runners: int | None = None,
    workers: int | None = None,
    findings: Path | None = None,
    progress: Progress | None = None,
) -> Validation:
    """Predict what every finding measured and write the table.

    Parameters
    ----------
    out
        The folder for it.
    runners
        Only the first so many of each cohort; a direction then needs no significance.
    workers
        Processes, one a core by default.
    findings
        Another folder of them.
    progress
        Called with strides done, strides in all, what was solved last, and seconds left, here always None.

    Returns
    -------
    Validation
        Every target, and which agree.

    Raises
    ------
    InputError
        Before anything is solved, for fewer than one runner, a finding that cannot be used or an `out` that
        cannot be written to.
    """
    if runners is not None and runners < 1:
        raise InputError(f"{runners!r} is not allowed; None for all, or a number from 1", key="runners")
    began = time.monotonic()
    found, cohorts = load(findings or findings_dir())
    folder = output_dir(out)
    needed = {target.cohort for finding in found for target in finding.targets}
    wanted = [cohort for cohort in cohorts.values() if cohort.name in needed]
    tables = run_cohorts(
        wanted,
        folder,
        runners=runners,
        workers=workers or cores(),
        progress=progress,
    )
    rows = []
    for finding in found:
        for target in finding.targets:
            number = estimate(target, tables[target.cohort])
            rows.append(Row(finding, target, number, verdict(target, number, whole=runners is None)))
    solved = {cohort.name: tables[cohort.name] for cohort in wanted if cohort.runners}
    result = Validation(
        rows=tuple(rows),
        cohorts=tuple(wanted),
        runners=runners,
        strides=sum(len(table) for table in solved.values()),
        failed={name: int((table.status != Status.CONVERGED).sum()) for name, table in solved.items()},
        minutes=(time.monotonic() - began) / 60,
        folder=folder,
    )
    for name, text in (
        ("validation.json", json.dumps(result.to_dict(), indent=2, allow_nan=False) + "\n"),
        ("validation.html", html(result)),
        ("VALIDATION.md", markdown(result)),
    ):
        with atomic(folder / name) as tmp:
            tmp.write_text(text, encoding="utf-8")
    return result


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
