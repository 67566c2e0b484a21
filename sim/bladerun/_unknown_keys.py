"""Keys of a runner's file that are none: what to write instead, or that it is not offered.

Takes the key and the section it stands in; gives the clause of a sentence.
"""

from collections.abc import Iterable

from bladerun.errors import nearest

_STEADY = "steady running only, which repeats itself stride by stride"
_CALLED = {  # other words for a key, by section
    "runner": {
        "weight": "mass_kg", "stature": "height_m", "size": "height_m", "gender": "sex", "comment": "notes",
    },
    "amputation": {
        "stump": "residual_limb_m", "leg": "side", "volume": "volume_loss_percent",
        "sweat": "volume_loss_percent", "sock": "socks_ply", "ply": "socks_ply",
    },
    "fitting": {"weight": "category", "stiffness": "stiffness_kn_m", "flexion": "sagittal_deg"},
    "task": {
        "velocity": "speed_m_s", "pace": "speed_m_s", "incline": "slope_percent", "grade": "slope_percent",
        "slope": "slope_percent", "cadence": "cadence_spm", "step_rate": "cadence_spm", "bpm": "cadence_spm",
        "lean": "lean_deg", "bend": "bend_radius_m", "curve": "bend_radius_m", "radius": "bend_radius_m",
        "surface": "ground", "pull": "horizontal_force_bw",
    },
}  # fmt: skip
_NOT_OFFERED = {  # part of a key, in any section: what to say of it
    "age": "adults only; nothing is computed from an age",
    "birth": "adults only; nothing is computed from an age",
    "stair": _STEADY,
    "jump": _STEADY,
    "start": _STEADY,
    "accel": _STEADY,
    "duration": _STEADY,
    "fatigue": _STEADY,
    "gait": "running only",
    "walk": "running only",
    "step": "cadence_spm in [task] says the step rate; else it is predicted",
    "stride": "cadence_spm in [task] says the step rate; else it is predicted",
    "wind": "a steady force can be given as wrenches in [environment]",
    "drag": "a steady force can be given as wrenches in [environment]",
    "surface": "[environment] ground says what is run on",
    "friction": "[environment] ground says what is run on",
}


def instead(section: str, key: str, known: Iterable[str]) -> str:
    """A clause: the key that is meant, that such a thing is not offered, or the nearest known key."""
    words = key.lower().replace("-", "_").split("_")
    for word, meant in _CALLED.get(section, {}).items():
        if word in words:
            return f"did you mean '{meant}'?"
    for part, sentence in _NOT_OFFERED.items():
        if any(word.startswith(part) for word in words):
            return sentence
    return nearest(key, known)
