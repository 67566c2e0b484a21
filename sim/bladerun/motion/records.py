"""What files of measured motion hold, in this project's units, signs and axes.

x is forward, y left and z up, in m, s, rad and N; what a file does not say is NaN.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Motion:
    """Joint angles over time.

    Parameters
    ----------
    time_s
        (N,) ascending.
    joints
        Position of each joint (N,) by this project's names and signs, rad, or m where it slides; those of the
        pelvis in space are its three turns. NaN in gaps.
    pelvis_m
        (N, 3) where the point midway between the ASIS is; NaN where the file does not say.
    notes
        What was assumed, and what was left out.
    quarters
        By how many quarter turns about the vertical the axes of the file were turned already.
    residual_mm
        Where it came from markers: how far each was from its place on the body, root mean square.
    """

    time_s: np.ndarray
    joints: Mapping[str, np.ndarray]
    pelvis_m: np.ndarray
    notes: tuple[str, ...] = ()
    quarters: int = 0
    residual_mm: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Plate:
    """What the ground gives at one place: a force plate, or one foot.

    Parameters
    ----------
    name
        As in the file.
    side
        "right" or "left" where the name says whose foot it carries; "" where the feet have to tell.
    force_n
        (N, 3) on the runner.
    point_m
        (N, 3) centre of pressure; NaN where the file does not say.
    free_nm
        (N,) moment about the vertical through that, on the runner; None where the file does not say.
    """

    name: str
    side: str
    force_n: np.ndarray
    point_m: np.ndarray
    free_nm: np.ndarray | None = None


@dataclass(frozen=True)
class Forces:
    """Ground forces over time.

    Parameters
    ----------
    time_s
        (N,) ascending, on the clock of the motion.
    plates
        One a plate, or a foot.
    notes
        What was assumed, and what was left out.
    """

    time_s: np.ndarray
    plates: tuple[Plate, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Markers:
    """Places of markers over time.

    Parameters
    ----------
    time_s
        (N,) ascending.
    position_m
        (N, 3) by name, z up; x and y as in the file. NaN in gaps.
    notes
        What was assumed, and what was left out.
    forces
        Of force plates in the same file, in the same axes; None without.
    """

    time_s: np.ndarray
    position_m: Mapping[str, np.ndarray]
    notes: tuple[str, ...] = ()
    forces: Forces | None = None
