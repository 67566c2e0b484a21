"""The page end to end, in a real browser without a screen: filled in, moved, read, by mouse and by keys.

Needs Chromium (Debian: apt-get install chromium); skipped where there is none.
"""

import re
import shutil
import threading
import time
import tomllib
from pathlib import Path

import pytest
import tomli_w
import uvicorn

from bladerun.app import _neighbourhood as near
from bladerun.app import create
from bladerun.study.intervals import FEWEST
from fakes import page as fake_page
from strides import synthetic

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright (the test extra)")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
REFUSED = re.compile("status of 422|ERR_FAILED")  # a browser says so of what the page puts in its own words
SIZES = {"laptop": (1280, 720), "tablet": (820, 1180)}
NASTY = '<img src=x onerror="window.hacked = 1"><script>window.hacked = 1</script>'
pytestmark = pytest.mark.skipif(BROWSER is None, reason="needs Chromium (Debian: apt-get install chromium)")


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
    assert "no clear difference" in page.inner_text("#results")
    assert page.is_disabled("#sure")


@pytest.mark.parametrize("page", ["laptop"], indirect=True)
def test_the_answer_and_the_landings_are_in_words(page):
    predict(page)
    answer, landing = page.locator("#first"), page.locator("#landing")
    sync_api.expect(landing).to_contain_text("then it is popping up", timeout=20000)
    assert page.inner_text("#first h2") == "Keep what you have"
    assert "category 5, 20 mm taller, toe straight" in answer.inner_text()
    assert "gains 0.20 points, less than the 0.5 from which" in answer.inner_text()
    assert not answer.locator("button").count()
    assert "Untested" in landing.inner_text()
    assert "mm closer" in str(landing.locator("svg").get_attribute("aria-label"))


@pytest.mark.parametrize("page", ["laptop"], indirect=True)
def test_a_change_to_try_is_shown_where_the_sliders_did_not_reach(page):
    page.route("**/api/answer", with_a_change)
    predict(page)
    sync_api.expect(page.locator("#first h2")).to_have_text("Try first", timeout=20000)
    assert "30 mm shorter" in page.inner_text("#first") and "the hip rides lower" in page.inner_text("#first")
    page.click("#first button")
    answered(page, "^='5 -10 0 3 '")
    assert page.input_value("#s-height_mm") == "-10" and page.inner_text("#o-height_mm") == "-10 mm"


def with_a_change(route):
    """The server's answer, but for what to try: nothing is worth changing for the made-up runner."""
    got = route.fetch()
    if not got.ok:
        return route.fulfill(response=got)
    words = {
        "title": "Try first",
        "change": "30 mm shorter",
        "setting": "category 5, 10 mm shorter, toe straight",
        "why": "Because.",
        "seen": "You will see: the hip rides lower.",
        "point": [5, -10, 0, 3],
    }
    return route.fulfill(response=got, json=got.json() | {"first": words})


HIP = "svg[aria-label^='Hip higher over the blade over height']"


