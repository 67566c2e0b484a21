"""The page end to end, in a real browser without a screen: predicted, moved, read, by mouse and by keys.

Needs Chromium, as `fakes.browser`.
"""

import re
import threading

import pytest

from bladerun.app import _sheet
from bladerun.study.intervals import FEWEST
from bladerun.visit import Visit
from fakes import page as fake_page
from fakes.browser import (
    HEARD,
    address,
    answered,
    axe,
    browser,
    laptop,
    page,
    predict,
    pytestmark,
    sync_api,
    unfold,
)
from strides import synthetic

__all__ = ["address", "browser", "page", "pytestmark"]  # fixtures


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


@laptop
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


@laptop
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


@laptop
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


@laptop
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
            if page.is_hidden("#form"):
                unfold(page)
            predict(page)
            page.check("#both")
            unfold(page)
            for part in ("#where", "#more"):
                page.click(f"{part} summary")
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


def test_the_sheet_is_downloaded(page):
    predict(page)
    with page.expect_download() as sheet:
        page.click("#sheet")
    assert re.match(r".*-sheet\.pdf$", sheet.value.suggested_filename)
    assert sheet.value.path().read_bytes().startswith(b"%PDF")


@laptop
def test_a_visit_is_for_the_sheet_and_leaves_what_is_predicted(page, monkeypatch):
    printed, written = [], _sheet.write_sheet
    monkeypatch.setattr(
        _sheet, "write_sheet", lambda result, name: printed.append(result) or written(result, name)
    )
    predict(page)
    unfold(page)
    page.click("#visit summary")
    page.fill("#date", "2026-12-01")
    page.fill("#clinic", "Orthopaedic workshop")
    page.fill("#seen", "Hips level.")
    assert not page.is_disabled("#sheet") and not page.locator("body.stale").count()
    with page.expect_download():
        page.click("#sheet")
    assert printed[0].case.visit == Visit("2026-12-01", "Orthopaedic workshop", seen="Hips level.")
    page.fill("#mass", "88")
    page.click("#undo")
    assert page.input_value("#mass") == "72" and page.input_value("#clinic") == "Orthopaedic workshop"


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
    unfold(page)
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
