"""A solved stride's muscles as variables of its dataset.

Takes the problem, the solver's last point and its sweep; gives variables and the moments that muscles and
series springs give, (N, n).
"""

import numpy as np

from bladerun.stride.dynamics.muscle_forces import add_muscles, tension
from bladerun.stride.motion_rows import SIDES, say
from bladerun.stride.problem import Problem
from bladerun.stride.solver import Point
from bladerun.stride.sweep import Sweep
from bladerun.stride.transcription.blocks import NODE, at_knot
from bladerun.stride.transcription.mesh import mesh


def muscle_rows(problem: Problem, point: Point, out: Sweep) -> tuple[dict, np.ndarray]:
    """Variables over (time, muscle), (time, muscle, joint), (time, side) and (muscle,); moments (N, n)."""
    muscles, (N, n) = problem.arrays.muscles, out.q.shape
    M, paths = muscles.count, len(muscles.path)
    step = np.roll(point.activation, -1, 0) - point.activation
    change = np.repeat(step / mesh(N, point.times).node_step[:, None], NODE, axis=0)
    activation = np.zeros((N, M))
    time = np.where(change > 0, muscles.rise, muscles.fall)
    moments = np.zeros((N, n))
    length, velocity, force, active = np.zeros((4, N, paths))
    arm = np.zeros((N, paths, n))
    scratch, none = tension(muscles), np.zeros((n, n))
    for k in range(N):
        at_knot(point.activation, k, activation[k])
        add_muscles(muscles, scratch, activation[k], out.q[k], out.v[k], moments[k], False, none, none, none)
        order = muscles.path
        length[k, order], velocity[k, order] = scratch.shape[:, 0], scratch.velocity
        force[k, order], active[k, order] = scratch.force, scratch.active
        for g, span in enumerate(muscles.span):
            for p in range(muscles.first[g], muscles.first[g + 1]):
                arm[k, order[p], muscles.joints[g, :span]] = -scratch.shape[p, 1 : 1 + span]
    springs = {name: np.full((N, 2), np.nan) for name in ("force", "energy")}
    for s, rest in enumerate(muscles.rest):
        side = SIDES.index(problem.joints.side[np.flatnonzero(arm[0, M + s])[0]])
        x = np.maximum(length[:, M + s] - rest, 0.0)
        k = muscles.stiffness[s]
        springs["force"][:, side] = force[:, M + s]
        springs["energy"][:, side] = x**2 * (k[0] / 2 + x * (k[1] / 3 + x * k[2] / 4))
    by_muscle = {
        "activation": (activation, "1", "muscle activation"),
        "excitation": (activation + time * change, "1", "excitation that it follows"),
        "muscle_force": (force[:, :M], "N", "tension along the path"),
        "fibre_force_active": (active[:, :M], "N", "the activation's part of muscle_force"),
        "muscle_length": (length[:, :M], "m", "of the path"),
        "muscle_velocity": (velocity[:, :M], "m/s", "of the path, lengthening positive"),
        "fibre_length": ((length[:, :M] - muscles.slack) / muscles.l0, "1", "optimal fibre lengths"),
        "fibre_velocity": (
            velocity[:, :M] / muscles.l0,
            "1/s",
            "optimal fibre lengths, lengthening positive",
        ),
    }
    rows: dict[str, tuple] = {}
    for name, (values, unit, text) in by_muscle.items():
        rows[name] = ("time", "muscle"), values, say(unit, text)
    rows["moment_arm"] = (
        ("time", "muscle", "joint"),
        arm[:, :M],
        say("m", "moment about the joint, in its sense, by unit tension"),
    )
    rows["achilles_force"] = (("time", "side"), springs["force"], say("N", "tension of the series tendon"))
    rows["achilles_energy"] = (("time", "side"), springs["energy"], say("J", "elastic energy in it"))
    rows["muscle_f0"] = (("muscle",), muscles.f0, say("N", "greatest isometric force"))
    rows["muscle_l0"] = (("muscle",), muscles.l0, say("m", "optimal fibre length"))
    return rows, -moments
