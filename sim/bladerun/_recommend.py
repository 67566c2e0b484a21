"""Which fitting to try, and how sure that is.

Takes outcomes of strides and the weights in models/recommendation.toml; gives trade-offs, a score, the
fitting with the lowest score among those whose blade holds, and those that cannot be told apart from it.

A difference counts only where the interval of an ensemble's paired differences leaves zero out
(`_intervals`); without an ensemble, where it exceeds the numerical scatter between the ways a fitting was
solved, and then other uncertainties (blade stiffness, how a runner adapts) are not in it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from bladerun import _facts
from bladerun._intervals import difference
from bladerun.status import Status

_ALONE = pd.DataFrame()  # no ensemble
_SYMMETRY = ("contact_time", "step_time", "peak_vgrf", "vertical_impulse")


def weights() -> Mapping[str, Any]:
    """The trade-offs (weight, unit, difference that matters, definition) and the constraint on the blade."""
    return _facts.toml("recommendation.toml")


def weigh(outcomes: Mapping[str, float], side: str) -> dict[str, float]:
    """Trade-offs, blade margin and score of one stride.

    outcomes: columns as from `outcomes.flat`. side: the amputated side, "left", "right" or "both".
    The score is the weighted mean of trade-off / difference that matters; low is good.
    """
    affected = ("left", "right") if side == "both" else (side,)
    metabolic = outcomes.get("cost_of_transport_j_kg_m", math.nan)
    level = outcomes["psis_difference_mm_right"] - outcomes["psis_difference_mm_left"]
    values = {
        "cost_j_kg_m": metabolic if math.isfinite(metabolic) else outcomes["joint_work_j_kg_m"],
        "asymmetry_percent": float(
            np.mean([abs(outcomes[f"asymmetry_{name}_percent"]) for name in _SYMMETRY])
        ),
        "hip_rotation_torque_nm_kg": max(outcomes[f"hip_torque_rotation_peak_nm_kg_{s}"] for s in affected),
        "pelvic_level_mm": abs(level) / 2,  # each side's own height: equal ones cancel
    }
    rows = weights()["tradeoff"]
    total = sum(row["weight"] for row in rows)
    score = sum(row["weight"] * values[row["key"]] / row["matters"] for row in rows) / total
    margin = min(outcomes[f"blade_strain_margin_{s}"] for s in affected)
    return {"score": score, **values, weights()["constraint"]["key"]: margin}


def recommend(table: pd.DataFrame, members: pd.DataFrame = _ALONE) -> tuple[str | None, list[str]]:
    """Name of the recommended fitting (None if no fitting qualifies) and of those not told apart from it.

    Qualified: converged, blade margin large enough. members: an ensemble's, as `_intervals` takes them.
    """
    limit = weights()["constraint"]
    if not (table.status == Status.CONVERGED).any():
        return None, []
    holds = table[limit["key"]] >= limit["minimum"]  # false where not converged
    score = table.score[holds].to_dict()
    if not score:
        return None, []
    order = sorted(score, key=lambda name: score[name])
    apart = told_apart(table, "score", order[0], order[1:], members)
    return order[0], [name for name in order[1:] if not apart[name]]


def told_apart(
    table: pd.DataFrame, column: str, one: str, others: list[str], members: pd.DataFrame = _ALONE
) -> dict[str, bool]:
    """Whether the column's value of each of `others` differs from that of `one`.

    By the ensemble's paired differences where it has enough members of both; else by more than their scatters
    combined, each at least the root mean square of the whole table's, since two solves can agree by chance.
    """
    drawn = members.loc[:, ["status", column]] if column in members else _ALONE
    pairs = {other: difference(drawn, one, other) for other in others}
    scatter = table[f"{column}_scatter"].to_numpy(float)
    known = scatter[np.isfinite(scatter)]
    usual = math.sqrt(np.mean(known**2)) if known.size else math.inf
    size = dict(zip(table.index, np.fmax(scatter, usual), strict=True))
    value = table[column].to_dict()
    return {
        other: bool(pairs[other].at[column, "apart"])
        if column in pairs[other].index and math.isfinite(pairs[other].at[column, "low"])
        else bool(abs(value[other] - value[one]) > math.hypot(size[other], size[one]))
        for other in others
    }


def compare(
    table: pd.DataFrame, recommended: str, current: str, members: pd.DataFrame = _ALONE
) -> list[dict[str, Any]]:
    """Trade-offs and blade margin of both fittings: values, difference, and whether it can be told.

    low, high: of the difference, NaN without an ensemble.
    """
    pair = difference(members, recommended, current)
    limit = weights()["constraint"]
    rows = [*weights()["tradeoff"], limit | {"unit": "-"}]
    result = []
    for row in rows:
        key = row["key"]
        new, old = table.at[recommended, key], table.at[current, key]
        apart = told_apart(table, key, recommended, [current], members)[current]
        low, high = (pair.at[key, end] if key in pair.index else math.nan for end in ("low", "high"))
        result.append(
            {"key": key, "title": row["title"], "unit": row["unit"], "recommended": new, "current": old,
             "difference": new - old, "low": low, "high": high,
             "scatter": table.at[recommended, f"{key}_scatter"], "told_apart": apart}
        )  # fmt: skip
    return result


def why(
    table: pd.DataFrame,
    recommended: str | None,
    current: str,
    indistinct: list[str],
    members: pd.DataFrame = _ALONE,
) -> str:
    """The recommendation and its reasons in plain words."""
    limit = weights()["constraint"]
    if recommended is None:
        return (
            "No fitting can be recommended: none converged with a blade margin of at least "
            f"{limit['minimum']:g}."
        )
    if recommended == current:
        text = "The fitting worn today scores best of those compared."
    elif current in indistinct:
        text = "It scores best, but cannot be told apart from the fitting worn today: no reason to change."
    elif table.at[current, "status"] != Status.CONVERGED:
        text = "It scores best; the fitting worn today was not solved, so the two cannot be compared."
    else:
        rows = compare(table, recommended, current, members)
        better = [_change(row) for row in rows[:-1] if row["told_apart"] and row["difference"] < 0]
        worse = [_change(row) for row in rows[:-1] if row["told_apart"] and row["difference"] > 0]
        text = "Against the fitting worn today it has " + " and ".join(
            part
            for part in (
                "less " + ", ".join(better) if better else "",
                "more " + ", ".join(worse) if worse else "",
            )
            if part
        )
        text = text + "." if better or worse else "It scores best, by small differences in everything."
        if table.at[current, limit["key"]] < limit["minimum"]:
            text += f" The fitting worn today loads its blade beyond the margin of {limit['minimum']:g}."
    edge = _at_edge(table, recommended)
    if edge:
        text += f" It lies at the edge of the sweep in {' and '.join(edge)}: a wider sweep may find better."
    if indistinct:
        text += f" Fittings that cannot be told apart from it: {len(indistinct)}."
    reasons = {Status.NOT_CONVERGED: "did not converge", Status.TOO_WEAK: "ask too much of the muscles"}
    for status, reason in reasons.items():
        missing = int((table.status == status).sum())
        if missing:
            text += f" {missing} of {len(table)} fittings {reason} and are left out."
    return text


def _at_edge(table: pd.DataFrame, name: str) -> list[str]:
    """In words, the swept quantities of which this fitting has the least or the greatest value."""
    words = {"category": "category", "height_mm": "height", "toe_out_deg": "toe-out"}
    edge = []
    for axis, word in words.items():
        value = dict(zip(table.index, table[axis].to_numpy(float), strict=True))
        least, greatest = min(value.values()), max(value.values())
        if least < greatest and value[name] in (least, greatest):
            edge.append(word)
    return edge


def _change(row: dict[str, Any]) -> str:
    return f"{row['title']} (by {abs(row['difference']):.3g} {row['unit']})"