@pytest.mark.parametrize("page", ["laptop"], indirect=True)
def test_every_number_has_a_curve_over_every_slider(page):
    predict(page)
    sync_api.expect(page.locator("#curves tbody tr")).to_have_count(11, timeout=20000)
    assert page.locator("#curves svg").count() == 44
    assert page.locator(".under svg").count() == 4
    under = page.locator(f"#c-height_mm {HIP}")
    more = r"(?:[\d.]+ \w+ at [\d.]+ \w+, )*"  # what other tests have asked of the same runner
    said = f"8 mm at 10 mm, {more}16 mm at 20 mm, {more}24 mm at 30 mm; "
    said += "worn today 20 mm; where the slider stands, "
    assert re.search(f"{said}20 mm, about 16 mm", str(under.get_attribute("aria-label")))
    mark = float(str(under.locator("line").last.get_attribute("x1")))
    page.focus("#s-height_mm")
    page.keyboard.press("ArrowRight")
    assert re.search(f"{said}22 mm, about 18 mm", str(under.get_attribute("aria-label")))
    assert float(str(under.locator("line").last.get_attribute("x1"))) == pytest.approx(mark + 22, abs=0.1)
    band = page.locator("#curves svg[aria-label^='Twist at the hip, peak over toe-out'] path")
    sync_api.expect(band).to_have_count(2, timeout=20000)  # and what the unknown strength leaves open
    page.select_option("#over", label="Energy given back")
    assert page.locator("#c-height_mm svg[aria-label^='Energy given back over height']").count() == 1
    page.select_option("#units", "imperial")
    said = f"0.31 in at 0.39 in, {more}0.63 in at 0.79 in, {more}0.94 in at 1.18 in; worn today 0.79 in"
    assert re.search(said, str(page.locator(f"#curves {HIP}").get_attribute("aria-label")))
    assert "Hip higher over the blade, in" in page.inner_text("#curves")
    page.emulate_media(media="print")
    assert page.is_visible("#curves") and page.is_visible("#first") and not page.is_visible("#predict")


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
    for state in ("empty", "filled", "changed"):
        if state != "empty":
            predict(page)
            page.check("#both")
            page.click("#more summary")
        if state == "changed":
            page.fill("#height", "1.62")
            page.click("#predict")
            page.wait_for_selector(".wrong")
        found = axe.Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


