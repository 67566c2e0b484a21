"""Frozen records of numbers, read from tables and changed by dotted names: costs, environments, options.

Takes a record type (a frozen dataclass or a NamedTuple) and a table as TOML or JSON has it; gives the record,
or one `InputError` that names the entry, its value and what is allowed. Nothing here knows what the numbers
mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Self, TypeVar

from bladerun._lib.kinds import Number, Record, kinds_of
from bladerun._lib.table import Table, is_record, names_of, plain
from bladerun.errors import InputError, nearest

_T = TypeVar("_T")


class Settings:
    """What every record of settings can do; a subclass is a frozen dataclass with a `default`."""

    def changed(self, entries: Mapping[str, Any]) -> Self:
        """The same with other entries, by dotted name: `{"tracking.weight": 1.4}`.

        Raises
        ------
        InputError
            For an unknown name, with the nearest known one, and for a value that is not allowed.
        """
        result = self
        for name, value in entries.items():
            result = _changed(result, name, value, name)
        return result

    def merged(self, table: Mapping[str, Any]) -> Self:
        """The same with what stands in a table of tables, as a file has it. Raises InputError."""
        return read(type(self), table, self)

    def entries(self) -> dict[str, Any]:
        """Every number and word by its dotted name."""
        return dict(_entries(self, ""))

    def to_dict(self) -> dict[str, Any]:
        """As tables, lists and numbers, for JSON; `read` takes it back."""
        return plain(self)


def read(kind: type[_T], table: Any, base: _T | None = None, key: str = "") -> _T:
    """A record of that type from a table; what the table leaves out is as in `base`, or has a default."""
    return Record(kind).read(table, key, base)


def _changed(record: Any, name: str, value: Any, whole: str) -> Any:
    first, _, rest = name.partition(".")
    known = record if isinstance(record, Mapping) else kinds_of(type(record)) if is_record(record) else {}
    if first not in known or (not rest and is_record(_get(record, first))):
        names = [whole.removesuffix(name) + each for each in dict(_entries(record, ""))]
        raise InputError(f"not a known entry; {nearest(whole, names)}", key=whole)
    if rest:
        new = _changed(_get(record, first), rest, value, whole)
    elif isinstance(record, Mapping):
        new = Number(to=float).read(value, whole)
    else:
        new = kinds_of(type(record))[first].read(value, whole, _get(record, first))
    if isinstance(record, Mapping):
        return Table({**record, first: new})
    return type(record)(**{name: new if name == first else _get(record, name) for name in names_of(record)})


def _get(record: Any, name: str) -> Any:
    return record[name] if isinstance(record, Mapping) else getattr(record, name)


def _entries(record: Any, path: str) -> Iterator[tuple[str, Any]]:
    names = record if isinstance(record, Mapping) else names_of(record) if is_record(record) else ()
    for name in names:
        value = _get(record, name)
        if is_record(value) or isinstance(value, Mapping):
            yield from _entries(value, _join(path, name))
        else:
            yield _join(path, name), value


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name
