"""One curve over one stride, known at its knots and wanted between them.

Takes N samples of a periodic quantity, their times and its period; gives the periodic cubic spline
through them with its exact integrals, crossings and extremes, at any time, across the seam. Of a quantity
that was not measured, or at a time that is not known, all that is NaN.
"""

from functools import cached_property
from itertools import pairwise
from operator import itemgetter

import numpy as np
from scipy.interpolate import CubicSpline, PPoly


class Periodic:
    """Periodic cubic spline x(t), t in s, of this `period`, through `values` (N,) at `times` (N,) from 0."""

    def __init__(self, values: np.ndarray, times: np.ndarray, period: float):
        self.values, self.times = np.asarray(values, float), np.asarray(times, float)
        self.period = float(period)

    @cached_property
    def _spline(self) -> PPoly:
        closed, times = np.append(self.values, self.values[:1]), np.append(self.times, self.period)
        if not np.isfinite(closed).all():
            return PPoly(np.full((4, len(self.values)), np.nan), times, extrapolate="periodic")
        return CubicSpline(times, closed, bc_type="periodic")

    @cached_property
    def _turns(self) -> np.ndarray:
        """Times in one period at which the curve turns."""
        return _roots(self._spline.derivative())

    def __call__(self, t, derivative: int = 0):
        """The curve, or its time derivative of that order, at t (any shape)."""
        return self._spline(t, derivative)

    def rate(self) -> "Periodic":
        """The curve's time derivative."""
        return Periodic(self(self.times, 1), self.times, self.period)

    def filtered(self, cutoff_hz: float) -> "Periodic":
        """The curve after a Butterworth filter of second order, run forwards and backwards.

        At the cutoff the two passes together leave 1 / sqrt(2) of an amplitude: that of one pass is
        cutoff / (sqrt(2) - 1)^(1/4) (Winter 2009, Biomechanics and Motor Control of Human Movement, ISBN
        9780470398180).
        """
        count = 4 * len(self.values)
        even = np.arange(count) * self.period / count
        single = cutoff_hz / (np.sqrt(2) - 1) ** 0.25
        gain = 1 / (1 + (np.fft.rfftfreq(count, self.period / count) / single) ** 4)
        return Periodic(np.fft.irfft(np.fft.rfft(self(even)) * gain, count), even, self.period)

    def integral(self, start: float, end: float) -> float:
        """Integral over time from start to end (end may lie beyond the period)."""
        return float(self._spline.integrate(start, end)) if np.isfinite(end - start) else np.nan

    def positive(self, start: float, end: float) -> float:
        """Integral of the positive part, split where the curve crosses zero."""
        edges = [start, *self.zeros(start, end), end]
        return sum(max(self.integral(a, b), 0.0) for a, b in pairwise(edges))

    def negative(self, start: float, end: float) -> float:
        """Integral of the negative part; never positive."""
        return self.integral(start, end) - self.positive(start, end)

    def zeros(self, start: float, end: float) -> list[float]:
        """Times in (start, end) at which the curve is zero."""
        return self._within(_roots(self._spline), start, end)

    def peak(self, start: float, end: float) -> tuple[float, float]:
        """(time, value) of the greatest value between start and end, ends included."""
        return max(self._extremes(start, end), key=itemgetter(1))

    def trough(self, start: float, end: float) -> tuple[float, float]:
        """(time, value) of the least value between start and end, ends included."""
        return min(self._extremes(start, end), key=itemgetter(1))

    def magnitude(self, start: float, end: float) -> float:
        """Greatest absolute value between start and end."""
        return max(abs(value) for _, value in self._extremes(start, end))

    def _extremes(self, start: float, end: float) -> list[tuple[float, float]]:
        """(time, value) at both ends and wherever the curve turns between them."""
        if not np.isfinite(self.values).all():
            return [(np.nan, np.nan)]
        times = [start, *self._within(self._turns, start, end), end]
        return list(zip(times, self(times).tolist(), strict=True))

    def _within(self, times: np.ndarray, start: float, end: float) -> list[float]:
        """Those of the times of one period, and of every other, that lie in (start, end), sorted."""
        if not (len(times) and np.isfinite(end - start)):
            return []
        periods = np.arange(np.floor(start / self.period), np.ceil(end / self.period) + 1) * self.period
        all_times = np.unique((times[:, None] + periods).ravel())
        return all_times[(all_times > start) & (all_times < end)].tolist()


def _roots(curve: PPoly) -> np.ndarray:
    """Times in one period at which a piecewise polynomial is zero."""
    if not np.isfinite(curve.c).all():
        return np.empty(0)
    found = curve.roots(extrapolate=False)
    return found[np.isfinite(found)]
