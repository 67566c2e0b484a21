"""What each outcome of the stride of `uneven` should be, by its definition.

It comes from the functions behind that stride on a fine grid of times, from MuJoCo's kinematics and from
numbers of the body's XML: nothing of it from a knot, a spline or a row of the code.
"""

import math

import mujoco
import numpy as np
from scipy.optimize import brentq

from bladerun.body.reference_gait import band
from strides import uneven
from strides.synthetic import LEG, PERIOD, SPEED, WEIGHT

WHOLE = np.linspace(0, PERIOD, 35_001)
THRESHOLD_N = 30.0  # Fukuchi 2017


def between(start, end):
    return np.linspace(start, end, 40_001)


def total(values, times):
    return float(np.trapezoid(values, times))


class Foot:
    """One leg's contact and places by its definition; s = "r" | "l"."""

    def __init__(self, s):
        down, contact, middle = uneven.DOWN[s], uneven.CONTACT[s], uneven.DOWN[s] + uneven.CONTACT[s] / 2
        self.s, self.blade = s, s == "r"

        def over(t):
            return uneven.vertical(t, s) - THRESHOLD_N

        self.down, self.up = brentq(over, down, middle), brentq(over, middle, down + contact - 1e-9)
        self.t = between(self.down, self.up)
        self.load, self.ahead = uneven.vertical(self.t, s), uneven.forward(self.t, s)
        deep = uneven.energy(self.t) if self.blade else -uneven.com(self.t)[:, 2]
        self.deepest = float(self.t[np.argmax(deep)])
        self.whole_load = uneven.vertical(WHOLE, s)
        moment = self.pressed(WHOLE) * self.whole_load[:, None]
        self.mean_place = [total(each, WHOLE) / total(self.whole_load, WHOLE) for each in moment.T]
        around = np.linspace(down, down + contact, 20_001)
        self.load_time = total(around * uneven.vertical(around, s), around) / total(
            uneven.vertical(around, s), around
        )

    def pressed(self, t):
        """Centre of pressure (..., 2); where nothing presses the middle of the spheres."""
        mine = [uneven.sphere(t, name) for name in uneven.SPHERES if name[8] == self.s]
        places, loads = np.stack([p for p, _ in mine]), np.stack([f for _, f in mine])
        share = np.where(loads.sum(0) > 0, loads, 1.0)
        return ((share / share.sum(0))[..., None] * places).sum(0)[..., :2]

    def at(self, site, t):
        """Place (3,) of a site of this leg at one time."""
        return uneven.posed([t], f"{site}_{self.s}")[0, 0]

    def pointing_deg(self, t):
        """Direction of the sole at times (N,), toes out positive."""
        if self.blade:
            rear, front = (
                np.mean([uneven.sphere(t, f"contact_r_{i}")[0] for i in pair], 0) for pair in ((0, 1), (2, 3))
            )
        else:
            rear, front = uneven.posed(t, "heel_l", "toe_l")
        along = front - rear
        return np.degrees(np.arctan2((-1 if self.blade else 1) * along[:, 1], along[:, 0]))


FEET = {"right": Foot("r"), "left": Foot("l")}


def timing(foot, other):
    contact = foot.up - foot.down
    step = (foot.load_time - other.load_time) % PERIOD
    return {
        "contact_time_s": contact, "duty_factor": contact / 0.7,
        "flight_time_s": (other.down - foot.up) % PERIOD, "step_time_s": (foot.down - other.down) % PERIOD,
        "step_length_m": SPEED * step + foot.mean_place[0] - other.mean_place[0],
    }  # fmt: skip


def forces(foot):
    up = foot.t <= foot.t[np.argmax(foot.load)]
    push, fall = foot.ahead, uneven.com(foot.t)[0, 2] - uneven.com(foot.t)[:, 2].min()
    sweep = math.asin(SPEED * (foot.up - foot.down) / 2 / LEG)
    impulse = total(foot.load, foot.t)
    return {
        "peak_vgrf_bw": uneven.PEAK_N[foot.s] / WEIGHT,
        "mean_vgrf_bw": impulse / (foot.up - foot.down) / WEIGHT,
        "loading_rate_bw_s": np.gradient(foot.load, foot.t)[up].max() / WEIGHT,
        "vertical_impulse_bw_s": impulse / WEIGHT,
        "braking_impulse_bw_s": total(np.minimum(push, 0), foot.t) / WEIGHT,
        "propulsive_impulse_bw_s": total(np.maximum(push, 0), foot.t) / WEIGHT,
        "leg_stiffness_kn_m": uneven.PEAK_N[foot.s] / (fall + LEG - LEG * math.cos(sweep)) / 1000,
    }  # fmt: skip


