"""The benchmarks still fit the program they measure; what they print is not tested, it is a timing."""

import runpy

import pytest

from bladerun._facts import models_dir

BENCHMARKS = models_dir().parent / "experiments" / "benchmarks"


@pytest.mark.parametrize("name", ["stride", "engine"])
def test_a_benchmark_finds_what_it_imports(name):
    assert runpy.run_path(str(BENCHMARKS / f"{name}.py"), run_name="not main")


def test_the_profile_times_parts_that_the_solver_has():
    module = runpy.run_path(str(BENCHMARKS / "stride.py"), run_name="not main")
    with module["profiled"]() as spent:
        assert not spent
