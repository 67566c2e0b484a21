"""Many strides: fittings compared, designs swept, the best searched for, on one engine.

Takes a case or a study file and a folder; gives tables there, a row a fitting or a stride, that survive
whatever ends the program. `fit` compares the fittings of one runner and recommends one; `sweep` solves the
design of a study file; `optimise` searches.
"""

from bladerun.study._fit import fit
from bladerun.study._fit_result import FitResult
from bladerun.study._search import optimise
from bladerun.study._sweep import StudyResult, expected_s, rows, sweep
from bladerun.study.file import Study, load_study

__all__ = [
    "FitResult",
    "Study",
    "StudyResult",
    "expected_s",
    "fit",
    "load_study",
    "optimise",
    "rows",
    "sweep",
]
