"""Which fitting to try, and how sure that is.

Takes outcomes of strides and the weights in models/recommendation.toml; gives trade-offs, a score, the
fitting with the lowest score among those whose blade holds, those that cannot be told apart from it, and
whether changing to it is worth the trouble.

A difference counts only where the interval of an ensemble's paired differences leaves zero out
(`intervals`); without an ensemble, where it exceeds the numerical scatter between the ways a fitting was
solved, and then other uncertainties (blade stiffness, how a runner adapts) are not in it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from bladerun._lib import data_files
from bladerun.body.legs import told
from bladerun.case import ADJUSTED, SWEPT
from bladerun.fitting import row_of
from bladerun.status import Status
from bladerun.study.intervals import difference

_ALONE = pd.DataFrame()  # no ensemble
_BANDED = ("hip_flexion", "hip_adduction", "hip_rotation", "knee_flexion")
_SYMMETRY = ("contact_time", "step_time", "peak_vgrf", "vertical_impulse")


def weights(own: Mapping[str, float] | None = None) -> Mapping[str, Any]:
    """The trade-offs (weight, unit, difference that matters, definition) and the constraint on the blade.

    own: weights by the name of the trade-off, as from `priorities`; the usual ones where left out.
    """
    facts = data_files.toml("recommendation.toml")
    if own is None:
        return facts
    return {**facts, "tradeoff": [row | {"weight": own[row["name"]]} for row in facts["tradeoff"]]}


def score(tradeoffs: Mapping[str, float], own: Mapping[str, float] | None = None) -> float:
    """The weighted mean of trade-off / difference that matters; low is good. own: as in `weights`."""
    rows = weights(own)["tradeoff"]
    total = sum(row["weight"] for row in rows)
    return sum(row["weight"] * tradeoffs[row["key"]] / row["matters"] for row in rows) / total


def weighed(row: Mapping[str, Any], own: Mapping[str, float] | None) -> dict[str, Any]:
    """A row of numbers with the score that these weights give it, where it has one."""
    return {**row, "score": score(row, own)} if "score" in row else dict(row)


def weigh(
    outcomes: Mapping[str, float], side: str, own: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Trade-offs, blade margin and score of one stride.

    outcomes: columns as from `outcomes.flat`. side: the amputated side, "left", "right" or "both".
    own: weights of the score, as in `weights`.
    """
    affected = ("left", "right") if side == "both" else (side,)
    metabolic = outcomes.get("cost_of_transport_j_kg_m", math.nan)
    values = {
        "cost_j_kg_m": metabolic if math.isfinite(metabolic) else outcomes["joint_work_j_kg_m"],
        "asymmetry_percent": float(
            np.mean([abs(outcomes[f"asymmetry_{name}_percent"]) for name in _SYMMETRY])
        ),
        "hip_level_mm": abs(outcomes["hip_height_difference_mm"]),
        "torque_excess_nm_kg": max(
            sum(_excess(outcomes, joint, s) for joint in _BANDED) for s in ("left", "right")
        ),
        "socket_torque_nm_kg": max(outcomes[f"socket_axial_torque_peak_nm_kg_{s}"] for s in affected),
        "whip_mm": max(abs(outcomes[f"tip_swing_mm_{s}"]) for s in affected),
    }
    margin = min(outcomes[f"blade_strain_margin_{s}"] for s in affected)
    return {"score": score(values, own), **values, weights()["constraint"]["key"]: margin}


def _excess(outcomes: Mapping[str, float], joint: str, side: str) -> float:
    """How far a joint's moment leaves the able-bodied range; 0 for a prosthetic knee, which gives none."""
    unit = math.isfinite(outcomes.get(f"knee_flexion_swing_peak_deg_{side}", math.nan))
    return 0.0 if unit and joint == "knee_flexion" else outcomes[f"{joint}_torque_excess_nm_kg_{side}"]


def recommend(table: pd.DataFrame, members: pd.DataFrame = _ALONE) -> tuple[str | None, list[str]]:
    """Name of the fitting that scores best (None if none qualifies) and of those not told apart from it.

    Qualified: converged, blade margin large enough. members: an ensemble's, as `intervals` takes them.
    """
    limit = weights()["constraint"]
    if not (table.status == Status.CONVERGED).any():
        return None, []
    holds = table[limit["key"]] >= limit["minimum"]  # false where not converged
    scores = table.score[holds].to_dict()
    if not scores:
        return None, []
    order = sorted(scores, key=lambda name: scores[name])
    apart = told_apart(table, "score", order[0], order[1:], members)
    return order[0], [name for name in order[1:] if not apart[name]]


def worth_changing(table: pd.DataFrame, best: str, current: str, members: pd.DataFrame = _ALONE) -> bool:
    """Whether the best fitting gains more over the one worn today than what matters and what is uncertain."""
    now, limit = table.loc[current], weights()["constraint"]
    if now.status != Status.CONVERGED or now[limit["key"]] < limit["minimum"]:
        return True
    gain = now.score - table.at[best, "score"]
    if gain < weights()["change"]["least_gain"]:
        return False
    return told_apart(table, "score", best, [current], members)[current]


