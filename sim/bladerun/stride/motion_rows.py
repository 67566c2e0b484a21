"""What follows from a runner's motion alone: centre of mass, named points, springs of blade and socket.

Takes a model and joint positions and velocities (N, n); gives variables of a stride's dataset.
"""

from __future__ import annotations

from typing import Any

import mujoco
import numpy as np

from bladerun.blade.chain import bend_joints
from bladerun.model import Model
from bladerun.placement import placements
from bladerun.stride.dynamics.passive import Laws, energy_and_loss

SIDES = ("right", "left")


def say(unit: str, text: str) -> dict[str, str]:
    """The attributes of a variable."""
    return {"units": unit, "long_name": text}


def body_rows(mj: Any, q: np.ndarray, v: np.ndarray) -> dict[str, tuple]:
    """Centre of mass, named points and joint axes in space."""
    data = mujoco.MjData(mj)
    N = len(q)
    com, com_velocity, site = np.zeros((N, 3)), np.zeros((N, 3)), np.zeros((N, mj.nsite, 3))
    axis = np.zeros((N, mj.nv, 3))
    for k in range(N):
        data.qpos[:], data.qvel[:] = q[k], v[k]
        mujoco.mj_kinematics(mj, data)
        mujoco.mj_comPos(mj, data)
        mujoco.mj_comVel(mj, data)
        mujoco.mj_subtreeVel(mj, data)
        com[k], com_velocity[k] = data.subtree_com[0], data.subtree_linvel[0]
        site[k], axis[k] = data.site_xpos, data.xaxis
    return {
        "com": (("time", "xyz"), com, say("m", "whole-body centre of mass")),
        "com_velocity": (("time", "xyz"), com_velocity, say("m/s", "its velocity")),
        "site_position": (("time", "site", "xyz"), site, say("m", "named points of the body")),
        "joint_axis_world": (("time", "joint", "xyz"), axis, say("1", "joint axes in space")),
    }


def spring_rows(model: Model, laws: Laws, q: np.ndarray, v: np.ndarray) -> dict[str, tuple]:
    """Energy in and loss from the springs of blade and socket, and the strain of the blade."""
    joints, N = model.joint_data, len(q)
    energy, loss = np.zeros_like(q), np.zeros_like(q)
    energy_and_loss(laws, q, v, energy, loss)
    rows = {}
    for part in ("blade", "socket"):
        for name, values, unit, text in (
            ("energy", energy, "J", "elastic energy"),
            ("loss", loss, "W", "power lost"),
        ):
            table = np.full((N, 2), np.nan)
            for s, side in enumerate(SIDES):
                mine = joints.of(part=part, side=side)
                if mine.any():
                    table[:, s] = values[:, mine].sum(1)
            rows[f"{part}_{name}"] = (("time", "side"), table, say(unit, f"{text} in the {part}"))
    rows["blade_strain"] = (
        ("time", "side"),
        _strain(model, q),
        say("1", "greatest fibre strain of the blade over its allowable one"),
    )
    return rows


def _strain(model: Model, q: np.ndarray) -> np.ndarray:
    """(N, 2) greatest fibre strain of each blade as a share of what it may bear."""
    table = np.full((len(q), 2), np.nan)
    if model.fitting is None:
        return table
    for side, placement in placements(model.fitting, model.runner, model.amputation).items():
        blade, height = model.blades[side], placement.clamp_to_ground_m
        category = float(model.fitting.of(side).category)
        bends = [model.joints.index(name) for name in bend_joints(blade.chain(category, height), side[0])]
        strain = blade.strain(q[:, bends], category, height)
        table[:, SIDES.index(side)] = strain / blade.allowable_strain
    return table
