"""What a few fittings with varied facts say of the others: which are drawn, and how draws carry over."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bladerun.case import ADJUSTED
from bladerun.study import drawn
from bladerun.study.intervals import difference, intervals

STEP = {"category": 1.0, "height_mm": 10.0, "toe_out_deg": 5.0, "sagittal_deg": 5.0}


def fittings(places, status="converged"):
    """A table of fittings at these places in steps, named `a`, `b`, ..."""
    rows = {
        chr(97 + i): {axis: STEP[axis] * x for axis, x in zip(ADJUSTED, (*place, 0), strict=True)}
        for i, place in enumerate(places)
    }
    return pd.DataFrame.from_dict(rows, orient="index").assign(status=status)


GRID = [(c, h, t) for c in (-1, 0, 1) for h in (-1, 0, 1) for t in (-1, 0, 1)]
WORN = chr(97 + GRID.index((0, 0, 0)))


def members_of(table, names, by_draw, slope):
    """Members of a response in which each draw shifts an outcome, by an amount even in the settings."""
    place = drawn._places(table, WORN)
    rows = {}
    for name in names:
        for member, (shift, tilt) in enumerate(zip(by_draw, slope, strict=True)):
            value = 10.0 + place.loc[name].sum() + shift + float(place.loc[name] @ tilt)
            rows[name, member] = {"status": "converged", "cost": value}
    found = pd.DataFrame.from_dict(rows, orient="index")
    found.index = pd.MultiIndex.from_tuples(found.index, names=["name", "member"])
    return found


def test_fittings_that_are_spoken_of_are_drawn_and_one_for_each_setting_left_open():
    table = fittings(GRID)
    taller = chr(97 + GRID.index((0, 1, 0)))
    chosen = drawn.to_draw(table, [WORN, taller, WORN], WORN)
    assert chosen[:2] == [WORN, taller] and len(chosen) == 4
    assert np.linalg.matrix_rank(drawn._places(table, WORN).loc[chosen]) == 3


def test_a_fitting_that_failed_is_not_drawn():
    table = fittings(GRID)
    table.loc[WORN, "status"] = "too weak"
    assert WORN not in drawn.to_draw(table, [WORN, "a"], WORN)
    assert drawn.to_draw(table.assign(status="too weak"), [WORN], WORN) == []


def test_a_draw_that_is_not_solved_yet_on_one_fitting_counts_for_no_other():
    table = fittings(GRID).assign(cost=10.0)
    members = members_of(table, [WORN, "a"], [0.0, 0.5, 1.0], np.zeros((3, 4))).drop(index=("a", 2))
    spread = drawn.spread(table, members, WORN)
    assert list(spread.loc["b"].index) == [0, 1]
    assert spread.at[("b", 1), "cost"] - spread.at[("b", 0), "cost"] == pytest.approx(0.5)


def test_a_setting_that_is_not_swept_needs_no_fitting():
    table = fittings([(0, h, 0) for h in (-1, 0, 1)])
    assert len(drawn.to_draw(table, ["b"], "b")) == 2


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_where_draws_act_evenly_estimates_are_what_solving_would_give(seed):
    rng = np.random.default_rng(seed)
    shift = np.concatenate([[0.0], rng.normal(size=6)])
    tilt = np.vstack([np.zeros(4), rng.normal(size=(6, 4))])
    table = fittings(GRID)
    everywhere = members_of(table, table.index, shift, tilt)
    table["cost"] = everywhere.cost.xs(0, level="member")
    names = drawn.to_draw(table, [WORN], WORN)
    found = drawn.spread(table, members_of(table, names, shift, tilt), WORN)
    pd.testing.assert_series_equal(found.cost, everywhere.cost.sort_index())
    assert not found.estimated[found.index.get_level_values("name").isin(names)].any()
    assert found.estimated[~found.index.get_level_values("name").isin(names)].all()
    other = difference(found, "a", WORN)
    pd.testing.assert_frame_equal(
        other.loc[["cost"]], difference(everywhere.assign(estimated=False), "a", WORN).loc[["cost"]]
    )
    assert intervals(found).loc["a", "cost_low"] < table.at["a", "cost"]


def test_a_draw_that_failed_on_one_counts_for_no_other():
    table = fittings(GRID)
    by_draw, tilt = np.arange(6.0), np.zeros((6, 4))
    names = drawn.to_draw(table, [WORN], WORN)
    members = members_of(table, names, by_draw, tilt)
    table["cost"] = 10.0
    members.loc[(names[1], 3), "status"] = "not converged"
    found = drawn.spread(table, members, WORN)
    assert list(found.loc["a"].index) == [0, 1, 2, 4, 5]


def test_without_draws_there_is_nothing():
    assert drawn.spread(fittings(GRID), pd.DataFrame(), WORN).empty


def test_the_settings_are_those_that_a_fitter_changes():
    assert list(STEP) == list(ADJUSTED)
    assert drawn._places(fittings(GRID), WORN).abs().to_numpy().max() == pytest.approx(1.0)
