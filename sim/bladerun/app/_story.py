"""What changed between two fittings and why, in two sentences computed from the numbers.

Takes the outcomes of two fittings and the margins of their differences; gives the sentences. A difference
counts where it exceeds its margin. The "why" names what went along with it, never a proven cause.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from bladerun.report.words import figure
from bladerun.study.recommend import matters, verdict


class _Word(NamedTuple):
    """An outcome (of the leg with the blade where the key ends with an underscore) and how to speak of it."""

    key: str
    factor: float
    unit: str
    name: str
    more: str
    less: str


_CHANGES = (
    _Word("blade_energy_returned_j_", 1, " J", "energy back", "more energy back", "less energy back"),
    _Word("hip_torque_rotation_peak_nm_kg_", 1, " Nm/kg", "hip twist", "more hip twist", "less hip twist"),
    _Word("hip_height_difference_mm", 1, " mm", "hip level", "the hip rides higher over the blade",
          "the hip rides lower over the blade"),
    _Word("foot_progression_deg_", 1, "°", "the blade's direction", "the blade points further out",
          "the blade points further in"),
    _Word("socket_axial_torque_peak_nm_", 1, " Nm", "socket twist", "more twist in the socket",
          "less twist in the socket"),
    _Word("cost_j_kg_m", 1, " J/kg/m", "energy cost", "more energy cost", "less energy cost"),
    _Word("asymmetry_percent", 1, " %", "left-right difference", "more left-right difference",
          "less left-right difference"),
    _Word("recoil_direction_deg_", 1, "°", "the push's direction", "push more upright", "push more forward"),
    _Word("tip_swing_mm_", 1, " mm", "whip", "the tip swings further out", "the tip swings less far out"),
)  # fmt: skip
_REASONS = (
    _Word("blade_compression_mm_", 1, " mm", "", "the blade bends more", "the blade bends less"),
    _Word("blade_stiffness_seen_kn_m_", 1, " kN/m", "", "it feels stiffer", "it feels softer"),
    _Word("contact_time_s_", 1e3, " ms", "", "it stays longer on the ground", "it leaves the ground sooner"),
    _Word("sweet_spot_offset_m_", 1e3, " mm", "", "bent most, it stands further forward",
          "bent most, it stands further back"),
    _Word("landing_offset_m_", 1e3, " mm", "", "it lands further ahead", "it lands closer to the body"),
    _Word("peak_vgrf_bw_", 1, " body weights", "", "the peak force is higher", "the peak force is lower"),
)  # fmt: skip
_MOST = 3


def story(
    now: Mapping[str, float],
    before: Mapping[str, float],
    margin: Mapping[str, float],
    side: str,
    other: str = "the other fitting",
) -> tuple[str, str]:
    """What changed, and what it goes with; other: what it is compared with, in words."""
    changed, small, same = _sorted_out(_CHANGES, now, before, margin, side)
    if not changed:
        return f"Nothing that matters differs clearly from {other}: choose by feel.", ""
    first = f"Compared with {other}: " + "; ".join(changed[:_MOST]) + "."
    for names, what in ((small, "{} differs too little to matter"), (same, "no clear difference in {}")):
        if names:
            first = f"{first[:-1]}; {what.format(' and '.join(names[:2]))}."
    reasons, _, _ = _sorted_out(_REASONS, now, before, margin, side)
    second = "It goes with this: " + "; ".join(reasons[:_MOST]) + "." if reasons else ""
    return first, second


def _sorted_out(words, now, before, margin, side) -> tuple[list[str], list[str], list[str]]:
    """Phrases for what differs, by change over what matters; names of what differs too little and of what may
    be the same."""
    differing, small, same = [], [], []
    for word in words:
        key = word.key + side if word.key.endswith("_") else word.key
        raw, apart = now[key] - before[key], margin.get(key, math.nan)
        if not math.isfinite(raw):
            continue
        state = verdict(key, bool(abs(raw) > apart) and raw != 0, raw)
        if state in ("same", "little"):
            (same if state == "same" else small).append(word.name)
            continue
        change, may = word.factor * raw, word.factor * apart
        text = word.more if change > 0 else word.less
        size = f"{figure(abs(change), 2)} ± {figure(may, 1)}{word.unit}"
        differing.append((abs(raw) / (matters(key) or abs(apart) or 1e-12), f"{text} (by {size})"))
    return [text for _, text in sorted(differing, reverse=True)], small, same
