"""The atlas: what it holds is of this program, and a start between its strides is a motion like theirs."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from bladerun import Cost, Environment
from bladerun._lib.data_files import models_dir
from bladerun.body.runner import Amputation, Runner
from bladerun.fitting import Fitting
from bladerun.model import build_model
from bladerun.options import SolverOptions
from bladerun.status import Status
from bladerun.stride import _atlas, _continuation, solve, solver
from bladerun.stride._first_guess import first_guess
from bladerun.stride.problem import problem
from bladerun.stride.transcription.blocks import NODE
from bladerun.stride.transcription.mesh import mesh
from bladerun.task import Task
from test_model import reflection

RUNNERS = Runner(58.0, 1.62, sex="female"), Runner(72.0, 1.74)  # one of the atlas, one between two
WORN = {"none": None, "J": Fitting("j-sprint"), "C": Fitting("c-distance")}
PAGES = ("none", "right-J", "right-C", "both-J", "both-C")
MOST_BYTES = 3_000_000


@cache
def model(side="right", shape="J", size=1):
    return build_model(RUNNERS[size], Amputation(side), WORN["none" if side == "none" else shape])


def posed(model, speed_m_s=3.5, cost=None, environment=None, options=None, **task):
    options = options or SolverOptions.default()
    cost, environment = cost or Cost.default(), environment or Environment.default()
    return problem(model, Task(speed_m_s, **task), cost, environment, options)


def of_page(name):
    side, *shape = name.split("-")
    return side, *shape


@pytest.mark.parametrize("name", PAGES)
def test_the_atlas_is_of_this_program(name):
    """A stride of each page still costs what it did, or the page is stale: slower than it could be."""
    page, asked = _atlas._read(name), posed(model(*of_page(name), size=0))
    assert page is not None
    v = int(np.argmin(np.abs(page.speed_m_s - 3.5)))
    start = replace(_atlas.between(page, asked), weight=500.0)
    cost = sum(solver.objective_by_term(asked.arrays, start).values())
    assert cost == pytest.approx(page.objective[v, 0], rel=5e-3), "stale: run experiments/atlas/make.py"


def test_the_atlas_is_small_and_whole():
    files = list((models_dir() / _atlas.FOLDER).glob("*.npz"))
    assert {file.stem for file in files} == set(PAGES)
    assert sum(file.stat().st_size for file in files) < MOST_BYTES
    for name in PAGES:
        page = _atlas._read(name)
        assert page.q.shape[:2] == page.objective.shape == (len(page.speed_m_s), len(page.leg_length_m))
        assert all(np.isfinite(values).all() for values in page if values.dtype.kind == "f")


def events(asked, point):
    """Height [m] of the lowest sphere of each foot where it lands and where it leaves, (2, 2)."""
    out, edges = solver.at_knots(asked.arrays, point), asked.arrays.terms.contact_edges
    half = asked.knots // 2
    knots = [[foot * half, foot * half + edges.leaves[foot]] for foot in (0, 1)]
    return np.array([out.sphere_point[k][:, edges.foot[f], 2].min(1) for f, k in enumerate(knots)])


@pytest.mark.parametrize("knots", [90, 120])
@pytest.mark.parametrize("speed", [3.5, 3.7])
def test_feet_land_and_leave_where_the_mesh_has_it(knots, speed):
    """Between two sizes and two speeds, whose toe-offs lie at other knots."""
    asked = posed(model("right", "J"), speed, options=SolverOptions.default(knots=knots))
    start = _atlas.start(asked)
    height = asked.arrays.terms.contact_edges.height
    np.testing.assert_allclose(events(asked, start), [height, height], atol=6e-3)


def test_a_left_leg_starts_as_the_mirror_image():
    right, left = (posed(model(side, "J"), 3.2) for side in ("right", "left"))
    one, two = _atlas.start(right), _atlas.start(left)
    index, sign = reflection(right.model.joints, left.model.joints)
    there = np.roll(one.c[:, index] * sign, -len(one.c) // 2, 0)
    np.testing.assert_allclose(two.c, there, atol=1e-6)
    np.testing.assert_allclose(two.multiplier, np.roll(one.multiplier[:, index] * sign, -60, 0), atol=1e-9)
    down = mesh(120, one.times).time[60]
    apart = mesh(120, two.times).time - np.roll(mesh(120, one.times).time - down, -60)
    np.testing.assert_allclose(apart[:60], 0.0, atol=1e-9)


@pytest.mark.parametrize(
    "asked",
    [
        {"speed_m_s": 2.0},
        {"speed_m_s": 5.0},
        {"slope_percent": 2.0},
        {"horizontal_force_bw": 0.02},
        {"landing_ahead_m": 0.3},
        {"cost": Cost.default({"tracking.weight": 1.0})},
        {"environment": replace(Environment.default(), gravity_m_s2=(0.0, 0.0, -3.7))},
        {"options": SolverOptions.default(muscle_driven=False)},
    ],
    ids=str,
)
def test_what_is_unlike_its_strides_does_not_start_there(asked):
    assert _atlas.start(posed(model("none"), **asked)) is None


def test_two_unlike_blades_do_not_start_there():
    worn = Fitting("j-sprint", left={"blade": "c-distance"})
    unlike = build_model(RUNNERS[1], Amputation("both"), worn)
    assert _atlas.start(posed(unlike)) is None


@pytest.fixture
def ways(monkeypatch):
    """Which ways a stride was begun, in turn; none of them leads to a solution."""
    taken = []

    def ended(name, posed):
        taken.append(name)
        c = first_guess(posed)
        nodes = np.zeros((len(c) // NODE, posed.arrays.muscles.count))
        times = posed.arrays.terms.stride_time.prior
        return solver.Point(c, times, np.zeros_like(c), nodes, weight=500.0, iterations=10)

    monkeypatch.setattr(_continuation, "warm", lambda posed, point: ended("atlas", posed))
    monkeypatch.setattr(_continuation, "cold", lambda posed, _: ended("nothing", posed))
    return taken


def test_a_start_that_leads_to_no_solution_is_followed_by_one_from_nothing(ways):
    stride = solve(model("none"), Task(3.5))
    assert ways == ["atlas", "nothing"]
    assert stride.attrs["status"] == Status.NOT_CONVERGED and stride.attrs["iterations"] == 20


def test_from_nothing_is_from_nothing_where_options_say_so(ways):
    solve(model("none"), Task(3.5), options=SolverOptions.default({"continuation.from_atlas": False}))
    assert ways == ["nothing"]
