"""Who does the work: processes that are replaced when they end, and jobs that end them."""

import os
import re
import time
from pathlib import Path

import pytest

from bladerun.errors import InputError
from bladerun.study import _crew


def slow_square(number):
    return number**2, os.getpid()


def killed(number):
    os._exit(1)


def some(numbers):
    waiting = iter(numbers)
    return lambda: (lambda n: None if n is None else (n, n))(next(waiting, None))


def test_processes_do_the_same_work():
    with _crew.hire(2) as crew:
        results = dict(_crew.run(crew, some(range(20)), slow_square))
    assert {n: square for n, (square, _) in results.items()} == {n: n**2 for n in range(20)}
    assert os.getpid() not in {process for _, process in results.values()}


def test_few_of_the_messages_with_their_seeds_are_kept():
    with _crew.hire(1) as crew:
        assert len(dict(_crew.run(crew, some(range(30)), slow_square))) == 30
        sent = [crew._client.scheduler_comm, *crew._local.scheduler.stream_comms.values()]
        assert 0 < max(len(each.recent_message_log) for each in sent) <= 10


def test_a_killed_process_is_a_sentence():
    with _crew.hire(2) as crew:
        ((_, lost),) = _crew.run(crew, some([1]), killed)
        assert isinstance(lost, _crew.Lost)
        with pytest.raises(InputError, match="fewer of them"):
            _crew.answered(lost, crew)
        assert dict(_crew.run(crew, some([3]), slow_square))[3][0] == 9


def endless(path):
    Path(path).touch()
    re.match(r"(a+)+$", "a" * 60 + "b")  # never gives its interpreter away


def test_a_process_that_hears_nobody_keeps_nobody_waiting(tmp_path):
    began = tmp_path / "began"
    with _crew.hire(1) as crew:
        crew.submit(endless, str(began))
        while not began.exists():
            time.sleep(0.05)
        ended = time.monotonic()
    assert time.monotonic() - ended < 4


class Together:
    """A crew of two whose jobs share a fate: where one is named "kills", what runs beside it is lost too."""

    size = 2

    def __init__(self):
        self.running = []

    def tend(self):
        pass

    def submit(self, work, job):
        self.running.append(Fate(self, job))
        return self.running[-1]


class Fate:
    def __init__(self, crew, job):
        self.crew, self.job, self.lost = crew, job, False

    def add_done_callback(self, call):
        call(self)

    def result(self):
        if self.job == "kills":
            for each in self.crew.running:
                each.lost = True
        self.crew.running.remove(self)
        if self.lost:
            raise _crew.Lost("ended")
        return self.job


def test_no_job_is_given_up_for_what_another_does():
    results = dict(_crew.run(Together(), some(["kills", "innocent", "another"]), slow_square))
    assert isinstance(results.pop("kills"), _crew.Lost)
    assert results == {"innocent": "innocent", "another": "another"}
