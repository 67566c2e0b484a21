"""Transfemoral amputation: what it takes from the body, and the socket it puts there.

Takes the `MjSpec` of a whole body; changes one leg of it.
"""

import mujoco
import numpy as np

from bladerun._lib import data_files
from bladerun.body._amputation import add_socket, cut_off
from bladerun.body.anthropometry import Rigid, set_inertial

_SEWN = ("recfem", "semimem", "bflh", "tfl")  # from the pelvis past the knee: myoplasty, or lost
_LOST = ("vasti", "bfsh", "gastroc", "soleus", "tibant", "tibpost", "peroneus")
_MYODESIS = ("addmag", "addlong")  # from the pelvis to the thigh, which a high cut may reach
_BELOW = ("shank", "achilles", "foot", "toes")


def amputate(
    spec, s: str, residual: float, stump: Rigid, weight: float, scale: float, *, myoplasty: bool
) -> None:
    """Take the leg off through the thigh and put a compliant socket on what is left of it.

    weight, scale: mass and height over those of which the socket's springs are given; myoplasty: muscles from
    the pelvis past the knee are sewn to the bone's end, not lost.
    """
    paths = _paths(spec, s)
    for name in _LOST if myoplasty else (*_LOST, *_SEWN):
        _lose(spec, f"{name}_{s}")
    for name in (*_MYODESIS, *(_SEWN if myoplasty else ())):
        _sew(spec, f"{name}_{s}", paths[name], residual)
    spec.delete(spec.tendon(f"achilles_tendon_{s}"))
    cut_off(spec, s, _BELOW)
    thigh, socket = spec.body(f"thigh_{s}"), data_files.toml("body.toml")["transfemoral"]["socket"]
    for part in ("thigh", "knee", "wrap_knee"):
        spec.delete(spec.geom(f"{part}_{s}"))
    spec.delete(spec.site(f"side_knee_{s}"))
    set_inertial(spec, thigh.name, stump)
    add_socket(spec, thigh, s, residual, socket, weight, scale)


def _paths(spec, s: str) -> dict[str, tuple[np.ndarray, float]]:
    """Of muscles from the pelvis: corners of the path in the thigh's frame, standing, and its length."""
    model = spec.compile()
    data = mujoco.MjData(model)
    mujoco.mj_fwdPosition(model, data)
    hip, found = data.xpos[model.body(f"thigh_{s}").id], {}
    for name in (*_SEWN, *_MYODESIS):
        places = [site for site in spec.sites if site.name.rpartition("_")[0] == f"{name}_{s}"]
        corners = np.array([data.site_xpos[model.site(site.name).id] - hip for site in places])
        if name == "recfem":  # over the front of the knee
            wrap = model.geom(f"wrap_knee_{s}")
            corners[-1] = data.geom_xpos[wrap.id] - hip + [wrap.size[0], 0.0, 0.0]
        found[name] = corners, float(data.ten_length[model.tendon(f"{name}_{s}").id])
    return found


def _sew(spec, name: str, path: tuple[np.ndarray, float], residual: float) -> None:
    """End a muscle at the level of the bone's end, on its line of pull, where it ended further down."""
    corners, whole = path
    if corners[-1, 2] >= -residual:
        return
    last = int(np.argmax(corners[:, 2] < -residual))
    start, end = corners[last - 1], corners[last]
    corners = np.vstack([corners[:last], start + (end - start) * (start[2] + residual) / (start[2] - end[2])])
    left = float(np.linalg.norm(np.diff(corners, axis=0), axis=1).sum())
    muscle, width = spec.find_default("muscle"), spec.tendon(name).width
    spec.delete(spec.tendon(name))
    for site in [site for site in spec.sites if site.name.rpartition("_")[0] == name]:
        if int(site.name.rpartition("_")[2]) > last:
            spec.delete(site)
    thigh = spec.body(f"thigh_{name[-1]}")
    thigh.add_site(muscle, name=f"{name}_{last + 1}", pos=corners[-1])
    tendon = spec.add_tendon(muscle, name=name, width=width)
    for k in range(1, last + 2):
        tendon.wrap_site(f"{name}_{k}")
    low, high = spec.actuator(name).lengthrange
    slack = max(0.0, low - whole + left)
    spec.actuator(name).lengthrange = [slack, slack + high - low]


def _lose(spec, name: str) -> None:
    """Delete a muscle with its path."""
    spec.delete(spec.actuator(name))
    spec.delete(spec.tendon(name))
    for site in [site for site in spec.sites if site.name.rpartition("_")[0] == name]:
        spec.delete(site)
