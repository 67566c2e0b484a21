"""What of a MuJoCo model the stride's dynamics do not know: refused by name, never left out in silence.

Takes a compiled model; raises one `ModelError`, or nothing. Known are hinges and slides with springs, dampers
and the laws of `passive`, muscles and one-sided springs along tendons, motors at joints, and spheres on flat
ground.
"""

from __future__ import annotations

from collections.abc import Iterator

import mujoco
import numpy as np

from bladerun.errors import ModelError

_EQUALITY = {int(kind): kind.name.removeprefix("mjEQ_").lower() for kind in mujoco.mjtEq.__members__.values()}


def check_modelled(mj: mujoco.MjModel) -> None:
    """ModelError that names the first part of the model that would be left out."""
    for what in _not_modelled(mj):
        raise ModelError(f"{what} is not modelled by the stride's dynamics", key="model")


def _not_modelled(mj: mujoco.MjModel) -> Iterator[str]:
    kinds = {int(mujoco.mjtJoint.mjJNT_BALL): "ball", int(mujoco.mjtJoint.mjJNT_FREE): "free"}
    for j in range(mj.njnt):
        if int(mj.jnt_type[j]) in kinds:
            yield f"the {kinds[int(mj.jnt_type[j])]} joint '{mj.joint(j).name}'"
    for d in np.flatnonzero(mj.dof_frictionloss):
        yield f"the dry friction of joint '{mj.joint(int(mj.dof_jntid[d])).name}'"
    for e in range(mj.neq):
        yield f"the {_EQUALITY[int(mj.eq_type[e])]} constraint '{mj.equality(e).name or e}'"
    for b in np.flatnonzero(mj.body_gravcomp):
        yield f"the gravity compensation of body '{mj.body(int(b)).name}'"
    if mj.opt.density or mj.opt.viscosity:
        yield "the drag of a fluid (option density or viscosity)"
    if mj.nflex or mj.nplugin:
        yield "a flexible body or a plugin"
    yield from _tendons(mj)
    yield from _actuators(mj)


def _tendons(mj: mujoco.MjModel) -> Iterator[str]:
    for t in range(mj.ntendon):
        name = mj.tendon(t).name
        if mj.tendon_limited[t]:
            yield f"the limit of tendon '{name}'"
        if mj.tendon_frictionloss[t]:
            yield f"the dry friction of tendon '{name}'"
        if np.any(mj.tendon_damping[t]):
            yield f"the damping of tendon '{name}'"
        if np.any(_array(mj, "tendon_armature")[t : t + 1]):
            yield f"the armature of tendon '{name}'"
        if np.any(mj.tendon_stiffness[t]) and mj.tendon_lengthspring[t, 0] > 0:
            yield f"a spring that pushes where it is short, tendon '{name}',"


def _actuators(mj: mujoco.MjModel) -> Iterator[str]:
    muscle, joint = mujoco.mjtDyn.mjDYN_MUSCLE, mujoco.mjtTrn.mjTRN_JOINT
    for a in range(mj.nu):
        name, kind = mj.actuator(a).name, mj.actuator_dyntype[a]
        if kind == muscle and mj.actuator_trntype[a] == mujoco.mjtTrn.mjTRN_TENDON:
            continue
        plain = (
            kind == mujoco.mjtDyn.mjDYN_NONE
            and mj.actuator_trntype[a] == joint
            and mj.actuator_gaintype[a] == mujoco.mjtGain.mjGAIN_FIXED
            and mj.actuator_biastype[a] == mujoco.mjtBias.mjBIAS_NONE
            and mj.actuator_gainprm[a, 0] == 1.0
            and mj.actuator_gear[a, 0] == 1.0
        )
        if not plain:
            yield f"actuator '{name}', which is neither a muscle along a tendon nor a motor at a joint,"


def _array(mj: mujoco.MjModel, name: str) -> np.ndarray:
    """A field that only some versions of MuJoCo have; empty where this one has not."""
    return np.asarray(getattr(mj, name, np.zeros(0)))
