"""A made-up stride without any symmetry, and the functions of time that it was made from.

Uneven knots, skewed load of another size and length on either foot, hips beside the centre of mass,
pelvis and trunk that turn, moments that change sign. Takes a number of knots; gives a Stride dataset like
the solver's on the body of `synthetic` with its right blade, and by `mirrored` that of a left one.
Functions take times (s) of any shape; forward places are in the frame that runs along.
"""

import json
import re
import xml.etree.ElementTree as ET
from functools import cache

import mujoco
import numpy as np
import xarray as xr

from strides.synthetic import PERIOD, SPEED, XML
from strides.synthetic import stride as plain_stride

RATE = 2 * np.pi / PERIOD
DOWN, CONTACT, PEAK_N = {"r": 0.05, "l": 0.38}, {"r": 0.26, "l": 0.22}, {"r": 1900.0, "l": 2150.0}
SPHERES = {  # ahead, to the left and up of the leg's place (m), share of its load at the start and the end
    "contact_r_0": (-0.06, -0.03, 0.010, 0.6, 0.0), "contact_r_1": (-0.05, 0.03, 0.012, 0.4, 0.1),
    "contact_r_2": (0.10, -0.045, 0.015, 0.0, 0.6), "contact_r_3": (0.11, 0.02, 0.011, 0.0, 0.3),
    "contact_l_0": (-0.10, 0.01, 0.020, 0.9, 0.2), "contact_l_1": (0.12, -0.02, 0.018, 0.1, 0.8),
}  # fmt: skip
ANGLES = {  # mean, and size and phase of the first and second harmonic (rad; m where it slides)
    "pelvis_ty": (0.01, 0.015, 0.3, 0.0, 0.0), "pelvis_tz": (0.02, 0.006, 1.0, 0.03, 0.4),
    "pelvis_tilt": (0.20, 0.01, 0.0, 0.04, 0.5), "pelvis_list": (0.015, 0.07, 0.8, 0.01, 0.0),
    "pelvis_rotation": (-0.02, 0.11, 2.1, 0.01, 1.0), "lumbar_extension": (-0.1, 0.02, 0.2, 0.05, 0.9),
    "lumbar_bending": (0.03, 0.12, 1.4, 0.02, 0.1), "lumbar_rotation": (0.01, 0.2, 2.6, 0.03, 0.7),
    "hip_flexion_r": (0.3, 0.6, 1.1, 0.1, 0.5), "hip_flexion_l": (0.25, 0.55, 4.0, 0.12, 0.9),
    "hip_adduction_r": (0.02, 0.08, 0.4, 0.02, 0.1), "hip_adduction_l": (0.05, 0.06, 3.1, 0.03, 0.8),
    "hip_rotation_r": (0.04, 0.10, 0.9, 0.05, 0.2), "hip_rotation_l": (-0.03, 0.09, 3.6, 0.02, 1.2),
    "knee_flexion_r": (0.7, 0.5, 0.2, 0.2, 0.3), "knee_flexion_l": (0.8, 0.6, 3.5, 0.15, 0.6),
    "ankle_dorsiflexion_l": (0.1, 0.3, 2.9, 0.1, 0.4), "socket_pistoning_r": (0.001, 0.002, 0.1, 0.001, 0.0),
    "socket_flexion_r": (0.01, 0.02, 0.5, 0.01, 0.2), "socket_rotation_r": (0.02, 0.05, 0.7, 0.03, 1.3),
    "blade_bend1_r": (0.03, 0.03, 5.0, 0.01, 0.0), "blade_bend2_r": (0.02, 0.02, 5.1, 0.01, 0.1),
}  # fmt: skip
MOMENTS = {  # Nm, likewise; not the derivatives of anything
    "lumbar_extension": (10.0, 25.0, 0.4, 40.0, 0.3), "lumbar_bending": (-5.0, 33.0, 2.0, 8.0, 0.1),
    "lumbar_rotation": (4.0, 21.0, 0.9, 9.0, 0.8), "hip_flexion_r": (-15.0, 130.0, 3.0, 30.0, 0.6),
    "hip_flexion_l": (-20.0, 150.0, 0.1, 25.0, 0.2), "hip_adduction_r": (-30.0, 95.0, 3.3, 20.0, 0.9),
    "hip_adduction_l": (-25.0, 105.0, 0.4, 15.0, 0.7), "hip_rotation_r": (3.0, 28.0, 0.3, 16.0, 1.9),
    "hip_rotation_l": (-2.0, 31.0, 3.0, 14.0, 2.2), "knee_flexion_r": (-40.0, 70.0, 0.5, 60.0, 0.2),
    "knee_flexion_l": (-35.0, 110.0, 3.9, 50.0, 0.5), "ankle_dorsiflexion_l": (-45.0, 120.0, 3.8, 20.0, 0.3),
    "blade_bend1_r": (60.0, 20.0, 0.1, 5.0, 0.0), "pelvis_list": (7.0, 9.0, 0.2, 3.0, 0.1),
}  # fmt: skip
PLACE = {
    "r": (0.05, 0.02, 1.3, 0.03),
    "l": (0.03, 0.03, 4.3, 0.02),
}  # of the foot in mid load; how it rolls on
LIFT = {"r": (0.06, 0.06, 4.9, 0.01), "l": (0.07, 0.07, 1.9, 0.015)}
FLIPPED = re.compile(r"_ty$|_list|pelvis_rotation|lumbar_bending|lumbar_rotation")


