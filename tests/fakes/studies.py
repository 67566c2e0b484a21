"""Studies that tests are made of: a grid of fittings, its file, its plan, its rows."""

import os
import sys
from contextlib import contextmanager
from pathlib import Path

import tomli_w

from bladerun.errors import InputError
from bladerun.study import _database, _store
from bladerun.study._plan import Plan
from bladerun.study._sweep import opened
from bladerun.study.file import study
from bladerun.study.job import work

TESTS = Path(__file__).parents[1]
FIRST_FIT = TESTS.parent / "experiments" / "first-fit.toml"
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])}
GRID = {
    "base": str(FIRST_FIT),
    "parameters": {"height_mm": [20, 25, 30, 35], "toe_out_deg": [0, 5, 10], "category_step": [-1, 0, 1]},
    "design": {"kind": "grid"},
}


def changed(**sections):
    return {**GRID, **sections}


def search(**sections):
    """A search of four trials."""
    return study(
        {
            "base": GRID["base"],
            "parameters": {"height_mm": {"low": 20, "high": 40}, "toe_out_deg": [0, 5, 10]},
            "search": {"trials": 4, "sampler": "random", "minimise": "cost_of_transport_j_kg_m",
                       "subject_to": ["|psis_difference_mm| < 4"]},
            **sections,
        }
    )  # fmt: skip


def toml(document, path):
    """The document as a study file."""
    path.write_text(tomli_w.dumps(document))
    return path


@contextmanager
def planned(asked, folder, solver="instant"):
    """The plan of a sweep on the rows that a folder holds."""
    solver = f"fakes.solvers:{solver}"
    with opened(asked, folder, solver) as store:
        yield Plan(asked, store, solver)


def drained(asked, folder, solver="instant"):
    """Do every job of a plan here; gives them in their order: number, job, what it gave."""
    rows = []
    with planned(asked, folder, solver) as plan:
        while item := plan.take():
            number, job = item
            done = work(job)
            plan.finish(number, done)
            rows.append((number, job, done))
    return rows


def seeds(folder):
    """Names of the seeds that a study keeps."""
    with _database.reading(folder / _store.DATABASE) as database:
        return database.keys("seed")


def same(table):
    """What of a table does not depend on who made it."""
    return table.drop(columns=["seconds", "worker"])


ABOUT = {"kind": "sweep", "program": "p", "study": {"x": 1}, "rows": 10}


def refuse(before):
    raise InputError("holds another study")


def row(number):
    return {"identity": f"{number:032x}", "number": number, "runner": "r", "member": 0, "status": "converged"}
