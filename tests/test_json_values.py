"""What results become on their way into JSON."""

import json
import math
from pathlib import Path

import numpy as np

from bladerun._lib.json_values import json_value


def test_everything_becomes_what_json_has():
    value = {
        "numpy": np.float64(1.5),
        "whole": np.int64(2),
        "flag": np.bool_(True),
        "none": [math.nan, np.nan, math.inf, None],
        "list": np.array([[1.0, math.nan]]),
        3: (Path("a") / "b.nc", "text"),
    }
    found = json.loads(json.dumps(json_value(value), allow_nan=False))
    assert found == {
        "numpy": 1.5,
        "whole": 2,
        "flag": True,
        "none": [None] * 4,
        "list": [[1.0, None]],
        "3": [str(Path("a") / "b.nc"), "text"],
    }
