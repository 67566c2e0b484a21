"""Writers of files of measured motion, with what is wrong with those that people have.

Takes time and columns by name; gives a path. Each oddity is an argument.
"""

from __future__ import annotations

import numpy as np
import pytest


def storage(path, time, columns, *, degrees=True, header=True, mark="\t", point=".", end="\n", rows=None):
    """`.mot` or `.sto`. degrees: None leaves the line out; rows: what the header says there are."""
    head = [path.stem, "version=1", f"nRows={rows or len(time)}", f"nColumns={1 + len(columns)}"]
    if degrees is not None:
        head.append(f"inDegrees={'yes' if degrees else 'no'}")
    lines = [*head, "endheader"] if header else []
    return _written(path, [*lines, *_table(time, columns, mark, point)], end)


def plain(path, time, columns, *, mark=",", point=".", end="\n", name="time"):
    """CSV, or what a spreadsheet saves as one."""
    return _written(path, _table(time, columns, mark, point, name), end)


def trc(path, time, markers, *, unit="mm", end="\n"):
    """`.trc` of markers (N, 3) by name, in that unit; NaN is an empty cell."""
    count, names = len(markers), list(markers)
    axes = "\t".join(f"{axis}{k + 1}" for k in range(count) for axis in "XYZ")
    keys = "DataRate CameraRate NumFrames NumMarkers Units OrigDataRate OrigDataStartFrame OrigNumFrames"
    lines = [
        f"PathFileType\t4\t(X/Y/Z)\t{path.name}",
        keys.replace(" ", "\t"),
        f"100\t100\t{len(time)}\t{count}\t{unit}\t100\t1\t{len(time)}",
        "Frame#\tTime\t" + "\t\t\t".join(names),
        "\t\t" + axes,
        "",
    ]
    for k, t in enumerate(time):
        cells = [_cell(value, ".") for name in names for value in markers[name][k]]
        lines.append("\t".join([str(k + 1), repr(float(t)), *cells]))
    return _written(path, lines, end)


def _table(time, columns, mark, point, name="time"):
    yield mark.join([name, *columns])
    for row in np.column_stack([time, *columns.values()]):
        yield mark.join(_cell(value, point) for value in row)


def _cell(value, point):
    return "" if np.isnan(value) else repr(float(value)).replace(".", point)


def _written(path, lines, end):
    path.write_bytes((end.join(lines) + end).encode())
    return path


def c3d(path, time, markers, plates=(), *, unit="mm", rate=None, labels=None):
    """`.c3d` of markers (N, 3) in m by name, NaN where hidden, and of force plates: each the force (M, 3) on
    the runner in N, its centre of pressure (M, 3) in m and its free moment (M,), on a plate as large as the
    room with its z down, as most are built in. rate: of the plates, as often as the markers without."""
    ezc3d = pytest.importorskip("ezc3d")
    file, count, size = ezc3d.c3d(), len(time), {"m": 1.0, "mm": 1e3}[unit]
    points = file["parameters"]["POINT"]
    points["UNITS"]["value"], points["LABELS"]["value"] = [unit], labels or list(markers)
    points["RATE"]["value"] = [1 / (time[1] - time[0])]
    data = np.ones((4, len(markers), count))
    data[:3] = size * np.array(list(markers.values())).transpose(2, 0, 1)
    file["data"]["points"] = data
    if plates:
        _plates(file, plates, size, rate or points["RATE"]["value"][0])
    file.write(str(path))
    return path


def _plates(file, plates, size, rate):
    signals = []
    for force, centre, free in plates:
        moment = np.cross(np.nan_to_num(centre), force) + np.column_stack([0 * free, 0 * free, free])
        down = np.array([1.0, -1.0, -1.0])
        signals += [*(-force * down).T, *(-moment * down * size).T]  # on the plate, in its axes
    analog = file["parameters"]["ANALOG"]
    analog["RATE"]["value"], analog["LABELS"]["value"] = [rate], [f"A{k}" for k in range(len(signals))]
    file["data"]["analogs"] = np.array(signals)[None]
    used, wide = len(plates), 50.0 * size
    corners = wide * np.array([[1, -1, 0], [-1, -1, 0], [-1, 1, 0], [1, 1, 0]], float).T
    for name, value in (
        ("USED", used),
        ("TYPE", [2] * used),
        ("ZERO", [1, 0]),
        ("CORNERS", np.stack([corners] * used, axis=2)),
        ("ORIGIN", np.zeros((3, used))),
        ("CHANNEL", np.arange(1, 1 + 6 * used).reshape(used, 6).T),
    ):
        file["parameters"]["FORCE_PLATFORM"][name]["value"] = np.atleast_1d(value)
