"""Physics simulation of running on carbon-fibre blades.

The public names, in the order the data flows; each is loaded when it is first used.
"""

from importlib import import_module
from typing import Any

from bladerun import _compiled, _threads  # noqa: F401  (first: before numpy and numba load)

__version__ = "0.1.0"

_HOME = {
    "InputError": "errors",
    "Case": "case",
    "Task": "task",
    "load_case": "case",
    "Runner": "runner",
    "Amputation": "runner",
    "Blade": "blade",
    "catalog": "blade",
    "load_blade": "blade",
    "run_bench": "bench",
    "Fitting": "fitting",
    "Variation": "variation",
    "Model": "model",
    "build_model": "model",
    "solve": "stride",
    "fit": "study",
    "sweep": "study",
    "optimise": "study",
}

__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'bladerun' has no attribute {name!r}")
    return getattr(import_module(f"bladerun.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
