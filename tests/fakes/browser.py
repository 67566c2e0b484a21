"""The page in a real browser without a screen, as its tests use it: served, opened, filled in, waited for.

Needs Chromium (Debian: apt-get install chromium). Test files take the fixtures and `pytestmark` from here.
"""

import re
import shutil
import threading
import time
import tomllib

import pytest
import tomli_w
import uvicorn

from bladerun.app import _neighbourhood as near
from bladerun.app import create
from bladerun.study.intervals import FEWEST
from fakes import page as fake_page

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright (the test extra)")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
REFUSED = re.compile("status of 422|ERR_FAILED")  # a browser says so of what the page puts in its own words
SIZES = {"laptop": (1280, 720), "tablet": (820, 1180)}
pytestmark = pytest.mark.skipif(BROWSER is None, reason="needs Chromium (Debian: apt-get install chromium)")
laptop = pytest.mark.parametrize("page", ["laptop"], indirect=True)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        small = near.size() | {"arms": 1, "draws": FEWEST}
        patch.setattr(near, "size", lambda: small)
        yield from served(tmp_path_factory)


def served(tmp_path_factory, work=fake_page.solved):
    app = create(tmp_path_factory.mktemp("page"), executor=fake_page.Executor(), work=work)
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
    assert [text for text in said if not REFUSED.search(text)] == []


def answered(page, what):
    page.wait_for_selector(f"body[data-answered{what}]", timeout=20000)


def predict(page, name="A. Runner"):
    page.fill("#name", name)
    page.fill("#limb", "16")
    page.fill("#speed", "3")
    page.click("text=Predict running")
    page.wait_for_selector("text=/All \\d+ strides.* are done/", timeout=60000)
    answered(page, "$='solved'")
    page.wait_for_selector("[aria-busy=true]", state="detached", timeout=20000)  # the last stride is in


def unfold(page):
    """Open the form, which folds once a runner is being predicted."""
    page.click("#change")
    page.wait_for_selector("#form", state="visible")


HEARD = """() => {
    window.heard = [];
    const state = document.querySelector("#state");
    const hear = () => window.heard.push(state.textContent);
    new MutationObserver(hear).observe(state, {childList: true, subtree: true});
}"""  # keeps every text of #state: one may be gone before anybody looks


def open_file(page, document):
    content = document if isinstance(document, bytes) else tomli_w.dumps(document).encode()
    page.set_input_files("#file", {"name": "runner.toml", "mimeType": "text/plain", "buffer": content})


def saved(page):
    with page.expect_download() as download:
        page.click("#save")
    return tomllib.loads(download.value.path().read_text(encoding="utf-8")), download.value.suggested_filename
