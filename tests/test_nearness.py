"""How far points lie apart: steps of models/sweep.toml, summed, for all that start from a neighbour."""

from types import SimpleNamespace

import pytest

from bladerun.study._search import _SearchRun
from bladerun.study.nearness import distance, hops
from bladerun.study.parameters import Parameter

HEIGHT = Parameter("height_mm", low=0.0, high=60.0)  # a step of 10 mm
TURN = Parameter("toe_out_deg", low=-10.0, high=10.0)  # of 5 deg
SEWN = Parameter("gastrocnemius", ("lost", "reattached"))


def test_a_distance_is_the_sum_of_steps_and_a_word_that_differs_is_one():
    one, other = (40.0, -5.0, "lost"), (25.0, 0.0, "reattached")
    assert hops((HEIGHT, TURN, SEWN), one, other) == pytest.approx([1.5, 1.0, 1.0])
    assert hops((HEIGHT, TURN, SEWN), one, one) == [0.0, 0.0, 0.0]
    named = ({"height_mm": 40.0, "toe_out_deg": -5.0}, {"height_mm": 25.0, "toe_out_deg": 0.0})
    assert distance(*named) == pytest.approx(2.5)


def test_a_setting_that_one_has_alone_and_one_without_a_step_add_nothing():
    assert distance({"height_mm": 40.0, "blade": "j-sprint"}, {"blade": "c-distance", "mass_kg": 70.0}) == 0


@pytest.mark.parametrize(
    ("places", "nearest"),
    [
        ({0: (29.0, 0.0), 1: (26.0, 3.0)}, 0),  # 0.9 steps; 0.6 and 0.6, nearer in a straight line
        ({0: (26.0, 3.0), 1: (29.0, 0.0)}, 1),
        ({0: (25.0, 0.0), 1: (15.0, 0.0)}, 0),  # as near: the earlier
    ],
)
def test_a_trial_of_a_search_starts_from_the_fewest_steps_away(places, nearest):
    run = object.__new__(_SearchRun)
    run._study = SimpleNamespace(parameters=(HEIGHT, TURN), settings=SimpleNamespace(both_ways=False))
    run._store = SimpleNamespace(seed=lambda name: name.encode())
    run._variations, run._runner, run._seeds = [None], "runner", {*places}
    run._points = {**places, 2: (20.0, 0.0)}
    assert run._ways(2) == ((str(nearest).encode(), ()),)
