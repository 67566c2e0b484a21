"""What the figures of studies share: the folder is the only argument, the picture is written into it.

Takes a function from converged rows to a figure; gives a PNG and prints its path.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from bladerun.study._store import table


def draw(figure: Callable[[pd.DataFrame], Figure], name: str) -> None:
    """Write `name` beside the rows of the study whose folder the command line names."""
    folder = Path(sys.argv[1])
    rows = table(folder).to_pandas()
    figure(rows[rows.status == "converged"]).savefig(folder / name, dpi=130)
    print(folder / name)