def test_nothing_sticks_out(page):
    predict(page)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.evaluate(
        "[...document.querySelectorAll('.card')].every((c) => c.scrollWidth <= c.clientWidth + 1)"
    )
    assert page.evaluate(  # the stage rests where its end is seen, however tall
        "(() => { const s = document.querySelector('.stage'), { position, top } = getComputedStyle(s);"
        " return position !== 'sticky' || s.offsetHeight + parseFloat(top) <= innerHeight; })()"
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
    categories = page.inner_text("#category")
    page.reload()
    sync_api.expect(page.locator("#blade")).to_have_value("my-blade.toml")
    assert page.inner_text("#category") == categories
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


laptop = pytest.mark.parametrize("page", ["laptop"], indirect=True)
EVERYTHING = {
    "runner": {
        "name": "Anna",
        "mass_kg": 61.5,
        "height_m": 1.68,
        "sex": "female",
        "notes": "Likes the track.",
        "strength": {"hip_abductors": 0.7, "evertors_invertors": 0.9},
        "joint_range_deg": {"hip_flexion": [-25, 110]},
    },
    "amputation": {
        "side": "left",
        "level": "transtibial",
        "residual_limb_m": 0.155,
        "residual_strength": 0.85,
        "gastrocnemius": "reattached",
    },
    "fitting": {
        "blade": "j-sprint",
        "category": 4,
        "height_mm": 22,
        "toe_out_deg": 1,
        "sagittal_deg": 6,
        "fore_aft_mm": 8,
        "medio_lateral_mm": -3,
        "stiffness_kn_m": 21.5,
    },
    "task": {"speed_m_s": 3.1, "slope_percent": 2, "horizontal_force_bw": 0.02},
    "sweep": {"height_mm": [10, 20]},
    "cost": {"tracking": {"weight": 1.25}},
    "environment": {"ground": {"friction": 0.9}},
}


def open_file(page, document):
    content = document if isinstance(document, bytes) else tomli_w.dumps(document).encode()
    page.set_input_files("#file", {"name": "runner.toml", "mimeType": "text/plain", "buffer": content})


def saved(page):
    with page.expect_download() as download:
        page.click("#save")
    return tomllib.loads(download.value.path().read_text(encoding="utf-8")), download.value.suggested_filename


@laptop
def test_results_of_before_a_change_say_whose_they_are(page):
    predict(page)
    numbers = page.inner_text("#results")
    page.fill("#name", "Ben")
    page.fill("#mass", "88")
    assert "These results are of A. Runner, 72 kg, 176 cm, right, not of what" in page.inner_text("#whose")
    assert page.inner_text("#who") == "· results of A. Runner"
    assert page.is_disabled("#sheet") and page.locator("body.stale").count()
    assert page.inner_text("#results") == numbers
    for what in ("#results", "#shown"):
        assert page.locator(what).evaluate("(one) => one.inert")
    page.click("#undo")
    assert page.input_value("#name") == "A. Runner" and not page.locator("body.stale").count()
    with page.expect_download() as sheet:
        page.click("#sheet")
    assert sheet.value.suggested_filename == "a-runner-sheet.pdf"
    page.fill("#name", "Bén O.")
    page.click("#predict")
    answered(page, "$='solved'")
    sync_api.expect(page.locator("#whose")).to_have_text("Bén O., 72 kg, 176 cm, right")
    with page.expect_download() as sheet:
        page.click("#sheet")
    assert sheet.value.suggested_filename == "bén-o-sheet.pdf"


@laptop
def test_a_runner_of_another_window_is_not_mixed_in(page, browser, address):
    predict(page)
    other = browser.new_page(reduced_motion="reduce")
    other.goto(address)
    other.wait_for_selector("body[data-ready]")
    other.fill("#mass", "88")
    predict(other, "Ben")
    numbers = page.inner_text("#results")
    page.focus("#s-height_mm")
    page.keyboard.press("ArrowRight")
    sync_api.expect(page.locator("#whose")).to_contain_text("in another window")
    assert "A. Runner, 72 kg" in page.inner_text("#whose") and page.is_disabled("#sheet")
    assert page.inner_text("#results") == numbers
    other.close()
    page.click("#predict")
    answered(page, "='5 20 0 3 solved'")
    sync_api.expect(page.locator("#whose")).to_have_text("A. Runner, 72 kg, 176 cm, right")


@laptop
def test_all_that_a_file_sets_is_shown_and_none_of_it_stays_for_a_new_runner(page):
    def shown():
        return page.eval_on_selector_all(
            "#form input, #form select, #form textarea", "(all) => all.map((one) => one.value)"
        )

    untouched = shown()
    open_file(page, EVERYTHING)
    sync_api.expect(page.locator("#name")).to_have_value("Anna")
    values = shown()
    for value in (
        *(
            "Anna",
            "61.5",
            "168",
            "female",
            "Likes the track.",
            "70",
            "90",
            "-25",
            "110",
            "left",
            "15.5",
            "85",
        ),
        *("reattached", "j-sprint", "4", "22", "1", "6", "8", "-3", "21.5", "3.1", "2", "0.02"),
        *("[10,20]", "1.25", "0.9"),
    ):
        assert value in values, value
    assert page.is_visible("#strength-hip_abductors") and page.is_visible("#gastrocnemius")
    assert saved(page) == (EVERYTHING, "anna.toml")
    page.fill("#strength-hip_abductors", "")
    page.fill("#joint-hip_flexion-0", "-20")
    page.click("text=Remove >> nth=0")
    page.select_option("#gastrocnemius", "lost")
    changed, _ = saved(page)
    assert changed["runner"]["strength"] == {"evertors_invertors": 0.9}
    assert changed["runner"]["joint_range_deg"] == {"hip_flexion": [-20, 110]}
    assert changed["amputation"]["gastrocnemius"] == "lost" and "height_mm" not in changed.get("sweep", {})
    page.click("#new")
    cleared = shown()
    assert len(cleared) == len(untouched)
    assert [page.input_value(field) for field in ("#name", "#mass", "#height")] == ["", "", ""]
    page.fill("#name", "Ben")
    page.fill("#mass", "80")
    page.fill("#height", "180")
    document, name = saved(page)
    assert name == "ben.toml" and document == {
        "runner": {"name": "Ben", "mass_kg": 80, "height_m": 1.8, "sex": "female"},
        "amputation": {"side": "right", "level": "transtibial"},
        "fitting": {"blade": "j-sprint", "category": "recommended", "height_mm": 20, "toe_out_deg": 0},
        "task": {"speed_m_s": 3.3},
    }


@laptop
@pytest.mark.parametrize(
    ("units", "field", "typed", "words"),
    [
        ("metric", "height", "1.62", "Height: 135 to 210 cm; 1.62 looks like metres"),
        ("metric", "height", "1,62", "Height: 135 to 210 cm; 1,62 looks like metres"),
        ("metric", "height", "62", "Height: 135 to 210 cm; 62 looks like inches"),
        ("imperial", "height", "176", "Height: 53.2 to 82.6 in; 176 looks like centimetres"),
        ("metric", "mass", "158", "Weight in kit: 40 to 140 kg; 158 looks like pounds"),
        ("metric", "mass", "heavy", "Weight in kit: 40 to 140 kg; “heavy” is no number"),
        ("metric", "mass", "", "Weight in kit: is needed"),
        ("metric", "limb", "160", "Residual limb from the knee: 6 to 43.2 cm; 160 looks like millimetres"),
        ("metric", "residual-strength", "0.7", "Strength of muscles across the knee: 20 to 100 %"),
        ("metric", "slope", "40", "Slope: −20 to 20; 40 is not"),
        ("metric", "joint-hip_flexion-0", "-99", "Hip flexion: −30 to 120; -99 is not"),
    ],
)
def test_what_is_refused_is_said_at_its_field_in_the_unit_typed(page, units, field, typed, words):
    page.select_option("#units", units)
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    page.fill(f"#{field}", typed)
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = false))")
    page.click("#predict")
    sync_api.expect(page.locator("#refused")).to_contain_text(words)
    beside = page.locator(f"#{field}-wrong")
    assert words in beside.inner_text()
    assert page.evaluate("document.activeElement.id") == field
    assert page.get_attribute(f"#{field}", "aria-describedby") == f"{field}-wrong"
    for seen in (beside, page.locator("#refused"), page.locator("#predict")):
        box = seen.bounding_box()
        assert box is not None and box["y"] >= 0 and box["y"] + box["height"] <= 720


