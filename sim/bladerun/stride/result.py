"""A solved stride as a dataset that stands on its own.

Takes the solver's last point and its problem; gives an xarray Dataset with units and signs in attributes.
Everything later (outcomes, plots, video, reports) reads this dataset and nothing else.
"""

import json
from typing import Any

import mujoco
import numpy as np
import xarray as xr

from bladerun._lib.table import plain
from bladerun.body.joints import contact_spheres, sphere_sides
from bladerun.dataset.check import TIMES_OF
from bladerun.model import Model
from bladerun.stride._muscle_result import muscle_rows
from bladerun.stride.dynamics.passive import energy_and_loss
from bladerun.stride.dynamics.required_forces import Required, required
from bladerun.stride.motion_rows import SIDES, body_rows, say, spring_rows
from bladerun.stride.problem import Problem
from bladerun.stride.solver import Point, objective_by_term
from bladerun.stride.sweep import Sweep
from bladerun.stride.transcription.mesh import Mesh, at_times, mesh


def dataset(problem: Problem, point: Point, out: Sweep) -> xr.Dataset:
    """The stride at its knots, out the `Sweep` there; the solve's attributes are to be added."""
    arrays = problem.arrays
    time = mesh(len(point.c), point.times).time
    ahead = arrays.speed * time  # that the frame has run
    q = out.q.copy()
    q[:, 0] += ahead
    ground = required(arrays.tree, arrays.external, out.q, out.v, out.a)
    muscles, given = muscle_rows(problem, point, out)
    each = objective_by_term(arrays, point)
    rows = {
        **_joint_rows(problem, out, q, given),
        **muscles,
        **_ground_rows(problem, ground, ahead),
        **body_rows(problem.model.mj, q, out.v),
        **_springs(problem, out, ground.sphere_force),
        "control_points": (
            ("time", "joint"),
            point.c.copy(),
            say("rad or m", "of the periodic cubic B-spline"),
        ),
        "multiplier": (("time", "joint"), point.multiplier.copy(), say("1", "of the residual forces")),
        "objective_term": (("term",), np.array(list(each.values())), say("1", "share in the objective")),
    }
    data = xr.Dataset(rows, coords=_coordinates(problem, time, list(each)))
    data.attrs = _attributes(problem, point, sum(each.values()))
    return data


def _joint_rows(problem: Problem, out: Sweep, q: np.ndarray, given: np.ndarray) -> dict[str, tuple]:
    """Motion and moments of the joints; given (N, n): the part of muscles in the latter."""
    over = ("time", "joint")
    moment = "internal moment in the sense of the joint; residual where nothing drives it"
    reserve = np.where(problem.joints.of(role="muscle"), out.tau, 0.0)
    return {
        "q": (over, q, say("rad or m", "joint position; pelvis_tx runs on")),
        "v": (over, out.v.copy(), say("rad/s or m/s", "joint velocity")),
        "a": (over, out.a.copy(), say("rad/s^2 or m/s^2", "joint acceleration")),
        "tau": (over, out.tau + given, say("Nm or N", moment)),
        "reserve": (over, reserve, say("Nm", "what reserve motors give where muscles drive")),
    }


def _ground_rows(problem: Problem, ground: Required, ahead: np.ndarray) -> dict[str, tuple]:
    """What the ground does under each foot and at each sphere."""
    spot = ground.sphere_point.copy()
    spot[:, :, 0] += ahead[:, None]
    least_n = problem.contact_n
    grf, cop = _under_feet(problem.model.mj, ground.sphere_force, spot, least_n)
    depth = np.maximum(0.0, -spot[:, :, 2])
    on_side, on_sphere = ("time", "side", "xyz"), ("time", "contact", "xyz")
    return {
        "grf": (on_side, grf, say("N", "ground reaction force on the runner")),
        "cop": (on_side, cop, say("m", f"centre of pressure; NaN below {least_n:g} N")),
        "contact_force": (on_sphere, ground.sphere_force, say("N", "force on each sphere")),
        "contact_position": (on_sphere, spot, say("m", "its lowest point")),
        "contact_depth": (("time", "contact"), depth, say("m", "how far it stands in the ground")),
    }


