"""The optimal-control problem of a stride as one value: who runs, what acts, what is asked, what it costs.

Takes a `Model`, a `Task`, a `Cost`, an `Environment` and `SolverOptions`; gives a `Problem`, frozen, with the
arrays that the compiled code reads. Reference running is looked up here; nothing below reads a file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from bladerun._lib.data_files import toml
from bladerun.body.joints import Joints
from bladerun.body.own_gait import OwnGait
from bladerun.body.reference_gait import Reference, reference
from bladerun.cost import Cost
from bladerun.environment import Environment, Ground, inward_m_s2
from bladerun.model import Model
from bladerun.options import SolverOptions
from bladerun.stride.cost import (
    bounce,
    clearance,
    contact_edges,
    effort,
    excitation,
    force_rate,
    jerk,
    knee_stop,
    landing,
    lean,
    limits,
    motors,
    placement,
    reserves,
    residual_forces,
    sideways_force,
    stride_time,
    tracking,
)
from bladerun.stride.dynamics.muscle_paths import Muscles, muscles, none_of
from bladerun.stride.dynamics.tree import Tree, external, tree_of
from bladerun.stride.sweep import Arrays, Terms
from bladerun.task import Task

REACH_KNOTS = 60  # of a stride, at which the reference's range is looked up


@dataclass(frozen=True)
class Problem:
    """What is solved. environment: as asked, without what the task adds. joints: with the roles that they
    have here: ends of Achilles tendons are locked where motors move the legs. weight_n: body weight.
    contact_n: vertical force that counts as contact. own: how this runner runs, None for as people do.
    arrays: the same as numbers; residual forces at weight 1, multipliers 0.
    """

    model: Model
    task: Task
    cost: Cost
    environment: Environment
    options: SolverOptions
    joints: Joints
    weight_n: float
    contact_n: float
    own: OwnGait | None
    arrays: Arrays

    @property
    def knots(self) -> int:
        return self.options.knots

    def by_motors(self, knots: int) -> Problem:
        """The same with motors in place of muscles, on another mesh."""
        options = replace(self.options, knots=knots, muscle_driven=False)
        return _of(self.model, self.task, self.cost, self.environment, options, self.own, self.arrays)

    def at_speed(self, speed_m_s: float) -> Problem:
        """The same at another speed."""
        task = replace(self.task, speed_m_s=speed_m_s)
        return _of(self.model, task, self.cost, self.environment, self.options, self.own, None)

    def on(self, ground: Ground) -> Problem:
        """The same on another ground."""
        outside = self.arrays.external._replace(ground=ground)
        return replace(self, arrays=self.arrays._replace(external=outside))

    def with_terms(self, **terms: tuple) -> Problem:
        """The same with other numbers of some cost terms."""
        return replace(self, arrays=self.arrays._replace(terms=self.arrays.terms._replace(**terms)))


def problem(
    model: Model,
    task: Task,
    cost: Cost,
    environment: Environment,
    options: SolverOptions,
    own: OwnGait | None = None,
) -> Problem:
    """Build it once. Raises InputError for parts of the model or wrenches that cannot be modelled, and for a
    speed too far from that of `own`."""
    return _of(model, task, cost, environment, options, own, None)


def _of(model, task, cost, environment, options, own, known: Arrays | None) -> Problem:
    around = environment.of(task, model.mass_kg)
    tree = known.tree if known else tree_of(model.mj)
    pulling = known.muscles if known else muscles(model.mj, _reach(model, task, cost, own))
    if not options.muscle_driven:
        pulling = none_of(pulling)
    joints = _at_work(model.joint_data, pulling)
    weight_n = model.mass_kg * around.gravity
    ref = _into_bend(_reference(model, task, options.knots, own), model, task, environment.gravity)
    arrays = Arrays(
        tree=tree,
        external=external(model.mj, around),
        muscles=pulling,
        speed=float(task.speed_m_s),
        terms=_terms(model, joints, tree, pulling, cost, ref, weight_n, task, options.knots),
    )
    contact_n = toml("outcomes.toml")["contact"]["threshold_n"]
    return Problem(model, task, cost, environment, options, joints, weight_n, contact_n, own, arrays)


def _terms(
    model: Model,
    joints: Joints,
    tree: Tree,
    pulling: Muscles,
    cost: Cost,
    ref: Reference,
    weight_n: float,
    task: Task,
    knots: int,
) -> Terms:
    return Terms(
        residual_forces=residual_forces.prepare(model, joints, cost, weight_n, knots),
        reserves=reserves.prepare(model, joints, cost),
        motors=motors.prepare(model, joints, cost),
        tracking=tracking.prepare(model, joints, cost, ref),
        bounce=bounce.prepare(model, joints, cost, ref),
        limits=limits.prepare(model, joints, cost),
        sideways_force=sideways_force.prepare(model, cost, ref, weight_n),
        placement=placement.prepare(model, tree, cost, ref),
        landing=landing.prepare(model, tree, cost, task),
        clearance=clearance.prepare(model, tree, cost.clearance, knots),
        contact_edges=contact_edges.prepare(model, tree, cost, task.speed_m_s, knots),
        force_rate=force_rate.prepare(cost, weight_n),
        jerk=jerk.prepare(joints, cost),
        effort=effort.prepare(pulling, cost),
        excitation=excitation.prepare(pulling, cost),
        stride_time=stride_time.prepare(cost, ref, task),
        lean=lean.prepare(joints, cost, ref, task),
        knee_stop=knee_stop.prepare(model, joints, cost.knee_stop, knots),
    )


def _at_work(joints: Joints, pulling: Muscles) -> Joints:
    """Roles where these muscles pull: without any, motors drive what they would, and tendons are locked."""
    if pulling.count:
        return joints
    role = tuple(
        "locked" if part == "tendon" else "motor" if role == "muscle" else role
        for role, part in zip(joints.role, joints.part, strict=True)
    )
    return joints._replace(role=role)


def _reference(model: Model, task: Task, knots: int, own: OwnGait | None) -> Reference:
    """At a cadence that is asked for, legs swing less far in less time, and the body falls less deep."""
    variation = model.variation
    usual = {
        "leg_length_m": model.leg_length_m,
        "later": variation.reference_phase,
        "inward_deg": variation.hip_rotation_deg,
        "lean": variation.trunk_lean,
        "own": own,
    }
    amplitude = variation.reference_amplitude
    ref = reference(model.joints, task.speed_m_s, knots, amplitude=amplitude, **usual)
    if task.cadence_spm is None:
        return ref
    share = 120 / task.cadence_spm / ref.stride_time_s  # of the usual stride time
    ref = reference(model.joints, task.speed_m_s, knots, amplitude=amplitude * share, **usual)
    q, up = ref.q.copy(), list(model.joints).index("pelvis_tz")
    q[:, up] *= share**2
    return replace(ref, q=q)


def _into_bend(ref: Reference, model: Model, task: Task, gravity: float) -> Reference:
    """Running as straight ahead, along what gravity and the bend add up to: the body leans in over its feet,
    which stand as far apart as ever."""
    inward = inward_m_s2(task) / gravity
    if not inward:
        return ref
    q, joint = ref.q.copy(), list(model.joints)
    q[:, joint.index("pelvis_list")] += math.atan(inward)
    q[:, joint.index("pelvis_ty")] += inward * model.leg_length_m
    return replace(ref, q=q, sideways=ref.sideways + inward)


def _reach(model: Model, task: Task, cost: Cost, own: OwnGait | None) -> np.ndarray:
    """(n, 2) how far each joint goes in running: the reference's range and some more, within its limits."""
    ref = reference(model.joints, task.speed_m_s, REACH_KNOTS, leg_length_m=model.leg_length_m, own=own)
    low, high = model.mj.jnt_range.T
    spare = cost.limit.spare_rad
    near = np.array([np.maximum(low, ref.q.min(0) - spare), np.minimum(high, ref.q.max(0) + spare)])
    return np.where(ref.tracked, near, [low, high]).T
