"""The film in the page, in a real browser: opened, moved frame by frame, marked by keys and pointer, saved.

Needs Chromium, as `fakes.browser`. Fast tests take a test picture for a film and the fakes' stride; a slow
one marks a film of a known stride and gets its outcomes back.
"""

import json
import math
import re
import subprocess
from dataclasses import asdict

import imageio_ffmpeg
import pytest
from starlette.testclient import TestClient

from bladerun.app import _neighbourhood as near
from bladerun.app import create
from bladerun.dataset import netcdf
from bladerun.gait.events import Leg
from bladerun.show import video
from bladerun.study.intervals import FEWEST
from bladerun.study.job import Done, numbers
from fakes import page as fake_page
from fakes.browser import (
    address,
    axe,
    browser,
    laptop,
    page,
    predict,
    pytestmark,
    saved,
    served,
    sync_api,
    unfold,
)
from strides import filmed, running, synthetic

__all__ = ["address", "browser", "page", "pytestmark"]  # fixtures
PLAYS, FRAMES = 30, 240


@pytest.fixture(scope="module")
def test_picture(tmp_path_factory):
    """A film of a moving picture, as WebM, which every Chromium plays."""
    path = tmp_path_factory.mktemp("film") / "run.webm"
    ffmpeg(
        "-f",
        "lavfi",
        "-i",
        f"testsrc=size=160x90:rate={PLAYS}:duration={FRAMES / PLAYS}",
        "-c:v",
        "libvpx",
        path,
    )
    return path


def ffmpeg(*words):
    done = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-y", *map(str, words)], capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode()


def opened(page, path, filmed_hz):
    page.set_input_files("#film-file", path)
    sync_api.expect(page.locator("#film-said")).to_contain_text("frames a second", timeout=30000)
    page.fill("#film-filmed", f"{filmed_hz:g}")
    page.press("#film-filmed", "Tab")


def to_frame(page, frame):
    page.evaluate(
        "(f) => { const r = document.getElementById('film-frame'); r.value = f;"
        "r.dispatchEvent(new Event('input')); }",
        frame,
    )
    sync_api.expect(page.locator("#film-at")).to_contain_text(f"frame {frame},")


def click(page, x, y, size):
    """A point of the film, in its own pixels."""
    page.locator("#film-marks").scroll_into_view_if_needed()
    box = page.locator("#film-marks").bounding_box()
    scale = min(box["width"] / size[0], box["height"] / size[1])
    left, top = ((box[d] - scale * s) / 2 for d, s in zip(("width", "height"), size, strict=True))
    page.mouse.click(box["x"] + left + scale * x, box["y"] + top + scale * y)


def mark_events(page, events):
    for event in events:
        page.select_option("#film-leg", event["leg"])
        to_frame(page, event["frame"])
        page.click(f"[data-film-event={event['event']}]")


def synthetic_events(hz):
    """Of the fakes' stride, 30 N after its bell begins and before it ends."""
    made = synthetic.stride()
    found = []
    for side in ("right", "left"):
        leg = Leg(made, side)
        for k in range(2):
            for event, time in (("touchdown", leg.down), ("toe-off", leg.up)):
                found.append(
                    {
                        "leg": side,
                        "event": event,
                        "frame": math.ceil((time + k * synthetic.PERIOD) * hz - 1e-6),
                    }
                )
    return [each for each in found if each["frame"] < FRAMES]


def test_a_film_is_marked_compared_and_saved(page, test_picture):
    asked = []
    page.on("request", lambda request: asked.append((request.url, len(request.post_data or ""))))
    predict(page)
    opened(page, test_picture, 120)
    assert page.input_value("#film-plays") == str(PLAYS) and page.is_visible("#film-runner")
    mark_events(page, synthetic_events(120))
    row = page.locator("#film-table tr", has_text="stride time")
    sync_api.expect(row).to_contain_text("700", timeout=20000)
    page.fill("#film-mm", "400")
    for x in (40, 120):
        click(page, x, 45, (160, 90))
    sync_api.expect(page.locator("#film-ends")).to_have_text("marked")
    page.select_option("#film-leg", "right")
    page.click("[data-film-moment='0']")
    for point, y in (("hip", 20), ("knee", 40), ("ankle", 60), ("ground", 80)):
        assert page.get_attribute(f"[data-point={point}]", "aria-pressed") == "true"
        click(page, 80 + (point == "ground") * 20, y, (160, 90))
    knee = page.locator("#film-table tr", has_text="knee flexion at touchdown, right")
    sync_api.expect(knee).to_contain_text("cannot tell")
    landing = page.locator("#film-table tr", has_text="landing ahead of the hip, right")
    sync_api.expect(landing).to_contain_text("100")
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.click("text=Put into the runner's file")
    sync_api.expect(page.locator("#film-kept")).to_contain_text("press “Save”")
    assert not page.locator("body.stale").count() and not page.is_disabled("#sheet")
    unfold(page)
    document, _ = saved(page)
    assert document["measured"]["outcomes"]["stride_time_s"]["mean"] == pytest.approx(0.7, abs=0.01)
    assert "[0]" not in page.inner_text("#besides-rows") and not page.is_visible("#besides")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert all("127.0.0.1" in url or url.startswith("blob:") for url, _ in asked)
    assert max(size for _, size in asked) < 20_000 < test_picture.stat().st_size
    page.click("text=Take out of it")
    sync_api.expect(page.locator("#film-drop")).to_be_hidden()
    assert "measured" not in saved(page)[0]


