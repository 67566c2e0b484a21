"""The lessons as they lie in git: no outputs, one kernel, and each with what a lesson needs.

`make test-lessons` executes them.
"""

import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
LESSONS = [path for path in NOTEBOOKS if path.stem[0].isdigit()]


def _read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def _text(path, kind):
    return "\n".join("".join(cell["source"]) for cell in _read(path)["cells"] if cell["cell_type"] == kind)


def test_there_are_seven_lessons():
    assert [path.stem[0] for path in LESSONS] == list("1234567")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_nothing_that_was_computed_lies_in_git(path):
    book = _read(path)
    for cell in book["cells"]:
        assert cell.get("outputs", []) == [] and cell.get("execution_count") is None
        assert set(cell["metadata"]) <= {"jupyter"}
    assert set(book["metadata"]) == {"kernelspec", "language_info"}
    assert book["metadata"]["kernelspec"]["name"] == "python3"
    ids = [cell["id"] for cell in book["cells"]]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_lesson_has_picture_thing_to_turn_question_and_answer(path):
    prose, code = _text(path, "markdown"), _text(path, "code")
    assert prose.startswith(f"# {path.stem[0]} · ")
    for heading in ("## The picture", "## Turn it", "## The question", "## How far to trust this"):
        assert heading in prose
    assert "# <- turn this" in code and "turn(draw" in code and "answer(" in code


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_answer_is_folded_away_with_its_source(path):
    for cell in _read(path)["cells"]:
        if "\nanswer(" in "".join(cell["source"]):
            assert cell["metadata"]["jupyter"]["source_hidden"]


def test_readme_lists_every_notebook():
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    for path in NOTEBOOKS:
        assert f"({path.name})" in readme