def chosen(table: pd.DataFrame, best: str, current: str, members: pd.DataFrame = _ALONE) -> str:
    """The fitting to recommend: today's where no change is worth it, else the smallest that gains most of it.

    That is the one nearest to today's, in steps of models/sweep.toml, of those whose score is within
    `least_gain` of the best one's and whose blade holds.
    """
    if not worth_changing(table, best, current, members):
        return current
    limit, step = weights()["constraint"], data_files.toml("sweep.toml")["step"]
    near = table.score <= table.at[best, "score"] + weights()["change"]["least_gain"]
    good = table[near & (table.status == Status.CONVERGED) & (table[limit["key"]] >= limit["minimum"])]
    axes = list(ADJUSTED)
    moved = good[axes].astype(float) - table.loc[current, axes].astype(float)
    steps = (moved.abs() / [step[axis] for axis in axes]).sum(axis=1).round(6).to_dict()
    return str(min(good.index, key=lambda name: (steps[name], good.score[name])))


def verdict(column: str, apart: bool, difference: float) -> str:
    """ "same", "little" (differs, but too little to matter) or "matters"; "differs" where nothing says.

    column: of a table, with or without its side. difference: in the column's unit.
    """
    if not apart:
        return "same"
    least = matters(column)
    if least is None:
        return "differs"
    return "matters" if abs(difference) >= least else "little"


def matters(column: str) -> float | None:
    """The least difference that matters in a column, with or without its side; None where nothing says."""
    known = {row["key"]: row["matters"] for row in weights()["tradeoff"]} | dict(weights()["matters"])
    return known.get(column) or known.get(column.rpartition("_")[0])


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
             "scatter": table.at[recommended, f"{key}_scatter"], "told_apart": apart,
             "verdict": verdict(key, apart, new - old)}
        )  # fmt: skip
    return result


def why(
    table: pd.DataFrame,
    recommended: str | None,
    current: str,
    indistinct: list[str],
    members: pd.DataFrame = _ALONE,
    best: str | None = None,
) -> str:
    """The recommendation and its reasons in plain words. best: that of the lowest score, if another."""
    best = best or recommended
    limit = weights()["constraint"]
    if recommended is None:
        return (
            "No fitting can be recommended: none converged with a blade margin of at least "
            f"{limit['minimum']:g}."
        )
    if len(table) == 1:
        text = "Nothing is compared yet: the fitting worn today is the only one solved."
    elif recommended == current and best == current:
        text = "The fitting worn today scores best of those compared."
    elif recommended == current:
        gain = table.at[current, "score"] - table.at[str(best), "score"]
        least = weights()["change"]["least_gain"]
        short = f"the {least:g} from which a change is worth it" if gain < least else "what is uncertain"
        text = (
            f"No change is worth making: the best of those compared, {_describe(table, best, current)}, "
            f"gains {gain:.2f} points, less than {short}."
        )
    elif table.at[current, "status"] != Status.CONVERGED:
        text = "It scores best; the fitting worn today was not solved, so the two cannot be compared."
    else:
        text = _against(table, recommended, current, members)
        if recommended != best:
            text += (
                f" {_describe(table, best, current).capitalize()} would score a little better, further away."
            )
    if indistinct and recommended != current:
        text += f" Fittings that do not differ clearly from the best: {len(indistinct)}."
    reasons = {Status.NOT_CONVERGED: "did not converge", Status.TOO_WEAK: "ask too much of the muscles"}
    for status, reason in reasons.items():
        missing = int((table.status == status).sum())
        if missing:
            text += f" {missing} of {len(table)} fittings {reason} and are left out."
    return text


def _against(table: pd.DataFrame, recommended: str, current: str, members: pd.DataFrame) -> str:
    """What the recommended fitting does better and worse than the one worn today, as far as it matters."""
    rows = [row for row in compare(table, recommended, current, members)[:-1] if row["verdict"] == "matters"]
    size = {row["key"]: row["matters"] for row in weights()["tradeoff"]}
    rows.sort(key=lambda row: -abs(row["difference"]) / size[row["key"]])
    better = [_change(row) for row in rows if row["difference"] < 0]
    worse = [_change(row) for row in rows if row["difference"] > 0]
    parts = [f"{word} {', '.join(them)}" for word, them in (("less", better), ("more", worse)) if them]
    text = (
        f"Against the fitting worn today it has {' and '.join(parts)}."
        if parts
        else ("It scores best, by small differences in everything.")
    )
    limit = weights()["constraint"]
    if table.at[current, limit["key"]] < limit["minimum"]:
        text += f" The fitting worn today loads its blade beyond the margin of {limit['minimum']:g}."
    return text


def _describe(table: pd.DataFrame, name: str | None, current: str) -> str:
    """A fitting in words: `category 4, 20 mm, toe-out 5 deg`; its flexion where that is not today's."""
    row = table.loc[str(name)]
    flexed = row["sagittal_deg"] != table.at[current, "sagittal_deg"]

    def words(side: str) -> str:
        leg = row_of(row, side)
        text = f"category {leg['category']:g}, {leg['height_mm']:g} mm, toe-out {leg['toe_out_deg']:g} deg"
        return f"{text}, flexion {leg['sagittal_deg']:g} deg" if flexed else text

    return told(words)


def edges(table: pd.DataFrame, name: str) -> dict[str, int]:
    """The swept quantities of which this fitting has the least (-1) or the greatest (1) value compared."""
    found = {}
    for axis in SWEPT:
        value = table[axis].to_numpy(float)
        mine = float(table.at[name, axis])
        if value.min() < value.max() and mine in (value.min(), value.max()):
            found[axis] = 1 if mine == value.max() else -1
    return found


def _change(row: dict[str, Any]) -> str:
    return f"{row['title']} (by {abs(row['difference']):.3g} {row['unit']})"