def places(foot):
    rows = {}
    for name, t in (("landing", foot.down), ("sweet_spot", foot.deepest)):
        if name == "landing" or foot.blade:
            ahead = foot.pressed(np.array(t))[0]
            rows[f"{name}_offset_m"] = ahead - uneven.com(np.array(t))[0]
            rows[f"{name}_offset_hip_m"] = ahead - foot.at("hip", t)[0]
    for name, t in (("touchdown", foot.down), ("midstance", foot.deepest), ("toe_off", foot.up)):
        under = np.append(foot.pressed(np.array(t)), 0.0)
        rows[f"running_leg_length_{name}_mm"] = 1000 * math.dist(foot.at("hip", t), under)
    swing = between(foot.up, foot.down + PERIOD)
    share = (swing - foot.up) / (swing[-1] - foot.up)
    passing = swing[(share >= 0.30) & (share <= 0.85)]
    sole = [uneven.sphere(passing, name)[0][:, 2].min() for name in uneven.SPHERES if name[8] == foot.s]
    few = between(foot.down, foot.up)[::100]
    turned, load = foot.pointing_deg(few), uneven.vertical(few, foot.s)
    other = {"r": "psis_l", "l": "psis_r"}[foot.s]
    across = foot.at("psis", foot.deepest) - uneven.posed([foot.deepest], other)[0, 0]
    body, whole = uneven.com(foot.t), total(foot.load, foot.t)
    aside, up = (total(axis * foot.load, foot.t) / whole for axis in body.T[1:])
    return rows | {
        "sideways_lean_deg": (1 if foot.s == "r" else -1)
        * math.degrees(math.atan2(aside - foot.mean_place[1], up)),
        "landing_offset_leg_percent": 100 * rows["landing_offset_m"] / 0.9,
        "swing_clearance_mm": 1000 * min(sole),
        "foot_progression_deg": foot.pointing_deg(np.array([foot.deepest]))[0],
        "foot_progression_touchdown_deg": foot.pointing_deg(np.array([foot.down]))[0],
        "foot_progression_mean_deg": total(turned * load, few) / total(load, few),
        "pelvic_obliquity_deg": math.degrees(math.asin(across[2] / math.hypot(*across))),
        "psis_difference_mm": 1000 * across[2],
        "knee_flexion_touchdown_deg": math.degrees(uneven.angle(f"knee_flexion_{foot.s}")(foot.down)),
    }


def recoil(foot):
    t = between(foot.deepest, foot.up)
    ahead, up, speed = uneven.forward(t, foot.s), uneven.vertical(t, foot.s), uneven.com_velocity(t)
    return {
        "recoil_direction_deg": math.degrees(math.atan2(total(up, t), total(ahead, t))),
        "recoil_work_up_j": total(up * speed[:, 2], t),
        "recoil_work_forward_j": total(ahead * speed[:, 0], t),
    }  # fmt: skip


def moments(foot):
    rows, per_kg = {}, {}
    for joint in ("hip_flexion", "hip_adduction", "hip_rotation", "knee_flexion", "ankle_dorsiflexion"):
        per_kg[joint] = uneven.moment(f"{joint}_{foot.s}")(foot.t) / 75.0
    for axis in ("flexion", "adduction", "rotation"):
        size = np.abs(per_kg[f"hip_{axis}"])
        rows[f"hip_torque_{axis}_peak_nm_kg"] = size.max()
        rows[f"hip_torque_{axis}_impulse_nm_s_kg"] = total(size, foot.t)
    rows |= {
        "hip_extension_torque_peak_nm_kg": -per_kg["hip_flexion"].min(),
        "hip_abduction_torque_peak_nm_kg": -per_kg["hip_adduction"].min(),
        "hip_internal_rotation_torque_peak_nm_kg": per_kg["hip_rotation"].max(),
        "hip_external_rotation_torque_peak_nm_kg": -per_kg["hip_rotation"].min(),
        "knee_extension_torque_peak_nm_kg": -per_kg["knee_flexion"].min(),
    }
    if not foot.blade:
        rows["ankle_plantarflexion_torque_peak_nm_kg"] = -per_kg["ankle_dorsiflexion"].min()
    for joint, curve in (
        ("hip_flexion", "hip_flexion"), ("hip_adduction", "hip_adduction"),
        ("hip_rotation", "hip_internal_rotation"), ("knee_flexion", "knee_flexion"),
    ):  # fmt: skip
        percent, mean, sd = band(f"{curve}_moment", SPEED)  # measured; read in test_reference
        inside = percent <= 100 * (foot.up - foot.down) / PERIOD
        over = per_kg[joint].max() - (mean + sd)[inside].max()
        under = (mean - sd)[inside].min() - per_kg[joint].min()
        rows[f"{joint}_torque_excess_nm_kg"] = max(over, under, 0.0)
    return {key: max(value, 0.0) for key, value in rows.items()}


