"""The sweet spot as a window: where it ends, what ends it, and that a landing is where the task says."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bladerun.body.runner import Amputation, Runner
from bladerun.fitting import Fitting
from bladerun.model import build_model
from bladerun.options import SolverOptions
from bladerun.report._pictures import landings
from bladerun.report.words import landing_words
from bladerun.stride import solve
from bladerun.study.landing_window import landing_ahead_m, landing_window
from bladerun.study.landings import following
from bladerun.study.recommend import weights
from bladerun.task import Task

SHIFTS = np.array([-60.0, -40.0, -20.0, 0.0, 20.0, 40.0, 60.0])
MATTERS = next(row["matters"] for row in weights()["tradeoff"] if row["key"] == "cost_j_kg_m")


def table(cost, recoil=82.0, status="converged"):
    return pd.DataFrame(
        {"cost_j_kg_m": cost, "recoil_direction_deg_left": recoil, "status": status}, index=SHIFTS
    )


@given(curve=st.floats(1e-5, 1e-3), best=st.floats(-10.0, 10.0))
def test_it_ends_where_cost_exceeds_the_least_by_what_matters(curve, best):
    cost = 3.0 + curve * (SHIFTS - best) ** 2
    found = landing_window(table(cost), ("left",))
    least, dearest = cost.min(), cost.min() + MATTERS
    for end, by in ((found.closer_mm, found.closer_by), (found.further_mm, found.further_by)):
        here = np.interp(end, SHIFTS, cost)
        if by == "cost":
            assert here == pytest.approx(dearest)
        else:
            assert (by, abs(end)) == ("not known", 60.0) and here <= dearest + 1e-12
    assert found.closer_mm <= 0 <= found.further_mm and least < dearest


def test_a_recoil_that_pops_up_ends_it():
    found = landing_window(table(3.0, recoil=85.0 + 0.1 * SHIFTS), ("left",))
    assert (found.further_mm, found.further_by) == (pytest.approx(20.0), "popping up")
    assert (found.closer_mm, found.closer_by) == (-60.0, "not known")


def test_a_runner_who_lands_outside_it_has_none():
    found = landing_window(table(3.0, recoil=70.0 + 0 * SHIFTS), ("left",))
    assert (found.closer_mm, found.further_mm) == (0.0, 0.0)
    assert (found.closer_by, found.further_by) == ("falling forward", "falling forward")


def test_it_goes_no_further_than_was_solved():
    rows = table(3.0)
    rows.loc[[40.0, 60.0], "status"] = "not converged"
    found = landing_window(rows, ("left",))
    assert (found.further_mm, found.further_by) == (20.0, "not known")


def test_landings_follow_one_another_either_way_until_one_fails_or_no_task_may_ask_for_it():
    good, bad = {"status": "converged"}, {"status": "not converged"}
    task = Task(3.0)
    first = following({0.0: good}, task, 0.3)
    assert {shift: (start, asked.landing_ahead_m) for shift, (start, asked) in first.items()} == {
        20.0: (0.0, pytest.approx(0.32)),
        -20.0: (0.0, pytest.approx(0.28)),
    }
    rows = {0.0: good, 20.0: bad, -20.0: good, -40.0: good}
    ((shift, (start, asked)),) = following(rows, task, 0.3).items()
    assert (shift, start, asked.landing_ahead_m) == (-60.0, -40.0, pytest.approx(0.24))
    assert following(rows | {-60.0: good}, task, 0.3) == {}
    assert list(following({0.0: good}, task, 0.59)) == [-20.0]
    assert following({0.0: good}, task, float("nan")) == {}


def test_it_is_told_in_words_and_drawn():
    found = landing_window(table(3.0 + 5e-5 * SHIFTS**2, recoil=85.0 + 0.05 * SHIFTS), ("left",))
    text = landing_words(found)
    assert "up to 40 mm closer (then it costs more than matters)" in text
    assert "40 mm further ahead (then it is popping up)" in text
    axes = landings(found, ("left",)).axes
    assert len(axes[0].lines[-1].get_xdata()) == len(SHIFTS) and len(axes) == 2


@pytest.mark.parametrize("side", ["right", pytest.param("left", marks=pytest.mark.slow), "both"])
def test_the_blade_lands_where_the_task_says(side):
    options = SolverOptions.default({"knots": 60, "muscle_driven": False})
    model = build_model(Runner(75.0, 1.75), Amputation(side), Fitting("j-sprint"))
    free = solve(model, Task(3.3), options=options)
    asked = landing_ahead_m(free) + 0.03
    stride = solve(model, Task(3.3, landing_ahead_m=asked), start=free, options=options)
    assert stride.attrs["status"] == "converged"
    assert landing_ahead_m(stride) == pytest.approx(asked, abs=0.005)
    assert np.isnan(landing_ahead_m(solve(build_model(Runner(75.0, 1.75)), Task(3.3), options=options)))
