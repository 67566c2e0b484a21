"""What the page draws of one fitting: words, numbers and curves, ready to be shown.

Takes a `Portrait`, the margins of its numbers and the able-bodied reference; gives plain JSON.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from bladerun.app._margins import Margin
from bladerun.app._portrait import FRAMES, PERCENT, SIDES, Portrait
from bladerun.body.reference_gait import band
from bladerun.gait.alignment import outside_rule
from bladerun.report.words import figure, recoil, signed, sweet_spot, whip
from bladerun.study.recommend import verdict, weights

NUMBERS = (  # column (of the leg with the blade where it ends with an underscore), title, unit, factor
    ("sweet_spot_offset_m_", "Blade ahead of the body, loaded most", "mm", 1e3),
    ("recoil_direction_deg_", "Direction of the push (90 = up)", "°", 1.0),
    ("blade_energy_returned_j_", "Energy given back", "J", 1.0),
    ("hip_torque_rotation_peak_nm_kg_", "Twist at the hip, peak", "Nm/kg", 1.0),
    ("foot_progression_deg_", "Direction of the blade (out +)", "°", 1.0),
    ("hip_height_difference_mm", "Hip higher over the blade", "mm", 1.0),
    ("socket_axial_torque_peak_nm_", "Twist in the socket, peak", "Nm", 1.0),
    ("tip_swing_mm_", "Tip swings aside after toe-off (out +)", "mm", 1.0),
    ("asymmetry_percent", "Left-right difference", "%", 1.0),
    ("cost_j_kg_m", "Energy cost of running", "J/kg/m", 1.0),
    ("blade_margin", "Strength margin of the blade", "", 1.0),
)
_BARS = (
    ("contact_time_s", "Contact time", "ms", 1e3),
    ("peak_vgrf_bw", "Peak force", "body weights", 1.0),
    ("vertical_impulse_bw_s", "Impulse", "body weights · s", 1.0),
    ("step_time_s", "Step time", "ms", 1e3),
)
_HIP = (
    ("hip_flexion_moment", "Bend – stretch", "bend +"),
    ("hip_adduction_moment", "Inward – outward", "inward +"),
    ("hip_internal_rotation_moment", "Twist", "inward +"),
)


def view(one: Portrait, margin: Margin | None, speed_m_s: float) -> dict[str, Any]:
    """Everything beside the moving runner."""
    numbers, side = one.numbers, one.side
    returned = numbers[f"blade_energy_returned_j_{side}"]
    percent = numbers[f"blade_energy_return_percent_{side}"]
    direction = numbers[f"recoil_direction_deg_{side}"]
    offset = numbers[f"sweet_spot_offset_m_{side}"]
    limit = weights()["constraint"]
    return plain(
        {
            "side": side,
            "numbers": [_number(numbers, margin, side, *row) for row in NUMBERS],
            "energy": {
                "in": 100 * returned / percent if percent else math.nan,
                "out": returned,
                "percent": percent,
                "up": numbers[f"recoil_work_up_j_{side}"],
                "forward": numbers[f"recoil_work_forward_j_{side}"],
            },
            "recoil": {"deg": direction, "word": recoil(direction)},
            "sweet_spot": {"mm": 1e3 * offset, "word": sweet_spot(offset)},
            "hip": [_hip(one, i, speed_m_s, *words) for i, words in enumerate(_HIP)],
            "psis": {
                "left": one.arrays["psis"][0],
                "right": one.arrays["psis"][1],
                "difference_mm": numbers[f"psis_difference_mm_{side}"],
            },
            "bench": _bench(one),
            "whip": {
                "path": 1e3 * one.arrays["whip"],
                "word": whip(numbers[f"lateral_whip_deg_{side}"]),
                "mm": numbers[f"tip_swing_mm_{side}"],
            },
            "bars": [
                {"title": title, "unit": unit, "values": {s: factor * numbers[f"{key}_{s}"] for s in SIDES}}
                for key, title, unit, factor in _BARS
            ],
            "margin": _strength(numbers[limit["key"]], margin, limit),
        }
    )


def _strength(value: float, margin: Margin | None, limit: Mapping[str, Any]) -> dict[str, Any]:
    """The blade's strength margin, and in a word whether it suffices, where that can be told."""
    least, may = limit["minimum"], math.nan if margin is None else margin.get(limit["key"], math.nan)
    word = "overloaded" if value < 1 else "too small" if value < least else "sufficient"
    if not math.isfinite(value):
        word = "not known"
    elif margin is not None and min(abs(value - end) for end in (1, least)) <= may:
        word = "at the limit, within its ±"
    elif margin is None:
        word = "not known how sure"
    return {"value": value, "least": least, "word": word}


