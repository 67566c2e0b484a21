"""What all tests share: hypothesis without deadlines (first calls compile), and `gl` for what draws."""

import subprocess
import sys
from functools import cache

import pytest
from hypothesis import settings

settings.register_profile("bladerun", deadline=None, max_examples=50, print_blob=True)
settings.load_profile("bladerun")


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "gl: draws with OpenGL; skipped where no offscreen context can be made"
    )


def pytest_runtest_setup(item):
    if item.get_closest_marker("gl") and not _can_draw():
        pytest.skip("no offscreen OpenGL here (on Debian: libegl1 libgl1-mesa-dri)")


@cache
def _can_draw() -> bool:
    """Tried in another process, because a broken driver may end it."""
    code = "from bladerun.show.video import _gl_context; _gl_context(8, 8).make_current()"
    return subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0
