"""Both legs of a stride, and what is found once for the two.

Takes a Stride dataset; gives its legs, and what muscles spend and press, computed when it is first asked for.
"""

from __future__ import annotations

from functools import cached_property

import pandas as pd
import xarray as xr

from bladerun.gait._joint_contact import joint_contact
from bladerun.gait.events import Leg
from bladerun.gait.metabolic import Metabolic, metabolic
from bladerun.gait.muscle_tables import reserve_table


class Both:
    """left, right: the legs of one stride."""

    def __init__(self, stride: xr.Dataset):
        self.stride = stride
        self.left, self.right = Leg(stride, "left"), Leg(stride, "right")

    @property
    def touch(self) -> bool:
        """Whether each leg has one contact and one swing in the stride."""
        return self.left.touches and self.right.touches

    def other(self, leg: Leg) -> Leg:
        """The one that is not `leg`."""
        return self.right if leg is self.left else self.left

    @property
    def affected_first(self) -> tuple[Leg, Leg]:
        """The amputated leg and the other; with both or none the right and the left."""
        if self.stride.attrs["amputation_side"] == "left":
            return self.left, self.right
        return self.right, self.left

    @cached_property
    def spent(self) -> Metabolic:
        """Metabolic power of muscles and motors."""
        return metabolic(self.stride)

    @cached_property
    def joint_contact(self) -> xr.DataArray:
        """Forces between the segments of hips and knees (N)."""
        return joint_contact(self.stride)

    @cached_property
    def reserve_fraction(self) -> pd.Series:
        """By joint: peak moment of its reserve over that of the joint."""
        return reserve_table(self.stride).peak_fraction
