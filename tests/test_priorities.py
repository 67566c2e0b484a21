"""What a runner cares about: presets and weights of a runner's file, and what they do to the score."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bladerun._lib import data_files
from bladerun.case import check_case
from bladerun.errors import InputError
from bladerun.priorities import priorities, usual
from bladerun.study import recommend

RUNNER = {
    "runner": {"mass_kg": 70.0, "height_m": 1.75},
    "amputation": {"side": "left"},
    "fitting": {"blade": "j-sprint"},
    "task": {"speed_m_s": 3.0},
}
PRESETS = data_files.toml("recommendation.toml")["priorities"]
weights = st.floats(0.01, 10.0)


def test_a_file_that_says_nothing_has_the_usual_weights():
    assert check_case(RUNNER).priorities == usual() == priorities({})


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_changes_what_it_names_and_an_own_weight_comes_first(preset):
    found = check_case(RUNNER | {"priorities": {"like": preset, "whip": 3.0}}).priorities
    assert found == usual() | PRESETS[preset]["weights"] | {"whip": 3.0}
    assert set(PRESETS[preset]["weights"]) <= set(usual())


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"like": "sprnt"}, r"\[priorities\] like: 'sprnt' is not allowed.*sprint"),
        ({"costs": 1.0}, r"\[priorities\] costs: not a known key.*cost"),
        ({"cost": -1.0}, r"\[priorities\] cost: -1.0 is not allowed; a weight from 0"),
        ({"cost": "much"}, r"\[priorities\] cost: 'much' is not allowed"),
        (dict.fromkeys(usual(), 0), r"\[priorities\]: every weight is 0"),
    ],
)
def test_what_is_no_priority_is_named(section, said):
    with pytest.raises(InputError, match=said):
        check_case(RUNNER | {"priorities": section})


@given(cost=weights, whip=weights, factor=weights)
def test_the_score_is_a_mean_in_the_weights(cost, whip, factor):
    rows = recommend.weights()["tradeoff"]
    values = {row["key"]: row["matters"] * i for i, row in enumerate(rows)}
    own = priorities({"cost": cost, "whip": whip})
    found = recommend.score(values, own)
    assert found == pytest.approx(recommend.score(values, {k: factor * w for k, w in own.items()}))
    assert min(range(len(rows))) <= found <= max(range(len(rows)))
    alone = priorities(dict.fromkeys(usual(), 0.0) | {"whip": 1.0})
    assert recommend.score(values, alone) == pytest.approx(values["whip_mm"] / rows[-1]["matters"])
