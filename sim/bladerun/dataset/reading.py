"""What every reader of a stride asks first: do muscles move it, which joints, and what does a knot count?

Takes a Stride dataset; gives a bool, or arrays over its joints or its times.
"""

import numpy as np
import xarray as xr


def has_muscles(stride: xr.Dataset) -> bool:
    """Whether muscles move the joints of this stride."""
    return stride.sizes.get("muscle", 0) > 0


def muscle_driven(stride: xr.Dataset) -> np.ndarray:
    """(joint,) whether muscles drive it and its motor is a reserve."""
    return stride.joint_role.values == "muscle"


def shares(stride: xr.Dataset) -> np.ndarray:
    """(time,) what each knot counts in a mean over the stride; they add up to 1."""
    times, period = stride.time.values, stride.attrs["stride_time_s"]
    later = np.diff(times, append=times[0] + period)
    return (later + np.roll(later, 1)) / (2 * period)
