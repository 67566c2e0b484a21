"""How far numbers may be off: an interval for each, and for the differences of pairs solved alike.

Takes the members of an ensemble: a table indexed by (name, member), member 0 as the facts have it, the
others each with the same draw of the facts for every name. Gives low and high of each name's columns, and of
the difference of two names, in which what both have in common cancels.

With d the deviations of m members from member 0, the interval is its value -+ t sqrt(mean d^2), t Student's
at m degrees of freedom: around the number that is shown, wide where members are few, and a bias counts as
spread. Members that did not converge are left out.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import t as student

from bladerun.status import Status

LEVEL = 0.90  # of two-sided intervals
FEWEST = 4  # members besides the nominal one, below which no interval is given


def intervals(members: pd.DataFrame) -> pd.DataFrame:
    """`<column>_low`, `<column>_high` of every numeric column, a row a name; NaN with too few members."""
    values = _values(members)
    if values.empty:
        return pd.DataFrame(index=pd.Index([], name="name"))
    rows = {name: _bounds(part.droplevel(0)) for name, part in values.groupby(level=0)}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("name")


def difference(members: pd.DataFrame, one: str, other: str) -> pd.DataFrame:
    """`one` less `other`, a row a column: value, low and high, and whether zero lies outside (`apart`).

    Only members that both have count; low and high are NaN with too few, and nothing is then told apart.
    """
    values = _values(members)
    if values.empty or not {one, other} <= set(values.index.get_level_values(0)):
        return pd.DataFrame(columns=["value", "low", "high", "apart"], dtype=float)
    pair = (values.loc[one] - values.loc[other]).dropna(how="all")
    bounds = pd.Series(_bounds(pair), dtype=float)
    table = pd.DataFrame(
        {
            "value": pair.loc[0] if 0 in pair.index else np.nan,
            "low": [bounds[f"{column}_low"] for column in pair.columns],
            "high": [bounds[f"{column}_high"] for column in pair.columns],
        },
        index=pair.columns,
    )
    table["apart"] = (table.low > 0) | (table.high < 0)
    return table


def _values(members: pd.DataFrame) -> pd.DataFrame:
    """Numbers of the members that converged; none where member 0 did not."""
    if members.empty:
        return members
    solved = members.loc[members.status == Status.CONVERGED].select_dtypes("number")
    name, member = (solved.index.get_level_values(level) for level in (0, 1))
    return solved.loc[name.isin(name[member == 0])]


def _bounds(table: pd.DataFrame) -> dict[str, float]:
    """Low and high of every column of (member, column)."""
    if 0 not in table.index:
        table = table.reindex([0])
    nominal = table.loc[0]
    away = table.drop(index=0) - nominal
    count = away.notna().sum()
    reach = student.ppf((1 + LEVEL) / 2, count.clip(lower=1)) * np.sqrt((away**2).mean())
    reach = reach.where(count >= FEWEST)
    bounds = {f"{column}_low": nominal[column] - reach[column] for column in table.columns}
    return bounds | {f"{column}_high": nominal[column] + reach[column] for column in table.columns}
