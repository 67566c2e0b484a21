"""How a model notes that a joint obeys a passive law: as a numeric element, which its file keeps.

Takes an `MjSpec`, a joint, a kind and its parameters; notes it there. What the laws are and do:
`bladerun.stride.dynamics.passive`.
"""

from __future__ import annotations

import mujoco

from bladerun.errors import InputError, nearest

PARAMETERS = {
    "linear": ("stiffness", "rest", "damping"),
    "polynomial": ("stiffness", "stiffness2", "stiffness3", "rest", "damping", "damping2", "damping3"),
    "dead band": ("stiffness", "rest", "half_width", "rounding", "damping"),
    "stop": ("stiffness", "at", "sense", "rounding", "damping"),
    "damper": ("positive", "negative", "rounding", "start", "width", "factor"),
}
"""Kinds in the order of their numbers; parameters in Nm, rad and s (N, m and s where the joint slides)."""

NAME = "passive_law"  # how the names of such elements begin


def write_law(spec: mujoco.MjSpec, joint: str, kind: str, **parameters: float) -> None:
    """Note a passive law of a joint in a model; a joint may have several.

    Raises
    ------
    InputError
        For an unknown kind, joint or parameter, or one that is missing.
    """
    if kind not in PARAMETERS:
        raise InputError(f"'{kind}' is not a passive law; {nearest(kind, PARAMETERS)}", key=joint)
    if spec.joint(joint) is None:
        raise InputError(f"not a joint; {nearest(joint, [j.name for j in spec.joints])}", key=joint)
    wanted = PARAMETERS[kind]
    for name in (*parameters, *wanted):
        if name not in wanted or name not in parameters:
            raise InputError(f"a {kind} takes {', '.join(wanted)}, each once", key=f"{joint} {name}")
    row = [float(list(PARAMETERS).index(kind)), *(float(parameters[name]) for name in wanted)]
    count = sum(numeric.name.startswith(f"{NAME} {joint} ") for numeric in spec.numerics)
    spec.add_numeric(name=f"{NAME} {joint} {count}", data=row, size=len(row))


SPRINGS, DAMPERS = ("stiffness", "damping"), ("positive", "negative")


def scale_laws(spec: mujoco.MjSpec, joint: str, factor: float, parameters: tuple[str, ...] = SPRINGS) -> None:
    """These of all that was noted of a joint times so much: what gives way and its loss, or its `DAMPERS`."""
    for numeric in spec.numerics:
        if numeric.name.startswith(f"{NAME} {joint} "):
            kind, *values = numeric.data
            for i, name in enumerate(list(PARAMETERS.values())[int(kind)]):
                if name.startswith(parameters):
                    values[i] *= factor
            numeric.data = [kind, *values]
