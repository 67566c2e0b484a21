"""One curve over one stride, known at its knots and wanted between them.

Takes N samples of a periodic quantity, their times and its period; gives the periodic cubic spline
through them with its exact integrals, crossings and extremes, at any time, across the seam.
"""

from itertools import pairwise

import numpy as np
from scipy.interpolate import CubicSpline, PPoly


class Periodic:
    """Periodic cubic spline x(t), t in s, of this `period`, through `values` (N,) at `times` (N,) from 0."""

    def __init__(self, values: np.ndarray, times: np.ndarray, period: float):
        self.values, self.times = np.asarray(values, float), np.asarray(times, float)
        self.period = float(period)
        closed = np.append(self.values, self.values[:1])
        self._spline = CubicSpline(np.append(self.times, self.period), closed, bc_type="periodic")

    def __call__(self, t, derivative: int = 0):
        """The curve, or its time derivative of that order, at t (any shape)."""
        return self._spline(t, derivative)

    def rate(self) -> "Periodic":
        """The curve's time derivative."""
        return Periodic(self(self.times, 1), self.times, self.period)

    def integral(self, start: float, end: float) -> float:
        """Integral over time from start to end (end may lie beyond the period)."""
        return float(self._spline.integrate(start, end))

    def positive(self, start: float, end: float) -> float:
        """Integral of the positive part, split where the curve crosses zero."""
        edges = [start, *self.zeros(start, end), end]
        return sum(max(self.integral(a, b), 0.0) for a, b in pairwise(edges))

    def negative(self, start: float, end: float) -> float:
        """Integral of the negative part; never positive."""
        return self.integral(start, end) - self.positive(start, end)

    def zeros(self, start: float, end: float) -> list[float]:
        """Times in (start, end) at which the curve is zero."""
        return _roots(self._spline, start, end, self.period)

    def peak(self, start: float, end: float) -> tuple[float, float]:
        """(time, value) of the greatest value between start and end, ends included."""
        times = np.array([start, *_roots(self._spline.derivative(), start, end, self.period), end])
        values = self(times)
        best = int(np.argmax(values))
        return float(times[best]), float(values[best])

    def trough(self, start: float, end: float) -> tuple[float, float]:
        """(time, value) of the least value between start and end, ends included."""
        time, value = Periodic(-self.values, self.times, self.period).peak(start, end)
        return time, -value

    def magnitude(self, start: float, end: float) -> float:
        """Greatest absolute value between start and end."""
        return max(self.peak(start, end)[1], -self.trough(start, end)[1])


def _roots(curve: PPoly, start: float, end: float, period: float) -> list[float]:
    """Sorted times in (start, end) at which a periodic piecewise polynomial is zero."""
    found = curve.roots(extrapolate=False)
    found = found[np.isfinite(found)]
    turns = np.arange(np.floor(start / period), np.ceil(end / period) + 1) * period
    times = np.unique((found[:, None] + turns).ravel())
    return times[(times > start) & (times < end)].tolist()
