"""The visit a runner's file is of: what the sheet takes to a patient's folder.

Takes the section [visit] of a runner's file; gives `Visit`. Nothing is computed from it.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Annotated, Any

from bladerun._lib.kinds import Kind, Text, check
from bladerun.errors import InputError


class _Day(Kind):
    """A day of the calendar, kept as YYYY-MM-DD; "" where none is given."""

    said = "a day as 2026-12-01"

    def read(self, value: Any, key: str = "", base: Any = None) -> str:
        if type(value) is datetime.date:
            return value.isoformat()
        if value == "":
            return ""
        try:
            return datetime.date.fromisoformat(value if isinstance(value, str) else "").isoformat()
        except ValueError:
            raise InputError(f"{value} is not allowed; {self.said}", key=key) from None

    def schema(self, base: Any = None) -> dict[str, Any]:
        return {"type": "string", "pattern": r"^(\d{4}-\d\d-\d\d)?$"}


@dataclass(frozen=True)
class Visit:
    """When and where a runner was fitted, by whom, and which blade it was.

    Parameters
    ----------
    date
        Day of the visit.
    clinic
        Where.
    fitter
        Who fitted the blade.
    blade_maker
        Maker and model of the blade, as they stand on it.
    blade_serial
        Its serial number.
    seen
        What was seen today, on the track or on the treadmill.

    Raises
    ------
    InputError
        For what is no day, and for texts that are too long to print.
    """

    date: Annotated[str, _Day()] = ""
    clinic: Annotated[str, Text(80)] = ""
    fitter: Annotated[str, Text(80)] = ""
    blade_maker: Annotated[str, Text(80)] = ""
    blade_serial: Annotated[str, Text(40)] = ""
    seen: Annotated[str, Text(1000)] = ""

    def __post_init__(self) -> None:
        check(self)
