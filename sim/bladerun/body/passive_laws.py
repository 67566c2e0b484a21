"""What passive laws a model has beside MuJoCo's own springs and dampers, as it keeps them.

Takes an `MjSpec`; writes a law of a joint in it. What each kind does: `bladerun.stride.dynamics.passive`.
"""

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

NAME = "passive_law"  # how the names of the numeric elements begin that hold them


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
