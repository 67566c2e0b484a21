"""Comparisons of fittings without solving: a runner to fit, and an instant solver that counts its calls."""

import json
from dataclasses import replace

import numpy as np

from bladerun.body.runner import Amputation, Runner
from bladerun.case import Case
from bladerun.fitting import Fitting
from bladerun.study import _fit, job, recommend, visits
from bladerun.task import Task
from strides import synthetic

CASE = Case(
    Runner(mass_kg=72.0, height_m=1.76, sex="female"),
    Amputation("right", residual_limb_m=0.16),
    Fitting("j-sprint", height_mm=30.0),
    Task(3.3),
    {"category": (-1, 0, 1), "height_mm": (20.0, 30.0, 40.0), "toe_out_deg": (0.0, 5.0, 10.0)},
)
SMALL = replace(CASE, sweep={"height_mm": (20.0, 30.0), "toe_out_deg": (0.0, 5.0)})


def numbers(fitting, **changed):
    """Outcomes of a made-up runner who does best at 20 mm and 5 deg."""
    cost = 2.5 + 0.02 * abs(fitting.height_mm - 20) + 0.04 * abs(fitting.toe_out_deg - 5)
    values = {
        "joint_work_j_kg_m": cost,
        "hip_height_difference_mm": fitting.height_mm - 20.0,
        "socket_axial_torque_peak_nm_kg_right": 0.5,
        "socket_axial_torque_peak_nm_kg_left": 0.4,
        "tip_swing_mm_right": 10.0,
        "tip_swing_mm_left": -20.0,
        "blade_strain_margin_right": 2.0,
        "blade_strain_margin_left": np.nan,
    }
    values |= {
        f"{joint}_torque_excess_nm_kg_{side}": 0.1
        for joint in recommend._BANDED
        for side in ("left", "right")
    }
    values |= {f"asymmetry_{name}_percent": -2.0 for name in recommend._SYMMETRY}
    return values | changed


WHOLE = synthetic.stride(knots=12)


class Solver:
    """Stands in for the real one: instant, counts its calls, and depends a little on where it started."""

    def __init__(self):
        self.calls, self.fail, self.noise, self.die_after = [], (), 0.0, 99999
        self.failure = "not converged"

    def __call__(self, fitting, task, *, start=None, **settings):
        if len(self.calls) >= self.die_after:
            raise KeyboardInterrupt
        self.calls.append(visits.name_of(fitting))
        values = numbers(fitting)
        if start is not None:
            came_from = json.loads(start.attrs["values"])["joint_work_j_kg_m"]
            values["joint_work_j_kg_m"] += self.noise * np.sign(came_from - values["joint_work_j_kg_m"])
        converged = self.calls[-1] not in self.fail
        return WHOLE.assign_attrs(
            status="converged" if converged else self.failure,
            why="" if converged else "made to fail",
            objective=values["joint_work_j_kg_m"],
            values=json.dumps(values),
        )


def installed(patch):
    """The solver, in place of the real one until `patch` is undone."""
    solver = Solver()
    patch.setattr(job, "solve", solver)
    patch.setattr(_fit, "build_model", lambda runner, amputation, fitting: fitting)
    patch.setattr(job, "build_model", lambda runner, amputation, fitting, variation: fitting)
    patch.setattr(job, "outcomes", lambda stride: json.loads(stride.attrs["values"]))
    patch.setattr(job, "flat", lambda values: values)
    return solver
