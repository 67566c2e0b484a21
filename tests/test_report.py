"""The report: it says what the study found, in plain words, and needs nothing but itself."""

import html.parser
import itertools
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bladerun._lib.data_files import toml
from bladerun._lib.toml_files import parse_toml as toml_file
from bladerun.body.runner import Amputation, Runner
from bladerun.case import Case
from bladerun.dataset.files import write_stride
from bladerun.fitting import Fitting
from bladerun.gait.outcomes import flat, outcomes
from bladerun.report import _content, write_report
from bladerun.report._gait import pace, spatiotemporal
from bladerun.report._page import page as page_of
from bladerun.report.sheet import sheet_content
from bladerun.report.unconfirmed import unconfirmed
from bladerun.report.words import figure, recoil, setting, sweet_spot
from bladerun.seen import Seen, Value
from bladerun.study import FitResult, recommend, visits
from bladerun.study.parameters import known
from bladerun.task import Task
from bladerun.validation import findings_dir
from strides.synthetic import stride

WORN = Fitting("j-sprint", 4.0, 30.0, 0.0, 10.0)
CASE = Case(Runner(72.0, 1.76, "female"), Amputation("right", "transtibial", 0.16), WORN, Task(3.0))


def study(folder, *, worn=WORN, fail=(), noise=0.01):
    """A study of 27 fittings whose score falls with toe-out and towards 20 mm, told apart beyond `noise`."""
    made = stride()
    base = flat(outcomes(made))
    rows = {}
    for category, height, toe in itertools.product((3.0, 4.0, 5.0), (20.0, 30.0, 40.0), (0.0, 5.0, 10.0)):
        fitting = replace(WORN, category=category, height_mm=height, toe_out_deg=toe)
        name = visits.name_of(fitting)
        row = {
            **fitting.row(),
            "current": fitting == worn,
            "visits": 2,
            "objective": 1.0,
            "stride": "stride.nc",
        }
        if name in fail:
            rows[name] = row | {"status": "too weak", "why": "it <fell> over"}
            continue
        found = base | {
            "hip_torque_rotation_peak_nm_kg_right": 0.6 - 0.02 * toe,
            "socket_axial_torque_peak_nm_kg_right": 0.6 - 0.05 * toe,
            "hip_height_difference_mm": height - 20,
            "blade_strain_margin_right": 2.0 - 0.1 * category,
        }
        found |= recommend.weigh(found, "right")
        rows[name] = row | found | {f"{key}_scatter": noise * abs(value) for key, value in found.items()}
        rows[name] |= {"status": "converged", "why": ""}
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("name")
    write_stride(made, folder / "stride.nc")
    current = visits.name_of(worn)
    recommended, indistinct = recommend.recommend(table)
    comparable = recommended is not None and table.at[current, "status"] == "converged"
    return FitResult(
        case=replace(CASE, fitting=worn),
        table=table,
        recommended=recommended,
        current=current,
        indistinct=indistinct,
        why=recommend.why(table, recommended, current, indistinct),
        comparison=recommend.compare(table, str(recommended), current) if comparable else [],
        weights=recommend.weights(),
        folder=folder,
    )


class _Balance(html.parser.HTMLParser):
    """Fails where an element is closed that is not open."""

    VOID = frozenset({"meta", "img", "br", "link", "input"})

    def __init__(self):
        super().__init__()
        self.open, self.text = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text.append(data)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    result = study(tmp_path_factory.mktemp("study"))
    return result, write_report(result).read_text(encoding="utf-8")


def said(result, monkeypatch):
    """The report's text without pictures, which take seconds to draw."""
    monkeypatch.setattr("bladerun.report._stride", lambda *_: None)
    return page_of("template.html", "style.css", _content(result))


def words_of(page):
    reader = _Balance()
    reader.feed(page)
    assert reader.open == []
    return re.sub(r"\s+", " ", " ".join(reader.text))


def test_says_what_to_try_and_why(page):
    result, text = page
    words = words_of(text)
    assert setting(result.table.loc[result.recommended]) in words
    assert setting(result.table.loc[result.current]) in words
    assert result.why in words
    for row in recommend.weights()["tradeoff"]:
        assert row["title"] in words
    assert "not a medical device" in words.lower()
    assert "no clear difference" in words
    assert "recoil sends the runner mostly popping up" in words


