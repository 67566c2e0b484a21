"""Which way is up in a stride that is solved along its ground: pictures of a slope show it rising.

Takes a Stride dataset; gives a rotation.
"""

from __future__ import annotations

import math

import numpy as np
import xarray as xr

from bladerun.dataset.asked import environment_of


def level(stride: xr.Dataset) -> np.ndarray:
    """(3, 3) from the frame of the ground to that of a spirit level: the running direction as the level has
    it, the left, up. A bend tilts nothing: its pull outward is no part of where up is."""
    along, _, across = environment_of(stride).gravity_m_s2
    size = math.hypot(along, across)
    sine, cosine = (-along / size, -across / size) if size else (0.0, 1.0)
    return np.array([[cosine, 0.0, -sine], [0.0, 1.0, 0.0], [sine, 0.0, cosine]])
