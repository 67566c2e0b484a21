"""A curve over one stride: filtered as laboratories filter theirs."""

import numpy as np
import pytest
from scipy.signal import butter, filtfilt

from bladerun.gait.periodic import Periodic

PERIOD, CUTOFF = 0.8, 15.0  # s, Hz: the twelfth harmonic is the one that is cut to 1 / sqrt(2)


def curve(harmonic, knots=120):
    times = PERIOD * (np.arange(knots) + 0.3 * np.sin(2 * np.pi * np.arange(knots) / knots)) / knots
    return Periodic(2 + np.cos(2 * np.pi * harmonic * times / PERIOD), times, PERIOD)


@pytest.mark.parametrize(("harmonic", "left"), [(0, 1.0), (1, 1.0), (12, np.sqrt(0.5)), (24, 0.131)])
def test_filter_keeps_what_is_slow_and_the_mean(harmonic, left):
    filtered = curve(harmonic).filtered(CUTOFF)
    assert filtered.peak(0, PERIOD)[1] == pytest.approx(2 + left, abs=0.01)
    assert filtered.integral(0, PERIOD) == pytest.approx((3 if harmonic == 0 else 2) * PERIOD, rel=1e-3)


def test_filter_is_a_butterworth_run_both_ways():
    rng = np.random.default_rng(3)
    even = np.arange(120) * PERIOD / 120
    noisy = Periodic(rng.normal(size=120), even, PERIOD)
    rate = 2000.0
    long = np.arange(0, 5 * PERIOD, 1 / rate)
    both_ways = filtfilt(*butter(2, CUTOFF / (np.sqrt(2) - 1) ** 0.25 / (rate / 2)), noisy(long % PERIOD))
    inside = (long > 2 * PERIOD) & (long < 3 * PERIOD)
    expected = noisy.filtered(CUTOFF)(long[inside] % PERIOD)
    np.testing.assert_allclose(both_ways[inside], expected, atol=0.02)
