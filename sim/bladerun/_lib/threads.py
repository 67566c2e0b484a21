"""One BLAS thread in every process that solves; how many cores there are.

Takes nothing; gives environment variables that the numerical libraries read when they load.
The solver's matrices are about 100 x 100: a second BLAS thread makes them slower, and the cores
belong to other fittings. `bladerun` imports this before numpy; forked and spawned workers inherit it.
"""

import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ.setdefault(_name, "1")


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
