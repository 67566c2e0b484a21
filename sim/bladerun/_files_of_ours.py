"""What a file is, where it is not what a command needs: the files that bladerun writes and reads, by name.

Takes the bytes of a file; gives words for it, which a message can say. Nothing is computed of the file.
"""

from __future__ import annotations

_BEGINNINGS = (
    (b"PAR1", "a table of outcomes (Parquet)"),
    (b"%PDF", "a PDF, such as sheet.pdf"),
    (b"\x89PNG", "a picture"),
    (b"<!doctype html", "a page, such as report.html"),
    (b"<mujoco", "a model, such as `bladerun model` writes"),
    (b"{", "a file of JSON, such as outcomes.json"),
)
_LINES = (
    (b"endheader", "a file for OpenSim"),
    (b"[design]", "the file of a study"),
    (b"[search]", "the file of a study"),
    (b"[runner]", "a runner's file"),
    (b"[laminate]", "a blade's file"),
)


def described(content: bytes) -> str | None:
    """What these bytes are, such as "a runner's file"; None for what may hold a stride, or anything."""
    if not content:
        return "an empty file"
    if content[4:8] == b"ftyp":
        return "a video"
    start = content[:20_000].lstrip()
    lowered = start.lower()
    for beginning, what in _BEGINNINGS:
        if lowered.startswith(beginning.lower()):
            return what
    lines = {line.split(b"#")[0].strip() for line in start.splitlines()}
    return next((what for line, what in _LINES if line in lines), None)
