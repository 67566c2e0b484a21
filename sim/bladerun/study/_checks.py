"""Tables of a study file: which keys one may have, and what stands under a key.

Takes a table and a key; gives the value, or `InputError` with its place, what it is and what is allowed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bladerun.errors import InputError, nearest


def keys(table: Mapping[str, Any], allowed: tuple[str, ...], where: str) -> None:
    """InputError for a key that is not among the allowed ones."""
    for key in table:
        if key not in allowed:
            raise InputError(f"not a known key; {nearest(key, allowed)}", key=f"{where} {key}")


def choice(table: Mapping[str, Any], key: str, allowed: tuple[str, ...], where: str) -> str:
    """A word out of a few."""
    value = table.get(key)
    if value not in allowed:
        what = f"{value!r} is not allowed" if key in table else "missing"
        raise InputError(f"{what}; {nearest(str(value), allowed)}", key=f"{where} {key}")
    return str(value)


def whole(table: Mapping[str, Any], key: str, least: int, where: str) -> int:
    """A whole number from `least`."""
    value = table.get(key)
    if type(value) is not int or value < least:
        what = f"{value!r} is not allowed" if key in table else "missing"
        raise InputError(f"{what}; a whole number from {least}", key=f"{where} {key}")
    return value


def texts(table: Mapping[str, Any], key: str, where: str) -> list[str]:
    """A list of texts, or one alone; empty where there is none."""
    value = table.get(key, [])
    value = [value] if isinstance(value, str) else value
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise InputError(f"{value!r} is not allowed; a list of texts", key=f"{where} {key}")
    return value
