"""A solved stride as a dataset that stands on its own.

Takes the solver's last point and the model; gives an xarray Dataset with units and signs in attributes.
Everything later (outcomes, plots, video, reports) reads this dataset and nothing else.
"""

import json
from dataclasses import asdict

import mujoco
import numpy as np
import xarray as xr

from bladerun.model import Model
from bladerun.stride._dynamics import inverse, motion
from bladerun.stride._ground import add_contact
from bladerun.stride._kernel import Sweep, Terms
from bladerun.stride._links import Links, contact_spheres
from bladerun.stride._mesh import at_times, mesh
from bladerun.stride._muscle_result import SIDES, muscle_rows, say
from bladerun.stride._solver import Point
from bladerun.stride._terms import hard_joints, required

LOADED_N = 30.0  # contact threshold of the reference data, Fukuchi 2017 (doi 10.7717/peerj.3298)
TIMES_OF = (  # attributes: `_mesh`'s times
    "stride_time_s", "later_than_reference_s", "left_later_s", "right_stretch_s", "left_stretch_s"
)  # fmt: skip


def dataset(model: Model, links: Links, terms: Terms, point: Point, out: Sweep) -> xr.Dataset:
    """The stride at its knots, out the `Sweep` there; the solve's attributes are to be added."""
    mj, c = model.mj, point.c
    time = mesh(len(c), point.times).time
    q = out.q.copy()
    q[:, 0] += terms.speed * time
    ground = _ground(links, terms, out)
    ground["point"][:, :, 0] += terms.speed * time[:, None]
    geometry = _geometry(mj, q, out.v)
    sphere_names = [mj.geom(g).name for g in contact_spheres(mj)]
    of_side = np.array([[name.startswith(f"contact_{s[0]}_") for name in sphere_names] for s in SIDES])
    grf = np.einsum("tcx,sc->tsx", ground["force"], of_side)
    loaded = np.einsum("tc,sc->ts", ground["force"][:, :, 2], of_side)
    with np.errstate(invalid="ignore", divide="ignore"):
        cop = (
            np.einsum("tcx,tc,sc->tsx", ground["point"], ground["force"][:, :, 2], of_side)
            / loaded[:, :, None]
        )
    cop[loaded < LOADED_N] = np.nan
    cop[:, :, 2] *= 0.0
    muscles, given = muscle_rows(model, terms, point, out)
    driven = np.array([kind == "driven" for kind in model.kind])
    data = xr.Dataset(
        {
            "q": (("time", "joint"), q, say("rad or m", "joint position; pelvis_tx runs on")),
            "v": (("time", "joint"), out.v.copy(), say("rad/s or m/s", "joint velocity")),
            "a": (("time", "joint"), out.a.copy(), say("rad/s^2 or m/s^2", "joint acceleration")),
            "tau": (
                ("time", "joint"),
                out.tau + given,
                say("Nm or N", "internal moment in the sense of the joint; residual where nothing drives it"),
            ),
            "reserve": (
                ("time", "joint"),
                np.where(driven & np.isin(np.arange(len(driven)), terms.muscles.rows), out.tau, 0.0),
                say("Nm", "what reserve motors give where muscles drive"),
            ),
            **muscles,
            "grf": (("time", "side", "xyz"), grf, say("N", "ground reaction force on the runner")),
            "cop": (("time", "side", "xyz"), cop, say("m", f"centre of pressure; NaN below {LOADED_N:g} N")),
            "contact_force": (("time", "contact", "xyz"), ground["force"], say("N", "force on each sphere")),
            "contact_position": (("time", "contact", "xyz"), ground["point"], say("m", "its lowest point")),
            "contact_depth": (
                ("time", "contact"),
                np.maximum(0.0, -ground["point"][:, :, 2]),
                say("m", "how far it stands in the ground"),
            ),
            "com": (("time", "xyz"), geometry["com"], say("m", "whole-body centre of mass")),
            "com_velocity": (("time", "xyz"), geometry["com_velocity"], say("m/s", "its velocity")),
            "site_position": (
                ("time", "site", "xyz"),
                geometry["site"],
                say("m", "named points of the body"),
            ),
            "joint_axis_world": (
                ("time", "joint", "xyz"),
                geometry["axis"],
                say("1", "joint axes in space"),
            ),
            **_springs(model, links, out, ground["force"]),
            "control_points": (
                ("time", "joint"),
                c.copy(),
                say("rad or m", "of the periodic cubic B-spline"),
            ),
            "multiplier": (("time", "joint"), point.multiplier.copy(), say("1", "of the hard forces")),
        },
        coords={
            "time": (
                "time",
                time,
                {"units": "s", "long_name": "time, not evenly spaced; 0 at touchdown of the right foot"},
            ),
            "joint": list(model.joints),
            "muscle": list(model.muscles[: terms.muscles.count]),
            "side": list(SIDES),
            "xyz": ["x", "y", "z"],
            "site": [mj.site(i).name for i in range(mj.nsite)],
            "contact": sphere_names,
        },
    )
    data.attrs = dict(zip(TIMES_OF, point.times.tolist(), strict=True)) | {
        "speed_m_s": float(terms.speed),
        "mass_kg": float(model.mass_kg),
        "gravity": float(links.gravity),
        "leg_length_m": float(model.leg_length_m),
        "runner": json.dumps(asdict(model.runner)),
        "amputation": json.dumps(asdict(model.amputation)),
        "fitting": json.dumps(asdict(model.fitting) if model.fitting else None),
        "variation": json.dumps(asdict(model.variation)),
        "task": json.dumps({"speed_m_s": float(terms.speed)}),
        "model_xml": model.xml,
        "ground": json.dumps(terms.ground._asdict()),
        "blade": model.blade.name if model.blade else "",
        "amputation_side": model.amputation.side,
        "frame": "x forward, y left, z up, ground at z = 0; right-handed; moments are internal",
    }
    return data


