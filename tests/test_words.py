"""Numbers as people read them: no more digits than are known."""

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bladerun.blade.catalog import load_blade
from bladerun.fitting import Fitting
from bladerun.report.words import (
    blade_from,
    both_masses,
    figure,
    known,
    landing_words,
    recoil,
    setting,
    sweet_spot,
    whip,
)
from bladerun.study.landing_window import LandingWindow


@pytest.mark.parametrize(
    ("value", "half", "shown"),
    [
        (82.43, 3.2, ("82", "3")),
        (82.43, 1.24, ("82.4", "1.2")),
        (3.1417, 0.0419, ("3.14", "0.04")),
        (1234.0, 57.0, ("1230", "60")),
        (-0.01, 0.3, ("0", "0.3")),
        (4.54e-8, 0.0, ("0", "")),
        (0.4732, 0.0, ("0.473", "")),
        (0.4732, math.nan, ("0.473", "")),
        (math.nan, 0.1, ("–", "")),
    ],
)
def test_a_number_ends_where_its_margin_begins(value, half, shown):
    assert known(value, half) == shown


@given(value=st.floats(-1e4, 1e4), half=st.floats(1e-3, 1e3))
def test_what_is_rounded_off_is_smaller_than_the_margin(value, half):
    number, margin = (float(text.replace("−", "-")) for text in known(value, half))
    assert abs(number - value) <= 0.51 * half
    assert 0.6 * half <= margin <= 1.6 * half


@given(value=st.floats(1e-4, 1e6), digits=st.integers(1, 4))
def test_a_figure_has_so_many_digits(value, digits):
    assert float(figure(value, digits)) == pytest.approx(value, rel=0.51 * 10 ** (1 - digits))


# --- Literally -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (1234.5, 3, "1230"), (0.04567, 2, "0.046"), (-3.14159, 3, "−3.14"), (99.96, 3, "100"),
        (1e-5, 3, "0"),
        (2.0, 1, "2"), (1e-4, 1, "0.0001"), (None, 3, "–"), (math.inf, 3, "–"),
    ],
)  # fmt: skip
def test_figures(value, digits, text):
    assert figure(value, digits) == text


@pytest.mark.parametrize(
    ("value", "half", "texts"),
    [(12.3456, 0.2, ("12.3", "0.2")), (12.3456, 0.19, ("12.35", "0.19")),
     (12.3456, 0.096, ("12.35", "0.10")), (12.3456, 0.0001, ("12.34560", "0.00010")),
     (12.3456, 2.0, ("12", "2")), (12.3456, 19.9, ("12", "20")), (-12.3456, 0.5, ("−12.3", "0.5")),
     (1.0, math.inf, ("1.00", ""))],
)  # fmt: skip
def test_a_number_with_its_half(value, half, texts):
    assert known(value, half) == texts


@pytest.mark.parametrize(
    ("height", "toe", "stiffness", "text"),
    [
        (30.0, 5.0, math.nan, "category 4, 30 mm taller, toe-out 5°"),
        (-12.5, -2.5, math.nan, "category 4, 12.5 mm shorter, toe-in 2.5°"),
        (0.0, 0.0, 24.35, "category 4 (24.35 kN/m), same height, toe straight"),
    ],
)
def test_a_fitting_in_words(height, toe, stiffness, text):
    row = {"category": 4.0, "height_mm": height, "toe_out_deg": toe, "stiffness_kn_m": stiffness}
    assert setting(row) == text
    if math.isnan(stiffness):
        assert setting({key: row[key] for key in ("category", "height_mm", "toe_out_deg")}) == text


def test_masses_in_both_units():
    assert [both_masses(kg) for kg in (72.0, 60.0, 99.96, 130.04)] == [
        "72 kg (159 lb)", "60 kg (132 lb)", "100 kg (220 lb)", "130 kg (287 lb)"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("deg", "text"),
    [
        (75.9, "falling forward"), (76.0, "up and forward"), (87.0, "up and forward"),
        (87.1, "mostly popping up"),
        (93.0, "mostly popping up"), (93.1, "up and backward"), (math.nan, "not known"),
    ],
)  # fmt: skip
def test_where_the_recoil_sends_the_runner(deg, text):
    assert recoil(deg) == text


@pytest.mark.parametrize(
    ("deg", "text"),
    [(3.4, "lateral whip of 3°"), (-7.6, "medial whip of 8°"), (0.4, "no whip"), (-0.4, "no whip"),
     (math.nan, "not known")],
)  # fmt: skip
def test_whip_is_named_by_where_the_heel_goes(deg, text):
    assert whip(deg) == text


@pytest.mark.parametrize(
    ("metres", "text"),
    [(0.03, "under the body"), (-0.03, "under the body"), (0.031, "3.1 cm ahead of the body"),
     (-0.123, "12 cm behind the body"), (math.nan, "not known")],
)  # fmt: skip
def test_where_the_blade_stands(metres, text):
    assert sweet_spot(metres) == text


def test_where_what_is_known_of_the_blade_is_from():
    usual = (
        "The blade's stiffness and strength come from the catalogue, not from this blade; the socket gives "
        "as a usual one."
    )
    assert blade_from(None) == blade_from(Fitting("j-sprint")) == usual
    own = load_blade("j-sprint")
    assert blade_from(Fitting(own)) == usual.replace("the catalogue, not from this blade", "its own file")
    assert blade_from(Fitting(own, stiffness_kn_m=24.5)) == (
        "The blade's stiffness was measured (24.5 kN/m); its strength comes from its own file; the socket "
        "gives as a usual one."
    )


def test_how_far_the_landing_may_move():
    said = landing_words(LandingWindow(-14.0, 26.0, "cost", "not known", pd.DataFrame()))
    assert said == (
        "The blade may land up to 10 mm closer (then it costs more than matters) or 30 mm further ahead "
        "(further was not tried) and still return up and forward at little more cost."
    )
    said = landing_words(LandingWindow(0.0, 20.0, "popping up", "falling forward", pd.DataFrame()))
    assert "0 mm closer (then it is popping up) or 20 mm further ahead (then it is falling forward)" in said


def test_socket_flexion_is_said_where_it_is_not_the_usual_one():
    row = {"category": 4, "height_mm": 10.0, "toe_out_deg": 0.0, "sagittal_deg": 5.0}
    assert setting(row) == "category 4, 10 mm taller, toe straight"
    assert (
        setting(row | {"sagittal_deg": 10.0})
        == "category 4, 10 mm taller, toe straight, 10° of socket flexion"
    )
    assert setting(row | {"sagittal_deg": 0.0}).endswith("0° of socket flexion")
