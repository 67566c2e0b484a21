"""Whether the tests see one-line faults: a random sample of them put into the code, one at a time.

Takes a seed and a number; prints every fault that no test noticed, with its place, and ends with 1 where
fewer than `--bar` percent were noticed. Left out are what is compiled, which `test_kernel` and
`test_dynamics` hold against numerical derivatives and MuJoCo, and numbers in files that draw: sizes of
letters, widths of lines.

All happens in a copy under runs/mutants. There every test file is run under `coverage`, which tells the
tests that a line is seen by; a fault is then put into its line, they are run until one fails, and the
line is put back. Which test sees what is kept there for as long as neither the code nor the test file
changes.
"""

import argparse
import ast
import copy
import hashlib
import importlib
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

HERE = Path(__file__).parents[1]
PLACE = HERE / "runs" / "mutants"
COPY = PLACE / "copy"
LARGE = (
    "hypothesis",
    "matplotlib.figure",
    "mujoco",
    "numba",
    "scipy.interpolate",
    "statsmodels.api",
    "xarray",
)
PYTEST = ("-n", "0", "-q", "-x", "-p", "no:cacheprovider")
COMPILED = re.compile(r"^(from|import) (numba|bladerun\._lib\.jitable)", re.MULTILINE)
DRAWS = re.compile(r"^ *(from|import) (matplotlib|reportlab)", re.MULTILINE)
OPERATORS = {
    ast.Add: [ast.Sub], ast.Sub: [ast.Add], ast.Mult: [ast.Div], ast.Div: [ast.Mult], ast.Pow: [ast.Mult],
    ast.FloorDiv: [ast.Div], ast.Mod: [ast.Mult], ast.BitAnd: [ast.BitOr],
    ast.And: [ast.Or], ast.Or: [ast.And], ast.Lt: [ast.LtE, ast.Gt], ast.LtE: [ast.Lt, ast.Gt],
    ast.Gt: [ast.GtE, ast.Lt], ast.GtE: [ast.Gt, ast.Lt],
    ast.Eq: [ast.NotEq], ast.NotEq: [ast.Eq], ast.Is: [ast.IsNot], ast.IsNot: [ast.Is],
    ast.In: [ast.NotIn], ast.NotIn: [ast.In],
}  # fmt: skip
PAIRS = [("max", "min"), ("sin", "cos"), ("any", "all"), ("argmax", "argmin"), ("floor", "ceil")]
WORDS = dict(PAIRS) | {b: a for a, b in PAIRS}
SIDES = {"left": "right", "right": "left", "l": "r", "r": "l"}


class Fault(NamedTuple):
    """One line of a file (its path in the copy, from 1), as it is and as it is made."""

    path: str
    line: int
    was: str
    now: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}\n  - {self.was.strip()}\n  + {self.now.strip()}"


# --- Faults -----------------------------------------------------------------------------------------------


