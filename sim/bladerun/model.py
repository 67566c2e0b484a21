"""One compiled body: runner, amputation and fitting together.

Takes a `Runner`, an `Amputation` and a `Fitting`; gives a `Model`: the MuJoCo model, its XML and its index.
The XML is the truth: `Model.mj` is compiled from it, so any MuJoCo tool sees the same body.
"""

from dataclasses import dataclass

import mujoco
import numpy as np

from bladerun.fitting import Fitting
from bladerun.runner import ABLE_BODIED, Amputation, Runner, build_body


@dataclass(frozen=True)
class Model:
    """A runner ready to be solved.

    mj: compiled with contact and joint limits switched off (the stride has its own contact law and soft
    limits), otherwise equal to `xml`. joints: names; joint i is position i and velocity i. kind: "root",
    "driven" (has a motor) or "passive" per joint. strength (nv, 2): greatest moment in Nm in the negative and
    positive sense, 0 where not driven. mass_kg: whole, prostheses included. leg_length_m: hip joint centre to
    the ground of a sound leg in its shoe.
    """

    mj: mujoco.MjModel
    xml: str
    runner: Runner
    amputation: Amputation
    fitting: Fitting | None
    blade: object | None
    joints: tuple[str, ...]
    kind: tuple[str, ...]
    strength: np.ndarray
    mass_kg: float
    leg_length_m: float


def build_model(
    runner: Runner, amputation: Amputation = ABLE_BODIED, fitting: Fitting | None = None
) -> Model:
    """Compose and compile. Raises InputError for what cannot be built."""
    spec = build_body(runner, amputation)
    spec.compile()
    xml = spec.to_xml()
    mj = mujoco.MjModel.from_xml_string(xml)
    mj.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_CONSTRAINT
    joints = tuple(mj.joint(i).name for i in range(mj.njnt))
    strength = np.zeros((mj.nv, 2))
    driven = mj.actuator_trnid[:, 0]
    strength[driven] = np.abs(mj.actuator_ctrlrange)
    kind = tuple(
        "root" if name.startswith("pelvis_") else "driven" if i in driven else "passive"
        for i, name in enumerate(joints)
    )
    leg_length = float(mj.body("pelvis").pos[2])
    mass = float(mj.body_mass.sum())
    return Model(mj, xml, runner, amputation, None, None, joints, kind, strength, mass, leg_length)
