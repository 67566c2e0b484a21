"""What all tests share: hypothesis without deadlines (first calls compile), and `gl` for what draws."""

import subprocess
import sys
from contextlib import nullcontext
from functools import cache

import pytest
from hypothesis import settings

from bladerun.study.executors import _Here

settings.register_profile("bladerun", deadline=None, max_examples=50, print_blob=True)
settings.load_profile("bladerun")


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "gl: draws with OpenGL; skipped where no offscreen context can be made"
    )


def pytest_runtest_setup(item):
    if item.get_closest_marker("gl") and not _can_draw():
        pytest.skip("no offscreen OpenGL here (on Debian: libegl1 libgl1-mesa-dri)")


@pytest.fixture
def in_process(monkeypatch):
    """Studies are solved in this process, and do not look up which versions of what they run on."""
    monkeypatch.setattr("bladerun.study.executors.opened", lambda *_, **__: nullcontext(_Here()))
    monkeypatch.setattr("bladerun.study._store._PACKAGES", ())


@cache
def _can_draw() -> bool:
    """Tried in another process, because a broken driver may end it."""
    code = "from bladerun.show._stage import gl_context; gl_context(8, 8).make_current()"
    return subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0
