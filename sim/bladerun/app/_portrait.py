"""A solved stride as arrays to show, all alike, so that strides between solved ones are weighted sums.

Takes a Stride dataset; gives a `Portrait`: the body's parts over the stride from the shown leg's touchdown,
ground forces, energy, hip torques, pelvis, whip and every outcome. `blend` mixes portraits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import mujoco
import numpy as np
import xarray as xr

from bladerun._lib.data_files import toml
from bladerun.blade.catalog import load_blade
from bladerun.dataset.asked import fitting_of
from bladerun.dataset.model_text import model_of
from bladerun.gait.alignment import alignment
from bladerun.gait.events import CONTACT_THRESHOLD_N, Leg
from bladerun.gait.outcomes import flat, outcomes
from bladerun.gait.posture import posture
from bladerun.study.landing_window import landing_ahead_m
from bladerun.study.recommend import weigh

FRAMES = 96
PERCENT = np.arange(0.0, 101.0, 2.0)
_KINDS = {2: "sphere", 3: "capsule", 4: "ellipsoid", 5: "cylinder", 6: "box"}
_AXES = ("flexion", "adduction", "rotation")
SIDES = ("right", "left")


@dataclass(frozen=True)
class Portrait:
    """What is shown of a stride.

    side: the leg looked at, the one with the blade (the right if both). rule: the shape whose alignment rule
    holds for its blade, "J" or "C". shapes: the solids that make up the
    body, each fixed to one of its parts. arrays: bodies (frames, parts, 7) position (m, in the frame that
    runs along) and quaternion; force (frames, sides, 3) body weights; pressure (frames, sides, 2) m; com
    (frames, 3) m; energy (frames,) J in the blade; hip (axes, sides, percent) Nm/kg from own touchdown; psis
    (left and right, yz) m at greatest compression; bench (points, forward and up of the knee) m in bench
    alignment: rearmost and lowest point, then along the blade; whip (points, forward and outward) m, the
    blade's tip from the knee in early swing; times: period (s), then as shares of it after touchdown:
    greatest compression, toe-off, the other leg's touchdown and toe-off; numbers (keys,); landing () m, as
    `landing_ahead_m`. Sides are `SIDES`.
    """

    side: str
    rule: str
    shapes: list[dict[str, Any]]
    keys: tuple[str, ...]
    arrays: dict[str, np.ndarray]

    @cached_property
    def numbers(self) -> dict[str, float]:
        """Every outcome and trade-off by its column's name."""
        return dict(zip(self.keys, self.arrays["numbers"].tolist(), strict=True))


def numbers(stride: xr.Dataset, own: Mapping[str, float] | None = None) -> dict[str, float]:
    """Every outcome and trade-off by its column's name. own: as of `portrait`."""
    found = flat(outcomes(stride))
    return found | weigh(found, stride.attrs["amputation_side"], own)


def portrait(stride: xr.Dataset, own: Mapping[str, float] | None = None) -> Portrait:
    """Read what is shown off a converged stride. own: weights of the score (`study.recommend`)."""
    side = "left" if stride.attrs["amputation_side"] == "left" else "right"
    legs = {name: Leg(stride, name) for name in SIDES}
    leg, other = legs[side], legs[SIDES[1 - SIDES.index(side)]]
    model = model_of(stride)
    times = leg.down + np.arange(FRAMES) / FRAMES * leg.period
    found = numbers(stride, own)

    def share(time: float) -> float:
        return (time - leg.down) / leg.period

    later = (other.down - leg.down) % leg.period
    arrays = {
        "bodies": _bodies(stride, model, times),
        "force": np.stack([_force(legs[name], times) for name in SIDES], axis=1),
        "pressure": np.stack([_pressure(legs[name], times) for name in SIDES], axis=1),
        "com": np.stack([curve(times) for curve in leg.com], axis=1),
        "energy": np.nan_to_num(leg.blade_energy(times % leg.period)),
        "hip": np.array([[_hip(legs[name], axis) for name in SIDES] for axis in _AXES]),
        "psis": np.array([_psis(stride, name, leg.deepest) for name in ("left", "right")]),
        "bench": _bench(leg),
        "whip": _whip(leg),
        "times": np.array(
            [
                leg.period,
                share(leg.deepest),
                share(leg.up),
                later / leg.period,
                (later + other.up - other.down) / leg.period,
            ]
        ),
        "numbers": np.array(list(found.values()), float),
        "landing": np.array(landing_ahead_m(stride)),
    }
    rule = load_blade(fitting_of(stride, side).blade).shape if leg.has_blade else ""
    return Portrait(side, rule, _shapes(model), tuple(found), arrays)


