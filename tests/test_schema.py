"""The JSON Schemas of files: what is shipped holds to them, what people get wrong does not."""

import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import jsonschema
import pytest

from bladerun import cli
from bladerun._lib.docstrings import texts_of
from bladerun._lib.kinds import Number, Record, check, kinds_of
from bladerun.body.runner import Amputation, Runner
from bladerun.case import Case
from bladerun.cli.schemas import FILES
from bladerun.cost import Cost
from bladerun.errors import InputError
from bladerun.fitting import Fitting
from bladerun.schemas import SCHEMAS, schema
from bladerun.study.design import Drawn, Given
from bladerun.study.file import SearchSection, Settings
from bladerun.task import Task
from bladerun.validation.finding import Finding, Target

CHECKOUT = Path(__file__).parents[1]
EXPERIMENTS = CHECKOUT / "experiments"
HOSTILE = {"runner": "runner_files", "study": "studies", "blade": "blades"}
ONLY_READ = {  # what takes several keys, other files or a blade to see, or numbers that JSON has not
    "mass that is no number",
    "stiffness that is no number",
    "a mass that no adult of that height has",
    "a mass too low for that height",
    "residual limb in centimetres",
    "a blade that is a folder",
    "a blade's file with backslashes",
    "category beyond the blade",
    "a sweep of categories by number",
    "a sweep of speed",
    "a joint range in radians",
    "a joint range the other way round",
    "a force on a body that there is not",
    "Latin-1 with an umlaut",
    "a base that is not there",
    "a base that is a folder",
    "a base with backslashes",
    "a list of unlike lengths",
    "low above high",
    "low equal to high",
    "a speed beyond the range",
    "time without end",
    "a cohort that is not there",
    "a cohort that is a spreadsheet",
    "a blade's file that is not there",
    "a search given to sweep",
    "a search for what there is not",
    "a limit that is none",
    "a profile upside down",
    "a profile in metres",
    "a point that follows itself",
    "a reference category far off",
}


def checker(what):
    return jsonschema.Draft202012Validator(schema(what))


def brought(what):
    """What is wrong in rows of tests/hostile that are TOML, the document, and whether it can be used."""
    table = tomllib.loads((CHECKOUT / "tests" / "hostile" / f"{HOSTILE[what]}.toml").read_text("utf-8"))
    base = (CHECKOUT / table["base"]).read_text("utf-8")
    for row in table["rows"]:
        text = base
        for old, new in [*row.get("changes", ()), *([row["change"]] if "change" in row else ())]:
            text = text.replace(old, new, 1)
        try:
            document = tomllib.loads(row.get("text", text) + row.get("plus", ""))
        except tomllib.TOMLDecodeError:
            continue
        if document != tomllib.loads(base):
            yield row["what"], document, row.get("exit", 2) != 2


@pytest.mark.parametrize("what", FILES)
def test_a_schema_is_one(what):
    assert tuple(SCHEMAS) == FILES
    jsonschema.Draft202012Validator.check_schema(schema(what))


@pytest.mark.parametrize("what", FILES[:3])
def test_the_shipped_schema_is_what_the_command_prints(what, capsys):
    assert cli.main(["schema", what]) == 0
    assert (EXPERIMENTS / f"{what}.schema.json").read_text("utf-8") == capsys.readouterr().out


@pytest.mark.parametrize(
    "path",
    sorted(EXPERIMENTS.glob("*.toml")),
    ids=lambda path: path.name,
)
def test_an_example_names_its_schema_and_holds_to_it(path):
    text = path.read_text("utf-8")
    named = text.splitlines()[0].removeprefix("#:schema ./")
    jsonschema.Draft202012Validator(json.loads((EXPERIMENTS / named).read_text("utf-8"))).validate(
        tomllib.loads(text)
    )


@pytest.mark.parametrize("what", HOSTILE)
def test_what_people_get_wrong_is_refused_and_nothing_else(what):
    rows, check = list(brought(what)), checker(what)
    usable = {name for name, _, right in rows if right}
    wrong = {name for name, _, right in rows if not right}
    assert len(wrong) >= 20
    assert {name for name, document, _ in rows if check.is_valid(document)} == usable | (wrong & ONLY_READ)


BLADES = sorted((CHECKOUT / "models" / "blades").glob("*.toml"))
FOUND = sorted((EXPERIMENTS / "validation").glob("*.toml"))


@pytest.mark.parametrize(("what", "paths"), [("blade", BLADES), ("finding", FOUND)])
def test_the_catalogue_and_the_findings_hold_to_theirs(what, paths):
    assert len(paths) >= 2
    for path in paths:
        checker(what).validate(tomllib.loads(path.read_text("utf-8")))


@pytest.mark.parametrize(
    ("old", "new"),
    [("status = ", "state = "), ('"recalled"', '"heard"'), ("range = [80.0, 100.0]", "range = [80.0]")],
)
def test_a_finding_that_cannot_be_used_is_refused(old, new):
    text = (EXPERIMENTS / "validation" / "able_emg.toml").read_text("utf-8")
    assert old in text and not checker("finding").is_valid(tomllib.loads(text.replace(old, new, 1)))


def test_a_key_says_what_it_is_in_which_range():
    runner = schema("runner")["properties"]
    assert runner["task"]["properties"]["speed_m_s"] == {
        "type": "number",
        "minimum": 2.0,
        "maximum": 5.0,
        "description": texts_of(Task)["speed_m_s"],
    }
    assert runner["fitting"]["properties"]["height_mm"]["default"] == 20
    assert runner["runner"]["required"] == ["mass_kg", "height_m"]
    assert runner["cost"]["properties"]["tracking"]["properties"]["weight"]["default"] == (
        Cost.default().tracking.weight
    )
    assert "j-sprint" in runner["fitting"]["properties"]["blade"]["anyOf"][0]["enum"]


@pytest.mark.parametrize(
    "cls", [Runner, Amputation, Fitting, Task, Settings, SearchSection, Drawn, Given, Case, Target, Finding]
)
def test_every_key_is_explained(cls):
    assert all(texts_of(cls).get(name) for name in kinds_of(cls))


@dataclass(frozen=True)
class Leg:
    height_mm: Annotated[float, Number(-40, 60, "mm")] = 0.0


@dataclass(frozen=True)
class Legs:
    left: Leg | None = None
    right: Leg | None = None

    def __post_init__(self):
        check(self)


def test_tables_in_tables_are_described_like_any_other():
    legs = Record(Legs).read({"left": {"height_mm": 20}})
    assert legs == Legs(left=Leg(20)) and legs.right is None
    for table, said in (
        ({"left": {"height_mm": 90}}, "left.height_mm: 90 is not allowed; a number from -40 to 60 mm"),
        ({"left": {"heigth_mm": 9}}, "left.heigth_mm: not a known key; did you mean 'height_mm'?"),
        ({"right": 3}, "right: 3 is not allowed; a section of keys"),
    ):
        with pytest.raises(InputError, match=re.escape(said)):
            Record(Legs).read(table)
        assert not jsonschema.Draft202012Validator(Record(Legs).schema()).is_valid(table)
