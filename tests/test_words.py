"""Numbers as people read them: no more digits than are known."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bladerun.report.words import figure, known


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
