"""Reference curves as periodic cubics, and their values at any phase; compiled by numba.

Takes samples evenly spaced over a stride; gives pieces that `look_up` reads.
"""

import numpy as np
from numba import njit
from scipy.interpolate import CubicSpline


def cubics(values: np.ndarray) -> np.ndarray:
    """(R, 4, n) pieces of the periodic cubic through values (R, n), the highest power first."""
    curve = CubicSpline(
        np.arange(len(values) + 1) / len(values), np.vstack([values, values[:1]]), bc_type="periodic"
    )
    return np.ascontiguousarray(curve.c.transpose(1, 0, 2))


@njit(cache=True)
def look_up(reference, phase, out):
    """Fill out (4, n): the curves at a phase, and their first three derivatives there, per stride."""
    R = len(reference)
    place = (phase % 1.0) * R
    piece = min(int(place), R - 1)
    x = (place - piece) / R
    cubic = reference[piece]
    for i in range(out.shape[1]):
        d, c, b, a = cubic[0, i], cubic[1, i], cubic[2, i], cubic[3, i]
        out[0, i] = ((d * x + c) * x + b) * x + a
        out[1, i] = (3 * d * x + 2 * c) * x + b
        out[2, i] = 6 * d * x + 2 * c
        out[3, i] = 6 * d