@laptop
def test_keys_do_what_the_pointer_does(page, test_picture):
    opened(page, test_picture, 120)
    page.focus("#film-marks")
    for key, frame in ((".", 1), ("]", 11), (",", 10), ("[", 0), ("[", 0)):
        page.keyboard.press(key)
        sync_api.expect(page.locator("#film-at")).to_contain_text(f"frame {frame},")
    page.keyboard.press("t")
    page.keyboard.press("]")
    page.keyboard.press("o")
    assert page.locator("#film-list li").all_inner_texts() == [
        "0: Touchdown, right\n×",
        "10: Toe-off, right\n×",
    ]
    page.fill("#film-mm", "300")
    page.focus("#film-marks")
    page.keyboard.press("Enter")  # no crosshair yet: nothing
    assert page.inner_text("#film-ends") == "not marked yet"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Enter")
    assert page.inner_text("#film-ends") == "marked"
    assert page.get_attribute("[data-point=hip]", "aria-pressed") == "true"
    page.keyboard.press("Enter")
    assert page.locator("#film-list li").count() == 3
    page.click("#film-undo")
    assert page.locator("#film-list li").count() == 2
    page.click("text=10: Toe-off, right")
    sync_api.expect(page.locator("#film-at")).to_contain_text("frame 10,")


@laptop
def test_the_predicted_runner_is_in_step(page, test_picture):
    predict(page)
    opened(page, test_picture, 120)
    mark_events(page, synthetic_events(120))
    leg, title = Leg(synthetic.stride(), "right"), page.locator("#film-runner-title")
    page.select_option("#film-leg", "right")
    for moment, share in ((0, 0.0), (2, (leg.up - leg.down) / leg.period)):
        to_frame(page, 0)
        page.click(f"[data-film-moment='{moment}']")
        text = title.inner_text()
        assert int(re.findall(r"(\d+) %", text)[0]) == pytest.approx(100 * share, abs=1), text
    to_frame(page, 0)
    page.click("[data-film-moment='1']")
    assert "%" in title.inner_text()


@laptop
def test_what_is_no_film_is_said(page, tmp_path):
    path = tmp_path / "run.mp4"
    path.write_bytes(b"no film" * 100)
    page.set_input_files("#film-file", path)
    sync_api.expect(page.locator("#film-said")).to_contain_text("cannot play that file")
    assert not page.is_visible("#film-desk")


@laptop
def test_a_rate_that_cannot_be_is_said(page, test_picture):
    page.fill("#mass", "72")
    opened(page, test_picture, PLAYS)  # in truth 120
    mark_events(page, synthetic_events(120))
    sync_api.expect(page.locator("#film-notes")).to_contain_text("filmed at another rate", timeout=20000)
    page.fill("#film-filmed", "120")
    page.press("#film-filmed", "Tab")
    sync_api.expect(page.locator("#film-notes")).to_be_empty()


