"""The stage of the page in a real browser: somebody moves at once, fills it, is seen to differ from another.

Needs Chromium, as `fakes.browser`.
"""

import json
from importlib import resources
from pathlib import Path

import pytest

from bladerun import build_model, load_case
from bladerun.app import _portrait
from fakes.browser import (
    SIZES,
    address,
    answered,
    browser,
    laptop,
    page,
    predict,
    pytestmark,
    saved,
    sync_api,
    unfold,
)

__all__ = ["address", "browser", "page", "pytestmark"]  # fixtures
VIOLET = (141, 108, 196)  # of a ghost
ALL_SIZES = SIZES | {"desk": (1920, 1080), "phone": (390, 844)}
COLOURS = """() => {
    const c = document.querySelector("#now"), found = {};
    const d = c.getContext("2d").getImageData(0, 0, c.width, c.height).data;
    new Uint32Array(d.buffer).forEach((one) => (found[one] = (found[one] || 0) + 1));
    return found;
}"""


def pixels(page, colour):
    """How many of the shown runner's picture have this colour."""
    r, g, b = colour
    return page.evaluate(COLOURS).get(str((255 << 24) + (b << 16) + (g << 8) + r), 0)


def box(page, what):
    found = page.locator(what).bounding_box()
    assert found is not None, what
    return found


def at_size(page, name):
    width, height = ALL_SIZES[name]
    page.set_viewport_size({"width": width, "height": height})
    return width, height


def test_somebody_moves_before_anybody_is_predicted(page):
    assert page.inner_text("#example") == "An example, not your runner: 72 kg, 176 cm, right, 3.3 m/s"
    assert len(page.evaluate(COLOURS)) > 100
    assert "example" in str(page.get_attribute("#now", "aria-label"))
    assert page.is_hidden("#s-category") and page.is_hidden("#results")
    page.select_option("#units", "imperial")
    assert "158.7 lb, 69.3 in" in page.inner_text("#example")
    page.click("#play")
    frame = page.input_value("#frame")
    page.wait_for_function("(was) => document.querySelector('#frame').value !== was", arg=frame)
    page.select_option("#units", "metric")
    predict(page)
    assert page.is_hidden("#example") and page.is_visible("#now-title")
    page.click("#new")
    assert page.is_visible("#example") and page.is_visible("#form") and page.is_hidden("#change")


def test_the_example_is_of_the_bodies_that_are_built():
    content = json.loads((resources.files("bladerun.app") / "page" / "example.json").read_text("utf-8"))
    scene, case = content["scene"], load_case(Path(__file__).parents[1] / "experiments" / "first-fit.toml")
    assert content["document"] == {
        "runner": {"mass_kg": case.runner.mass_kg, "height_m": case.runner.height_m},
        "amputation": {"side": case.amputation.side},
        "task": {"speed_m_s": case.task.speed_m_s},
    }
    built = _portrait._shapes(build_model(case.runner, case.amputation, case.fitting).mj)
    assert [one["kind"] for one in built] == [one["kind"] for one in scene["shapes"]]
    for one, known in zip(built, scene["shapes"], strict=True):
        assert known["size"] == pytest.approx(one["size"], abs=1e-4), "run experiments/page/make.py"
        assert known["part"] == one["part"] and known["blade"] == one["blade"]
    assert scene["frames"] == _portrait.FRAMES
    assert sum(one["blade"] for one in built) > 10


