"""Rigid segments of a body, from the segment table in models/body.toml.

Takes a `Runner`; gives mass, centre and inertia of each segment, whole or what is left of a shank or thigh.
"""

from dataclasses import dataclass

import numpy as np

from bladerun._lib import data_files
from bladerun.body.runner import Runner


@dataclass(frozen=True)
class Rigid:
    """Mass (kg), centre of mass (3,) and principal inertia (3,) about it, in the frame of its body."""

    mass: float
    com: np.ndarray
    inertia: np.ndarray

    def at(self, offset) -> "Rigid":
        return Rigid(self.mass, self.com + offset, self.inertia)

    def times(self, factor: float) -> "Rigid":
        return Rigid(self.mass * factor, self.com, self.inertia * factor)


def compose(*parts: Rigid) -> Rigid:
    """Several as one (parallel axes); products of inertia are left out: every part lies close to one axis."""
    mass = sum(p.mass for p in parts)
    com = np.sum([p.mass * p.com for p in parts], axis=0) / mass
    inertia = np.sum([p.inertia + p.mass * parallel_axis(p.com - com) for p in parts], axis=0)
    return Rigid(mass, com, inertia)


def subtract(whole: Rigid, part: Rigid) -> Rigid:
    return compose(whole, part.times(-1.0))


def parallel_axis(d: np.ndarray) -> np.ndarray:
    return d @ d - d * d


def length_m(segment: str, runner: Runner) -> float:
    return data_files.toml("body.toml")["segment"][segment]["length_h"] * runner.height_m


def segments(runner: Runner, mass_kg: float) -> dict[str, Rigid]:
    """Rigid segments of a body of `mass_kg`, each hanging down (-z) from its upper end at the origin.

    The foot's origin is the heel on the ground and its length runs forward.
    """
    table = data_files.toml("body.toml")["segment"]
    paired = ("upper_arm", "forearm", "hand", "thigh", "shank", "foot")
    whole = sum(row[runner.sex]["mass"] * (2 if name in paired else 1) for name, row in table.items())
    out = {}
    for name, row in table.items():
        length, data = length_m(name, runner), row[runner.sex]
        mass = data["mass"] / whole * mass_kg
        along = np.array([1.0, 0.0, 0.0]) if name == "foot" else np.array([0.0, 0.0, -1.0])
        inertia = mass * (np.array(data["radius"]) * length) ** 2
        out[name] = Rigid(mass, along * data["com"] * length, inertia)
    return out


def residual_limb(shank: Rigid, length: float, fraction: float) -> Rigid:
    """The upper `fraction` of a shank or thigh of that length, a body of linearly falling mass per length.

    Density a + b x over x = 0 (knee) to 1 with the shank's mass, a + b/2 = 1, and centre, c = 1/2 + b/12;
    its spread along the length adds to half the longitudinal inertia, as in a rod of finite thickness.
    """
    centre = -shank.com[2] / length
    b = 12.0 * (centre - 0.5)
    a = 1.0 - b / 2.0
    first, second, third = (a * fraction**n / n + b * fraction ** (n + 1) / (n + 1) for n in (1, 2, 3))
    mass = shank.mass * first
    spread = mass * length**2 * (third / first - (second / first) ** 2)
    axial = shank.inertia[2] * first
    lateral = spread + axial / 2.0
    return Rigid(mass, np.array([0.0, 0.0, -length * second / first]), np.array([lateral, lateral, axial]))


def set_inertial(spec, name: str, rigid: Rigid) -> None:
    body = spec.body(name)
    body.mass, body.ipos, body.inertia = rigid.mass, rigid.com, rigid.inertia
    body.iquat = [1.0, 0.0, 0.0, 0.0]
