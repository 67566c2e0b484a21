"""Studies gone on with: more of the same, and what is said of something else."""

import json

import numpy as np
import pandas as pd
import pytest

from bladerun.errors import InputError
from bladerun.study import optimise, sweep
from bladerun.study.file import study
from fakes.studies import GRID, changed, same, search, seeds

pytestmark = pytest.mark.usefixtures("in_process")


def searched(asked, folder):
    return optimise(asked, folder, solver="fakes.solvers:instant").table()


def grown(folder, document):
    return sweep(study(document), folder, solver="fakes.solvers:instant").table()


# --- More of the same -------------------------------------------------------------------------------------


def test_more_trials_go_on(tmp_path):
    few = searched(search(), tmp_path)
    more = dict(search().document["search"], trials=7)
    many = searched(search(search=more), tmp_path)
    assert len(many) == 7
    pd.testing.assert_frame_equal(many[:4], few)


def test_more_values_of_a_grid_go_on_with_the_rows_that_are_there(tmp_path):
    small = changed(parameters={"height_mm": [20, 30], "toe_out_deg": [0, 5]})
    large = changed(parameters={"height_mm": [20, 25, 30.0], "toe_out_deg": [0, 5, 10]})
    first = grown(tmp_path, small)
    both = grown(tmp_path, large)
    assert len(both) == 9 and both.number.tolist() == list(range(9)) and both.identity.is_unique
    pd.testing.assert_frame_equal(both[:4], first)
    assert set(zip(both.height_mm, both.toe_out_deg, strict=True)) == {
        (h, t) for h in (20, 25, 30) for t in (0, 5, 10)
    }
    pd.testing.assert_frame_equal(grown(tmp_path, large), both)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["rows"] == 9 and len(manifest["grown_from"]) == 1


def test_a_study_that_was_not_done_grows_twice_and_with_new_runners(tmp_path):
    ann, bob = {"name": "ann", "mass_kg": "60"}, {"name": "bob", "mass_kg": "80"}
    first = changed(parameters={"height_mm": [20, 30]}, cohort=[ann], run={"ensemble": 1})
    second = changed(parameters={"height_mm": [20, 30, 35]}, cohort=[ann], run={"ensemble": 1})
    third = changed(parameters={"height_mm": [15, 20, 30, 35]}, cohort=[ann, bob], run={"ensemble": 1})

    def stop(done, *_):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(study(first), tmp_path, solver="fakes.solvers:instant", progress=stop)
    assert len(grown(tmp_path, second)) == 6
    table = grown(tmp_path, third)
    assert table.number.tolist() == list(range(16)) and table.identity.is_unique
    assert not seeds(tmp_path)
    fresh = grown(tmp_path.parent / "fresh", third)
    keys = ["runner", "height_mm", "member"]
    a, b = (each.set_index(keys).sort_index() for each in (table, fresh))
    np.testing.assert_array_equal(a.objective, b.objective)
    assert list(a.identity) == list(b.identity)


def test_more_points_of_a_sobol_design_go_on(tmp_path):
    parameters = {"height_mm": {"low": 20, "high": 40}}
    four, six = (changed(parameters=parameters, design={"kind": "sobol", "count": count}) for count in (4, 6))
    first, both = grown(tmp_path, four), grown(tmp_path, six)
    pd.testing.assert_frame_equal(both[:4], first)
    assert len(both) == 6


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (changed(environment={"ground": {"friction": 0.7}}), r"\[environment\] ground.friction is 0.8 there"),
        (changed(environment={"ground": {"friction": 0.8}}, run={"ensemble": 1}), r"\[run\] ensemble"),
        (
            changed(parameters={"height_mm": [20, 25], "toe_out_deg": [0]}),
            r"height_mm is \[20, 30\] there and \[20, 25\] here; points may be added, none taken away",
        ),
        (changed(parameters={"toe_out_deg": [0], "height_mm": [20, 30]}), "another study"),
        (changed(parameters={"height_mm": [20, 30], "speed_m_s": [3.0]}), r"\[parameters\] toe_out_deg"),
        (changed(task={"speed_m_s": 3.1}), r"\[task\] speed_m_s is 3.3 there and 3.1 here"),
    ],
)
def test_what_differs_is_said(document, said, tmp_path):
    base = {"environment": {"ground": {"friction": 0.8}}}
    held = changed(parameters={"height_mm": [20, 30], "toe_out_deg": [0]}, **base)
    table = grown(tmp_path, held)
    with pytest.raises(InputError, match=said) as error:
        given = {key: value for key, value in document.items() if value != GRID.get(key)}
        grown(tmp_path, {**held, **given})
    assert str(tmp_path) in str(error.value) and "\n" not in str(error.value)
    pd.testing.assert_frame_equal(same(grown(tmp_path, held)), same(table))


def test_a_runner_who_is_changed_is_named(tmp_path):
    def of(**about):
        return changed(parameters={"height_mm": [20]}, cohort=[{"name": "ann", **about}])

    grown(tmp_path, of(mass_kg="60"))
    with pytest.raises(InputError, match=r"\[cohort\] ann.mass_kg is '60' there and '61' here"):
        grown(tmp_path, of(mass_kg="61"))
    with pytest.raises(InputError, match=r"\[cohort\] ann.height_m is not set there and '1.7' here"):
        grown(tmp_path, of(mass_kg="60", height_m="1.7"))


def test_another_aim_of_a_search_is_said(tmp_path):
    searched(search(), tmp_path)
    other = dict(search().document["search"], minimise="objective")
    with pytest.raises(InputError, match=r"\[search\] minimise is 'cost_of_transport_j_kg_m' there"):
        searched(search(search=other), tmp_path)
