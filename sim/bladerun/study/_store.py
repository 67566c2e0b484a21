"""What a study keeps: one row a stride, written so that nothing is lost or doubled however it ends.

Takes rows as dicts, strides and seeds as bytes; gives a folder: `study.sqlite` (the study, its rows, and the
seeds that others start from; a row and what comes with it are one transaction), `strides/` where they are
kept, and a lock. `outcomes.parquet`, for pandas, polars and R, and `manifest.json`, for people, are written
from it; the latter is read only where the database has lost what it says. Only numbers of rows are held in
memory.
"""

from __future__ import annotations

import hashlib
import heapq
import json
import math
import os
import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib import metadata
from itertools import islice
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from bladerun import __version__
from bladerun._lib.files import atomic, output_dir
from bladerun._lib.messages import say
from bladerun.errors import InputError
from bladerun.study import _database
from bladerun.study._database import Database
from bladerun.study._lock import locked

DATABASE, TABLE, MANIFEST, STRIDES = "study.sqlite", "outcomes.parquet", "manifest.json", "strides"
_ROW, _ASIDE, _SEED, _ABOUT = "row", "row to be tried again", "seed", "about"
_AT_ONCE = 2000  # rows of a batch
_DIGEST_BYTES = 16
_PACKAGES = ("numpy", "scipy", "numba", "mujoco", "xarray", "pandas", "pyarrow", "distributed", "optuna")


class Store:
    """The rows of one study; made by `opened`.

    columns: those of the table, in order. done: numbers of the rows that are kept. grown_from: documents of
    what the study was before, oldest first.
    """

    def __init__(
        self, folder: Path, columns: pa.Schema, grown_from: list[Mapping[str, Any]], database: Database
    ):
        self.folder, self.columns, self.grown_from = folder, columns, grown_from
        self._database = database
        self.done: set[Any] = set(database.keys(_ROW))

    def add(
        self,
        row: Mapping[str, Any],
        *,
        stride: bytes | None = None,
        seeds: Mapping[str, bytes | None] | None = None,
        again: bool = False,
    ) -> None:
        """Keep a row for good, with its stride and the seeds that change with it.

        row: what is not among the columns is left out, what is missing empty. seeds: by name, None for one
        that nobody waits for any more. again: the row is shown until the study is gone on with, and not done.
        """
        number, digest = row["number"], bytes(_DIGEST_BYTES)
        if stride is not None:
            with atomic(output_dir(self.folder / STRIDES) / f"{number}.nc") as tmp:
                tmp.write_bytes(stride)
            digest = hashlib.blake2b(stride, digest_size=_DIGEST_BYTES).digest()
        values = json.dumps([row.get(name) for name in self.columns.names]).encode()
        with self._database.transaction():
            self._database.put(_ASIDE if again else _ROW, number, digest + values)
            for name, seed in (seeds or {}).items():
                if seed is None:
                    self._database.remove(_SEED, name)
                else:
                    self._database.put(_SEED, name, seed)
        if not again:
            self.done.add(number)

    def row(self, number: int) -> dict[str, Any]:
        """A row that is kept."""
        kept = self._database.get(_ROW, number)
        assert kept is not None, number
        return dict(zip(self.columns.names, _values(kept), strict=True))

    def seeds(self) -> list[str]:
        """Names of those that are kept."""
        return [str(name) for name in self._database.keys(_SEED)]

    def seed(self, name: str) -> bytes | None:
        """A seed; None where it is not there as it was written."""
        return self._database.get(_SEED, name)


@contextmanager
def opened(
    folder: str | Path,
    columns: pa.Schema,
    about: Mapping[str, Any],
    may_go_on: Callable[[Mapping[str, Any]], None],
) -> Iterator[Store]:
    """The store in a folder, made or gone on with, for this client alone; at the end its table is written.

    about: what makes it this study and no other. may_go_on: given the document of another study that the
    folder holds, InputError where that is not this one's beginning. InputError also where the folder is held
    by another process, holds something else, or cannot be written to. What was damaged is mended, and said.
    """
    folder = output_dir(folder)
    with locked(folder):
        _refuse_others(folder)
        with _database.opened(folder / DATABASE) as database:
            if database.mended:
                say(database.mended)
            grown_from = _begun(folder, database, about, columns, may_go_on)
            _mend_strides(folder, database)
            database.remove(_ASIDE)
            store = Store(folder, columns, grown_from, database)
            try:
                yield store
            except BaseException:
                with suppress(InputError):  # what ended the study is what is to be told
                    export(folder)
                raise
            database.shrink()
            export(folder)


def manifest(folder: str | Path) -> dict[str, Any]:
    """What `opened` wrote about a study; InputError where there is none."""
    with _reading(folder) as (_, about):
        return about


def table(folder: str | Path, columns: list[str] | None = None) -> pa.Table:
    """All rows that are kept, in the order of their number in the study."""
    with _reading(folder) as (database, about):
        schema = _schema(about)
        wanted = columns or schema.names
        batches = list(_batches(database, schema, wanted))
    return pa.Table.from_batches(batches, pa.schema([schema.field(name) for name in wanted]))


def export(folder: str | Path) -> Path:
    """Write the table as it is now, also while the study goes on; gives the file."""
    path = Path(folder) / TABLE
    with _reading(folder) as (database, about), atomic(path) as tmp, open(tmp, "wb") as file:
        schema = _schema(about)
        with pq.ParquetWriter(file, schema, compression="zstd") as writer:
            for batch in _batches(database, schema, schema.names):
                writer.write_batch(batch)
    return path


