"""The runner's file as the page holds it: read from text and checked, each in bounded time.

Takes the text of a file, or the document the form made; gives the document and the `Case` in it. What is
not allowed is an `InputError`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from bladerun._lib.kinds import kinds_of
from bladerun.app._guard import check_plain
from bladerun.body.legs import SIDES
from bladerun.case import BESIDE, Case, check_case
from bladerun.errors import InputError

_MOST_S = 5.0  # a long file takes a hundredth; some short ones take TOML's parser a minute
_PARSE = """
import json, sys, tomllib
text = sys.stdin.buffer.read().decode()
try:
    found = {"document": tomllib.loads(text)}
except RecursionError:
    found = {"error": "nested too deeply"}
except ValueError as error:
    found = {"error": str(error)}
try:
    answer = json.dumps(found, default=lambda day: day.isoformat())
except (ValueError, RecursionError):
    answer = json.dumps({"error": "too large a number stands in it"})
print(answer)
"""


def read(text: Any) -> dict[str, Any]:
    """What the text of a runner's file says. In a process of its own, which can be ended."""
    if not isinstance(text, str):
        raise InputError("not a runner's file")
    command = [sys.executable, "-I", "-S", "-c", _PARSE]
    try:
        done = subprocess.run(
            command, input=text.removeprefix("\ufeff").encode(), capture_output=True, timeout=_MOST_S
        )
    except subprocess.TimeoutExpired:
        raise InputError("not a runner's file: nested too deeply") from None
    found: dict[str, Any] = {"error": "it cannot be read"}
    if done.returncode == 0:
        found = json.loads(done.stdout)
    if "error" in found:
        raise InputError(f"not a runner's file: {found['error']}")
    check_plain(found["document"])
    return found["document"]


def beside(asked: dict[str, Any]) -> dict[str, Any]:
    """The sections of `BESIDE` as a question has them; None where they are not there. Raises InputError."""
    kinds = kinds_of(Case)
    return {
        name: None if asked.get(name) is None else kinds[name].read(asked[name], f"[{name}]")
        for name in BESIDE
    }


def case_of(document: Any) -> Case:
    """The case in a runner's file; files that it names lie in the folder where the page was started."""
    if not isinstance(document, dict):
        raise InputError("not a runner's file")
    fitting = document.get("fitting")
    if isinstance(fitting, dict):
        for key, table in (("blade", fitting), *((f"{side}.blade", fitting.get(side)) for side in SIDES)):
            blade = table.get("blade") if isinstance(table, dict) else None
            if blade is not None and (not isinstance(blade, str) or Path(blade).name != blade):
                raise InputError(f"{blade!r} is not allowed; a name, without folders", key=f"[fitting] {key}")
    reference = document.get("reference")
    motion = reference.get("motion") if isinstance(reference, dict) else None
    if motion is not None and (not isinstance(motion, str) or Path(motion).name != motion):
        raise InputError("not allowed; the name of a file, without folders", key="[reference] motion")
    return check_case(document)
