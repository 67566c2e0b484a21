"""Which category fits at which body mass: what to wear after losing or gaining weight.

Takes a case and a range of masses; gives a `MassPlan`: from which mass to which each category fits, and what
ends it on either side. A category fits where its blade holds (the margin of models/recommendation.toml) and
still bends (models/plan.toml), compared with the category that the chart gives at that mass.

A few masses are solved, each on the chart's category and on softer and stiffer ones until they no longer fit;
values between two solved masses lie on a straight line, and nothing is said beyond them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bladerun import __version__
from bladerun._lib import data_files
from bladerun._lib.files import atomic
from bladerun._lib.json_values import json_value
from bladerun._lib.threads import cores
from bladerun.blade.catalog import load_blade
from bladerun.case import Case
from bladerun.errors import InputError
from bladerun.fitting import Fitting, altered, recommended, resolve
from bladerun.placement import placements
from bladerun.status import Status
from bladerun.study import executors, strides
from bladerun.study.job import Inputs
from bladerun.study.recommend import weights
from bladerun.study.strides import Asked

OVERLOADED, TOO_STIFF = "overloaded", "too stiff to bend"
END, NOT_SOLVED = "end of the range", "not solved"
COLUMNS = ("blade_margin", "blade_compression_mm", "blade_energy_peak_j", "cost_j_kg_m")
_UNKNOWN = {END: "nothing was asked for", NOT_SOLVED: "no stride was found"}
_STEP_KG = 0.1  # to which a mass is told

Key = tuple[float, float]
"""Mass, kg, and category."""


@dataclass(frozen=True)
class Span:
    """From which mass to which a category fits, kg, and what ends it there: `OVERLOADED`, `TOO_STIFF`, `END`
    of the range that was asked for, or `NOT_SOLVED`. NaN and what is wrong with it where it never fits.
    chart_kg: the masses of the range for which the chart gives it, empty if none."""

    category: float
    low_kg: float
    high_kg: float
    low_by: str
    high_by: str
    chart_kg: tuple[float, ...]


@dataclass(frozen=True)
class MassPlan:
    """What `plan_masses` gives.

    current: the category worn today. today_kg: the runner's mass now. table: a row a solved stride, indexed
    by mass_kg and category: status, why and `COLUMNS`, and the share of the chart's category's compression
    and energy, the smaller (`share`); NaN where not converged.
    """

    case: Case
    current: float
    today_kg: float
    spans: tuple[Span, ...]
    table: pd.DataFrame

    def span(self, category: float) -> Span | None:
        """That of a category, where it was solved."""
        return next((each for each in self.spans if each.category == category), None)

    def to_dict(self) -> dict[str, Any]:
        """For JSON; None for NaN."""
        spans = [asdict(span) for span in self.spans]
        rows = self.table.reset_index().to_dict("records")
        found = {
            "category_today": self.current,
            "mass_today_kg": self.today_kg,
            "spans": spans,
            "solved": rows,
        }
        return {"version": __version__, **json_value(found), "warnings": self.warnings()}

    def warnings(self) -> list[str]:
        """When the blade worn today no longer fits, in sentences, gaining and losing."""
        span, fitting = self.span(self.current), self.case.fitting
        assert fitting is not None
        if span is None or math.isnan(span.low_kg):
            return [f"Category {self.current:g}, worn today, does not fit anywhere in this range."]
        said = []
        for way, kg, by in (("Gaining", span.high_kg, span.high_by), ("Losing", span.low_kg, span.low_by)):
            worn = f"{way} weight, category {self.current:g} fits "
            if by not in (OVERLOADED, TOO_STIFF):
                said.append(f"{worn}to {kg:.0f} kg at least; beyond, {_UNKNOWN[by]}.")
                continue
            chart = recommended(fitting, self.case.runner.of_mass(kg))
            said.append(f"{worn}to {kg:.0f} kg, then it is {by}; the chart gives category {chart:g} there.")
        return said


def plan_masses(
    case: Case,
    low_kg: float,
    high_kg: float,
    out: str | Path,
    *,
    workers: int | None = None,
    progress: Any = None,
    look_in: str | Path | None = None,
) -> MassPlan:
    """Solve the runner at masses from low to high, on the categories that may fit there.

    All else stays: height, fitting, task, and the strength that the runner has today.

    Parameters
    ----------
    case
        The runner, with a fitting.
    low_kg, high_kg
        Of the body with its prosthesis.
    out
        The folder for `plan.json` and strides; those it already holds are used again.
    workers
        Processes, one a core by default.
    progress
        Called with strides done, strides known of, what is being solved, and None.
    look_in
        A folder of such folders, whose strides are copied where they are the same.

    Returns
    -------
    MassPlan
        From which mass to which each category fits.

    Raises
    ------
    InputError
        Before anything is solved: without a fitting, for masses that a runner of this height or the chart
        does not allow, and where `out` cannot be written to.
    """
    ladder = _Ladder(case, _masses(case, low_kg, high_kg))
    workers = workers or cores()
    with (
        strides.opened(out, look_in) as kept,
        executors.opened(workers, here=workers == 1) as executor,
    ):
        for key, found in kept.each(executor, ladder.take):
            ladder.rows[key] = found.row
            if progress:
                progress(len(ladder.rows), len(ladder.asked), f"{key[0]:g} kg, category {key[1]:g}", None)
    plan = ladder.plan()
    with atomic(Path(out) / "plan.json") as tmp:
        tmp.write_text(json.dumps(plan.to_dict(), indent=2, allow_nan=False) + "\n", encoding="utf-8")
    return plan


def _masses(case: Case, low_kg: float, high_kg: float) -> list[float]:
    """The masses to solve; InputError for a range that is none."""
    facts = data_files.toml("plan.toml")["mass"]
    if case.fitting is None:
        raise InputError(
            "is missing; there is no category to plan for a runner without a blade", key="[fitting]"
        )
    if not high_kg - low_kg >= facts["least_kg"]:
        raise InputError(
            f"{low_kg:g} to {high_kg:g} kg is not allowed; the lower mass first, "
            f"at least {facts['least_kg']:g} kg apart",
            key="mass",
        )
    for end in (low_kg, high_kg):
        recommended(case.fitting, case.runner.of_mass(end))
    pieces = math.ceil((high_kg - low_kg) / facts["step_kg"] - 1e-9)
    return np.linspace(low_kg, high_kg, pieces + 1).round(2).tolist()


class _Ladder:
    """Which strides are asked for, as others are solved: masses side by side, one category after another."""

    def __init__(self, case: Case, masses: Sequence[float]):
        assert case.fitting is not None
        self.case, self.masses = case, list(masses)
        self.current = resolve(case.fitting, case.runner)
        self.categories = load_blade(self.current.blade).categories
        self.chart = {mass: float(recommended(self.current, self.inputs(mass).runner)) for mass in masses}
        for mass, category in self.chart.items():
            self._on(mass, category)  # all are tried before any is solved
        self._first = min(range(len(masses)), key=lambda i: abs(masses[i] - case.runner.mass_kg))
        self.asked: dict[Key, Asked] = {}
        self.rows: dict[Key, Mapping[str, Any]] = {}

    def inputs(self, mass_kg: float) -> Case:
        return replace(self.case, runner=self.case.runner.of_mass(mass_kg))

    def take(self) -> tuple[Key, Asked] | None:
        """The next stride that is ready."""
        for key, before in self._wanted():
            if key in self.asked or (before is not None and before not in self.rows):
                continue
            usable = before is not None and Status(self.rows[before]["status"]).usable_as_start
            start = self.asked[before] if before is not None and usable else None
            case, fitting = self._on(*key)
            self.asked[key] = Asked(Inputs.of(case, fitting), start)
            return key, self.asked[key]
        return None

    def plan(self) -> MassPlan:
        table = self._table()
        found = sorted({category for _, category in self.rows})
        grid = np.arange(round(self.masses[0] / _STEP_KG), round(self.masses[-1] / _STEP_KG) + 1) * _STEP_KG
        chart = np.array(
            [recommended(self.current, self.inputs(kg).runner) for kg in grid.round(6).tolist()], float
        )
        spans = tuple(_span(table, category, grid, chart) for category in found)
        return MassPlan(self.case, float(self.current.category), self.case.runner.mass_kg, spans, table)

    def _on(self, mass_kg: float, category: float) -> tuple[Case, Fitting]:
        case = self.inputs(mass_kg)
        fitting = resolve(altered(self.current, category=category), case.runner)
        placements(fitting, case.runner, case.amputation)
        return case, fitting

    def _wanted(self):
        """Keys and the keys that they start from, as far as is known now."""
        first = self._first
        for i in sorted(range(len(self.masses)), key=lambda i: abs(i - first)):
            mass = self.masses[i]
            beside = self.masses[i + (i < first) - (i > first)]
            here = mass, self.chart[mass]
            yield here, None if i == first else (beside, self.chart[beside])
            for way in (-1, 1):
                yield from self._rungs(here, way)

    def _rungs(self, here: Key, way: int):
        """One category after another, softer or stiffer, while they fit here or the next does beside."""
        before = here
        for n in range(1, data_files.toml("plan.toml")["reach"]["categories"] + 1):
            key = here[0], here[1] + way * n
            if key[1] not in self.categories or before not in self.rows:
                return
            if n > 1 and not self._fits(before) and not any(map(self._fits, self._beside(key))):
                return
            yield key, before
            before = key

    def _beside(self, key: Key) -> list[Key]:
        """The same category at the masses next to this one."""
        i = self.masses.index(key[0])
        return [(mass, key[1]) for mass in (*self.masses[max(0, i - 1) : i], *self.masses[i + 1 : i + 2])]

    def _fits(self, key: Key) -> bool:
        """Whether it was solved, holds, and bends enough."""
        chart = key[0], self.chart[key[0]]
        if not all(key in self.rows and self.rows[key]["status"] == Status.CONVERGED for key in (key, chart)):
            return False
        mine, theirs = self._values(self.rows[key]), self._values(self.rows[chart])
        least = data_files.toml("plan.toml")["too_stiff"]["least_share"]
        return mine["blade_margin"] >= _least_margin() and _share(mine, theirs) >= least

    def _values(self, row: Mapping[str, Any]) -> dict[str, float]:
        """`COLUMNS` of a row, of the blade that bends most where both legs wear one."""
        values = {key: float(row[key]) for key in ("blade_margin", "cost_j_kg_m")}
        for key in ("blade_compression_mm", "blade_energy_peak_j"):
            values[key] = max(float(row[f"{key}_{side}"]) for side in self.case.amputation.sides)
        return values

    def _table(self) -> pd.DataFrame:
        rows = {}
        for key, row in self.rows.items():
            rows[key] = {
                "status": row["status"],
                "why": row["why"],
                **dict.fromkeys((*COLUMNS, "share"), math.nan),
            }
            chart = self.rows[key[0], self.chart[key[0]]]
            if row["status"] != Status.CONVERGED:
                continue
            rows[key] |= self._values(row)
            if chart["status"] == Status.CONVERGED:
                rows[key]["share"] = _share(self._values(row), self._values(chart))
        table = pd.DataFrame.from_dict(rows, orient="index")
        table.index = pd.MultiIndex.from_tuples(table.index, names=["mass_kg", "category"])
        return table.sort_index()


def _least_margin() -> float:
    return weights()["constraint"]["minimum"]


def _share(mine: Mapping[str, float], chart: Mapping[str, float]) -> float:
    """Of the compression and of the energy of the chart's category, the smaller."""
    return min(mine[key] / chart[key] for key in ("blade_compression_mm", "blade_energy_peak_j"))


