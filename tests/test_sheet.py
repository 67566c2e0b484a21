"""The sheet: one page of paper that says what the study found, in words a runner reads."""

import datetime
import re
from dataclasses import replace

import pytest
from reportlab.platypus import Spacer

from bladerun.case import check_case
from bladerun.errors import InputError
from bladerun.report import _pictures, _sheet_pdf, sheet, write_report, write_sheet
from bladerun.report._particulars import particulars
from bladerun.report.sheet import interval, sheet_content
from bladerun.report.words import both_masses, setting
from bladerun.study import recommend
from bladerun.visit import Visit
from strides.synthetic import stride
from test_report import study, words_of

NASTY = '<script>alert("x")</script> & <img src=x onerror=1>'


@pytest.fixture(scope="module", autouse=True)
def drawn_once():
    """The pictures are of the same stride in every test, and take a second."""
    drawn = []

    def moments(stride, size):
        if not drawn:
            drawn.append(_pictures.moments(stride, size))
        return drawn[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sheet, "moments", moments)
        yield


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    made = study(tmp_path_factory.mktemp("sheet"))
    return replace(made, case=replace(made.case, name=NASTY, notes=f"{NASTY}\nsecond line"))


def test_says_both_fittings_the_window_and_what_to_look_for(result):
    html, pdf = write_sheet(result)
    words = words_of(html.read_text(encoding="utf-8"))
    for name in (result.current, result.recommended):
        assert setting(result.table.loc[name]) in words
    assert "not a medical device" in words.lower() and "PSIS" in words and result.why in words
    assert "When the weight changes" in words and "lb" in words
    assert pdf.read_bytes().startswith(b"%PDF")


def test_no_markup_reaches_the_page(result):
    text = write_sheet(result)[0].read_text(encoding="utf-8")
    assert "<script" not in text and "<img src=x" not in text and "&lt;script&gt;" in text
    addresses = re.findall(r'(?:src|href)="([^"]{0,20})', text)
    assert addresses and all(address.startswith("data:image/") for address in addresses)


def test_is_one_page_however_much_is_said(result):
    long = replace(result, case=replace(result.case, name="W" * 100, notes="word " * 800))
    for one in (result, long):
        assert len(re.findall(rb"/Type /Page\b", write_sheet(one)[1].read_bytes())) == 1


def test_nothing_is_recommended_where_nothing_was_compared(result):
    alone = replace(result, recommended=None, why="", indistinct=[])
    assert sheet_content(alone, result.current)["label"] == "Nothing compared yet"
    other = next(name for name in result.table.index if name != result.current)
    assert sheet_content(alone, other)["label"] == "Compared with"
    table = result.table.loc[[result.current]]
    only = replace(result, table=table, recommended=result.current, indistinct=[])
    assert sheet_content(only)["label"] == "Nothing compared yet"
    assert "Nothing is compared yet" in recommend.why(table, result.current, result.current, [])
    page = write_report(replace(only, why="")).read_text(encoding="utf-8")
    assert "Nothing compared yet" in page and '<div class="label">Keep' not in page
    kept = replace(result, recommended=result.current)
    assert sheet_content(kept)["label"] == "Keep what is worn today"


def test_everything_that_sets_a_runner_apart_is_on_the_sheet(result, monkeypatch):
    document = {
        "runner": {
            "mass_kg": 61.0,
            "height_m": 1.68,
            "sex": "female",
            "strength": {"hip_abductors": 0.7},
            "joint_range_deg": {"hip_flexion": [-25, 110]},
        },
        "amputation": {
            "side": "right",
            "residual_limb_m": 0.155,
            "residual_strength": 0.85,
            "gastrocnemius": "reattached",
        },
        "fitting": {"blade": "j-sprint", "sagittal_deg": 6, "fore_aft_mm": 8, "medio_lateral_mm": -3},
        "task": {"speed_m_s": 3.0, "slope_percent": 2, "horizontal_force_bw": 0.02},
        "cost": {"tracking": {"weight": 1.25}},
        "environment": {"ground": {"friction": 0.9}},
    }
    drawn = []
    monkeypatch.setattr(_sheet_pdf, "_text", lambda text, *_, **__: drawn.append(text) or Spacer(0, 1))
    apart = replace(result, case=check_case(document))
    html, _ = write_sheet(apart)
    for words in (words_of(html.read_text(encoding="utf-8")), " ".join(drawn)):
        for said in (
            *("female", "hip abductors 70 % strong", "hip flexion from -25° to 110° only", "limb 15.5 cm"),
            *("residual limb's strength 85 %", "gastrocnemius reattached", "socket flexion 6°"),
            *("clamp forward by 8 mm", "clamp outward by -3 mm", "2 % uphill", "0.02 body weights"),
            *("cost tracking.weight = 1.25", "environment ground.friction = 0.9"),
        ):
            assert said in words, said
    usual = {key: document[key] for key in ("task",)} | {
        "runner": {"mass_kg": 61.0, "height_m": 1.68},
        "amputation": {"side": "right"},
        "fitting": {"blade": "j-sprint"},
    }
    assert particulars(check_case(usual)) == []


