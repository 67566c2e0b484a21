"""The page's server: what it answers, whom it refuses, and what lies between solved fittings."""

import base64
import shutil
import time
import tomllib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tomli_w
from starlette.testclient import TestClient

from bladerun.app import _neighbourhood as near
from bladerun.app import _sheet, _work, create
from bladerun.app._guard import MOST_BYTES
from bladerun.app._margins import margins
from bladerun.app._neighbourhood import Point
from bladerun.app._story import _CHANGES, _REASONS, story
from bladerun.case import check_case
from bladerun.errors import InputError
from bladerun.study.intervals import FEWEST
from fakes import page as fake_page
from fakes.page import DOCUMENT

MIDDLE = Point(5.0, 30.0, 0.0, 3.0)
NASTY = '</script><img src=x onerror=alert(1)> "quoted"'


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    app = create(tmp_path_factory.mktemp("app"), executor=fake_page.Executor(), work=fake_page.solved)
    small = near.size() | {"draws": FEWEST}
    with pytest.MonkeyPatch.context() as patch, TestClient(app, base_url="http://127.0.0.1") as client:
        patch.setattr(near, "size", lambda: small)
        assert explore(client, DOCUMENT)["middle"] == list(MIDDLE)
        finish(client)
        yield client


def explore(client, document):
    answer = client.post("/api/explore", json={"document": document})
    assert answer.status_code == 200, answer.text
    client.run = answer.json()["run"]
    return answer.json()


def ask(client, path, **content):
    return client.post(f"/api/{path}", json={"run": client.run, **content})


def finish(client):
    for _ in range(600):
        progress = ask(client, "progress").json()
        if progress["done"] == progress["total"]:
            return progress
        time.sleep(0.05)
    raise AssertionError(progress)


def beside(client, point, against):
    answer = ask(client, "at", point=list(point), against=list(against))
    assert answer.status_code == 200
    return answer.json()


def at(client, point):
    return beside(client, point, MIDDLE)["now"]


def row(answer, title):
    return next(row for row in answer["view"]["numbers"] if row["title"].startswith(title))


def value(answer, title):
    return row(answer, title)["value"]


def test_two_steps_along_every_quantity_are_solved(page):
    progress = finish(page)
    work = page.app.state.desk.work
    assert len(work.around) == 17
    assert progress["total"] == 17 + FEWEST + 6  # today's with the facts varied, and landings elsewhere
    assert [failed[0][3] for failed in progress["failed"]] == [3.5]
    assert at(page, MIDDLE)["state"] == "solved"
    assert at(page, MIDDLE._replace(speed_m_s=3.5))["state"] == "failed"


def test_between_solved_fittings_is_the_weighted_sum(page):
    between = MIDDLE._replace(height_mm=35.0, category=5.5, toe_out_deg=1.0)
    answer = at(page, between)
    assert answer["state"] == "between"
    steps = {"height_mm": 40.0, "category": 6.0, "toe_out_deg": 5.0}
    middle = value(at(page, MIDDLE), "Hip higher")
    shares = {"height_mm": 0.5, "category": 0.5, "toe_out_deg": 0.2}
    ends = {
        axis: value(at(page, MIDDLE._replace(**{axis: end})), "Hip higher") for axis, end in steps.items()
    }
    expected = middle + sum(shares[axis] * (ends[axis] - middle) for axis in steps)
    assert value(answer, "Hip higher") == pytest.approx(expected, abs=1e-4)


def test_letting_go_solves_exactly(page):
    point = Point(6.0, 36.0, 2.0, 3.1)
    assert at(page, point)["state"] == "between"
    assert ask(page, "solve", point=list(point)).status_code == 200
    finish(page)
    assert at(page, point)["state"] == "solved"


def test_the_scene_has_every_part_in_every_frame(page):
    scene = at(page, MIDDLE)["scene"]
    bodies = np.frombuffer(base64.b64decode(scene["bodies"]), "<f4").reshape(
        scene["frames"], scene["parts"], 7
    )
    assert np.allclose(np.linalg.norm(bodies[..., 3:], axis=-1), 1, atol=1e-5)
    assert {shape["part"] for shape in scene["shapes"]} == set(range(scene["parts"]))


def test_what_changed_is_said_with_its_uncertainty(page):
    higher = beside(page, MIDDLE._replace(height_mm=40.0), MIDDLE)
    first, _ = higher["story"]
    assert "the hip rides higher over the blade (by" in first and "±" in first
    assert "numerical scatter alone" in higher["margins"] and not higher["varied"]
    titles = [each["title"] for each in higher["now"]["view"]["numbers"]]
    apart = dict(zip(titles, higher["differences"], strict=True))
    assert apart["Hip higher over the blade"]["verdict"] == "matters"
    assert apart["Tip swings aside after toe-off (out +)"]["verdict"] == "same"
    first, _ = beside(page, MIDDLE._replace(toe_out_deg=5.0), MIDDLE)["story"]
    assert "less hip twist (by" in first