def blend(portraits: list[Portrait], weights: list[float]) -> Portrait:
    """The weighted sum; shapes are those of the heaviest. Weights add up to 1."""
    heaviest = portraits[int(np.argmax(weights))]
    if len(portraits) == 1:
        return heaviest
    mixed = {}
    for name, like in heaviest.arrays.items():
        rows = [one.arrays[name] for one in portraits]
        if name == "bodies":
            rows = [_same_sign(row, like) for row in rows]
        mixed[name] = np.tensordot(weights, np.stack(rows), axes=1)
    turn = mixed["bodies"][..., 3:]
    turn /= np.linalg.norm(turn, axis=-1, keepdims=True)
    return Portrait(heaviest.side, heaviest.rule, heaviest.shapes, heaviest.keys, mixed)


def _same_sign(bodies: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Quaternions on the same half of the sphere as those of `like`."""
    signs = np.where((bodies[..., 3:] * like[..., 3:]).sum(axis=-1) < 0, -1.0, 1.0)
    return np.concatenate([bodies[..., :3], signs[..., None] * bodies[..., 3:]], axis=-1)


def _seen(model: mujoco.MjModel) -> np.ndarray:
    """Geoms that are seen: not the ground, not contact spheres."""
    return np.flatnonzero((model.geom_group <= 1) & (model.geom_type != mujoco.mjtGeom.mjGEOM_PLANE))


def _bodies(stride: xr.Dataset, model: mujoco.MjModel, times: np.ndarray) -> np.ndarray:
    data, posed, speed = mujoco.MjData(model), posture(stride), float(stride.attrs["speed_m_s"])
    parts = np.unique(model.geom_bodyid[_seen(model)])
    frames = np.empty((len(times), len(parts), 7))
    for frame, time in zip(frames, times, strict=True):
        data.qpos[:] = posed(time)
        mujoco.mj_kinematics(model, data)
        frame[:, :3], frame[:, 3:] = data.xpos[parts], data.xquat[parts]
        frame[:, 0] -= speed * time
    return frames


def _shapes(model: mujoco.MjModel) -> list[dict[str, Any]]:
    """Each solid: kind, size, place in its part, colour, whether blade; `part` counts as in `bodies`."""
    seen = _seen(model)
    parts = {int(body): i for i, body in enumerate(np.unique(model.geom_bodyid[seen]))}
    shapes = []
    for geom in seen:
        material = int(model.geom_matid[geom])
        colour = model.mat_rgba[material] if material >= 0 else model.geom_rgba[geom]
        shapes.append(
            {
                "kind": _KINDS[int(model.geom_type[geom])],
                "part": parts[int(model.geom_bodyid[geom])],
                "size": model.geom_size[geom].round(4).tolist(),
                "place": np.r_[model.geom_pos[geom], model.geom_quat[geom]].round(4).tolist(),
                "colour": (255 * colour[:3]).astype(int).tolist(),
                "blade": model.geom(geom).name.startswith("blade_laminate"),
            }
        )
    return shapes


def _force(leg: Leg, times: np.ndarray) -> np.ndarray:
    force = np.stack([curve(times % leg.period) for curve in leg.force], axis=1)
    force[force[:, 2] < CONTACT_THRESHOLD_N] = 0.0
    return force / leg.weight_n


def _pressure(leg: Leg, times: np.ndarray) -> np.ndarray:
    """Centre of pressure; out of contact that of the nearest moment in contact."""
    loaded = np.flatnonzero(leg.force[2](times % leg.period) >= CONTACT_THRESHOLD_N)
    if not len(loaded):
        return np.zeros((len(times), 2))
    apart = np.abs(np.arange(len(times))[:, None] - loaded)
    nearest = loaded[np.minimum(apart, len(times) - apart).argmin(axis=1)]
    return np.array([leg.pressure_centre(float(times[k])) for k in nearest])


def _hip(leg: Leg, axis: str) -> np.ndarray:
    time = leg.down + PERCENT / 100 * leg.period
    return leg.joint("tau", f"hip_{axis}")(time % leg.period) / leg.mass_kg


def _psis(stride: xr.Dataset, side: str, time: float) -> list[float]:
    place = Leg(stride, side).site("psis")
    return [float(place[1](time)), float(place[2](time))]


def _bench(leg: Leg) -> np.ndarray:
    if not leg.has_blade:
        return np.zeros((42, 2))
    found = alignment(leg.model, leg.side, fitting_of(leg.stride, leg.side).sagittal_deg)
    return np.vstack([found.rear_m, found.toe_m, found.blade_m])


def _whip(leg: Leg) -> np.ndarray:
    """The blade's tip seen from above, from where the knee is, over the first share of swing."""
    if not leg.has_blade:
        return np.zeros((21, 2))
    share = toml("outcomes.toml")["whip"]["swing_share"]
    times = leg.up + np.linspace(0, 1, 21) * share * (leg.period - (leg.up - leg.down))
    tip, knee = leg.site("blade_tip"), leg.site("knee")
    forward = tip[0](times) - knee[0](times)
    aside = leg.outward * (tip[1](times) - knee[1](times))
    return np.stack([forward, aside], axis=1)
