"""Strides without solving, for tests of the page: made-up ones that change with the fitting in known ways.

`solved` does a job as `bladerun.study.job.work` does.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

import numpy as np

from bladerun.dataset import netcdf
from bladerun.study.job import Done, numbers
from strides.synthetic import stride

DOCUMENT = {
    "runner": {"mass_kg": 72.0, "height_m": 1.76, "sex": "female"},
    "amputation": {"side": "right", "level": "transtibial", "residual_limb_m": 0.16},
    "fitting": {"blade": "j-sprint", "category": 5, "height_mm": 30, "toe_out_deg": 0, "sagittal_deg": 5},
    "task": {"speed_m_s": 3.0},
}
FAILS = 3.5  # m/s: at this speed and above nothing converges


class Executor(ThreadPoolExecutor):
    """Two threads that do jobs."""

    size = 2

    def __init__(self):
        super().__init__(self.size)

    def poll(self):
        pass


def solved(job, **shape):
    made = made_up(job.inputs, **shape)
    return Done(numbers(made) | {"from_nothing": job.ways[0][0] is None}, netcdf.packed(made))


def made_up(inputs, level=5e-3, twist=30.0, turn=1.0):
    """The peak force rises by 40 N a category, the right hip by 160 mm times `level` a mm, both linear.

    The strength of muscles changes the hip's twist of `twist` Nm, by the same amount at every fitting;
    toe-out lessens it by `turn` Nm a degree.
    """
    fitting = inputs.fitting
    made = stride(
        peak_n=1600.0 + 40.0 * fitting.category,
        angles={"pelvis_list": lambda t: 0 * t + np.arcsin(level * fitting.height_mm)},
        moments={
            "hip_rotation_r": lambda t: 0 * t + twist * inputs.variation.strength - turn * fitting.toe_out_deg
        },
    )
    status = "not converged" if inputs.task.speed_m_s >= FAILS else "converged"
    told = {"status": status, "why": "too <fast>", "objective": 1.0}
    return made.assign_attrs(fitting=json.dumps(asdict(fitting)), **told)
