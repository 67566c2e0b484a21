"""The page end to end, in a real browser without a screen: filled in, moved, read, by mouse and by keys.

Needs Chromium (Debian: apt-get install chromium); skipped where there is none.
"""

import re
import shutil
import threading
import time
from pathlib import Path

import pytest
import tomli_w
import uvicorn

import fake_page
from bladerun._intervals import FEWEST
from bladerun.app import _neighbourhood as near
from bladerun.app import create

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright (the test extra)")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SIZES = {"laptop": (1280, 720), "tablet": (820, 1180)}
NASTY = '<img src=x onerror="window.hacked = 1"><script>window.hacked = 1</script>'
pytestmark = pytest.mark.skipif(BROWSER is None, reason="needs Chromium (Debian: apt-get install chromium)")


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        small = near.size() | {"arms": 1, "draws": FEWEST}
        patch.setattr(near, "size", lambda: small)
        yield from served(tmp_path_factory)


def served(tmp_path_factory):
    app = create(tmp_path_factory.mktemp("page"), crew=fake_page.Crew(), job=fake_page.solved)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(params=SIZES)
def page(request, browser, address):
    """The page, ready; afterwards nothing may have been complained about in the console."""
    width, height = SIZES[request.param]
    page = browser.new_page(viewport={"width": width, "height": height}, reduced_motion="reduce")
    said = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: dialog.accept())  # whether to leave what is not saved
    page.goto(address)
    page.wait_for_selector("body[data-ready]")
    yield page
    page.close()
    assert said == []


def answered(page, what):
    page.wait_for_selector(f"body[data-answered{what}]", timeout=20000)


def predict(page, name="A. Runner"):
    page.fill("#name", name)
    page.fill("#limb", "16")
    page.fill("#speed", "3")
    page.click("text=Predict running")
    page.wait_for_selector("text=/All \\d+ strides.* are done/", timeout=60000)
    answered(page, "$='solved'")


HEARD = """() => {
    window.heard = [];
    const state = document.querySelector("#state");
    const hear = () => window.heard.push(state.textContent);
    new MutationObserver(hear).observe(state, {childList: true, subtree: true});
}"""  # keeps every text of #state: one may be gone before anybody looks


def test_form_sliders_numbers_and_picture(page, tmp_path):
    predict(page)
    card = page.locator("#results .card").first
    before = card.inner_text()
    page.evaluate(HEARD)
    page.focus("#s-height_mm")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    answered(page, "='5 28 0 3 solved'")
    assert any(text.startswith("An estimate") for text in page.evaluate("window.heard"))
    assert card.inner_text() != before
    assert "the hip rides higher over the blade" in page.inner_text("#story-1")
    assert "±" in page.inner_text("#story-1")
    page.check("#both")
    page.click("text=Bent most")
    assert page.locator("#before").is_visible()
    page.screenshot(path=tmp_path / "page.png")
    drawn = page.evaluate(
        "(() => { const c = document.getElementById('now'); const d = c.getContext('2d')"
        ".getImageData(0, 0, c.width, c.height).data; return new Set(new Uint32Array(d.buffer)).size; })()"
    )
    assert drawn > 20


@pytest.mark.parametrize("page", ["laptop"], indirect=True)
def test_how_sure_a_difference_is(page):
    predict(page)
    page.focus("#s-toe_out_deg")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    answered(page, "='5 20 5 3 solved'")
    assert "numerical scatter alone" in page.inner_text("#results")
    page.click("#sure")
    page.wait_for_selector("#results :text('are varied as far as they are unknown')", timeout=60000)
    assert "cannot be told apart" in page.inner_text("#results")
    assert page.is_disabled("#sure")


def test_numbers_follow_a_slider_at_once(page):
    predict(page)
    times = []
    for height in range(21, 31):
        page.evaluate(
            "(v) => { const s = document.getElementById('s-height_mm'); s.step = 1; s.value = v;"
            "s.dispatchEvent(new Event('input')); }",
            height,
        )
        answered(page, f"^='5 {height} 0 3 '")
        times.append(int(page.evaluate("document.body.dataset.milliseconds")))
    print("slider to numbers, ms:", sorted(times))
    assert sorted(times)[len(times) // 2] < 150


def test_is_painted_soon(page):
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    print("first contentful paint, ms:", round(paint))
    assert paint < 2000


def test_axe_finds_nothing(page):
    for state in ("empty", "filled"):
        if state == "filled":
            predict(page)
            page.check("#both")
        found = axe.Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


def test_nothing_sticks_out(page):
    predict(page)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.evaluate(
        "[...document.querySelectorAll('.card')].every((c) => c.scrollWidth <= c.clientWidth + 1)"
    )


def test_names_and_notes_are_only_text(page):
    page.fill("#notes", NASTY)
    predict(page, NASTY[:100])
    assert NASTY[:100] in page.inner_text("#who")
    with page.expect_download() as saved:
        page.click("#save")
    path = saved.value.path()
    page.fill("#notes", "")
    page.set_input_files(
        "#file", {"name": "runner.toml", "mimeType": "text/plain", "buffer": path.read_bytes()}
    )
    sync_api.expect(page.locator("#notes")).to_have_value(NASTY)
    assert page.evaluate("window.hacked") is None


def test_a_blades_file_is_in_the_form_and_is_predicted_with(page, tmp_path, monkeypatch):
    example = Path(__file__).parents[1] / "experiments" / "my-blade.toml"
    text = tomli_w.dumps(fake_page.DOCUMENT).replace('"j-sprint"', '"my-blade.toml"')
    runner = {"name": "runner.toml", "mimeType": "text/plain", "buffer": text.encode()}
    (tmp_path / "my-blade.toml").write_text(example.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for _ in range(2):  # opened again it is offered once
        page.set_input_files("#file", runner)
        sync_api.expect(page.locator("#blade")).to_have_value("my-blade.toml")
    assert "Example" in page.inner_text("#blade option:checked")
    assert page.locator("#blade option").count() == 3
    page.fill("#stiffness", "24.5")
    predict(page)


def test_units_are_only_shown_differently(page):
    page.select_option("#units", "imperial")
    assert float(page.input_value("#mass")) == pytest.approx(72 / 0.45359237, abs=0.01)
    page.fill("#mass", "150")
    page.select_option("#units", "metric")
    assert float(page.input_value("#mass")) == pytest.approx(68.039, abs=0.001)


def test_the_sheet_is_downloaded(page):
    predict(page)
    with page.expect_download() as sheet:
        page.click("#sheet")
    assert re.match(r".*-sheet\.pdf$", sheet.value.suggested_filename)
    assert sheet.value.path().read_bytes().startswith(b"%PDF")


def test_by_keys_alone(page):
    reached = []  # at 3.3 m/s, another runner to solve for: last, so that the tests before share one
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.textContent"))
        if reached[-1] == "predict":
            break
    assert {"units", "open", "save", "name", "mass", "blade", "category", "notes"} <= set(reached)
    page.keyboard.press("Enter")
    page.wait_for_selector("text=/All \\d+ strides.* are done/", timeout=60000)
    page.wait_for_selector("#s-category:enabled")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "s-category":
            break
    page.keyboard.press("ArrowLeft")
    answered(page, "='4 20 0 3.3 solved'")
