"""What a stride needs, compiled before it starts: by several processes at once, once on a machine.

Takes a problem's `Arrays`; leaves the compiled sweep, curvature and corrections where numba keeps them. Done
before, or with one core, it does nothing: each function is compiled when it is first called. Of two that
begin at once the second waits, and finds everything compiled.
"""

import contextlib
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numba
from filelock import FileLock

from bladerun._lib.threads import cores
from bladerun.stride import _curvature, _linear_algebra, sweep
from bladerun.stride.dynamics.inverse_dynamics import motion
from bladerun.stride.sweep import Arrays
from bladerun.stride.transcription import blocks
from bladerun.stride.transcription.mesh import mesh

_PATIENCE_S = 300.0  # more than compiling takes; then whoever waits compiles for itself
_PROCESS = "from bladerun.stride._compiling import compile_part; compile_part()"

Part = list[tuple[str, str, tuple]]  # module, function and types of its arguments


def compile_ahead(arrays: Arrays) -> None:
    """Compile, unless it was done here before, for this version of numba and of Python."""
    if cores() < 2 or not sys.executable or getattr(sys, "frozen", False):
        return
    done = Path(os.environ["NUMBA_CACHE_DIR"]) / f"ahead-{numba.__version__}-{sys.implementation.cache_tag}"
    if done.exists():
        return
    with _one_at_a_time(done.with_name(f"{done.name}.lock")):
        if not done.exists():
            _compile(_parts(arrays))
            done.touch()


def compile_part() -> None:
    """Compile the `Part` that stands on standard input: what the processes run."""
    for module, name, types in pickle.load(sys.stdin.buffer):
        getattr(import_module(module), name).compile(types)


def _parts(arrays: Arrays) -> list[Part]:
    """What takes about as long each, the longest first: the costs, the forces, the rest."""
    p, knots = arrays, len(arrays.terms.residual_forces.multiplier)
    m, out, places = motion(p.tree), sweep.sweep_arrays(knots, p), mesh(knots, p.terms.stride_time.prior)
    c, flat, nodes, three = out.q, out.gradient, out.own[0, 0], out.own[0]
    costs = p.tree, p.muscles, p.terms, places, c, nodes, out, True
    forces = p.tree, p.external, p.muscles, p.speed, m, places, c, nodes, out, True
    return [
        [_typed(sweep._costs, *costs)],
        [_typed(sweep._forces, *forces)],
        [
            _typed(_curvature.curvature, p, m, places, nodes, out, out.J, out.J),
            _typed(sweep.correction, p.muscles, out, out, flat, flat),
            _typed(blocks.hessian_vector_product, out.J, out.J, flat, flat),
            _typed(_linear_algebra._group, out.hessian, out.mixed, out.own, c, three, three),
        ],
    ]


def _typed(function: Any, *arguments: Any) -> tuple[str, str, tuple]:
    python = function.py_func
    return python.__module__, python.__name__, tuple(numba.typeof(each) for each in arguments)


def _compile(parts: list[Part]) -> None:
    """Each part in a process of its own; what one cannot is left to who calls it."""
    with contextlib.ExitStack() as ending:
        begun = [_begun(ending) for _ in parts]
        for process, part in zip(begun, parts, strict=True):
            with contextlib.suppress(OSError), process.stdin as pipe:  # an OSError: it has ended
                pipe.write(pickle.dumps(part))
        for process in begun:
            process.wait()


def _begun(ending: contextlib.ExitStack) -> Any:
    """A process that compiles the part it will be given, and ends with this block."""
    path = os.pathsep.join(filter(None, sys.path))
    process = subprocess.Popen(
        [sys.executable, "-c", _PROCESS],
        env=os.environ | {"PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )
    ending.callback(process.wait)
    ending.callback(process.kill)
    return process


@contextlib.contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    """Hold a lock, as far as the file system has such, for the time of a block."""
    lock = FileLock(path)
    with contextlib.suppress(OSError, NotImplementedError):  # it waited long enough, or there are no locks
        lock.acquire(timeout=_PATIENCE_S)
    try:
        yield
    finally:
        lock.release()
