"""What acts on the runner from outside: gravity, the ground, and forces that pull or push.

Takes defaults from models/environment.toml and models/contact.toml, changes by dotted name, and a `Task`;
gives an `Environment`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from bladerun._lib import data_files
from bladerun._lib.kinds import SIGNED
from bladerun._lib.settings import Settings, read
from bladerun.errors import ModelError, nearest
from bladerun.task import Task


class Ground(NamedTuple):
    """The law of the ground under every sphere: its rounding, and shares of what each sphere has of its own.

    Parameters
    ----------
    smoothing_m
        Penetration over which the onset of the force is smoothed.
    slip_speed_m_s, slip_load_n
        Friction is smoothed over slip_speed_m_s (1 + slip_load_n / normal force).
    stiffness, damping, friction
        Shares of what each sphere has of its own (models/contact.toml), 1 but for what-ifs.
    layer_stiffness, layer_damping
        Of a layer in series with each sphere, N/m^1.5 and s/m; stiffness 0 = none.

    Notes
    -----
    The law stands in `stride/dynamics/contact_law.py`.

    References
    ----------
    Hunt & Crossley 1975, doi 10.1115/1.3423596, for the form.
    """

    smoothing_m: float  # e, height over which contact sets in
    slip_speed_m_s: float  # v_s
    slip_load_n: float  # f_0
    stiffness: float = 1.0
    damping: float = 1.0
    friction: float = 1.0
    layer_stiffness: float = 0.0
    layer_damping: float = 0.0


@dataclass(frozen=True)
class Wrench(Settings):
    """A force and a torque on one body, constant in the frame of the ground (x forward, y left, z up).

    Parameters
    ----------
    body
        Name of a body of the model, such as "pelvis".
    force_n, torque_nm
        (3,) N and Nm.
    point_m
        (3,) m, where the force acts, in the frame of the body; its centre of mass where left out.
    part
        In place of point_m, a drawn part of the body, at whose centre the force acts, such as "hand_r".
    """

    body: str
    force_n: tuple[SIGNED, SIGNED, SIGNED] = (0.0, 0.0, 0.0)
    torque_nm: tuple[SIGNED, SIGNED, SIGNED] = (0.0, 0.0, 0.0)
    point_m: tuple[SIGNED, ...] = ()
    part: str = ""

    def point(self, mj: Any, body: int) -> np.ndarray:
        """(3,) m, where it acts, in the frame of its body.

        Parameters
        ----------
        mj
            Compiled MuJoCo model.
        body
            Index of the body.
        """
        if self.part:
            return np.array(mj.geom_pos[mj.geom(self.part).id])
        return np.array(self.point_m or mj.body_ipos[body])


@dataclass(frozen=True)
class Environment(Settings):
    """Gravity, ground and external wrenches of a stride.

    Parameters
    ----------
    gravity_m_s2
        (3,) m/s^2 in the frame of the ground: x forward, y left, z up.
    ground
        The law of contact.
    wrenches
        External forces and torques on bodies.
    """

    gravity_m_s2: tuple[SIGNED, SIGNED, SIGNED]
    ground: Ground
    wrenches: tuple[Wrench, ...] = ()

    @classmethod
    def default(cls, **changes: Any) -> Environment:
        """That of models/environment.toml and models/contact.toml; changes: other entries, by name."""
        return replace(_default(), **changes)

    @property
    def gravity(self) -> float:
        """Size of gravity, m/s^2, by which forces are counted in body weights."""
        return math.hypot(*self.gravity_m_s2)

    def bodies(self, mj: Any) -> list[int]:
        """Ids of the bodies that the wrenches act on in a compiled model; ModelError where one is missing."""
        names = [mj.body(b).name for b in range(mj.nbody)]
        for wrench in self.wrenches:
            if wrench.body not in names[1:]:
                raise ModelError(
                    f"'{wrench.body}' is not a body; {nearest(wrench.body, names[1:])}", key="wrenches"
                )
        return [names.index(wrench.body) for wrench in self.wrenches]

    def of(self, task: Task, mass_kg: float) -> Environment:
        """This environment with what the task adds to it: slope, bend, pull and what is underfoot.

        Parameters
        ----------
        task
            What is asked of the runner.
        mass_kg
            Of the runner, by which the pull is counted.
        """
        angle = math.atan(task.slope_percent / 100)
        x, y, z = self.gravity_m_s2
        along, across = x * math.cos(angle) + z * math.sin(angle), z * math.cos(angle) - x * math.sin(angle)
        pull = _pull(task, task.horizontal_force_bw * mass_kg * self.gravity)
        return replace(
            self,
            gravity_m_s2=(along, y - inward_m_s2(task), across),
            ground=self.ground._replace(**_layer(task)),
            wrenches=(*self.wrenches, *pull),
        )


def inward_m_s2(task: Task) -> float:
    """v^2 / r of a bend, to the left positive; 0 straight ahead."""
    return 0.0 if task.bend_radius_m is None else task.speed_m_s**2 / task.bend_radius_m


def _pull(task: Task, force_n: float) -> tuple[Wrench, ...]:
    if not force_n:
        return ()
    if task.force_at == "chest":
        return (Wrench("torso", (force_n, 0.0, 0.0), part="chest"),)
    if task.force_at == "hands":
        half = (force_n / 2, 0.0, 0.0)
        return tuple(Wrench(f"forearm_{side}", half, part=f"hand_{side}") for side in "rl")
    return (Wrench("pelvis", (force_n, 0.0, 0.0)),)


def _layer(task: Task) -> dict[str, float]:
    """Of the ground under each sphere, from stiffness and loss under a whole sole (models/ground.toml).

    n spheres carry F at a travel d = F / k, so n K d^1.5 = F. Over a contact of t seconds in which the travel
    is a half sine, f = K d^1.5 (1 + c d') takes x = 2.5 pi B(5/4, 3/2) c d / t of the K d^2.5 / 2.5 that it
    stores, half of it on the way in; of what is put in that is x / (1 + x / 2).
    """
    stiffness_kn_m, loss = task.layer
    if not stiffness_kn_m:
        return {}
    sole = data_files.toml("ground.toml")["sole"]
    travel_m = sole["load_n"] / (1e3 * stiffness_kn_m)
    taken = loss / (1 - loss / 2)  # x
    return {
        "layer_stiffness": sole["load_n"] / (sole["spheres"] * travel_m**1.5),
        "layer_damping": taken * sole["contact_s"] / (2.5 * math.pi * _BETA * travel_m),
    }


_BETA = math.gamma(5 / 4) * math.gamma(3 / 2) / math.gamma(11 / 4)


@cache
def _default() -> Environment:
    ground = {k: v for k, v in data_files.toml("contact.toml")["regularisation"].items() if k != "status"}
    gravity = data_files.toml("environment.toml")["gravity_m_s2"]["value"]
    return read(Environment, {"gravity_m_s2": gravity, "ground": ground})