def test_says_what_cannot_be_told_apart(tmp_path):
    made = study(tmp_path, noise=5.0)
    rows = sheet_content(made)["rows"]
    assert rows and {row["verdict"] for row in rows} <= {"no clear difference", ""}
    assert "no clear difference" in words_of(write_sheet(made)[0].read_text(encoding="utf-8"))


def test_without_any_solution_it_says_so(tmp_path):
    names = tuple(study(tmp_path).table.index)
    html, _ = write_sheet(study(tmp_path, fail=names))
    assert "there are no numbers to show" in words_of(html.read_text(encoding="utf-8"))


def test_intervals_are_those_of_an_ensemble_where_there_is_one(result):
    table, name, column = result.table.copy(), result.current, "blade_margin"
    low, value, high = interval(table, column, name)
    assert low == value == high, "numerical scatter is no margin"
    table[f"{column}_low"], table[f"{column}_high"] = value - 0.5, value + 0.25
    assert interval(table, column, name) == (value - 0.5, value, value + 0.25)


def test_weight_window_is_the_charts_and_margin_goes_with_weight(result):
    text = " ".join(sheet_content(result)["window"])
    category = result.table.at[result.recommended, "category"]
    assert f"category {category:g} is for" in text
    least = result.table.at[result.recommended, "blade_margin"] * result.case.runner.mass_kg
    assert both_masses(least / recommend.weights()["constraint"]["minimum"]) in text


def test_pictures_are_drawn_where_nothing_can_render(monkeypatch):
    def nothing(*_, **__):
        raise _pictures.InputError("no OpenGL")

    monkeypatch.setattr(_pictures, "frames", nothing)
    pictures = _pictures.moments(stride(), (320, 400))
    assert [picture.kind for picture in pictures] == ["png"] * 3
    assert pictures[0].data != pictures[1].data


def test_the_visit_is_on_the_sheet_and_what_is_not_known_is_left_to_write(result):
    blank = words_of(write_sheet(result)[0].read_text(encoding="utf-8"))
    assert "Date Clinic Fitted by Blade Serial number" in blank and "Seen today" in blank
    visit = Visit("2026-12-01", "Orthopaedic workshop", "A. Fitter", "Maker, model 7", "S-123", "Level hips.")
    known = replace(result, case=replace(result.case, visit=visit))
    html, pdf = write_sheet(known)
    words = words_of(html.read_text(encoding="utf-8"))
    assert "Date 2026-12-01 Clinic Orthopaedic workshop Fitted by A. Fitter Blade Maker, model 7" in words
    assert "Serial number S-123" in words and "Seen today Level hips." in words
    long = Visit("2026-12-01", "W" * 80, "W" * 80, "W" * 80, "W" * 40, "word " * 200)
    pdf = write_sheet(replace(result, case=replace(result.case, visit=long)))[1]
    assert len(re.findall(rb"/Type /Page\b", pdf.read_bytes())) == 1


def test_a_day_is_one_of_the_calendar():
    document = {
        "runner": {"mass_kg": 72.0, "height_m": 1.76, "sex": "female"},
        "amputation": {"side": "right", "level": "transtibial"},
        "fitting": {"blade": "j-sprint", "category": 4, "height_mm": 20, "toe_out_deg": 0},
        "task": {"speed_m_s": 3.0},
    }
    of = lambda **visit: check_case(document | {"visit": visit}, "runner.toml")  # noqa: E731
    assert of(date=datetime.date(2026, 12, 1)).visit == of(date="2026-12-01").visit == Visit("2026-12-01")
    for wrong in ("1.12.2026", "2026-02-30", 20261201, datetime.datetime(2026, 12, 1, 9)):
        with pytest.raises(InputError, match=r"\[visit\] date: .* is not allowed; a day as 2026-12-01"):
            of(date=wrong)
    with pytest.raises(InputError, match="at most 80 characters"):
        of(clinic="W" * 81)