def test_how_the_runner_runs_stands_before_what_the_blade_does(page):
    result, text = page
    words = words_of(text)
    assert words.index("At 3 m/s = 10.8 km/h") < words.index("Recommended beside worn today")
    cadence = 60 * result.table.at[result.current, "step_frequency_hz"]
    assert f"cadence {figure(cadence)} {figure(cadence)} steps/min" in words
    assert text.count("joint angles, moments and ground forces of both legs") == 1


def test_how_the_runner_runs_is_on_the_fitting_worn_where_that_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("bladerun.report._stride", lambda *_: None)
    result = study(tmp_path)
    rows = _content(result)["gait"]["rows"]
    assert _content(result)["gait"]["fittings"] == ["to try", "worn today"]
    assert all(len(row["fittings"]) == 2 for row in rows)
    kept = _content(replace(result, recommended=result.current))["gait"]
    assert kept["fittings"] == ["worn today"] and all(len(row["fittings"]) == 1 for row in kept["rows"])


def test_needs_nothing_from_elsewhere(page):
    _, text = page
    addresses = re.findall(r'(?:src|href)="([^"]{0,40})', text)
    assert addresses and all(address.startswith("data:image/") for address in addresses)
    assert "<script" not in text and "@import" not in text and "url(" not in text


def test_every_setting_is_in_every_map(page):
    result, text = page
    maps = text.count('class="map"')
    cells = re.findall(r'<td class="[^"]*" style="background', text)
    assert len(cells) == maps * len(result.table)
    assert text.count('class="recommended') == maps


def test_failed_settings_are_named_and_their_reason_is_only_text(tmp_path, monkeypatch):
    worn = replace(WORN, category=3.0, height_mm=40.0)
    result = study(tmp_path, worn=worn, fail=(visits.name_of(worn),))
    text = said(result, monkeypatch)
    assert "it &lt;fell&gt; over" in text and "<fell>" not in text
    assert "1 of 27 settings" in words_of(text)


def test_nothing_is_recommended_where_nothing_was_solved(tmp_path, monkeypatch):
    names = study(tmp_path).table.index
    result = study(tmp_path, fail=tuple(names))
    assert "No recommendation" in words_of(said(result, monkeypatch))


def test_a_difference_within_scatter_is_named_as_such(tmp_path, monkeypatch):
    noisy = words_of(said(study(tmp_path, noise=5.0), monkeypatch))
    assert "differs" not in noisy
    assert "These do not differ clearly" in noisy


def test_the_runner_who_does_not_adapt_stands_beside_the_one_who_does(tmp_path, monkeypatch):
    result = study(tmp_path)
    told = {"why": "", "feedback_share": 0.077}
    found = result.table.loc[result.current].to_dict()
    key, blade = "hip_torque_rotation_peak_nm_kg_right", "psis_difference_mm_right"
    held = found | {key: found[key] + 0.1, blade: found[blade] - 3.0, "status": "held"} | told
    page = words_of(said(replace(result, held=held), monkeypatch))
    assert "If the runner did not adapt" in page and "7.7 %" in page
    assert "the other way" in page and "same way" in page
    fell = {"status": "fell", "why": "the runner fell after 1.46 s", "feedback_share": 1.0}
    page = words_of(said(replace(result, held=fell), monkeypatch))
    assert "With today's controls the runner fell after 1.46 s." in page and "not adapted" not in page
    assert "If the runner did not adapt" not in words_of(said(result, monkeypatch))


def test_a_pace_is_said_as_runners_and_treadmills_say_it():
    assert pace(3.0) == "3 m/s = 10.8 km/h = 6.7 mph = 5:33 min/km = 8:56 min/mile"
    assert pace(1609.344 / 480) == "3.3528 m/s = 12.1 km/h = 7.5 mph = 4:58 min/km = 8:00 min/mile"


