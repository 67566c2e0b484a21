"""How a blade stands under its wearer in bench alignment: load line, toe, angles, height.

Takes a MuJoCo model of a runner with a blade, a side and the socket's flexion; gives an `Alignment`.

In bench alignment the blade is upright and unloaded: the knee bends by the socket flexion, the thigh stands
on the knee, and the load line falls through both. Above the knee the socket is flexed over an upright knee,
which lies behind the load line by what the fitting says. What is expected of it: models/outcomes.toml
[alignment], below the knee.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np

from bladerun._lib.data_files import toml
from bladerun.body.joints import PARTS

_POINTS = 40


@dataclass(frozen=True)
class Alignment:
    """One leg's blade in bench alignment.

    toe_ahead_mm: the unloaded sole's lowest point ahead of the load line, in the direction in which the blade
    points. alpha_deg: line from the blade's rearmost point to that lowest point, against the ground.
    beta_deg: line from the knee to the rearmost point, against the load line. height_difference_mm: hip joint
    centre to the sole's lowest point, less the same of a sound leg in its shoe. hip_m, rear_m, toe_m (2,):
    forward and up of the knee, m; blade_m (40, 2): along the laminate from the tab's top to the tip.
    """

    toe_ahead_mm: float
    alpha_deg: float
    beta_deg: float
    height_difference_mm: float
    hip_m: np.ndarray
    rear_m: np.ndarray
    toe_m: np.ndarray
    blade_m: np.ndarray

    def outside(self, shape: str) -> list[str]:
        """`outside_rule` of this alignment, empty where there is no rule. shape: "J" or "C"."""
        return outside_rule(shape, vars(self)) or []


def outside_rule(shape: str, measured: Mapping[str, Any]) -> list[str] | None:
    """What lies outside the published rule for blades of this shape, in words; None where there is no rule.

    measured: toe_ahead_mm, alpha_deg, beta_deg. Source: EP 2 065 018 B1, for a J-shaped blade; limits of the
    toe follow from it.
    """
    rule = toml("outcomes.toml")["alignment"].get(shape)
    titles = {"toe_ahead_mm": ("toe ahead", "mm"), "alpha_deg": ("alpha", "°"), "beta_deg": ("beta", "°")}
    if rule is None:
        return None
    return [
        f"{title} {measured[key]:z.0f} {unit}, rule {rule[key][0]:g} to {rule[key][1]:g} {unit}"
        for key, (title, unit) in titles.items()
        if not rule[key][0] <= measured[key] <= rule[key][1]
    ]


def bench_posture(model: Any, side: str, sagittal_deg: float) -> np.ndarray:
    """Joint positions (nq,) of bench alignment. model: a `mujoco.MjModel`; side: "left" or "right"."""
    q = np.zeros(model.nq)
    prosthetic = PARTS.index("knee unit") in model.joint(f"knee_flexion_{side[0]}").user[1:2]
    flexed = "hip" if prosthetic else "knee"
    q[model.joint(f"{flexed}_flexion_{side[0]}").qposadr[0]] = math.radians(sagittal_deg)
    return q


def alignment(model: Any, side: str, sagittal_deg: float) -> Alignment:
    """Measure the blade of one leg.

    model: a `mujoco.MjModel`, such as `Model.mj`. side: "left" or "right".
    """
    data, s = mujoco.MjData(model), side[0]
    data.qpos[:] = bench_posture(model, side, sagittal_deg)
    mujoco.mj_kinematics(model, data)
    knee, hip = data.site(f"knee_{s}").xpos, data.site(f"hip_{s}").xpos
    pointing = data.site(f"blade_clamp_{s}").xmat.reshape(3, 3)[:, 0].copy()
    pointing[2] = 0.0
    pointing /= np.linalg.norm(pointing)

    sole = _geoms(model, f"contact_{s}_")
    pairs = data.geom_xpos[sole].reshape(-1, 2, 3).mean(1)
    toe = pairs[np.argmin(pairs[:, 2])] - knee
    toe[2] = (data.geom_xpos[sole, 2] - model.geom_size[sole, 0]).min() - knee[2]
    lines = data.geom_xpos[_geoms(model, "blade_laminate", s)] - knee
    flat = np.column_stack([lines @ pointing, lines[:, 2]])
    rear, low = flat[np.argmin(flat[:, 0])], np.array([toe @ pointing, toe[2]])
    at = np.linspace(0, len(flat) - 1, _POINTS)
    return Alignment(
        toe_ahead_mm=1e3 * float(low[0]),
        alpha_deg=math.degrees(math.atan2(rear[1] - low[1], low[0] - rear[0])),
        beta_deg=math.degrees(math.atan2(-rear[0], -rear[1])),
        height_difference_mm=1e3 * float(hip[2] - knee[2] - toe[2] - model.body("pelvis").pos[2]),
        hip_m=np.array([(hip - knee) @ pointing, hip[2] - knee[2]]),
        rear_m=rear,
        toe_m=low,
        blade_m=np.column_stack([np.interp(at, np.arange(len(flat)), column) for column in flat.T]),
    )


def _geoms(model, start: str, side: str = "") -> list[int]:
    """Numbers of the shapes whose name starts so, and ends with the side's letter where one is given."""
    names = [model.geom(i).name for i in range(model.ngeom)]
    return [i for i, name in enumerate(names) if name.startswith(start) and name.endswith(side)]