def wave(mean, first, phase, second, later):
    """Function of time from its mean and two harmonics."""
    return lambda t: mean + first * np.sin(RATE * t + phase) + second * np.sin(2 * RATE * t + later)


def angle(joint):
    """Function of time (rad, m): a joint's position, without what the pelvis runs forward."""
    return wave(*ANGLES.get(joint, (0.0,) * 5))


def moment(joint):
    return wave(*MOMENTS.get(joint, (0.0,) * 5))


def phase(t, s):
    """0 to 1 over the load of the foot, beyond 1 in the air."""
    return (t - DOWN[s]) % PERIOD / CONTACT[s]


def vertical(t, s):
    """N: early and skewed on the right, even on the left."""
    p = np.minimum(phase(t, s), 1.0)
    return PEAK_N[s] * (p**2 * (1 - p) ** 3 / 0.03456 if s == "r" else 16 * p**2 * (1 - p) ** 2)


def forward(t, s):
    """N: braking, then propulsion."""
    return vertical(t, s) * {"r": 0.30, "l": 0.22}[s] * (phase(t, s) - {"r": 0.45, "l": 0.55}[s])


def sideways(t, s):
    return vertical(t, s) * {"r": 0.05, "l": -0.04}[s]


def sphere(t, name):
    """Its place (..., 3) and its vertical force (...)."""
    s = name[8]
    x, y, z, early, late = SPHERES[name]
    since = (t - DOWN[s] - CONTACT[s] / 2 + PERIOD / 2) % PERIOD - PERIOD / 2
    at = PLACE[s][0] + PLACE[s][1] * np.cos(RATE * t + PLACE[s][2]) + x - SPEED * since
    up = np.maximum(LIFT[s][0] + LIFT[s][1] * np.cos(RATE * t + LIFT[s][2]), -1) + z
    side = {"r": -0.06, "l": 0.045}[s] + y + PLACE[s][3] * np.sin(RATE * t)
    p = np.minimum(phase(t, s), 1.0)
    return np.stack(np.broadcast_arrays(at, side, up), -1), vertical(t, s) * (early + (late - early) * p)


def com(t):
    """(..., 3) m."""
    x, y = 0.02 * np.sin(2 * RATE * t + 0.3), 0.012 * np.sin(RATE * t + 0.2)
    return np.stack([x, y, 1.0 - 0.045 * np.cos(2 * RATE * (t - 0.16)) + 0.006 * np.sin(RATE * t + 1)], -1)


def com_velocity(t):
    """(..., 3) m/s."""
    x = SPEED + 0.04 * RATE * np.cos(2 * RATE * t + 0.3)
    z = 0.09 * RATE * np.sin(2 * RATE * (t - 0.16)) + 0.006 * RATE * np.cos(RATE * t + 1)
    return np.stack([x, 0.012 * RATE * np.cos(RATE * t + 0.2), z], -1)


