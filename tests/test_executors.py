"""Who does the work: processes that are replaced when they end, and jobs that end them."""

import os
import re
import stat
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from bladerun.errors import InputError
from bladerun.study import _pace, executors


def slow_square(number):
    return number**2, os.getpid()


def divided(number):
    return 1 / number


def killed(number):
    os._exit(1)


def some(numbers):
    waiting = iter(numbers)
    return lambda: (lambda n: None if n is None else (n, n))(next(waiting, None))


def test_processes_do_the_same_work():
    with executors.opened(2) as executor:
        results = dict(executors.run(executor, some(range(20)), slow_square))
    assert {n: square for n, (square, _) in results.items()} == {n: n**2 for n in range(20)}
    assert os.getpid() not in {process for _, process in results.values()}


def test_what_a_job_raises_is_raised_here_with_its_place():
    with executors.opened(1) as executor, pytest.raises(ZeroDivisionError) as error:
        list(executors.run(executor, some([0]), divided))
    assert "in divided" in error.value.__notes__[0]


def test_nobody_waits_for_jobs_that_were_never_begun():
    with executors.opened(1) as executor:
        futures = [executor.submit(time.sleep, 60) for _ in range(3)]
    for future in futures:
        with pytest.raises(executors.WorkerLost):
            future.result(timeout=5)


def test_a_script_that_starts_processes_is_not_run_again_by_them(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from operator import neg\n"
        "from bladerun.study import executors\n"
        "print('begun')\n"
        "jobs = iter([(1, 1), (2, 2)])\n"
        "with executors.opened(2) as executor:\n"
        "    print(sorted(executors.run(executor, lambda: next(jobs, None), neg)))\n"
    )
    assert said_by(script) == "begun\n[(1, -1), (2, -2)]\n"
    folder = tmp_path / ("a long name for temporary files, " * 4)
    folder.mkdir()
    assert said_by(script, TMPDIR=str(folder)) == "begun\n[(1, -1), (2, -2)]\n"


def said_by(script, **environment):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment}
    done = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout


def test_nobody_else_reaches_the_processes_that_solve():
    """No port is open, and the one socket with a name stands in a folder that others may not enter."""
    with executors.opened(2) as executor:
        assert len(dict(executors.run(executor, some(range(4)), slow_square))) == 4
        us = psutil.Process()
        family = [us, *us.children(recursive=True)]
        assert len(family) >= 3
        seen = 0
        for process in family:
            assert not [c for c in process.net_connections("inet") if c.status == psutil.CONN_LISTEN]
            for named in (c.laddr for c in process.net_connections("unix") if c.laddr):
                if not named.startswith("/"):
                    continue
                folder, seen = Path(named).parent, seen + 1
                assert stat.S_IMODE(folder.stat().st_mode) == 0o700 and folder.stat().st_uid == os.getuid()
                if os.getuid() == 0:
                    assert "PermissionError" in stranger(named)
        assert seen or sys.platform != "linux"


def stranger(address):
    """What another user of the machine is told who opens a socket."""
    code = (
        "import os, socket\nos.setgid(65534)\nos.setuid(65534)\n"
        f"socket.socket(socket.AF_UNIX).connect({address!r})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    return done.stderr


def test_a_killed_process_is_a_sentence():
    with executors.opened(2) as executor:
        ((_, lost),) = executors.run(executor, some([1]), killed)
        assert isinstance(lost, executors.WorkerLost)
        with pytest.raises(InputError, match="fewer of them"):
            executors.answered(lost, executor)
        assert dict(executors.run(executor, some([3]), slow_square))[3][0] == 9


def endless(path):
    Path(path).touch()
    re.match(r"(a+)+$", "a" * 60 + "b")  # never gives its interpreter away


def test_a_process_that_hears_nobody_keeps_nobody_waiting(tmp_path):
    began = tmp_path / "began"
    with executors.opened(1) as executor:
        executor.submit(endless, str(began))
        while not began.exists():
            time.sleep(0.05)
        ended = time.monotonic()
    assert time.monotonic() - ended < 4


class Together:
    """An executor of two whose jobs share a fate: where one is "kills", what runs beside it is lost too."""

    size = 2

    def __init__(self):
        self.running = []

    def poll(self):
        pass

    def submit(self, work, job):
        self.running.append(Fate(self, job))
        return self.running[-1]


class Fate:
    def __init__(self, executor, job):
        self.executor, self.job, self.lost = executor, job, False

    def add_done_callback(self, call):
        call(self)

    def result(self):
        if self.job == "kills":
            for each in self.executor.running:
                each.lost = True
        self.executor.running.remove(self)
        if self.lost:
            raise executors.WorkerLost("ended")
        return self.job


def test_no_job_is_given_up_for_what_another_does():
    results = dict(executors.run(Together(), some(["kills", "innocent", "another"]), slow_square))
    assert isinstance(results.pop("kills"), executors.WorkerLost)
    assert results == {"innocent": "innocent", "another": "another"}


def test_time_left_is_told_from_what_was_solved_and_not_from_compiling(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(_pace.time, "monotonic", lambda: now[0])
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    pace = _pace.Pace(workers=2)
    assert pace.words(0, "row 0") == "compiling, once, about a minute"
    seen = []
    for solved, at in enumerate((0, 70, 71, 73, 75, 77)):
        now[0] = float(at)
        seen.append(pace.left_s(solved, 10 - solved))
    assert seen == [None, None, None, 14.0, 12.0, 10.0]
    assert pace.words(1, "row 1") == "row 1"
    (tmp_path / "kernel.nbi").touch()
    assert _pace.Pace(2).words(0, "row 0") == "row 0"
