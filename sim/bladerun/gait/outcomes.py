"""The table of results of one stride: timing, forces, sweet spot, blade, joint loads, posture, cost.

Takes a Stride dataset; gives a dict keyed as in `OUTCOMES`. Values that belong to a leg are {"left": x,
"right": y}, None where a leg has no such thing. Each row is declared on the function that computes it, in the
modules of `_TABLE`, in their order.
"""

from __future__ import annotations

import math
from typing import Any

import xarray as xr

from bladerun.dataset.reading import has_muscles
from bladerun.gait import (
    _blade,
    _clinic,
    _ground_forces,
    _hip_strength,
    _knee_unit,
    _muscles,
    _socket,
    _sweet_spot,
    _symmetry,
    _timing,
    _torques,
    _work,
)
from bladerun.gait._both import Both
from bladerun.gait.events import Leg
from bladerun.gait.registry import PRODUCERS, Outcome, Producer

__all__ = ["DIRECTIONS", "OUTCOMES", "Outcome", "flat", "outcomes"]

_TABLE = (
    _timing, _ground_forces, _sweet_spot, _blade, _socket, _torques, _clinic, _knee_unit, _symmetry, _work,
    _muscles, _hip_strength,
)  # fmt: skip
_PLACE = {module.__name__: place for place, module in enumerate(_TABLE)}
_PRODUCERS = sorted(PRODUCERS, key=lambda producer: _PLACE[producer.compute.__module__])
DIRECTIONS = _torques.DIRECTIONS
OUTCOMES: tuple[Outcome, ...] = tuple(outcome for producer in _PRODUCERS for outcome in producer.outcomes)
"""Every row of the table of results, in its order: key, title, unit, definition, source."""


def outcomes(stride: xr.Dataset) -> dict[str, Any]:
    """Every row of `OUTCOMES` of one stride, in that order.

    Parameters
    ----------
    stride
        What `solve` gave.

    Returns
    -------
    dict of str to Any
        A number, or {"left": x, "right": y} for a row of each leg; None where a row does not exist.
    """
    both = Both(stride)
    result: dict[str, Any] = {}
    for producer in _PRODUCERS:
        if producer.per_leg:
            found = {leg.side: _rows(producer, both, leg) for leg in (both.left, both.right)}
            for row in producer.outcomes:
                result[row.key] = {side: _finite(rows.get(row.key)) for side, rows in found.items()}
        else:
            rows = _rows(producer, both)
            result |= {row.key: _finite(rows.get(row.key)) for row in producer.outcomes}
    return result


def _rows(producer: Producer, both: Both, leg: Leg | None = None) -> dict[str, float]:
    """What a producer gives, nothing where the stride or the leg has not what it needs.

    Raises KeyError for a row that it does not declare.
    """
    has = {
        "contact": both.touch,
        "blade": leg is not None and leg.has_blade,
        "knee unit": leg is not None and leg.has_knee_unit,
        "muscles": has_muscles(both.stride),
        "solved": "measured" not in both.stride.attrs,
    }
    if not all(has[need] for need in producer.needs):
        return {}
    rows = dict(producer.compute(both) if leg is None else producer.compute(leg, both))
    if undeclared := rows.keys() - {row.key for row in producer.outcomes}:
        raise KeyError(
            f"{producer.compute.__name__} gives {', '.join(sorted(undeclared))}, not declared on it"
        )
    return rows


def flat(result: dict[str, Any]) -> dict[str, float]:
    """The same numbers as table columns.

    Parameters
    ----------
    result
        What `outcomes` gave.

    Returns
    -------
    dict of str to float
        `stride_time_s`, `contact_time_s_left`, ...; NaN where None.
    """
    columns: dict[str, float] = {}
    for key, value in result.items():
        pairs = value.items() if isinstance(value, dict) else [("", value)]
        for side, number in pairs:
            columns[f"{key}_{side}" if side else key] = math.nan if number is None else number
    return columns


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
