"""Tables inside frozen inputs: they cannot be changed, and can be hashed, sent and written as JSON.

Takes dicts and lists as TOML and JSON have them; gives the same for good, and back.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, NoReturn


class Table(dict[str, Any]):
    """Values by name that nobody can change. A dict, because `asdict` and `json` know what to do with one."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[type["Table"], tuple[dict[str, Any]]]:
        return Table, (dict(self),)

    def _fixed(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("a table of facts or inputs cannot be changed; make another")

    __setitem__ = __delitem__ = __ior__ = _fixed  # type: ignore[assignment]
    clear = pop = popitem = setdefault = update = _fixed  # type: ignore[assignment]


def frozen(value: Any) -> Any:
    """The value with every dict in it a `Table` and every list a tuple."""
    if isinstance(value, Mapping):
        return Table({key: frozen(each) for key, each in value.items()})
    return tuple(map(frozen, value)) if isinstance(value, list | tuple) else value


def is_record(value: Any) -> bool:
    """Whether it is, or makes, a dataclass or a NamedTuple."""
    return is_dataclass(value) or hasattr(value, "_fields")


def names_of(record: Any) -> list[str]:
    """Names of its fields, of a dataclass or a NamedTuple or of their type."""
    return [each.name for each in fields(record)] if is_dataclass(record) else list(record._fields)


def plain(value: Any) -> Any:
    """The value as JSON would give it back: records and tables as dicts, tuples as lists."""
    if is_record(value) and not isinstance(value, type):
        return {name: plain(getattr(value, name)) for name in names_of(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list | tuple) else value


def overflows(value: Any) -> bool:
    """Whether a whole number in it passes TOML's own limit, which Python's parser does not check."""
    if isinstance(value, list | tuple | dict):
        return any(map(overflows, value.values() if isinstance(value, dict) else value))
    return isinstance(value, int) and abs(value) >= 2**63
