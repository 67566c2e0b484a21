"""The atlas: solved strides of other runners, between which a stride starts that has no other start.

Takes a `Problem`; gives a point between the strides of models/atlas/ of the same legs and kind of blade, next
in speed and in leg length. It is a start and never an answer: where program and atlas are no longer alike, it
takes more steps to the same end. experiments/atlas/make.py makes it.

Between runners motions are alike in angles, in lengths over that of the leg, and in moments of springs over
body weight and leg length; between speeds, from event to event: landings and toe-offs of one are mixed with
those of the other.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import xarray as xr
from scipy.interpolate import CubicSpline, PchipInterpolator

from bladerun._lib import data_files
from bladerun.body.joints import joints_of, side_of, sphere_sides, without_side
from bladerun.cost import Cost
from bladerun.dataset.check import TIMES_OF
from bladerun.dataset.model_text import model_of
from bladerun.environment import Environment
from bladerun.model import Model
from bladerun.stride._warm_start import bent, springs
from bladerun.stride.motion import control_points
from bladerun.stride.problem import Problem
from bladerun.stride.solver import Point
from bladerun.stride.transcription.blocks import NODE
from bladerun.stride.transcription.mesh import LATER, STRETCH, UNEVEN, Mesh, mesh
from bladerun.task import Task

FOLDER = "atlas"
HIGH = 0.06  # leg lengths over the ground, from which on spheres are alike: so far up none counts
_OTHER = {"right": "left", "left": "right"}


class Page(NamedTuple):
    """Strides of one kind of runner: V speeds by S sizes, at N knots and G nodes.

    Lengths in legs, moments of springs over m l and their forces over m, multipliers as in `Point`.
    """

    joint: np.ndarray  # (n,) names
    muscle: np.ndarray  # (M,) names
    contact_side: np.ndarray  # (c,) of the spheres
    speed_m_s: np.ndarray  # (V,) rising
    leg_length_m: np.ndarray  # (S,) rising
    objective: np.ndarray  # (V, S) what each cost
    times: np.ndarray  # (V, S, TIMES)
    leaves: np.ndarray  # (V, 2) knots from its landing to its toe-off, of the right foot and the left
    q: np.ndarray  # (V, S, N, n) less the steady run
    contact: np.ndarray  # (V, S, N, c, 3) lowest points, the same; from HIGH on as if at HIGH
    multiplier: np.ndarray  # (V, S, N, n)
    activation: np.ndarray  # (V, S, G, M)


class _Motion(NamedTuple):
    """One stride in such units, on a mesh; contacts and joints in the order of the page."""

    times: np.ndarray
    q: np.ndarray
    contact: np.ndarray
    multiplier: np.ndarray
    activation: np.ndarray


def start(problem: Problem) -> Point | None:
    """Where to start; None where the atlas has no stride like it: other tasks, costs or environments than
    running on level ground as models/ have them, motors for muscles, two unlike blades, other speeds."""
    page = _read(kind(problem.model))
    usual = problem.cost == Cost.default() and problem.environment == Environment.default()
    if page is None or not usual or not problem.options.muscle_driven:
        return None
    speed = problem.task.speed_m_s
    if problem.task != Task(speed) or not page.speed_m_s[0] <= speed <= page.speed_m_s[-1]:
        return None
    return between(page, problem)


def kind(model: Model) -> str:
    """The name of a page: legs with blades, a left one by its mirror image, and the blades' shape."""
    shapes = {blade.shape for blade in model.blades.values()}
    sides = "right" if model.amputation.side == "left" else model.amputation.side
    return "-".join([sides, *sorted(shapes)])


def between(page: Page, problem: Problem) -> Point | None:
    """The start between the strides of a page; None where its runners are built otherwise."""
    model, speed = problem.model, problem.task.speed_m_s
    order = _order(page, problem)
    if order is None:
        return None
    mirrored = model.amputation.side == "left"
    leaves = problem.arrays.terms.contact_edges.leaves
    shares = np.outer(_shares(page.speed_m_s, speed), _shares(page.leg_length_m, model.leg_length_m))
    motion = _mixed(page, shares, problem.knots, leaves[::-1] if mirrored else leaves)
    motion = _in_order(_half_later(motion) if mirrored else motion, order, model)
    scale, legs = _scale(model.mj, model.mass_kg, model.leg_length_m), model.leg_length_m
    places = mesh(problem.knots, motion.times)
    q = bent(motion.q * scale, motion.contact * legs, places.time, motion.times[0], model)
    # one after the other in memory, of which alone the compiled sweep has a kind
    multiplier, activation = map(np.ascontiguousarray, (motion.multiplier, motion.activation))
    return Point(control_points(q), motion.times, multiplier, activation)


