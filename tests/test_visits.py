"""The plan of a comparison: every fitting both ways, from a neighbour, in steps a stride can start across."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bladerun.case import SWEPT
from bladerun.fitting import Fitting
from bladerun.study import _plan, visits
from bladerun.study.file import study
from bladerun.study.job import Inputs
from bladerun.study.nearness import between
from bladerun.study.strides import Asked
from bladerun.study.visits import Visit
from bladerun.task import Task
from fakes.comparison import CASE
from fakes.studies import changed

steps = st.lists(st.integers(-2, 1), min_size=1, max_size=3, unique=True)
heights = st.lists(st.integers(0, 6).map(lambda i: 10.0 * i), min_size=1, max_size=3, unique=True)
toes = st.lists(st.integers(0, 3).map(lambda i: 5.0 * i), min_size=1, max_size=3, unique=True)


@settings(max_examples=40, deadline=None)
@given(category=steps, height=heights, toe=toes)
def test_every_fitting_is_visited_both_ways_from_something_visited_before(category, height, toe):
    grid = visits.grid(replace(CASE, sweep={"category": category, "height_mm": height, "toe_out_deg": toe}))
    plan = visits.plan(grid)
    seen = set()
    for visit, before in plan.items():
        assert before is None or before in seen
        seen.add(visit)
    assert [v for v, before in plan.items() if before is None] == [Visit(grid.current, "first")]
    if len(grid.fittings) > 1:
        assert {(v.name, v.way) for v in seen} - {(grid.current, "first")} == {
            (name, way) for name in grid.fittings for way in ("up", "down")
        }
    assert len(grid.places) == len(category) * len(height) * len(toe)


def test_neighbours_on_the_grid_differ_in_one_setting():
    grid = visits.grid(CASE)
    for visit, before in visits.plan(grid).items():
        if before is not None and before.way != "first":
            a, b = grid.fittings[visit.name], grid.fittings[before.name]
            assert sum(getattr(a, axis) != getattr(b, axis) for axis in SWEPT) == 1
            assert before.way == visit.way


@settings(max_examples=40, deadline=None)
@given(height=st.floats(0, 60), toe=st.floats(-5, 15), category=st.integers(2, 7))
def test_long_ways_are_cut_into_short_steps(height, toe, category):
    start = Inputs.of(CASE, Fitting("j-sprint", 4.0, 30.0, 0.0))
    end = Inputs.of(CASE, Fitting("j-sprint", float(category), height, toe))
    path = [start, *between(start, end), end]
    for one, other in pairwise(path):
        a, b = one.fitting, other.fitting
        assert abs(a.height_mm - b.height_mm) <= 10 + 1e-6
        assert abs(a.toe_out_deg - b.toe_out_deg) <= 5 + 1e-6
        assert abs(a.category - b.category) <= 1
        assert a.category == int(a.category)
    longest = max(abs(height - 30) / 10, abs(toe) / 5, abs(category - 4))
    assert len(path) == 1 + max(1, np.ceil(longest - 1e-9)), "and no more of them than that takes"


def test_no_stride_starts_from_one_at_another_speed():
    inputs = [
        replace(Inputs.of(CASE, replace(CASE.fitting, height_mm=height)), task=Task(speed))
        for height, speed in ((20.0, 3.0), (40.0, 3.25), (30.0, 3.25))
    ]
    slow, fast = (Asked(each) for each in inputs[:2])
    assert Asked.from_nearest(inputs[2], [slow, fast]).start is fast
    assert Asked.from_nearest(inputs[2], [slow]).start is None
    speeds = {"height_mm": [20, 30], "toe_out_deg": [0], "speed_m_s": [3.0, 3.25]}
    plan = _plan._tree_of(study(changed(parameters=speeds)))
    assert sorted(plan.start) == [-1, -1, 0, 1]