def residuals(
    stride: xr.Dataset, model: Model, links: Links, terms: Terms, point: Point, out: Sweep
) -> dict[str, float]:
    """How well the stride obeys physics: at the knots, between them, at the ground, in energy.

    root_force_peak_n, root_moment_peak_nm: greatest that nobody gives, at the knots; between_knots_*: the
    same half-way between knots; passive_peak_nm: in joints that only springs move; penetration_mm: deepest
    sphere; slip_mm: longest sliding of a foot's loaded contact; energy_balance_j: work of motors and ground
    less what dampers took, over a stride, 0 if perfect; energy_positive_j: positive work of the motors.
    """
    places = mesh(len(point.c), point.times)
    root = out.tau[:, :6]
    between = _between(links, terms, point.c, places)
    ground = _ground(links, terms, out)
    driven = np.array([kind == "driven" for kind in model.kind])
    power = stride.tau.values * out.v
    dt = point.times[0] / len(point.c) * places.weight
    contact = dt @ (ground["force"] * ground["velocity"]).sum((1, 2))
    damped = dt @ (links.damping * out.v**2).sum(1)
    motor = dt @ power[:, driven].sum(1)
    hard = hard_joints(model, terms.muscles)
    passive = out.tau[:, 6:][:, hard[6:]]
    return {
        "root_force_peak_n": float(np.linalg.norm(root[:, :3], axis=1).max()),
        "root_moment_peak_nm": float(np.linalg.norm(root[:, 3:], axis=1).max()),
        "between_knots_force_peak_n": float(np.linalg.norm(between[:, :3], axis=1).max()),
        "between_knots_moment_peak_nm": float(np.linalg.norm(between[:, 3:6], axis=1).max()),
        "passive_peak_nm": float(np.abs(passive).max(initial=0.0)),
        "penetration_mm": float(1e3 * np.maximum(0.0, -ground["point"][:, :, 2]).max(initial=0.0)),
        "slip_mm": 1e3 * _slip(model, ground, dt),
        "energy_balance_j": float(motor + contact - damped),
        "energy_positive_j": float(dt @ np.maximum(power[:, driven], 0.0).sum(1)),
    }


def _ground(links, terms, out):
    """Force, lowest point and velocity of each sphere, (N, s, 3) each; x in the frame that runs along."""
    N, n = out.q.shape
    m = motion(links)
    tau, none = np.zeros(n), np.zeros((n, n))
    kept = np.zeros((3, N, len(links.sphere_link), 3))
    for k in range(N):
        inverse(links, m, out.q[k], out.v[k], out.a[k], tau, False, none, none, none)
        add_contact(links, m, terms.ground, tau, False, none, none)
        kept[:, k] = m.sphere_force, m.sphere_point, m.sphere_velocity
    return dict(zip(("force", "point", "velocity"), kept, strict=True))


