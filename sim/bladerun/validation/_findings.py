"""What was measured on people and blades: the files of experiments/validation/.

Takes the folder of findings; gives `Finding`s, each with its `Target`s, and the `Cohort`s they are tested on.
A file that says something impossible is an `InputError`, before anything is solved.
"""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from bladerun.errors import InputError, nearest

STATUSES = ("read", "derived", "recalled")
MEASURED = ("bench", "able-bodied", "blades")
DATA = (*MEASURED, "clinical consensus")  # shown apart from what was measured
STATISTICS = ("mean", "difference", "slope")


@dataclass(frozen=True)
class Target:
    """One number or direction that a prediction is compared with.

    quantity: a column of the cohort's rows (`_measures`). minus: a second one, taken off it. where: values of
    the condition that select rows. statistic: "mean" over runners; "difference" of the rows of `where` and of
    `against`, runner by runner (in percent of the latter if `percent`); "slope" over the column `over` within
    runners, less that of `against` if given. Of what was published exactly one: `value` with `tolerance`;
    `range` (low, high); `sign`, +1 or -1; `bound`, the largest effect the study could have missed where it
    found none. basis: where the tolerance comes from.
    """

    cohort: str
    quantity: str
    unit: str
    basis: str
    what: str = ""
    minus: str = ""
    statistic: str = "mean"
    where: Mapping[str, Any] | None = None
    against: Mapping[str, Any] | None = None
    over: str = ""
    percent: bool = False
    value: float | None = None
    tolerance: float | None = None
    range: tuple[float, float] | None = None
    sign: int = 0
    bound: float | None = None

    def __post_init__(self) -> None:
        stated = (self.value is not None, self.range is not None, self.sign != 0, self.bound is not None)
        if sum(stated) != 1 or (self.value is None) != (self.tolerance is None):
            raise InputError("one of value with tolerance, range, sign, bound must be given", key="target")
        if self.statistic not in STATISTICS:
            raise InputError(f"{self.statistic!r} is unknown; {nearest(self.statistic, STATISTICS)}")
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
    """One published finding. status: how its figures were seen; data: what was measured on.

    used: whether the model, its blades or its weights were made with these figures; agreement then shows that
    the model does what it was made to do, not that it predicts. miss: the best explanation known where a
    target fails.
    """

    name: str
    title: str
    source: str
    doi: str
    status: str
    data: str
    used: bool
    note: str
    miss: str
    targets: tuple[Target, ...]


@dataclass(frozen=True)
class Cohort:
    """People as a study had them, or blades on the bench, and the conditions each of them is put in.

    runners: keys of `Runner` and `side`; empty for the bench. conditions: blade, category (steps from the
    recommended one; on the bench the category), height_mm, speed_m_s, toe_out_deg; on the bench angle_deg
    and peak_load_n, the rating load where none is given.
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
    document = _parse(path)
    try:
        targets = tuple(_target(row, cohorts) for row in document.pop("target", []))
        finding = Finding(
            path.stem, targets=targets, **{"doi": "", "note": "", "miss": "", "used": False} | document
        )
        for key, known in (("status", STATUSES), ("data", DATA)):
            if getattr(finding, key) not in known:
                raise InputError(f"{getattr(finding, key)!r} is unknown; {', '.join(known)}", key=key)
    except TypeError as error:
        raise InputError(str(error), file=path) from None
    except InputError as error:
        raise error.at(path, error.key) from None
    return finding


def _target(row: dict[str, Any], cohorts: Mapping[str, Cohort]) -> Target:
    known = {field.name for field in fields(Target)}
    for key in row:
        if key not in known:
            raise InputError(f"not a known key; {nearest(key, known)}", key=key)
    target = Target(**row)
    if target.cohort not in cohorts:
        raise InputError(f"no cohort {target.cohort!r}; {nearest(target.cohort, cohorts)}", key="cohort")
    return target


def _cohort(path: Path) -> Cohort:
    document = _parse(path)
    usual = document.get("usual", {})
    conditions: list[Mapping[str, Any]] = []
    for row in document["condition"]:
        lists = {key: value if isinstance(value, list) else [value] for key, value in (usual | row).items()}
        for values in itertools.product(*lists.values()):
            condition = dict(zip(lists, values, strict=True))
            if condition not in conditions:
                conditions.append(condition)
    return Cohort(
        path.stem,
        document["source"],
        document["status"],
        document.get("note", ""),
        tuple(document.get("runner", [])),
        tuple(conditions),
    )


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read: {error}", file=path) from None
