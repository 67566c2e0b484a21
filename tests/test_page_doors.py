"""Whom the page lets in and what it takes: every door, with what strangers and broken programs bring."""

import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

from bladerun.app import _documents, _server, address_of, create
from bladerun.app import _neighbourhood as near
from bladerun.study.intervals import FEWEST
from fakes import page as fake_page
from fakes.page import DOCUMENT

DOORS = ("open", "save", "explore", "progress", "at", "solve", "vary", "halt", "sheet", "answer", "film")
KEYS = ("run", "text", "document", "point", "against", "marks")
BODIES = {"open": 60, "explore": 60}  # which do more than look; 160 else
MARKS = {
    "view": "side",
    "filmed_hz": 240,
    "events": [{"leg": "right", "event": "touchdown", "frame": frame} for frame in (0, 168)],
    "points": [{"leg": "right", "point": "hip", "frame": 0, "x": 1.0, "y": 2.0}],
    "length": {"mm": 400, "from_x": 0, "from_y": 0, "to_x": 9, "to_y": 9},
}
ODD = (
    *(None, True, 0, -1, 1e308, -1e-300, 2**63, -(2**64), 10**400, [], {}, [[]], [{}], {"": {}}),
    *("", "x" * 5000, "\ud800", "a\udfffb", "\0", "é漢", "recommended", ".toml", "x/../y.toml", "a\0.toml"),
    *([1, 2, 3, 4], [5, 30, 0, 3], [5, 30, 0, 10**30], [0.5] * 900, {"value": {"value": {}}}),
    *("[a", "a = 1", "a=" + "9" * 5000, "a = 18446744073709551616", "a = inf", "a = 1979-05-27"),
    *("a.b = 1\na = 2", "[runner]\nmass_kg = nan", BOMB := "a" + ".a" * 31000 + " = 1"),
)  # the last takes TOML's parser most of a minute


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    app = create(tmp_path_factory.mktemp("doors"), executor=fake_page.Executor(), work=fake_page.solved)
    small = near.size() | {"arms": 1, "draws": FEWEST}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(near, "size", lambda: small)
        patch.setattr(_server, "sheet", lambda *_: b"%PDF")  # drawn in test_app
        with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
            yield client


def begin(page):
    answer = page.post("/api/explore", json={"document": DOCUMENT})
    assert answer.status_code == 200
    return answer.json()["run"]


def posted(page, door, content):
    return page.post(f"/api/{door}", content=content, headers={"Content-Type": "application/json"})


def changed(value, draw):
    """The document with a value, a key or a part of it made odd, at any depth."""
    if isinstance(value, dict) and value and draw.random() < 0.85:
        key = draw.choice(list(value))
        if draw.random() < 0.15:
            return {
                **value,
                draw.choice(("", "x" * 300, "strength", "cost", "é", "\ud800")): draw.choice(ODD),
            }
        return {**value, key: changed(value[key], draw)}
    return draw.choice(ODD)


def body(draw, run):
    """What is posted: bytes, mostly JSON that nearly is what a door takes."""
    kind = draw.random()
    if kind < 0.05:
        return bytes(draw.randrange(256) for _ in range(draw.randrange(60)))
    if kind < 0.1:
        return draw.choice(
            (b"[" * 30000, b'{"a":' * 9000, b"9" * 5000, b"null", b"[]", b"", b"{", b'{"run": NaN}')
        )
    good = {
        "run": run,
        "document": DOCUMENT,
        "point": [5, 30, 0, 3],
        "against": [5, 30, 0, 3],
        "text": "x = 1",
        "marks": MARKS,
    }
    for _ in range(draw.randrange(1, 3)):
        key = draw.choice(KEYS)
        good[key] = changed(good[key], draw)
    return json.dumps(good).encode()


