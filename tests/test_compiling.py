"""What is compiled: once, ahead, by several processes; kept as long as it stays the same."""

import ast
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numba
import numpy as np
import pytest
from numba.core import config

import bladerun
from bladerun import Cost, Environment, SolverOptions
from bladerun._lib import compiled
from bladerun.case import load_case
from bladerun.model import build_model
from bladerun.stride import _compiling, _curvature, _linear_algebra, solver, sweep
from bladerun.stride._first_guess import first_guess
from bladerun.stride.problem import problem
from bladerun.stride.transcription import blocks

ROOT = Path(bladerun.__file__).parent
FIRST_FIT = ROOT.parents[1] / "experiments" / "first-fit.toml"
DECORATORS = {"njit", "register_jitable"}
AT_KNOT = (
    "bladerun.stride.transcription.blocks",
    "at_knot",
    (numba.float64[:, ::1], numba.int64, numba.float64[::1]),
)


@pytest.fixture(scope="module")
def posed():
    case = load_case(FIRST_FIT)
    model = build_model(case.runner)
    return problem(model, case.task, Cost.default(), Environment.default(), SolverOptions.default())


def test_motors_and_muscles_on_any_mesh_run_the_same_compiled_code(posed):
    assert _compiling._parts(posed.arrays) == _compiling._parts(posed.by_motors(60).arrays)


def test_what_is_compiled_ahead_is_what_a_descent_calls(posed):
    coarse = posed.by_motors(60)
    times = coarse.arrays.terms.stride_time.prior
    c = first_guess(coarse)
    start = solver.Point(c, times, np.zeros_like(c), np.zeros((60 // blocks.NODE, 0)))
    always = replace(
        coarse.options.newton,
        correction_below=np.inf,
        corrections=1,
        exact_times_below=np.inf,
        second_order_below=np.inf,
    )
    solver.minimise(coarse.arrays, always, start, 1.0, tolerance=0.0, limit=6)
    called = (
        sweep._costs,
        sweep._forces,
        _curvature.curvature,
        sweep.correction,
        blocks.hessian_vector_product,
        _linear_algebra._group,
    )
    ahead = {name: types for part in _compiling._parts(coarse.arrays) for _, name, types in part}
    assert ahead.keys() == {each.py_func.__name__ for each in called}
    for each in called:
        assert ahead[each.py_func.__name__] in each.signatures


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Another place for compiled code, and one small function in place of those of a stride."""
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(_compiling, "cores", lambda: 2)
    monkeypatch.setattr(_compiling, "_parts", lambda arrays: [[AT_KNOT], [("bladerun", "no_such", ())]])
    return tmp_path


def test_processes_compile_into_the_place_that_numba_reads_once(elsewhere, monkeypatch, posed):
    """And nothing beside the source, where perhaps nobody may write; what cannot be compiled is left."""
    _compiling.compile_ahead(posed.arrays)
    assert len(list(elsewhere.rglob("blocks.at_knot*.nbi"))) == 1
    assert not list(ROOT.rglob("*.nb[ic]"))
    monkeypatch.setattr(_compiling, "_compile", None)
    _compiling.compile_ahead(posed.arrays)


def test_one_core_compiles_nothing_ahead(elsewhere, monkeypatch, posed):
    monkeypatch.setattr(_compiling, "cores", lambda: 1)
    _compiling.compile_ahead(posed.arrays)
    assert not list(elsewhere.iterdir())


def test_who_waited_finds_everything_compiled(elsewhere, monkeypatch, posed):
    def wait_and_see(_self, **_limit):
        (elsewhere / f"ahead-{numba.__version__}-{sys.implementation.cache_tag}").touch()

    monkeypatch.setattr(_compiling.FileLock, "acquire", wait_and_see)
    monkeypatch.setattr(_compiling, "_compile", None)
    _compiling.compile_ahead(posed.arrays)


def _decorated(node):
    names = {each.id for line in node.decorator_list for each in ast.walk(line) if isinstance(each, ast.Name)}
    return names & DECORATORS


def _imported(tree):
    """The file of ours that each imported name comes from."""
    for line in tree.body:
        if isinstance(line, ast.ImportFrom) and line.module and line.module.startswith("bladerun"):
            for alias in line.names:
                for place in (f"{line.module}.{alias.name}", line.module):
                    path = ROOT.parent.joinpath(*place.split(".")).with_suffix(".py")
                    if path.is_file():
                        yield alias.asname or alias.name, path
                        break


def test_the_place_changes_with_all_that_compiled_code_is_made_of():
    """Functions, and what they and the constants beside them read from other files."""
    kept = set(compiled.SOURCES)
    for path in ROOT.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if not re.search(r"^from (numba|bladerun\._lib\.jitable) import", text, re.MULTILINE):
            continue
        assert path in kept
        tree = ast.parse(text)
        elsewhere = {name for name, origin in _imported(tree) if origin not in kept}
        for node in tree.body:
            if isinstance(node, ast.Assign) or (isinstance(node, ast.FunctionDef) and _decorated(node)):
                used = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
                assert not used & elsewhere, (path, used & elsewhere)


def _place(copy, cache):
    code = "from bladerun._lib import compiled; print(compiled.PLACE)"
    environment = {**os.environ, "PYTHONPATH": str(copy), "XDG_CACHE_HOME": str(cache)}
    environment.pop("NUMBA_CACHE_DIR", None)
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=cache, check=True, capture_output=True, text=True
    )
    return Path(done.stdout.strip())


def test_an_upgrade_that_leaves_compiled_functions_alone_keeps_them(tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(ROOT, copy / "bladerun", ignore=shutil.ignore_patterns("__pycache__", "page"))
    before = _place(copy, tmp_path)
    assert before.parent == tmp_path / "bladerun"
    for name, same in (("solver.py", True), ("dynamics/contact_law.py", False)):
        with (copy / "bladerun" / "stride" / name).open("a", encoding="utf-8") as file:
            file.write("# more\n")
        assert (_place(copy, tmp_path) == before) is same


def test_compiled_code_that_no_version_used_for_months_is_removed(tmp_path):
    old, late, theirs = (tmp_path / name for name in ("0" * 16, "1" * 16, "notes"))
    for folder in (old, late, theirs):
        folder.mkdir()
    for folder in (old, theirs):
        os.utime(folder, (0, time.time() - 90 * 86400))
    compiled._sweep(late)
    assert not old.exists() and late.exists() and theirs.exists()
