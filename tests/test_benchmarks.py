"""The benchmarks still fit the program they measure; the times that they print are not tested."""

import importlib
from dataclasses import replace

import pytest

from bladerun._lib.data_files import models_dir
from bladerun.stride import solver
from test_solver import NEWTON, arrays, guess

BENCHMARKS = models_dir().parent / "experiments" / "benchmarks"
PARTS = {
    "sweep with derivatives", "sweep, cost only", "curvature", "correction", "curvature, product",
    "factor", "factor, solving",
}  # fmt: skip


@pytest.fixture
def benchmark(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module


def test_the_profile_counts_every_part_of_the_solver(benchmark):
    with benchmark("stride").profiled() as spent:
        eager = replace(guess(), damping=1e-3)  # its first steps are long enough to need a correction
        point = solver.minimise(arrays(), NEWTON, eager, 30.0, tolerance=1e-9, limit=100)
    assert {part for part, (seconds, _) in spent.items() if seconds > 0} == PARTS
    assert spent["factor"][1] == point.iterations


@pytest.mark.parametrize("measure", ["standin", "resuming"])
def test_the_engine_is_measured_with_a_solver_that_sleeps(measure, benchmark, capsys):
    getattr(benchmark("engine"), measure)(9, 1)
    said = capsys.readouterr().out
    assert said.startswith("9 rows ") and " 0 parts" not in said
