"""What a file is, where it is not what a command needs: the files that bladerun writes and reads, by name.

Takes the bytes of a file, or its path and what is wanted; gives words for it, or an `InputError` of them.
"""

from __future__ import annotations

from pathlib import Path

from bladerun.errors import InputError

STRIDE, RUNNER, STUDY, BLADE = "a stride (NetCDF)", "a runner's file", "the file of a study", "a blade's file"
OPENSIM = "a file for OpenSim"
_BEGINNINGS = (
    (b"cdf", STRIDE),
    (b"\x89hdf", STRIDE),
    (b"par1", "a table of outcomes (Parquet)"),
    (b"%pdf", "a PDF, such as sheet.pdf"),
    (b"\x89png", "a picture"),
    (b"<!doctype html", "a page, such as report.html"),
    (b"<mujoco", "a model, such as `bladerun model` writes"),
    (b"{", "a file of JSON, such as outcomes.json"),
)
_LINES = (
    (b"endheader", OPENSIM),
    (b"[design]", STUDY),
    (b"[search]", STUDY),
    (b"[runner]", RUNNER),
    (b"[laminate]", BLADE),
    (b"[stiffness]", BLADE),
)
_USE = {
    STRIDE: "`bladerun export`, `video`, `verify` and `hold` take it",
    RUNNER: "`bladerun run` and `bladerun fit` take it",
    STUDY: "`bladerun sweep` and `bladerun optimise` take it",
    OPENSIM: "`bladerun measure` takes it",
    BLADE: "name it in a runner's file, as the blade of [fitting]",
}
_LOOKED_AT_BYTES = 20_000


def described(content: bytes) -> str | None:
    """What these bytes are, such as "a runner's file"; None where they are nothing that is known."""
    if not content:
        return "an empty file"
    if content[4:8] == b"ftyp":
        return "a video"
    start = content[:_LOOKED_AT_BYTES].lower()
    for beginning, what in _BEGINNINGS:
        if start.lstrip().startswith(beginning):
            return what
    lines = {line.split(b"#")[0].strip() for line in start.splitlines()}
    return next((what for line, what in _LINES if line in lines), None)


def refuse_others(path: str | Path, wanted: str) -> None:
    """InputError where the file is known to be another than the wanted kind; what cannot be read is not."""
    try:
        if not Path(path).is_file():
            return
        with open(path, "rb") as file:
            what = described(file.read(_LOOKED_AT_BYTES))
    except (OSError, ValueError):
        return
    if what not in (None, wanted, "an empty file"):
        use = f"; {_USE[what]}" if what in _USE else ""
        raise InputError(f"not {wanted} but {what}{use}", file=path)
