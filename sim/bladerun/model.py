"""One compiled body: runner, amputation and fitting together.

Takes a `Runner`, an `Amputation` and a `Fitting`; gives a `Model`: the MuJoCo model, its XML and its index.
The XML is the truth: `Model.mj` is compiled from it, so any MuJoCo tool sees the same body.
"""

from dataclasses import dataclass
from pathlib import Path

import mujoco
import numpy as np

from bladerun._files import atomic
from bladerun.blade import Blade, load_blade
from bladerun.errors import InputError
from bladerun.fitting import Fitting, Placement, place, resolve
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
    blade: Blade | None
    joints: tuple[str, ...]
    kind: tuple[str, ...]
    strength: np.ndarray
    mass_kg: float
    leg_length_m: float


def build_model(
    runner: Runner, amputation: Amputation = ABLE_BODIED, fitting: Fitting | None = None
) -> Model:
    """Compose and compile; an amputated runner needs a fitting, an able-bodied one has none.

    Raises InputError for what cannot be built: no such blade or category, a height out of reach, a residual
    limb that is too long.
    """
    blade = None
    if not amputation.suffixes:
        if fitting is not None:
            raise InputError("a fitting needs an amputated side; give side left, right or both", key="side")
        spec = build_body(runner)
    else:
        if fitting is None:
            raise InputError("an amputated runner needs a [fitting] with a blade", key="blade")
        blade, fitting = load_blade(fitting.blade), resolve(fitting, runner)
        spec = build_body(runner, amputation, prosthesis_kg=blade.mass_kg)
        placement = place(fitting, runner, amputation.residual_limb(runner))
        for suffix in amputation.suffixes:
            _wear(spec, suffix, blade, fitting, placement if suffix == "r" else placement.mirrored())
    return _compiled(spec, runner, amputation, fitting, blade)


def save_xml(model: Model, path: str | Path) -> None:
    """Write the composed model, with native contact and joint limits, whole or not at all."""
    with atomic(path) as tmp:
        tmp.write_text(model.xml, encoding="utf-8")


def _wear(spec, suffix: str, blade: Blade, fitting: Fitting, placement: Placement) -> None:
    """Attach the blade to the socket, a bracket between them, and let its sole touch the floor."""
    socket = spec.body(f"socket_{suffix}")
    pos = placement.pos - socket.pos
    blade.attach(
        socket,
        suffix=suffix,
        category=float(fitting.category),
        clamp_to_ground_m=placement.clamp_to_ground_m,
        pos=pos,
        quat=placement.quat,
    )
    for geom in spec.geoms:
        if geom.name.startswith(f"contact_{suffix}_"):
            spec.add_pair(geomname1="floor", geomname2=geom.name)


def _compiled(spec, runner, amputation, fitting, blade) -> Model:
    spec.compile()
    xml = spec.to_xml()
    mj = mujoco.MjModel.from_xml_string(xml)
    mj.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_CONSTRAINT
    joints = tuple(mj.joint(i).name for i in range(mj.njnt))
    driven = mj.actuator_trnid[:, 0]
    strength = np.zeros((mj.nv, 2))
    strength[driven] = np.abs(mj.actuator_ctrlrange)
    kind = tuple(
        "root" if name.startswith("pelvis_") else "driven" if i in driven else "passive"
        for i, name in enumerate(joints)
    )
    mass, leg_length = float(mj.body_mass.sum()), float(mj.body("pelvis").pos[2])
    return Model(mj, xml, runner, amputation, fitting, blade, joints, kind, strength, mass, leg_length)
