"""The stride: laws that every solution obeys, and (slow) the runners and fittings that it has to reach."""

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from bladerun.body.reference_gait import reference
from bladerun.body.runner import Amputation, Runner
from bladerun.cost import Cost
from bladerun.dataset import netcdf
from bladerun.dataset.asked import asked_of, task_of
from bladerun.dataset.files import read_stride, write_stride
from bladerun.environment import Environment
from bladerun.errors import InputError
from bladerun.fitting import Fitting
from bladerun.forward.replay import replay
from bladerun.gait.muscle_tables import reserve_table
from bladerun.gait.outcomes import outcomes
from bladerun.gait.periodic import Periodic
from bladerun.model import build_model
from bladerun.options import SolverOptions
from bladerun.stride import solve
from bladerun.stride.cost.placement import STANDS
from bladerun.stride.problem import problem
from bladerun.stride.result import times_of
from bladerun.stride.transcription.mesh import mesh
from bladerun.study import job
from bladerun.task import Task

KNOTS = 90  # of the fast tests
COARSE = SolverOptions.default(knots=KNOTS)
SPEED = 3.3
ANTISYMMETRIC = ("pelvis_ty", "pelvis_list", "pelvis_rotation", "lumbar_bending", "lumbar_rotation")


@cache
def model(side="none", mass_kg=75.0, height_m=1.75, **fitting):
    fitted = None if side == "none" else Fitting("j-sprint", **fitting)
    return build_model(Runner(mass_kg, height_m), Amputation(side), fitted)


@cache
def able_bodied():
    return solve(model(), Task(SPEED), options=COARSE)


@cache
def amputee(side="right"):
    return solve(model(side), Task(SPEED))


def solved_further(stride):
    """The same stride to a smaller tolerance."""
    options = SolverOptions.default()
    course = options.continuation
    tight = tuple(each._replace(tolerance=1e-8) for each in course.passes)
    options = replace(options, continuation=replace(course, passes=tight))
    return solve(model(stride.attrs["amputation_side"]), Task(SPEED), start=stride, options=options)


def residuals(stride):
    return json.loads(stride.attrs["residuals"])


def weight(stride):
    return stride.attrs["mass_kg"] * stride.attrs["gravity"]


def flights(stride):
    """How often a stride leaves the ground: runs of knots, around the seam, at which nothing bears 1 % BW."""
    air = stride.grf.values[:, :, 2].sum(1) < 0.01 * weight(stride)
    return int((air & ~np.roll(air, 1)).sum())


def assert_is_running(stride):
    """Converged, obeying physics at the knots, on firm ground and off it once a step."""
    left, bw = residuals(stride), weight(stride)
    assert stride.attrs["status"] == "converged", stride.attrs["why"]
    assert left["root_force_peak_n"] < 0.01 * bw
    assert left["root_moment_peak_nm"] < 0.01 * bw * stride.attrs["leg_length_m"]
    assert abs(left["energy_balance_j"]) < 0.01 * left["energy_positive_j"]
    assert left["penetration_mm"] < 10
    assert left["slip_mm"] < 5
    assert flights(stride) == 2
    if "reserve" in stride:
        assert reserve_table(stride).peak_fraction.max() < 0.05


def over_time(stride):
    """What each knot counts in a mean over the stride."""
    knots = stride.sizes["time"]
    return mesh(knots, times_of(stride)).weight / knots


