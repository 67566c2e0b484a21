"""Situations of one runner on one page: what a row says, what is marked, and which studies have none."""

import re

import pytest

from bladerun import cli
from bladerun.errors import InputError
from bladerun.report.situations import is_situations, write_situations
from bladerun.study.file import load_study, study
from bladerun.task import Task
from fakes.studies import FIRST_FIT, changed, drained

PARAMETERS = {
    "slope_percent": [0, 5, 0, 0, 0],
    "ground": ["road", "road", "sand", "road", "road"],
    "bend_radius_m": [0, 0, 0, -20, 0],
    "volume_loss_percent": [0, 0, 0, 0, 4.5],
    "socks_ply": [0, 0, 0, 0, 3],
}
DAY = {"base": str(FIRST_FIT), "parameters": PARAMETERS, "design": {"kind": "list"}}


@pytest.fixture
def rows(tmp_path):
    """Words of the cells of each row, by its title."""
    drained(study(DAY), tmp_path, "uphill")
    text = write_situations(tmp_path, tmp_path).read_text("utf-8")
    body = re.search("<tbody>(.*)</tbody>", text, re.S)[1]
    lines = [re.sub("<[^>]+>", " ", line).split() for line in re.findall("<tr>(.*?)</tr>", body, re.S)]
    return {"heads": re.findall("<thead>(.*)</thead>", text, re.S)[0], "lines": lines, "text": text}


def test_a_row_says_what_it_is_and_what_it_changes(rows):
    level, up, *_ = (" ".join(line) for line in rows["lines"])
    assert level == "level road 0.0 17 2.75 3.00 1.40"
    assert up == "5 % uphill&nbsp; a −1.0 −1.0 17 0 2.75 0.00 3.50 +0.50 b 1.40 0.00"


def test_what_matters_is_bold_and_what_validation_missed_is_marked(rows):
    assert re.search(r"<b>\+0.50</b> <sup class=\"untested\">b</sup>", rows["text"])
    assert "<b>−1.0</b>" in rows["text"] and "<b>0.00</b>" not in rows["text"]
    assert "Validation did not confirm how a slope changes the cost" in rows["text"]
    assert rows["heads"].count("†") == 2  # sweet spot and pistoning


def test_bends_name_the_side_of_the_blade_and_socks_stand_beside_what_they_refill(rows):
    _, _, sand, bend, sock = (" ".join(line) for line in rows["lines"])
    assert bend.startswith("a bend to the right of 20 m, the blade inside&nbsp; a ")
    assert sock.startswith("limb 4.5 % smaller, a 3-ply sock&nbsp; c 0.0 0.0 22 ")
    assert "No stride was found. not converged: no way was found" in sand


def test_without_a_first_row_there_is_nothing_to_tell_changes_from(tmp_path):
    drained(study(DAY | {"parameters": {"ground": ["sand", "road"]}}), tmp_path, "uphill")
    with pytest.raises(InputError, match="the first situation has no stride"):
        write_situations(tmp_path, tmp_path)


def test_plot_writes_the_page_for_a_list_alone(tmp_path, capsys):
    drained(study(DAY), tmp_path, "uphill")
    assert cli.main(["plot", str(tmp_path)]) == 0
    assert capsys.readouterr().out.split() == [str(tmp_path / "situations.html")]
    assert not is_situations(study(changed()))


def test_the_day_is_eight_strides_of_one_runner():
    day = load_study(FIRST_FIT.with_name("day-in-the-life.toml"))
    assert is_situations(day) and len(day.points) == 8
    tasks = [day.inputs("runner", point).task for point in day.points]
    assert tasks[0] == tasks[-1] == Task(3.3)
    assert {task.conditions for task in tasks[1:4]} == {
        ("5 % uphill",),
        ("5 % downhill",),
        ("grass (100 kN/m, 50 % lost)",),
    }
