"""One measured stride as the dataset that outcomes read.

Takes a `Posed` and what each foot carries between two touchdowns of the right foot; gives a Dataset with the
variables of a solved stride, NaN where they were not measured. What the ends of a stride differ by is spread
along it, so that it repeats.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import mujoco
import numpy as np
import xarray as xr
from scipy.interpolate import CubicSpline

from bladerun._lib.data_files import toml
from bladerun._lib.table import plain
from bladerun.body.joints import contact_spheres, sphere_sides
from bladerun.environment import Environment
from bladerun.gait.events import CONTACT_THRESHOLD_N
from bladerun.model import Model
from bladerun.motion.contacts import Contact, Load
from bladerun.motion.ground import Ground
from bladerun.motion.moments import joint_moments
from bladerun.motion.posed import Posed
from bladerun.stride.dynamics.passive import laws_of
from bladerun.stride.motion_rows import SIDES, body_rows, spring_rows

KNOTS = 300  # of a measured stride, 2 to 3 ms apart
_LIGHT = ("socket", "blade")  # parts that weigh too little to move the centre of mass
_THIN = 0.1  # of the threshold: below, a plate's noise is no load


def whole(contacts: Sequence[Contact], posed: Posed) -> tuple[list[tuple[Contact, ...]], list[str]]:
    """Right contact, left contact and next right contact of each stride that was measured whole, and why
    others were left out."""
    found, notes = [], []
    rights = [contact for contact in contacts if contact.side == "right"]
    for first, second in pairwise(rights):
        between = [c for c in contacts if c.side == "left" and first.down < c.down < second.down]
        if len(between) != 1:
            notes.append(
                f"stride at {first.down:.2f} s left out: {len(between)} contacts of the left foot, not 1"
            )
        elif posed.gap(first.down, second.down):
            notes.append(f"stride at {first.down:.2f} s left out: the motion has a gap, or ends")
        else:
            found.append((first, between[0], second))
    apart = toml("motion.toml")["strides"]["apart"]
    lengths = np.array([second.down - first.down for first, _, second in found])
    odd = np.abs(lengths / np.median(lengths) - 1) > apart if len(found) else np.array([], bool)
    notes += [
        f"stride at {found[k][0].down:.2f} s left out: it takes {lengths[k]:.2f} s"
        for k in np.flatnonzero(odd)
    ]
    return [each for each, bad in zip(found, odd, strict=True) if not bad], notes


def dataset(
    posed: Posed, cut: tuple[Contact, ...], loads: Mapping[str, Load] | None, ground: Ground
) -> xr.Dataset:
    """The stride from the first contact's touchdown to the last one's."""
    start, period = cut[0].down, cut[2].down - cut[0].down
    time = np.arange(KNOTS) * period / KNOTS
    q, v, a, speed, aside = _periodic(posed, start, period, ground.belt_m_s)
    model = posed.model
    force, centre, free = _forces(loads, start, time, period, ground.belt_m_s, posed, aside)
    tau = joint_moments(posed, (q, v, a), (force, centre, free), period)
    rows = {
        "q": (("time", "joint"), q), "v": (("time", "joint"), v), "a": (("time", "joint"), a),
        "tau": (("time", "joint"), tau),
        **_places(posed, q, v, _middles(cut)),
        **spring_rows(model, laws_of(model.mj), q, v),
        "blade_compression": (("time", "side"), np.full((KNOTS, 2), np.nan)),
        "grf": (("time", "side", "xyz"), force), "cop": (("time", "side", "xyz"), centre),
    }  # fmt: skip
    if loads is None:
        times = [[c.down - start, c.up - start] for c in (cut[0], cut[1])]
        rows["contact_time"] = (("side", "event"), np.array(times))
    spheres = contact_spheres(model.mj)
    coordinates = {
        "time": time,
        "joint": list(model.joints),
        **{f"joint_{k}": ("joint", list(getattr(model.joint_data, k))) for k in ("role", "part", "side")},
        "side": list(SIDES),
        "xyz": list("xyz"),
        "site": [model.mj.site(i).name for i in range(model.mj.nsite)],
        "contact": [model.mj.geom(g).name for g in spheres],
        "contact_side": ("contact", sphere_sides(model.mj)),
    }
    return xr.Dataset(rows, coords=coordinates, attrs=_attributes(model, period, speed, ground))


def _attributes(model: Model, period: float, speed: float, ground: Ground) -> dict[str, Any]:
    return {
        "measured": ground.kind, "stride_time_s": period, "speed_m_s": speed, "mass_kg": model.mass_kg,
        "gravity": -Environment.default().gravity_m_s2[2], "leg_length_m": model.leg_length_m,
        "amputation_side": model.amputation.side, "model_xml": model.xml,
        "runner": json.dumps(plain(model.runner)), "amputation": json.dumps(plain(model.amputation)),
        "fitting": json.dumps(plain(model.fitting)),
    }  # fmt: skip


def _periodic(posed: Posed, start: float, period: float, belt: float):
    """q, v, a (KNOTS, nq) of a stride that closes on itself, its speed, and how far it went aside."""
    share = np.arange(KNOTS + 1) / KNOTS
    q = posed.at(start + share * period)
    q[:, 0] += belt * share * period - q[0, 0]
    drift = q[-1] - q[0]
    q -= share[:, None] * drift
    v, a = np.full_like(q, np.nan), np.full_like(q, np.nan)
    known = np.isfinite(q).all(0)
    q[-1] = q[0]
    if known.any():
        curve = CubicSpline(share * period, q[:, known], bc_type="periodic")
        v[:, known], a[:, known] = curve(share * period, 1), curve(share * period, 2)
    q[:, 0] += drift[0] * share
    v[:, 0] += drift[0] / period
    speed = float(drift[0] / period) if np.isfinite(drift[0]) else belt
    return q[:-1], v[:-1], a[:-1], speed, float(drift[1])


def _middles(cut: tuple[Contact, ...]) -> dict[str, float]:
    """The middle of each foot's contact, as a share of the stride."""
    start, period = cut[0].down, cut[2].down - cut[0].down
    return {each.side: ((each.down + each.up) / 2 - start) / period % 1.0 for each in cut[:2]}