def energy(t):
    """J in the blade: greatest later than the load, and some left at toe-off."""
    return 25.0 + 21.0 * np.sin(RATE * t - 0.55) + 2.0 * np.sin(2 * RATE * t)


def loss(t):
    """W in the blade."""
    return 30.0 + 25.0 * np.sin(RATE * t - 0.2)


def compression(t):
    """m of the blade."""
    return 0.045 + 0.03 * np.sin(RATE * t - 0.4)


def strain(t):
    """Of the allowable."""
    return 0.4 + 0.35 * np.sin(RATE * t - 0.3) + 0.02 * np.sin(2 * RATE * t + 1)


@cache
def model():
    return mujoco.MjModel.from_xml_string(XML)


def posed(times, *sites):
    """Places (site, N, 3) by MuJoCo at times (N,), forward in the frame that runs along."""
    mj, data = model(), mujoco.MjData(model())
    found = np.empty((len(sites), len(times), 3))
    q = np.stack([angle(mj.joint(j).name)(np.asarray(times)) for j in range(mj.njnt)], -1)
    for k, now in enumerate(q):
        data.qpos[:] = now
        mujoco.mj_kinematics(mj, data)
        found[:, k] = [data.site(site).xpos for site in sites]
    return found


def stride(knots=240):
    """The dataset: a right blade."""
    even = np.arange(knots) / knots
    time = PERIOD * (even + 0.5 * (np.sin(2 * np.pi * even + 1) - np.sin(1)) / (2 * np.pi))
    mj, data = model(), mujoco.MjData(model())
    joints, sites = [mj.joint(j).name for j in range(mj.njnt)], [mj.site(s).name for s in range(mj.nsite)]
    q, tau = (np.stack([make(j)(time) for j in joints], -1) for make in (angle, moment))
    v = np.stack([_rate(*ANGLES.get(j, (0.0,) * 5))(time) for j in joints], -1)
    run = SPEED * time
    q[:, 0], v[:, 0] = run, SPEED
    axes, places = np.empty((knots, len(joints), 3)), np.empty((knots, len(sites), 3))
    for k in range(knots):
        data.qpos[:] = q[k]
        mujoco.mj_kinematics(mj, data)
        axes[k], places[k] = data.xaxis, data.site_xpos
    along = run[:, None] * [1.0, 0.0, 0.0]
    spheres = [sphere(time, name) for name in SPHERES]
    push = np.stack([np.stack([0 * load, 0 * load, load], -1) for _, load in spheres], 1)
    grf = np.stack([np.stack([f(time, s) for f in (forward, sideways, vertical)], -1) for s in "rl"], 1)
    none, spots = np.full(knots, np.nan), np.stack([place for place, _ in spheres], 1) + along[:, None]
    made = plain_stride(knots=knots)
    made = made.drop_vars(
        [*(n for n in made.data_vars if n != "objective_term"), "contact", "contact_side", "time"]
    )
    blade = {"energy": energy, "loss": loss, "compression": compression, "strain": strain}
    return made.assign(
        {
            "q": (("time", "joint"), q), "v": (("time", "joint"), v), "a": (("time", "joint"), 0 * q),
            "tau": (("time", "joint"), tau), "grf": (("time", "side", "xyz"), grf),
            "contact_force": (("time", "contact", "xyz"), push),
            "contact_position": (("time", "contact", "xyz"), spots),
            "com": (("time", "xyz"), com(time) + along),
            "com_velocity": (("time", "xyz"), com_velocity(time)),
            "site_position": (("time", "site", "xyz"), places),
            "joint_axis_world": (("time", "joint", "xyz"), axes),
            **{f"blade_{n}": (("time", "side"), np.stack([f(time), none], -1)) for n, f in blade.items()},
        }
    ).assign_coords(
        time=time, contact=list(SPHERES),
        contact_side=("contact", ["right" if name[8] == "r" else "left" for name in SPHERES]),
    )  # fmt: skip


def _rate(mean, first, phase, second, later):
    return lambda t: RATE * (first * np.cos(RATE * t + phase) + 2 * second * np.cos(2 * RATE * t + later))