@laptop
def test_a_reload_keeps_runner_and_results(page):
    predict(page)
    page.focus("#s-height_mm")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    answered(page, "='5 26 0 3 solved'")
    page.fill("#notes", "typed, not saved")
    page.reload()
    answered(page, "='5 26 0 3 solved'")
    assert page.input_value("#notes") == "typed, not saved" and page.input_value("#name") == "A. Runner"
    assert "These results are of A. Runner" in page.inner_text("#whose")
    page.click("#undo")
    assert not page.is_disabled("#sheet") and page.input_value("#limb") == "16"


@laptop
def test_a_program_that_is_gone_is_said_and_waited_for(page):
    predict(page)
    page.route("**/api/**", lambda route: route.abort())
    page.focus("#s-height_mm")
    page.keyboard.press("ArrowRight")
    sync_api.expect(page.locator("#error")).to_contain_text("The program is not running any more")
    assert "fetch" not in page.inner_text("#error")
    page.unroute("**/api/**")
    sync_api.expect(page.locator("#error")).to_be_empty(timeout=10000)
    answered(page, "='5 20 0 3 solved'")


@laptop
def test_a_prediction_can_be_stopped_and_gone_on_with(page, monkeypatch):
    slow = threading.Event()
    monkeypatch.setattr(fake_page, "stride", lambda **given: slow.wait(20) and synthetic.stride(**given))
    page.fill("#mass", "77.7")
    page.fill("#speed", "2.9")
    page.click("#predict")
    sync_api.expect(page.locator("#working")).to_contain_text("Solving the first stride")
    sync_api.expect(page.locator("#state")).to_have_text("Being solved.")
    page.click("#halt")
    sync_api.expect(page.locator("#working")).to_contain_text("Stopping")
    slow.set()
    sync_api.expect(page.locator("#working")).to_contain_text("Stopped; 1 strides are done")
    assert page.is_hidden("#halt")
    page.click("#predict")
    page.wait_for_selector(f"text=/All {9 + FEWEST + 6} strides are done/", timeout=60000)


@laptop
def test_nobody_is_told_to_let_go_of_what_is_not_held(page):
    page.evaluate(HEARD)
    predict(page)
    assert not any("Let go" in text for text in page.evaluate("window.heard"))


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