def test_how_sure_it_is_comes_from_strides_with_varied_facts(page):
    turned = MIDDLE._replace(toe_out_deg=-5.0)
    before = row(at(page, turned), "Twist at the hip")
    unsolved = MIDDLE._replace(height_mm=31.0)
    refused = ask(page, "vary", point=list(unsolved), against=list(MIDDLE))
    assert refused.status_code == 422 and "not solved yet" in refused.json()["error"]
    assert ask(page, "vary", point=list(turned), against=list(MIDDLE)).status_code == 200
    finish(page)
    answer = beside(page, turned, MIDDLE)
    assert answer["varied"] and f"{FEWEST} times" in answer["margins"]
    twist = row(answer["now"], "Twist at the hip")
    change = answer["differences"][answer["now"]["view"]["numbers"].index(twist)]
    assert float(twist["margin"]) > 5 * float(before["margin"])  # unknown strength moves both fittings alike
    assert float(change["margin"]) < float(twist["margin"]) / 5 and change["verdict"] == "matters"
    assert ask(page, "sheet", point=list(turned)).content.startswith(b"%PDF")


def test_answers_come_at_once(page):
    point = MIDDLE._replace(height_mm=33.0)
    at(page, point)
    began = time.perf_counter()
    for height in range(31, 41):
        at(page, MIDDLE._replace(height_mm=float(height)))
    assert (time.perf_counter() - began) / 10 < 0.15


def test_saving_and_opening_keeps_everything(page):
    document = DOCUMENT | {
        "runner": DOCUMENT["runner"] | {"name": NASTY, "notes": NASTY, "strength": {"hip_abductors": 0.7}},
        "sweep": {"height_mm": [20, 30]},
    }
    saved = page.post("/api/save", json={"document": document})
    assert tomllib.loads(saved.text) == document
    assert page.post("/api/open", json={"text": saved.text}).json()["document"] == document


def test_a_blades_file_lies_where_the_page_was_started(page, tmp_path, monkeypatch):
    text = (
        tomli_w.dumps(DOCUMENT).replace("j-sprint", "my-blade.toml").replace("category = 5", "category = 4")
    )
    missing = page.post("/api/open", json={"text": text})
    assert missing.status_code == 422 and missing.json()["key"] == "[fitting] blade"
    assert "no file 'my-blade.toml'" in missing.json()["error"]
    shutil.copy(Path(__file__).parents[1] / "experiments" / "my-blade.toml", tmp_path)
    monkeypatch.chdir(tmp_path)
    found = page.post("/api/open", json={"text": text}).json()
    assert found["blade"]["name"] == found["document"]["fitting"]["blade"] == "my-blade.toml"
    assert found["blade"]["title"].startswith("Example") and found["blade"]["categories"][:2] == [1, 2]
    assert page.post("/api/open", json={"text": tomli_w.dumps(DOCUMENT)}).json()["blade"] is None
    assert "my-blade.toml" in page.post("/api/save", json={"document": found["document"]}).text


def test_a_day_without_quotes_is_opened(page):
    text = tomli_w.dumps(DOCUMENT) + "[visit]\ndate = 2026-12-01\n"
    assert page.post("/api/open", json={"text": text}).json()["document"]["visit"] == {"date": "2026-12-01"}
    noon = page.post("/api/open", json={"text": text.replace("01\n", "01T12:00:00\n")})
    assert "[visit] date: 2026-12-01T12:00:00 is not allowed; a day as 2026-12-01" in noon.json()["error"]


@pytest.mark.parametrize("blade", ["../my-blade.toml", "/etc/my-blade.toml", {"name": "x", "facts": {}}, 7])
def test_the_page_reads_no_blade_from_elsewhere(page, blade):
    document = DOCUMENT | {"fitting": DOCUMENT["fitting"] | {"blade": blade}}
    for answer in (
        page.post("/api/explore", json={"document": document}),
        page.post("/api/save", json={"document": document}),
    ):
        assert answer.status_code == 422 and "without folders" in answer.json()["error"]


def test_a_measured_stiffness_goes_along_with_the_category():
    case = check_case(DOCUMENT | {"fitting": DOCUMENT["fitting"] | {"stiffness_kn_m": 12.0}})
    assert near.at(case, MIDDLE)[0].stiffness_kn_m == 12.0
    assert near.at(case, MIDDLE._replace(category=6.0))[0].stiffness_kn_m == pytest.approx(14.4)
    assert {point.category for point in near.around(case)} == {5.0, 6.0, 7.0}  # softer than 10 is no blade


