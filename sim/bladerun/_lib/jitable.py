"""How functions are compiled that only compiled code calls.

Takes a function and numba's options; gives it to numba without the entry for C that numba makes for each one
unless told not to, with all that the function calls in it once more: nobody enters here from C, and compiling
takes a third less.
"""

from collections.abc import Callable
from typing import Any

from numba import extending


def register_jitable(function: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Numba's own decorator of this name, with or without options."""
    marked = extending.register_jitable(no_cfunc_wrapper=True, **options)
    return marked(function) if function else marked


@register_jitable
def copy(x, out):
    """Fill out with x, of one axis or of two; for `out[:] = x` numba also compiles what words its error."""
    if x.ndim == 1:
        for i in range(len(x)):
            out[i] = x[i]
    else:
        for i in range(x.shape[0]):
            for j in range(x.shape[1]):
                out[i, j] = x[i, j]
