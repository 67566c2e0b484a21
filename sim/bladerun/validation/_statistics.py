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
from statsmodels.regression.linear_model import OLS

from bladerun.validation.finding import Target

SIGNIFICANT = 0.05  # p of a direction, as in the papers


class Estimate(NamedTuple):
    """value; se between runners and p (two-sided, of being zero), NaN of one runner; runners."""

    value: float
    se: float
    p: float
    runners: int


def estimate(target: Target, rows: pd.DataFrame) -> Estimate:
    """The target's number from the rows that were solved; NaN where there are none."""
    mine = _rows(target, rows, target.where)
    if target.statistic == "slope":
        return _slope(mine, *([_rows(target, rows, target.against)] if target.against else []))
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


def _rows(target: Target, table: pd.DataFrame, where: Mapping[str, Any] | None) -> pd.DataFrame:
    """Selected rows: runner, what was found (y), and the column that a slope is over (x)."""

    def column(name: str) -> Any:
        return table.get(name, math.nan)

    y = column(target.quantity) - (column(target.minus) if target.minus else 0.0)
    x = column(target.over) if target.over else 0.0
    found = pd.DataFrame({"y": y, "x": x}, table.index, dtype=float).assign(runner=table["runner"])
    mine = np.isfinite(found.y) & np.isfinite(found.x)
    for key, value in (where or {}).items():
        mine &= table.get(key, pd.Series(math.nan, table.index)) == value
    return found.loc[mine]


def _by_runner(rows: pd.DataFrame) -> dict[Any, float]:
    return rows.groupby("runner", sort=False).y.mean().to_dict()


def _over_runners(each: np.ndarray) -> Estimate:
    count = len(each)
    if count < 2:
        return Estimate(float(each[0]) if count else math.nan, math.nan, math.nan, count)
    value, se = float(each.mean()), float(each.std(ddof=1) / math.sqrt(count))
    return Estimate(value, se, _p(value, se, count - 1), count)


def _slope(*arms: pd.DataFrame) -> Estimate:
    """Slope within runners of the first arm, less that of a second arm of the same runners if there is one.

    Least squares about each runner's mean in each arm: where all ran all conditions, the slope of the papers'
    linear mixed models with a random intercept. Rows of one runner share how that runner responds, so the
    covariance, of both arms together, is clustered by runner, with the usual small-sample factor and t of
    runners - 1 degrees of freedom (Cameron & Miller 2015, J Hum Resour 50:317, doi 10.3368/jhr.50.2.317). One
    slope of such complete data then has exactly the se and p of a t-test of the runners' own slopes, however
    few they are. A mixed model with a random slope has the same se, but statsmodels tests it as normal, which
    five runners are too few for.
    """
    rows = pd.concat(arms, keys=range(len(arms)), names=["arm"]).reset_index("arm")
    spread = rows.groupby(["runner", "arm"]).x.nunique().unstack(fill_value=0)
    able = (spread.reindex(columns=range(len(arms)), fill_value=0) > 1).all(axis=1)
    rows = rows[rows.runner.isin(able.index[able])]
    count = rows.runner.nunique()
    if not count:
        return Estimate(math.nan, math.nan, math.nan, 0)
    off = rows[["x", "y"]] - rows.groupby(["runner", "arm"])[["x", "y"]].transform("mean")
    design = np.where(rows.arm.to_numpy()[:, None] == range(len(arms)), off[["x"]], 0.0)
    contrast = np.array([1.0, -1.0])[: len(arms)]
    model, groups = OLS(off.y.to_numpy(), design), pd.factorize(rows.runner)[0]
    if count < 2:
        return Estimate(float(contrast @ model.fit().params), math.nan, math.nan, count)
    fit = model.fit(cov_type="cluster", cov_kwds={"groups": groups})
    value, se = float(contrast @ fit.params), math.sqrt(contrast @ fit.cov_params() @ contrast)
    return Estimate(value, se, _p(value, se, count - 1), count)


def _p(value: float, se: float, free: int) -> float:
    return float(2 * stats.t.sf(abs(value) / se, free)) if se else 0.0
