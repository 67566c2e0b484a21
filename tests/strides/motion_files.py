"""Writers of files of measured motion, with what is wrong with those that people have.

Takes time and columns by name; gives a path. Each oddity is an argument.
"""

from __future__ import annotations

import numpy as np


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
