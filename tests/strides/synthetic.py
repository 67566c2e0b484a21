"""A made-up stride whose outcomes are known in closed form: bell-shaped forces, a linear blade, a plain body.

Takes what the law under test needs; gives a Stride dataset like the solver's, on a right transtibial
runner of 75 kg with straight legs of 0.9 m.
"""

import json

import mujoco
import numpy as np
import xarray as xr

from bladerun._lib.table import plain
from bladerun.cost import Cost
from bladerun.environment import Environment
from bladerun.options import SolverOptions
from bladerun.task import Task

MASS, GRAVITY, SPEED, PERIOD, LEG = 75.0, 9.81, 3.0, 0.7, 0.9
WEIGHT = MASS * GRAVITY
JOINTS = """
<mujoco><option gravity="0 0 -9.81"/><worldbody>
 <body name="pelvis" pos="0 0 0.9">
  <joint name="pelvis_tx" type="slide" axis="1 0 0"/><joint name="pelvis_ty" type="slide" axis="0 1 0"/>
  <joint name="pelvis_tz" type="slide" axis="0 0 1"/><joint name="pelvis_tilt" axis="0 1 0"/>
  <joint name="pelvis_list" axis="-1 0 0"/><joint name="pelvis_rotation" axis="0 0 1"/>
  <geom size=".1" mass="20"/>
  <site name="psis_r" pos="-.1 -.05 .1"/><site name="psis_l" pos="-.1 .05 .1"/>
  <site name="asis_r" pos=".05 -.12 .08"/><site name="asis_l" pos=".05 .12 .08"/>
  <site name="hip_r" pos="0 -.08 0"/><site name="hip_l" pos="0 .08 0"/>
  <body name="torso" pos="0 0 .1">
   <joint name="lumbar_extension" axis="0 -1 0"/><joint name="lumbar_bending" axis="1 0 0"/>
   <joint name="lumbar_rotation" axis="0 0 1"/>
   <geom type="capsule" fromto="0 0 .1 0 0 .4" size=".1" mass="35"/>
  </body>
  <body name="thigh_r" pos="0 -.08 0">
   <joint name="hip_flexion_r" axis="0 -1 0"/><joint name="hip_adduction_r" axis="1 0 0"/>
   <joint name="hip_rotation_r" axis="0 0 1"/>
   <geom type="capsule" fromto="0 0 0 0 0 -.4" size=".06" mass="6"/>
   <body name="shank_r" pos="0 0 -.4"><joint name="knee_flexion_r" axis="0 1 0"/><site name="knee_r"/>
    <geom type="capsule" fromto="0 0 0 0 0 -.2" size=".05" mass="3"/>
    <body name="socket_r" pos="0 0 -.2">
     <joint name="socket_pistoning_r" type="slide" axis="0 0 1"/>
     <joint name="socket_flexion_r" axis="0 -1 0" stiffness="800"/>
     <joint name="socket_rotation_r" axis="0 0 1" stiffness="100" damping="2"/>
     <geom size=".05" mass="1"/>
     <site name="blade_clamp_r"/><site name="blade_tip_r" pos=".1 0 -.3"/>
     <geom type="capsule" fromto="0 0 0 .1 0 -.3" size=".01" mass=".5"/>SOLEBENDS
    </body></body></body>
  <body name="thigh_l" pos="0 .08 0">
   <joint name="hip_flexion_l" axis="0 -1 0"/><joint name="hip_adduction_l" axis="-1 0 0"/>
   <joint name="hip_rotation_l" axis="0 0 -1"/>
   <geom type="capsule" fromto="0 0 0 0 0 -.4" size=".06" mass="6"/>
   <body name="shank_l" pos="0 0 -.4"><joint name="knee_flexion_l" axis="0 1 0"/><site name="knee_l"/>
    <geom type="capsule" fromto="0 0 0 0 0 -.4" size=".05" mass="3"/>
    <body name="foot_l" pos="0 0 -.45"><joint name="ankle_dorsiflexion_l" axis="0 -1 0"/>
     <site name="ankle_l"/><site name="heel_l" pos="-.05 0 -.05"/><site name="toe_l" pos=".2 0 -.05"/>
     <geom type="capsule" fromto="-.05 0 -.03 .2 0 -.03" size=".02" mass="1"/>
    </body></body></body>
 </body></worldbody><actuator>DRIVEN</actuator></mujoco>"""