def _coordinates(problem: Problem, time: np.ndarray, terms: list[str]) -> dict[str, Any]:
    model, joints, mj = problem.model, problem.joints, problem.model.mj
    return {
        "time": (
            "time",
            time,
            {"units": "s", "long_name": "time, not evenly spaced; 0 at touchdown of the right foot"},
        ),
        "joint": list(model.joints),
        "joint_role": ("joint", list(joints.role)),
        "joint_part": ("joint", list(joints.part)),
        "joint_side": ("joint", list(joints.side)),
        "muscle": list(model.muscles[: problem.arrays.muscles.count]),
        "term": terms,
        "side": list(SIDES),
        "xyz": ["x", "y", "z"],
        "site": [mj.site(i).name for i in range(mj.nsite)],
        "contact": [mj.geom(g).name for g in contact_spheres(mj)],
        "contact_side": ("contact", sphere_sides(mj)),
    }


def _attributes(problem: Problem, point: Point, objective: float) -> dict[str, Any]:
    """Everything that the stride was solved from, and how it is to be read."""
    model = problem.model
    return dict(zip(TIMES_OF, point.times.tolist(), strict=True)) | {
        "speed_m_s": problem.arrays.speed,
        "mass_kg": float(model.mass_kg),
        "gravity": problem.environment.gravity,
        "leg_length_m": float(model.leg_length_m),
        "runner": json.dumps(plain(model.runner)),
        "amputation": json.dumps(plain(model.amputation)),
        "fitting": json.dumps(plain(model.fitting)),
        "variation": json.dumps(plain(model.variation)),
        "task": json.dumps(plain(problem.task)),
        "cost": json.dumps(plain(problem.cost)),
        "environment": json.dumps(plain(problem.environment)),
        "options": json.dumps(plain(problem.options)),
        "reference": json.dumps(plain(problem.own)),
        "model_xml": model.xml,
        "blade": " and ".join(dict.fromkeys(blade.name for blade in model.blades.values())),
        "amputation_side": model.amputation.side,
        "objective": objective,
        "frame": "x forward along the ground, y left, z away from it, ground at z = 0; moments are internal",
    }


def residuals(stride: xr.Dataset, problem: Problem, point: Point, out: Sweep) -> dict[str, float]:
    """How well the stride obeys physics: at the knots, between them, at the ground, in energy.

    root_force_peak_n, root_moment_peak_nm: greatest residual force and moment on the pelvis, at the knots;
    between_knots_*: the same half-way between knots; passive_peak_nm: in joints that only springs move;
    penetration_mm: deepest sphere; slip_mm: longest sliding of a foot's loaded contact; energy_balance_j:
    work of motors, ground, gravity and wrenches less what dampers took, over a stride, 0 if perfect;
    energy_positive_j: positive work of the motors.
    """
    arrays, joints = problem.arrays, problem.joints
    places = mesh(len(point.c), point.times)
    root = out.tau[:, :6]
    between = _between(problem, point.c, places)
    ground = required(arrays.tree, arrays.external, out.q, out.v, out.a)
    driven = joints.of(role="muscle") | joints.of(role="motor")
    power = stride.tau.values * out.v
    dt = point.times[0] / len(point.c) * places.weight
    energy, loss = np.zeros_like(out.q), np.zeros_like(out.q)
    energy_and_loss(arrays.tree.laws, out.q, out.v, energy, loss)
    contact = dt @ (ground.sphere_force * ground.sphere_velocity).sum((1, 2))
    motor = dt @ power[:, driven].sum(1)
    outside = dt @ _outside_power(problem, out)
    passive = out.tau[:, joints.of(role="passive")]
    return {
        "root_force_peak_n": float(np.linalg.norm(root[:, :3], axis=1).max()),
        "root_moment_peak_nm": float(np.linalg.norm(root[:, 3:], axis=1).max()),
        "between_knots_force_peak_n": float(np.linalg.norm(between[:, :3], axis=1).max()),
        "between_knots_moment_peak_nm": float(np.linalg.norm(between[:, 3:6], axis=1).max()),
        "passive_peak_nm": float(np.abs(passive).max(initial=0.0)),
        "penetration_mm": float(1e3 * np.maximum(0.0, -ground.sphere_point[:, :, 2]).max(initial=0.0)),
        "slip_mm": 1e3 * _slip(problem, ground, dt),
        "energy_balance_j": float(motor + contact + outside - dt @ loss.sum(1)),
        "energy_positive_j": float(dt @ np.maximum(power[:, driven], 0.0).sum(1)),
    }


