"""A blade of one's own: what its file may say, and that it travels without the file."""

import json
import pickle
import shutil
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bladerun._lib import data_files
from bladerun._lib.table import plain
from bladerun.blade import _laminate
from bladerun.blade.bench import run_bench
from bladerun.blade.catalog import catalog, load_blade, read_blade
from bladerun.blade.running_blade import Blade
from bladerun.body.runner import Amputation, Runner
from bladerun.case import Task, load_case
from bladerun.errors import InputError
from bladerun.fitting import Fitting, resolve
from bladerun.model import build_model
from bladerun.stride import motion_rows
from bladerun.study.job import Inputs, Job
from fakes.own_blade import EXAMPLE, EXPERIMENTS, case_file, write

BLADES = data_files.models_dir() / "blades"
CHART = (BLADES.parent / "charts" / "walking-feet.toml").read_text(encoding="utf-8")
J, C = (
    (BLADES / f"{name}.toml").read_text(encoding="utf-8").replace('chart = "walking-feet"\n', "")
    + f"\n[recommendation]\n{CHART}"
    for name in ("j-sprint", "c-distance")
)
RUNNER, LIMB = Runner(72.0, 1.76, "female"), Amputation("right", residual_limb_m=0.16)
SHORT = "[120.0, 544.0], [120.0, 494.0], [120.0, 444.0]"
POINTS = J[J.index("points_mm = [") : J.index("\n]\n", J.index("points_mm = [")) + 3]

# What is wrong: text of the J's file -> its replacement, and words that the sentence must contain.
BAD = {
    "no title": ('title = "J-shaped sprint blade"\n', "", ["title", "text"]),
    "shape": ('shape = "J"', 'shape = "L"', ["shape", "'L'", "'J' or 'C'"]),
    "C without pylon": ('shape = "J"', 'shape = "C"', ["[pylon]", "missing"]),
    "unknown section": ("[laminate]", "[laminat]", ["laminat", "did you mean 'laminate'?"]),
    "unknown key": ("width_m =", "width =", ["[laminate] width", "did you mean 'width_m'?"]),
    "section as a value": ("[profile]", "sole = 3\n[profile]", ["not valid TOML"]),
    "missing key": ("extrapolated_steps = 2\n", "", ["[stiffness] extrapolated_steps", "missing"]),
    "no status": (
        'status = "assumed", source = "a running stance"',
        'source = "x"',
        ["half_cycle_s status", "missing"],
    ),
    "status": (
        'status = "assumed", source = "a running stance"',
        'status = "guessed", source = "x"',
        ["[damping] half_cycle_s", "'guessed'", "measured"],
    ),
    "source": ('source = "a running stance"', "source = 3", ["[damping] half_cycle_s", "source 3"]),
    "plain figure": (
        "reference_n_m = {",
        "reference_n_m = 25e3 # {",
        ["at_reference_n_m", "25000", "source ="],
    ),
    "misspelt": ("value = 0.118, status", "value = 0.118, sttus", ["[sole] length_m sttus", "did you mean"]),
    "grams": ("value = 0.8,", "value = 800,", ["[mass] mass_kg", "800", "0.1 to 3"]),
    "negative": ("value = 0.070,", "value = -0.07,", ["[laminate] width_m", "-0.07"]),
    "not a number": ("value = 0.070,", "value = nan,", ["[laminate] width_m", "nan"]),
    "true": ("value = 0.070,", "value = true,", ["[laminate] width_m", "True"]),
    "kN/m": ("value = 25e3,", "value = 25.0,", ["[stiffness] at_reference_n_m", "10000 to 50000"]),
    "5000 digits": ("value = 0.070,", f"value = 0x{'f' * 5000},", ["[laminate]", "too large"]),
    "few points": (POINTS, f"points_mm = [{SHORT}]\n", ["[profile] points_mm", "8 pairs"]),
    "points in m": (POINTS, "points_mm = [[0.1, 0.5, 0.2]]\n", ["[profile] points_mm", "pairs"]),
    "same point": (SHORT, "[120.0, 544.0], [120.0, 444.0], [120.0, 444.0]", ["points_mm", "follows itself"]),
    "upside down": ("[332.0, 0.0], [400.0, 7.5]", "[332.0, 1.0], [400.0, 0.0]", ["points_mm", "lowest"]),
    "taper": ("[[0.0, 1.0], [0.55", "[[0.1, 1.0], [0.55", ["[laminate] taper", "0 to 1"]),
    "sole behind": ("value = 0.118,", "value = 0.05,", ["[sole] length_m", "0.05"]),
    "categories": ("[1, 2, 3, 4, 5, 6, 7, 8, 9]\nex", "[1, 3, 2]\nex", ["[stiffness] categories", "rising"]),
    "no categories": ("[1, 2, 3, 4, 5, 6, 7, 8, 9]\nex", "[]\nex", ["[stiffness] categories"]),
    "reference": ("reference_category = 5", "reference_category = 50", ["reference_category", "-1 to 11"]),
    "steps": ("extrapolated_steps = 2", "extrapolated_steps = 2.5", ["extrapolated_steps", "2.5"]),
    "clamp off the tab": ("[0.366, 0.546]", "[0.3, 0.546]", ["[height] range_m", "0.356 to 0.556", "tab"]),
    "range": ("[0.366, 0.546]", "[0.546, 0.366]", ["[height] range_m"]),
    "rating": ("value = 0.456,", "value = 0.6,", ["[height] rating_m", "0.366 to 0.546"]),
    "bands": ("high = [2, 3, 4, 5, 6, 7, 8, 9, 0]", "high = [2, 3]", ["[recommendation] high", "9 bands"]),
    "band's category": (", 8, 9, 0]", ", 8, 12, 0]", ["[recommendation] high", "12"]),
    "masses": ("band_kg = [44, 53,", "band_kg = [53, 44,", ["[recommendation] band_kg", "rising"]),
    "like nothing": ('title = "J', 'like = "j-sprnt"\ntitle = "J', ["like", "did you mean 'j-sprint'?"]),
    "like a list": ('title = "J', 'like = ["j-sprint"]\ntitle = "J', ["like: no blade", "did you mean"]),
    "not TOML": ("[profile]", "[profile", ["not valid TOML"]),
}


