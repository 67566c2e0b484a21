"""Whether intervals of differences hold what they say, over runners drawn from the stated distributions.

Slow: strides of 30 synthetic runners on two fittings, moved by motors on the coarsest mesh, so that they are
quick. What `fit` states of two fittings is an interval from eight draws of the facts; the truth of a runner
is the difference of strides solved with that runner's own facts.
"""

import numpy as np
import pandas as pd
import pytest

from bladerun.body.runner import Amputation, Runner
from bladerun.body.variation import NOMINAL, draw
from bladerun.fitting import Fitting
from bladerun.model import build_model
from bladerun.options import SolverOptions
from bladerun.stride import solve
from bladerun.study.intervals import LEVEL, difference
from bladerun.study.job import numbers
from bladerun.task import Task

RUNNER, AMPUTATION, TASK = Runner(72.0, 1.76, "female"), Amputation("right"), Task(3.3)
WORN = Fitting("j-sprint", category=5.0)
OTHER = Fitting("j-sprint", category=4.0, height_mm=10.0)
OPTIONS = SolverOptions.default({"knots": 60, "muscle_driven": False})
RUNNERS, DRAWS, ENSEMBLES = 30, 8, 5
SHOWN = (
    "hip_level_mm", "torque_excess_nm_kg", "socket_torque_nm_kg", "whip_mm", "blade_margin",
    "sweet_spot_offset_m_right", "recoil_direction_deg_right", "blade_energy_peak_j_right",
    "blade_compression_mm_right", "hip_torque_rotation_peak_nm_kg_right", "contact_time_s_right",
    "peak_vgrf_bw_left", "peak_vgrf_bw_right", "landing_offset_m_right", "foot_progression_deg_right",
)  # fmt: skip


def strides(fitting, variations):
    """Numbers of a runner with each variation of the facts, the first as the facts have them."""
    start, rows = None, []
    for variation in variations:
        model = build_model(RUNNER, AMPUTATION, fitting, variation)
        stride = solve(model, TASK, start=start, options=OPTIONS)
        start = stride if start is None else start
        rows.append(numbers(stride))
    return rows


def members(worn, other):
    """A table as `_intervals` takes it, of rows of both fittings."""
    named = {(n, k): row for n, rows in (("worn", worn), ("other", other)) for k, row in enumerate(rows)}
    table = pd.DataFrame.from_dict(named, orient="index")
    table.index = pd.MultiIndex.from_tuples(table.index, names=["name", "member"])
    return table


@pytest.mark.slow
def test_intervals_of_differences_hold_the_truth_as_often_as_they_say():
    drawn = [one for seed in range(ENSEMBLES) for one in draw(DRAWS, seed)]
    people = draw(RUNNERS, seed=100)
    worn, other = (strides(fitting, [NOMINAL, *drawn, *people]) for fitting in (WORN, OTHER))
    count = 1 + len(drawn)
    truth = pd.DataFrame(other[count:])[list(SHOWN)] - pd.DataFrame(worn[count:])[list(SHOWN)]
    held = []
    for k in range(1, count, DRAWS):
        of_ensemble = members([worn[0], *worn[k : k + DRAWS]], [other[0], *other[k : k + DRAWS]])
        stated = difference(of_ensemble, "other", "worn").loc[list(SHOWN)]
        held.append(((truth >= stated.low) & (truth <= stated.high))[truth.notna().all(axis=1)])
    share = np.mean([each.to_numpy().mean() for each in held])
    assert LEVEL - 0.05 <= share <= LEVEL + 0.05
