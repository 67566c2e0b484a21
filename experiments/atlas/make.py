"""Solve the strides of the atlas, from which others start, and write models/atlas/.

Every kind of runner (no blade, one or two of either shape), speed and size is solved from nothing; then, from the
strides at the speeds beside it, again for as long as one of them comes out cheaper. What is solved is kept in
runs/atlas/ under the program that solved it: interrupted, it goes on from there. About 15 minutes on one core:
    python experiments/atlas/make.py [--jobs N] [--rounds N]
"""

import argparse
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
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
from bladerun.options import SolverOptions
from bladerun.stride import _atlas
from bladerun.stride import _from as solved_from
from bladerun.stride.problem import Problem, problem
from bladerun.study import fingerprint

OUT = Path(__file__).parents[2] / "runs" / "atlas"
KINDS = (
    ("none", None),
    ("right", "j-sprint"),
    ("right", "c-distance"),
    ("both", "j-sprint"),
    ("both", "c-distance"),
)
SPEEDS_M_S = (2.5, 3.0, 3.5, 4.0, 4.5)
RUNNERS = (Runner(58.0, 1.62, sex="female"), Runner(86.0, 1.86, sex="male"))
CHEAPER = 1e-5  # share of the objective by which a stride must be cheaper to stand in another's place


class Entry(NamedTuple):
    """One stride of the atlas, by its places in KINDS, SPEEDS_M_S and RUNNERS."""

    kind: int
    speed: int
    size: int

    def problem(self) -> Problem:
        side, blade = KINDS[self.kind]
        model = build_model(RUNNERS[self.size], Amputation(side), Fitting(blade) if blade else None)
        task = Task(SPEEDS_M_S[self.speed])
        return problem(model, task, Cost.default(), Environment.default(), _options())

    @property
    def words(self) -> str:
        side, blade = KINDS[self.kind]
        runner = RUNNERS[self.size]
        return f"{runner.height_m} m, {blade or 'no blade'} {side}, {SPEEDS_M_S[self.speed]} m/s"


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the atlas of strides.")
    parser.add_argument("--jobs", type=int, default=cores(), help="processes")
    parser.add_argument("--rounds", type=int, default=3, help="most rounds of solving from the speeds beside")
    given = parser.parse_args()
    folder = OUT / fingerprint.of_strides()[:12]
    folder.mkdir(parents=True, exist_ok=True)
    entries = [
        Entry(k, v, s) for k in range(len(KINDS)) for v in range(len(SPEEDS_M_S)) for s in range(len(RUNNERS))
    ]
    with ProcessPoolExecutor(given.jobs) as pool:
        for entry, words in zip(entries, pool.map(partial(from_nothing, folder), entries), strict=True):
            print(f"{entry.words}: {words}", flush=True)
        tried = entries
        for number in range(1, given.rounds + 1):
            found = zip(tried, pool.map(partial(from_beside, folder), tried), strict=True)
            better = dict(cheaper(found, number))
            for entry, stride in better.items():  # after the round, so that none depends on which was first
                write_stride(stride, _path(folder, entry))
            tried = [entry for entry in entries if any(_beside(entry, other) for other in better)]
    for kind in range(len(KINDS)):
        write(kind, folder)


def from_nothing(folder: Path, entry: Entry) -> str:
    """Solve it unless it is there."""
    path = _path(folder, entry)
    if path.is_file():
        return "kept"
    posed = entry.problem()
    stride = solve(posed.model, posed.task, options=posed.options)
    if stride.attrs["status"] != "converged":
        raise SystemExit(f"{entry.words}: {stride.attrs['status']}, {stride.attrs['why']}")
    write_stride(stride, path)
    return f"{stride.attrs['iterations']} steps"


def from_beside(folder: Path, entry: Entry) -> xr.Dataset | None:
    """Solve it from the two speeds beside it, or the two next to it; None where that is no cheaper."""
    near = sorted(range(len(SPEEDS_M_S)), key=lambda v: abs(v - entry.speed))[1:3]
    posed = entry.problem()
    begun = _atlas.between(page(entry.kind, sorted(near), folder), posed)
    assert begun is not None  # the same joints
    stride = solved_from(posed, begun)
    before = read_stride(_path(folder, entry)).attrs["objective"]
    cheap = stride.attrs["objective"] < (1 - CHEAPER) * before
    return stride if cheap and stride.attrs["status"] == "converged" else None


def cheaper(
    found: Iterable[tuple[Entry, xr.Dataset | None]], number: int
) -> Iterator[tuple[Entry, xr.Dataset]]:
    """Those that came out cheaper; says so as they end."""
    for entry, stride in found:
        print(
            f"round {number}, {entry.words}: {'cheaper' if stride is not None else 'as it was'}", flush=True
        )
        if stride is not None:
            yield entry, stride


def page(kind: int, speeds: Iterable[int], folder: Path) -> _atlas.Page:
    """The strides of a kind at these places in SPEEDS_M_S."""
    entries = [[Entry(kind, v, s) for s in range(len(RUNNERS))] for v in speeds]
    leaves = [row[0].problem().arrays.terms.contact_edges.leaves for row in entries]
    return _atlas.page_of([[read_stride(_path(folder, one)) for one in row] for row in entries], leaves)


def write(kind: int, folder: Path) -> None:
    """The file of a kind, whole or not at all."""
    name = _atlas.kind(Entry(kind, 0, 0).problem().model)
    arrays = page(kind, range(len(SPEEDS_M_S)), folder)._asdict()
    with atomic(models_dir() / _atlas.FOLDER / f"{name}.npz") as tmp, open(tmp, "wb") as file:
        np.savez_compressed(file, **arrays)


def _beside(one: Entry, other: Entry) -> bool:
    return (one.kind, one.size) == (other.kind, other.size) and 0 < abs(one.speed - other.speed) <= 2


def _path(folder: Path, entry: Entry) -> Path:
    return folder / f"{'-'.join(map(str, entry))}.nc"


def _options() -> SolverOptions:
    return SolverOptions.default({"continuation.from_atlas": False})


if __name__ == "__main__":
    main()