DRIVEN = [f"lumbar_{axis}" for axis in ("extension", "bending", "rotation")] + ["ankle_dorsiflexion_l"]
DRIVEN += [
    f"{joint}_{side}"
    for side in "rl"
    for joint in ("hip_flexion", "hip_adduction", "hip_rotation", "knee_flexion")
]
BEND = (
    '<body><joint name="blade_bend{}_r" axis="0 -1 0" stiffness="500"/><geom size=".01" mass=".01"/></body>'
)
SOLE = [("blade_laminate0_r", -0.05, 0, -0.1), ("blade_laminate1_r", 0.1, 0, -0.28)]
SOLE += [
    (f"contact_r_{i}", x, y, -0.29)
    for i, (x, y) in enumerate(((0.04, -0.03), (0.04, 0.03), (0.1, -0.03), (0.1, 0.03)))
]
XML = JOINTS.replace("DRIVEN", "".join(f'<motor name="{j}" joint="{j}"/>' for j in DRIVEN)).replace(
    "BENDS", "".join(BEND.format(i) for i in range(1, 6))
)
XML = XML.replace(
    "SOLE", "".join(f'<geom name="{n}" pos="{x} {y} {z}" size=".01" mass="0"/>' for n, x, y, z in SOLE)
)


def bell(time, start, length, period=PERIOD):
    """sin^2 over [start, start + length], zero elsewhere, repeated with the period."""
    phase = (time - start) % period
    return np.where(phase < length, np.sin(np.pi * phase / length) ** 2, 0.0)


PARTS = {
    "pelvis": "pelvis", "lumbar": "trunk", "hip": "hip", "knee": "knee", "ankle": "ankle", "socket": "socket",
    "blade": "blade",
}  # fmt: skip


def labels(joints):
    """What each joint is, as the builders of bodies write it, by the names of this file."""
    part = [PARTS[joint.split("_")[0]] for joint in joints]
    role = [
        "root"
        if p == "pelvis"
        else "passive"
        if p in ("socket", "blade")
        else "motor"
        if p == "trunk"
        else "muscle"
        for p in part
    ]
    side = [{"_r": "right", "_l": "left"}.get(joint[-2:], "") for joint in joints]
    return {
        "joint": joints, "joint_role": ("joint", role), "joint_part": ("joint", part),
        "joint_side": ("joint", side),
    }  # fmt: skip


def asked(speed_m_s):
    """Attributes that say what a stride was asked for: the usual."""
    return {
        "task": json.dumps(plain(Task(speed_m_s))),
        "cost": json.dumps(plain(Cost.default())),
        "environment": json.dumps(plain(Environment.default())),
        "options": json.dumps(plain(SolverOptions.default())),
    }