def test_other_words_about_a_runner_solve_nothing_again(page):
    before = finish(page)
    named = DOCUMENT | {"runner": DOCUMENT["runner"] | {"name": "B. Runner", "notes": "Likes the track."}}
    explore(page, named)
    assert finish(page) == before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[runner]\nmass_kg = 7\nheight_m = 1.7\n[task]\nspeed_m_s = 3", "mass_kg"),
        ("not toml", "not a runner's file"),
        ("[runner]\nmass_kg = 70\nheight_m = 1.7\n[task]\nspeed_m_s = 3", "[fitting]"),
    ],
)
def test_what_cannot_be_opened_is_said_in_one_sentence(page, text, words):
    answer = page.post("/api/open", json={"text": text})
    assert answer.status_code == 422 and words in answer.json()["error"]


@pytest.mark.parametrize("point", [None, [1, 2], ["a", 1, 2, 3], [5, 30, 0, True], [5, 900, 0, 3]])
def test_points_that_are_none_are_refused(page, point):
    assert ask(page, "solve", point=point).status_code == 422


def test_only_the_page_itself_may_ask(page):
    good = {"document": DOCUMENT}
    assert page.post("/api/save", json=good).status_code == 200
    assert page.post("/api/save", json=good, headers={"Origin": "http://evil.example"}).status_code == 403
    assert page.post("/api/save", json=good, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert page.post("/api/save", data="{}", headers={"Content-Type": "text/plain"}).status_code == 403
    assert page.get("/", headers={"Host": "evil.example"}).status_code == 400
    large = {"text": "#" * (MOST_BYTES + 1)}
    assert "too large" in page.post("/api/open", json=large).json()["error"]
    assert page.get("/page/../_server.py").status_code == 404
    policy = page.get("/").headers["content-security-policy"]
    assert "default-src 'self'" in policy and "unsafe" not in policy


def test_questions_about_another_runner_are_not_answered(page):
    mine, point = page.run, list(MIDDLE)
    named = DOCUMENT | {
        "runner": DOCUMENT["runner"] | {"name": "Bén O."}
    }  # the same numbers: the same strides
    theirs = explore(page, named)["run"]
    for door in ("progress", "at", "solve", "vary", "halt", "sheet", "answer"):
        for run in (mine, None, "", theirs[:-1]):
            answer = page.post(f"/api/{door}", json={"run": run, "point": point, "against": point})
            assert answer.status_code == 422 and "another runner was begun with" in answer.json()["error"]
    finish(page)
    sheet = ask(page, "sheet", point=point)
    assert sheet.headers["content-disposition"] == "attachment; filename*=utf-8''b%C3%A9n-o-sheet.pdf"
    explore(page, DOCUMENT)
    assert "runner-sheet.pdf" in ask(page, "sheet", point=point).headers["content-disposition"]


def test_the_sheet_leaves_nothing_behind(page, monkeypatch):
    written = []
    monkeypatch.setattr(_sheet, "write_sheet", lambda result, name: written.append(result) or fails())

    def fails():
        raise InputError("full")

    assert ask(page, "sheet", point=list(MIDDLE)).status_code == 422
    assert not written[0].folder.exists() and written[0].recommended is None


def test_the_time_left_only_falls_while_a_stride_is_solved(page, monkeypatch):
    work, now = page.app.state.desk.work, 100.0
    monkeypatch.setattr(_work.time, "monotonic", lambda: now)
    monkeypatch.setattr(work, "_ended_s", [60.0, 70.0, 80.0])
    left = []
    for now in range(80, 200, 10):  # noqa: B007
        left.append(work._left_s(5))
    assert left[:3] == [50, 40, 30] and left == sorted(left, reverse=True) and left[-1] == 0
    monkeypatch.setattr(work, "_ended_s", [60.0])
    assert work._left_s(5) is None  # the first may have compiled


def test_the_sheet_compares_today_with_the_sliders(page):
    answer = ask(page, "sheet", point=list(MIDDLE._replace(height_mm=20.0)))
    assert answer.headers["content-type"] == "application/pdf" and answer.content.startswith(b"%PDF")
    other = ask(page, "sheet", point=list(MIDDLE._replace(speed_m_s=3.25)))
    assert "one speed" in other.json()["error"]
    unknown = ask(page, "sheet", point=list(MIDDLE._replace(height_mm=33.0)))
    assert "not solved yet" in unknown.json()["error"]


def test_scatter_is_what_arms_do_not_explain():
    rng = np.random.default_rng(1)
    case = check_case(DOCUMENT)
    points = near.around(case)
    straight = {point: np.array([2.0 * point.height_mm + point.category]) for point in points}
    assert near.scatter(MIDDLE, straight) == pytest.approx(0.0, abs=1e-9)
    noisy = [
        near.scatter(MIDDLE, {point: x + rng.normal(0, 0.3, 1) for point, x in straight.items()})
        for _ in range(200)
    ]
    assert np.sqrt(np.mean(np.square(noisy))) == pytest.approx(0.3, rel=0.1)
    assert near.scatter(MIDDLE, {MIDDLE: np.zeros(1)}) is None


def test_weights_add_up_and_end_with_what_is_solved():
    points = near.around(check_case(DOCUMENT))
    assert sum(near.weights(Point(5.3, 44.0, -3.0, 3.1), MIDDLE, points).values()) == pytest.approx(1.0)
    assert near.weights(MIDDLE._replace(height_mm=50.0), MIDDLE, points[:1]) == {}
    assert near.weights(MIDDLE._replace(height_mm=51.0), MIDDLE, points) == {}
    assert near.weights(MIDDLE, MIDDLE, [MIDDLE]) == {MIDDLE: 1.0}
    assert near.weights(MIDDLE, MIDDLE, []) == {}


def curved(point):
    """Of a fitting: a number that bends with the height, one that jumps, one that is straight."""
    height = point.height_mm
    return np.array([0.05 * (height - 26) ** 2, 3.0 * (height > 33), 0.2 * height + point.category])


def solved_around(bent):
    """Work whose neighbourhood is solved, with one number for each key."""
    points = near.around(check_case(DOCUMENT))
    known = {point: bent(point) for point in points}
    portraits = {
        point: SimpleNamespace(keys=("bent", "jumps", "straight"), arrays={"numbers": numbers})
        for point, numbers in known.items()
    }
    return SimpleNamespace(
        middle=MIDDLE,
        portraits=portraits,
        members={},
        draws=(),
        known=lambda: known,
        case=check_case(DOCUMENT),
    )


def test_an_estimates_margin_holds_the_exact_value():
    work = solved_around(curved)
    for height in np.arange(10.5, 50.0, 1.0):
        point = MIDDLE._replace(height_mm=float(height))
        parts = near.weights(point, MIDDLE, work.portraits)
        estimate = sum(share * work.known()[one] for one, share in parts.items())
        known = margins(work, point, MIDDLE)
        assert known.here is not None and known.change is not None and "estimate" in known.words
        off, exact = np.abs(curved(point) - estimate), curved(point) - curved(MIDDLE)
        assert (off <= [known.here[key] + 1e-9 for key in ("bent", "jumps", "straight")]).all(), height
        for i, key in enumerate(known.change):  # what is said to differ does so in that direction
            said = estimate[i] - curved(MIDDLE)[i]
            assert abs(said) <= known.change[key] or said * exact[i] > 0
    solved = margins(work, MIDDLE._replace(height_mm=40.0), MIDDLE)
    assert solved.here is not None and solved.here["straight"] < 1e-9 and "estimate" not in solved.words


def test_what_was_not_measured_has_no_margin_and_no_verdict(page):
    both = MIDDLE._replace(height_mm=32.0, toe_out_deg=1.0)
    answer = beside(page, both, MIDDLE)
    assert answer["now"]["state"] == "between" and "has no ±" in answer["margins"]
    assert {row["margin"] for row in answer["now"]["view"]["numbers"]} == {None}
    assert {row["verdict"] for row in answer["differences"]} <= {"unknown", "same"}
    assert {row["text"] for row in answer["differences"] if row["verdict"] == "same"} <= {"–"}
    assert "story" not in answer and answer["now"]["view"]["margin"]["word"] == "not known how sure"
    one = beside(page, MIDDLE._replace(height_mm=32.0), MIDDLE)
    assert one["now"]["state"] == "between" and None not in [row["margin"] for row in one["differences"]]
    work = solved_around(curved)
    ends = {p: numbers for p, numbers in work.known().items() if p.height_mm in (30.0, 40.0)}
    assert near.stray(MIDDLE._replace(height_mm=35.0), MIDDLE, ends) is None


def test_within_scatter_nothing_has_changed(page):
    words = (*_CHANGES, *_REASONS)
    numbers = {word.key + "right" if word.key.endswith("_") else word.key: 1.0 for word in words}
    first, second = story(numbers | {"cost_j_kg_m": 1.1}, numbers, dict.fromkeys(numbers, 1.0), "right")
    assert first == "Nothing that matters differs clearly from the other fitting: choose by feel."
    assert second == ""
    moved = numbers | {"cost_j_kg_m": 1.02, "tip_swing_mm_right": 41.0}
    first, _ = story(moved, numbers, dict.fromkeys(numbers, 0.01), "right")
    assert first.endswith(
        "; energy cost differs too little to matter; no clear difference in energy back and hip twist."
    )