# --- The other side ---------------------------------------------------------------------------------------


def swapped(name):
    """The same of the other leg: `contact_l_0` of `contact_r_0`."""
    return re.sub(r"_([rl])(?=_|$)", lambda found: "_l" if found[1] == "r" else "_r", name)


def mirrored(made):
    """The stride in a mirror beside the runner: left is right, y is -y; what a leg has keeps its sign."""
    turned = {"left": "right", "right": "left", "": ""}
    out = made.copy(deep=True)
    for name in ("joint", "site", "contact", "muscle"):
        if name in out.coords:
            out = out.assign_coords({name: [swapped(str(each)) for each in out[name].values]})
    for name in ("joint_side", "contact_side"):
        out = out.assign_coords({name: (name.split("_")[0], [turned[str(s)] for s in out[name].values])})
    for name, values in out.data_vars.items():
        if "side" in values.dims:
            out[name] = (values.dims, np.flip(values.values, values.dims.index("side")))
        if "xyz" in values.dims and name != "joint_axis_world":
            out[name] = out[name] * xr.DataArray([1.0, -1.0, 1.0], {"xyz": list("xyz")})
    flipped = np.array([bool(FLIPPED.search(str(joint))) for joint in out.joint.values])
    for name in ("q", "v", "a", "tau"):
        out[name] = out[name] * xr.DataArray(np.where(flipped, -1.0, 1.0), {"joint": out.joint})
    slides = np.array([str(j)[-3:-1] == "_t" or "pistoning" in str(j) for j in out.joint.values])
    plane = np.where(flipped[:, None], [1.0, -1.0, 1.0], [-1.0, 1.0, -1.0])  # a turn's axis is no arrow
    plane[slides] = [1.0, 1.0, 1.0]
    out["joint_axis_world"] = out.joint_axis_world * xr.DataArray(plane, dims=("joint", "xyz"))
    out.attrs["amputation_side"] = turned.get(made.attrs["amputation_side"], made.attrs["amputation_side"])
    out.attrs["model_xml"] = _mirrored_xml(made.attrs["model_xml"])
    return out


def _mirrored_xml(text):
    root = ET.fromstring(text)
    for each in root.iter():
        sided = any(
            "_r" in each.get(key, "")[-4:] or "_l" in each.get(key, "")[-4:] for key in ("name", "joint")
        )
        for key in ("name", "joint"):
            if key in each.attrib:
                each.set(key, swapped(each.get(key)))
        for key, signs in (("pos", (1, -1, 1)), ("fromto", (1, -1, 1, 1, -1, 1))):
            if key in each.attrib:
                values = zip(map(float, each.get(key).split()), signs, strict=True)
                each.set(key, " ".join(f"{value * sign:g}" for value, sign in values))
        if each.tag == "joint" and sided and each.get("type") != "slide":
            x, y, z = map(float, each.get("axis").split())
            each.set("axis", f"{-x:g} {y:g} {-z:g}")
    return ET.tostring(root, encoding="unicode")


def above_the_knee(knee="hydraulic-running"):
    """The same stride, its right knee taken for a prosthetic one."""
    made = stride(knots=500)
    part = np.where(made.joint == "knee_flexion_r", "knee unit", made.joint_part)
    made = made.assign_coords(joint_part=("joint", part))
    made.attrs["fitting"] = json.dumps(json.loads(made.attrs["fitting"]) | {"knee": knee})
    return made


def tilting_sideways(made):
    """With a socket that gives in adduction where it gave in flexion."""
    names = [str(name).replace("socket_flexion", "socket_adduction") for name in made.joint.values]
    xml = made.attrs["model_xml"].replace("socket_flexion", "socket_adduction")
    return made.assign_coords(joint=names).assign_attrs(model_xml=xml)


def coming_to_its_stop(made, lands, before_s, speed_deg_s):
    """With a right knee that is 2 deg from straight so long before it lands, and then as fast as that."""
    left = (lands - made.time.values) % PERIOD
    straightening = np.radians(2.0 + speed_deg_s * (left - before_s))
    made.q[:, made.joint.values == "knee_flexion_r"] = np.where(left < 0.25, straightening, 1.0)[:, None]
    return made