def work(values, start, end):
    """Positive and negative part, per kg."""
    return total(np.maximum(values, 0), np.linspace(start, end, len(values))) / 75.0, total(
        np.minimum(values, 0), np.linspace(start, end, len(values))
    ) / 75.0


def power(joint):
    """W over the stride."""
    slope = uneven._rate(*uneven.ANGLES[joint])(WHOLE)
    return uneven.moment(joint)(WHOLE) * slope


def works(foot):
    hip = sum(power(f"hip_{axis}_{foot.s}") for axis in ("flexion", "adduction", "rotation"))
    knee = power(f"knee_flexion_{foot.s}")
    end = (
        -np.gradient(uneven.energy(WHOLE), WHOLE) - uneven.loss(WHOLE)
        if foot.blade
        else power("ankle_dorsiflexion_l")
    )
    parts = {"hip": hip, "knee": knee, "ankle_or_blade": end}
    rows = {}
    for name, values in parts.items():
        rows[f"{name}_work_positive_j_kg"], rows[f"{name}_work_negative_j_kg"] = work(values, 0, PERIOD)
    joints = ["hip", "knee"] + ["ankle_or_blade"] * (not foot.blade)
    for sign in ("positive", "negative"):
        rows[f"joint_work_{sign}_j_kg"] = sum(rows[f"{name}_work_{sign}_j_kg"] for name in joints)
    net = rows["ankle_or_blade_work_positive_j_kg"] + rows["ankle_or_blade_work_negative_j_kg"]
    return rows | {"ankle_or_blade_work_net_j_kg": net, "ankle_or_blade_power_peak_w_kg": end.max() / 75.0}


def blade(foot):
    t, deep = foot.t, foot.deepest
    energy, early, late = uneven.energy, between(foot.down, deep), between(deep, foot.up)
    lost = [total(uneven.loss(part), part) for part in (t, early, late)]
    given = energy(deep) - energy(foot.up) - lost[2]
    taken = energy(deep) - energy(foot.down) + lost[1]
    push = math.hypot(*(f(np.array(deep), "r") for f in (uneven.forward, uneven.sideways, uneven.vertical)))
    joint = "socket_rotation_r"
    twist = np.abs(100.0 * uneven.angle(joint)(t) + 2.0 * uneven._rate(*uneven.ANGLES[joint])(t))
    return {
        "blade_energy_peak_j": energy(deep), "blade_energy_returned_j": given, "blade_energy_lost_j": lost[0],
        "blade_energy_return_percent": 100 * given / taken,
        "blade_compression_mm": 1000 * uneven.compression(deep),
        "blade_stiffness_seen_kn_m": push / uneven.compression(deep) / 1000,
        "blade_strain_margin": 1 / uneven.strain(t).max(),
        "socket_pistoning_mm": 1000 * np.ptp(uneven.angle("socket_pistoning_r")(WHOLE)),
        "socket_rotation_deg": math.degrees(np.ptp(uneven.angle(joint)(WHOLE))),
        "socket_turn_loaded_deg": math.degrees(uneven.angle(joint)(deep)),
        "socket_axial_torque_peak_nm": twist.max(), "socket_axial_torque_peak_nm_kg": twist.max() / 75.0,
        "socket_axial_torque_impulse_nm_s": total(twist, t),
        "socket_flexion_deg": math.degrees(np.ptp(uneven.angle("socket_flexion_r")(WHOLE))),
        "socket_flexion_torque_peak_nm_kg": np.abs(800.0 * uneven.angle("socket_flexion_r")(t)).max() / 75.0,
    } | whip(foot) | bench()  # fmt: skip


