"""Studies and what ends them: clients and workers killed, memory and disks full, a database away.

Real processes; a stand-in that sleeps solves. `make test-faults`; `BLADERUN_KILLS=100`
makes the loops of kills that long, 20 by default.
"""

import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest

from bladerun.errors import InputError
from bladerun.study import _database, _store
from bladerun.study.file import study
from fakes.studies import ENVIRONMENT, GRID, changed, same, seeds, toml

pytestmark = pytest.mark.faults
KILLS = int(os.environ.get("BLADERUN_KILLS", "20"))
MANY = changed(
    parameters={
        "height_mm": list(range(20, 40)),
        "toe_out_deg": [20 * i / KILLS for i in range(KILLS // 2)],
        "category_step": [-1, 0, 1],
    }
)


class Client:
    """A process that runs a study on two workers with a stand-in."""

    def __init__(self, folder, document, solver="sleeping", what="sweep", **options):
        self.out = folder / "out"
        path = toml(document, folder / "study.toml")
        options["solver"] = f"fakes.solvers:{solver}"
        said = "".join(f", {key}={value!r}" for key, value in options.items())
        (folder / "client.py").write_text(
            f"from bladerun.study import {what}\n"
            "from bladerun.errors import InputError\n"
            "if __name__ == '__main__':\n"
            "    try:\n"
            f"        {what}({str(path)!r}, {str(self.out)!r}, workers=2{said})\n"
            "    except InputError as error:\n"
            "        raise SystemExit(f'bladerun: {error}')\n"
        )
        self.command = [sys.executable, str(folder / "client.py")]
        self.process = None

    def begin(self, **environment):
        environment = {**ENVIRONMENT, **environment}
        self.process = subprocess.Popen(self.command, env=environment, stderr=subprocess.PIPE, text=True)
        return self

    def ended(self, timeout=300):
        _, said = self.process.communicate(timeout=timeout)
        return self.process.returncode, said

    def finished(self):
        """The end of a client that did what it was asked to."""
        code, said = self.ended()
        assert code == 0, said

    def rows(self):
        try:
            return len(_store.table(self.out, ["number"]))
        except InputError:  # no manifest yet
            return 0

    def wait_for(self, more, seconds=120):
        """Until so many rows are there."""
        limit = time.monotonic() + seconds
        while self.rows() < more and self.process.poll() is None and time.monotonic() < limit:
            time.sleep(0.1)

    def workers(self):
        """The processes that solve: forked from one below the client."""
        client = psutil.Process(self.process.pid)
        below = client.children()
        return [process for process in client.children(recursive=True) if process not in below]


def whole(out, rows):
    """Every row once, nothing damaged, no seed left that no row waits for; gives the table."""
    table = pd.read_parquet(out / "outcomes.parquet")
    assert list(table.number) == list(range(rows)) and table.identity.is_unique
    pd.testing.assert_frame_equal(table, _store.table(out).to_pandas())
    assert "lost" in set(table.status) or not seeds(out)
    with _database.opened(out / _store.DATABASE) as database:
        assert not database.mended and not list(out.glob("*damaged*"))
    return table


@pytest.mark.parametrize("victim", ["client", "worker", "workers"])
def test_kills_at_random_moments_lose_and_double_nothing(victim, tmp_path):
    chance = random.Random(1)
    client, total = Client(tmp_path, MANY), len(study(MANY).points)
    kills = 0
    while kills < KILLS:
        if client.process is None or client.process.poll() is not None:
            if client.rows() >= total:
                break
            client.begin()
        client.wait_for(client.rows() + chance.randrange(1, max(2, total // (2 * KILLS))))
        time.sleep(chance.uniform(0, 0.2))
        if victim == "client":
            client.process.kill()
            client.process.wait()
        else:
            found = client.workers()
            for process in found if victim == "workers" else found[:1]:
                process.kill()
        kills += 1
    assert kills == KILLS
    if client.process.poll() is None:
        client.ended()
    client.begin().finished()
    table = whole(client.out, total)
    assert set(table.status) == {"converged"}


def test_workers_of_a_killed_client_end_with_it(tmp_path):
    client = Client(tmp_path, MANY).begin()
    client.wait_for(3)
    left = client.workers()
    assert left
    client.process.kill()
    client.process.wait()
    psutil.wait_procs(left, timeout=30)
    assert not [process for process in left if process.is_running() and process.status() != "zombie"]


def test_a_stopped_and_resumed_study_gives_the_table_of_one_that_was_not(tmp_path):
    for name in ("whole", "stopped"):
        (tmp_path / name).mkdir()
    few = changed(run={"both_ways": True})
    straight, stopped = Client(tmp_path / "whole", few), Client(tmp_path / "stopped", few)
    straight.begin().finished()
    stopped.begin().wait_for(10)
    stopped.process.kill()
    stopped.process.wait()
    assert 0 < stopped.rows() < 36
    stopped.begin().finished()
    pd.testing.assert_frame_equal(same(whole(straight.out, 36)), same(whole(stopped.out, 36)))


def test_a_job_that_ends_its_workers_is_given_up_and_the_rest_done(tmp_path):
    few = changed(parameters={"height_mm": [20, 30, 40], "toe_out_deg": [0, 5]})
    client = Client(tmp_path, few, solver="greedy")
    client.begin().finished()
    table = whole(client.out, 6)
    assert set(table.status[table.height_mm == 30]) == {"lost"}
    assert "memory" in table.why[table.height_mm == 30].iloc[0]
    assert set(table.status[table.height_mm != 30]) == {"converged"}
    client.begin(ENOUGH_MEMORY="1").finished()
    assert set(whole(client.out, 6).status) == {"converged"}


@pytest.mark.parametrize("solver", ["never", "stuck"])
def test_a_stride_that_never_ends_is_given_up_and_the_rest_done(solver, tmp_path):
    few = changed(parameters={"height_mm": [20, 30, 40]}, run={"time_limit_s": 1.0})
    client = Client(tmp_path, few, solver=solver)
    client.begin().finished()
    assert list(whole(client.out, 3).status) == ["converged", "timed out", "converged"]


def test_a_full_disk_is_a_sentence_and_loses_nothing(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(disk)], capture_output=True
    )
    if made.returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        client = Client(disk, MANY, solver="instant")
        code, said = client.begin().ended()
        assert code == 1 and "No space left" in said and "Traceback" not in said
        before = client.rows()
        assert before > 0
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        client.begin().finished()
        whole(client.out, len(study(MANY).points))
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


# --- A search ---------------------------------------------------------------------------------------------

SEARCH = {
    "base": GRID["base"],
    "parameters": {"height_mm": {"low": 20, "high": 40}, "toe_out_deg": {"low": 0, "high": 10}},
    "search": {"trials": 60, "sampler": "tpe", "minimise": "cost_of_transport_j_kg_m",
               "subject_to": ["|psis_difference_mm| < 4"]},
}  # fmt: skip


def told(out, storage=None):
    """The trials of a search, by state, after checking that every finished one has its row."""
    from bladerun.study._optuna import name_of, opened

    asked = study(json.loads((out / "manifest.json").read_text())["study"])
    trials = opened(asked, out, storage, name_of(asked)).get_trials()
    table = pd.read_parquet(out / "outcomes.parquet").set_index("number")
    assert table.index.is_unique
    for trial in trials:
        if trial.state.name == "COMPLETE":
            assert table.cost_of_transport_j_kg_m[trial.number] == pytest.approx(trial.values[0])
            assert table.height_mm[trial.number] == trial.params["height_mm"]
            assert trial.constraints
    return [trial.state.name for trial in trials]


def test_a_killed_search_goes_on_with_its_trials(tmp_path):
    client = Client(tmp_path, SEARCH, what="optimise")
    for rows in (10, 25, 40):
        client.begin().wait_for(rows)
        client.process.kill()
        client.process.wait()
    client.begin().finished()
    states = told(client.out)
    assert states.count("COMPLETE") >= 57 and "RUNNING" not in states


@pytest.fixture
def postgres(tmp_path):
    """A server of its own; gives its address and a function that restarts it."""
    home = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)
    home = home or (Path(shutil.which("pg_ctl")).parent if shutil.which("pg_ctl") else None)
    if home is None or not (home / "initdb").exists():
        pytest.skip("no PostgreSQL server here (on Debian: postgresql)")
    if os.getuid() == 0 and shutil.which("runuser") is None:
        pytest.skip("PostgreSQL does not run as root, and there is no runuser")
    folder, port = Path("/tmp") / f"bladerun-pg-{os.getpid()}", 54000 + os.getpid() % 1000
    folder.mkdir()
    user = []
    if os.getuid() == 0:
        shutil.chown(folder, "postgres")
        user = ["runuser", "-u", "postgres", "--"]
    data, log = folder / "data", folder / "log"

    def control(*command):
        subprocess.run([*user, home / "pg_ctl", "-D", data, "-w", *command], check=True, cwd=folder,
                       stdout=subprocess.DEVNULL)  # fmt: skip

    init = [*user, home / "initdb", "-D", data, "-A", "trust", "-U", "bladerun"]
    subprocess.run(init, check=True, cwd=folder, stdout=subprocess.DEVNULL)
    control("-l", log, "-o", f"-p {port} -k {folder} -c listen_addresses=127.0.0.1", "start")
    try:
        yield (
            f"postgresql://bladerun@127.0.0.1:{port}/postgres",
            lambda: control("-m", "immediate", "-l", log, "restart"),
        )
    finally:
        control("-m", "immediate", "stop")
        shutil.rmtree(folder)


def test_a_database_that_restarts_in_mid_search_is_waited_for(postgres, tmp_path):
    address, restart = postgres
    client = Client(tmp_path, SEARCH, what="optimise", storage=address)
    client.begin()
    for rows in (10, 30):
        client.wait_for(rows)
        restart()
    client.finished()
    states = told(client.out, address)
    assert states.count("COMPLETE") >= 57
