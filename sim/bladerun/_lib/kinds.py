"""What may stand under the keys of an input, described once: the check, its one sentence, its JSON Schema.

Takes the frozen dataclass that an input becomes, whose fields say of what kind they are, by their type or
by `Annotated[float, Number(2, 5, "m/s")]`; gives the dataclass from a table (`Record.read`), checks its
fields however it was made (`check`), and says the same for editors and the manual (`Record.schema`).

Our own and not pydantic: the ranges come from models/*.toml, the sentences name the nearest key or what a
clinic would write instead, and the classes stay plain dataclasses that are pickled, hashed and replaced a
million times a study. With pydantic each kind below would be a validator and an error type all the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin, get_type_hints

from bladerun._lib.docstrings import texts_of
from bladerun._lib.table import Table, is_record, names_of
from bladerun.errors import InputError, nearest


class Kind:
    """What may stand under a key. said: what is allowed, the second half of the sentence of what is not."""

    said: str

    def read(self, value: Any, key: str = "", base: Any = None) -> Any:
        """The value as the input keeps it; InputError, with the key. base: what a table is laid over."""
        raise NotImplementedError

    def schema(self, base: Any = None) -> dict[str, Any]:
        """The same as a JSON Schema. base: as above; what it has need not be given."""
        raise NotImplementedError

    def refused(self, value: Any, key: str) -> InputError:
        return InputError(f"{value!r} is not allowed; {self.said}", key=key)


@dataclass(frozen=True)
class Number(Kind):
    """A number from `low` to `high`. over: above `low` only. words: in place of the usual sentence. to: the
    type it becomes; as it was given without."""

    low: float = 0.0
    high: float = math.inf
    unit: str = ""
    words: str = ""
    over: bool = False
    whole: bool = False
    to: type | None = None

    @property
    def said(self) -> str:  # type: ignore[override]
        if self.words:
            return self.words
        kind = "a whole number" if self.whole else "a number"
        least = f" {'over' if self.over else 'from'} {self.low:g}" if math.isfinite(self.low) else ""
        most = f" to {self.high:g}" if math.isfinite(self.high) else ""
        return f"{kind}{least}{most}{self.unit and ' '}{self.unit}"

    def read(self, value: Any, key: str = "", base: Any = None) -> Any:
        right = isinstance(value, int | float) and not isinstance(value, bool)
        right = right and abs(value) < math.inf and self.low <= value <= self.high
        if right and not (self.over and value == self.low) and not (self.whole and value % 1):
            return self.to(value) if self.to else value
        ends = (self.low, self.high) if math.isfinite(self.low) else None
        raise InputError(f"{value!r} is not allowed; {self.said}", key=key, allowed=ends)

    def schema(self, base: Any = None) -> dict[str, Any]:
        least = "exclusiveMinimum" if self.over else "minimum"
        ends = {least: self.low, "maximum": self.high}
        finite = {name: end for name, end in ends.items() if math.isfinite(end)}
        return {"type": "integer" if self.whole else "number", **finite}


ANY = Number(-math.inf, to=float)
SIGNED = Annotated[float, ANY]  # a number of settings that may be negative


@dataclass(frozen=True)
class Word(Kind):
    """One of a few words. listed: what is not is answered by all of them, not by the nearest."""

    known: tuple[str, ...]
    listed: bool = False

    @property
    def said(self) -> str:  # type: ignore[override]
        return ", ".join(self.known)

    def read(self, value: Any, key: str = "", base: Any = None) -> str:
        if value in self.known:
            return value
        if self.listed:
            raise InputError(f"{value!r} is not one of {self.said}", key=key)
        clause = f"{self.known[0]} only" if len(self.known) == 1 else nearest(str(value), self.known)
        raise InputError(f"{value!r} is not allowed; {clause}", key=key)

    def schema(self, base: Any = None) -> dict[str, Any]:
        return {"enum": list(self.known)}


@dataclass(frozen=True)
class Text(Kind):
    """Any text, or one of at most so many characters."""

    most: int | None = None
    said = "a text"

    def read(self, value: Any, key: str = "", base: Any = None) -> str:
        if isinstance(value, str) and len(value) <= (self.most or math.inf):
            return value
        if self.most:
            raise InputError(f"not allowed; text of at most {self.most} characters", key=key)
        raise self.refused(value, key)

    def schema(self, base: Any = None) -> dict[str, Any]:
        return {"type": "string"} | ({"maxLength": self.most} if self.most else {})


@dataclass(frozen=True)
class Flag(Kind):
    """True or false."""

    said = "true or false"

    def read(self, value: Any, key: str = "", base: Any = None) -> bool:
        if type(value) is bool:
            return value
        raise self.refused(value, key)

    def schema(self, base: Any = None) -> dict[str, Any]:
        return {"type": "boolean"}


@dataclass(frozen=True)
class Special(Kind):
    """What only the code knows to check: `make` gives the value or raises, `described` its schema."""

    said: str
    make: Callable[[Any], Any]
    described: Callable[[], dict[str, Any]]

    def read(self, value: Any, key: str = "", base: Any = None) -> Any:
        try:
            return self.make(value)
        except InputError as error:
            raise error.at(key=error.key or key) from None

    def schema(self, base: Any = None) -> dict[str, Any]:
        return self.described()


@dataclass(frozen=True)
class Maybe(Kind):
    """None, where a key is left out, or another kind."""

    kind: Kind

    @property
    def said(self) -> str:  # type: ignore[override]
        return self.kind.said

    def read(self, value: Any, key: str = "", base: Any = None) -> Any:
        return None if value is None else self.kind.read(value, key)

    def schema(self, base: Any = None) -> dict[str, Any]:
        return self.kind.schema()


@dataclass(frozen=True)
class TableOr(Kind):
    """A table, or one value that stands for all of it."""

    table: Kind
    one: Kind

    @property
    def said(self) -> str:  # type: ignore[override]
        return f"{self.one.said}, or {self.table.said}"

    def read(self, value: Any, key: str = "", base: Any = None) -> Any:
        return (self.table if isinstance(value, Mapping) else self.one).read(value, key)

    def schema(self, base: Any = None) -> dict[str, Any]:
        return {"anyOf": [self.one.schema(), self.table.schema()]}


@dataclass(frozen=True)
class Listed(Kind):
    """A list: of a kind for each place, or of any length from `least` of one kind. once: no value twice."""

    each: tuple[Kind, ...]
    endless: bool = False
    least: int = 0
    once: bool = False
    words: str = ""

    @property
    def said(self) -> str:  # type: ignore[override]
        return self.words or f"a list of {'' if self.endless else f'{len(self.each)} '}values"

    def read(self, value: Any, key: str = "", base: Any = None) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise self.refused(value, key)
        if len(value) < self.least if self.endless else len(value) != len(self.each):
            raise self.refused(value, key)
        kinds = self.each * len(value) if self.endless else self.each
        found = tuple(kind.read(entry, key) for kind, entry in zip(kinds, value, strict=True))
        if self.once and len(set(found)) < len(found):
            raise InputError(f"{value!r} is not allowed; each value once", key=key)
        return found

    def schema(self, base: Any = None) -> dict[str, Any]:
        if self.endless:
            more = {"uniqueItems": True} if self.once else {}
            return {"type": "array", "items": self.each[0].schema(), "minItems": self.least, **more}
        count = len(self.each)
        items = self.each[0].schema()  # all alike, so that the oldest drafts say it too
        return {"type": "array", "items": items, "minItems": count, "maxItems": count}


@dataclass(frozen=True)
class Span(Kind):
    """The least and the greatest of a number, in this order."""

    number: Number
    what: str

    @property
    def said(self) -> str:  # type: ignore[override]
        return f"two {self.what}s, least and greatest"

    def read(self, value: Any, key: str = "", base: Any = None) -> tuple[Any, Any]:
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise self.refused(value, key)
        low, high = (self.number.read(end, key) for end in value)
        if not low < high:
            raise InputError(f"{value!r} is not allowed; the least {self.what} comes first", key=key)
        return low, high

    def schema(self, base: Any = None) -> dict[str, Any]:
        return Listed((self.number, self.number)).schema()


@dataclass(frozen=True)
class ByName(Kind):
    """A table of names that only facts know: kinds by name, or numbers by the names of the table it is laid
    over. what: a word for such a name; other: the clause about an unknown one."""

    kinds: Callable[[], Mapping[str, Kind]] | None = None
    what: str = "key"
    said: str = "a table of numbers by name"
    other: Callable[[str, Iterable[str]], str] = nearest

    def _known(self, names: Any) -> Mapping[str, Kind]:
        return self.kinds() if self.kinds else dict.fromkeys(names or (), Number(to=float))

    def read(self, value: Any, key: str = "", base: Any = None) -> Table:
        if not isinstance(value, Mapping):
            raise self.refused(value, key)
        known = self._known(value if base is None else base)
        for name in value:
            if name not in known:
                clause = self.other(str(name), known)
                raise InputError(f"not a known {self.what}; {clause}", key=_join(key, str(name)))
        own = {str(name): known[name].read(entry, _join(key, str(name))) for name, entry in value.items()}
        return Table({**(base or {}), **own})

    def schema(self, base: Any = None) -> dict[str, Any]:
        names = {name: kind.schema() for name, kind in self._known(base).items()}
        return {"type": "object", "properties": names, "additionalProperties": not names}


@dataclass(frozen=True)
class Record(Kind):
    """A table that becomes a frozen dataclass or a NamedTuple. other: the clause about an unknown key."""

    cls: Any
    other: Callable[[str, Iterable[str]], str] = nearest
    said = "a section of keys"

    def read(self, value: Any, key: str = "", base: Any = None) -> Any:
        if isinstance(value, self.cls):
            return value
        if not isinstance(value, Mapping):
            raise self.refused(value, key)
        kinds, defaults = kinds_of(self.cls), _defaults(self.cls)
        for name in value:
            if name not in kinds:
                clause = self.other(str(name), kinds)
                raise InputError(f"not a known key; {clause}", key=_join(key, str(name)))
        values = {}
        for name, kind in kinds.items():
            before = None if base is None else getattr(base, name)
            if name in value:
                values[name] = kind.read(value[name], _join(key, name), before)
            elif base is not None:
                values[name] = before
            elif name not in defaults:
                raise InputError(f"missing; {kind.said}", key=_join(key, name))
        try:
            return self.cls(**values)
        except InputError as error:
            raise error.at(key=_join(key, error.key)) from None

    def schema(self, base: Any = None) -> dict[str, Any]:
        defaults = _defaults(self.cls) if base is None else {n: getattr(base, n) for n in names_of(self.cls)}
        texts, properties = texts_of(self.cls), {}
        for name, kind in kinds_of(self.cls).items():
            entry = kind.schema(None if base is None else defaults[name])
            if texts.get(name):
                entry["description"] = texts[name]
            if isinstance(defaults.get(name), str | int | float) and defaults[name] != "":
                entry["default"] = defaults[name]
            properties[name] = entry
        required = [name for name in properties if name not in defaults]
        found = {"type": "object", "properties": properties, "additionalProperties": False}
        return found | ({"required": required} if required else {})


def check(record: Any) -> None:
    """Check every field of a frozen dataclass and put what its kind makes of it in its place; InputError."""
    for name, kind in kinds_of(type(record)).items():
        object.__setattr__(record, name, kind.read(getattr(record, name), name))


@cache
def kinds_of(cls: Any) -> dict[str, Kind]:
    """The kinds of the fields of a dataclass or a NamedTuple, by name."""
    hints = get_type_hints(cls, include_extras=True)
    return {name: _kind(hints[name]) for name in names_of(cls)}


class Entry(NamedTuple):
    """A key in words. said: what is allowed; text: what it is; usual: what stands for one left out."""

    key: str
    said: str
    text: str
    needed: bool
    usual: Any


def entries(cls: Any) -> list[Entry]:
    """The fields of an input's dataclass for people: options of commands, tables of the manual."""
    texts, usual, found = texts_of(cls), _defaults(cls), []
    for name, kind in kinds_of(cls).items():
        found.append(Entry(name, kind.said, texts.get(name, ""), name not in usual, usual.get(name)))
    return found


def _kind(hint: Any) -> Kind:
    origin, inside = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return next(each for each in inside[1:] if isinstance(each, Kind))
    if origin in (Union, UnionType) and inside[1:] == (NoneType,):
        return Maybe(_kind(inside[0]))
    if is_record(hint):
        return Record(hint)
    if origin is tuple:
        endless = len(inside) == 2 and inside[1] is Ellipsis
        return Listed(tuple(map(_kind, inside[:1] if endless else inside)), endless)
    if hint is Table or origin is Mapping:
        return ByName()
    plain_kinds = {float: Number(to=float), int: Number(whole=True, to=int), bool: Flag(), str: Text()}
    return plain_kinds[hint]


def _defaults(cls: Any) -> dict[str, Any]:
    if not is_dataclass(cls):
        return dict(cls._field_defaults)
    found = {}
    for field in fields(cls):
        if field.default is not MISSING:
            found[field.name] = field.default
        elif field.default_factory is not MISSING:
            found[field.name] = field.default_factory()
    return found


def _join(key: str, name: str | None) -> str:
    return f"{key}.{name}" if key and name else key or name or ""
