"""Whose results a folder holds: one runner's, and of each command what it wrote last.

Takes a folder, a command and the runner's file; keeps beside the results a record of whose they are and of
what each command wrote. A run refuses a folder that holds another runner's, unless it is told to replace
them, and takes away what it wrote there before and did not write again. Files that are not in the record are
left alone.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bladerun._lib.files import atomic, output_dir
from bladerun._lib.table import plain
from bladerun.errors import InputError

if TYPE_CHECKING:
    from bladerun.case import Case

RECORD = ".bladerun.json"
_OF_A_STRIDE = ("video", "export", "compare")  # commands whose files show the stride that `run` wrote


@dataclass
class Written:
    """The files of one command. Names are those in the folder."""

    folder: Path
    names: set[str] = field(default_factory=set)

    def add(self, *paths: str | Path) -> None:
        """These were written, by this command; those outside the folder are not recorded."""
        self.names |= {path.name for path in map(Path, paths) if path.parent == self.folder}


@contextmanager
def results(
    folder: str | Path, command: str, case: Case, file: Path, *, replace: bool = False
) -> Iterator[Written]:
    """The folder of a runner's results, created if missing, while a command writes to it.

    replace: take another runner's results away. Raises InputError for a folder that cannot be written to, and
    for one that holds another runner's results where `replace` is false.
    """
    there = output_dir(folder)
    owner, files = _read(there)
    mine = _owner(case, file)
    if owner and not _same(owner, mine):
        if not replace:
            whose = f"{owner['name']} ({owner['file']})" if owner["name"] else owner["file"]
            raise InputError(
                f"holds results of {whose}; give another folder with --out, or --replace", file=there
            )
        _remove(there, set().union(*files.values()))
        files = {}
    before = set(there.iterdir())
    _write(there, mine, files)
    written = Written(there)
    try:
        yield written
    except BaseException:
        if not files and set(there.iterdir()) - {there / RECORD} == before - {there / RECORD}:
            (there / RECORD).unlink(missing_ok=True)
        raise
    _record(there, mine, files, command, written.names)


def add_shown(folder: Path, command: str, paths: list[Path]) -> None:
    """Record files that show what the folder holds, beside those there are; nothing in a folder without a
    record."""
    owner, files = _read(folder)
    if owner:
        mine = {path.name for path in paths if path.parent == folder}
        _record(folder, owner, files, command, files.get(command, set()) | mine)


def _record(
    folder: Path, owner: Mapping[str, Any], files: Mapping[str, set[str]], command: str, names: set[str]
) -> None:
    """The command's files are these: what else it wrote before goes, and what showed that."""
    stale = (command, *_OF_A_STRIDE) if command == "run" else (command,)
    others = {name: kept - names for name, kept in files.items() if name not in stale}
    old = set().union(*(files.get(name, set()) for name in stale))
    _remove(folder, old - names - set().union(*others.values()))
    _write(folder, owner, {**others, command: names})


def _owner(case: Case, file: Path) -> dict[str, Any]:
    person = plain({"runner": case.runner, "amputation": case.amputation})
    return {"file": str(file.absolute()), "name": case.name, **person}


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """The same file and name, or the same name and body."""
    if one["name"] != other["name"]:
        return False
    return one["file"] == other["file"] or all(one.get(key) == other[key] for key in ("runner", "amputation"))


def _read(folder: Path) -> tuple[dict[str, Any] | None, dict[str, set[str]]]:
    path = folder / RECORD
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        owner, files = content["owner"], {str(key): set(names) for key, names in content["files"].items()}
        if not all(isinstance(owner[key], str) for key in ("file", "name")):
            raise ValueError
        if any(Path(name).name != name for name in set().union(*files.values())):
            raise ValueError
        return owner, files
    except FileNotFoundError:
        return None, {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise InputError("not what bladerun wrote; delete it, and what it stands beside", file=path) from None


def _write(folder: Path, owner: Mapping[str, Any], files: Mapping[str, set[str]]) -> None:
    content = {"owner": owner, "files": {name: sorted(names) for name, names in files.items() if names}}
    with atomic(folder / RECORD) as tmp:
        tmp.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _remove(folder: Path, names: set[str]) -> None:
    for name in names:
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
