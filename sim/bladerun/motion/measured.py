"""The outcomes of a measured runner, by the definitions that predictions have.

Takes files of joint angles and ground forces, and who ran; gives `Measured`: every outcome that can be had
from what was measured, of each stride, with mean and SD, and curves over the gait cycle.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bladerun._lib.data_files import toml
from bladerun._lib.files import content_of
from bladerun._lib.table import plain
from bladerun.body.own_gait import OwnGait
from bladerun.body.runner import Runner
from bladerun.case import Case
from bladerun.errors import InputError
from bladerun.gait.cycle import own_cycle
from bladerun.gait.events import Leg
from bladerun.gait.outcomes import OUTCOMES, flat, outcomes
from bladerun.model import Model, build_model
from bladerun.motion.contacts import Contact, Load, by_forces, by_motion
from bladerun.motion.ground import KINDS, ground_of
from bladerun.motion.identified import Identified, identified
from bladerun.motion.kinematics import posture
from bladerun.motion.moments import left_over
from bladerun.motion.own import own_gait
from bladerun.motion.posed import Posed, pose
from bladerun.motion.reading import read
from bladerun.motion.records import Forces, Markers, Motion
from bladerun.motion.strides import dataset, whole
from bladerun.motion.under_feet import under_feet

CURVES = (
    "pelvis_tilt", "pelvis_list", "pelvis_rotation", "hip_flexion", "hip_adduction", "hip_rotation",
    "knee_flexion", "ankle_dorsiflexion", "grf_vertical", "grf_fore_aft", "grf_medial",
)  # fmt: skip
PERCENT = np.linspace(0.0, 100.0, 101)
_SIDES = ("left", "right")
_USUAL_HEIGHT_M, _USUAL_MASS_KG = 1.75, 75.0  # of the body that models/runner.xml is drawn for
_MOST_BYTES = 20_000_000
_WORDS = {Motion: "joint angles", Forces: "ground forces", Markers: "markers"}
_OFF = 0.1  # of the mass: more between the runner's file and the forces is said to be much


@dataclass(frozen=True)
class Measured:
    """What was measured of a runner.

    Parameters
    ----------
    table
        A row for each stride: its start in s, and every outcome that could be had, by the columns of `flat`.
    curves
        Mean and SD (101,) over strides from 0 to 100 % of the leg's own gait cycle, by quantity, named as in
        models/reference, and side.
    ground
        "treadmill" or "overground".
    speed_m_s
        Of the runner against the ground.
    notes
        What was assumed, and what was left out.
    residual_mm
        Where motion came from markers: how far each was from its place on the body, root mean square.
    strides
        Each as a dataset with the variables of a solved stride, NaN where they were not measured; empty when
        read from a file.
    reference
        How the runner runs, for a prediction to start from; None of fewer strides than have a spread.
    identified
        What forces and motion together say of blade, socket and strength; empty when read from a file.
    """

    table: pd.DataFrame
    curves: dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]
    ground: str
    speed_m_s: float
    notes: tuple[str, ...]
    residual_mm: Mapping[str, float] = field(default_factory=dict)
    strides: tuple[xr.Dataset, ...] = ()
    reference: OwnGait | None = None
    identified: tuple[Identified, ...] = ()

    def mean_and_sd(self, column: str) -> tuple[float, float]:
        """Of an outcome, by the columns of `flat`, over strides; NaN where it was not measured, SD NaN of one
        stride."""
        if column not in self.table:
            return np.nan, np.nan
        values = self.table[column].to_numpy(float)
        values = values[np.isfinite(values)]
        return float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else np.nan

    def to_dict(self) -> dict[str, Any]:
        """For JSON: outcomes and curves with mean and SD, and what they came from."""
        curves: dict[str, Any] = {}
        for (quantity, side), (mean, sd) in self.curves.items():
            curves.setdefault(quantity, {})[side] = {"mean": mean.tolist(), "sd": sd.tolist()}
        return {
            "ground": self.ground,
            "speed_m_s": self.speed_m_s,
            "strides": self.table.to_dict("list"),
            "outcomes": self._outcomes(),
            "percent": PERCENT.tolist(),
            "curves": curves,
            "reference": plain(self.reference),
            "identified": [row._asdict() for row in self.identified],
            "markers_rms_mm": dict(self.residual_mm),
            "notes": list(self.notes),
        }

    def _outcomes(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for row in OUTCOMES:
            sides = _SIDES if row.per_leg else ("",)
            each = {side: self.mean_and_sd(f"{row.key}_{side}" if side else row.key) for side in sides}
            known = {s: {"mean": mean, "sd": sd} for s, (mean, sd) in each.items() if np.isfinite(mean)}
            if known:
                found[row.key] = known if row.per_leg else known[""]
        return found


def measure(
    motion: Motion | Markers | str | Path,
    forces: Forces | str | Path | None = None,
    case: Case | None = None,
    *,
    columns: str | Path | None = None,
    markers: str | Path | None = None,
    static: Markers | str | Path | None = None,
    ground: str | None = None,
    speed_m_s: float | None = None,
) -> Measured:
    """Find the strides of a measured runner, and their outcomes by the definitions of predictions.

    Parameters
    ----------
    motion
        Joint angles, or markers, or a file of either. Markers are made angles of by inverse kinematics on the
        runner's model, whose segments are scaled to them.
    forces
        Ground forces on the same clock, or a file of them; those in the file of the markers, where it has
        any. Without, touchdown and toe-off come from the motion by published rules, and what needs forces is
        absent.
    case
        Who ran, on what, as `load_case` reads it; an able-bodied person of usual height without.
    columns
        What the columns of a CSV of motion are, as `read` takes it.
    markers
        A TOML file that says where markers of other names are: a place of the body by each name.
    static
        Markers of the runner standing still, or a file of them, which scale the segments; those of the
        motion without.
    ground
        "treadmill" or "overground"; told from the motion without.
    speed_m_s
        Of the treadmill's belt; told from the standing foot without.

    Returns
    -------
    Measured
        Outcomes of every whole stride; joint moments where forces are given. What follows from muscles is
        absent.

    Raises
    ------
    InputError
        For a file that cannot be used, and where no whole stride is in it.
    """
    if ground not in (None, *KINDS):
        raise InputError(f"{ground!r} is not allowed; {' or '.join(KINDS)}", key="ground")
    moved, file = _of_kind(motion, (Motion, Markers), "joint angles or markers", columns)
    loaded, _ = _of_kind(forces, (Forces,), "ground forces") if forces is not None else (None, None)
    standing, _ = _of_kind(static, (Markers,), "markers") if static is not None else (None, None)
    said: list[str] = []
    try:
        model = _model(case, said)
        if isinstance(moved, Markers):
            moved, model, own = posture(moved, model, markers, standing)
            loaded = loaded or own
        return _measured(moved, loaded, model, said, ground, speed_m_s)
    except InputError as error:
        raise error.at(error.file or file) from None


def _measured(
    moved: Motion,
    loaded: Forces | None,
    model: Model,
    said: list[str],
    kind: str | None,
    speed: float | None,
) -> Measured:
    notes = [*moved.notes, *(loaded.notes if loaded else ()), *said]
    posed = pose(moved, model)
    if loaded:
        loaded, said = under_feet(loaded, posed)
        notes += said
    contacts, loads = by_forces(loaded, posed) if loaded else (by_motion(posed), None)
    cuts, left_out = whole(contacts, posed)
    notes += [*posed.notes, *_assumed(posed), *left_out]
    if not cuts:
        raise InputError(_no_stride(contacts, posed, loaded is not None, left_out))
    where = ground_of(posed, [contact for cut in cuts for contact in cut], kind, speed)
    strides = tuple(dataset(posed, cut, loads, where) for cut in cuts)
    mean_speed = float(np.mean([each.attrs["speed_m_s"] for each in strides]))
    notes += _residual_forces(strides, model)
    notes += [*where.notes, *_said_of(strides, cuts, model, loads, mean_speed)]
    table = pd.DataFrame(
        [{"start_s": cut[0].down, **flat(outcomes(s))} for cut, s in zip(cuts, strides, strict=True)]
    )
    table = table.dropna(axis=1, how="all")
    seen = tuple(identified(strides, model))
    notes += _weaker(seen)
    known = _curves(strides), where.kind, mean_speed, tuple(notes), dict(moved.residual_mm), strides
    return Measured(table, *known, own_gait(strides), seen)


def _weaker(seen: tuple[Identified, ...]) -> list[str]:
    """Muscle groups that the runner's file has weaker than this running takes."""
    return [
        f"{row.title.partition(' at least')[0]}, {row.side} leg: this running takes at least "
        f"{100 * row.low:.0f} % of usual strength, the runner's file has {100 * row.usual:.0f} %"
        for row in seen
        if row.key.endswith("_least") and row.low > row.usual
    ]


