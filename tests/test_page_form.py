"""The form in a real browser: it is the runner's file and says what is refused; whose results are shown.

Needs Chromium, as `fakes.browser`.
"""

from pathlib import Path

import pytest
import tomli_w

from fakes import page as fake_page
from fakes.browser import (
    address,
    answered,
    browser,
    laptop,
    open_file,
    page,
    predict,
    pytestmark,
    saved,
    sync_api,
    unfold,
)

__all__ = ["address", "browser", "page", "pytestmark"]  # fixtures
NASTY = '<img src=x onerror="window.hacked = 1"><script>window.hacked = 1</script>'
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
    "task": {
        "speed_m_s": 3.1,
        "slope_percent": 2,
        "horizontal_force_bw": 0.02,
        "force_at": "hands",
        "cadence_spm": 171,
        "lean_deg": 8,
        "ground": "grass",
        "bend_radius_m": -35,
    },
    "visit": {"date": "2026-12-01", "clinic": "Orthopaedic workshop", "blade_serial": "S-123"},
    "sweep": {"height_mm": [10, 20]},
    "cost": {"tracking": {"weight": 1.25}},
    "environment": {"ground": {"friction": 0.9}},
}


def test_names_and_notes_are_only_text(page):
    page.fill("#notes", NASTY)
    predict(page, NASTY[:100])
    unfold(page)
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


@laptop
def test_results_of_before_a_change_say_whose_they_are(page):
    predict(page)
    numbers = page.inner_text("#results")
    unfold(page)
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
    unfold(page)
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
        *("hands", "171", "8", "grass", "-35"),
        *("[10,20]", "1.25", "0.9"),
    ):
        assert value in values, value
    assert page.is_visible("#strength-hip_abductors") and page.is_visible("#gastrocnemius")
    assert page.is_visible("#cadence") and "(7 set)" in page.inner_text("#where summary")
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
    unfold(page)
    page.fill("#notes", "typed, not saved")
    page.reload()
    answered(page, "='5 26 0 3 solved'")
    assert page.input_value("#notes") == "typed, not saved" and page.input_value("#name") == "A. Runner"
    assert "These results are of A. Runner" in page.inner_text("#whose")
    page.click("#undo")
    assert not page.is_disabled("#sheet") and page.input_value("#limb") == "16"
