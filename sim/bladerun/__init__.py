"""Physics simulation of running on carbon-fibre blades."""

from bladerun import _threads  # noqa: F401  (first: before numpy loads)
from bladerun.errors import InputError

__version__ = "0.1.0"

__all__ = ["InputError", "__version__"]
