"""Solved strides: who shares them, what is damaged, where a start leads nowhere, two processes at once."""

import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from bladerun import study
from bladerun.app import _neighbourhood as near
from bladerun.app import create
from bladerun.case import check_case
from bladerun.dataset import netcdf
from bladerun.study import fingerprint, job, strides
from bladerun.study.intervals import FEWEST
from bladerun.study.job import Done, Inputs, Job
from bladerun.study.strides import Asked
from bladerun.task import Task
from bladerun.validation import _runs
from bladerun.validation.finding import Cohort
from fakes import page as fake_page
from fakes.page import DOCUMENT, made_up

CASE = check_case(DOCUMENT)
INPUTS = Inputs.of(CASE, CASE.fitting)
FIRST = Asked(INPUTS)


@pytest.fixture
def asked(monkeypatch):
    """Replaces the solver by a made-up one; gives what it was asked: inputs, and whether it had a start."""
    seen = []

    def solve(inputs, start):
        seen.append((inputs, start is not None))
        return made_up(inputs)

    monkeypatch.setattr(job, "_solve", solve)
    return seen


def done(row=None):
    made = made_up(INPUTS)
    return Done(row or job.numbers(made) | {"from_nothing": True, "seconds": 3.0}, netcdf.packed(made))


# --- Shared -----------------------------------------------------------------------------------------------


def page_of(out, monkeypatch):
    """The page until all around the runner is solved."""
    small = near.size() | {"arms": 1, "draws": FEWEST}
    monkeypatch.setattr(near, "size", lambda: small)
    app = create(out, look_in=out.parent, executor=fake_page.Executor())
    with TestClient(app, base_url="http://127.0.0.1") as client:
        run = client.post("/api/explore", json={"document": DOCUMENT}).json()["run"]
        for _ in range(1200):
            progress = client.post("/api/progress", json={"run": run}).json()
            if progress["done"] == progress["total"]:
                return
            time.sleep(0.05)
    raise AssertionError(progress)


def test_what_the_page_has_solved_a_fit_takes_and_its_folder_is_whole(asked, tmp_path, monkeypatch):
    page_of(tmp_path / "app", monkeypatch)
    page = len(asked)
    result = study.fit(CASE, tmp_path / "fit", workers=1, ensemble=0, look_in=tmp_path)
    keys = [inputs.identity("") for inputs, _ in asked]
    assert len(keys) == len(set(keys)), "nothing is solved twice"
    new = [inputs for inputs, _ in asked[page:]]
    assert new and all(inputs.fitting.sagittal_deg != 5 or inputs.task.landing_ahead_m for inputs in new)

    shutil.rmtree(tmp_path / "app")
    moved = shutil.move(tmp_path / "fit", tmp_path / "elsewhere")
    count = len(asked)
    again = study.fit(CASE, moved, workers=1, ensemble=0)
    assert len(asked) == count and all(again.stride(name).is_file() for name in again.table.index)
    assert {**again.to_dict(), "report": "", "table": ""} == {**result.to_dict(), "report": "", "table": ""}


def test_what_a_fit_has_solved_the_page_takes(asked, tmp_path, monkeypatch):
    study.fit(CASE, tmp_path / "fit", workers=1, ensemble=0)
    page_of(tmp_path / "app", monkeypatch)
    keys = [inputs.identity("") for inputs, _ in asked]
    assert len(keys) == len(set(keys))


def test_a_number_is_the_same_with_and_without_its_point(tmp_path):
    whole = replace(INPUTS, fitting=replace(CASE.fitting, height_mm=30), task=Task(3))
    point = replace(INPUTS, fitting=replace(CASE.fitting, height_mm=30.0), task=Task(3.0))
    assert whole.identity("p") == point.identity("p") != point.identity("q")
    other = replace(INPUTS, fitting=replace(CASE.fitting, height_mm=30.5))
    assert other.identity("p") != point.identity("p")


# --- Kept -------------------------------------------------------------------------------------------------


def test_what_is_kept_is_what_was_solved(tmp_path):
    with strides.opened(tmp_path) as kept:
        assert kept.row(FIRST) is None
        row = kept.keep(FIRST, done())
        assert "seconds" not in row and row["from_nothing"]
    with strides.opened(tmp_path) as kept:
        assert repr(kept.row(FIRST)) == repr(row), "NaN for NaN, every digit"
        assert kept.row(Asked(INPUTS, FIRST)) is None and kept.row(Asked(INPUTS, FIRST, "down")) is None


@pytest.mark.parametrize("damage", ["cut", "changed", "gone", "database"])
def test_what_is_damaged_is_not_there(damage, tmp_path):
    with strides.opened(tmp_path) as kept:
        kept.keep(FIRST, done())
        path = kept.path(FIRST)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    if damage == "cut":
        path.write_bytes(content[:1000])
    elif damage == "changed":
        path.write_bytes(content)
    elif damage == "gone":
        path.unlink()
    else:
        table = path.with_name("strides.sqlite")
        table.write_bytes(table.read_bytes().replace(b'"status"', b'"stetus"'))
    with strides.opened(tmp_path) as kept:
        assert kept.row(FIRST) is None
        kept.keep(FIRST, done())
        assert kept.row(FIRST) is not None


@pytest.mark.parametrize(
    ("status", "again"), [("not converged", False), ("failed", True), ("timed out", True)]
)
def test_what_would_end_otherwise_another_time_is_solved_again(status, again, tmp_path):
    with strides.opened(tmp_path) as kept:
        kept.keep(FIRST, done({"status": status, "why": "", "objective": float("nan"), "from_nothing": True}))
        assert (kept.row(FIRST) is None) == again and not kept.path(FIRST).exists()