def stride(
    *,
    knots=180,
    angles=None,
    moments=None,
    contact=0.25,
    right_down=0.02,
    left_down=0.37,
    peak_n=1800.0,
    fore_aft=None,
    foot_ahead_m=0.2,
    com_height=None,
    affected="right",
):
    """The dataset. Functions of time: `angles` {joint: rad}, `moments` {joint: Nm}, `com_height` (m);
    of the part of contact: `fore_aft`, share of peak_n. Each foot lands `foot_ahead_m` ahead of the
    centre of mass and stays; the blade bends with its load."""
    time = np.arange(knots) * PERIOD / knots
    model = mujoco.MjModel.from_xml_string(XML)
    data = mujoco.MjData(model)
    joints = [model.joint(j).name for j in range(model.njnt)]
    sites = [model.site(s).name for s in range(model.nsite)]

    def bend(t):
        return 0.05 * bell(t, right_down, contact)

    angles = {f"blade_bend{i}_r": bend for i in range(1, 6)} | (angles or {})

    def table(functions):
        assert set(functions) <= set(joints)
        return np.stack([functions.get(j, np.zeros_like)(time) + 0 * time for j in joints], axis=1)

    q, tau = table(angles), table(moments or {})
    v = np.gradient(np.concatenate([q, q, q]), PERIOD / knots, axis=0, edge_order=2)[knots : 2 * knots]
    q[:, 0], v[:, 0] = SPEED * time, SPEED
    axes, positions = np.empty((knots, len(joints), 3)), np.empty((knots, len(sites), 3))
    for k in range(knots):
        data.qpos[:] = q[k]
        mujoco.mj_kinematics(model, data)
        axes[k], positions[k] = data.xaxis, data.site_xpos
    height = (com_height or (lambda t: 1.0 - 0.05 * np.cos(4 * np.pi * t / PERIOD)))(time)
    com = np.stack([SPEED * time, 0 * time, height], axis=1)
    com_velocity = np.stack([SPEED + 0 * time, 0 * time, np.gradient(height, time)], axis=1)
    downs = {"right": right_down, "left": left_down}
    grf, spots = np.zeros((knots, 2, 3)), np.zeros((knots, 2, 3))
    for i, (side, y) in enumerate([("right", -0.05), ("left", 0.05)]):
        phase = (time - downs[side]) % PERIOD
        grf[:, i, 2] = peak_n * bell(time, downs[side], contact)
        if fore_aft is not None:
            grf[:, i, 0] = np.where(phase < contact, peak_n * fore_aft(phase / contact), 0.0)
        centred = (phase + PERIOD / 2) % PERIOD - PERIOD / 2  # continuous around touchdown
        spots[:, i, 0] = SPEED * (time - centred) + foot_ahead_m
        spots[:, i, 1] = y
    spots[:, :, 0] = np.where(grf[:, :, 2] > 0, spots[:, :, 0], SPEED * time[:, None])
    compression = np.full((knots, 2), np.nan)
    compression[:, 0] = grf[:, 0, 2] / 25e3
    energy = 0.5 * 25e3 * compression**2
    strain = np.full((knots, 2), np.nan)
    strain[:, 0] = 5.0 * np.abs(q[:, joints.index("blade_bend1_r")])  # of the allowable, in proportion
    names = ["contact_r_0", "contact_l_0"]
    return xr.Dataset(
        {
            "q": (("time", "joint"), q),
            "v": (("time", "joint"), v),
            "a": (("time", "joint"), np.zeros_like(q)),
            "tau": (("time", "joint"), tau),
            "grf": (("time", "side", "xyz"), grf),
            "cop": (("time", "side", "xyz"), np.where(grf[:, :, 2:] >= 30, spots, np.nan)),
            "contact_force": (("time", "contact", "xyz"), grf),
            "contact_position": (("time", "contact", "xyz"), spots),
            "contact_depth": (("time", "contact"), grf[:, :, 2] / 4e5),
            "com": (("time", "xyz"), com),
            "com_velocity": (("time", "xyz"), com_velocity),
            "site_position": (("time", "site", "xyz"), positions),
            "joint_axis_world": (("time", "joint", "xyz"), axes),
            "blade_energy": (("time", "side"), energy),
            "blade_loss": (("time", "side"), 0.8 * energy),
            "socket_energy": (("time", "side"), 0 * energy),
            "blade_compression": (("time", "side"), compression),
            "blade_strain": (("time", "side"), strain),
            "objective_term": (("term",), np.array([0.6, 0.3])),
        },
        coords={
            "time": time,
            **labels(joints),
            "side": ["right", "left"],
            "xyz": list("xyz"),
            "site": sites,
            "contact": names,
            "contact_side": ("contact", ["right", "left"]),
            "term": ["effort", "tracking"],
        },
        attrs={
            "stride_time_s": PERIOD,
            "speed_m_s": SPEED,
            "mass_kg": MASS,
            "gravity": GRAVITY,
            "leg_length_m": LEG,
            "status": "converged",
            "why": "",
            "model_xml": XML,
            "blade": "j-sprint",
            "amputation_side": affected,
            "runner": json.dumps({"mass_kg": MASS, "height_m": 1.76, "sex": "male", "strength": 1.0}),
            "amputation": json.dumps({"side": affected, "level": "transtibial", "residual_limb_m": 0.16}),
            "fitting": json.dumps(
                {"blade": "j-sprint", "category": 4, "height_mm": 30, "toe_out_deg": 0, "sagittal_deg": 10}
            ),
            **asked(SPEED),
        },
    )
