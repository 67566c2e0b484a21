"""`bladerun example`: what the manual shows, written where the user is."""

import json
import tomllib
from pathlib import Path

import pytest

from bladerun import cli
from bladerun.case import load_case
from bladerun.cli.examples import examples_dir
from bladerun.study.file import load_study

ROOT = Path(__file__).parents[1]
NAMES = sorted(path.stem for path in examples_dir().glob("*.toml"))


def example(folder, name, capsys):
    assert cli.main(["example", name, "--out", str(folder), "--json"]) == 0
    return [Path(file) for file in json.loads(capsys.readouterr().out)["files"]]


def test_all_are_listed_with_what_they_are_about(capsys):
    assert cli.main(["example"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == NAMES
    assert all(len(line) < 100 and len(line.split()) > 2 for line in lines)


@pytest.mark.parametrize("name", NAMES)
def test_an_example_can_be_read_where_it_was_written(name, tmp_path, capsys):
    files = example(tmp_path, name, capsys)
    assert files[0] == tmp_path / f"{name}.toml"
    document = tomllib.loads(files[0].read_text("utf-8"))
    if "runner" in document:
        load_case(files[0])
    elif "base" in document:
        load_study(files[0])
    schema = files[0].read_text("utf-8").partition("\n")[0].removeprefix("#:schema ./")
    assert tmp_path / schema in files


def test_once_more_changes_nothing_and_what_was_edited_is_left_alone(tmp_path, capsys):
    (first, *_) = example(tmp_path, "first-fit", capsys)
    assert first in example(tmp_path, "first-fit", capsys)
    first.write_text("mine", "utf-8")
    (tmp_path / "runner.schema.json").unlink()
    assert cli.main(["example", "first-fit", "--out", str(tmp_path)]) == 2
    assert "differs from the example" in capsys.readouterr().err
    assert first.read_text("utf-8") == "mine"
    assert not (tmp_path / "runner.schema.json").exists()


def test_an_unknown_example_is_a_sentence(capsys):
    assert cli.main(["example", "fisrt-fit"]) == 2
    assert "did you mean 'first-fit'?" in capsys.readouterr().err


def test_the_wheel_ships_what_the_checkout_shows(tmp_path, capsys):
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]
    shipped = {source for source, at in wheel["wheel"]["force-include"].items() if "/examples/" in at}
    written = {file.name for name in NAMES for file in example(tmp_path, name, capsys)}
    assert shipped == {f"experiments/{name}" for name in written}