@pytest.mark.parametrize("door", DOORS)
def test_every_body_is_answered(page, door, monkeypatch):
    monkeypatch.setattr(_documents, "_MOST_S", 0.5)
    draw, run = random.Random(door), begin(page)
    for _ in range(BODIES.get(door, 160)):
        content = body(draw, run)
        answer = posted(page, door, content)
        assert answer.status_code < 500, (door, content[:300], answer.text[:300])
        if answer.status_code == 422:
            said = answer.json()
            assert said["error"] and "Traceback" not in said["error"] and len(said["error"]) < 500
        if door == "explore" and answer.status_code == 200:
            run = answer.json()["run"]


@pytest.mark.parametrize(
    "mass", ["18446744073709551616", "9" * 5000, "1e999", '"\\ud800"', "NaN", "[[[[[[[[[[[[[]]]]]]]]]]]]]"]
)
def test_what_no_file_can_hold_is_refused_in_one_sentence(page, mass):
    document = json.dumps(DOCUMENT).replace("72.0", mass)
    for door in ("save", "explore"):
        answer = posted(page, door, f'{{"document": {document}}}')
        assert answer.status_code == 422 and answer.json()["error"].count("\n") == 0


def test_a_text_that_takes_long_to_read_keeps_nobody_waiting(page, monkeypatch):
    monkeypatch.setattr(_documents, "_MOST_S", 2.0)
    begin(page)
    answers, began = [], time.monotonic()
    thread = threading.Thread(target=lambda: answers.append(page.post("/api/open", json={"text": BOMB})))
    thread.start()
    slowest = 0.0
    while thread.is_alive():
        asked = time.monotonic()
        assert page.get("/api/facts").status_code == 200
        slowest = max(slowest, time.monotonic() - asked)
    thread.join()
    assert answers[0].status_code == 422 and "nested too deeply" in answers[0].json()["error"]
    assert time.monotonic() - began < 6 and slowest < 1.5


@pytest.fixture
def locked(tmp_path):
    app = create(
        tmp_path, token="let-me-in", host="0.0.0.0", executor=fake_page.Executor(), work=fake_page.solved
    )
    with TestClient(app, base_url="http://127.0.0.1:8765", follow_redirects=False) as client:
        yield client


def test_nobody_is_answered_without_the_key(locked):
    for path in ("/", "/page/app.js", "/api/facts", "/?token=", "/?token=let-me-i", "/?token=%ff%00é"):
        assert locked.get(path).status_code == 401, path
    assert locked.post("/api/save", json={"document": DOCUMENT}).status_code == 401
    assert locked.get("/", headers={"Cookie": "bladerun-8765=other"}).status_code == 401
    entered = locked.get("/?token=let-me-in")
    assert entered.status_code == 303 and entered.headers["location"] == "/"
    cookie = entered.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie
    assert locked.get("/").status_code == 200  # the client keeps the cookie, as a browser does
    assert locked.post("/api/save", json={"document": DOCUMENT}).status_code == 200


@pytest.mark.parametrize(
    ("host", "answered"),
    [
        ("127.0.0.1:8765", True), ("192.168.1.7:8765", True), ("[::1]:8765", True), ("localhost", True),
        (socket.gethostname(), True), ("evil.example", False), ("127.0.0.1.evil.example", False),
        ("[::1].evil.example", False), ("user@127.0.0.1", False), ("", False), ("localhost:evil", False),
        ("localhost:", False), ("localhost:65535", True), ("localhost:123456", False),
        ("LOCALHOST:8765", True),
        (socket.gethostname().upper(), True), (f"{socket.gethostname().split('.')[0]}.local", True),
        (f"{socket.gethostname()}.evil.example", False), ("localhost.evil.example", False),
        ("127.0.0.1 ", False),
        ("::1", False), ("[::1", False), ("[localhost]", False), ("2130706433", False), ("0.0.0.0", True),
    ],
)  # fmt: skip
def test_other_names_are_refused_wherever_it_is_served(locked, host, answered):
    assert (locked.get("/", headers={"Host": host}).status_code != 400) is answered


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("http://127.0.0.1", True), ("https://127.0.0.1", False), ("http://127.0.0.1:8766", False),
        ("ftp://127.0.0.1", False), ("null", False), ("http://evil.example", False), ("127.0.0.1", False),
        ("HTTP://127.0.0.1", True), ("http://127.0.0.1/", False), ("http://127.0.0.1.evil.example", False),
        ("http://evil.example/http://127.0.0.1", False), ("", False), ("http://localhost", False),
    ],
)  # fmt: skip
def test_all_of_an_origin_counts(page, origin, allowed):
    answer = page.post("/api/save", json={"document": DOCUMENT}, headers={"Origin": origin})
    assert answer.status_code == (200 if allowed else 403)
    assert page.get("/api/facts", headers={"Origin": origin}).status_code == (200 if allowed else 403)