def curve(table: pd.DataFrame, column: str, category: float, mass_kg: np.ndarray) -> np.ndarray:
    """A column of one category at these masses, along straight lines between solved ones; NaN elsewhere."""
    rows = table[table.index.get_level_values("category") == category].droplevel("category")
    kg, values = rows.index.to_numpy(float), rows[column].to_numpy(float)
    if len(kg) < 2:
        return np.where(np.isin(mass_kg.round(6), kg), values[:1] if len(kg) else math.nan, math.nan)
    return np.interp(mass_kg, kg, values, left=math.nan, right=math.nan)


def _span(table: pd.DataFrame, category: float, kg: np.ndarray, chart: np.ndarray) -> Span:
    """chart (len(kg),): the chart's category at each mass."""
    margin = curve(table, "blade_margin", category, kg)
    share = np.full(len(kg), math.inf)
    for column in ("blade_compression_mm", "blade_energy_peak_j"):
        mine, theirs = curve(table, column, category, kg), np.full(len(kg), math.nan)
        for each in np.unique(chart):
            theirs[chart == each] = curve(table, column, each, kg)[chart == each]
        share = np.minimum(share, mine / theirs)
    given = kg[chart == category]
    band = (float(given[0]), float(given[-1])) if len(given) else ()
    wrong = np.full(len(kg), "", object)
    wrong[share < data_files.toml("plan.toml")["too_stiff"]["least_share"]] = TOO_STIFF
    wrong[margin < _least_margin()] = OVERLOADED
    wrong[np.isnan(margin) | np.isnan(share)] = NOT_SOLVED
    first, last = _longest(wrong == "")
    if first > last:
        known = [each for each in wrong if each != NOT_SOLVED]
        why = max(set(known), key=known.count) if known else NOT_SOLVED
        return Span(category, math.nan, math.nan, why, why, band)
    return Span(
        category,
        round(float(kg[first]), 1),
        round(float(kg[last]), 1),
        END if first == 0 else str(wrong[first - 1]),
        END if last == len(kg) - 1 else str(wrong[last + 1]),
        band,
    )


def _longest(right: np.ndarray) -> tuple[int, int]:
    """First and last place of the longest run that is right; (0, -1) where none is."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], right.astype(int), [0]])))
    runs = list(zip(edges[::2].tolist(), (edges[1::2] - 1).tolist(), strict=True))
    return max(runs, key=lambda run: run[1] - run[0], default=(0, -1))