@pytest.fixture
def folder(tmp_path):
    """A folder with the example's blade."""
    shutil.copy(EXAMPLE, tmp_path)
    return tmp_path


# --- The file ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", BAD)
def test_what_is_wrong_with_a_file_is_one_sentence(wrong, tmp_path):
    old, new, words = BAD[wrong]
    assert old in J
    path = tmp_path / "bad.toml"
    path.write_text(J.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_blade(path)
    text = str(error.value)
    assert text.startswith(f"{path}: ") and "\n" not in text and len(text) < 400
    assert all(word in text for word in words), text


VALUE = st.one_of(
    st.none(), st.integers(-(10**30), 10**30), st.floats(), st.booleans(), st.text(max_size=5),
    st.lists(st.one_of(st.floats(), st.lists(st.floats(-900, 900), min_size=2, max_size=2)), max_size=12),
    st.dictionaries(st.sampled_from(["value", "status", "source"]), st.floats()),
)  # fmt: skip
FACTS = {name: plain(load_blade(name).facts) for name in catalog()}
PLACES = [(name, section, key) for name in FACTS for section, table in FACTS[name].items() for key in table
          if isinstance(table, dict)]  # fmt: skip


@given(st.sampled_from(PLACES), VALUE, st.booleans())
def test_any_value_anywhere_gives_a_blade_or_a_sentence(place, value, inside):
    name, section, key = place
    table = FACTS[name][section]
    figure = isinstance(table[key], dict) and inside
    other = {**table, key: {**table[key], "value": value} if figure else value}
    try:
        blade = Blade("any", {**FACTS[name], section: other})
        blade.chain(blade.facts["stiffness"]["reference_category"], blade.rating_height_m)
    except InputError as error:
        assert error.key and "\n" not in str(error)
    else:
        assert hash(pickle.loads(pickle.dumps(blade))) == hash(blade)


def test_a_pylon_too_short_for_its_plate_is_refused(tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text(C.replace("[0.312, 0.592]", "[0.2, 0.592]"), encoding="utf-8")
    with pytest.raises(InputError, match=r"\[height\] range_m: .*0.292 to 1.500 m.*pylon"):
        read_blade(path)


@pytest.mark.parametrize("name", catalog())
def test_a_copy_of_the_catalogues_file_is_the_same_blade(name, tmp_path):
    shutil.copy(BLADES / f"{name}.toml", tmp_path / "copy.toml")
    copy, blade = read_blade(tmp_path / "copy.toml"), load_blade(name)
    assert copy.name == "copy" and copy.facts == blade.facts
    one, other = (run_bench(each, 4, angle_deg=10.0).to_dict() for each in (copy, blade))
    assert one == other | {"blade": "copy"}


def test_the_least_file_takes_the_rest_from_the_catalogue(folder):
    blade, like = read_blade(EXAMPLE), load_blade("j-sprint")
    assert blade.title.startswith("Example") and blade.mass_kg == 0.75 != like.mass_kg
    assert blade.stiffness_n_m(5) == (23.4e3, 2.34e3, False)
    assert blade.stiffness_n_m(6)[0] - 23.4e3 == pytest.approx(like.value("stiffness", "per_category_n_m"))
    assert blade.facts["profile"] == like.facts["profile"] and blade.facts["like"] == "j-sprint"
    assert run_bench(blade, 5).stiffness_secant_kn_m == pytest.approx(23.4, rel=0.01)


def test_what_shares_one_source_is_taken_whole(tmp_path):
    document = {"title": "own", "like": "j-sprint", "profile": {"points_mm": [[0.0, 1.0]] * 9}}
    with pytest.raises(InputError, match=r"\[profile\] status: missing"):
        read_blade(write(tmp_path / "own.toml", document))


def test_without_mass_bands_a_number_is_asked_for(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(J[: J.index("[recommendation]")], encoding="utf-8")
    fitting = Fitting(read_blade(path))
    with pytest.raises(InputError, match="own has no categories by weight; give a number"):
        resolve(fitting, RUNNER)
    assert resolve(replace(fitting, category=4), RUNNER).category == 4
    assert resolve(replace(fitting, stiffness_kn_m=27.6), RUNNER).category == 6


def test_a_maker_s_chart_lies_beside_the_blade_s_file(tmp_path):
    """Its bands give the category, whatever the chart of the blade that it is like says."""
    chart = {"status": "read", "source": "a maker's PDF", "band_kg": [40, 60, 80, 100]}
    chart |= {level: [3, 5, 7] for level in ("low", "moderate", "high")}
    write(tmp_path / "maker.toml", chart)
    path = write(tmp_path / "own.toml", {"title": "own", "like": "j-sprint", "chart": "maker.toml"})
    assert [resolve(Fitting(read_blade(path)), Runner(kg, 1.76)).category for kg in (59, 60, 81)] == [3, 5, 7]
    assert [load_blade("j-sprint").recommended_category(kg) for kg in (59, 60, 81)] == [3, 4, 6]
    write(tmp_path / "maker.toml", chart | {"high": [3, 5, 70]})
    with pytest.raises(InputError, match=r"\[recommendation\] high: .*70.*a category of each of the 3 bands"):
        read_blade(path)


@pytest.mark.parametrize(
    ("blade", "chart", "words"),
    [
        ({"chart": "maker"}, {}, "chart: no chart 'maker'; .*walking-feet"),
        ({"chart": "other.toml"}, {}, "chart: no file .*other.toml"),
        ({"chart": "maker.toml", "recommendation": {}}, {}, "give one of the two"),
        ({"chart": "maker.toml"}, {"band_kg": [60, 40]}, "maker.toml: chart band_kg: .*rising numbers"),
        ({"chart": "maker.toml"}, {"bands": [60]}, "maker.toml: chart bands: not a known key; .*band_kg"),
        ({"chart": "maker.toml"}, {"status": "sure"}, "maker.toml: chart: status 'sure' is not allowed"),
    ],
)
def test_what_of_a_chart_cannot_be_used_is_named(blade, chart, words, tmp_path):
    whole = {"status": "read", "source": "PDF", "band_kg": [40, 60], "low": [1], "moderate": [1], "high": [1]}
    write(tmp_path / "maker.toml", whole | chart)
    with pytest.raises(InputError, match=words):
        read_blade(write(tmp_path / "own.toml", {"title": "own", "like": "j-sprint", **blade}))


def test_a_blade_is_a_value(folder):
    blade = read_blade(folder / "my-blade.toml")
    for again in (pickle.loads(pickle.dumps(blade)), Blade(**json.loads(json.dumps(asdict(blade))))):
        assert again == blade and hash(again) == hash(blade)
    with pytest.raises(TypeError, match="cannot be changed"):
        blade.facts["mass"]["mass_kg"] = {}
    heavier = Blade(blade.name, {**blade.facts, "mass": load_blade("j-sprint").facts["mass"]})
    assert heavier != blade and hash(heavier) != hash(blade)


# --- It travels -------------------------------------------------------------------------------------------


def test_a_runners_file_finds_the_blade_beside_it_and_needs_it_once(folder, monkeypatch):
    path = case_file(folder)
    monkeypatch.chdir(EXPERIMENTS.parent)
    case = load_case(path)
    (folder / "my-blade.toml").unlink()
    again = Fitting(**json.loads(json.dumps(asdict(case.fitting))))
    assert again == case.fitting and hash(again) == hash(case.fitting)
    model = build_model(case.runner, case.amputation, again)
    assert model.blades["right"].title.startswith("Example") and json.loads(json.dumps(asdict(model.fitting)))
    with pytest.raises(InputError) as error:
        load_case(path)
    assert str(error.value).startswith(f"{path}: [fitting] blade: no file '{folder / 'my-blade.toml'}'")


def test_an_error_in_a_blades_file_names_that_file(folder):
    blade = folder / "my-blade.toml"
    blade.write_text(EXAMPLE.read_text(encoding="utf-8").replace("0.75", "750"), encoding="utf-8")
    with pytest.raises(InputError) as error:
        load_case(case_file(folder))
    assert str(error.value).startswith(f"{blade}: [mass] mass_kg: 750 is not allowed")


@pytest.mark.parametrize("blade", [{}, {"name": "x"}, {"name": 1, "facts": {}}, {"name": "x", "facts": 3}, 7])
def test_a_table_that_is_no_blade_is_refused(blade, folder):
    with pytest.raises(InputError, match=r"runner.toml: \[fitting\] blade: .*name of a blade"):
        load_case(case_file(folder, blade))


def test_two_files_of_one_name_are_two_blades(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    text = EXAMPLE.read_text(encoding="utf-8")
    (other / "my-blade.toml").write_text(text.replace("23.4e3", "23.5e3"), encoding="utf-8")
    fittings = [Fitting(read_blade(each / "my-blade.toml"), 5.0) for each in (folder, other)]
    one, two = (Inputs(RUNNER, LIMB, fitting, Task(3.3)) for fitting in fittings)
    assert one.fitting.blade.name == two.fitting.blade.name and one != two
    assert one.identity("") != two.identity("")
    assert pickle.loads(pickle.dumps(Job(one))).inputs.identity("") == one.identity("")


def test_a_blade_of_the_catalogue_is_kept_by_its_name():
    assert asdict(Fitting("j-sprint"))["blade"] == plain(Fitting("j-sprint"))["blade"] == "j-sprint"


def strain(fitting):
    """Greatest share of the allowable strain at some bends, of a fitting that came back from JSON."""
    again = Fitting(**json.loads(json.dumps(plain(fitting))))
    model = build_model(Runner(75.0, 1.75), Amputation("right"), again)
    q = np.zeros((1, len(model.joints)))
    q[:, [model.joints.index(f"blade_bend{i}_r") for i in range(1, 6)]] = 0.05
    return motion_rows._strain(model, q)[0, 0]


def test_a_stride_read_years_later_still_has_its_blade():
    worn = Fitting("j-sprint", category=4)
    facts = plain(load_blade("j-sprint").facts)
    facts["laminate"]["allowable_strain"]["value"] *= 2
    usual = strain(worn)
    assert strain(replace(worn, blade=Blade("lost-file", facts))) == pytest.approx(usual / 2)
    assert strain(replace(worn, stiffness_kn_m=40.0)) > usual  # a thicker laminate, bent as much


def test_a_blade_that_finds_no_balance_on_the_bench_is_a_sentence(tmp_path, monkeypatch):
    def pressed(*_, **__):
        raise ArithmeticError("the blade on the bench found no balance: load it less")

    monkeypatch.setattr(_laminate.Press, "half_cycle", pressed)
    shutil.copy(EXAMPLE, tmp_path / "unseen.toml")
    with pytest.raises(
        InputError, match=r"\[stiffness\] load_n: unseen\S* cannot be pressed by \d+ N: .*load it"
    ):
        _laminate.relaxation_s(read_blade(tmp_path / "unseen.toml"))
