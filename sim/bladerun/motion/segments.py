"""A runner's model with segments as long as measured.

Takes a `Model` and a factor for each segment; gives a `Model` whose segments are so much longer, of the same
mass. Blades and sockets stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import mujoco
import numpy as np

from bladerun.body.joints import without_side
from bladerun.model import Model

SEGMENTS = {
    "pelvis": "pelvis", "thigh": "thigh", "shank": "shank", "achilles": "shank", "foot": "foot",
    "toes": "foot", "torso": "trunk", "upper_arm": "upper arm", "forearm": "forearm",
}  # fmt: skip
"""The segment of a body, by the body's name without side."""


def segment_of(mj: Any, body: int) -> str:
    """The segment that a body belongs to; "" where its length is given: blades, and limbs that wear one."""
    name = mj.body(body).name
    worn = any(
        mj.body(child).name.startswith("socket") and mj.body_parentid[child] == body
        for child in range(mj.nbody)
    )
    return "" if worn else SEGMENTS.get(without_side(name), "")


def factors_of(mj: Any, factor: Mapping[str, float]) -> np.ndarray:
    """(nbody,) of each body."""
    return np.array([1.0, *(factor.get(segment_of(mj, body), 1.0) for body in range(1, mj.nbody))])


def lengthen(mj: Any, original: Any, factor: Mapping[str, float]) -> None:
    """Places of bodies, joints and sites of a compiled model, from those of the original."""
    each = factors_of(original, factor)
    parent = np.where(original.body_parentid > 0, each[original.body_parentid], 1.0)
    mj.body_pos[:] = original.body_pos * parent[:, None]
    mj.jnt_pos[:] = original.jnt_pos * each[original.jnt_bodyid][:, None]
    mj.site_pos[:] = original.site_pos * each[original.site_bodyid][:, None]


def lengthened(model: Model, factor: Mapping[str, float]) -> Model:
    """The whole model, its text too; standing, its feet are on the ground as before."""
    spec = mujoco.MjSpec.from_string(model.xml)
    each = factors_of(model.mj, factor)
    for number, body in enumerate(spec.bodies[1:], start=1):
        own = each[number]
        parent = model.mj.body_parentid[number]
        body.pos = body.pos * (each[parent] if parent else 1.0)
        body.ipos, body.inertia = body.ipos * own, body.inertia * own**2
        for item in (*body.joints, *body.sites):
            item.pos = item.pos * own
        for geom in body.geoms:
            if np.isfinite(geom.fromto).all():
                geom.fromto = geom.fromto * own
            geom.pos = geom.pos * own
    down = _hip_to_sole(model, each)
    spec.body("pelvis").pos[2] += down
    spec.compile()
    xml = spec.to_xml()
    mj = mujoco.MjModel.from_xml_string(xml)
    mj.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_CONSTRAINT
    return replace(model, mj=mj, xml=xml, leg_length_m=model.leg_length_m + down)


def _hip_to_sole(model: Model, each: np.ndarray) -> float:
    """How much farther the sole of a sound leg is from the hip, of a blade its knee, m."""
    mj = model.mj
    suffix = next((s for s in "rl" if mujoco.mj_name2id(mj, mujoco.mjtObj.mjOBJ_BODY, f"foot_{s}") >= 0), "")
    more = 0.0
    for part, child in (("thigh", "shank"), ("shank", "foot")):
        if suffix or part == "thigh":
            s = suffix or "r"
            more -= (each[mj.body(f"{part}_{s}").id] - 1) * mj.body(f"{child}_{s}").pos[2]
    if suffix:
        foot = mj.body(f"foot_{suffix}").id
        lowest = min(mj.geom_pos[g, 2] for g in range(mj.ngeom) if mj.geom_bodyid[g] == foot)
        more -= (each[foot] - 1) * float(lowest)
    return float(more)