def page_of(strides: Sequence[Sequence[xr.Dataset]], leaves: Sequence[np.ndarray]) -> Page:
    """A page of solved strides, by speed and then by size; leaves: (2,) of each speed, see `Page`."""
    first, rows = strides[0][0], [[_motion_of(one) for one in row] for row in strides]
    stacked = {
        name: np.array([[getattr(motion, name) for motion in row] for row in rows], np.float32)
        for name in _Motion._fields
        if name != "times"
    }
    return Page(
        joint=first.joint.values.astype(str),
        muscle=first.muscle.values.astype(str),
        contact_side=first.contact_side.values.astype(str),
        speed_m_s=np.array([row[0].attrs["speed_m_s"] for row in strides]),
        leg_length_m=np.array([one.attrs["leg_length_m"] for one in strides[0]]),
        objective=np.array([[one.attrs["objective"] for one in row] for row in strides]),
        times=np.array([[motion.times for motion in row] for row in rows]),
        leaves=np.array(leaves),
        **stacked,
    )


@cache
def _read(name: str) -> Page | None:
    path = data_files.models_dir() / FOLDER / f"{name}.npz"
    if not path.is_file():
        return None
    with np.load(path) as arrays:
        return Page(**{field: arrays[field] for field in Page._fields})


def _motion_of(stride: xr.Dataset) -> _Motion:
    """A solved stride in the units of a page."""
    time, legs = stride.time.values, stride.attrs["leg_length_m"]
    ahead = stride.attrs["speed_m_s"] * time
    q, contact = stride.q.values.copy(), stride.contact_position.values.copy()
    q[:, 0] -= ahead
    contact[:, :, 0] -= ahead[:, None]
    contact /= legs
    contact[contact[:, :, 2] > HIGH] = [0.0, 0.0, HIGH]
    return _Motion(
        times=np.array([stride.attrs[name] for name in TIMES_OF]),
        q=q / _scale(model_of(stride), stride.attrs["mass_kg"], legs),
        contact=contact,
        multiplier=stride.multiplier.values,
        activation=stride.activation.values[::NODE],
    )


def _scale(mj, mass_kg: float, leg_length_m: float) -> np.ndarray:
    """(n,) what 1 on a page is in a joint of this runner: where springs act, what 1 bends or stretches."""
    joints, stiffness = joints_of(mj), springs(mj)
    unit = np.where(joints.slide, leg_length_m, 1.0)
    load = mass_kg * np.where(joints.slide, 1.0, leg_length_m)
    sprung = joints.of(role="passive") & (stiffness > 0)
    return np.where(sprung, load / np.where(sprung, stiffness, 1.0), unit)


def _shares(grid: np.ndarray, at: float) -> np.ndarray:
    """(len(grid),) shares of the two next to `at`, that lie around it or, beyond the ends, on its side."""
    shares = np.zeros(len(grid))
    if len(grid) == 1:
        return shares + 1.0
    low = int(np.clip(np.searchsorted(grid, at) - 1, 0, len(grid) - 2))
    shares[low + 1] = (at - grid[low]) / (grid[low + 1] - grid[low])
    shares[low] = 1.0 - shares[low + 1]
    return shares


def _mixed(page: Page, shares: np.ndarray, knots: int, leaves: np.ndarray) -> _Motion:
    """The mean of strides of a page with these shares (V, S), events of each upon those of the others."""
    used = [(v, s) for v, s in np.argwhere(shares)]
    each, many = np.array([shares[at] for at in used]), page.q.shape[2]
    meshes = [mesh(many, page.times[at]) for at in used]
    marks = np.array([_marks(own, page.leaves[v]) for own, (v, _) in zip(meshes, used, strict=True)])
    later = float(each @ [page.times[at][LATER] for at in used])
    places = mesh(knots, _times(each @ marks, later, knots, leaves))
    parts = [
        _upon(page, at, own, PchipInterpolator(_around(each @ marks), _around(mark))(places.time))
        for at, own, mark in zip(used, meshes, marks, strict=True)
    ]
    q, contact, density, activation = (
        np.tensordot(each, np.array(part), 1) for part in zip(*parts, strict=True)
    )
    return _Motion(places.times, q, contact, density * places.weight[:, None], activation)


def _upon(page: Page, at: tuple[int, int], own: Mesh, time: np.ndarray) -> tuple[np.ndarray, ...]:
    """q, contacts, multipliers a second and activations of one stride at other times (knots,) of its own."""
    period = own.times[0]
    return (
        _smooth(own.time, period, page.q[at], time),
        _linear(own.time, period, page.contact[at], time),
        _linear(own.time, period, page.multiplier[at] / own.weight[:, None], time),
        _linear(own.time[::NODE], period, page.activation[at], time[::NODE]),
    )


