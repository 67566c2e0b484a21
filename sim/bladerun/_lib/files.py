"""Files: results written whole or not at all, what others wrote read up to a size.

Takes the path a result is meant for; gives a temporary path beside it, which takes the real
name only when the writing succeeded, and output folders that are known to be writable.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bladerun.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

_PAUSES_S = (0.05, 0.1, 0.2, 0.4)


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`; on success it is renamed to `path`, else removed.

    The temporary name keeps the suffix of `path`, because many writers choose the format by it. What the
    system refuses (disk full, no permission, `path` is a folder) is an `InputError`.
    """
    path = Path(path)
    tmp = path.with_name(f".{path.stem}-{secrets.token_hex(4)}{path.suffix}")
    try:
        yield tmp
        _replace(tmp, path)
    except OSError as error:
        why = error.strerror or str(error).partition("\n")[0]  # ffmpeg's way of saying it has many
        raise InputError(f"cannot be written: {why}", file=path) from error
    finally:
        tmp.unlink(missing_ok=True)


def write_parquet(table: pd.DataFrame, path: Path) -> None:
    """Write a table whole or not at all, whatever letters the path has, which the library reads as UTF-8."""
    with atomic(path) as tmp, tmp.open("wb") as file:
        table.to_parquet(file)


def _replace(tmp: Path, path: Path) -> None:
    """Rename over `path`; on Windows that waits for whoever is just reading it."""
    for pause in _PAUSES_S:
        try:
            return os.replace(tmp, path)
        except PermissionError:
            time.sleep(pause)
    os.replace(tmp, path)


def output_dir(path: str | Path) -> Path:
    """The folder `path`, created if missing; `InputError` if it cannot be written to."""
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe-{secrets.token_hex(4)}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(
            f"not a folder that can be written to: {error.strerror or error}; give another with --out",
            file=folder,
        ) from None
    return folder


def content_of(path: str | Path, most_bytes: int) -> bytes:
    """The bytes of a file; `InputError` where it cannot be read, is no plain file, or is larger than that."""
    if os.path.exists(path) and not os.path.isfile(path):  # a pipe, opened, would wait for who writes to it
        raise InputError("is a folder or a device, not a file", file=path)
    try:
        with open(path, "rb") as file:
            content = file.read(most_bytes + 1)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise InputError(f"cannot be read: {getattr(error, 'strerror', error)}", file=path) from None
    if len(content) > most_bytes:
        raise InputError(f"too large; at most {most_bytes / 1e6:g} MB", file=path)
    return content
