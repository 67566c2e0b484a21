"""Prosthetic knees, and the pylon that stands for one: what they are and how they bend.

Takes a name of models/knees/; gives a `KneeUnit`, which a socket carries and a blade hangs on. Positive is
flexion, 0 straight.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import mujoco
import numpy as np

from bladerun._lib.data_files import models_dir, toml
from bladerun.body.anthropometry import Rigid, compose, set_inertial
from bladerun.body.joints import code
from bladerun.body.passive_laws import write_law

_LOCKED = "-locked"


@cache
def knee_units() -> tuple[str, ...]:
    """Names of the knees there are, and of the pylon; one that can be locked has two."""
    names = [path.stem for path in (models_dir() / "knees").glob("*.toml")]
    return tuple(sorted(names + [name + _LOCKED for name in names if "lock" in KneeUnit(name).entry]))


@dataclass(frozen=True)
class KneeUnit:
    """A prosthetic knee by its name in the catalogue; a pylon or a locked knee is one that hardly bends."""

    name: str

    @property
    def entry(self) -> Mapping[str, Any]:
        """What the catalogue says of it."""
        return toml(f"knees/{self.name.removesuffix(_LOCKED)}.toml")

    @property
    def title(self) -> str:
        return self.entry["title"] + (", locked" if self._locked else "")

    @property
    def bends(self) -> bool:
        """Whether it has an axis about which it may turn; a pylon has none, and a lock holds one."""
        return self.entry["axis"] and not self._locked

    @property
    def _locked(self) -> bool:
        return self.name.endswith(_LOCKED)

    @property
    def mass_kg(self) -> float:
        return self.value("mass", "mass_kg")

    @property
    def limit_kg(self) -> float:
        """Body mass that it may carry."""
        return self.value("mass", "limit_kg")

    @property
    def above_axis_m(self) -> float:
        """From its upper end to its axis; of a pylon to the level of the sound knee."""
        return self.value("build", "above_axis_m")

    @property
    def below_axis_m(self) -> float:
        """From there to its lower end, where the blade or its tube begins."""
        return self.value("build", "below_axis_m")

    def value(self, section: str, key: str) -> Any:
        """A figure of the entry without its status and source."""
        return self.entry[section][key]["value"]

    def worn_kg(self, clamp_m: float) -> float:
        """Its mass with the tube down to the blade's clamp, which lies so far below the axis."""
        return self._rigid(clamp_m).mass

    def stop_moment_nm(self, angle_rad: np.ndarray) -> np.ndarray:
        """How hard the knee rests on its stop of extension at this angle, Nm; 0 for a pylon."""
        if not self.bends:
            return np.zeros_like(angle_rad)
        own = self._stop("stop", -1.0)
        depth, e = own["at"] - angle_rad, own["rounding"]
        rounded = np.where(depth < e, np.maximum(depth + e, 0.0) ** 2 / (4 * e), depth)
        return own["stiffness"] * rounded

    def laws(self, flexion: float, extension: float) -> Iterator[tuple[str, dict[str, float]]]:
        """Passive laws of its joint, flexion and extension damping times the catalogue's."""
        if not self.bends:
            section = "lock" if self._locked else "bending"
            stiffness = self.value(section, "stiffness_nm_rad")
            damping = stiffness * self.value(section, "relaxation_s")
            yield "linear", {"stiffness": stiffness, "rest": 0.0, "damping": damping}
            return
        yield "stop", self._stop("stop", -1.0)
        yield "stop", self._stop("end", 1.0)
        yield "damper", self._damper("flexion", flexion, 1.0)
        yield "damper", self._damper("extension", extension, -1.0)

    def attach(
        self,
        spec,
        socket,
        suffix: str,
        *,
        pos: np.ndarray,
        quat: np.ndarray,
        clamp_m: float,
        damping: tuple[float, float],
    ):
        """Hang it on a socket; gives the body that the blade is clamped to, its frame at the axis.

        pos (3,) m, quat (4,): axis and frame in the socket's; clamp_m: from the axis down to the blade's
        clamp; damping: factors in flexion and extension.
        """
        body = socket.add_body(name=f"shank_{suffix}", pos=pos, quat=quat)
        name = f"knee_flexion_{suffix}"
        hinge = mujoco.mjtJoint.mjJNT_HINGE
        body.add_joint(name=name, type=hinge, axis=[0.0, 1.0, 0.0], userdata=code("passive", "knee unit"))
        for kind, parameters in self.laws(*damping):
            write_law(spec, name, kind, **parameters)
        body.add_site(name=f"knee_{suffix}")
        body.explicitinertial = True
        set_inertial(spec, body.name, self._rigid(clamp_m))
        self._draw(body, suffix, clamp_m)
        _tube(socket, f"unit_mount_{suffix}", spec.geom(f"socket_{suffix}").fromto[3:], pos)
        return body

    def _stop(self, section: str, sense: float) -> dict[str, float]:
        return {
            "stiffness": self.value(section, "stiffness_nm_rad"),
            "at": math.radians(self.value(section, "at_deg")),
            "sense": sense,
            "rounding": math.radians(self.value(section, "rounding_deg")),
            "damping": self.value(section, "damping_s_rad"),
        }

    def _damper(self, section: str, factor: float, sense: float) -> dict[str, float]:
        damping = factor * self.value(section, "damping_nms_rad")
        return {
            "positive": damping if sense > 0 else 0.0,
            "negative": damping if sense < 0 else 0.0,
            "rounding": self.value("rounding", "speed_rad_s"),
            "start": math.radians(self.value(section, "from_deg")),
            "width": sense * math.radians(self.value(section, "over_deg")),
            "factor": self.value(section, "rises"),
        }

    def _rigid(self, clamp_m: float) -> Rigid:
        """The unit, and the tube from its lower end to the clamp."""
        length = max(clamp_m - self.below_axis_m, 0.0)
        tube = toml("body.toml")["tube"]
        unit = _rod(self.mass_kg, self.value("mass", "length_m"), -self.value("mass", "below_axis_m"), 0.03)
        return compose(
            unit,
            _rod(tube["mass_kg_m"] * length, length, -self.below_axis_m - length / 2, tube["radius_m"]),
        )

    def _draw(self, body, suffix: str, clamp_m: float) -> None:
        _tube(body, f"unit_tube_{suffix}", (0, 0, 0), (0, 0, -clamp_m))
        if self.entry["axis"]:
            _tube(body, f"unit_axis_{suffix}", (0, -0.03, 0), (0, 0.03, 0), 0.026)
            _tube(body, f"unit_frame_{suffix}", (0, 0, -0.02), (0, 0, 0.02 - self.below_axis_m), 0.03)


def _tube(body, name: str, start, end, radius: float | None = None) -> None:
    """Draw a tube between two points, m."""
    body.add_geom(
        name=name,
        type=mujoco.mjtGeom.mjGEOM_CAPSULE,
        material="socket",
        size=[radius or toml("body.toml")["tube"]["radius_m"], 0, 0],
        fromto=[*start, *end],
        contype=0,
        conaffinity=0,
        mass=0.0,
        group=1,
    )


def _rod(mass: float, length: float, middle_z: float, radius: float) -> Rigid:
    """A cylinder along z."""
    lateral = mass * (length**2 / 12 + radius**2 / 4)
    return Rigid(mass, np.array([0.0, 0.0, middle_z]), np.array([lateral, lateral, mass * radius**2 / 2]))
