"""The page's answer: what to try first by the rules of `fit`, curves over sliders, the window of landings."""

import threading
import time
from functools import partial
from types import SimpleNamespace

import pytest
from starlette.testclient import TestClient

from bladerun.app import _compared, create
from bladerun.app import _neighbourhood as near
from bladerun.app._neighbourhood import Point
from bladerun.body.variation import NOMINAL
from bladerun.study.intervals import FEWEST
from bladerun.study.recommend import matters
from fakes import page as fake_page
from fakes.page import DOCUMENT

MIDDLE = Point(5.0, 30.0, 0.0, 3.0)
LEVEL = 2e-2  # 3.2 mm of hip height a mm of blade: level at 0 mm
solved = partial(fake_page.solved, level=LEVEL, twist=100.0, turn=4.0)


def post(client, path, **content):
    answer = client.post(f"/api/{path}", json=content)
    assert answer.status_code == 200, answer.text
    return answer.json()


def until(what):
    for _ in range(1200):
        if found := what():
            return found
        time.sleep(0.05)
    raise AssertionError("waited in vain")


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What is answered before anything is solved, before the facts are varied, stopped, and in the end."""
    first, varied = threading.Event(), threading.Event()

    def job(asked):
        (first if asked.inputs.variation == NOMINAL else varied).wait(30)
        return solved(asked)

    app = create(tmp_path_factory.mktemp("answer"), executor=fake_page.Executor(), work=job)
    small = near.size() | {"arms": 1, "draws": FEWEST}
    with pytest.MonkeyPatch.context() as patch, TestClient(app, base_url="http://127.0.0.1") as client:
        patch.setattr(near, "size", lambda: small)
        run = post(client, "explore", document=DOCUMENT)["run"]
        found = SimpleNamespace(client=client, run=run, work=app.state.desk.work)
        found.early = post(client, "answer", run=run)
        first.set()
        found.unsure = until(
            lambda: (got := answered(found))["first"].get("note", "").startswith("Not final: what") and got
        )
        post(client, "halt", run=run)
        found.stopped = answered(found)
        varied.set()
        found.run = post(client, "explore", document=DOCUMENT)["run"]
        until(lambda: (got := post(client, "progress", run=found.run))["done"] == got["total"])
        found.final = answered(found)
        yield found


def answered(found):
    return post(found.client, "answer", run=found.run)


def test_while_neighbours_are_solved_it_says_so(answers):
    assert answers.early["first"] == {
        "title": "",
        "why": "Being solved: it follows when the fittings around today's are known (0 of 9).",
    }
    assert answers.early["curves"] == [] and answers.early["window"] == {"done": 0, "total": 0}


def test_an_answer_that_may_change_says_so(answers):
    assert answers.unsure["first"]["title"] == "Try first"
    assert "may yet be to keep what is worn" in answers.unsure["first"]["note"]
    assert answers.stopped["first"]["note"].startswith("Solving was stopped")


def test_one_change_is_named_first_then_the_second(answers):
    first = answers.final["first"]
    assert (first["title"], first["change"]) == ("Try first", "30 mm shorter")
    assert first["setting"] == "category 5, same height, toe straight"
    assert first["point"] == [5.0, 0.0, 0.0, 3.0]
    assert "less hips out of level (by 96 mm), torque beyond able-bodied" in first["why"]
    assert (
        first["seen"]
        == "If the prediction is right you will see: the hip rides lower over the blade (96 mm)."
    )
    second = "Second, if that does what it should: toe 10° further out; in all category 5, same height"
    assert first["then"] == f"{second}, toe-out 10°."
    assert f"solved {FEWEST} times more" in first["note"]


def test_the_sweep_widens_until_the_best_is_inside(answers):
    known = _compared.compared(answers.work)
    assert known.points[known.best] == Point(
        5.0, 0.0, 15.0, 3.0
    )  # two steps beyond the arms, and a third change
    assert known.table.height_mm.min() == -10.0 and known.table.toe_out_deg.max() == 20.0
    assert _compared.lacking(answers.work) == []


def test_a_gain_smaller_than_what_is_unknown_keeps_what_is_worn(answers, monkeypatch):
    best = _compared.compared(answers.work).points["category5_height0_toe15"]
    rows = answers.work.members[best]
    shaky = {k: row | {"score": row["score"] + 9.0 * (-1) ** k} for k, row in rows.items()}
    monkeypatch.setitem(answers.work.members, best, shaky)
    kept = answered(answers)["first"]
    assert kept["title"] == "Keep what you have" and kept["point"] is None and kept["seen"] == ""
    assert kept["setting"] == "category 5, 30 mm taller, toe straight"
    assert "No change is worth making" in kept["why"] and "uncertain" in kept["why"]


def test_curves_hold_what_is_solved_and_what_is_unknown(answers):
    hip = curve(answers, "Hip higher")
    assert hip["matters"] == matters("hip_height_difference_mm") == 5.0
    height = hip["axes"]["height_mm"]
    assert height["x"] == [-10.0, 0.0, 10.0, 20.0, 30.0, 40.0]
    assert height["y"] == pytest.approx([160 * LEVEL * x for x in height["x"]], abs=0.01)
    assert height["low"] == pytest.approx(height["y"], abs=0.01)  # strength does not move it
    assert hip["axes"]["category"]["y"] == pytest.approx([96.0] * 3, abs=0.01)
    twist = curve(answers, "Twist at the hip")["axes"]
    here = twist["toe_out_deg"]["x"].index(0.0)
    low, value, high = (twist["toe_out_deg"][key][here] for key in ("low", "y", "high"))
    assert value == pytest.approx(100 / 75, abs=0.01) and high - value > 0.1
    assert high - value == pytest.approx(value - low, abs=1e-4)
    assert twist["speed_m_s"]["x"] == [2.75, 3.0, 3.25]
    assert twist["speed_m_s"]["low"] == [None, low, None]  # the facts are varied at today's speed alone


def curve(answers, title):
    return next(row for row in answers.final["curves"] if row["title"].startswith(title))


def test_landings_are_solved_last_on_the_fitting_to_try(answers):
    aim = Point(5.0, 0.0, 10.0, 3.0)
    assert set(answers.work.landings) == {aim} and answers.unsure["window"]["total"] == 0
    window = answers.final["window"]
    assert window["shift"] == [-60.0, -40.0, -20.0, 0.0, 20.0, 40.0, 60.0] and window["fitting"] == "first"
    assert len(window["cost"]) == len(window["recoil"]["right"]) == 7
    assert (window["closer"], window["further"]) == (0.0, 0.0)  # the made-up runner pops straight up
    assert "then it is popping up" in window["words"]


def test_the_score_goes_by_what_the_runner_cares_about(answers):
    own = DOCUMENT | {"priorities": {"cost": 0, "asymmetry": 0, "hip_level": 1, "torque_excess": 0,
                                     "socket_torque": 0, "whip": 0}}  # fmt: skip
    run = post(answers.client, "explore", document=own)["run"]
    work = answers.client.app.state.desk.work
    until(lambda: MIDDLE in work.portraits)
    post(answers.client, "halt", run=run)
    assert work.portraits[MIDDLE].numbers["score"] == pytest.approx(96.0 / 5.0)
