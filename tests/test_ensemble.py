"""An ensemble solves the same case again with each draw of the facts, from the stride it is about."""

from pathlib import Path

import pytest

from bladerun.body.variation import draw, names
from bladerun.case import load_case
from bladerun.errors import InputError
from bladerun.study import job
from bladerun.study.ensemble import NAME, ensemble
from bladerun.study.intervals import intervals
from strides.synthetic import stride

CASE = load_case(Path(__file__).parents[1] / "experiments" / "first-fit.toml")


def solved(objective=1.0, status="converged"):
    made = stride()
    made.attrs |= {"status": status, "why": "", "objective": objective, "amputation_side": "right"}
    return made


@pytest.fixture
def asked(monkeypatch):
    """Replaces the solver by one whose objective is the runner's strength, and which fails on the third draw;
    gives what it was asked.
    """
    seen = []

    def solve(inputs, start):
        seen.append((inputs, start))
        fails = len({each.variation for each, _ in seen}) == 3
        return solved(inputs.variation.strength, "not converged" if fails else "converged")

    monkeypatch.setattr(job, "_solve", solve)
    return seen


def test_every_member_is_the_case_with_its_draw(asked):
    told = []
    table = ensemble(CASE, solved(), 6, seed=2, workers=1, progress=lambda *at: told.append(at))
    assert list(table.index) == [(NAME, member) for member in range(7)]
    draws = draw(6, seed=2)
    assert [inputs.variation for inputs, _ in asked] == [*draws[:3], *draws[2:]]
    assert all(inputs.fitting == CASE.fitting for inputs, _ in asked)
    assert [i for i, (_, start) in enumerate(asked) if start is None] == [3], "where its start led nowhere"
    for member, one in enumerate(draws, 1):
        for name in names():
            assert table.at[(NAME, member), f"variation.{name}"] == getattr(one, name)
    assert table.at[(NAME, 0), "objective"] == 1.0
    assert table.at[(NAME, 1), "objective"] == draws[0].strength
    assert [done for done, *_ in told] == [1, 2, 3, 4, 5, 6]


def test_a_member_that_fails_is_a_row_and_no_part_of_the_interval(asked):
    table = ensemble(CASE, solved(), 6, workers=1)
    assert (table.status == "converged").sum() == 6
    row = intervals(table).loc[NAME]
    assert row.objective_low < 1.0 < row.objective_high


@pytest.mark.parametrize("count", [0, -1, 2.5, True])
def test_a_number_of_draws_that_is_none_is_refused(count):
    with pytest.raises(InputError, match=r"count: .* is not allowed; a whole number of draws from 1"):
        ensemble(CASE, solved(), count)