def _between(links, terms, c, places):
    """Residual (N, n) half-way between knots, from the spline itself."""
    q, v, a = at_times(c, places.times, places.time + 0.5 * places.step)
    v[:, 0] += terms.speed
    return required(links, terms.ground, q, v, a)


def _slip(model, ground, dt):
    """Longest path [m] that a foot's load slides on the ground while the foot carries half a body weight."""
    names = [model.mj.geom(g).name for g in contact_spheres(model.mj)]
    longest = 0.0
    for side in "rl":
        mine = np.array([name.startswith(f"contact_{side}_") for name in names])
        normal = ground["force"][:, mine, 2]
        total = normal.sum(1)
        firm = total > 0.5 * model.mass_kg * 9.81
        drift = (normal[:, :, None] * ground["velocity"][:, mine, :2]).sum(1) / np.maximum(total, 1e-9)[
            :, None
        ]
        longest = max(longest, float((np.linalg.norm(drift, axis=1) * firm) @ dt))
    return longest


def _geometry(mj, q, v):
    data = mujoco.MjData(mj)
    N = len(q)
    com, com_velocity, site = np.zeros((N, 3)), np.zeros((N, 3)), np.zeros((N, mj.nsite, 3))
    axis = np.zeros((N, mj.nv, 3))
    for k in range(N):
        data.qpos[:], data.qvel[:] = q[k], v[k]
        mujoco.mj_kinematics(mj, data)
        mujoco.mj_comPos(mj, data)
        mujoco.mj_comVel(mj, data)
        mujoco.mj_subtreeVel(mj, data)
        com[k], com_velocity[k], site[k], axis[k] = (
            data.subtree_com[0],
            data.subtree_linvel[0],
            data.site_xpos,
            data.xaxis,
        )
    return {"com": com, "com_velocity": com_velocity, "site": site, "axis": axis}


def _springs(model, links, out, force):
    """Energy in and loss from the springs of blade and socket, and the blade's compression."""
    joints, N = model.joints, len(out.q)
    energy = 0.5 * links.stiffness * (out.q - links.rest) ** 2
    loss = links.damping * out.v**2
    rows = {}
    for part in ("blade", "socket"):
        for name, values, unit, text in (
            ("energy", energy, "J", "elastic energy"),
            ("loss", loss, "W", "power lost"),
        ):
            table = np.full((N, 2), np.nan)
            for s, side in enumerate(SIDES):
                mine = [j.startswith(part) and j.endswith(f"_{side[0]}") for j in joints]
                if any(mine):
                    table[:, s] = values[:, mine].sum(1)
            rows[f"{part}_{name}"] = (("time", "side"), table, say(unit, f"{text} in the {part}"))
    rows["blade_compression"] = (
        ("time", "side"),
        _compression(model, out.q, force),
        say("m", "how far the loaded sole gives way, seen from the clamp, along the ground force"),
    )
    return rows


def _compression(model, q, force):
    """(N, 2) sum F_i . d_i / |sum F_i|, d_i the way of sphere i, seen from the clamp, since unloaded.

    The direction of the load is the one that does work on the blade and that a test bench measures in; 1 N
    more in the denominator lets it go to 0 in the air.
    """
    mj, table = model.mj, np.full((len(q), 2), np.nan)
    data, spheres = mujoco.MjData(mj), contact_spheres(mj)
    sites = [mj.site(i).name for i in range(mj.nsite)]
    for s, side in enumerate("rl"):
        if f"blade_clamp_{side}" not in sites:
            continue
        mine = [i for i, g in enumerate(spheres) if mj.geom(g).name.startswith(f"contact_{side}_")]
        clamp = mj.site(f"blade_clamp_{side}").id

        def from_clamp(posture, clamp=clamp, mine=mine):
            data.qpos[:] = posture
            mujoco.mj_kinematics(mj, data)
            frame = data.site_xmat[clamp].reshape(3, 3)
            return (data.geom_xpos[[spheres[i] for i in mine]] - data.site_xpos[clamp]) @ frame, frame

        unloaded, _ = from_clamp(mj.qpos0)
        for k in range(len(q)):
            place, frame = from_clamp(q[k])
            load = force[k, mine]
            table[k, s] = ((place - unloaded) @ frame.T * load).sum() / (np.linalg.norm(load.sum(0)) + 1.0)
    return table


def times_of(stride: xr.Dataset) -> np.ndarray:
    """The times (TIMES,) that `_mesh` takes, of a solved stride."""
    return np.array([stride.attrs[name] for name in TIMES_OF])
