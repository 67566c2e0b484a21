"""Frozen records of numbers, read from tables and changed by dotted names: costs, environments, options.

Takes a record type (a frozen dataclass or a NamedTuple) and a table as TOML or JSON has it; gives the record,
or one `InputError` that names the entry, its value and what is allowed. Nothing here knows what the numbers
mean.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, Self, TypeVar, get_args, get_origin, get_type_hints

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
    return _read(kind, table, base, key)


@cache
def _hints(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {name: hints[name] for name in names_of(kind)}


@cache
def _defaults(kind: type) -> dict[str, Any]:
    if is_dataclass(kind):
        return {field.name: field.default for field in fields(kind) if field.default is not MISSING}
    return dict(kind._field_defaults)  # type: ignore[attr-defined]


@cache
def _signed(kind: type) -> frozenset[str]:
    """Numbers that may be negative."""
    found = {f.name for f in fields(kind) if f.metadata.get("signed")} if is_dataclass(kind) else set()
    return frozenset(found | set(getattr(kind, "SIGNED", ())))


def _read(kind: Any, value: Any, base: Any, key: str, signed: bool = False) -> Any:
    if is_record(kind):
        return _record(kind, value, base, key)
    origin, inside = get_origin(kind), get_args(kind)
    if kind is Table:
        return _table(value, base, key)
    if origin is tuple:
        return _sequence(inside, value, key, signed)
    if kind is float or kind is int:
        return _number(kind, value, key, signed)
    if type(value) is not kind:
        words = {bool: "true or false", str: "a word"}
        raise InputError(f"{value!r} is not allowed; {words[kind]}", key=key)
    return value


def _record(kind: Any, table: Any, base: Any, key: str) -> Any:
    if not isinstance(table, Mapping):
        raise InputError(f"{table!r} is not allowed; a section of keys", key=key)
    hints, defaults = _hints(kind), _defaults(kind)
    for name in table:
        if name not in hints:
            raise InputError(f"not a known key; {nearest(str(name), hints)}", key=_join(key, str(name)))
    values = {}
    for name, hint in hints.items():
        before = None if base is None else getattr(base, name)
        if name in table:
            values[name] = _read(hint, table[name], before, _join(key, name), name in _signed(kind))
        elif base is not None:
            values[name] = before
        elif name in defaults:
            values[name] = defaults[name]
        else:
            raise InputError("missing", key=_join(key, name))
    return kind(**values)


def _table(value: Any, base: Any, key: str) -> Table:
    if not isinstance(value, Mapping):
        raise InputError(f"{value!r} is not allowed; a table of numbers by name", key=key)
    for name in value:
        if base is not None and name not in base:
            raise InputError(f"not a known key; {nearest(str(name), base)}", key=_join(key, str(name)))
    numbers = {
        str(name): _number(float, entry, _join(key, str(name)), False) for name, entry in value.items()
    }
    return Table({**(base or {}), **numbers})


def _sequence(inside: tuple[Any, ...], value: Any, key: str, signed: bool) -> tuple[Any, ...]:
    endless = len(inside) == 2 and inside[1] is Ellipsis
    if not isinstance(value, list | tuple) or not (endless or len(value) == len(inside)):
        count = "" if endless else f"{len(inside)} "
        raise InputError(f"{value!r} is not allowed; a list of {count}values", key=key)
    kinds = [inside[0]] * len(value) if endless else inside
    return tuple(_read(kind, entry, None, key, signed) for kind, entry in zip(kinds, value, strict=True))


def _number(kind: type, value: Any, key: str, signed: bool) -> Any:
    allowed = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    allowed = allowed and (signed or value >= 0) and (kind is float or float(value).is_integer())
    if not allowed:
        what = ("a" if kind is float else "a whole") + (" number" if signed else " number from 0")
        raise InputError(f"{value!r} is not allowed; {what}", key=key)
    return kind(value)


def _changed(record: Any, name: str, value: Any, whole: str) -> Any:
    first, _, rest = name.partition(".")
    known = record if isinstance(record, Mapping) else _hints(type(record)) if is_record(record) else {}
    if first not in known or (not rest and is_record(_get(record, first))):
        names = [whole.removesuffix(name) + each for each in dict(_entries(record, ""))]
        raise InputError(f"not a known entry; {nearest(whole, names)}", key=whole)
    if rest:
        new = _changed(_get(record, first), rest, value, whole)
    elif isinstance(record, Mapping):
        new = _number(float, value, whole, False)
    else:
        kind = type(record)
        new = _read(_hints(kind)[first], value, _get(record, first), whole, first in _signed(kind))
    if isinstance(record, Mapping):
        return Table({**record, first: new})
    return type(record)(**{name: new if name == first else _get(record, name) for name in names_of(record)})


def _get(record: Any, name: str) -> Any:
    return record[name] if isinstance(record, Mapping) else getattr(record, name)


def _entries(record: Any, path: str) -> Iterator[tuple[str, Any]]:
    names = record if isinstance(record, Mapping) else _hints(type(record)) if is_record(record) else ()
    for name in names:
        value = _get(record, name)
        if is_record(value) or isinstance(value, Mapping):
            yield from _entries(value, _join(path, name))
        else:
            yield _join(path, name), value


def _join(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name