def _places(posed: Posed, q: np.ndarray, v: np.ndarray, middles: Mapping[str, float]) -> dict[str, tuple]:
    """Centre of mass, named points, joint axes and the soles, NaN beyond a joint that was not measured.

    A sole that is far from the ground in the middle of contact has no height: the model's legs are not as
    long as the runner's.
    """
    mj, unknown = posed.model.mj, posed.unknown()
    posture, rates = np.nan_to_num(q), np.nan_to_num(v)
    rows = body_rows(mj, posture, rates)
    beyond = np.zeros(mj.nbody, bool)
    for body in range(1, mj.nbody):
        mine = (mj.jnt_bodyid == body) & unknown
        beyond[body] = beyond[mj.body_parentid[body]] or mine.any()
    rows["site_position"][1][:, beyond[mj.site_bodyid]] = np.nan
    rows["joint_axis_world"][1][:, beyond[mj.jnt_bodyid]] = np.nan
    if posed.unknown(*_LIGHT).any():
        rows["com"][1][:] = rows["com_velocity"][1][:] = np.nan
    spheres = contact_spheres(mj)
    soles = _soles(mj, posture, spheres)
    soles[:, beyond[mj.geom_bodyid[spheres]]] = np.nan
    for side, middle in middles.items():
        mine = np.array(sphere_sides(mj)) == side
        if abs(soles[int(middle * KNOTS), mine, 2].min()) > toml("motion.toml")["soles"]["within_m"]:
            soles[:, mine, 2] = np.nan
    return rows | {"contact_position": (("time", "contact", "xyz"), soles)}


def _soles(mj: Any, q: np.ndarray, spheres: list[int]) -> np.ndarray:
    """(N, contact, 3) the lowest point of each sphere."""
    data, found = mujoco.MjData(mj), np.zeros((len(q), len(spheres), 3))
    for k in range(len(q)):
        data.qpos[:] = q[k]
        mujoco.mj_kinematics(mj, data)
        found[k] = data.geom_xpos[spheres]
    found[:, :, 2] -= mj.geom_size[spheres, 0]
    return found


def _forces(loads, start, time, period, belt, posed, aside) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ground force, centre of pressure (N, 2, 3) and free moment (N, 2) of each foot; NaN without forces.
    Between two known centres, and below the threshold, a centre that stands still on the ground stands
    still."""
    force, centre = np.full((len(time), 2, 3), np.nan), np.full((len(time), 2, 3), np.nan)
    free = np.full((len(time), 2), np.nan)
    origin = posed.at_joint("pelvis_tx", np.array([start]))[0]
    for s, side in enumerate(SIDES if loads else ()):
        load = loads[side]
        near = (load.time > start - period) & (load.time < start + 2 * period)
        at, there = start + time, load.time[near]
        force[:, s] = CubicSpline(there, load.force_n[near])(at)
        vertical = np.interp(at, there, load.force_n[near, 2])
        place = load.point_m[near] + (there[:, None] - start) * [belt, -aside / period] - [origin, 0.0]
        known = np.isfinite(place).all(1)
        if known.sum() > 0.5 * (load.force_n[near, 2] > CONTACT_THRESHOLD_N).sum():
            for axis in range(2):
                moment = load.force_n[near, 2] * np.interp(there, there[known], place[known, axis])
                centre[:, s, axis] = np.interp(at, there, moment) / np.maximum(vertical, 1e-9)
        centre[:, s, 2] = 0.0
        thin = vertical < _THIN * CONTACT_THRESHOLD_N
        free[:, s] = np.interp(at, there, load.free_nm[near])
        centre[thin, s] = np.nan
        force[thin, s] = free[thin, s] = 0.0
    return force, centre, free