def whip(foot):
    """Turn about the limb's axis in the first fifth of swing, by MuJoCo; the tip's way to the side."""
    start, end = foot.up, foot.up + 0.2 * (PERIOD - (foot.up - foot.down))
    mj, t = uneven.model(), np.linspace(start, end, 801)
    data, rate = mujoco.MjData(mj), []
    joints = [mj.joint(j).name for j in range(mj.njnt)]
    q, v = (
        np.stack([f(joint)(t) + 0 * t for joint in joints], -1)
        for f in (uneven.angle, lambda j: uneven._rate(*uneven.ANGLES.get(j, (0.0,) * 5)))
    )
    socket, turning = mj.body("socket_r").id, np.zeros(6)
    for k in range(len(t)):
        data.qpos[:], data.qvel[:] = q[k], v[k]
        mujoco.mj_forward(mj, data)
        mujoco.mj_objectVelocity(mj, data, mujoco.mjtObj.mjOBJ_XBODY, socket, turning, 0)
        rate.append(turning[:3] @ data.joint("socket_rotation_r").xaxis)
    aside = [foot.at("blade_tip", now)[1] - foot.at("knee", now)[1] for now in (start, end)]
    return {
        "lateral_whip_deg": math.degrees(total(np.array(rate), t)),
        "tip_swing_mm": 1000 * (aside[0] - aside[1]),  # right leg: away from the midline is -y
    }


def bench():
    """From the XML: thigh and upper shank 0.4 and 0.2 m; the limb leans by the knee's 10 deg."""
    lean = math.radians(10.0)

    def below_knee(x, z):  # of the socket's frame; flexion carries what is below backward
        down = 0.2 - z
        return x * math.cos(lean) - down * math.sin(lean), -down * math.cos(lean) - x * math.sin(lean)

    toe = (below_knee(0.04, -0.29), below_knee(0.10, -0.29))  # the two pairs of spheres, of 10 mm
    low = min(toe, key=lambda point: point[1])
    low = low[0], low[1] - 0.010
    rear = min(below_knee(-0.05, -0.1), below_knee(0.1, -0.28))
    return {
        "toe_ahead_mm": 1000 * low[0], "standing_height_difference_mm": 1000 * (0.4 - low[1] - 0.9),
        "alignment_alpha_deg": math.degrees(math.atan2(rear[1] - low[1], low[0] - rear[0])),
        "alignment_beta_deg": math.degrees(math.atan2(-rear[0], -rear[1])),
    }  # fmt: skip


def whole_body():
    right, left = FEET["right"], FEET["left"]
    height, bend = uneven.com(WHOLE)[:, 2], uneven.angle("lumbar_bending")(WHOLE)
    driven = [j for j in uneven.MOMENTS if not j.startswith(("pelvis", "blade"))]
    lumbar = {
        f"lumbar_{axis}_torque_peak_nm_kg": np.abs(uneven.moment(f"lumbar_{axis}")(WHOLE)).max() / 75.0
        for axis in ("extension", "bending", "rotation")
    }
    a, u = (timing(*pair) | forces(pair[0]) for pair in ((right, left), (left, right)))
    compared = {
        "contact_time": "contact_time_s", "step_time": "step_time_s", "step_length": "step_length_m",
        "peak_vgrf": "peak_vgrf_bw", "vertical_impulse": "vertical_impulse_bw_s",
        "braking_impulse": "braking_impulse_bw_s", "propulsive_impulse": "propulsive_impulse_bw_s",
    }  # fmt: skip
    asymmetry = {
        f"asymmetry_{name}_percent": 200 * (abs(a[key]) - abs(u[key])) / (abs(a[key]) + abs(u[key]))
        for name, key in compared.items()
    }
    trunk = uneven.ANGLES["pelvis_tilt"][0] - uneven.ANGLES["lumbar_extension"][0]
    hips = [foot.at("hip", foot.deepest)[2] for foot in (right, left)]
    return lumbar | asymmetry | {
        "stride_time_s": 0.7, "step_frequency_hz": 2 / 0.7, "com_excursion_mm": 1000 * np.ptp(height),
        "step_width_m": left.mean_place[1] - right.mean_place[1],
        "lumbar_bending_range_deg": math.degrees(np.ptp(bend)),
        "trunk_lean_deg": math.degrees(trunk),
        "hip_height_difference_mm": 1000 * (hips[0] - hips[1]),
        "joint_work_j_kg_m": sum(work(power(joint), 0, PERIOD)[0] for joint in driven) / (SPEED * 0.7),
    }  # fmt: skip


def expected():
    """Every row of the uneven stride, as `outcomes` gives them, but for those of muscles and heels."""
    rows = whole_body()
    each = {}
    for side, other in (("right", "left"), ("left", "right")):
        foot = FEET[side]
        each[side] = timing(foot, FEET[other]) | forces(foot) | places(foot) | recoil(foot)
        each[side] |= moments(foot) | works(foot) | (blade(foot) if foot.blade else {})
    keys = dict.fromkeys(key for rows_of in each.values() for key in rows_of)
    return rows | {key: {side: each[side].get(key) for side in ("left", "right")} for key in keys}
