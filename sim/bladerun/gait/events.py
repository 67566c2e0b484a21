"""One leg of a stride, read for analysis: its curves, its contact with the ground, its centre of pressure.

Takes a Stride dataset and a side; gives periodic curves of time and the moments of touchdown, greatest
compression and toe-off, between the knots and across the seam of the stride.
Forward positions are in the frame that runs along at the runner's speed, where they are periodic.
"""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise

import mujoco
import numpy as np
import xarray as xr

from bladerun._lib.data_files import toml
from bladerun.dataset.model_text import model_of
from bladerun.dataset.reading import shares
from bladerun.gait.periodic import Periodic

CONTACT_THRESHOLD_N = toml("outcomes.toml")["contact"]["threshold_n"]


JOINTS = {  # of a leg, and their axes
    "hip": ("hip_flexion", "hip_adduction", "hip_rotation"),
    "knee": ("knee_flexion",),
    "ankle": ("ankle_dorsiflexion", "subtalar_inversion"),
    "toes": ("mtp_dorsiflexion",),
}


class Leg:
    """One leg's stride, `side` = "left" | "right".

    `down`, `deepest`, `up` (s): touchdown, greatest compression (see `bladerun.gait.registry`) and toe-off;
    0 <= down < period, up may lie beyond it. All three NaN where the leg is always or never loaded. A
    measured stride without forces says down and up itself.
    """

    def __init__(self, stride: xr.Dataset, side: str):
        self.stride, self.side = stride, side
        self.suffix, self.outward = ("l", 1.0) if side == "left" else ("r", -1.0)
        self.period, self.speed = float(stride.attrs["stride_time_s"]), float(stride.attrs["speed_m_s"])
        self.mass_kg = float(stride.attrs["mass_kg"])
        self.weight_n = self.mass_kg * abs(float(stride.attrs["gravity"]))
        self.has_blade = bool(((stride.joint_part == "blade") & (stride.joint_side == side)).any())
        unit = (stride.joint_part == "knee unit") & (stride.joint_side == side)
        self.has_knee_unit = bool(unit.any())
        self.force = [self.curve(f) for f in stride.grf.sel(side=side).values.T]
        if "contact_time" in stride:
            self.down, self.up = map(float, stride.contact_time.sel(side=side))
        else:
            self.down, self.up = _contact(self.force[2])

    @property
    def touches(self) -> bool:
        """Whether the leg has one contact and one swing in the stride."""
        return bool(np.isfinite(self.down))

    def curve(self, values: np.ndarray) -> Periodic:
        """The periodic curve through one value a knot."""
        return Periodic(values, self.stride.time.values, self.period)

    def joint(self, quantity: str, name: str) -> Periodic:
        """Curve of q, v or tau of this leg's joint `name`, given without suffix."""
        return joint_curve(self.stride, quantity, f"{name}_{self.suffix}")

    def has_joint(self, name: str) -> bool:
        """Whether this leg has the joint `name`, given without suffix."""
        return f"{name}_{self.suffix}" in self.stride.joint.values

    def drives(self, name: str) -> bool:
        """Whether this leg has the joint `name` and muscles or a motor move it: not a prosthetic knee."""
        return self.has_joint(name) and not (self.has_knee_unit and name in JOINTS["knee"])

    def site(self, name: str) -> list[Periodic]:
        """Position (m) of this leg's site `name`, given without suffix."""
        return site_curves(self.stride, f"{name}_{self.suffix}")

    @cached_property
    def model(self) -> mujoco.MjModel:
        """The runner's body."""
        return model_of(self.stride)

    @cached_property
    def com(self) -> list[Periodic]:
        """Position (m) of the whole body's centre of mass: x in the frame that runs along, y, z."""
        return _position(self.stride, self.stride.com.values)

    @cached_property
    def blade_energy(self) -> Periodic:
        """Elastic energy in this leg's blade (J)."""
        return self.curve(self.stride.blade_energy.sel(side=self.side).values)

    @cached_property
    def deepest(self) -> float:
        """Time (s) of the blade's greatest elastic energy; of the lowest centre of mass without one."""
        if not self.touches:
            return np.nan
        if self.has_blade:
            return self.blade_energy.peak(self.down, self.up)[0]
        return self.com[2].trough(self.down, self.up)[0]

    def pressure_centre(self, time: float) -> np.ndarray:
        """Centre of pressure (m) at `time`: x in the frame that runs along, y.

        Between two knots it is the mean on the ground of theirs, weighted with vertical force, bounded where
        that vanishes: where a foot stands still, so does its centre of pressure.
        """
        if not np.isfinite(time):
            return np.full(2, np.nan)
        load, moment = self._load
        knots = np.append(self.stride.time.values, self.period)
        now = time % self.period
        left = int(np.searchsorted(knots, now, side="right")) - 1
        later = (now - knots[left]) / (knots[left + 1] - knots[left])
        around = [left, (left + 1) % len(load)]
        weights = np.array([1 - later, later])
        run_m = self.speed * (knots[left : left + 2] - now)
        on_ground = moment[around] + load[around, None] * np.column_stack([run_m, [0.0, 0.0]])
        return weights @ on_ground / (weights @ load[around])

    @cached_property
    def mean_pressure_centre(self) -> np.ndarray:
        """Centre of pressure (m) over the whole contact, weighted with vertical force."""
        load, moment = self._load
        counts = shares(self.stride)
        return counts @ moment / (counts @ load)

    @cached_property
    def load_time(self) -> float:
        """Mean time (s) of contact, weighted with vertical force."""
        load, _ = self._load
        middle = (self.down + self.up) / 2
        load = load * shares(self.stride)
        return middle + float(load @ _wrap(self.stride.time.values - middle, self.period) / load.sum())

    @cached_property
    def _load(self) -> tuple[np.ndarray, np.ndarray]:
        """Vertical force (time,) and its first moment (time, xy) over this leg's contact spheres; those of
        the centre of pressure where a measured stride has no force on spheres."""
        if "contact_force" not in self.stride:
            load, centre = self.force[2].values, self.stride.cop.sel(side=self.side).values[:, :2].copy()
            centre[:, 0] -= self.speed * self.stride.time.values
            return load, np.where(load[:, None] > 0, load[:, None] * centre, 0.0)
        mine = self.stride.contact_side.values == self.side
        load = self.stride.contact_force.sel(xyz="z").values[:, mine]
        position = self.stride.contact_position.values[:, mine, :2].copy()
        position[..., 0] -= self.speed * self.stride.time.values[:, None]
        return load.sum(axis=1), np.einsum("tc,tca->ta", load, position)


