"""What each joint and each contact sphere of a model is: data that the builders of bodies write.

Takes a compiled MuJoCo model, in whose `user` data a joint is [role, part, side] and a contact sphere
[stiffness, damping, friction, side]; gives `Joints` and the spheres. Names are labels: nothing is read off
them but here, where a builder turns the ending of a name into a side.
"""

from __future__ import annotations

from typing import NamedTuple

import mujoco
import numpy as np

from bladerun.errors import ModelError

ROLES = ("root", "muscle", "motor", "passive", "locked")
"""Who moves a joint: nothing (the pelvis in space), muscles with a small reserve, a motor, springs and other
passive laws alone, or nothing that lets it move."""

PARTS = (
    "pelvis", "trunk", "arm", "hip", "knee", "ankle", "toes", "tendon", "socket", "blade", "knee unit",
)  # fmt: skip
"""What a joint belongs to; "tendon" is the moving end of an Achilles tendon."""

SIDES = ("", "right", "left")


class Joints(NamedTuple):
    """The joints of a model, in its order. role, part, side: one word each, of `ROLES`, `PARTS`, `SIDES`;
    slide: (n,) True where a joint slides, False where it turns.
    """

    name: tuple[str, ...]
    role: tuple[str, ...]
    part: tuple[str, ...]
    side: tuple[str, ...]
    slide: np.ndarray

    def of(self, *, role: str | None = None, part: str | None = None, side: str | None = None) -> np.ndarray:
        """(n,) True for the joints of this role, part and side."""
        chosen = np.ones(len(self.name), bool)
        for wanted, column in ((role, self.role), (part, self.part), (side, self.side)):
            if wanted is not None:
                chosen &= np.array([value == wanted for value in column], bool)
        return chosen


def code(role: str, part: str) -> list[float]:
    """The `user` data of a joint that a builder adds; `write_sides` completes it."""
    return [float(ROLES.index(role)), float(PARTS.index(part)), 0.0]


def write_sides(spec: mujoco.MjSpec) -> None:
    """Note the side of every joint of a composed body, by the ending of its name."""
    for joint in spec.joints:
        joint.userdata = [*list(joint.userdata)[:2], float(SIDES.index(side_of(joint.name)))]


def side_of(name: str) -> str:
    """ "right" or "left" by the ending of a name, `_r` or `_l`; "" for what has no side."""
    return {"_r": "right", "_l": "left"}.get(name[-2:], "")


def without_side(name: str) -> str:
    """`hip_flexion` of `hip_flexion_r`; other names as they are."""
    return name[:-2] if side_of(name) else name


def joints_of(mj: mujoco.MjModel) -> Joints:
    """The joints of a compiled model. Raises ModelError where a joint does not say what it is."""
    names = tuple(mj.joint(i).name for i in range(mj.njnt))
    if mj.jnt_user.shape[1] < 3:
        raise ModelError("the model does not say what its joints are: nuser_jnt is less than 3")
    role, part, side = (
        tuple(words[int(number)] for number in mj.jnt_user[:, column])
        for column, words in enumerate((ROLES, PARTS, SIDES))
    )
    return Joints(names, role, part, side, mj.jnt_type == mujoco.mjtJoint.mjJNT_SLIDE)


def contact_spheres(mj: mujoco.MjModel) -> list[int]:
    """Geom ids of the spheres that the ground acts on, those with a stiffness, in model order."""
    if mj.nuser_geom < 3:
        return []
    return [int(g) for g in np.flatnonzero(mj.geom_user[:, 0] > 0)]


def sphere_sides(mj: mujoco.MjModel) -> list[str]:
    """The side of each of them."""
    return [SIDES[int(side)] for side in mj.geom_user[contact_spheres(mj), 3]]