def test_the_server_takes_marks_and_lays_films_together(tmp_path):
    made = running.stride(side="right")
    film = filmed.Film(made, "square")
    marks = {"view": "side", "filmed_hz": 240, "events": film.events(3), **filmed.from_the_side(film, 3)}
    app = create(tmp_path, executor=fake_page.Executor(), work=fake_page.solved)
    with TestClient(app, base_url="http://127.0.0.1") as client:

        def ask(document, marks):
            return client.post("/api/film", json={"document": document, "marks": marks})

        side = ask(fake_page.DOCUMENT, marks).json()
        assert {row["verdict"] for row in side["rows"]} == {""} and side["words"] == ""
        film = filmed.Film(made, "behind")
        behind = {"view": "behind", "filmed_hz": 240, "events": film.events(3)} | filmed.from_behind(film, 3)
        both = ask(fake_page.DOCUMENT | {"measured": side["measured"]}, behind).json()["measured"]["outcomes"]
        assert {"knee_flexion_touchdown_deg_right", "psis_difference_mm_right"} <= set(both)
        other = side["measured"] | {"speed_m_s": 4.0}
        alone = ask(fake_page.DOCUMENT | {"measured": other}, behind).json()["measured"]
        assert alone["speed_m_s"] == 3.0 and "knee_flexion_touchdown_deg_right" not in alone["outcomes"]
        kept = ask(fake_page.DOCUMENT | {"measured": side["measured"]}, None).json()
        assert kept["measured"] == side["measured"]
        refused = ask(fake_page.DOCUMENT, {"view": "side", "filmed_hz": 1})
        assert refused.status_code == 422 and "marks.filmed_hz: 1 is not allowed" in refused.json()["error"]


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """A page on which every fitting runs as the known stride does; the stride."""
    made = running.stride(side="right")

    def solved(job):
        told = {"status": "converged", "why": "", "objective": 1.0}
        mine = made.assign_attrs(fitting=json.dumps(asdict(job.inputs.fitting)), **told)
        return Done(numbers(mine) | {"from_nothing": True}, netcdf.packed(mine))

    with pytest.MonkeyPatch.context() as patch:
        small = near.size() | {"arms": 1, "draws": FEWEST}
        patch.setattr(near, "size", lambda: small)
        for address in served(tmp_path_factory, solved):
            yield made, address


@pytest.mark.slow
@pytest.mark.gl
@pytest.mark.parametrize("view", ["side", "behind"])
def test_a_film_of_a_known_stride_gives_its_outcomes_back(known, browser, tmp_path, view):
    """Filmed at 240 frames a second, plays at 30; marked where the body's points are on the picture."""
    made, address = known
    kind = {"side": "square"}.get(view, view)
    path = video.render_video(
        made, tmp_path / "run.mp4", fps=30, slow=8, strides=3, size=filmed.SIZE, view=kind
    )
    page = browser.new_page(viewport={"width": 1280, "height": 720}, reduced_motion="reduce")
    page.goto(address)
    page.wait_for_selector("body[data-ready]")
    if not page.evaluate("document.createElement('video').canPlayType('video/mp4; codecs=\"avc1.640028\"')"):
        ffmpeg("-i", path, "-c:v", "libvpx", "-b:v", "4M", tmp_path / "run.webm")
        path = tmp_path / "run.webm"
    page.fill("#speed", f"{running.SPEED:g}")
    page.click("text=Predict running")
    page.wait_for_selector("body[data-answered$='solved']", timeout=300000)
    opened(page, path, filmed.FILMED_HZ)
    assert page.input_value("#film-plays") == "30"
    page.select_option("#film-view", view)
    film = filmed.Film(made, kind)
    last = math.floor(3 * film.period * filmed.FILMED_HZ) - 1
    mark_events(page, [event for event in film.events(3) if event["frame"] < last])
    marks = {"side": filmed.from_the_side, "behind": filmed.from_behind}[view](film, 3)
    length = marks["length"]
    page.fill("#film-mm", f"{length['mm']:.1f}")
    page.click("[data-point=length]")
    for end in ("from", "to"):
        click(page, length[f"{end}_x"], length[f"{end}_y"], filmed.SIZE)
    for mark in marks["points"]:
        if mark["frame"] < last:
            page.select_option("#film-leg", mark["leg"])
            to_frame(page, mark["frame"])
            page.click(f"[data-point={mark['point']}]")
            click(page, mark["x"], mark["y"], filmed.SIZE)
    wanted = {"side": "landing ahead of the hip, right", "behind": "height difference of the PSIS, left"}[
        view
    ]
    sync_api.expect(page.locator("#film-table")).to_contain_text(wanted, timeout=60000)
    sync_api.expect(page.locator("#film-words")).to_contain_text("agree", timeout=60000)
    page.wait_for_timeout(1000)  # for what the last marks say
    rows = page.locator("#film-table tbody tr").all_inner_texts()
    assert len(rows) > 12 and not [row for row in rows if "differs" in row]
    assert sum("agrees" in row for row in rows) > 10
    page.close()