def _of_kind(
    given: Any, kinds: tuple[type, ...], wanted: str, columns: str | Path | None = None
) -> tuple[Any, Any]:
    """What was given, read where it is a file, and the file."""
    if isinstance(given, kinds):
        return given, None
    found = read(given, columns=columns)
    if kinds == (Forces,) and isinstance(found, Markers) and found.forces:
        found = found.forces
    if not isinstance(found, kinds):
        raise InputError(f"{_WORDS[type(found)]}, not {wanted}", file=given)
    return found, given


def _model(case: Case | None, notes: list[str]) -> Model:
    if case is not None:
        return build_model(case.runner, case.amputation, case.fitting)
    notes.append(
        f"no runner's file: an able-bodied man of {_USUAL_HEIGHT_M:g} m, {_USUAL_MASS_KG:g} kg is assumed, "
        "whose lengths and body weight they are"
    )
    return build_model(Runner(_USUAL_MASS_KG, _USUAL_HEIGHT_M, "male"))


def _assumed(posed: Posed) -> list[str]:
    """What was taken of joints that were not measured."""
    missing = {
        part for part, known in zip(posed.model.joint_data.part, posed.measured, strict=True) if not known
    }
    said = {
        "trunk": "the trunk was not measured: what needs the centre of mass is absent",
        "arm": "arms were not measured: taken as hanging in the centre of mass",
        "socket": "the socket was not measured: taken as stiff in the centre of mass; its twist is absent",
        "blade": "the blade was not measured: taken as unloaded in the centre of mass; what it does, and "
        "what is looked at when it is compressed most, is absent",
    }
    return [words for part, words in said.items() if part in missing]


