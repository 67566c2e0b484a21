"""A stride turned every way, and its body by the axes that OpenSim's models of running have."""

import mujoco
import numpy as np
import pytest

from bladerun.gait.opensim import export
from models import muscled

TURN = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])  # x forward, y up, z to the right, of x, left, up
MIRRORED = {"flexion": (0, 0, 1), "adduction": (1, 0, 0), "rotation": (0, 1, 0)}
USUAL = {  # axes of coordinates as OpenSim's models of running have them (Rajagopal 2016, Hamner 2010)
    "pelvis": {"pelvis_tilt": (0, 0, 1), "pelvis_list": (1, 0, 0), "pelvis_rotation": (0, 1, 0)},
    "torso": {"lumbar_extension": (0, 0, 1), "lumbar_bending": (1, 0, 0), "lumbar_rotation": (0, 1, 0)},
}
for s, sign in (("r", 1), ("l", -1)):
    for body, joint in (("thigh", "hip"), ("upper_arm", "shoulder")):
        USUAL[f"{body}_{s}"] = {
            f"{joint}_{turn}_{s}": tuple(np.multiply(axis, 1 if turn == "flexion" else sign))
            for turn, axis in MIRRORED.items()
        }
    USUAL[f"shank_{s}"] = {f"knee_flexion_{s}": (0, 0, -1)}
    USUAL[f"forearm_{s}"] = {f"elbow_flexion_{s}": (0, 0, 1)}
    USUAL[f"foot_{s}"] = {}  # only its joint's place is compared


def moving(made):
    """The same with pelvis, trunk and arms turned every way, and where that takes the body's points."""
    rng, mj = np.random.default_rng(1), muscled.model(made.attrs["amputation_side"]).mj
    q = made.q.values.copy()
    turned = made.joint_part.isin(["pelvis", "trunk", "arm"]).values & (np.arange(mj.nv) > 2)
    q[:, turned] += rng.uniform(-0.4, 0.4, (len(q), turned.sum()))
    q[:, 1:3] += rng.uniform(-0.05, 0.02, (len(q), 2))
    data, sites, axes = mujoco.MjData(mj), np.zeros((len(q), mj.nsite, 3)), np.zeros((len(q), mj.nv, 3))
    for k in range(len(q)):
        data.qpos[:] = q[k]
        mujoco.mj_kinematics(mj, data)
        sites[k], axes[k] = data.site_xpos, data.xaxis
    return made.assign(
        q=(made.q.dims, q),
        site_position=(made.site_position.dims, sites),
        joint_axis_world=(made.joint_axis_world.dims, axes),
        tau=(made.tau.dims, rng.normal(size=q.shape)),
    )


def tree(mj):
    """(body, parent, offset from its origin) in OpenSim's frame; the pelvis's is midway between the ASIS."""
    asis = mj.site_pos[[mj.site("asis_r").id, mj.site("asis_l").id]].mean(0)
    for name in USUAL:
        if name != "pelvis" and mujoco.mj_name2id(mj, mujoco.mjtObj.mjOBJ_BODY, name) >= 0:
            parent = mj.body(mj.body_parentid[mj.body(name).id]).name
            yield name, parent, TURN @ (mj.body_pos[mj.body(name).id] - (asis if parent == "pelvis" else 0))


def places_of(stride):
    """Places (N, 3) of bodies' first joints in OpenSim's frame."""
    mj = muscled.model(stride.attrs["amputation_side"]).mj
    data, found = mujoco.MjData(mj), {name: [] for name, *_ in tree(mj)}
    for q in stride.q.values:
        data.qpos[:] = q
        mujoco.mj_kinematics(mj, data)
        for name, places in found.items():
            places.append(TURN @ data.xanchor[mj.body(name).jntadr[0]])
    return {name: np.array(places) for name, places in found.items()}


def about(axis, degrees):
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.radians(degrees)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


@pytest.fixture(scope="module")
def stride():
    return moving(muscled.stride(side="none", knots=20))


@pytest.fixture(scope="module")
def bladed():
    return moving(muscled.stride(side="right", knots=20))


@pytest.fixture(scope="module")
def files(stride, tmp_path_factory):
    folder = tmp_path_factory.mktemp("opensim")
    return {path.name: path for path in export(stride, folder)}
