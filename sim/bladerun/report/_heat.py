"""One column of a study as heat maps: height against category, one map for each toe-out.

Takes a `FitResult` and a column; gives the axes and the cells with value, colour and marks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bladerun.status import Status
from bladerun.study.recommend import told_apart

if TYPE_CHECKING:
    from bladerun.study import FitResult

_PALE, _DEEP = np.array([247, 250, 253]), np.array([33, 91, 148])


def heat_map(result: FitResult, column: str) -> dict[str, Any]:
    """`categories`, and `toes`: (toe-out, rows), each row (height, cells), a cell for each category.

    A cell has value, colour (pale = least, deep = most of the study), ink, and marks: recommended, current,
    alike (not told apart from the recommended one in this column). None where there is no such fitting.
    """
    table = result.table
    solved = table.index[(table.status == Status.CONVERGED) & table[column].notna()]
    values = table.loc[solved, column].astype(float)
    low, span = (values.min(), values.max() - values.min()) if len(values) else (0.0, 0.0)
    alike = set()
    if result.recommended is not None and result.recommended in solved:
        apart = told_apart(table, column, result.recommended, list(solved), result.members)
        alike = {name for name in solved if not apart[name] and name != result.recommended}
    axes = {key: sorted(table[key].unique()) for key in ("category", "height_mm", "toe_out_deg")}
    flexed = table.at[result.current, "sagittal_deg"]
    places = {
        tuple(row[key] for key in axes): name
        for name, row in table.iterrows()
        if row["sagittal_deg"] == flexed
    }

    def cell(category: float, height: float, toe: float) -> dict[str, Any] | None:
        name = places.get((category, height, toe))
        if name is None:
            return None
        share = (values[name] - low) / span if name in solved and span > 0 else 0.0
        return {
            "value": values[name] if name in solved else None,
            "status": table.at[name, "status"],
            "colour": "rgb({}, {}, {})".format(*np.round(_PALE + share * (_DEEP - _PALE)).astype(int)),
            "ink": "#fff" if share > 0.55 else "#1c2733",
            "recommended": name == result.recommended,
            "current": name == result.current,
            "alike": name in alike,
        }

    toes = [
        (toe, [(height, [cell(category, height, toe) for category in axes["category"]])
               for height in reversed(axes["height_mm"])])
        for toe in axes["toe_out_deg"]
    ]  # fmt: skip
    return {"categories": axes["category"], "toes": toes}