def joint_curve(stride: xr.Dataset, quantity: str, joint: str) -> Periodic:
    """Curve of q, v or tau of one joint."""
    column = stride.indexes["joint"].get_loc(joint)  # `sel` takes a millisecond, and there are many
    return Periodic(stride[quantity].values[:, column], stride.time.values, stride.attrs["stride_time_s"])


def site_curves(stride: xr.Dataset, site: str) -> list[Periodic]:
    """Position (m) of one site: x in the frame that runs along, y, z."""
    return _position(stride, stride.site_position.sel(site=site).values)


def _position(stride: xr.Dataset, position: np.ndarray) -> list[Periodic]:
    time = stride.time.values
    forward = position[:, 0] - stride.attrs["speed_m_s"] * time
    curves = (forward, position[:, 1], position[:, 2])
    return [Periodic(values, time, stride.attrs["stride_time_s"]) for values in curves]


def _wrap(time: np.ndarray, period: float) -> np.ndarray:
    """Times moved by whole periods into [-period / 2, period / 2)."""
    return (time + period / 2) % period - period / 2


def _contact(vertical: Periodic) -> tuple[float, float]:
    """Touchdown and toe-off (s): the ends of the time above the threshold that carries most, no scuff."""
    excess = Periodic(vertical.values - CONTACT_THRESHOLD_N, vertical.times, vertical.period)
    crossings = excess.zeros(0.0, vertical.period)
    around = pairwise([*crossings, *(t + vertical.period for t in crossings[:1])])
    loaded = [(start, end) for start, end in around if excess((start + end) / 2) > 0]
    if not loaded:
        return np.nan, np.nan
    down, up = max(loaded, key=lambda ends: vertical.integral(*ends))
    return float(down), float(up)
