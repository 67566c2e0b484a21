"""The page's margins as numbers: scatter, estimates, ensembles, each worked out by hand."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import t as student

from bladerun.app import _margins
from bladerun.app._neighbourhood import Point

MIDDLE = Point(5.0, 30.0, 0.0, 3.0)
HEIGHT = {h: MIDDLE._replace(height_mm=h) for h in (10.0, 20.0, 30.0, 40.0, 50.0)}


def work(rows, members=None, draws=8):
    """Solved points with numbers (x, y); members of points by number."""
    portraits = {
        point: SimpleNamespace(keys=["x", "y"], numbers={"x": x, "y": y}) for point, (x, y) in rows.items()
    }
    known = {point: np.array(row, float) for point, row in rows.items()}
    return SimpleNamespace(
        middle=MIDDLE, portraits=portraits, members=members or {}, draws=range(draws), known=lambda: known
    )


BENT = {HEIGHT[20.0]: (1.0, 0.0), MIDDLE: (2.0, 10.0), HEIGHT[40.0]: (9.0, 20.0)}  # x bends by 6, y by 0


def test_scatter_is_twice_what_second_differences_say_and_a_change_has_that_of_both():
    found = _margins.margins(work(BENT), MIDDLE, HEIGHT[40.0])
    sd = np.sqrt(6.0**2 / 6)
    assert found.here == found.there == pytest.approx({"x": 2 * sd, "y": 0.0})
    assert found.change == pytest.approx({"x": 2 * sd * np.sqrt(2), "y": 0.0})
    assert (
        not found.varied
        and found.words.startswith("± is numerical scatter alone")
        and "estimate" not in found.words
    )


def test_two_neighbours_say_nothing_and_nothing_is_said_without_the_middle():
    few = {MIDDLE: (2.0, 10.0), HEIGHT[40.0]: (9.0, 20.0)}
    for rows in (few, {point: row for point, row in BENT.items() if point != MIDDLE}):
        assert _margins.margins(work(rows), MIDDLE, MIDDLE) == (
            None, None, None, "± follows when enough neighbouring fittings are solved.", False
        )  # fmt: skip


def test_an_estimate_adds_how_far_the_middle_one_lies_off_its_neighbours():
    between = MIDDLE._replace(height_mm=35.0)
    found = _margins.margins(work(BENT), between, MIDDLE)
    scatter = 2 * np.sqrt(6.0)
    assert found.here == pytest.approx({"x": scatter + abs(2.0 - (1.0 + 9.0) / 2), "y": 0.0})
    assert found.there == pytest.approx({"x": scatter, "y": 0.0})
    assert found.change == pytest.approx({"x": np.hypot(scatter + 3.0, scatter), "y": 0.0})
    assert "solved fittings lie from what their neighbours say" in found.words
    far = between._replace(category=6.0)
    unsure = _margins.margins(work(BENT), far, MIDDLE)
    assert (
        unsure.here is None
        and unsure.change is None
        and unsure.there == pytest.approx({"x": scatter, "y": 0.0})
    )
    assert "has no ±" in unsure.words


def member(x, y, status="converged"):
    return {"status": status, "x": x, "y": y}


def test_with_varied_facts_it_is_the_interval_of_an_ensemble():
    here = {k: member(2.0 + away, 10.0 + 5 * away) for k, away in enumerate((1, -1, 1, -1), 1)}
    there = {k: member(9.0 + away, 20.0 - 5 * away) for k, away in enumerate((1, -1, 1, -1), 1)}
    there[5] = member(1e6, 1e6, "not converged")
    found = _margins.margins(work(BENT, {MIDDLE: here, HEIGHT[40.0]: there}), MIDDLE, HEIGHT[40.0])
    reach = student.ppf(0.95, 4)
    assert found.here == found.there == pytest.approx({"x": reach, "y": 5 * reach})
    assert found.change == pytest.approx({"x": 0.0, "y": 10 * reach})  # x is off alike at both, y contrarily
    assert found.varied and "where 90 % of results lie" in found.words and "4 times" in found.words


def test_too_few_strides_of_an_ensemble_leave_scatter_and_say_so():
    tried = {k: member(2.0, 10.0, "converged" if k < 4 else "not converged") for k in range(1, 9)}
    found = _margins.margins(work(BENT, {MIDDLE: tried}), MIDDLE, MIDDLE)
    assert not found.varied and found.words.endswith("too few strides converged to say more.")
    half = _margins.margins(work(BENT, {MIDDLE: dict(list(tried.items())[:7])}), MIDDLE, MIDDLE)
    assert "too few" not in half.words
