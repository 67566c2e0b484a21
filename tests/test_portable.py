"""What runs where clinics are, on Windows and macOS: here without what only Linux and its kin have."""

import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import bladerun
from bladerun._lib import files
from bladerun.errors import InputError

HERE = Path(__file__).parent
FIRST_FIT = HERE.parent / "experiments" / "first-fit.toml"
ELSEWHERE = """
import os, sys
import distributed, filelock, psutil  # made for each system: on this one they ask for some of these
for name in ("fcntl", "grp", "multiprocessing.forkserver", "pwd", "resource", "termios"):
    sys.modules[name] = None
for name in ("fork", "forkpty", "link", "sched_getaffinity"):
    if hasattr(os, name):
        delattr(os, name)
"""
# what multiprocessing itself starts processes with on Linux, so only where none is started
NO_FORKS = (
    "sys.modules['multiprocessing.popen_fork'] = sys.modules['multiprocessing.popen_forkserver'] = None\n"
)
SPAWNED = """
if __name__ == "__main__":
    from pathlib import Path
    from bladerun._lib import forkserver
    forkserver.METHOD = "spawn"
"""


def elsewhere(code, folder, **environment):
    """What a process that runs the code says; the processes it starts lack the same things."""
    script = folder / "script.py"
    script.write_text(ELSEWHERE + code, encoding="utf-8")
    path = os.pathsep.join([str(HERE), *sys.path])
    done = subprocess.run(
        [sys.executable, script],
        env={**os.environ, "PYTHONPATH": path, **environment},
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_every_module_is_imported(tmp_path):
    modules = [each.name for each in pkgutil.walk_packages(bladerun.__path__, "bladerun.")]
    assert "bladerun.study._lock" in modules
    lines = [f"import {name}" for name in modules]
    elsewhere(NO_FORKS + "\n".join(lines), tmp_path)


def test_compiled_code_is_kept_where_the_system_keeps_such(tmp_path):
    code = "os.environ.pop('NUMBA_CACHE_DIR', None)\nimport bladerun; print(os.environ['NUMBA_CACHE_DIR'])"
    kept = elsewhere(code, tmp_path, XDG_CACHE_HOME="", LOCALAPPDATA=str(tmp_path))
    assert Path(kept).parent == tmp_path / "bladerun" and Path(kept).is_dir()


def _home_and_temporary_folder(home, temporary):
    return {
        "HOME": home,
        "XDG_CACHE_HOME": "",
        "LOCALAPPDATA": "",
        "TMPDIR": temporary,
        "NUMBA_CACHE_DIR": "",
    }


SHOWN = "import bladerun.stride, os; print(os.environ['NUMBA_CACHE_DIR'])"


@pytest.mark.skipif(sys.platform == "win32", reason="a file in the place of a home")
@pytest.mark.parametrize("home", ["/dev/null", "elsewhere"])
def test_without_a_home_compiled_code_is_kept_in_a_folder_of_ones_own(tmp_path, home):
    """Also where the installation cannot be written to: numba is not asked to look for a place itself."""
    place = _home_and_temporary_folder(home, str(tmp_path))
    kept = Path(elsewhere(SHOWN, tmp_path, **place))
    assert kept.parent.parent == tmp_path and kept.parent.stat().st_mode & 0o077 == 0
    assert any(kept.parent.rglob("*")) and not (tmp_path / ".cache").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="a file in the place of a home")
def test_the_sheet_is_printed_without_a_home(tmp_path):
    code = "import bladerun.report._sheet_pdf; print(os.environ['HOME'])"
    assert elsewhere(code, tmp_path, HOME="/dev/null/home") == "/dev/null/home"


@pytest.mark.skipif(sys.platform == "win32", reason="users and rights are others there")
def test_a_folder_that_others_can_write_to_is_not_trusted(tmp_path):
    (tmp_path / f"bladerun-{os.getuid()}").mkdir()
    (tmp_path / f"bladerun-{os.getuid()}").chmod(0o777)
    place = _home_and_temporary_folder("/dev/null", str(tmp_path))
    asked = f"main(['run', {str(FIRST_FIT)!r}]) == 2 and main(['catalog']) == 0"
    said = elsewhere(
        f"sys.stderr = sys.stdout\nfrom bladerun.cli import main\nassert {asked}", tmp_path, **place
    )
    assert "bladerun: NUMBA_CACHE_DIR: nowhere to keep compiled code; give a folder" in said
    assert "Traceback" not in said and "j-sprint" in said


def test_a_letter_that_the_console_lacks_does_not_end_an_answer(tmp_path):
    asked = ["bench", "j-sprint", "--category", "6", "--out", "Łódź"]
    code = f"from bladerun.cli import main\nassert main({asked}) == 0"
    assert "?" in elsewhere(code, tmp_path, PYTHONIOENCODING="ascii").splitlines()[-1]
    assert (tmp_path / "Łódź" / "bench.png").is_file()


def test_a_spawned_process_sweeps_in_a_folder_that_is_held(tmp_path):
    (tmp_path / "study.toml").write_text(
        f"base = {str(FIRST_FIT)!r}\n[parameters]\nheight_mm = [20, 30]\n[design]\nkind = 'grid'\n",
        encoding="utf-8",
    )
    code = """
    from bladerun.study import sweep
    print(sweep("study.toml", "out", workers=1, solver="fakes.solvers:instant").counts)
"""
    assert elsewhere(SPAWNED + code, tmp_path) == "{'converged': 2}"


@pytest.mark.slow
def test_spawned_processes_fit(tmp_path):
    code = f"""
    from dataclasses import replace
    from bladerun.case import load_case
    from bladerun.study import fit
    case = replace(load_case({str(FIRST_FIT)!r}), sweep={{"height_mm": [20, 30]}})
    print(*fit(case, "out", workers=2, widen=False, ensemble=0).table.status)
"""
    assert elsewhere(SPAWNED + code, tmp_path) == "converged converged"


def test_a_file_that_is_just_being_read_is_replaced_afterwards(tmp_path, monkeypatch):
    really, refused = os.replace, [PermissionError(13, "in use"), PermissionError(13, "in use")]

    def replace(source, target):
        if refused:
            raise refused.pop()
        really(source, target)

    monkeypatch.setattr(os, "replace", replace)
    with files.atomic(tmp_path / "row.txt") as tmp:
        tmp.write_text("new", encoding="utf-8")
    assert (tmp_path / "row.txt").read_text(encoding="utf-8") == "new"


def test_a_file_that_stays_in_use_is_a_sentence(tmp_path, monkeypatch):
    def replace(source, target):
        raise PermissionError(13, "in use")

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(InputError, match="in use"), files.atomic(tmp_path / "row.txt") as tmp:
        tmp.write_text("new", encoding="utf-8")
    assert not list(tmp_path.iterdir())
