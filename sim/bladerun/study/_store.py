"""What a study keeps: one row a stride, written so that nothing is lost or doubled however it ends.

Takes rows as dicts; gives a folder: `outcomes.parquet/` (a dataset of parts that pandas, polars and R read;
one of them, `lost.parquet`, holds rows to be tried again), `rows.jsonl` (the newest rows, each written when
it is known, moved into a part by the thousand), `manifest.json` (versions, seeds, the study file, the host)
and a lock. Only numbers of rows are held in memory.
"""

from __future__ import annotations

import json
import math
import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from bladerun import __version__
from bladerun._lib.files import atomic, output_dir
from bladerun.errors import InputError
from bladerun.study._lock import locked

TABLE, NEWEST, MANIFEST = "outcomes.parquet", "rows.jsonl", "manifest.json"
_LOST = "lost.parquet"
_PART_ROWS, _PART_S = 1000, 600.0
_PACKAGES = ("numpy", "scipy", "numba", "mujoco", "xarray", "pandas", "pyarrow", "distributed", "optuna")


class Store:
    """The rows of one study; made by `opened`.

    columns: those of the table, in order. done: numbers of the rows that are kept. grown_from: documents of
    what the study was before, oldest first.
    """

    def __init__(self, folder: Path, columns: pa.Schema, grown_from: list[Mapping[str, Any]]):
        self.folder, self.columns, self.grown_from = folder, columns, grown_from
        self.done: set[int] = set()
        self._waiting: list[dict[str, Any]] = []
        self._lost: list[dict[str, Any]] = []
        self._flushed = time.monotonic()
        self._recover()

    def add(self, row: Mapping[str, Any]) -> None:
        """Keep a row for good; what is not among the columns is left out, what is missing empty."""
        kept = self._with_all_columns(row)
        try:
            self._journal.write(json.dumps(kept) + "\n")
            self._journal.flush()
        except OSError as error:
            raise _refused(self.folder / NEWEST, error) from None
        self._take(kept)
        if len(self._waiting) >= _PART_ROWS or time.monotonic() - self._flushed > _PART_S:
            self.flush()

    def set_aside(self, row: Mapping[str, Any]) -> None:
        """Show a row in the table until the study is gone on with; it is not among those that are done."""
        self._lost.append(self._with_all_columns(row))
        self._write(_LOST, self._lost)

    def flush(self) -> None:
        """Move the newest rows into a part of the table."""
        self._flushed = time.monotonic()
        if not self._waiting:
            return
        self._write(f"part-{len(self.done):07d}.parquet", self._waiting)
        self._waiting.clear()
        self._journal.truncate(0)

    def row(self, number: int) -> dict[str, Any]:
        """A row that is kept."""
        for row in self._waiting:
            if row["number"] == number:
                return row
        parts = _dataset(self.folder, self.columns)
        return parts.to_table(filter=ds.field("number") == number).to_pylist()[0]

    def close(self) -> None:
        """Leave every row in the table; where that cannot be written, the newest stay in their own file."""
        try:
            self.flush()
        finally:
            with suppress(OSError):  # a row that found no place, as was said then
                self._journal.close()

    def _with_all_columns(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {name: row.get(name) for name in self.columns.names}

    def _write(self, part: str, rows: list[dict[str, Any]]) -> None:
        with atomic(self.folder / TABLE / part) as tmp, open(tmp, "wb") as file:
            pq.write_table(_as_table(rows, self.columns), file, compression="zstd")

    def _take(self, row: dict[str, Any]) -> None:
        self._waiting.append(row)
        self.done.add(row["number"])

    def _recover(self) -> None:
        """Read which rows there are; of the newest drop what a part has already and what is half written."""
        for left in (*(self.folder / TABLE).glob(".*"), self.folder / TABLE / _LOST):
            left.unlink(missing_ok=True)
        for batch in _dataset(self.folder, self.columns).to_batches(columns=["number"], cache_metadata=False):
            self.done.update(batch.column(0).to_pylist())
        rows = [row for row in newest(self.folder) if row["number"] not in self.done]
        with atomic(self.folder / NEWEST) as tmp:
            tmp.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        self._journal = open(self.folder / NEWEST, "a", encoding="utf-8")  # noqa: SIM115
        for row in rows:
            if row["number"] not in self.done:
                self._take(row)


@contextmanager
def opened(
    folder: str | Path,
    columns: pa.Schema,
    about: Mapping[str, Any],
    may_go_on: Callable[[Mapping[str, Any]], None],
) -> Iterator[Store]:
    """The store in a folder, made or gone on with, for this client alone.

    about: what makes it this study and no other, for the manifest. may_go_on: given the document of another
    study that the folder holds, InputError where that is not this one's beginning. InputError also where the
    folder is held by another process, or cannot be written to.
    """
    folder = output_dir(folder)
    with locked(folder):
        grown_from = _grown_from(folder, about, columns, may_go_on)
        output_dir(folder / TABLE)
        _write_manifest(folder, {**about, "grown_from": grown_from}, columns)
        store = Store(folder, columns, grown_from)
        try:
            yield store
        finally:
            store.close()


def manifest(folder: str | Path) -> dict[str, Any]:
    """What `opened` wrote about a study; InputError where there is none."""
    path = Path(folder) / MANIFEST
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise InputError(
            "holds no study; give a folder that `bladerun sweep` or `bladerun optimise` wrote", file=folder
        ) from None


def table(folder: str | Path, columns: list[str] | None = None) -> pa.Table:
    """All rows that are kept, the newest too, in the order of their number in the study."""
    folder, kinds = Path(folder), manifest(folder)["columns"]
    schema = pa.schema([pa.field(name, _TYPES[kind]) for name, kind in kinds.items()])
    wanted = columns or schema.names
    new = newest(folder)  # before the parts, into which they may be moved meanwhile
    kept = [_as_table([], schema).select(wanted)]
    for path in _paths(folder):
        # opened once, for it may be replaced meanwhile
        with suppress(FileNotFoundError), open(path, "rb") as file, pq.ParquetFile(file) as part:
            kept.append(part.read(columns=[*{*wanted, "number"}]))
    known = {number for part in kept[1:] for number in part.column("number").to_pylist()}
    new = _as_table([row for row in new if row["number"] not in known], schema)
    rows = pa.concat_tables([part.select(wanted) for part in (*kept, new)])
    return rows.sort_by("number") if "number" in wanted else rows


def newest(folder: Path) -> list[dict[str, Any]]:
    """Rows that are in no part yet; a last one that is half written is none."""
    try:
        lines = (folder / NEWEST).read_bytes().split(b"\n")
    except OSError:
        return []
    rows = []
    for line in lines:
        with suppress(ValueError):
            rows.append(json.loads(line))
    return [row for row in rows if isinstance(row, dict) and "number" in row]


_TYPES = {"double": pa.float64(), "string": pa.string(), "int64": pa.int64()}


def _as_table(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    """The rows as a table; a number that is missing is NaN."""
    empty = {field.name: math.nan if field.type == pa.float64() else None for field in schema}
    columns = {
        name: [empty[name] if row.get(name) is None else row[name] for row in rows] for name in schema.names
    }
    return pa.table(columns, schema=schema)


def _paths(folder: Path) -> list[str]:
    parts = (folder / TABLE).absolute()  # else `run1:a` is taken for the address of a file system
    return sorted(map(str, parts.glob("[!.]*.parquet")))


def _dataset(folder: Path, columns: pa.Schema) -> ds.Dataset:
    parts = _paths(folder)
    return ds.dataset(parts, schema=columns, format="parquet") if parts else ds.dataset(columns.empty_table())


def _grown_from(
    folder: Path,
    about: Mapping[str, Any],
    columns: pa.Schema,
    may_go_on: Callable[[Mapping[str, Any]], None],
) -> list[Mapping[str, Any]]:
    if not (folder / MANIFEST).exists():
        return []
    before = manifest(folder)
    if before["program"] != about["program"]:
        raise InputError(
            "holds a study solved by another version of the program or its models; give another --out",
            file=folder,
        )
    grown_from = before.get("grown_from", [])
    if before["study"] != about["study"]:
        try:
            may_go_on(before["study"])
        except InputError as error:
            raise error.at(folder) from None
        grown_from = [*grown_from, before["study"]]
    if list(before["columns"]) != columns.names:
        raise InputError("holds another study; give another --out", file=folder)
    return grown_from


def _write_manifest(folder: Path, about: Mapping[str, Any], columns: pa.Schema) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    before = manifest(folder) if (folder / MANIFEST).exists() else {}
    versions = {"bladerun": __version__, "python": platform.python_version()}
    for name in _PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    text = {
        **about,
        "columns": {field.name: str(field.type) for field in columns},
        "versions": versions,
        "host": {
            "name": platform.node(),
            "system": platform.platform(),
            "cores": os.cpu_count(),
            "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        },
        "begun": before.get("begun", now),
        "gone_on": [*before.get("gone_on", []), now] if before else [],
    }
    with atomic(folder / MANIFEST) as tmp:
        tmp.write_text(json.dumps(text, indent=2) + "\n", encoding="utf-8")


def _refused(path: Path, error: OSError) -> InputError:
    return InputError(f"cannot be written: {error.strerror}; do the same again to go on from here", file=path)
