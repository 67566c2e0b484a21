"""What commands are tried with: what a stride says of its solving, a comparison's result, how they fail."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from bladerun import cli

SOLVE = {
    "status": "converged",
    "why": "",
    "iterations": 12,
    "seconds": 3.4,
    "knots": 180,
    "residuals": '{"slip_mm": 1.5}',
}


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*") if path.is_file())


def fails(capsys, folder, *argv):
    """Exit code 2, one line on stderr, nothing on stdout, nothing written; gives the line."""
    before = files(folder)
    assert cli.main(argv) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("bladerun: ") and files(folder) == before
    return err


@dataclass
class Found:
    """As much of a study's result as the command shows."""

    table: pd.DataFrame
    recommended: str | None
    report: Path
    current: str = "worn"
    why: str = "It scores best."
    today: None = None
    knees: None = None
    comparison: tuple = (
        {"title": "cost", "unit": "J/kg/m", "recommended": 2.0, "current": 2.5, "difference": -0.5},
    )

    def to_dict(self):
        return {"recommended": self.recommended, "report": str(self.report)}
