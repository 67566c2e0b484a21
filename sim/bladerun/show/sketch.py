"""A runner as flat shapes on matplotlib axes: from the side, from behind, from above. Needs no OpenGL.

Takes a MuJoCo model and joint positions, or a Stride dataset and a time; draws the outline of every shape of
the body as it is seen from far away, the prosthesis in the colour of its side (as in `bladerun.show.plots`).

Every shape is convex, so its outline is traced by the points that lie furthest in each direction of the page.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import mujoco
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, Polygon

from bladerun.dataset.model_text import model_of
from bladerun.errors import InputError, one_of
from bladerun.gait.alignment import Alignment, alignment, bench_posture
from bladerun.gait.events import CONTACT_THRESHOLD_N, Leg
from bladerun.gait.posture import posture
from bladerun.show._level import level
from bladerun.show.plots import COLOURS


class _View(NamedTuple):
    right: tuple[float, float, float]  # in the world, what points to the right of the page
    up: tuple[float, float, float]
    labels: tuple[str, str]


VIEWS = {
    "side": _View((1, 0, 0), (0, 0, 1), ("forward (m)", "height (m)")),
    "behind": _View((0, -1, 0), (0, 0, 1), ("to the right (m)", "height (m)")),
    "above": _View((1, 0, 0), (0, 1, 0), ("forward (m)", "to the left (m)")),
}
_BODY, _EDGE, _FORCE = "#c3cad1", "#ffffff", "#222222"
_BODY_GROUP = 1  # of the model's geoms: what is seen
_POINTS = np.linspace(0, 2 * np.pi, 48, endpoint=False)
_M_PER_BW = 0.4  # length of a force arrow


def draw_body(axes: Axes, model: Any, q: np.ndarray, view: str = "side") -> None:
    """Draw a body, what is nearer over what is further away, in metres.

    Parameters
    ----------
    axes
        Where to draw.
    model
        A `mujoco.MjModel`, such as `Model.mj`.
    q
        (nq,) joint positions.
    view
        "side" (forward to the right), "behind" (the runner's right on the right) or "above" (left up).

    Raises
    ------
    InputError
        For another view, and for q of another shape.
    """
    if np.shape(q) != (model.nq,):
        raise InputError(f"shape {np.shape(q)} is not allowed; this body has ({model.nq},)", key="q")
    _draw(axes, model, q, _page(view))


def _draw(axes: Axes, model: Any, q: np.ndarray, seen: np.ndarray) -> None:
    """seen (2, 3): the page's axes in the world."""
    data = mujoco.MjData(model)
    data.qpos[:] = q
    mujoco.mj_kinematics(model, data)
    towards_eye = np.cross(seen[0], seen[1])
    shapes = np.flatnonzero(model.geom_group == _BODY_GROUP)
    for geom in shapes[np.argsort(data.geom_xpos[shapes] @ towards_eye)]:
        outline, artificial = _outline(model, data, geom, seen), _artificial(model, geom)
        axes.add_patch(Polygon(outline, fc=artificial or _BODY, ec=artificial or _EDGE, lw=0.5))
    axes.set_aspect("equal")
    axes.autoscale_view()


def moments(stride: xr.Dataset, side: str = "right") -> dict[str, float]:
    """When a leg touches down, is compressed most and leaves the ground.

    Parameters
    ----------
    stride
        What `solve` gave.
    side
        "right" or "left".

    Returns
    -------
    dict of str to float
        Times in s of "touchdown", "greatest compression" and "toe-off"; NaN where the leg never lands.

    Raises
    ------
    InputError
        For another side.
    """
    leg = Leg(stride, one_of(side, ("right", "left"), "side"))
    return {"touchdown": leg.down, "greatest compression": leg.deepest, "toe-off": leg.up}


def draw_stride(axes: Axes, stride: xr.Dataset, time: float, view: str = "side") -> None:
    """Draw the runner of a stride with ground, centre of mass, plumb line and ground forces.

    An arrow of 0.4 m is one body weight; it starts at the centre of pressure. A slope rises as it does.

    Parameters
    ----------
    axes
        Where to draw.
    stride
        What `solve` gave.
    time
        s from the stride's start; the body is then about speed x time ahead of the origin.
    view
        As for `draw_body`.

    Raises
    ------
    InputError
        For another view.
    """
    upright = level(stride)
    seen = _page(view) @ upright
    _draw(axes, model_of(stride), posture(stride)(time), seen)
    legs = [Leg(stride, side) for side in ("right", "left")]
    runs_on = np.array([legs[0].speed * time, 0.0, 0.0])
    com = np.array([float(curve(time)) for curve in legs[0].com]) + runs_on
    axes.plot(*seen @ com, "o", ms=9, mfc="white", mec=_FORCE, mew=2.5)
    for leg in legs:
        force = np.array([float(component(time)) for component in leg.force])
        if force[2] > CONTACT_THRESHOLD_N:
            foot = np.array([*leg.pressure_centre(time), 0.0]) + runs_on
            tip = foot + _M_PER_BW * force / leg.weight_n
            look = {"arrowstyle": "-|>", "mutation_scale": 22, "lw": 3.5, "color": _FORCE, "shrinkA": 0}
            ends = [(float(x), float(y)) for x, y in (seen @ foot, seen @ tip)]
            axes.add_patch(FancyArrowPatch(*ends, shrinkB=0, zorder=5, **look))
    if view != "above":
        below = com - upright[2] * com[2] / upright[2, 2]
        axes.plot(*np.transpose([seen @ below, seen @ com]), color=_FORCE, lw=1.5, ls=":")
        ground = [seen @ below, seen @ (below + VIEWS[view].right)]
        axes.axline(*((float(x), float(y)) for x, y in ground), color="#777777", lw=1.5, zorder=0)


def draw_alignment(axes: Axes, model: Any, side: str, sagittal_deg: float, view: str = "side") -> Alignment:
    """Draw the legs in bench alignment with the load line; from the side also where the toe stands.

    model: a `mujoco.MjModel` of a runner with a blade on `side`, "right" or "left"; sagittal_deg: socket
    flexion. view: "side" or "behind". Gives what is measured there. Raises InputError for other views.
    """
    found = alignment(model, side, sagittal_deg)
    draw_body(axes, model, bench_posture(model, side, sagittal_deg), one_of(view, ("side", "behind"), "view"))
    data = mujoco.MjData(model)
    data.qpos[:] = bench_posture(model, side, sagittal_deg)
    mujoco.mj_kinematics(model, data)
    knee = _page(view) @ data.site(f"knee_{side[0]}").xpos
    ground = knee[1] + found.toe_m[1]
    top = knee[1] + found.hip_m[1]
    axes.plot([knee[0]] * 2, [ground, top], color=_FORCE, lw=1.5, ls="--")
    axes.axhline(ground, color="#777777", lw=1.5, zorder=0)
    if view == "side":
        toe = knee[0] + found.toe_m[0]
        rear = knee + found.rear_m
        for start, end in (((toe, ground), rear), (rear, knee)):
            axes.plot(*zip(start, end, strict=True), color=_FORCE, lw=1.0)
        axes.annotate(
            "", (toe, ground - 0.03), (knee[0], ground - 0.03), arrowprops={"arrowstyle": "<->", "shrinkA": 0}
        )
        axes.text((toe + knee[0]) / 2, ground - 0.045, f"{found.toe_ahead_mm:z.0f} mm", ha="center", va="top")
    axes.set_xlim(knee[0] - 0.35, knee[0] + 0.35)
    axes.set_ylim(ground - 0.1, top + 0.12)
    return found


def _page(view: str) -> np.ndarray:
    """(2, 3) the page's axes in the world."""
    return np.array(VIEWS[one_of(view, VIEWS, "view")][:2], float)


def _artificial(model: mujoco.MjModel, geom: int) -> str | None:
    """The colour of a part of a prosthesis; None for the body."""
    name = model.geom(geom).name
    artificial = name.startswith(("blade_", "mount", "pylon", "socket_", "unit_"))
    return COLOURS["right" if name.endswith("_r") else "left"] if artificial else None


def _outline(model: mujoco.MjModel, data: mujoco.MjData, geom: int, page: np.ndarray) -> np.ndarray:
    """(points, 2) the shape's outline on the page: its furthest point in each of these directions."""
    kind, size = model.geom_type[geom], model.geom_size[geom]
    frame = data.geom_xmat[geom].reshape(3, 3)
    u = np.stack([np.cos(_POINTS), np.sin(_POINTS)], axis=1) @ page @ frame  # directions, seen by the shape
    if kind == mujoco.mjtGeom.mjGEOM_BOX:
        far = np.sign(u) * size
    elif kind == mujoco.mjtGeom.mjGEOM_CYLINDER:
        around = np.hypot(u[:, 0], u[:, 1])[:, None].clip(1e-12)
        far = np.c_[size[0] * u[:, :2] / around, np.sign(u[:, 2]) * size[1]]
    elif kind == mujoco.mjtGeom.mjGEOM_CAPSULE:
        far = size[0] * u + np.sign(u[:, 2:]) * [0, 0, size[1]]
    else:
        radii = size if kind == mujoco.mjtGeom.mjGEOM_ELLIPSOID else np.full(3, size[0])
        far = radii**2 * u / np.linalg.norm(radii * u, axis=1, keepdims=True)
    return (far @ frame.T + data.geom_xpos[geom]) @ page.T