@laptop
@pytest.mark.parametrize("size", ALL_SIZES)
def test_the_runner_has_room(page, size):
    width, height = at_size(page, size)
    canvas, button = box(page, "#now"), box(page, "#predict")
    assert canvas["height"] > 0.4 * height
    if width > 760:  # else the form is below the runner
        assert button["y"] + button["height"] <= height
    predict(page)
    page.evaluate("scrollTo(0, 0)")
    line, canvas = box(page, ".top"), box(page, "#now")
    assert page.is_hidden("#form") and line["height"] < (80 if width < 760 else 45)
    assert canvas["height"] > 0.4 * height and canvas["y"] + canvas["height"] < height
    if width > 1180:
        last = box(page, "#c-speed_m_s")
        assert last["y"] + last["height"] <= height
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@laptop
def test_the_form_folds_and_opens_by_keys(page):
    page.focus("#speed")
    page.fill("#speed", "3")
    page.fill("#limb", "16")
    page.fill("#name", "A. Runner")
    page.keyboard.press("Enter")
    sync_api.expect(page.locator("#form")).to_be_hidden()
    assert page.evaluate("document.activeElement.id") == "change"
    assert page.get_attribute("#change", "aria-expanded") == "false"
    page.keyboard.press("Enter")
    assert page.is_visible("#form") and page.evaluate("document.activeElement.id") == "name"
    assert page.get_attribute("#change", "aria-expanded") == "true"
    page.fill("#mass", "720")
    page.keyboard.press("Enter")
    sync_api.expect(page.locator("#mass-wrong")).to_contain_text("720")
    page.click("#undo")
    page.click("#change")
    assert page.is_hidden("#form") and page.inner_text("#whose") == "A. Runner, 72 kg, 176 cm, right"


@laptop
def test_a_moment_stays_each_runners_own(page):
    def later(route):
        got = route.fetch()
        if not got.ok:
            return route.fulfill(response=got)
        content = got.json()
        for one in (content["now"], content["before"]):
            if "scene" in one and ", 3 m/s" in one["setting"] and "30 mm" in one["setting"]:
                one["scene"]["times"][1:3] = [0.25, 0.5]
        return route.fulfill(response=got, json=content)

    page.route("**/api/at", later)
    predict(page)
    page.click("text=Toe-off")
    first = int(page.input_value("#frame"))
    page.focus("#s-height_mm")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    answered(page, "='5 30 0 3 solved'")
    sync_api.expect(page.locator("#frame")).to_have_value("48")
    assert first != 48
    page.click("text=Bent most")
    assert page.input_value("#frame") == "24"
    frames = page.evaluate(
        "import('/page/player.js').then(({ frameAt }) => [0, 1, 1.5, 2, 3].map((at) =>"
        " frameAt({ times: [0.7, 0.25, 0.5], frames: 96 }, at)))"
    )
    assert frames == [0, 24, 36, 48, 96]


@laptop
def test_the_other_runner_is_seen_behind_as_a_ghost(page):
    predict(page)
    assert not pixels(page, VIOLET) and page.is_hidden("#ghost-says")
    page.focus("#s-height_mm")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    answered(page, "='5 30 0 3 solved'")
    page.click("text=Bent most")
    page.select_option("#look", "behind")
    true = pixels(page, VIOLET)
    assert true and page.inner_text("#ghost-says").startswith("Violet: worn today, category 5, 20 mm taller")
    page.select_option("#ghost", "5")
    assert pixels(page, VIOLET) > 1.5 * true
    assert page.inner_text("#ghost-says").endswith("the difference is drawn 5 times")
    page.select_option("#ghost", "0")
    assert not pixels(page, VIOLET) and page.is_hidden("#ghost-says")


@laptop
def test_where_and_how_they_run_is_asked_and_said(page):
    assert page.is_hidden("#slope")
    page.click("#where summary")
    page.fill("#cadence", "170")
    page.fill("#cadence-percent", "105")
    page.click("#predict")
    sync_api.expect(page.locator("#refused")).to_contain_text("give one of the two")
    page.fill("#cadence-percent", "")
    page.fill("#slope", "5")
    page.select_option("#ground", "grass")
    assert "(3 set)" in page.inner_text("#where summary")
    predict(page)
    said = "5 % uphill, 170 steps a minute, grass (100 kN/m, 50 % lost)"
    assert page.inner_text("#whose") == f"A. Runner, 72 kg, 176 cm, right, {said}"
    assert saved(page)[0]["task"] == {
        "speed_m_s": 3,
        "slope_percent": 5,
        "cadence_spm": 170,
        "ground": "grass",
    }
    unfold(page)
    page.fill("#bend", "5")
    page.click("#predict")
    sync_api.expect(page.locator("#bend-wrong")).to_contain_text("12 to 200 m to the left")
