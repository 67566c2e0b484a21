"""From rows of a cohort to one number beside the published one, as the papers computed theirs.

Takes a `Target` and the cohort's table (a row for each runner and condition); gives an `Estimate`, a verdict.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from bladerun.validation._findings import Target

SIGNIFICANT = 0.05  # p of a direction, as in the papers


class Estimate(NamedTuple):
    """value; se and p (two-sided, of being zero), NaN where one runner leaves none; runners."""

    value: float
    se: float
    p: float
    runners: int


def estimate(target: Target, rows: pd.DataFrame) -> Estimate:
    """The target's number from the rows that were solved; NaN where there are none."""
    mine = _rows(target, rows, target.where)
    if target.statistic == "slope":
        found = _slope(mine)
        return _less(found, _slope(_rows(target, rows, target.against))) if target.against else found
    each = _by_runner(mine)
    if target.statistic == "difference":
        base = _by_runner(_rows(target, rows, target.against))
        share = target.percent
        each = {
            who: 100 * (each[who] - base[who]) / abs(base[who]) if share else each[who] - base[who]
            for who in each.keys() & base.keys()
        }
    return _over_runners(np.array(list(each.values())))


def verdict(target: Target, found: Estimate, *, whole: bool = True) -> str:
    """ "agrees", "fails" or "no prediction".

    A direction must also be significant where the whole cohort ran and it has more than one runner.
    """
    if not math.isfinite(found.value):
        return "no prediction"
    if target.limits is not None:
        low, high = target.limits
        return "agrees" if low <= found.value <= high else "fails"
    sure = not whole or found.runners == 1 or found.p < SIGNIFICANT
    return "agrees" if sure and np.sign(found.value) == target.sign else "fails"


class _Rows(NamedTuple):
    """Selected rows: who ran, what was found, and the column a slope is over."""

    runner: np.ndarray
    y: np.ndarray
    x: np.ndarray


def _rows(target: Target, table: pd.DataFrame, where: Mapping[str, Any] | None) -> _Rows:
    nothing = np.full(len(table), np.nan)

    def column(name: str) -> np.ndarray:
        return table[name].to_numpy(float) if name in table else nothing

    y = column(target.quantity) - (column(target.minus) if target.minus else 0.0)
    x = column(target.over) if target.over else np.zeros(len(table))
    mine = np.isfinite(y) & np.isfinite(x)
    for key, value in (where or {}).items():
        mine &= table[key].to_numpy() == value
    return _Rows(table["runner"].to_numpy()[mine], y[mine], x[mine])


def _by_runner(rows: _Rows) -> dict[Any, float]:
    return {who: float(rows.y[rows.runner == who].mean()) for who in dict.fromkeys(rows.runner)}


def _over_runners(each: np.ndarray) -> Estimate:
    count = len(each)
    if count < 2:
        return Estimate(float(each[0]) if count else math.nan, math.nan, math.nan, count)
    value, se = float(each.mean()), float(each.std(ddof=1) / math.sqrt(count))
    return Estimate(value, se, _p(value, se, count - 1), count)


def _slope(rows: _Rows) -> Estimate:
    """Least squares with an intercept for each runner: a mixed model's slope where all ran all conditions."""
    x, y, who = rows.x.copy(), rows.y.copy(), np.unique(rows.runner)
    for one in who:
        mine = rows.runner == one
        x[mine] -= x[mine].mean()
        y[mine] -= y[mine].mean()
    spread, free = float(x @ x), len(x) - len(who) - 1
    if not spread:
        return Estimate(math.nan, math.nan, math.nan, len(who))
    value = float(x @ y) / spread
    if free < 1:
        return Estimate(value, math.nan, math.nan, len(who))
    se = math.sqrt(float(((y - value * x) ** 2).sum()) / free / spread)
    return Estimate(value, se, _p(value, se, free), len(who))


def _less(one: Estimate, other: Estimate) -> Estimate:
    """Difference of two slopes of the same runners: what an interaction says."""
    value, se = one.value - other.value, math.hypot(one.se, other.se)
    p = float(2 * stats.norm.sf(abs(value) / se)) if se else 0.0
    return Estimate(value, se, p if math.isfinite(se) else math.nan, min(one.runners, other.runners))


def _p(value: float, se: float, free: int) -> float:
    return float(2 * stats.t.sf(abs(value) / se, free)) if se else 0.0
