"""Motions as periodic cubic B-splines: from positions to control points, and from one mesh to another.

Takes joint positions or control points (N, n) with their mesh; gives the others.
"""

import numpy as np
from scipy.interpolate import CubicSpline

from bladerun.stride.sweep import spline
from bladerun.stride.transcription.mesh import mesh


def control_points(q: np.ndarray) -> np.ndarray:
    """Control points (N, n) of the periodic cubic B-spline through q (N, n)."""
    knots = len(q)
    gain = (4 + 2 * np.cos(2 * np.pi * np.fft.rfftfreq(knots))) / 6
    return np.fft.irfft(np.fft.rfft(q, axis=0) / gain[:, None], n=knots, axis=0)


def at_points(c: np.ndarray, times: np.ndarray, speed: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """q, v, a (N, n) at the knots of control points c (N, n)."""
    q, v, a = np.zeros_like(c), np.zeros_like(c), np.zeros_like(c)
    spline(mesh(len(c), times), c, speed, q, v, a)
    return q, v, a


def resample(c: np.ndarray, knots: int) -> np.ndarray:
    """Control points of (nearly) the same motion on another number of knots."""
    q = (np.roll(c, 1, 0) + 4 * c + np.roll(c, -1, 0)) / 6
    curve = CubicSpline(np.arange(len(q) + 1) / len(q), np.vstack([q, q[:1]]), bc_type="periodic")
    return control_points(curve(np.arange(knots) / knots))
