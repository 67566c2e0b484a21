"""The right leg of models/runner.xml as the calibration sees it.

Takes a compiled model; gives path lengths, moment arms, isometric forces and the balance of the Achilles
tendon, and writes changed muscles back into the file, the left side mirroring the right.
"""

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import mujoco
import numpy as np
from scipy.optimize import brentq

XML = Path(__file__).parents[2] / "models" / "runner.xml"
JOINTS = [
    "hip_flexion",
    "hip_adduction",
    "hip_rotation",
    "knee_flexion",
    "ankle_dorsiflexion",
    "subtalar_inversion",
]
CALF = ("gastroc", "soleus")
DRAWN, TENSION_N_M2 = 0.3, 6.0e5  # share of a muscle's radius that is drawn; specific tension of muscles.toml


class Course(NamedTuple):
    """A path in many postures, slider at 0: length (m), moment arms (postures, 6) (m), slope in slider."""

    length: np.ndarray
    arms: np.ndarray
    slider: np.ndarray


class Leg:
    """Paths, forces and the Achilles tendon in any posture q (6,) rad, order of JOINTS."""

    def __init__(self, mj: mujoco.MjModel):
        self.mj, self.data = mj, mujoco.MjData(mj)
        self.joints = [mj.joint(f"{name}_r").id for name in JOINTS]
        self.slider, self.achilles = mj.joint("achilles_r").id, mj.tendon("achilles_tendon_r").id
        driven = [
            mj.actuator(i).name for i in np.flatnonzero(mj.actuator_dyntype == mujoco.mjtDyn.mjDYN_MUSCLE)
        ]
        self.muscles = [name[:-2] for name in driven if name.endswith("_r")]

    def sites(self, path: str) -> list[int]:
        """Ids of a path's sites in their order."""
        names = (self.mj.site(i).name for i in range(self.mj.nsite))
        return [self.mj.site(name).id for name in sorted(names) if re.fullmatch(rf"{path}_r_\d", name)]

    def pose(self, q, rise: float = 0.0) -> None:
        """Take a posture, the slider raised by `rise` (m)."""
        self.data.qpos[self.joints], self.data.qpos[self.slider] = q, rise
        mujoco.mj_kinematics(self.mj, self.data)
        mujoco.mj_comPos(self.mj, self.data)
        mujoco.mj_tendon(self.mj, self.data)

    def slope(self, path: str) -> np.ndarray:
        """(nv,) of the length of a path in every joint."""
        tendon, mj = self.mj.tendon(f"{path}_r").id, self.mj
        at = slice(mj.ten_J_rowadr[tendon], mj.ten_J_rowadr[tendon] + mj.ten_J_rownnz[tendon])
        row = np.zeros(mj.nv)
        row[mj.ten_J_colind[at]] = self.data.ten_J[at]
        return row

    def at(self, postures, path: str) -> Course:
        """A path in postures (k, 6); calf muscles act on the foot through the Achilles tendon."""
        rows = []
        tendon = self.mj.tendon(f"{path}_r").id
        for q in postures:
            self.pose(q)
            slope = self.slope(path)
            arms = -slope - (self.slope("achilles_tendon") if path in CALF else 0)
            rows.append([self.data.ten_length[tendon], slope[self.slider], *arms[self.joints]])
        table = np.array(rows)
        return Course(table[:, 0], table[:, 2:], table[:, 1])

    def set(self, muscle: str, f0: float, l0: float, slack: float) -> None:
        one = self.mj.actuator(f"{muscle}_r")
        one.gainprm[2] = one.biasprm[2] = f0
        one.lengthrange[:] = slack, slack + l0

    def force(self, muscle: str) -> float:
        """Isometric force (N) at full activation in the present posture."""
        one = self.mj.actuator(f"{muscle}_r")
        low, high = one.lengthrange
        length = self.data.ten_length[self.mj.tendon(f"{muscle}_r").id]
        return float(one.gainprm[2] * muscle_curve(self.mj, np.array([(length - low) / (high - low)]))[0])

    def stretched(self, tendon: Course, rise) -> np.ndarray:
        """Force (N) of the Achilles tendon with the slider raised by `rise`."""
        stretch = tendon.length + tendon.slider * rise - self.mj.tendon_lengthspring[self.achilles, 1]
        factors = [self.mj.tendon_stiffness[self.achilles], *self.mj.tendon_stiffnesspoly[self.achilles]]
        return np.polyval([*factors[::-1], 0.0], np.maximum(0.0, stretch))

    def rise(self, tendon: Course, force) -> np.ndarray:
        """Where the slider is when the Achilles tendon bears `force` (N)."""
        low, high = np.full(len(force), -0.08), np.full(len(force), 0.12)
        for _ in range(40):
            middle = (low + high) / 2
            less = self.stretched(tendon, middle) < force
            low, high = np.where(less, middle, low), np.where(less, high, middle)
        return (low + high) / 2

    def moments(self, q) -> dict[str, np.ndarray]:
        """(6,) Nm of each muscle at full activation, the calf in balance with the Achilles tendon."""
        tendon = self.at([q], "achilles_tendon")

        def unbalanced(rise):
            self.pose(q, rise)
            up = -sum(self.force(name) * self.slope(name)[self.slider] for name in CALF)
            return up - self.stretched(tendon, rise)[0] * tendon.slider[0]

        self.pose(q, brentq(unbalanced, -0.08, 0.12, xtol=1e-6))
        result = {name: -self.force(name) * self.slope(name)[self.joints] for name in self.muscles}
        share = {name: self.force(name) for name in CALF}
        bears = sum(share[name] * self.slope(name)[self.slider] for name in CALF) / -tendon.slider[0]
        foot = -self.slope("achilles_tendon")[self.joints] * bears
        for name in CALF:
            result[name] = result[name] + foot * share[name] / sum(share.values())
        return result

    def write(self) -> None:
        """Put paths, forces and lengths into the file, both sides."""
        text = XML.read_text(encoding="utf-8")

        def put(tag, name, key, values):
            nonlocal text
            for side in "rl":
                mirrored = np.atleast_1d(values) * ([1, -1, 1] if key == "pos" and side == "l" else 1) + 0.0
                number = " ".join(f"{value:.0f}" if key == "force" else f"{value:.4f}" for value in mirrored)
                there = re.sub("_r(?=_|$)", f"_{side}", name)
                text, count = re.subn(
                    rf'(<{tag} [^>]*name="{there}"[^>]*? {key}=")[^"]*', rf"\g<1>{number}", text
                )
                if count != 1:
                    raise ValueError(f"{there}: {count} places for {key} in {XML.name}")

        moving = self.mj.body("achilles_r").id
        for path in (*self.muscles, "achilles_tendon"):
            for site in self.sites(path):
                if self.mj.site_bodyid[site] != moving:
                    put("site", self.mj.site(site).name, "pos", self.mj.site_pos[site])
        for name in self.muscles:
            one = self.mj.actuator(f"{name}_r")
            put("muscle", f"{name}_r", "force", one.gainprm[2])
            put("muscle", f"{name}_r", "lengthrange", one.lengthrange)
            put("spatial", f"{name}_r", "width", DRAWN * np.sqrt(one.gainprm[2] / TENSION_N_M2 / np.pi))
        knee = self.mj.geom("wrap_knee_r")
        put("geom", "wrap_knee_r", "pos", knee.pos)
        put("geom", "wrap_knee_r", "size", knee.size[:2])
        put("spatial", "achilles_tendon_r", "springlength", self.mj.tendon_lengthspring[self.achilles])
        XML.write_text(text, encoding="utf-8")


def muscle_curve(mj: mujoco.MjModel, fibre: np.ndarray) -> np.ndarray:
    """Active and passive isometric force over F0 at fibre lengths (L0), as MuJoCo's muscles have them."""
    grid, active, passive = _curves(_shape(mj))
    return np.interp(fibre, grid, active + passive)


def passive_curve(mj: mujoco.MjModel, fibre: np.ndarray) -> np.ndarray:
    """The passive part of it."""
    grid, _, passive = _curves(_shape(mj))
    return np.interp(fibre, grid, passive)


def _shape(mj):
    return tuple(mj.actuator("vasti_r").gainprm[4:9])  # all muscles share it


@cache
def _curves(shape) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    unit, parameters = np.array([0.0, 1.0]), np.array([0.0, 1.0, 1.0, 1.0, *shape])
    grid = np.linspace(0.0, 2.5, 5001)
    active = [-mujoco.mju_muscleGain(x, 0.0, unit, 1.0, parameters) for x in grid]
    passive = [-mujoco.mju_muscleBias(x, unit, 1.0, parameters) for x in grid]
    return grid, np.array(active), np.array(passive)