@contextmanager
def _reading(folder: str | Path) -> Iterator[tuple[Database, dict[str, Any]]]:
    """The database of a study and what it says about it; InputError where there is none."""
    none = InputError(
        "holds no study; give a folder that `bladerun sweep` or `bladerun optimise` wrote", file=folder
    )
    folder = Path(folder)
    if not (folder / DATABASE).is_file():
        _refuse_others(folder)
        raise none
    with _database.reading(folder / DATABASE) as database:
        about = _about(database)
        if about is None:
            raise none
        yield database, about


def _about(database: Database) -> dict[str, Any] | None:
    text = database.get(_ABOUT, 0)
    return json.loads(text) if text else None


def _schema(about: Mapping[str, Any]) -> pa.Schema:
    return pa.schema(
        [
            pa.field(name, _TYPES[kind], metadata={"unit": about["units"].get(name, "")})
            for name, kind in about["columns"].items()
        ]
    )


_TYPES = {"double": pa.float64(), "string": pa.string(), "int64": pa.int64()}


def _batches(database: Database, schema: pa.Schema, wanted: list[str]) -> Iterator[pa.RecordBatch]:
    """Rows in the order of their number; a number that is missing is NaN."""
    places = [schema.get_field_index(name) for name in wanted]
    schema = pa.schema([schema.field(place) for place in places])
    empty = [math.nan if field.type == pa.float64() else None for field in schema]
    kept = heapq.merge(database.items(_ROW), database.items(_ASIDE))
    while rows := [_values(value) for _, value in islice(kept, _AT_ONCE)]:
        columns = (
            [none if row[place] is None else row[place] for row in rows]
            for place, none in zip(places, empty, strict=True)
        )
        arrays = [pa.array(each, field.type) for each, field in zip(columns, schema, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)


def _values(kept: bytes) -> list[Any]:
    return json.loads(kept[_DIGEST_BYTES:])


def _refuse_others(folder: Path) -> None:
    """InputError where a folder holds what is not to be gone on with, or written over."""
    if (folder / DATABASE).exists():
        return
    if (folder / "rows.jsonl").exists() or (folder / TABLE).is_dir():
        raise InputError("holds a study of an earlier program; give another --out, or delete it", file=folder)
    if (folder / TABLE).exists() and not (folder / MANIFEST).exists():
        raise InputError("holds other results; give another --out", file=folder)


def _begun(
    folder: Path,
    database: Database,
    about: Mapping[str, Any],
    columns: pa.Schema,
    may_go_on: Callable[[Mapping[str, Any]], None],
) -> list[Mapping[str, Any]]:
    """Write what makes the study this one, here and for people; gives what it has grown from."""
    before = _about(database)
    if before is None and (folder / MANIFEST).exists():
        say(f"{folder}: mended: {DATABASE} was gone or damaged; rows that it lacks are solved again")
        with suppress(OSError, ValueError):
            before = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    if before is None:
        for kind in (_ROW, _SEED):  # of which nobody knows whose they are
            database.remove(kind)
    grown_from = _grown_from(folder, before, about, columns, may_go_on) if before else []
    text = _described({**about, "grown_from": grown_from}, columns, before)
    database.put(_ABOUT, 0, text.encode())
    with atomic(folder / MANIFEST) as tmp:
        tmp.write_text(text, encoding="utf-8")
    return grown_from


def _grown_from(
    folder: Path,
    before: Mapping[str, Any],
    about: Mapping[str, Any],
    columns: pa.Schema,
    may_go_on: Callable[[Mapping[str, Any]], None],
) -> list[Mapping[str, Any]]:
    if before["program"] != about["program"]:
        raise InputError(
            "holds a study solved by another version of the program or its models; give another --out",
            file=folder,
        )
    grown_from = before["grown_from"]
    if before["study"] != about["study"]:
        try:
            may_go_on(before["study"])
        except InputError as error:
            raise error.at(folder) from None
        grown_from = [*grown_from, before["study"]]
    if list(before["columns"]) != columns.names:
        raise InputError("holds another study; give another --out", file=folder)
    return grown_from


def _described(about: Mapping[str, Any], columns: pa.Schema, before: Mapping[str, Any] | None) -> str:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    versions = {"bladerun": __version__, "python": platform.python_version()}
    for name in _PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    units = {field.name: (field.metadata or {}).get(b"unit", b"").decode() for field in columns}
    text = {
        **about,
        "columns": {field.name: str(field.type) for field in columns},
        "units": {name: unit for name, unit in units.items() if unit},
        "versions": versions,
        "host": {
            "name": platform.node(),
            "system": platform.platform(),
            "cores": os.cpu_count(),
            "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        },
        "begun": before["begun"] if before else now,
        "gone_on": [*before["gone_on"], now] if before else [],
    }
    return json.dumps(text, indent=2) + "\n"


def _mend_strides(folder: Path, database: Database) -> None:
    """Drop rows whose stride's file is not what was written."""
    for left in (folder / STRIDES).glob(".*"):
        left.unlink()  # half written by a client that was ended
    wrong = []
    for number, kept in database.items(_ROW):
        digest, path = kept[:_DIGEST_BYTES], folder / STRIDES / f"{number}.nc"
        if any(digest) and _digest(path) != digest:
            wrong.append(number)
    if wrong:
        with database.transaction():
            for number in wrong:
                database.remove(_ROW, number)
        say(f"{folder}: mended: strides that were damaged or gone are solved again; rows: {len(wrong)}")


def _digest(path: Path) -> bytes:
    """Of a file's content; empty where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=_DIGEST_BYTES)).digest()
    except OSError:
        return b""