def faults(root: Path) -> list[Fault]:
    """Every fault of every file that is not compiled."""
    found = []
    for path in sorted((root / "sim" / "bladerun").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if not COMPILED.search(text):
            found += in_text(text, str(path.relative_to(root)))
    return found


def in_text(text: str, path: str) -> list[Fault]:
    """Every fault of one file, each once."""
    lines, found, draws = text.splitlines(), {}, DRAWS.search(text)
    for node in _expressions(ast.parse(text)):
        if node.lineno != node.end_lineno or (draws and isinstance(node, ast.Constant)):
            continue
        line = lines[node.lineno - 1].encode()
        for other in _wrong(node):
            statement = isinstance(node, ast.stmt)
            new = ast.unparse(other) if statement else f"({ast.unparse(other)})"
            now = (line[: node.col_offset] + new.encode() + line[node.end_col_offset :]).decode()
            found[Fault(path, node.lineno, line.decode(), now)] = None
    return list(found)


def _expressions(node: ast.AST) -> Iterator[ast.AST]:
    """Every node that says what is computed: no annotation, no text, no guard against unequal lengths."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns") or getattr(node, "arg", None) == "strict":
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not isinstance(child, ast.JoinedStr):
                if hasattr(child, "lineno"):
                    yield child
                yield from _expressions(child)


def _wrong(node: ast.AST) -> Iterator[ast.AST]:
    """The same node with one fault."""
    match node:
        case ast.BinOp() | ast.BoolOp() | ast.AugAssign():
            for kind in OPERATORS.get(type(node.op), []):
                yield _with(node, op=kind())
        case ast.Compare(ops=[op, *rest]):
            for kind in OPERATORS[type(op)]:
                yield _with(node, ops=[kind(), *rest])
        case ast.UnaryOp(op=ast.USub() | ast.Not()):
            yield node.operand
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield ast.Constant(value + 1)
        case ast.Constant(value=float(value)):
            yield ast.Constant(1.5 * value or 1.0)
        case ast.Constant(value=str(value)) if value in SIDES:
            yield ast.Constant(SIDES[value])
        case ast.Name(id=name) if name in WORDS:
            yield ast.Name(WORDS[name])
        case ast.Attribute(attr=name) if name in WORDS:
            yield _with(node, attr=WORDS[name])
        case ast.IfExp():
            yield _with(node, test=ast.UnaryOp(ast.Not(), node.test))
        case ast.Expr(value=ast.Call()):
            yield ast.Pass()


def _with(node, **fields):
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


# --- What sees a line -------------------------------------------------------------------------------------


def copied() -> None:
    """The working tree as it is, apart from what git leaves out."""
    shutil.rmtree(COPY, ignore_errors=True)
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, cwd=HERE, capture_output=True, check=True, text=True).stdout.split(
        "\0"
    ):
        if name and (HERE / name).is_file():
            (COPY / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(HERE / name, COPY / name)


def run(arguments: list[str]) -> int:
    """The exit code of a program in the copy."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "stdin": subprocess.DEVNULL}
    return subprocess.run(arguments, cwd=COPY, **quiet).returncode


def passes(tests: list[str], timeout_s: float) -> bool:
    """Whether tests pass in the copy, in time; in a fork of this process, which has large packages loaded."""
    child = os.fork()
    if not child:
        os.setsid()
        os.chdir(COPY)
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        sys.path.insert(0, str(COPY / "sim"))
        sys.dont_write_bytecode = True
        os._exit(int(pytest.main([*PYTEST, *tests])))
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status == 0
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def mapped() -> None:
    """Which test came through which line, of every test file that is not known yet."""
    seen, known = PLACE / "seen.sqlite", {}
    code = _digest(*sorted((COPY / "sim").rglob("*.py")))
    if seen.exists() and (kept := json.loads((PLACE / "seen.json").read_text()))["code"] == code:
        known = kept["tests"]
    else:
        seen.unlink(missing_ok=True)
    (COPY / "coverage.ini").write_text(
        "[run]\nsource = sim/bladerun\nparallel = true\nrelative_files = true\n"
        "dynamic_context = test_function\n"
    )
    for path in sorted((COPY / "tests").rglob("test_*.py")):
        name, began, digest = str(path.relative_to(COPY)), time.monotonic(), _digest(path)
        if known.get(name, {}).get("digest") == digest:
            continue
        coverage, data = [sys.executable, "-m", "coverage"], ["--rcfile=coverage.ini", f"--data-file={seen}"]
        passed = run([*coverage, "run", *data, f"--context={name}", "-m", "pytest", *PYTEST, name]) == 0
        seconds = time.monotonic() - began
        print(f"{name}: {seconds:.0f} s{'' if passed else ', left out: it fails'}", flush=True)
        run([*coverage, "combine", *data, "--append", "--quiet"])
        known[name] = {"digest": digest, "seconds": seconds, "passed": passed}
        (PLACE / "seen.json").write_text(json.dumps({"code": code, "tests": known}))


def _digest(*paths: Path) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def seen_by(fault: Fault, most_s: float) -> tuple[list[str], float]:
    """Tests to run, the likeliest first, and how long they take (s); test files until `most_s` is over.

    First the tests that came through the line, then all of their files; where none did, as in what is done on
    import, the files that came through any line of the same module.
    """
    tried = json.loads((PLACE / "seen.json").read_text())["tests"]
    seconds = {
        name: row["seconds"] for name, row in tried.items() if row["passed"] and (COPY / name).exists()
    }
    contexts = _contexts(fault.path)
    through = [context for context, lines in contexts.items() if fault.line in lines and "|" in context]
    tests = []
    for context in through:
        name, function = context.split("|")[0], context.rpartition(".")[2]
        if name in seconds and re.search(
            rf"^(async )?def {function}\(", (COPY / name).read_text(), re.MULTILINE
        ):
            tests.append(f"{name}::{function}")
    stem = Path(fault.path).stem
    chosen = through or [context for context in contexts if "|" in context]
    names = {context.split("|")[0] for context in chosen} & seconds.keys()
    ordered = sorted(names, key=lambda name: (stem not in (COPY / name).read_text(), seconds[name]))
    files, total = [], 0.0
    for name in ordered:
        if files and total + seconds[name] > most_s:
            break
        files.append(name)
        total += seconds[name]
    order = {name: k for k, name in enumerate(files)}
    first = sorted((t for t in tests if t.split("::")[0] in order), key=lambda t: order[t.split("::")[0]])
    return [*first, *files], total


def _contexts(path: str) -> dict[str, set[int]]:
    """Lines of a file by the context in which they were run."""
    from coverage.numbits import numbits_to_nums

    with sqlite3.connect(PLACE / "seen.sqlite") as seen:
        rows = seen.execute(
            "select context, numbits from line_bits join context on context.id = context_id "
            "join file on file.id = file_id where file.path = ?", (path,)
        )  # fmt: skip
        return {context: set(numbits_to_nums(numbits)) for context, numbits in rows}


def survives(fault: Fault, most_s: float) -> bool:
    """Whether every test that sees the line passes with the fault in it."""
    tests, seconds = seen_by(fault, most_s)
    if not tests:
        return True
    path = COPY / fault.path
    good, times = path.read_bytes(), (path.stat().st_atime, path.stat().st_mtime)
    lines = good.decode().split("\n")
    lines[fault.line - 1] = fault.now
    try:
        path.write_text("\n".join(lines), encoding="utf-8")
        return passes(tests, timeout_s=60 + 3 * seconds)
    finally:
        path.write_bytes(good)
        os.utime(path, times)


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--number", type=int, default=200, help="faults to draw")
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--bar", type=float, default=90.0, help="percent that must be noticed")
    asked.add_argument(
        "--most-s", type=float, default=300.0, help="time of the test files tried for one fault"
    )
    given = asked.parse_args()
    os.environ |= {"PYTHONPATH": str(COPY / "sim"), "NUMBA_CACHE_DIR": str(PLACE / "compiled")}
    for package in LARGE:
        importlib.import_module(package)
    PLACE.mkdir(parents=True, exist_ok=True)
    copied()
    mapped()
    drawn = random.Random(given.seed).sample(faults(COPY), given.number)
    alive = 0
    for k, fault in enumerate(drawn, 1):
        if survives(fault, given.most_s):
            alive += 1
            print(f"{k}: {fault}", flush=True)
    noticed = 100 * (1 - alive / len(drawn))
    print(f"{len(drawn) - alive} of {len(drawn)} faults noticed: {noticed:.0f} %, asked for {given.bar:g} %")
    return int(noticed < given.bar)


if __name__ == "__main__":
    sys.exit(main())
