"""How a blade is fitted to a limb."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fitting:
    """A blade and how it is set."""

    blade: str | None = None
    category: float | str = "recommended"
    height_mm: float = 30.0
    toe_out_deg: float = 0.0
    sagittal_deg: float = 10.0
    fore_aft_mm: float = 0.0
    medio_lateral_mm: float = 0.0