@pytest.mark.parametrize("site", ["same-origin", "none", "same-site", "cross-site"])
def test_what_a_browser_says_of_the_site_counts_but_for_looking(page, site):
    sent = page.post("/api/save", json={"document": DOCUMENT}, headers={"Sec-Fetch-Site": site})
    assert sent.status_code == (200 if site in ("same-origin", "none") else 403)
    assert page.get("/api/facts", headers={"Sec-Fetch-Site": site}).status_code == 200


@pytest.mark.parametrize(
    ("kind", "allowed"),
    [
        ("application/json; charset=utf-8", True),
        ("text/plain", False),
        ("application/jsonx", False),
        ("", False),
    ],
)
def test_only_json_is_posted(page, kind, allowed):
    content = json.dumps({"document": DOCUMENT})
    answer = page.post("/api/save", content=content, headers={"Content-Type": kind})
    assert (answer.status_code, answer.text == "only JSON is taken") == (
        (200, False) if allowed else (403, True)
    )


def test_the_most_bytes_and_the_deepest_table_are_taken_and_no_more(page):
    def sent(text):
        return posted(page, "open", json.dumps({"text": text})).json().get("error", "")

    room = 64 * 1024 - len(json.dumps({"text": ""}))
    assert "too large" not in sent("x" * room)
    assert "too large; a runner's file has at most 64 kB" in sent("x" * (room + 1))

    inner = {"text": 1}
    for _ in range(10):
        inner = {"text": inner}
    assert "nested too deeply" not in posted(page, "open", json.dumps(inner)).json()["error"]
    assert "nested too deeply" in posted(page, "open", json.dumps({"text": {"text": inner}})).json()["error"]
    for number, allowed in ((2**63 - 1, True), (2**63, False), (-(2**63) + 1, True), (-(2**63), False)):
        said = posted(page, "open", json.dumps({"text": number})).json()["error"]
        assert ("a number is too large; TOML allows 64 bits" in said) is not allowed


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8765/?token=k"), ("::1", "http://[::1]:8765/?token=k"),
        ("::", "http://[::1]:8765/?token=k"), ("0.0.0.0", "http://127.0.0.1:8765/?token=k"),
        ("fe80::1%eth0", "http://[fe80::1%25eth0]:8765/?token=k"), ("clinic", "http://clinic:8765/?token=k"),
    ],
)  # fmt: skip
def test_the_address_is_one_that_opens(host, address):
    assert address_of(host, 8765, "k") == address
    assert urlsplit(address).port == 8765


@pytest.mark.skipif(sys.platform == "win32", reason="ends by a signal that Windows has not")
def test_one_interrupt_ends_it_whatever_is_half_sent(tmp_path):
    start = "import sys; from bladerun.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", start, "app", "--port", "0", "--no-browser", "--out", str(tmp_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as program:
        try:
            assert program.stderr is not None
            said = program.stderr.readline()
            port, token = re.findall(r"http://127.0.0.1:(\d+)/\?token=(\S+)", said)[0]
            with socket.create_connection(("127.0.0.1", int(port))) as half, socket.socket() as idle:
                idle.connect(("127.0.0.1", int(port)))
                half.sendall(
                    f"POST /api/open HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
                    f"Cookie: bladerun-{port}={token}\r\n"
                    "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{".encode()
                )
                time.sleep(0.5)
                began = time.monotonic()
                os.kill(program.pid, signal.SIGINT)
                program.wait(10)
            assert time.monotonic() - began < 3
            assert "Traceback" not in program.stderr.read()
        finally:
            program.kill()
