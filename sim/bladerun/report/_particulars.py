"""What sets a runner apart from a usual one, in words: everything a file says that changes a prediction.

Takes a `Case`; gives phrases for report and sheet, empty for a runner with nothing unusual.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bladerun._lib.settings import Settings
from bladerun.body.legs import SIDES
from bladerun.body.runner import Amputation
from bladerun.case import Case
from bladerun.cost import Cost
from bladerun.environment import Environment
from bladerun.fitting import Fitting
from bladerun.knees import in_words


def particulars(case: Case) -> list[str]:
    """Phrases; what is as usual, and what else the page or the sheet shows of every runner, is left out."""
    found = _of_legs(lambda side: _limb(case.amputation.of(side)))
    found += _strength(case)
    for joint, (low, high) in case.runner.joint_range_deg.items():
        found.append(f"{_plain(joint)} from {low:g}° to {high:g}° only")
    fitting = case.fitting
    if fitting is not None:
        found += _of_legs(lambda side: in_words(fitting.of(side)))
        found += _of_legs(lambda side: _unusual(fitting.of(side), _CLAMP))
    if case.reference is not None:
        gait = case.reference.motion
        found.append(f"runs as measured, {gait.strides} strides at {gait.speed_m_s:.2f} m/s")
    found += _changed("cost", case.cost, Cost.default())
    return found + _changed("environment", case.environment, Environment.default())


def _of_legs(phrases: Callable[[str], list[str]]) -> list[str]:
    """Phrases of each leg, once where they are of both."""
    of = {side: phrases(side) for side in SIDES}
    both = [phrase for phrase in of["left"] if phrase in of["right"]]
    return both + [f"{side} leg: {each}" for side in SIDES for each in of[side] if each not in both]


def _limb(amputation: Amputation) -> list[str]:
    found = [] if amputation.level == "transtibial" else ["amputation above the knee"]
    if amputation.residual_limb_m is not None:
        found.append(f"residual limb {100 * amputation.residual_limb_m:g} cm")
    if amputation.gastrocnemius != "lost":
        found.append(f"gastrocnemius {amputation.gastrocnemius}")
    if amputation.myoplasty != "reattached":
        found.append(f"rectus femoris and hamstrings {amputation.myoplasty}")
    if amputation.residual_strength is not None:
        found.append(f"residual limb's strength {100 * amputation.residual_strength:g} %")
    if amputation.volume_loss_percent:
        found.append(f"limb {amputation.volume_loss_percent:g} % smaller than its socket")
    if amputation.socks_ply:
        found.append(f"a sock of {amputation.socks_ply:g} ply pulled on")
    return found


def _strength(case: Case) -> list[str]:
    strength = case.runner.strength
    if isinstance(strength, int | float):
        return [] if strength == 1 else [f"strength of all muscles {100 * strength:g} %"]
    return [f"{_plain(group)} {100 * factor:g} % strong" for group, factor in strength.items()]


_CLAMP = (
    ("sagittal_deg", "socket flexion", "°"),
    ("fore_aft_mm", "clamp forward by", " mm"),
    ("medio_lateral_mm", "clamp outward by", " mm"),
)


def _unusual(fitting: Fitting, settings: Sequence[tuple[str, str, str]]) -> list[str]:
    """Key, title and unit of settings, those that are not as usual."""
    values = [(getattr(fitting, key), getattr(Fitting, key), title, unit) for key, title, unit in settings]
    return [f"{title} {value:g}{unit}" for value, usual, title, unit in values if value != usual]


def _changed(section: str, settings: Settings, usual: Settings) -> list[str]:
    before = usual.entries()
    return [
        f"{section} {name} = {value}"
        for name, value in settings.entries().items()
        if name not in before or before[name] != value
    ]


def _plain(name: str) -> str:
    return name.replace("_", " ")