def test_how_the_runner_runs_comes_in_the_units_of_a_gait_laboratory():
    columns = {
        "step_frequency_hz": [2.9, 2.8],
        "contact_time_s_left": [0.231, 0.24],
        "contact_time_s_right": [0.205, math.nan],
        "contact_time_s_right_low": [0.200, math.nan],
        "contact_time_s_right_high": [0.214, math.nan],
        "duty_factor_left": [math.nan] * 2,
        "duty_factor_right": [math.nan] * 2,
    }
    rows = spatiotemporal(pd.DataFrame(columns, index=["a", "b"]), ["a", "b"])
    assert [(row["title"], row["unit"]) for row in rows] == [("cadence", "steps/min"), ("contact time", "ms")]
    cadence, contact = (row["fittings"] for row in rows)
    assert cadence == [[pytest.approx((174, 0))], [pytest.approx((168, 0))]]
    assert contact[0] == [pytest.approx((231, 0)), pytest.approx((205, 7))]
    assert contact[1] == [pytest.approx((240, 0)), pytest.approx((math.nan, math.nan), nan_ok=True)]


def test_figures_have_three_digits_and_no_exponent():
    assert figure(1234.5) == "1230"
    assert figure(0.012345) == "0.0123"
    assert figure(-2.0) == "−2.00"
    assert figure(None) == figure(math.nan) == "–"
    assert figure(0.0) == "0"
    assert float(figure(9.999)) == pytest.approx(10.0)


def test_recoil_goes_through_its_words_in_order():
    words = list(dict.fromkeys(recoil(angle) for angle in np.linspace(60, 110, 101)))
    assert words == ["falling forward", "up and forward", "mostly popping up", "up and backward"]
    assert recoil(math.nan) == "not known"


def test_sweet_spot_names_distance_and_side():
    assert sweet_spot(0.0) == "under the body"
    assert sweet_spot(0.12) == "12 cm ahead of the body"
    assert sweet_spot(-0.05) == "5.0 cm behind the body"


def test_a_blade_that_passes_the_ground_too_close_is_named(tmp_path):
    result = study(tmp_path)
    result.table["swing_clearance_mm_right"] = 20.0
    assert _content(result)["catches"] == []
    result.table.loc[result.current, "swing_clearance_mm_right"] = 9.0
    said = _content(result)["catches"]
    assert len(said) == 1
    assert said[0].startswith("On the one worn today the right blade passes 9 mm over the ground in swing;")
    assert said[0] in write_report(result).read_text()


def test_effects_that_validation_did_not_confirm_are_marked(tmp_path):
    text = write_report(study(tmp_path)).read_text()
    assert "Not confirmed by validation: how height changes the cost" in text
    assert unconfirmed("cost_j_kg_m", ["toe_out_deg"]) == unconfirmed("whip_mm", ["height_mm"]) == ""
    assert unconfirmed("cost_of_transport_j_kg_m_left", ["category", "height_mm"])


@pytest.mark.parametrize("effect", toml("effects.toml")["effect"], ids=lambda effect: effect["finding"])
def test_what_is_not_confirmed_fails_in_validation(effect):
    title = toml_file(findings_dir() / f"{effect['finding']}.toml")["title"]
    written = (Path(__file__).parents[1] / "VALIDATION.md").read_text()
    assert effect["of"] in known()
    assert any(line.startswith(f"| {title}:") and "**fails**" in line for line in written.splitlines())


def test_what_was_seen_on_a_film_stands_beside_what_is_predicted_for_today(tmp_path, monkeypatch):
    result = study(tmp_path)
    now = result.table.loc[result.current]
    time_s, contact_s = now["stride_time_s"], now["contact_time_s_right"]
    values = {
        "stride_time_s": Value(time_s + 0.001, 0.002, 0.003, 4),
        "contact_time_s_right": Value(contact_s + 0.05, 0.003, 0.004, 4),
    }
    filmed = replace(result, case=replace(result.case, measured=Seen(3.0, values)))
    page = words_of(said(filmed, monkeypatch))
    assert "Seen on video against predicted 1 of 2 outcomes seen agree" in page
    row = f"contact time, right {1e3 * contact_s + 50:.0f} ± 10 ms {1e3 * contact_s:.0f} ms differs"
    assert row in page
    assert "Seen on video" not in words_of(said(result, monkeypatch))
    monkeypatch.setattr("bladerun.report.sheet._stride", lambda *_: None)
    looked = dict(sheet_content(filmed)["look_for"])
    assert looked["Seen on video, fitting worn today"].startswith("1 of 2 outcomes seen agree")
