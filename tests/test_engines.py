"""The same cases with everything that can do the work: this process, processes here, a Dask cluster.

What an executor has to give for a study to be right, whatever is written in its place.
"""

import json
import subprocess
import sys
import time
from contextlib import nullcontext

import pandas as pd
import psutil
import pytest

from bladerun.study import _store, executors, sweep
from bladerun.study.file import study
from bladerun.study.status import status
from fakes.studies import ENVIRONMENT, changed, same, seeds

HEIGHTS, ANGLES = [20, 25, 30, 35], [0, 5, 10]
WHOLE = study(
    changed(
        parameters={"height_mm": HEIGHTS, "toe_out_deg": ANGLES},
        run={"both_ways": True, "ensemble": 1, "keep_strides": True},
    )
)
FEW = study(changed(parameters={"height_mm": [20, 30, 40], "toe_out_deg": [0, 5]}))


CLUSTER = pytest.param("cluster", marks=pytest.mark.slow)  # a worker of Dask takes seconds to come back


@pytest.fixture(scope="module", params=["here", "one process", "two processes", CLUSTER])
def engine(request, tmp_path_factory):
    """Options of a sweep."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", ENVIRONMENT["PYTHONPATH"])
        if request.param == "here":
            patch.setattr(executors, "opened", lambda *_, **__: nullcontext(executors._Here()))
            yield {}
        elif request.param == "cluster":
            pytest.importorskip("distributed")
            yield from cluster(tmp_path_factory.mktemp("cluster"))
        else:
            yield {"workers": 1 if request.param == "one process" else 2}


def cluster(folder):
    """One of two workers, each started again where it ends."""
    said = folder / "scheduler.json"
    common = ["--no-dashboard", "--scheduler-file", said]
    commands = [
        ["scheduler", "--host", "127.0.0.1", "--port", "0", *common],
        ["worker", "--nworkers", "2", "--nthreads", "1", *common],
    ]
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "dask", *each], env=ENVIRONMENT, cwd=folder, stderr=subprocess.DEVNULL
        )
        for each in commands
    ]
    try:
        for _ in range(600):
            if said.exists() and said.read_text():
                break
            time.sleep(0.1)
        yield {"cluster": json.loads(said.read_text())["address"]}
    finally:
        for process in processes:
            for each in [*psutil.Process(process.pid).children(recursive=True), process]:
                each.kill()
            process.wait()


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """The table as this process makes it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(executors, "opened", lambda *_, **__: nullcontext(executors._Here()))
        return sweep(WHOLE, tmp_path_factory.mktemp("expected"), solver="fakes.solvers:instant").table()


def answered(asked, folder, engine, solver="instant", **options):
    return sweep(asked, folder, solver=f"fakes.solvers:{solver}", **engine, **options)


def test_every_row_is_there_once_and_the_same_whoever_made_it(engine, expected, tmp_path):
    seen = []
    result = answered(WHOLE, tmp_path, engine, progress=lambda done, *_: seen.append(done))
    assert result.counts == {"converged": 24} and seen == list(range(25))
    pd.testing.assert_frame_equal(same(result.table()), same(expected))
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "outcomes.parquet"), result.table())
    assert result.table().identity.is_unique and not seeds(tmp_path)
    assert len(list((tmp_path / "strides").iterdir())) == 24
    about = status(tmp_path)
    assert about["done"] == about["rows"] == 24 and about["held_by"] is None


def test_what_was_interrupted_goes_on_and_gives_the_same(engine, expected, tmp_path):
    for rows in (7, 13, 19):

        def stop(done, *_, rows=rows):
            if done == rows:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            answered(WHOLE, tmp_path, engine, progress=stop)
        assert len(pd.read_parquet(tmp_path / "outcomes.parquet")) == rows == len(_store.table(tmp_path))
    pd.testing.assert_frame_equal(same(answered(WHOLE, tmp_path, engine).table()), same(expected))
    assert not seeds(tmp_path)


def test_an_error_in_a_job_is_its_row_and_the_rest_is_done(engine, tmp_path):
    table = answered(FEW, tmp_path, engine, "wrong").table()
    wrong = table.height_mm == 30
    assert set(table.status[wrong]) == {"failed"} and set(table.status[~wrong]) == {"converged"}
    assert table.why[wrong].str.contains("ZeroDivisionError: made to fail").all()
    assert len(table) == 6 and not seeds(tmp_path)


def test_a_job_that_ends_its_worker_is_lost_and_tried_again_and_the_rest_is_done(engine, tmp_path):
    if not engine:
        pytest.skip("this process would end")
    table = answered(FEW, tmp_path, engine, "greedy").table()
    ended = table.height_mm == 30
    assert set(table.status[ended]) == {"lost"} and set(table.status[~ended]) == {"converged"}
    assert pd.read_parquet(tmp_path / "outcomes.parquet").status.tolist() == table.status.tolist()
    assert status(tmp_path)["rows_lost"] == 2
    again = answered(FEW, tmp_path, engine, "greedy")
    assert again.counts == {"lost": 2, "converged": 4}  # tried again, and lost again
    pd.testing.assert_frame_equal(same(again.table()), same(table))


def test_more_of_the_same_goes_on(engine, tmp_path):
    small = answered(FEW, tmp_path, engine).table()
    more = changed(parameters={"height_mm": [20, 25, 30, 40], "toe_out_deg": [0, 5]})
    large = answered(study(more), tmp_path, engine).table()
    assert large.number.tolist() == list(range(8)) and large.identity.is_unique
    pd.testing.assert_frame_equal(large[:6], small)
    assert not seeds(tmp_path)