def _bench(one: Portrait) -> dict[str, Any]:
    """Bench alignment; `outside`: what leaves the published rule, None where there is none for this blade."""
    keys = ("toe_ahead_mm", "alignment_alpha_deg", "alignment_beta_deg", "standing_height_difference_mm")
    toe, alpha, beta, height = (one.numbers[f"{key}_{one.side}"] for key in keys)
    rear, low = one.arrays["bench"][:2]
    measured = {"toe_ahead_mm": toe, "alpha_deg": alpha, "beta_deg": beta}
    return {
        "toe": toe, "alpha": alpha, "beta": beta, "height": height, "rear": rear, "low": low,
        "line": one.arrays["bench"][2:], "outside": outside_rule(one.rule, measured),
    }  # fmt: skip


def scene(one: Portrait) -> dict[str, Any]:
    """The moving runner: solids, and for every frame the parts' places, forces and pressure centres."""
    names = ("bodies", "force", "pressure", "com", "energy")
    return {
        "frames": FRAMES,
        "parts": one.arrays["bodies"].shape[1],
        "shapes": one.shapes,
        "side": one.side,
        "times": one.arrays["times"].tolist(),
        **{name: _packed(one.arrays[name]) for name in names},
    }


def differences(now: Portrait, before: Portrait, margin: Margin | None) -> list[dict[str, Any]]:
    """By how much each number of `view` differs, and whether that can be told; one line a number.

    verdict: of `study.recommend`, or "unknown" without margins.
    """
    rows = []
    for key, _, unit, factor in NUMBERS:
        column = key + now.side if key.endswith("_") else key
        change = factor * (now.numbers[column] - before.numbers[column])
        text = signed(change, unit)
        if not math.isfinite(change):
            rows.append({"text": "–", "margin": "", "verdict": "same"})
            continue
        if margin is None:
            rows.append({"text": text, "margin": "", "verdict": "unknown"})
            continue
        may = factor * margin.get(column, math.nan)
        state = verdict(column, bool(abs(change) > may), change / factor)
        rows.append(
            {
                "text": f"({text}: too little to matter)" if state == "little" else text,
                "margin": figure(may, 1),
                "verdict": state,
            }
        )
    return rows


def _number(numbers, margin, side, key, title, unit, factor) -> dict[str, Any]:
    column = key + side if key.endswith("_") else key
    return {
        "title": title,
        "unit": unit,
        "value": factor * numbers[column],
        "text": figure(factor * numbers[column], unit=unit),
        "margin": None if margin is None else figure(factor * margin.get(column, math.nan), 1),
    }


def _hip(one: Portrait, axis: int, speed_m_s: float, quantity: str, title: str, up: str) -> dict[str, Any]:
    _, mean, sd = band(quantity, speed_m_s)
    curves = {name: one.arrays["hip"][axis, i] for i, name in enumerate(SIDES)}
    return {"title": title, "up": up, "percent": PERCENT, "curves": curves, "mean": mean, "sd": sd}


def _packed(values: np.ndarray) -> str:
    """Little-endian 32-bit numbers in base64."""
    return base64.b64encode(np.ascontiguousarray(values, "<f4").tobytes()).decode()


def plain(value: Any) -> Any:
    """For JSON: lists of rounded numbers, None for what is not finite."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, np.ndarray):
        return [plain(part) for part in value.tolist()]
    if isinstance(value, float):
        return round(value, 5) if math.isfinite(value) else None
    return value