def _marks(places: Mesh, leaves: np.ndarray) -> np.ndarray:
    """(5,) times [s] at which the right foot lands and leaves, the left one does, and the stride ends."""
    half = len(places.time) // 2
    return np.append(places.time[[0, leaves[0], half, half + leaves[1]]], places.times[0])


def _around(marks: np.ndarray) -> np.ndarray:
    """The moments of `_marks` in the stride, and of the one before and after it."""
    return np.concatenate([marks[:4] - marks[4], marks[:4], marks[:4] + marks[4]])


def _times(marks: np.ndarray, later: float, knots: int, leaves: np.ndarray) -> np.ndarray:
    """The (TIMES,) whose mesh has its events at `marks`."""
    times = np.zeros(STRETCH + 2)
    times[0], times[LATER], times[UNEVEN] = marks[4], later, marks[2] - marks[4] / 2
    plain = mesh(knots, times)
    for foot in (0, 1):
        k, column = foot * (knots // 2) + leaves[foot], STRETCH + foot
        times[column] = (marks[1 + 2 * foot] - plain.time[k]) / (marks[4] * plain.phase_by[k, column])
    return times


def _smooth(time: np.ndarray, period: float, values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Periodic values (N, ...) at other times, along a cubic spline."""
    closed = np.append(time, time[0] + period)
    return CubicSpline(closed, np.concatenate([values, values[:1]]), bc_type="periodic")(at)


def _linear(time: np.ndarray, period: float, values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """The same along straight lines."""
    columns = values.reshape(len(values), -1).T
    found = np.stack([np.interp(at, time, column, period=period) for column in columns], 1)
    return found.reshape(len(at), *values.shape[1:])


def _half_later(motion: _Motion) -> _Motion:
    """The same half a stride later, when the left foot lands, told as if it were the right one."""
    period, later, uneven, right, left = motion.times
    half = len(motion.q) // 2
    q, contact, multiplier = (np.roll(values, -half, 0) for values in motion[1:4])
    activation = np.roll(motion.activation, -(half // NODE), 0)
    return _Motion(
        np.array([period, later + uneven, -uneven, left, right]), q, contact, multiplier, activation
    )


def _order(page: Page, problem: Problem) -> Mapping[str, list[int]] | None:
    """Where on the page each joint, muscle and sphere of a runner stands; None where one is not there."""
    model = problem.model
    muscles = model.muscles[: problem.arrays.muscles.count]
    sides, mirrored = sphere_sides(model.mj), model.amputation.side == "left"
    name, side = (_other_name, _OTHER.__getitem__) if mirrored else (str, str)
    places = {s: [i for i, own in enumerate(page.contact_side) if own == s] for s in _OTHER}
    there = {s: [i for i, own in enumerate(sides) if own == s] for s in _OTHER}
    alike = (
        {name(each) for each in model.joints} == set(page.joint)
        and {name(each) for each in muscles} == set(page.muscle)
        and all(len(there[s]) == len(places[side(s)]) for s in _OTHER)
    )
    if not alike:
        return None
    joint, muscle = list(page.joint), list(page.muscle)
    return {
        "joint": [joint.index(name(each)) for each in model.joints],
        "muscle": [muscle.index(name(each)) for each in muscles],
        "contact": [places[side(own)][there[own].index(i)] for i, own in enumerate(sides)],
    }


def _in_order(motion: _Motion, order: Mapping[str, list[int]], model: Model) -> _Motion:
    """With joints, muscles and spheres as the runner has them, a left one's turned over."""
    sign, aside = np.ones(len(model.joints)), np.ones(3)
    if model.amputation.side == "left":
        sign, aside = np.where(_turns_over(model), -1.0, 1.0), np.array([1.0, -1.0, 1.0])
    return motion._replace(
        q=motion.q[:, order["joint"]] * sign,
        multiplier=motion.multiplier[:, order["joint"]] * sign,
        contact=motion.contact[:, order["contact"]] * aside,
        activation=motion.activation[:, order["muscle"]],
    )


def _turns_over(model: Model) -> np.ndarray:
    """(n,) True for joints of pelvis and trunk that go the other way in a mirror, which swaps left and right:
    sliding along y, turning about x or z."""
    joints = model.joint_data
    along_y = np.abs(model.mj.jnt_axis[:, 1]) > 0.5
    return (np.array(joints.side) == "") & (along_y == joints.slide)


def _other_name(name: str) -> str:
    side = side_of(name)
    return f"{without_side(name)}_{_OTHER[side][0]}" if side else name
