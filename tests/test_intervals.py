"""Intervals cover what they say, differences are paired, failures and small ensembles claim nothing."""

import numpy as np
import pandas as pd
import pytest

from bladerun.study.intervals import FEWEST, LEVEL, difference, intervals
from bladerun.study.recommend import recommend


def members(values: dict[str, list[float]], status: dict[tuple[str, int], str] | None = None) -> pd.DataFrame:
    rows = {
        (name, member): {"status": (status or {}).get((name, member), "converged"), "work": value, "why": ""}
        for name, column in values.items()
        for member, value in enumerate(column)
    }
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.index = pd.MultiIndex.from_tuples(table.index, names=["name", "member"])
    return table


def test_an_interval_surrounds_the_nominal_value():
    row = intervals(members({"a": [10.0, 11.0, 9.0, 11.0, 9.0]})).loc["a"]
    assert (row.work_low + row.work_high) / 2 == pytest.approx(10.0)
    assert row.work_high - 10.0 == pytest.approx(2.132, abs=1e-3)  # Student's t, 4 degrees, 90 %, times 1


def test_coverage():
    rng = np.random.default_rng(0)
    hit = 0
    for _ in range(400):
        row = intervals(members({"a": [0.0, *rng.normal(0, 2.0, 8)]})).loc["a"]
        hit += row.work_low < rng.normal(0, 2.0) < row.work_high
    assert hit / 400 == pytest.approx(LEVEL, abs=0.04)


def test_common_error_cancels_in_a_difference():
    rng = np.random.default_rng(1)
    common = np.append(0.0, rng.normal(0, 5.0, 16))
    own = np.append(0.0, rng.normal(0, 0.1, 16))
    table = members({"a": list(20 + common), "b": list(19 + common + own)})
    row = difference(table, "a", "b").loc["work"]
    assert row.value == pytest.approx(1.0)
    assert row.apart and 0.5 < row.low < 1 < row.high < 1.5
    both = intervals(table)
    assert both.loc["a", "work_low"] < both.loc["b", "work_high"], "apart though their intervals overlap"


def test_differences_of_either_sign_that_include_zero_are_not_apart():
    table = members({"a": [1.0, 2.0, 0.0, 3.0, -1.0], "b": [0.5, 0.0, 1.0, 0.0, 1.0]})
    row = difference(table, "a", "b").loc["work"]
    back = difference(table, "b", "a").loc["work"]
    assert not row.apart and row.low < 0 < row.high
    assert (back.value, back.low, back.high) == pytest.approx((-row.value, -row.high, -row.low))


def test_failed_members_are_left_out():
    good = [10.0, 11.0, 9.0, 11.0, 9.0]
    table = members({"a": [*good, 1e6]}, {("a", 5): "not converged"})
    pd.testing.assert_frame_equal(intervals(table), intervals(members({"a": good})))


def test_few_members_tell_nothing():
    few = [10.0, 11.0, 9.0, 11.0, 9.0][:FEWEST]
    assert intervals(members({"a": few})).loc["a"].isna().all()
    assert not difference(members({"a": few, "b": [0.0] * FEWEST}), "a", "b").apart.any()


def test_a_failed_nominal_has_no_interval():
    table = members({"a": [1.0] * 6, "b": [2.0] * 6}, {("a", 0): "too weak"})
    assert list(intervals(table).index) == ["b"]
    assert difference(table, "a", "b").empty
    assert intervals(pd.DataFrame()).empty


def scored(values: dict[str, float]) -> pd.DataFrame:
    """A study's table whose fittings lie closer together than their scatter."""
    rows = {
        name: {"status": "converged", "score": score, "score_scatter": 1.0, "blade_margin": 2.0}
        for name, score in values.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def test_a_recommendation_rests_on_paired_differences():
    rng = np.random.default_rng(2)
    common = np.append(0.0, rng.normal(0, 3.0, 12))
    close = np.append(0.0, rng.normal(0, 0.5, 12))
    drawn = members({"a": list(5.0 + common), "b": list(5.2 + common + close), "c": list(7.0 + common)})
    drawn = drawn.rename(columns={"work": "score"})
    table = scored({"a": 5.0, "b": 5.2, "c": 7.0})
    assert recommend(table, drawn) == ("a", ["b"])
    assert recommend(table)[1] == ["b"], "scatter 1 hides 0.2 but not 2"
    few = drawn.loc[drawn.index.get_level_values(1) < FEWEST]
    assert recommend(table, few) == recommend(table)
