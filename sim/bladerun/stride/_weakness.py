"""Are this runner's muscles strong enough for the stride that was found?

Takes a stride with muscles and what is accepted; gives words for what is lacking, or none.
"""

import numpy as np
import pandas as pd
import xarray as xr

from bladerun.dataset.reading import has_muscles, muscle_driven, shares
from bladerun.options import AcceptanceOptions

_ARM_M = 0.002  # from which on a muscle counts as one that moves the joint


def too_weak(stride: xr.Dataset, accepted: AcceptanceOptions) -> str:
    """Which joint needs more than its muscles give, and which of those are at their limit; "" if none does.

    What they cannot give is the reserve's moment and that of activation beyond 1, which the solver punishes
    but does not forbid. Named are muscles that pull as that moment does
    at its peak, with the share of the stride that they are fully active.
    """
    if not has_muscles(stride):
        return ""
    limit, driven = accepted.lacking_fraction, muscle_driven(stride)
    beyond = stride.fibre_force_active * (1 - 1 / np.maximum(stride.activation, 1))
    lacking = (stride.reserve + xr.dot(stride.moment_arm, beyond, dim="muscle")).values[:, driven]
    fraction = np.abs(lacking).max(axis=0) / np.abs(stride.tau.values[:, driven]).max(axis=0)
    worst = fraction.argmax()
    if not fraction[worst] > limit:
        return ""
    joint, peak = str(stride.joint.values[driven][worst]), np.abs(lacking[:, worst]).argmax()
    arm = stride.moment_arm.sel(joint=joint).values[peak] * np.sign(lacking[peak, worst])
    return (
        f"muscles lack {100 * fraction[worst]:.0f} % of the moment in {joint}, at most "
        f"{100 * limit:.0f} % is accepted; fully active: "
        f"{fully_active(stride.sel(muscle=arm > _ARM_M), accepted.saturated) or 'no muscle'}"
    )


def fully_active(stride: xr.Dataset, saturated: float) -> str:
    """The muscles over this activation and for which share of the stride, longest first; "" if none is."""
    share = pd.Series(shares(stride) @ (stride.activation.values > saturated), index=stride.muscle.values)
    full = share[share > 0].sort_values(ascending=False)
    return ", ".join(f"{name} for {100 * part:.0f} % of the stride" for name, part in full.items())
