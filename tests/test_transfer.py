"""A neighbour as a start: spring moments and contacts stay where they were, on another fitting."""

from functools import cache

import mujoco
import numpy as np
import pytest

from bladerun.body.joints import contact_spheres
from bladerun.body.runner import Amputation, Runner
from bladerun.cost import Cost
from bladerun.environment import Environment, Ground
from bladerun.errors import StartError
from bladerun.fitting import Fitting
from bladerun.model import build_model
from bladerun.options import SolverOptions
from bladerun.placement import placements
from bladerun.stride import _continuation, _warm_start, result, solver
from bladerun.stride._first_guess import first_guess
from bladerun.stride.motion import control_points
from bladerun.stride.problem import problem
from bladerun.stride.transcription.blocks import NODE
from bladerun.task import Task

KNOTS = 30
RUNNER = Runner(75, 1.75)


@cache
def fitted(category=4, **change):
    return build_model(RUNNER, Amputation("right"), Fitting("j-sprint", category=category, **change))


@cache
def start():
    """Not a solution, but a posture at every knot in which blade and ground balance."""
    options = SolverOptions.default({"least_knots": KNOTS, "knots": KNOTS, "muscle_driven": False})
    posed = problem(fitted(), Task(3.3), Cost.default(), Environment.default(), options)
    soft = posed.on(Ground(0.015, 0.40, 150.0, 0.24))
    c = first_guess(soft)
    times = soft.arrays.terms.stride_time.prior
    point = solver.Point(c, times, np.zeros_like(c), np.zeros((KNOTS // NODE, 0)))
    return result.dataset(soft, point, solver.at_knots(soft.arrays, point))


def lowest(model, q):
    """(N, spheres, 3) lowest points, as the start has them less its steady run."""
    data, spheres = mujoco.MjData(model.mj), contact_spheres(model.mj)
    points = []
    for row in q:
        data.qpos[:] = row
        mujoco.mj_kinematics(model.mj, data)
        points.append(data.geom_xpos[spheres] - [0, 0, 1] * model.mj.geom_size[spheres, :1])
    return np.array(points)


def standing(q):
    q = q.copy()
    q[:, 0] -= start().attrs["speed_m_s"] * start().time.values
    return q


def test_same_fitting_changes_nothing():
    np.testing.assert_allclose(
        _warm_start.transferred(start(), fitted()), standing(start().q.values), atol=1e-9
    )


@pytest.mark.parametrize(
    "change", [{"height_mm": 40}, {"height_mm": 20}, {"toe_out_deg": 5}, {"category": 5}], ids=str
)
def test_contacts_keep_their_height_and_their_slip(change):
    """While loaded; simply to take the old angles would be off by up to the change itself."""
    model, old = fitted(**change), standing(start().q.values)
    before = lowest(fitted(), old)
    off = lowest(model, _warm_start.transferred(start(), model)) - before
    same_angles = lowest(model, old) - before
    loaded = start().contact_force.values[:, :, 2] > 20
    assert loaded.any()
    high, wrong = (np.abs(moved[:, :, 2])[loaded].max() for moved in (off, same_angles))
    assert high < max(1e-4, 0.02 * wrong)
    slip = np.linalg.norm((np.roll(off, -1, 0) - off)[:, :, :2], axis=2)
    assert slip[loaded & np.roll(loaded, -1, 0)].max() < 1e-4


def test_the_way_over_is_smooth():
    """Two fittings differ by a turn of the foot: no joint has to jerk where it leaves the ground."""
    model = fitted(toe_out_deg=5)
    change = _warm_start.transferred(start(), model) - standing(start().q.values)
    bend = _warm_start._bend(start().time.values, start().attrs["stride_time_s"]) @ change
    assert 1e-3 < np.abs(change).max() < 0.1
    assert np.abs(bend).max() < 20


def test_springs_keep_their_moment():
    model = fitted(category=5)
    q, passive = _warm_start.transferred(start(), model), model.joint_data.of(part="blade")
    k, new = (np.ravel(m.mj.jnt_stiffness) for m in (fitted(), model))
    np.testing.assert_allclose((new * q)[:, passive], (k * standing(start().q.values))[:, passive], atol=1e-6)


def test_a_stride_tells_the_strain_of_its_blade():
    model = fitted()
    blade = model.blades["right"]
    height = placements(model.fitting, model.runner, model.amputation)["right"].clamp_to_ground_m
    bends = start().q.sel(joint=[f"blade_bend{i}_r" for i in range(1, 6)]).values
    expected = blade.strain(bends, 4.0, height) / blade.allowable_strain
    np.testing.assert_allclose(start().blade_strain.sel(side="right"), expected, rtol=1e-9)
    assert np.isnan(start().blade_strain.sel(side="left")).all()
    assert start().blade_strain.max() > 0.01


def test_other_joints_are_refused():
    with pytest.raises(StartError, match="same joints"):
        _warm_start.transferred(start(), build_model(RUNNER))


@pytest.mark.parametrize("knots", [60, 90, 36])
def test_another_mesh_keeps_the_motion(knots):
    phase = 2 * np.pi * np.arange(KNOTS)[:, None] / KNOTS
    c = control_points(np.cos(phase + np.arange(5)) + 0.3 * np.sin(3 * phase))
    point = solver.Point(c, np.array([0.7, 0.0, 0.0]), np.ones_like(c), np.zeros((len(c) // NODE, 0)))
    there = _continuation.resampled(point, knots)
    back = _continuation.resampled(there, KNOTS)
    assert there.c.shape == there.multiplier.shape == (knots, c.shape[1])
    np.testing.assert_allclose(back.multiplier, 1.0)
    np.testing.assert_allclose(back.c, c, atol=2e-3)
