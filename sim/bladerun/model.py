"""One compiled body: runner, amputation and fitting together.

Takes a `Runner`, an `Amputation`, a `Fitting` and, where the facts behind them are in doubt, a `Variation`;
gives a `Model`: the MuJoCo model, its XML and its index.
The XML is the truth: `Model.mj` is compiled from it, so any tool of MuJoCo 3.7 or newer sees the same body.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mujoco
import numpy as np

from bladerun._lib import data_files
from bladerun._lib.files import atomic
from bladerun.blade.chain import sole_spheres
from bladerun.blade.running_blade import Blade
from bladerun.body.build import build_body
from bladerun.body.joints import Joints, joints_of, write_sides
from bladerun.body.knee_unit import KneeUnit
from bladerun.body.runner import ABLE_BODIED, Amputation, Runner
from bladerun.body.variation import NOMINAL, Variation, vary
from bladerun.errors import InputError
from bladerun.fitting import Fitting, blade_of, resolve
from bladerun.placement import Placement, placements

_JOINT, _TENDON = mujoco.mjtTrn.mjTRN_JOINT, mujoco.mjtTrn.mjTRN_TENDON  # what motors and muscles act on


@dataclass(frozen=True)
class Model:
    """A runner ready to be solved.

    Attributes
    ----------
    mj
        A `mujoco.MjModel`, compiled with contact and joint limits switched off (the stride has its own
        contact law and soft limits), otherwise equal to `xml`.
    xml
        The same as text, with native contact and joint limits.
    runner
        Who runs.
    amputation
        What is missing.
    fitting
        What is worn; None without an amputation.
    blades
        Of the legs that wear one, by side.
    joints
        Names; joint i is position i and velocity i.
    joint_data
        Role, part and side of each.
    muscles
        Names, in the order of MuJoCo's actuators.
    strength
        (nv, 2) greatest moment in Nm in the negative and positive sense, 0 where nothing drives it; where the
        motor is a reserve beside muscles, that of the whole joint.
    reserve
        (nv, 2) the same of that motor alone, 0 where it is none.
    mass_kg
        Whole, prostheses included.
    leg_length_m
        Hip joint centre to the ground of a sound leg in its shoe.
    variation
        Already in `mj`, but for what it says of the reference gait, which the stride's cost reads.
    """

    mj: Any  # mujoco.MjModel, whose module has no types
    xml: str
    runner: Runner
    amputation: Amputation
    fitting: Fitting | None
    blades: Mapping[str, Blade]
    joints: tuple[str, ...]
    joint_data: Joints
    muscles: tuple[str, ...]
    strength: np.ndarray
    reserve: np.ndarray
    mass_kg: float
    leg_length_m: float
    variation: Variation

    def knee_bends(self, side: str) -> bool:
        """Whether this leg wears a prosthetic knee with an axis."""
        worn = self.fitting is not None and side in self.amputation.sides
        knee = self.fitting.of(side).knee if worn and self.fitting else "none"
        return knee != "none" and KneeUnit(knee).bends


def build_model(
    runner: Runner,
    amputation: Amputation = ABLE_BODIED,
    fitting: Fitting | None = None,
    variation: Variation = NOMINAL,
) -> Model:
    """Compose and compile the model of a runner.

    Parameters
    ----------
    runner
        Who runs.
    amputation
        What is missing; nothing where left out.
    fitting
        What is worn: an amputated runner needs one, an able-bodied one has none.
    variation
        How far uncertain inputs are off.

    Returns
    -------
    Model
        Ready for `solve`.

    Raises
    ------
    InputError
        For what cannot be built: no such blade or category, a height out of reach, a residual limb that is
        too long.
    """
    blades: dict[str, Blade] = {}
    if not amputation.suffixes:
        if fitting is not None:
            raise InputError("a fitting needs an amputated side; give side left, right or both", key="side")
        spec = build_body(runner)
    else:
        if fitting is None:
            raise InputError("an amputated runner needs a [fitting] with a blade", key="blade")
        fitting = resolve(fitting, runner)
        placed = placements(fitting, runner, amputation)
        spec = build_body(runner, amputation, prostheses_kg=sum(each.mass_kg for each in placed.values()))
        for side, placement in placed.items():
            placement = placement.off_by(variation.fore_aft_mm, variation.sagittal_deg, variation.toe_out_deg)
            leg = fitting.of(side)
            blades[side] = blade_of(leg)
            _wear(spec, side[0], blades[side], leg, placement if side == "right" else placement.mirrored())
    vary(spec, variation)
    return _compiled(spec, runner, amputation, fitting, blades, variation)


def save_xml(model: Model, path: str | Path) -> None:
    """Write the composed model, with native contact and joint limits, whole or not at all.

    Parameters
    ----------
    model
        What `build_model` gave.
    path
        The file, MuJoCo's XML.

    Raises
    ------
    InputError
        Where the file cannot be written.
    """
    with atomic(path) as tmp:
        tmp.write_text(model.xml, encoding="utf-8")


def motor_strength(mj: mujoco.MjModel) -> np.ndarray:
    """(nv, 2) greatest moment (Nm, > 0) of each motor in the negative and positive sense; 0 without."""
    strength = np.zeros((mj.nv, 2))
    for i in np.flatnonzero(mj.actuator_trntype == _JOINT):
        strength[mj.actuator_trnid[i, 0]] = np.abs(mj.actuator_ctrlrange[i])
    return strength


def joint_strength(mj: mujoco.MjModel) -> np.ndarray:
    """(nv, 2) greatest moment (Nm, > 0) in the negative and positive sense of each joint; 0 without a motor.

    Where the motor is a reserve beside muscles, what the joint as a whole is taken to give.
    """
    reserve = joints_of(mj).of(role="muscle")[:, None]
    return motor_strength(mj) / np.where(reserve, data_files.toml("body.toml")["reserve"]["fraction"], 1.0)


def _wear(spec, suffix: str, blade: Blade, fitting: Fitting, placement: Placement) -> None:
    """Attach the blade to the socket, or to the knee under it, and let its sole touch the floor."""
    carrier = spec.body(f"socket_{suffix}")
    pos = placement.pos - carrier.pos
    if knee := placement.knee:
        pos = placement.pos
        damping = (fitting.knee_damping_flexion, fitting.knee_damping_extension)
        at = {"pos": knee.pos - carrier.pos, "quat": knee.quat, "clamp_m": -float(pos[2])}
        carrier = knee.unit.attach(spec, carrier, suffix, damping=damping, **at)
    blade.attach(
        carrier,
        suffix=suffix,
        category=float(fitting.category),
        clamp_to_ground_m=placement.clamp_to_ground_m,
        pos=pos,
        quat=placement.quat,
    )
    _draw_mount(carrier, suffix, blade, pos, placement.quat)
    for name in sole_spheres(suffix):
        spec.add_pair(geomname1="floor", geomname2=name)


def _draw_mount(socket, suffix: str, blade: Blade, clamp: np.ndarray, quat: np.ndarray) -> None:
    """Two bolts from the socket to the tab behind it, or a stub down to the pylon's clamp."""
    if blade.shape == "J":
        up = np.zeros(3)
        mujoco.mju_rotVecQuat(up, np.array([0.0, 0.0, 1.0]), quat)
        lines = [((0.0, 0.0, at[2]), at) for at in (clamp + 0.015 * up, clamp + 0.075 * up)]
    else:
        lines = [((0.0, 0.0, clamp[2] + 0.03), clamp)]
    for k, (start, end) in enumerate(lines):
        socket.add_geom(
            name=f"mount{k}_{suffix}",
            type=mujoco.mjtGeom.mjGEOM_CAPSULE,
            material="socket",
            size=[0.014, 0, 0],
            fromto=[*start, *end],
            contype=0,
            conaffinity=0,
            mass=0.0,
            group=1,
        )


