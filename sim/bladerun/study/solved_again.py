"""Strides solved again with each draw of what is uncertain, from themselves: the members of an ensemble.

Takes what was asked for strides and the numbers of each; gives a table as `intervals` takes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from bladerun.body.variation import Variation
from bladerun.study import executors
from bladerun.study.executors import Executor
from bladerun.study.strides import Asked, Strides


def solved_again(
    own: Mapping[str, Asked],
    rows: Mapping[str, dict[str, Any]],
    varied: list[Variation],
    strides: Strides,
    executor: Executor,
    *,
    numbers: Callable[[dict[str, Any]], dict[str, Any]],
    tell: Callable[[int, int, str, int], None],
) -> pd.DataFrame:
    """A table indexed by (name, member), member 0 with the given rows.

    numbers: what the table keeps of a row; tell: called with strides done, those left, and the name and draw
    of the one that was solved.
    """
    found = {(name, 0): row for name, row in rows.items()}
    asked = {
        (name, member): Asked(replace(start.inputs, variation=one), start)
        for member, one in enumerate(varied, 1)
        for name, start in own.items()
    }
    for done, (key, solved) in enumerate(strides.each(executor, executors.in_turn(asked.items())), 1):
        found[key] = numbers(solved.row)
        tell(done, len(asked) - done, *key)
    table = pd.DataFrame.from_dict(found, orient="index")
    table.index = pd.MultiIndex.from_tuples(table.index, names=["name", "member"])
    return table.sort_index()
