"""What was measured on people and blades: the files of experiments/validation/.

Takes the folder of findings; gives `Finding`s, each with its `Target`s, and the `Cohort`s they are tested on.
A file that says something impossible is an `InputError`, before anything is solved.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from bladerun._lib.kinds import Number, Record, Special, Word, check
from bladerun._lib.table import Table
from bladerun.case import parse_toml
from bladerun.errors import InputError, one_of

STATUSES = ("read", "derived", "recalled")
MEASURED = ("bench", "able-bodied", "blades")
DATA = (*MEASURED, "clinical consensus")  # shown apart from what was measured
STATISTICS = ("mean", "difference", "slope")


def _row(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise InputError(f"{value!r} is not allowed; a table")
    return value


_ROW = Annotated[Mapping[str, Any], Special("a table", _row, lambda: {"type": "object"})]
_NUMBER = Annotated[float, Number(-math.inf)]


@dataclass(frozen=True)
class Target:
    """One number or direction that a prediction is compared with.

    Of what was published exactly one is given: `value` with `tolerance`, `range`, `sign` or `bound`.

    Parameters
    ----------
    cohort
        The name of a file in `cohorts/`.
    quantity
        A column of the cohort's rows (`_measures`).
    unit
        Of the number.
    basis
        Where the tolerance comes from.
    what
        The target in words.
    minus
        A second quantity, taken off the first.
    statistic
        "mean" over runners; "difference" of the rows of `where` and of `against`, runner by runner; "slope"
        over the column `over` within runners, less that of `against` if given.
    where, against
        Values of the condition that select rows.
    over
        The column that a slope is taken over.
    percent
        A difference in percent of `against`.
    value
        The number that was measured.
    tolerance
        By how much a prediction that agrees may differ from it.
    range
        Least and greatest number that agrees.
    sign
        The direction that was measured, +1 or -1.
    bound
        The largest effect that the study could have missed where it found none.
    """

    cohort: str
    quantity: str
    unit: str
    basis: str
    what: str = ""
    minus: str = ""
    statistic: Annotated[str, Word(STATISTICS)] = "mean"
    where: _ROW | None = None
    against: _ROW | None = None
    over: str = ""
    percent: bool = False
    value: _NUMBER | None = None
    tolerance: Annotated[float, Number()] | None = None
    range: tuple[_NUMBER, _NUMBER] | None = None
    sign: Annotated[int, Number(-1, 1, whole=True, to=int)] = 0
    bound: Annotated[float, Number()] | None = None

    def __post_init__(self) -> None:
        check(self)
        stated = (self.value is not None, self.range is not None, self.sign != 0, self.bound is not None)
        if sum(stated) != 1 or (self.value is None) != (self.tolerance is None):
            raise InputError("one of value with tolerance, range, sign, bound must be given", key="target")
        if (self.statistic == "slope") != bool(self.over):
            raise InputError("'over' belongs to a slope", key="over")
        if self.statistic == "difference" and self.against is None:
            raise InputError("a difference needs 'against'", key="against")

    @property
    def limits(self) -> tuple[float, float] | None:
        """Least and greatest predicted number that agrees; None for a sign."""
        if self.value is not None and self.tolerance is not None:
            return self.value - self.tolerance, self.value + self.tolerance
        if self.bound is not None:
            return -self.bound, self.bound
        return (self.range[0], self.range[1]) if self.range else None


@dataclass(frozen=True)
class Finding:
    """One published finding.

    Parameters
    ----------
    title
        What was found, in words.
    source
        Who found it.
    status
        How its figures were seen.
    data
        What was measured on.
    targets
        What a prediction is compared with; in a file each a [[target]].
    doi
        Of the source.
    used
        Whether the model, its blades or its weights were made with these figures; agreement then shows that
        the model does what it was made to do, not that it predicts.
    note
        What else there is to say.
    miss
        The best explanation known where a target fails.
    name
        That of its file.
    """

    title: str
    source: str
    status: Annotated[str, Word(STATUSES, listed=True)]
    data: Annotated[str, Word(DATA, listed=True)]
    targets: tuple[Target, ...] = ()
    doi: str = ""
    used: bool = False
    note: str = ""
    miss: str = ""
    name: str = ""


@dataclass(frozen=True)
class Cohort:
    """People as a study had them, or blades on the bench, and the conditions each of them is put in.

    runners: keys of `Runner` and of `Amputation`; empty for the bench. conditions: blade, category (steps
    from the recommended one; on the bench the category), what else a `Fitting` is made of, and a `Task`, such
    as speed_m_s and slope_percent; on the bench angle_deg and peak_load_n, the rating load where none is
    given.
    """

    name: str
    source: str
    status: str
    note: str
    runners: tuple[Mapping[str, Any], ...]
    conditions: tuple[Mapping[str, Any], ...]


def load(folder: Path) -> tuple[list[Finding], dict[str, Cohort]]:
    """Every finding of the folder in the order of file names, and the cohorts they name."""
    cohorts = {path.stem: _cohort(path) for path in sorted((folder / "cohorts").glob("*.toml"))}
    findings = [_finding(path, cohorts) for path in sorted(folder.glob("*.toml"))]
    if not findings:
        raise InputError("holds no findings", file=folder)
    return findings, cohorts


def _finding(path: Path, cohorts: Mapping[str, Cohort]) -> Finding:
    document = parse_toml(path)
    try:
        targets = document.pop("target", [])
        finding = Record(Finding).read({**document, "targets": targets, "name": path.stem})
        for target in finding.targets:
            one_of(target.cohort, cohorts, "target.cohort")
    except InputError as error:
        raise error.at(path, error.key) from None
    return finding


@dataclass(frozen=True)
class _CohortFile:
    """A cohort as its file has it: `usual` stands under every condition, lists are combined."""

    source: str
    status: str
    condition: tuple[_ROW, ...]
    usual: _ROW = field(default_factory=Table)
    runner: tuple[_ROW, ...] = ()
    note: str = ""


def _cohort(path: Path) -> Cohort:
    try:
        file = Record(_CohortFile).read(parse_toml(path))
    except InputError as error:
        raise error.at(path, error.key) from None
    conditions: list[Mapping[str, Any]] = []
    for row in file.condition:
        lists = {k: v if isinstance(v, list) else [v] for k, v in {**file.usual, **row}.items()}
        for values in itertools.product(*lists.values()):
            condition = dict(zip(lists, values, strict=True))
            if condition not in conditions:
                conditions.append(condition)
    return Cohort(path.stem, file.source, file.status, file.note, file.runner, tuple(conditions))