def mirrored(stride):
    """Joint positions of the other-handed runner, half a stride later, pelvis_tx less the steady run."""
    q = stride.q - stride.attrs["speed_m_s"] * stride.time * (stride.joint == "pelvis_tx")
    other = {"_r": "_l", "_l": "_r"}
    names = [j[:-2] + other[j[-2:]] if j[-2:] in other else j for j in stride.joint.values]
    flip = np.where([j in ANTISYMMETRIC for j in stride.joint.values], -1, 1)
    q = q.assign_coords(joint=names) * flip
    return q.roll(time=len(q) // 2, roll_coords=False)


def test_able_bodied_runs():
    assert_is_running(able_bodied())


def test_able_bodied_runs_alike_on_both_legs():
    """The problem is its own mirror image, and so is its solution."""
    course = COARSE.continuation
    tight = tuple(each._replace(tolerance=1e-10) for each in course.passes)  # unfinished is uneven
    options = replace(COARSE, continuation=replace(course, passes=tight))
    stride = solve(model(), Task(SPEED), options=options)
    there = mirrored(stride).sel(joint=stride.joint.values)
    here = stride.q - SPEED * stride.time * (stride.joint == "pelvis_tx")
    np.testing.assert_allclose(here, there, atol=1e-6)
    grf = stride.grf.values
    shifted = np.roll(grf[:, ::-1] * [1, -1, 1], KNOTS // 2, axis=0)
    np.testing.assert_allclose(grf, shifted, atol=1e-5 * weight(stride))


def test_ground_gives_the_weight_and_no_more():
    """Over a stride momentum comes back: the mean force is the weight, upwards."""
    stride = able_bodied()
    mean = over_time(stride) @ stride.grf.values.sum(1) / weight(stride)
    np.testing.assert_allclose(mean, [0, 0, 1], atol=2e-3)


def test_force_is_the_mass_times_its_acceleration():
    """Newton for the whole body, from positions of its parts alone: independent of the solver's dynamics."""
    stride = able_bodied()
    period = stride.attrs["stride_time_s"]
    velocity = [Periodic(v, stride.time.values, period) for v in stride.com_velocity.values.T]
    change = np.column_stack([v.rate().values for v in velocity])
    change[:, 2] += stride.attrs["gravity"]
    force = stride.attrs["mass_kg"] * change
    ground = stride.grf.values.sum(1)
    assert np.abs(force - ground).mean() < 0.03 * weight(stride)
    assert np.corrcoef(force[:, 2], ground[:, 2])[0, 1] > 0.995


def test_peak_force_is_a_runner_s():
    peak = able_bodied().grf.values[:, :, 2].max(0) / weight(able_bodied())
    assert np.all((peak > 2.0) & (peak < 3.5))


def test_feet_stand_as_far_apart_as_people_s():
    stride = able_bodied()
    ref = reference((), SPEED, KNOTS, leg_length_m=stride.attrs["leg_length_m"])
    assert outcomes(stride)["heel_step_width_m"] == pytest.approx(ref.step_width_m, abs=ref.step_width_sd_m)
    sideways = stride.grf.values[:, :, 1].sum(1) / weight(stride)
    middle = slice(KNOTS // 6, KNOTS // 4)  # of the right foot's contact
    assert sideways[middle].mean() > 0.01  # towards the midline


def test_ground_only_pushes():
    stride = able_bodied()
    force = stride.contact_force.values
    assert force[:, :, 2].min() >= 0
    assert np.all(np.linalg.norm(force[:, :, :2], axis=2) <= 0.9 * force[:, :, 2] + 1e-9)
    np.testing.assert_allclose(force.sum(1), stride.grf.values.sum(1), atol=1e-9)


def test_speed_is_what_was_asked():
    """One stride takes the runner on by speed times its time, seam included."""
    stride = able_bodied()
    assert over_time(stride) @ stride.v.sel(joint="pelvis_tx").values == pytest.approx(SPEED, abs=1e-9)
    assert over_time(stride) @ stride.com_velocity.values[:, 0] == pytest.approx(SPEED, abs=2e-3)


def test_solving_again_gives_the_same():
    again = solve(model(), Task(SPEED), options=COARSE)
    np.testing.assert_array_equal(again.q, able_bodied().q)
    assert again.attrs["objective"] == able_bodied().attrs["objective"]


def test_a_solution_is_its_own_neighbour():
    again = solve(model(), Task(SPEED), start=able_bodied(), options=COARSE)
    assert_is_running(again)
    assert again.attrs["iterations"] < able_bodied().attrs["iterations"]
    assert again.attrs["objective"] == pytest.approx(able_bodied().attrs["objective"], rel=1e-4)


@pytest.mark.parametrize("knots", [0, 54, 100])
def test_mesh_has_enough_knots_alike_on_both_halves(knots):
    with pytest.raises(InputError, match=f"knots: {knots} is not allowed; multiples of 6 from 60 on"):
        SolverOptions.default(knots=knots)


def test_what_a_study_keeps_of_a_stride_is_a_start(monkeypatch):
    monkeypatch.setattr(job, "_along", lambda way, start: able_bodied())
    kept = job.solved((), None, job.SEED)[1]
    start = netcdf.read(kept)
    again = solve(model(), Task(SPEED), start=start, options=COARSE)
    assert again.attrs["objective"] == pytest.approx(able_bodied().attrs["objective"], rel=1e-4)


def test_motors_take_over_from_muscles():
    motors = COARSE.changed({"muscle_driven": False})
    stride = solve(model(), Task(SPEED), start=able_bodied(), options=motors)
    assert (stride.attrs["status"], stride.sizes["muscle"]) == ("converged", 0)


def test_a_solution_beyond_the_muscles_is_too_weak(monkeypatch):
    monkeypatch.setattr("bladerun.stride.too_weak", lambda stride, accepted: "weak hips")
    stride = solve(model(), Task(SPEED), start=able_bodied(), options=COARSE)
    assert (stride.attrs["status"], stride.attrs["why"]) == ("too weak", "weak hips")


# --- Another world ---------------------------------------------------------------------------------------


@cache
def on(slope_percent=0.0, pull=0.0):
    task = Task(SPEED, slope_percent=slope_percent, horizontal_force_bw=pull)
    return solve(model(), task, start=able_bodied(), options=COARSE)


@pytest.mark.parametrize(("slope", "pull"), [(4.0, 0.0), (0.0, -0.04)])
def test_the_ground_gives_what_a_slope_and_a_pull_ask_for(slope, pull):
    """Over a stride momentum comes back: the ground's mean force balances tilted gravity and the pull."""
    stride, angle = on(slope, pull), np.arctan(slope / 100)
    assert_is_running(stride)
    mean = over_time(stride) @ stride.grf.values.sum(1) / weight(stride)
    np.testing.assert_allclose(mean, [np.sin(angle) - pull, 0, np.cos(angle)], atol=2e-3)
    level = outcomes(able_bodied())["propulsive_impulse_bw_s"]["right"]
    assert outcomes(stride)["propulsive_impulse_bw_s"]["right"] > 1.1 * level


@pytest.mark.parametrize(("slope", "pull"), [(4.0, 0.0), (0.0, -0.04)])
def test_mujoco_runs_uphill_and_against_a_pull_too(slope, pull):
    again = replay(on(slope, pull))
    assert again.joint_error_deg < 0.2 and again.peak_vgrf_difference < 0.03
    assert again.feedback_share < 0.05
    level = on(slope, pull).assign_attrs(task=able_bodied().attrs["task"])
    assert replay(level).feedback_share > 3 * again.feedback_share  # a task that is lost is found out


ASKED = {
    "quicker": {"cadence_percent": 105.0},
    "leaning": {"lean_deg": 10.0},
    "round a bend": {"bend_radius_m": 20.0},
    "on soft ground": {"ground_kn_m": 75.0, "ground_loss": 0.3},
    "held by the hands": {"horizontal_force_bw": -0.04, "force_at": "hands"},
}


@cache
def asked(what):
    return solve(model(), Task(SPEED, **ASKED[what]), start=able_bodied(), options=COARSE)


@pytest.mark.slow
@pytest.mark.parametrize("what", ASKED)
def test_mujoco_runs_what_a_task_asks_for(what):
    stride = asked(what)
    assert stride.attrs["status"] == "converged" and task_of(stride) == Task(SPEED, **ASKED[what])
    again = replay(stride)
    assert again.joint_error_deg < 0.2 and again.peak_vgrf_difference < 0.03


@pytest.mark.slow
def test_a_task_is_kept_to():
    usual, rows = outcomes(able_bodied()), {what: outcomes(asked(what)) for what in ASKED}
    assert rows["quicker"]["step_frequency_hz"] == pytest.approx(1.05 * usual["step_frequency_hz"], rel=1e-3)
    assert rows["leaning"]["trunk_lean_deg"] == pytest.approx(10, abs=0.5)
    inward = SPEED**2 / 20 / 9.81
    mean = over_time(asked("round a bend")) @ asked("round a bend").grf.values.sum(1) / weight(able_bodied())
    np.testing.assert_allclose(mean, [0, inward, 1], atol=2e-3)
    lean, flat = (each["sideways_lean_deg"] for each in (rows["round a bend"], usual))
    assert (lean["right"] - lean["left"]) / 2 == pytest.approx(np.degrees(np.arctan(inward)), abs=0.5)
    assert flat["right"] == pytest.approx(flat["left"], abs=0.1)
    deeper = residuals(asked("on soft ground"))["penetration_mm"] - residuals(able_bodied())["penetration_mm"]
    assert 10 < deeper < 1.2 * 1500 / 75
    given = over_time(asked("held by the hands")) @ asked("held by the hands").grf.values.sum(1)[:, 0]
    assert given / weight(able_bodied()) == pytest.approx(0.04, abs=2e-3)


def test_a_stride_tells_what_it_was_asked_for(tmp_path):
    cost = Cost.default({"tracking.weight": 0.9})
    environment = Environment.default().changed({"ground.friction": 0.8})
    stride = solve(
        model(), on(4.0).pipe(task_of), start=on(4.0), cost=cost, environment=environment, options=COARSE
    )
    write_stride(stride, tmp_path / "stride.nc")
    again = asked_of(read_stride(tmp_path / "stride.nc"))
    assert again == (Task(SPEED, slope_percent=4.0), cost, environment, COARSE, None)
    assert stride.attrs["objective"] != on(4.0).attrs["objective"]


def test_the_objective_by_term_adds_up():
    stride = able_bodied()
    each = stride.objective_term.to_series()
    assert each.sum() == pytest.approx(stride.attrs["objective"], rel=1e-9)
    assert each.idxmax() in ("effort", "tracking") and each.min() > -1e-4
    assert {"bounce", "reserves", "force_rate", "jerk", "clearance", "placement", "limits"} <= set(each.index)


def leaves(model, speed_m_s=SPEED, knots=120):
    options = SolverOptions.default({"knots": knots, "muscle_driven": False})
    posed = problem(model, Task(speed_m_s), Cost.default(), Environment.default(), options)
    return posed.arrays.terms.contact_edges.leaves


def test_toe_offs_of_like_runners_lie_at_the_same_knots():
    right = leaves(model("right"))
    assert (leaves(model("right", height_mm=50, toe_out_deg=10)) == right).all()
    assert (leaves(model("left")) == right[::-1]).all()
    assert right[0] < right[1] < leaves(model())[0]
    assert leaves(model("right"), knots=360) - 3 * right == pytest.approx(0, abs=1)


@pytest.mark.parametrize("speed", [2.0, 2.5, 4.5, 5.0])
def test_feet_leave_the_ground_between_mid_stance_and_the_other_landing(speed):
    assert (leaves(model("both"), speed) > 120 // STANDS).all() and (leaves(model(), speed) < 60).all()


@pytest.mark.slow
def test_left_amputee_mirrors_the_right_one():
    right, left = (solved_further(amputee(side)) for side in ("right", "left"))
    assert left.attrs["objective"] == pytest.approx(right.attrs["objective"], rel=1e-4)
    q = left.q - SPEED * left.time * (left.joint == "pelvis_tx")
    np.testing.assert_allclose(mirrored(right).sel(joint=left.joint.values), q, atol=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize(
    "change", [{"height_mm": 40.0}, {"toe_out_deg": 5.0}, {"category": +1}, {"category": -1}], ids=str
)
def test_neighbour_is_reached(change):
    start = amputee()
    if "category" in change:
        change = {"category": model("right").fitting.category + change["category"]}
    stride = solve(model("right", **change), Task(SPEED), start=start)
    assert_is_running(stride)
    assert stride.attrs["iterations"] < start.attrs["iterations"]


@pytest.mark.slow
@pytest.mark.parametrize("speed", [2.5, 3.0, 3.5, 4.0, 4.5])
@pytest.mark.parametrize("side", ["none", "left", "right", "both"])
def test_runs_at_every_speed(side, speed):
    assert_is_running(solve(model(side), Task(speed)))


@pytest.mark.slow
@pytest.mark.parametrize("height_m", [1.50, 1.95])
@pytest.mark.parametrize("mass_kg", [45.0, 110.0])
@pytest.mark.parametrize("side", ["none", "right"])
def test_runs_at_every_size(side, mass_kg, height_m):
    assert_is_running(solve(model(side, mass_kg, height_m), Task(3.5)))