def _under_feet(mj, force, place, least_n):
    """Ground reaction force (N, side, 3), and the centre of pressure (N, side, 3), NaN below `least_n`."""
    of_side = np.array([[side == mine for side in sphere_sides(mj)] for mine in SIDES], float)
    grf = np.einsum("tcx,sc->tsx", force, of_side)
    moment = np.einsum("tcx,tc,sc->tsx", place, force[:, :, 2], of_side)
    with np.errstate(invalid="ignore", divide="ignore"):
        cop = moment / grf[:, :, 2:]
    cop[grf[:, :, 2] < least_n] = np.nan
    cop[:, :, 2] *= 0.0
    return grf, cop


def _between(problem: Problem, c: np.ndarray, places: Mesh) -> np.ndarray:
    """Residual (N, n) half-way between knots, from the spline itself."""
    arrays = problem.arrays
    q, v, a = at_times(c, places.times, places.time + 0.5 * places.step)
    v[:, 0] += arrays.speed
    return required(arrays.tree, arrays.external, q, v, a).tau


def _outside_power(problem: Problem, out: Sweep) -> np.ndarray:
    """(N,) power of external wrenches and of gravity along the ground, W; up and down it closes on itself."""
    arrays = problem.arrays
    outside = arrays.external
    along = outside.gravity * [1.0, 1.0, 0.0]
    still = outside._replace(gravity=0 * outside.gravity, wrench_force=0 * outside.wrench_force,
                             wrench_torque=0 * outside.wrench_torque)  # fmt: skip
    pulled = outside._replace(gravity=along)
    less = [required(arrays.tree, each, out.q, out.v, 0 * out.a).tau for each in (still, pulled)]
    return ((less[0] - less[1]) * out.v).sum(1)


def _slip(problem: Problem, ground: Required, dt: np.ndarray) -> float:
    """Longest path [m] that a foot's load slides on the ground while the foot carries half a body weight."""
    longest, of_side = 0.0, problem.arrays.tree.sphere_side
    for side in (0, 1):
        mine = of_side == side
        normal = ground.sphere_force[:, mine, 2]
        total = normal.sum(1)
        firm = total > 0.5 * problem.weight_n
        sliding = (normal[:, :, None] * ground.sphere_velocity[:, mine, :2]).sum(1)
        drift = sliding / np.maximum(total, 1e-9)[:, None]
        longest = max(longest, float((np.linalg.norm(drift, axis=1) * firm) @ dt))
    return longest


def _springs(problem: Problem, out: Sweep, force: np.ndarray) -> dict[str, tuple]:
    """Energy in and loss from the springs of blade and socket, the blade's compression and its strain."""
    compression = _compression(problem.model, out.q, force)
    return {
        **spring_rows(problem.model, problem.arrays.tree.laws, out.q, out.v),
        "blade_compression": (
            ("time", "side"),
            compression,
            say("m", "how far the loaded sole gives way, seen from the clamp, along the ground force"),
        ),
    }


def _compression(model: Model, q: np.ndarray, force: np.ndarray) -> np.ndarray:
    """(N, 2) sum F_i . d_i / |sum F_i|, d_i the way of sphere i, seen from the clamp, since unloaded.

    The direction of the load is the one that does work on the blade and that a test bench measures in; 1 N
    more in the denominator lets it go to 0 in the air.
    """
    mj, table = model.mj, np.full((len(q), 2), np.nan)
    data, spheres, sides = mujoco.MjData(mj), contact_spheres(mj), sphere_sides(mj)
    for s, side in enumerate(SIDES):
        if side not in model.amputation.sides:
            continue
        mine = [i for i in range(len(spheres)) if sides[i] == side]
        clamp = mj.site(f"blade_clamp_{side[0]}").id

        def from_clamp(posture, clamp=clamp, mine=mine):
            data.qpos[:] = posture
            mujoco.mj_kinematics(mj, data)
            frame = data.site_xmat[clamp].reshape(3, 3)
            return (data.geom_xpos[[spheres[i] for i in mine]] - data.site_xpos[clamp]) @ frame, frame

        unloaded, _ = from_clamp(mj.qpos0)
        for k in range(len(q)):
            place, frame = from_clamp(q[k])
            load = force[k, mine]
            table[k, s] = ((place - unloaded) @ frame.T * load).sum() / (np.linalg.norm(load.sum(0)) + 1.0)
    return table


def times_of(stride: xr.Dataset) -> np.ndarray:
    """The times (TIMES,) that `mesh` takes, of a solved stride."""
    return np.array([stride.attrs[name] for name in TIMES_OF])