def _residual_forces(strides: tuple[xr.Dataset, ...], model: Model) -> list[str]:
    """What inverse dynamics leaves over, where it could be done at all."""
    each = np.array([left_over(stride.tau.values) for stride in strides])
    force, moment = each.mean(0)
    if not np.isfinite(force):
        return []
    weight = model.mass_kg * strides[0].attrs["gravity"]
    return [
        f"residual at the pelvis, which nothing gives: {force:.0f} N ({100 * force / weight:.0f} % of body "
        f"weight) and {moment:.0f} Nm, root mean square; moments are low-passed at "
        f"{toml('motion.toml')['moments']['smoothed_hz']:g} Hz"
    ]


def _no_stride(contacts: list[Contact], posed: Posed, forces: bool, left_out: list[str]) -> str:
    if left_out:
        return f"no whole stride: {left_out[0]}"
    counts = {side: sum(c.side == side for c in contacts) for side in ("right", "left")}
    seen = f"{counts['right']} contacts of the right and {counts['left']} of the left foot"
    help = " by the forces; without them, strides are looked for in the motion alone" if forces else ""
    return (
        f"no whole stride in {posed.time[-1] - posed.time[0]:.2f} s, from a touchdown of the right foot to "
        f"its next with one contact of the left between: {seen}{help}"
    )


def _said_of(strides, cuts, model: Model, loads: dict[str, Load] | None, speed: float) -> list[str]:
    """What the strides themselves give away: walking, or another body's weight. Raises InputError where
    walking has no forces, and for who stays or goes backward."""
    rules, notes = toml("motion.toml")["kinematic_events"], []
    if speed < toml("motion.toml")["treadmill"]["least_m_s"]:
        raise InputError(f"{speed:.2f} m/s forward is no gait; on a treadmill, give --ground and --speed")
    gravity = strides[0].attrs["gravity"]
    off = [each for each in strides if (each.contact_position.isnull().sum("xyz") == 1).any()]
    if off:
        notes.append(
            f"soles are far from the ground in contact in {len(off)} strides: the model's legs are not the "
            "runner's, or the pelvis is placed otherwise; clearance is absent"
        )
    if loads is None:
        froude = speed**2 / (gravity * model.leg_length_m)
        if froude < rules["walking_froude"]:
            raise InputError(
                f"{speed:.2f} m/s is a walk (Froude number {froude:.2f}, running from "
                f"{rules['walking_froude']}); without forces touchdown is found by rules for running"
            )
        return [*notes, "touchdown and toe-off by the motion alone, 5 to 25 ms off (models/motion.toml)"]
    share = np.mean([(c.up - c.down) / (cut[2].down - cut[0].down) for cut in cuts for c in cut[:2]])
    if share > 0.5:
        notes.append(f"each foot is down for {100 * share:.0f} % of the stride: this is walking")
    carried = np.mean([each.grf.sel(xyz="z").sum("side").mean().item() for each in strides]) / gravity
    if abs(carried / model.mass_kg - 1) > _OFF:
        notes.append(
            f"the forces carry {carried:.1f} kg, the runner weighs {model.mass_kg:.1f} kg: one is wrong"
        )
    return notes


def _curves(strides: tuple[xr.Dataset, ...]) -> dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]:
    found = {}
    legs = {side: [Leg(stride, side) for stride in strides] for side in _SIDES}
    for quantity in CURVES:
        for side, mine in legs.items():
            each = [own_cycle(leg, quantity, PERCENT) for leg in mine]
            values = np.array([curve for curve in each if curve is not None and np.isfinite(curve).all()])
            if len(values):
                sd = values.std(axis=0, ddof=1) if len(values) > 1 else np.full(len(PERCENT), np.nan)
                found[quantity, side] = (values.mean(axis=0), sd)
    return found


def read_measured(path: str | Path) -> Measured:
    """What `bladerun measure` wrote. Raises InputError for another file."""
    try:
        said = json.loads(content_of(path, _MOST_BYTES))
        curves = {
            (str(quantity), str(side)): (np.array(each["mean"], float), np.array(each["sd"], float))
            for quantity, sides in said["curves"].items()
            for side, each in sides.items()
        }
        if any(len(mean) != len(PERCENT) or len(sd) != len(PERCENT) for mean, sd in curves.values()):
            raise ValueError
        table = pd.DataFrame(said["strides"]).astype(float)
        own = said["reference"] and OwnGait.of_json(said["reference"])
        residual = {str(name): float(mm) for name, mm in said.get("markers_rms_mm", {}).items()}
        speed, notes = float(said["speed_m_s"]), tuple(said["notes"])
        return Measured(table, curves, said["ground"], speed, notes, residual, reference=own)
    except InputError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError("not the measured.json that `bladerun measure` writes", file=path) from None
