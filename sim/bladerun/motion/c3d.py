"""C3D files of motion laboratories: markers and force plates.

Takes a path; gives `Markers`, with `Forces` where there are plates. Read by ezc3d
(doi 10.21105/joss.02911), the extra `c3d`.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bladerun._lib.files import content_of
from bladerun.errors import InputError
from bladerun.motion.places import METRES, placed
from bladerun.motion.records import Forces, Markers, Plate

_MOST_BYTES = 500_000_000
_KEY = b"\x50"  # the second byte of every C3D file
_BLOCK, _INTEL = 512, b"\x54"
_MADE = (
    "ANGLES",
    "FORCES",
    "MOMENTS",
    "POWERS",
    "SCALARS",
    "MODELED_MARKERS",
)  # Vicon's results among points
_NEWTONS = {"n": 1.0, "kn": 1e3}


def is_c3d(path: Path) -> bool:
    """Whether the name is that of a C3D file."""
    return path.suffix.lower() == ".c3d"


def laboratory(path: Path) -> Markers:
    """What a laboratory measured. Raises InputError without ezc3d, and for a file that it cannot read."""
    _check_whole(path, content_of(path, _MOST_BYTES))
    found, notes = _read(path)
    points = found["parameters"]["POINT"]
    names = [str(name).strip() for name in _values(points, "LABELS")]
    values = np.moveaxis(np.asarray(found["data"]["points"], float)[:3], 0, 2).swapaxes(0, 1)
    rate, count = float(_first(points, "RATE", 0.0)), len(values)
    if rate <= 0 or not count:
        raise InputError("it has no frames of markers, or does not say how many a second", file=path)
    if count < 10:
        raise InputError(f"{count} moments are not allowed; at least 10", file=path)
    made = {str(name).strip() for group in _MADE for name in _values(points, group)}
    kept = _labelled(names, made, values.shape[1], notes)
    if not kept:
        raise InputError("no marker has a name", file=path)
    mine = [names[k] for k in kept]
    if twice := {name for name in mine if mine.count(name) > 1}:
        raise InputError(f"{min(twice)!r} is two markers; each name once", file=path)
    unit = str(_first(points, "UNITS", "")).strip()
    time = np.arange(count) / rate
    markers, turn = placed(path, time, mine, values[:, kept], unit, notes)
    forces = _forces(path, found["data"].get("platform", []), time, turn)
    return replace(markers, forces=forces)


def _check_whole(path: Path, content: bytes) -> None:
    """Raise InputError for what is no C3D file, and for one that ends before its frames do (C3D User Guide,
    https://www.c3d.org: header and parameter sections), which ezc3d reads as zeros."""
    if content[1:2] != _KEY or len(content) < 2 * _BLOCK:
        raise InputError("not a C3D file, whose second byte is 50 (hex), or one cut short", file=path)
    parameters = (content[0] - 1) * _BLOCK
    if content[parameters + 3 : parameters + 4] != _INTEL:
        return  # of another processor, whose numbers are ordered otherwise
    points, analog, first, last = struct.unpack_from("<4H", content, 2)
    scale, start = struct.unpack_from("<fH", content, 12)
    frames, size = last - first + 1, 4 if scale < 0 else 2
    needed = (start - 1) * _BLOCK + frames * (4 * points + analog) * size
    if len(content) < needed:
        raise InputError(f"cut short: {len(content)} bytes of the {needed} its header speaks of", file=path)


def _read(path: Path) -> tuple[Any, list[str]]:
    """What ezc3d has of the file, without plates where it does not know them, and what was left out."""
    try:
        import ezc3d  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise InputError(
            "C3D is read by ezc3d, which is not installed: pip install 'bladerun[c3d]'", file=path
        ) from None
    try:
        return ezc3d.c3d(str(path), extract_forceplat_data=True), []
    except Exception as error:  # whatever ezc3d's reader in C++ throws
        why = _sentence(error)
    try:
        found = ezc3d.c3d(str(path))
    except Exception as error:
        raise InputError(f"ezc3d cannot read it: {_sentence(error)}", file=path) from None
    return found, [f"force plates are left out, which ezc3d cannot read: {why}"]


def _sentence(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _values(group: Mapping[str, Any], name: str) -> Sequence[Any]:
    """All of a parameter; what did not fit into one goes on in NAME2, NAME3."""
    found: list[Any] = []
    for key in (name, *(f"{name}{k}" for k in range(2, 10))):
        found += list(group[key]["value"]) if key in group else []
    return found


def _first(group: Mapping[str, Any], name: str, default: Any) -> Any:
    return next(iter(_values(group, name)), default)


def _labelled(names: Sequence[str], made: set[str], count: int, notes: list[str]) -> list[int]:
    """Points that are markers of a name."""
    named = [k for k in range(min(count, len(names))) if names[k] and not names[k].startswith(("*", "uname"))]
    if len(named) < count:
        notes.append(f"{count - len(named)} points have no name and are left out")
    kept = [k for k in named if names[k] not in made]
    if len(kept) < len(named):
        notes.append(f"{len(named) - len(kept)} points are results of a model, no markers, and are left out")
    return kept


def _forces(path: Path, platforms: Sequence[Any], time: np.ndarray, turn: np.ndarray) -> Forces | None:
    """Of all plates that carry anybody, on the runner, in the markers' axes."""
    plates, notes = [], []
    for number, each in enumerate(platforms, start=1):
        force = np.nan_to_num(np.asarray(each["force"], float)).T
        if not np.abs(force).any():
            notes.append(f"force plate {number} carries nobody")
            continue
        unit, place = str(each["unit_force"]).lower(), str(each["unit_position"]).lower()
        if unit not in _NEWTONS or place not in METRES:
            raise InputError(
                f"{each['unit_force']!r} and {each['unit_position']!r} are not allowed; N, kN and m, cm, mm",
                file=path, key=f"force plate {number}",
            )  # fmt: skip
        per_nm = _NEWTONS[unit] * METRES[place]
        plates.append(Plate(
            f"plate {number}", "", force @ turn.T * _NEWTONS[unit],
            np.asarray(each["center_of_pressure"], float).T @ turn.T * METRES[place],
            np.nan_to_num(np.asarray(each["Tz"], float)).T @ turn.T[:, 2] * per_nm,
        ))  # fmt: skip
    if not plates:
        return None
    if np.sum([plate.force_n.mean(0) for plate in plates], axis=0)[2] < 0:
        notes.append("forces of the plates point down, as on the plate: turned to those on the runner")
        plates = [replace(p, force_n=-p.force_n, free_nm=-p.free_nm) for p in plates]
    count = len(plates[0].force_n)
    return Forces(np.arange(count) * len(time) / count * (time[1] - time[0]), tuple(plates), tuple(notes))
