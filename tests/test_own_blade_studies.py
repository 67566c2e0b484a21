"""Comparisons, studies and cohorts with a blade of one's own, and with what was measured on it."""

import json
import shutil
from pathlib import Path

import pytest

from bladerun.blade.catalog import read_blade
from bladerun.case import load_case
from bladerun.errors import InputError
from bladerun.fitting import altered
from bladerun.study import load_study, sweep, visits
from bladerun.study.file import study
from bladerun.study.job import Inputs
from bladerun.study.nearness import between
from fakes.own_blade import EXAMPLE, case_file, write


@pytest.fixture
def folder(tmp_path):
    """A folder with the example's blade."""
    shutil.copy(EXAMPLE, tmp_path)
    return tmp_path


def test_a_comparison_has_own_blade_and_measured_stiffness_throughout(folder):
    case = load_case(case_file(folder, stiffness_kn_m=24.0))
    grid = visits.grid(case)
    current = grid.fittings[grid.current]
    assert current.category == 5 and current.stiffness_kn_m == 24.0 and len(grid.fittings) == 27
    found = {fitting.category: fitting.stiffness_kn_m for fitting in grid.fittings.values()}
    assert found == pytest.approx({4.0: 21.6, 5.0: 24.0, 6.0: 26.4})
    assert {fitting.blade for fitting in grid.fittings.values()} == {read_blade(EXAMPLE)}
    way = between(Inputs.of(case, current), Inputs.of(case, altered(current, category=8.0)))
    assert [each.fitting.category for each in way] == [6, 7]
    assert [each.fitting.stiffness_kn_m for each in way] == pytest.approx([26.4, 28.8])


def test_a_sweep_that_leaves_the_range_is_refused(folder):
    path = case_file(folder, category=4, stiffness_kn_m=49.0)
    with pytest.raises(InputError, match=r"\[sweep\] category: .* 51.4 kN/m in category 5"):
        load_case(path)


def study_file(folder, **sections):
    document = {
        "base": "runner.toml",
        "parameters": {"stiffness_kn_m": {"low": 20, "high": 26, "count": 3}},
        "design": {"kind": "grid"},
    }
    case_file(folder)
    return write(folder / "study.toml", document | sections)


def test_a_study_varies_the_measured_stiffness_of_an_own_blade(folder):
    found = load_study(study_file(folder))
    fittings = [found.inputs("runner", point).fitting for point in found.points]
    assert [fitting.stiffness_kn_m for fitting in fittings] == [20, 23, 26]
    assert {fitting.blade for fitting in fittings} == {read_blade(EXAMPLE)}
    (parameter,) = found.parameters
    assert parameter.step == 2.4 and parameter.place(26) - parameter.place(20) == pytest.approx(2.5)
    with pytest.raises(InputError, match=r"\[parameters\] stiffness_kn_m: 60 is not allowed"):
        load_study(study_file(folder, parameters={"stiffness_kn_m": [20, 60]}))


def test_a_study_of_categories_takes_a_measured_stiffness_along(folder):
    fitting = {"blade": "my-blade.toml", "category": 6, "stiffness_kn_m": 24.0}
    for parameters in ({"category_step": [-1, 0, 1]}, {"category": [4, 5, 6]}):
        found = load_study(study_file(folder, parameters=parameters, fitting=fitting))
        fittings = [found.inputs("runner", point).fitting for point in found.points]
        assert [each.category for each in fittings] == [4, 5, 6]
        assert [each.stiffness_kn_m for each in fittings] == pytest.approx([19.2, 21.6, 24.0])
    parameters = {"category_step": [-1, 1], "stiffness_kn_m": [20, 30]}
    found = load_study(study_file(folder, parameters=parameters, design={"kind": "list"}, fitting=fitting))
    fittings = [found.inputs("runner", point).fitting for point in found.points]
    assert [(each.category, each.stiffness_kn_m) for each in fittings] == [(4, 20), (6, 30)]


def test_a_study_compares_blades_by_the_names_of_their_files(folder):
    parameters = {"blade": ["j-sprint", "my-blade.toml"], "category_step": [0, 1]}
    found = load_study(study_file(folder, parameters=parameters))
    blades = [found.inputs("runner", point).fitting.blade for point in found.points]
    assert blades == ["j-sprint", "j-sprint", read_blade(EXAMPLE), read_blade(EXAMPLE)]
    with pytest.raises(InputError, match=r"no file .*your-blade.toml"):
        load_study(study_file(folder, parameters={"blade": ["your-blade.toml"]}))


def test_a_cohort_has_own_blades(folder):
    lines = "name,blade,category,stiffness_kn_m\nA,my-blade.toml,,\nB,c-distance,4,21.5\n"
    (folder / "cohort.csv").write_text(lines, encoding="utf-8")
    runners = load_study(study_file(folder, cohort="cohort.csv", parameters={"height_mm": [20]})).runners
    assert runners["A"].fitting.blade == read_blade(EXAMPLE) and runners["A"].fitting.stiffness_kn_m is None
    fitting = runners["B"].fitting
    assert (fitting.blade, fitting.category, fitting.stiffness_kn_m) == ("c-distance", 4, 21.5)


def test_a_study_goes_on_without_the_files(folder, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    path = study_file(folder, parameters={"blade": ["c-distance", "my-blade.toml"], "height_mm": [20, 25]})
    asked, out = load_study(path), folder / "out"
    (folder / "my-blade.toml").unlink()
    sweep(asked, out, workers=1, solver="fakes.solvers:instant")
    kept = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["study"]
    again = study(kept, folder / "gone")
    assert kept == asked.document == again.document
    for point in asked.points:
        assert again.inputs("runner", point) == asked.inputs("runner", point)
    table = sweep(again, out, workers=1, solver="fakes.solvers:instant").table()
    assert list(table.blade) == ["c-distance", "c-distance", "my-blade.toml", "my-blade.toml"]
    assert table.status.eq("converged").all() and table.identity.nunique() == 4


def test_blades_of_a_study_that_are_none_are_refused(folder):
    with pytest.raises(InputError, match="name of a blade"):
        load_study(study_file(folder, blades={"my-blade.toml": {"name": "x"}}))