def _native_contact(spec) -> None:
    """Give every pair the linear spring and damper that the ground law has at a typical depth.

    MuJoCo's force is k r / ((1 - d) A) for solref = (-k, -b), constant impedance d and the inverse weight A
    of the touching body; so k = K depth^0.5 (1 - d) A meets the law's force at that depth, b likewise.
    """
    law = data_files.toml("body.toml")["native_contact"]
    depth, d = law["depth_m"], law["impedance"]
    model = spec.compile()
    for pair in spec.pairs:
        geom = model.geom(pair.geomname2)
        stiffness, damping, friction = model.geom_user[geom.id][:3]
        unit = (1.0 - d) * model.body_invweight0[geom.bodyid[0], 0]
        spring = -stiffness * depth**0.5 * unit
        pair.solref = [spring, -damping * stiffness * depth**1.5 * unit]
        pair.solreffriction = [spring, -law["slip_damping_ns_m"] * unit]
        pair.solimp = [d, d, depth, 0.5, 1.0]
        pair.friction = [friction, friction, 1e-3, 1e-4, 1e-4]


def _compiled(spec, runner, amputation, fitting, blades, variation) -> Model:
    write_sides(spec)
    _native_contact(spec)
    spec.compile()
    xml = spec.to_xml()
    mj = mujoco.MjModel.from_xml_string(xml)
    mj.opt.disableflags |= mujoco.mjtDisableBit.mjDSBL_CONSTRAINT
    data = joints_of(mj)
    return Model(
        mj=mj,
        xml=xml,
        runner=runner,
        amputation=amputation,
        fitting=fitting,
        blades=blades,
        joints=data.name,
        joint_data=data,
        muscles=tuple(mj.actuator(i).name for i in np.flatnonzero(mj.actuator_trntype == _TENDON)),
        strength=joint_strength(mj),
        reserve=np.where(data.of(role="muscle")[:, None], motor_strength(mj), 0.0),
        mass_kg=float(mj.body_mass.sum()),
        leg_length_m=float(mj.body("pelvis").pos[2]),
        variation=variation,
    )
