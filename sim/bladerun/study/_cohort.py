"""A table of runners as people write it: a CSV file out of a spreadsheet or an editor.

Takes a path; gives its lines by the names in the header, each with its number in the file. What a spreadsheet
adds goes without a word: empty lines and columns, spaces around a cell, separators at the end of a line, a
semicolon or a tab in place of the comma, and with these a decimal comma.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

from bladerun.errors import InputError

_SEPARATORS = (",", ";", "\t")
_DECIMAL_COMMA = re.compile(r"[-+]?\d+,\d+")


def lines(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Each line that is not empty with its number, its cells by name without the empty ones; InputError for a
    file that cannot be read, a column without a name or with another's, a cell without a column.
    """
    text = _text(path)
    first = next((line for line in text.splitlines() if line.strip(" ,;\t")), "")
    separator = max(_SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True)
    header: list[str] | None = None
    found = []
    try:
        for cells in reader:
            row = [cell.strip() for cell in cells]
            if not any(row):
                continue
            if header is None:
                header = _header(row, path, reader.line_num)
            else:
                found.append((reader.line_num, _named(header, row, separator, path, reader.line_num)))
    except csv.Error as error:
        raise InputError(f"cannot be read: {error}", file=path, key=f"line {reader.line_num}") from None
    return found


def value(text: str) -> Any:
    """A cell as a number, whole where it is, else as the word it is."""
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() else number


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=path) from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"byte {error.start} is not UTF-8; save the table as 'CSV UTF-8'", file=path
        ) from None


def _header(row: list[str], path: Path, line: int) -> list[str]:
    for name in row:
        if name and row.count(name) > 1:
            raise InputError(f"'{name}' is there twice; each column once", file=path, key=f"line {line}")
    return row


def _named(header: list[str], row: list[str], separator: str, path: Path, line: int) -> dict[str, str]:
    named = {}
    for column, cell in enumerate(row):
        if not cell:
            continue
        if column >= len(header) or not header[column]:
            raise InputError(
                f"'{cell}' stands in column {column + 1}, which has no name in the header",
                file=path,
                key=f"line {line}",
            )
        decimal = separator != "," and _DECIMAL_COMMA.fullmatch(cell)
        named[header[column]] = cell.replace(",", ".") if decimal else cell
    return named
