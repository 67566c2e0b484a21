"""Solve the strides of the atlas, from which others start, and write models/atlas/.

Every kind of runner (no blade, one or two of either shape), speed and size is solved from the atlas as it
is, from nothing, and by way of a runner a little lighter and one a little heavier who are; then once more
from the cheapest strides next to it in speed and in size. The cheapest of all goes into the atlas. What is
solved is kept in runs/atlas/ under the program that solved it: interrupted, it goes on from there. An hour
and a half on one core, a quarter of it with --ways 1, the atlas as it is and the strides next to each:
    python experiments/atlas/make.py [--jobs N] [--ways N]
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import xarray as xr

from bladerun import Amputation, Fitting, Runner, Task, build_model, read_stride, solve, write_stride
from bladerun._lib.data_files import models_dir
from bladerun._lib.files import atomic
from bladerun._lib.threads import cores
from bladerun.cost import Cost
from bladerun.environment import Environment
from bladerun.model import Model
from bladerun.options import SolverOptions
from bladerun.stride import _atlas
from bladerun.stride.problem import problem
from bladerun.study import fingerprint

OUT = Path(__file__).parents[2] / "runs" / "atlas"
NEXT = "next"  # folder of strides from those next to them
KINDS = (
    ("none", None),
    ("right", "j-sprint"),
    ("right", "c-distance"),
    ("both", "j-sprint"),
    ("both", "c-distance"),
)
SPEEDS_M_S = (2.5, 3.0, 3.5, 4.0, 4.5)
RUNNERS = (Runner(58.0, 1.62, sex="female"), Runner(86.0, 1.86, sex="male"))
# from the atlas, from nothing, and by way of whom: how much heavier and taller (share)
WAYS = (None, (0.0, 0.0), (-0.05, -0.015), (0.05, 0.015))
COLD = SolverOptions.default({"continuation.from_atlas": False})


class Entry(NamedTuple):
    """A stride of the atlas, by its places in KINDS, SPEEDS_M_S and RUNNERS."""

    kind: int
    speed: int
    size: int

    def model(self, heavier: float = 0.0, taller: float = 0.0) -> Model:
        (side, blade), own = KINDS[self.kind], RUNNERS[self.size]
        runner = Runner(
            round(own.mass_kg * (1 + heavier), 1), round(own.height_m * (1 + taller), 3), sex=own.sex
        )
        return build_model(runner, Amputation(side), Fitting(blade) if blade else None)

    def next(self) -> list["Entry"]:
        """Entries one step away in speed or in size."""
        near = [self._replace(speed=self.speed + step) for step in (-1, 1)]
        near += [self._replace(size=self.size + step) for step in (-1, 1)]
        return [one for one in near if 0 <= one.speed < len(SPEEDS_M_S) and 0 <= one.size < len(RUNNERS)]

    def __str__(self) -> str:
        side, blade = KINDS[self.kind]
        return f"{RUNNERS[self.size].height_m} m, {blade or 'no blade'} {side}, {SPEEDS_M_S[self.speed]} m/s"


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the atlas of strides.")
    parser.add_argument("--jobs", type=int, default=cores(), help="processes")
    ways = range(1, len(WAYS) + 1)
    parser.add_argument("--ways", type=int, choices=ways, default=len(WAYS), help="to each stride")
    given = parser.parse_args()
    folder = OUT / fingerprint.of_strides()[:12]
    (folder / NEXT).mkdir(parents=True, exist_ok=True)
    counts = given.ways, len(KINDS), len(SPEEDS_M_S), len(RUNNERS)
    todo = [(Entry(*place), way) for way, *place in product(*map(range, counts))]
    entries = [Entry(*place) for place in product(*map(range, counts[1:]))]
    with ProcessPoolExecutor(given.jobs) as pool:
        for (entry, way), words in zip(todo, pool.map(partial(solved, folder), todo), strict=True):
            print(f"{entry}, way {way + 1}: {words}", flush=True)
        for entry, words in zip(entries, pool.map(partial(from_next, folder), entries), strict=True):
            print(f"{entry}, from those next to it: {words}", flush=True)
    for kind in range(len(KINDS)):
        write(kind, folder)


def solved(folder: Path, what: tuple[Entry, int]) -> str:
    """Solve an entry on one way, unless it is there, and say how it went."""
    (entry, way), path = what, _path(folder, *what)
    if path.is_file():
        return "kept"
    model, task, start, by = entry.model(), Task(SPEEDS_M_S[entry.speed]), None, WAYS[way]
    if by and any(by):
        start = solve(entry.model(*by), task, options=COLD)
    stride = solve(model, task, start=start, options=COLD if by else None)
    write_stride(stride, path)
    return said(stride)


def from_next(folder: Path, entry: Entry) -> str:
    """Solve an entry from the cheapest strides next to it as the ways left them, and say how it went."""
    words = []
    for at, near in enumerate(entry.next()):
        if not (path := _path(folder / NEXT, entry, at)).is_file():
            start = cheapest(near, folder)
            stride = solve(entry.model(), Task(SPEEDS_M_S[entry.speed]), start=start)
            write_stride(stride, path)
            words.append(said(stride))
    return "; ".join(words) or "kept"


def said(stride: xr.Dataset) -> str:
    return f"{stride.attrs['status']}, {stride.attrs['iterations']} steps, {stride.attrs['objective']:.6f}"


def cheapest(entry: Entry, *folders: Path) -> xr.Dataset:
    """The best of the strides of an entry that lie in these folders."""
    paths = [path for folder in folders for path in sorted(folder.glob(_path(folder, entry, "*").name))]
    found = [stride for path in paths if (stride := read_stride(path)).attrs["status"] == "converged"]
    if not found:
        raise SystemExit(f"{entry}: no way leads to a solution; the atlas stays as it was")
    return min(found, key=lambda stride: stride.attrs["objective"])


def write(kind: int, folder: Path) -> None:
    """The page of a kind, whole or not at all."""
    strides = [
        [cheapest(Entry(kind, speed, size), folder, folder / NEXT) for size in range(len(RUNNERS))]
        for speed in range(len(SPEEDS_M_S))
    ]
    model = Entry(kind, 0, 0).model()
    posed = [problem(model, Task(speed), Cost.default(), Environment.default(), COLD) for speed in SPEEDS_M_S]
    page = _atlas.page_of(strides, [each.arrays.terms.contact_edges.leaves for each in posed])
    with atomic(models_dir() / _atlas.FOLDER / f"{_atlas.kind(model)}.npz") as tmp, open(tmp, "wb") as file:
        np.savez_compressed(file, **page._asdict())


def _path(folder: Path, entry: Entry, way: int | str) -> Path:
    return folder / f"{'-'.join(map(str, (*entry, way)))}.nc"


if __name__ == "__main__":
    main()
