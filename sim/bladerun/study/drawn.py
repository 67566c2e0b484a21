"""Which fittings are solved again with the facts varied, and what that says of the others.

Takes the table of a comparison and members of some of its fittings; gives names, and members of all of them.
How a draw moves an outcome is taken to change evenly with each setting: as much from fitting to fitting as
between those that were drawn. So an outcome of a fitting that was not drawn has an interval too, and so has
its difference from another.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from bladerun._lib import data_files
from bladerun.case import ADJUSTED
from bladerun.status import Status

ESTIMATED = "estimated"  # column of members: whether the row was not solved


def to_draw(table: pd.DataFrame, named: list[str], current: str) -> list[str]:
    """The named fittings that converged, and the nearest to today's along each setting they leave open.

    table: one row a fitting with the columns of `ADJUSTED`. A setting is left open where the named ones say
    nothing of how an outcome's uncertainty changes with it.
    """
    solved = table.loc[table.status == Status.CONVERGED]
    chosen = [name for name in dict.fromkeys(named) if name in solved.index]
    if not chosen:
        return []
    place = _places(solved, current if current in chosen else chosen[0])
    steps = place.abs().sum(axis=1)
    for axis in ADJUSTED:
        alone = place[(place[axis] != 0) & (place.drop(columns=axis) == 0).all(axis=1)]
        rank = np.linalg.matrix_rank(place.loc[chosen])
        nearest = sorted(alone.index, key=lambda name: (steps[name], place.at[name, axis]))[:1]
        if nearest and np.linalg.matrix_rank(place.loc[[*chosen, *nearest]]) > rank:
            chosen += nearest
    return chosen


def spread(table: pd.DataFrame, members: pd.DataFrame, current: str) -> pd.DataFrame:
    """Members of every converged fitting: those given, and estimates (`ESTIMATED`) of the others.

    members: a table indexed by (name, member), member 0 as the facts have it. A draw counts for the others
    where it converged on each fitting that was drawn.
    """
    if members.empty:
        return members
    given = members.assign(**{ESTIMATED: False})
    drawn = list(dict.fromkeys(members.index.get_level_values("name")))
    others = [n for n in table.index[table.status == Status.CONVERGED] if n not in drawn]
    if not others:
        return given
    columns = [c for c in members.select_dtypes("number").columns if c in table]
    origin = current if current in drawn else drawn[0]
    place = _places(table, origin)
    solved = members.status.eq(Status.CONVERGED).unstack("name", fill_value=False)
    everywhere = [m for m in solved.index[solved[drawn].all(axis=1)] if m != 0]
    slopes = np.linalg.pinv(place.loc[drawn].to_numpy())
    nominal = {name: members.loc[(name, 0), columns].to_numpy(float) for name in drawn}
    rows = {
        (name, 0): {c: table.at[name, c] for c in columns} | {"status": Status.CONVERGED.value}
        for name in others
    }
    for member in everywhere:
        away = np.array([members.loc[(n, member), columns].to_numpy(float) - nominal[n] for n in drawn])
        here = away[drawn.index(origin)]
        by_step = slopes @ (away - here)
        for name in others:
            values = table.loc[name, columns].to_numpy(float) + here + place.loc[name].to_numpy() @ by_step
            rows[name, member] = dict(zip(columns, values, strict=True)) | {"status": Status.CONVERGED.value}
    found = pd.DataFrame.from_dict(rows, orient="index")
    found.index = pd.MultiIndex.from_tuples(found.index, names=["name", "member"])
    return pd.concat([given, found.assign(**{ESTIMATED: True})]).sort_index()


def _places(table: pd.DataFrame, origin: str) -> pd.DataFrame:
    """Where fittings lie from one of them, in steps of models/sweep.toml."""
    step = data_files.toml("sweep.toml")["step"]
    settings = table[list(ADJUSTED)].astype(float)
    return (settings - settings.loc[origin]) / [step[axis] for axis in ADJUSTED]
