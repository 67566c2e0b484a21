"""Entries of bytes in one SQLite file, kept whatever ends the program or damages the file.

Takes the path of a file; gives a `Database`: entries by kind and key, changed together or not at all, and on
the disk before a change returns. Each entry has a checksum: one that is not as it was written counts as not
there. What a damaged file still holds goes on in a new one, and the damaged one stays beside it.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import count
from pathlib import Path

from bladerun._lib.files import atomic
from bladerun.errors import InputError

_VERSION = 1
_SCHEMA = [
    "CREATE TABLE entry (kind TEXT NOT NULL, key NOT NULL, value BLOB NOT NULL, checksum BLOB NOT NULL)",
    "CREATE UNIQUE INDEX entry_of ON entry (kind, key)",
]
_ENTRY = "kind, key, value, checksum"
_INSERT = f"INSERT OR REPLACE INTO entry ({_ENTRY}) VALUES (?, ?, ?, ?)"
_PAGE = 4096  # bytes, of SQLite's own choice
_LAYOUT = [f"PRAGMA page_size = {_PAGE}", "PRAGMA auto_vacuum = INCREMENTAL"]
_BUSY_S = 60.0  # for which a change waits for those of other processes
_GAP = 20_000  # entries in a row that cannot be read, after which a damaged file is taken to hold no more
_DAMAGED = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_FULL = ("SQLITE_FULL", "SQLITE_IOERR_SHMSIZE")


class Database:
    """The entries of a file; made by `opened` and `reading`.

    Attributes
    ----------
    mended
        One sentence, where the file was damaged; else empty.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, mended: str = ""):
        self.path, self.mended = path, mended
        self._connection = connection

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All changes of the block at once, or none where it raises."""
        with _told(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # a full disk has rolled it back already
                    self._connection.execute("ROLLBACK")
                raise

    def put(self, kind: str, key: int | str, value: bytes) -> None:
        """Keep an entry in place of what had this kind and key."""
        with _told(self.path):
            self._connection.execute(_INSERT, (kind, key, value, _checksum(kind, key, value)))

    def get(self, kind: str, key: int | str) -> bytes | None:
        """An entry; None where there is none as it was written."""
        with _told(self.path):
            row = self._connection.execute(
                f"SELECT {_ENTRY} FROM entry WHERE kind = ? AND key = ?", (kind, key)
            ).fetchone()
        return row[2] if row and _whole(row) else None

    def remove(self, kind: str, key: int | str | None = None) -> None:
        """Drop an entry, or all of a kind; one that is not there is none to drop."""
        which, values = ("", (kind,)) if key is None else (" AND key = ?", (kind, key))
        with _told(self.path):
            self._connection.execute(f"DELETE FROM entry WHERE kind = ?{which}", values)

    def keys(self, kind: str) -> list[int | str]:
        """Those of a kind, in order."""
        with _told(self.path):
            found = self._connection.execute("SELECT key FROM entry WHERE kind = ? ORDER BY key", (kind,))
            return [key for (key,) in found]

    def items(self, kind: str) -> Iterator[tuple[int | str, bytes]]:
        """Keys and entries of a kind in the order of the keys, one at a time."""
        with _told(self.path):
            for row in self._connection.execute(
                f"SELECT {_ENTRY} FROM entry WHERE kind = ? ORDER BY key", (kind,)
            ):
                if _whole(row):
                    yield row[1], row[2]

    def shrink(self) -> None:
        """Give the room of what was dropped back to the disk."""
        with _told(self.path):
            self._connection.executescript("PRAGMA incremental_vacuum")


@contextmanager
def opened(path: str | Path, *, check: bool = True) -> Iterator[Database]:
    """The database of a file, made where there is none.

    Parameters
    ----------
    path
        Of the file; SQLite puts others beside it while it is in use.
    check
        Whether to read all of it first, and to mend it where it is damaged. One process at a time may.

    Raises
    ------
    InputError
        Where the file cannot be written, is of a newer version, or turns out to be damaged without a check.
    """
    path, mended = Path(path), ""
    with _told(path):
        try:
            connection = _connected(path, check)
        except sqlite3.DatabaseError as error:
            if not check or not _is_damage(error):
                raise
            mended = _mend(path)
            connection = _connected(path, check)
        with closing(connection):
            yield Database(path, connection, mended)


@contextmanager
def reading(path: str | Path) -> Iterator[Database]:
    """A database as it is at this moment, also while other processes change it; InputError where it cannot be
    read."""
    path = Path(path)
    alone = not os.access(path.parent, os.W_OK) and not path.with_name(f"{path.name}-wal").exists()
    with _told(path, "read"):
        address = f"{path.absolute().as_uri()}?{'immutable=1' if alone else 'mode=rw'}"
        with closing(sqlite3.connect(address, _BUSY_S, uri=True, isolation_level=None)) as connection:
            connection.execute("PRAGMA query_only = 1")
            connection.execute("BEGIN")
            yield Database(path, connection)


def _connected(path: Path, check: bool) -> sqlite3.Connection:
    """Open for changes, with our tables; raises sqlite3.DatabaseError of damage where it is not whole."""
    connection = _journaled(path)
    try:
        connection.execute("PRAGMA synchronous = FULL")
        _create(connection)
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
            raise InputError("was written by a newer version of bladerun; use that", file=path)
        if check:
            _check(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _journaled(path: Path) -> sqlite3.Connection:
    """With a write-ahead log; with a rollback journal, which needs none, where files share no memory."""
    begin, modes = [], ["PRAGMA journal_mode = WAL"]
    while True:
        connection = sqlite3.connect(path, _BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            for mode in (*begin, *_LAYOUT, *modes):
                connection.execute(mode).fetchall()
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
            return connection
        except sqlite3.DatabaseError as error:
            connection.close()
            if begin or _is_damage(error) or error.sqlite_errorname in _FULL:
                raise
        begin = ["PRAGMA locking_mode = EXCLUSIVE"]
        modes = ["PRAGMA journal_mode = DELETE", "PRAGMA locking_mode = NORMAL"]


def _create(connection: sqlite3.Connection) -> None:
    """Make our tables where there is none."""
    if connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        return
    for layout in _LAYOUT:
        connection.execute(layout)
    connection.execute("BEGIN IMMEDIATE")
    if not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
        for statement in _SCHEMA:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {_VERSION}")
    connection.execute("COMMIT")


class _Damaged(sqlite3.DatabaseError):
    """What SQLite itself does not notice."""


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    return isinstance(error, _Damaged) or getattr(error, "sqlite_errorname", "").startswith(_DAMAGED)


def _check(connection: sqlite3.Connection) -> None:
    schema = [sql for (sql,) in connection.execute("SELECT sql FROM sqlite_schema ORDER BY rowid")]
    if schema != _SCHEMA or connection.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",):
        raise _Damaged
    for row in connection.execute(f"SELECT {_ENTRY} FROM entry"):
        if not _whole(row):
            raise _Damaged


def _mend(path: Path) -> str:
    """Put a new file with all that can be read in place of a damaged one; gives what to say."""
    aside = next(
        name
        for n in count(1)
        if not (name := path.with_name(f"{path.stem}.damaged-{n}{path.suffix}")).exists()
    )
    with atomic(path) as tmp:
        for end in ("", "-wal"):
            with suppress(FileNotFoundError):
                shutil.copyfile(f"{path}{end}", f"{aside}{end}")
        kept = 0
        with closing(sqlite3.connect(tmp, isolation_level=None)) as new:
            _create(new)
            new.execute("BEGIN")
            for row in _readable(aside):
                kept += new.execute(_INSERT, row).rowcount
            new.execute("COMMIT")
        for end in ("-wal", "-shm"):  # of the damaged file; they would be taken for the new one's
            Path(f"{path}{end}").unlink(missing_ok=True)
    return (
        f"{path}: was damaged and is mended: {kept} entries are kept, what is missing is made again; "
        f"the damaged file is {aside.name}"
    )


def _readable(path: Path) -> Iterator[tuple]:
    """Every entry that is still as it was written. Where the first page is damaged, which finds the others,
    that of a new file serves: they differ in counters alone."""
    with closing(sqlite3.connect(path, isolation_level=None)) as damaged:
        try:
            damaged.execute(f"SELECT {_ENTRY} FROM entry LIMIT 1")
        except sqlite3.DatabaseError:
            damaged.close()
            Path(f"{path}-wal").unlink(missing_ok=True)
            with open(path, "r+b") as file:
                file.write(_first_page())
    with closing(sqlite3.connect(path, isolation_level=None)) as damaged:
        at, missed = 0, 0
        while missed < _GAP:
            try:
                found = damaged.execute(
                    f"SELECT rowid, {_ENTRY} FROM entry WHERE rowid > ? ORDER BY rowid LIMIT 1",
                    (at,),
                ).fetchone()
                if found is None:
                    return
            except sqlite3.DatabaseError:
                found = None
            if found and found[0] > at and _whole(found[1:]):
                at, missed = found[0], 0
                yield found[1:]
            else:
                at, missed = at + 1, missed + 1


def _first_page() -> bytes:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as new:
        _create(new)
        page = bytearray(new.serialize()[:_PAGE])
    page[92:96] = b"\xff\xff\xff\xff"  # so the number of pages is taken from the file's size
    return bytes(page)


def _checksum(kind: str, key: int | str, value: bytes) -> bytes:
    found = hashlib.blake2b(f"{kind} {key!r} ".encode(), digest_size=16)
    found.update(value)
    return found.digest()


def _whole(row: tuple) -> bool:
    kind, key, value, checksum = row
    return isinstance(value, bytes) and checksum == _checksum(kind, key, value)


@contextmanager
def _told(path: Path, what: str = "written") -> Iterator[None]:
    """What SQLite raises within as one sentence."""
    try:
        yield
    except sqlite3.Error as error:
        if isinstance(error, sqlite3.DatabaseError) and _is_damage(error):
            raise InputError("is damaged; go on with what it belongs to, which mends it", file=path) from None
        why = os.strerror(errno.ENOSPC) if getattr(error, "sqlite_errorname", "") in _FULL else str(error)
        more = "; do the same again to go on from here" if what == "written" else ""
        raise InputError(f"cannot be {what}: {why}{more}", file=path) from None