def test_numbers_that_another_program_read_are_read_anew(tmp_path, monkeypatch):
    with strides.opened(tmp_path) as kept:
        right = kept.keep(FIRST, done())
        kept.keep(FIRST, done(right | {"contact_time_s_left": 7.0}))
        assert kept.row(FIRST)["contact_time_s_left"] == 7.0
        monkeypatch.setattr(fingerprint, "of_rows", lambda: "another program")
        assert repr(sorted(kept.row(FIRST).items())) == repr(sorted(right.items()))


def test_a_neighbour_that_cannot_be_read_is_passed_over(tmp_path):
    (tmp_path / "broken" / "strides").mkdir(parents=True)
    (tmp_path / "broken" / "strides" / "strides.sqlite").write_bytes(b"no database")
    with strides.opened(tmp_path / "solved") as kept:
        row = kept.keep(FIRST, done())
    with strides.opened(tmp_path / "mine", look_in=tmp_path) as kept:
        assert repr(kept.row(FIRST)) == repr(row) and kept.path(FIRST).is_file()
    with strides.opened(tmp_path / "alone") as kept:
        assert kept.row(FIRST) is None


_KEEPS = """
import sys, time
from test_strides import CASE, INPUTS, done
from bladerun.study import strides
from bladerun.study.strides import Asked
from dataclasses import replace
from bladerun.task import Task
made = done()
print("ready", flush=True)
sys.stdin.readline()
with strides.opened(sys.argv[1]) as kept:
    for number in range(int(sys.argv[2]), int(sys.argv[2]) + 30):
        asked = Asked(replace(INPUTS, task=Task(2.0 + number / 100)))
        if kept.row(asked) is None:
            kept.keep(asked, made)
"""


def test_two_processes_use_one_folder(tmp_path):
    command = [sys.executable, "-c", _KEEPS, str(tmp_path)]
    pipes = {"text": True, "stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    pipes["env"] = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    both = [subprocess.Popen([*command, str(first)], **pipes) for first in (0, 15)]
    for one in both:
        assert one.stdout.readline() == "ready\n"
    for one in both:
        one.stdin.write("\n")
        one.stdin.flush()
    assert [one.wait(300) for one in both] == [0, 0]
    with strides.opened(tmp_path) as kept:
        for number in range(45):
            assert kept.row(Asked(replace(INPUTS, task=Task(2.0 + number / 100)))) is not None


# --- Where a start leads nowhere --------------------------------------------------------------------------


@pytest.fixture
def lost(monkeypatch):
    """A solver that finds nothing from a start; gives what it was asked: inputs, and whether from one."""
    seen = []

    def solve(inputs, start):
        seen.append((inputs, start is not None))
        return made_up(inputs).assign_attrs(status="converged" if start is None else "not converged")

    monkeypatch.setattr(job, "_solve", solve)
    return seen


def test_a_job_is_tried_from_nothing_once_whatever_ways_it_has(lost):
    start = netcdf.packed(made_up(INPUTS))
    found = job.work(Job(INPUTS, ((start, ()), (start, ()))))
    assert lost == [(INPUTS, True), (INPUTS, True), (INPUTS, False)]
    assert (found.row["status"], found.row["visits"], found.row["from_nothing"]) == ("converged", 1, True)
    lost.clear()
    assert job.work(Job(INPUTS)).row["status"] == "converged" and lost == [(INPUTS, False)]


def test_a_job_without_any_stride_ends(monkeypatch):
    calls = []
    monkeypatch.setattr(
        job,
        "_solve",
        lambda *asked: calls.append(asked) or made_up(INPUTS).assign_attrs(status="not converged"),
    )
    assert job.work(Job(INPUTS, ((netcdf.packed(made_up(INPUTS)), ()),))).row["status"] == "not converged"
    assert len(calls) == 2


def test_a_fit_tries_each_visit_from_nothing_once_and_takes_that_for_no_scatter(lost, tmp_path):
    table = study.fit(CASE, tmp_path, workers=1, ensemble=0).table
    assert (table.status == "converged").all() and (table.visits == 1).all()
    warm = [inputs for inputs, started in lost if started]
    cold = [inputs for inputs, started in lost if not started]
    assert cold[0].fitting.height_mm == 30 and cold[1:] == warm


def test_validation_tries_from_nothing_once(lost, tmp_path):
    person = {"mass_kg": 72.0, "height_m": 1.76, "sex": "female", "side": "right"}
    usual = {"blade": "j-sprint", "category": 0, "height_mm": 20.0, "speed_m_s": 3.0}
    conditions = (usual, {**usual, "height_mm": 30.0}, {**usual, "speed_m_s": 3.25})
    cohort = Cohort("c", "s", "read", "", (person,), conditions)
    told = []
    for _ in range(2):  # the second solves nothing
        table = _runs.run_cohorts(
            [cohort], tmp_path, runners=None, workers=1, progress=lambda *a: told.append(a)
        )
        assert list(table["c"].status) == ["converged"] * 3 and table["c"].stiffness_kn_m.notna().all()
    assert [(i.fitting.height_mm, i.task.speed_m_s, started) for i, started in lost] == [
        (20.0, 3.0, False), (30.0, 3.0, True), (30.0, 3.0, False), (20.0, 3.25, False)
    ]  # fmt: skip
    assert [one[:2] for one in told[:3]] == [(1, 3), (2, 3), (3, 3)]
