"""Study files and tables as people write them: what they mean, and what is said where that is nothing."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bladerun import cli
from bladerun.body.runner import Runner
from bladerun.case import load_case
from bladerun.errors import InputError
from bladerun.fitting import resolve
from bladerun.study import sweep
from bladerun.study.design import MOST
from bladerun.study.file import study
from bladerun.study.job import work
from fakes.studies import FIRST_FIT, GRID, changed, drained, planned, toml

HEIGHTS = {"height_mm": [20]}


def cohort(text, tmp_path, **sections):
    (tmp_path / "cohort.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return study(changed(**{"parameters": HEIGHTS, **sections}, cohort="cohort.csv"), tmp_path)


def categories(found):
    return [found.inputs(name, point).fitting.category for name in found.runners for point in found.points]


# --- What depends on the runner is resolved for each row --------------------------------------------------


def alone(**about):
    """The category recommended for one runner by the runner's own file."""
    case = load_case(FIRST_FIT)
    runner = Runner(**{"mass_kg": case.runner.mass_kg, "height_m": case.runner.height_m} | about)
    return resolve(case.fitting, runner).category


def test_a_recommended_category_is_that_of_each_runner(tmp_path):
    found = cohort("name,mass_kg,height_m\nlight,45,1.55\nheavy,110,1.95\n", tmp_path)
    assert (
        categories(found) == [alone(mass_kg=45, height_m=1.55), alone(mass_kg=110, height_m=1.95)] == [2, 8]
    )
    again = study(found.document, tmp_path / "gone")
    assert categories(again) == [2, 8]


def test_a_recommended_category_is_that_of_each_mass_and_of_each_blade():
    masses = [50.0, 70.0, 90.0]
    found = study(changed(parameters={"mass_kg": masses}))
    assert categories(found) == [alone(mass_kg=mass) for mass in masses]
    assert len(set(categories(found))) == 3
    blades = ["j-sprint", "c-distance"]
    found = study(changed(parameters={"blade": blades, "mass_kg": [90.0]}))
    fitting, runner = found.inputs("runner", (blades[1], 90.0)).fitting, Runner(90.0, 1.76)
    assert fitting.category == resolve(type(fitting)(blades[1]), runner).category


def test_steps_from_the_recommended_category_are_those_of_each_row(tmp_path):
    found = cohort(
        "name,mass_kg,category_step\nA,60,-1\nB,90,1\nC,90,\n", tmp_path, parameters={"mass_kg": [60, 90]}
    )
    light, heavy = alone(mass_kg=60), alone(mass_kg=90)
    assert categories(found) == [light - 1, heavy - 1, light + 1, heavy + 1, light, heavy]


def test_values_that_do_not_go_together_are_a_row_that_says_why(tmp_path):
    heavy = "name,mass_kg,height_m\nA,60,1.7\nB,130,2.0\n"
    found = cohort(heavy, tmp_path, parameters={"category_step": [-1, 0, 3]})
    rows = {number: done.row for number, _, done in drained(found, tmp_path)}
    assert [rows[i]["status"] for i in range(5)] == ["converged"] * 5
    assert rows[5]["status"] == "not allowed" and "category" in rows[5]["why"]


# --- Tables written by people -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "name,mass_kg,height_m\nA,60,1.70\nB,70,1.75\n,,\n,,\n",
        "\ufeffname,mass_kg,height_m\r\nA,60,1.70\r\n\r\nB,70,1.75\r\n",
        " name , mass_kg , height_m ,,\n A , 60 , 1.70 ,,\n , , ,,\nB,70,1.75,,\n",
        "name;mass_kg;height_m\nA;60;1,70\nB;70;1,75\n;;\n",
        "name\tmass_kg\theight_m\nA\t60\t1,70\nB\t70\t1.75\n",
        'name,mass_kg,height_m,sex\nA,"60","1.70",\nB,70,1.75,\n',
        ",,\n\nname,mass_kg,height_m\nA,60,1.70\nB,70,1.75",
    ],
)
def test_what_a_spreadsheet_adds_makes_no_runner(text, tmp_path):
    found = cohort(text, tmp_path)
    assert [(n, r.runner.mass_kg, r.runner.height_m) for n, r in found.runners.items()] == [
        ("A", 60, 1.70),
        ("B", 70, 1.75),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,mass_kg,mass_kg\nA,60,70\n", "line 1: 'mass_kg' is there twice"),
        ("name,mass_kg\nA,60\n\n\nB,600\n", "line 5: mass_kg: 600"),
        ('name,mass_kg\n"A\nA",60\nB,600\n', "line 4: mass_kg: 600"),
        ("name,mass_kg\nA,60,70\n", "line 2: '70' stands in column 3, which has no name"),
        ("name,mass_kg,\nA,60,70\n", "column 3"),
        ("name,mass\nA,60\n", "did you mean 'mass_kg'"),
        ("name,mass_kg\nA,60\nA,70\n", "line 3: name: 'A' is there twice"),
        ("name,mass_kg\nA,1e400\n", "line 2: mass_kg: inf"),
        ("name,mass_kg\nA,nan\n", "line 2: mass_kg: nan"),
        ("name,mass_kg\n", "no runner"),
        ("", "no runner"),
        ("name,mass_kg\nJosé,60\n".encode("latin-1"), "byte 16 is not UTF-8"),
        ("name,mass_kg\nA,60\n".encode("utf-16"), "byte 0 is not UTF-8"),
        ("name,mass_kg\nA,\x0060\n", "line 2"),
    ],
)
def test_what_a_table_cannot_mean_is_one_sentence_with_its_line(text, words, tmp_path):
    with pytest.raises(InputError) as error:
        cohort(text, tmp_path)
    said = str(error.value)
    assert words in said and "cohort.csv" in said and "\n" not in said


words = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=8)


@settings(max_examples=60)
@given(rows=st.lists(st.lists(words, max_size=4), max_size=5), separator=st.sampled_from([",", ";", "\t"]))
def test_any_text_is_a_cohort_or_a_sentence(rows, separator, tmp_path_factory):
    text = "\n".join(separator.join(row) for row in [["name", "mass_kg"], *rows])
    try:
        found = cohort(text, tmp_path_factory.mktemp("cohort"))
    except InputError as error:
        assert str(error)
    else:
        lines = text.splitlines()[1:]  # a cell may hold line ends, and quotes join lines
        assert 1 <= len(found.runners) <= sum(bool(line.strip(f"{separator} ")) for line in lines)


# --- Once each, and counted --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (
            changed(parameters={"height_mm": [20, 20, 20.0]}),
            r"height_mm: \[20, 20, 20.0\] .* each value once",
        ),
        (changed(parameters={"blade": ["j-sprint", "j-sprint"]}), "each value once"),
        (
            changed(parameters={"height_mm": [20, 20.0]}, design={"kind": "sobol", "count": 4}),
            "each value once",
        ),
        (
            changed(
                parameters={"height_mm": [20, 30, 20.0], "toe_out_deg": [0, 5, 0]}, design={"kind": "list"}
            ),
            "points 1 and 3 of the list are the same",
        ),
    ],
)
def test_nothing_is_solved_twice(document, said):
    with pytest.raises(InputError, match=said):
        study(document)


def test_a_search_takes_each_value_once_and_a_list_may_repeat_one():
    search = {k: v for k, v in GRID.items() if k != "design"} | {"search": {"trials": 2, "minimise": "score"}}
    with pytest.raises(InputError, match="each value once"):
        study(search | {"parameters": {"height_mm": [20, 20]}})
    listed = {"height_mm": [20, 20], "toe_out_deg": [0, 5]}
    assert len(study(changed(parameters=listed, design={"kind": "list"})).points) == 2


def huge(count):
    spans = {"height_mm": (20, 40), "toe_out_deg": (0, 10), "speed_m_s": (3.0, 4.0)}
    return {name: {"low": low, "high": high, "count": count} for name, (low, high) in spans.items()}


def test_a_grid_of_a_thousand_million_is_counted_and_not_begun(tmp_path, capsys):
    path, begin = toml(changed(parameters=huge(1000)), tmp_path / "s.toml"), time.monotonic()
    assert cli.main(["sweep", str(path), "--dry-run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 1000**3
    with pytest.raises(InputError, match=f"1000000000 rows .* at most {MOST}"):
        sweep(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert time.monotonic() - begin < 30


@pytest.mark.parametrize(
    "sections",
    [
        {"design": {"kind": "sobol", "count": 10**12}},
        {"design": {"kind": "latin-hypercube", "count": 10**12}},
        {"run": {"ensemble": 10**12}},
    ],
)
def test_other_designs_are_counted_too(sections, tmp_path):
    found = study(changed(**{"parameters": {"height_mm": [20, 30]}, **sections}))
    with pytest.raises(InputError, match="rows are too many"):
        sweep(found, tmp_path / "out")
    with pytest.raises(InputError, match=f"from 2 to {MOST}"):
        study(changed(parameters=huge(10**12)))


# --- Who computed a row signs it --------------------------------------------------------------------------


def test_a_row_is_signed_by_who_computed_it(tmp_path, monkeypatch):
    from bladerun.study import fingerprint
    from bladerun.study.job import checked

    with planned(study(GRID), tmp_path) as plan:
        _, job = plan.take()
    done = checked(work(job))
    assert done.row["identity"] == job.inputs.identity(fingerprint.of_rows())
    ours = fingerprint.signature()
    with monkeypatch.context() as worker:
        worker.setattr(fingerprint, "signature", lambda: "0.0.9 (abcdef012345)")
        worker.setattr(fingerprint, "of_rows", lambda: "another")
        theirs = work(job)
    assert "objective" not in theirs.row  # nothing was solved for nothing
    with pytest.raises(InputError) as error:
        checked(theirs)
    assert "0.0.9 (abcdef012345)" in str(error.value) and ours in str(error.value)
