"""The runner on the track, drawn at a time without a screen.

Takes Stride datasets; gives a function of time that draws a picture. The camera runs along; arrows are the
ground reaction forces at the centre of pressure; the ground is marked every metre, and shaded straight below
the runner. Where the stride has muscles they show through the skin: pale at rest, red when active. A second
runner is a ghost, in step with the first.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import mujoco
import numpy as np
import xarray as xr

from bladerun.dataset.model_text import model_of
from bladerun.dataset.reading import has_muscles
from bladerun.errors import InputError, one_of
from bladerun.gait.events import CONTACT_THRESHOLD_N, Leg
from bladerun.gait.periodic import Periodic
from bladerun.gait.posture import posture
from bladerun.show._level import level

_ARROW_M_PER_BW = 0.5
_ARROW_RGBA = np.array([0.96, 0.80, 0.13, 1.0], np.float32)
_MARK_RGBA = np.array([0.95, 0.95, 0.93, 1.0], np.float32)
_GHOST_RGBA = np.array([0.15, 0.35, 0.75, 0.45], np.float32)
_SHADE_RGBA = np.array([0.36, 0.15, 0.13, 1.0], np.float32)
_REST_RGB, _ACTIVE_RGB = np.array([0.90, 0.92, 0.95]), np.array([0.70, 0.0, 0.10])  # differ in lightness too
_SKIN_ALPHA = 0.12
VIEWS = {
    "side": (75.0, -8.0),
    "square": (90.0, 0.0),
    "behind": (0.0, -8.0),
    "front": (180.0, -8.0),
    "above": (90.0, -90.0),
}  # deg from the running direction, and above level
_LOOK_AT_M, _DISTANCE_M, _LANE_M = 0.85, 2.9, 0.61  # lane: half of the 1.22 m of athletics tracks


@contextmanager
def stage(
    stride: xr.Dataset,
    size: tuple[int, int],
    view: str,
    *,
    muscles: bool = True,
    ghost: xr.Dataset | None = None,
    caption: str = "",
) -> Iterator:
    """A function of time (s) that draws the runner then, and words in the corner."""
    width, height = size
    model, muscles = model_of(stride), muscles and has_muscles(stride)
    model.vis.global_.offwidth, model.vis.global_.offheight = width, height
    model.vis.quality.offsamples = 4
    model.vis.quality.numslices, model.vis.quality.numstacks = 20, 12  # faster than 28 and 16, as round
    data, scene = mujoco.MjData(model), mujoco.MjvScene(model, maxgeom=4000)
    option, camera, viewport = _option(muscles), mujoco.MjvCamera(), mujoco.MjrRect(0, 0, width, height)
    scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = 0  # halves the time of a frame, and speckles the ground
    posed, legs = posture(stride), [Leg(stride, side) for side in ("right", "left")]
    upright = level(stride)
    colour = _muscles(stride, model) if muscles else None
    haunt = _ghost(ghost, stride) if ghost is not None else None
    camera.distance = _DISTANCE_M
    camera.azimuth, camera.elevation = VIEWS[one_of(view, VIEWS, "view")]
    if stride.attrs["amputation_side"] == "left":  # seen, and lit, from the other side
        camera.azimuth *= -1
        model.light_pos[:, 1] *= -1
        model.light_dir[:, 1] *= -1
    speed = float(stride.attrs["speed_m_s"])
    pixels = np.empty((height, width, 3), np.uint8)
    with _renderer(model, width, height) as (renderer, gl):

        def draw(time: float) -> np.ndarray:
            gl.make_current()  # another stage may have been drawn on since
            data.qpos[:] = posed(time)
            if colour:
                colour(time)
            mujoco.mj_fwdPosition(model, data)
            camera.lookat[:] = speed * time, 0.0, _LOOK_AT_M
            everything = mujoco.mjtCatBit.mjCAT_ALL.value
            mujoco.mjv_updateScene(model, data, option, None, camera, everything, scene)
            _hold_level(scene, camera.lookat, upright)
            _draw_shade(scene, upright[2])
            if haunt:
                haunt(scene, time)
            _draw_marks(scene, speed * time)
            for leg in legs:
                _draw_force(scene, leg, time)
            mujoco.mjr_render(viewport, scene, renderer)
            if caption:
                corner = mujoco.mjtGridPos.mjGRID_TOPLEFT.value
                mujoco.mjr_overlay(_FONT, corner, viewport, caption, "", renderer)
            mujoco.mjr_readPixels(pixels, None, viewport, renderer)
            return pixels[::-1].copy()

        yield draw


_FONT = mujoco.mjtFont.mjFONT_NORMAL.value


def _option(muscles: bool) -> mujoco.MjvOption:
    option = mujoco.MjvOption()
    option.geomgroup[3] = 0  # contact spheres
    option.flags[mujoco.mjtVisFlag.mjVIS_TENDON] = muscles
    return option


def _ghost(other: xr.Dataset, stride: xr.Dataset):
    """A function of scene and time (s) that adds another runner, at the same part of its own stride."""
    model = model_of(other)
    data, option, nothing = mujoco.MjData(model), _option(False), mujoco.MjvPerturb()
    posed, moving = posture(other), mujoco.mjtCatBit.mjCAT_DYNAMIC.value
    in_step = float(other.attrs["stride_time_s"]) / float(stride.attrs["stride_time_s"])
    speed, own_speed = float(stride.attrs["speed_m_s"]), float(other.attrs["speed_m_s"])

    def haunt(scene, time: float) -> None:
        data.qpos[:] = posed(time * in_step)
        mujoco.mj_fwdPosition(model, data)
        before = scene.ngeom
        mujoco.mjv_addGeoms(model, data, option, nothing, moving, scene)
        for geom in scene.geoms[before : scene.ngeom]:
            geom.pos[0] += speed * time - own_speed * time * in_step
            geom.matid, geom.rgba[:] = -1, _GHOST_RGBA

    return haunt


def _hold_level(scene, lookat: np.ndarray, upright: np.ndarray) -> None:
    """Turn the cameras about what they look at, so that a slope is seen to rise; as from `level`."""
    for camera in scene.camera:  # of both eyes
        camera.pos[:] = lookat + upright.T @ (camera.pos - lookat)
        camera.forward[:], camera.up[:] = upright.T @ camera.forward, upright.T @ camera.up


def _draw_shade(scene, up: np.ndarray) -> None:
    """The runner pressed flat on the ground, as light from straight above throws it; up: (3,)."""
    flat = np.diag([1.0, 1.0, 0.002])
    flat[0, 2] = -up[0] / up[2]
    for geom in scene.geoms[: scene.ngeom]:
        moves = geom.category == mujoco.mjtCatBit.mjCAT_DYNAMIC.value
        if moves and geom.objtype == mujoco.mjtObj.mjOBJ_GEOM.value:
            at = (geom.pos[0] + flat[0, 2] * geom.pos[2], geom.pos[1], 0.003)
            shade = _add(scene, geom.type, _SHADE_RGBA, pos=at, turn=flat @ geom.mat)
            shade.size[:] = geom.size  # which `_add` would take for a model's, of another order in capsules


@contextmanager
def _renderer(model: mujoco.MjModel, width: int, height: int) -> Iterator[tuple[mujoco.MjrContext, Any]]:
    """MuJoCo's renderer on an offscreen OpenGL context, and that."""
    gl = gl_context(width, height)
    gl.make_current()
    renderer = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100.value)
    try:
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, renderer)
        yield renderer, gl
    finally:
        renderer.free()  # while its OpenGL context is still there
        gl.free()


def _muscles(stride: xr.Dataset, model: mujoco.MjModel):
    """Veil the legs; a function of time (s) that colours their muscles."""
    veiled = [model.body(name).id for name in ("pelvis", "thigh_r", "thigh_l", "shank_r", "shank_l")]
    alive = model.geom_matid != model.mat("socket").id
    for geom in np.flatnonzero((model.geom_group == 1) & np.isin(model.geom_bodyid, veiled) & alive):
        if model.geom_matid[geom] >= 0:
            model.geom_rgba[geom] = model.mat_rgba[model.geom_matid[geom]]
            model.geom_matid[geom] = -1
        model.geom_rgba[geom, 3] = _SKIN_ALPHA
    tendons = [int(model.actuator(name).trnid[0]) for name in stride.muscle.values]
    period = float(stride.attrs["stride_time_s"])
    curves = [Periodic(column, stride.time.values, period) for column in stride.activation.values.T]

    def colour(time: float) -> None:
        active = np.clip([float(curve(time)) for curve in curves], 0.0, 1.0)[:, None]
        model.tendon_rgba[tendons, :3] = (1 - active) * _REST_RGB + active * _ACTIVE_RGB

    return colour


def _draw_force(scene, leg: Leg, time: float) -> None:
    """An arrow from the centre of pressure along this leg's ground reaction force."""
    force = np.array([float(component(time)) for component in leg.force])
    if force[2] < CONTACT_THRESHOLD_N:
        return
    forward, left = leg.pressure_centre(time)
    foot = np.array([forward + leg.speed * time, left, 0.0])
    _add(
        scene,
        mujoco.mjtGeom.mjGEOM_ARROW,
        _ARROW_RGBA,
        ends=(foot, foot + _ARROW_M_PER_BW * force / leg.weight_n, 0.018),
    )


def _draw_marks(scene, forward: float) -> None:
    """Two lane lines, and a line across every metre."""
    for side in (-_LANE_M, _LANE_M):
        _add(scene, mujoco.mjtGeom.mjGEOM_BOX, _MARK_RGBA, pos=(forward, side, 0.0), half=(12, 0.025, 0.001))
    for metre in range(int(forward) - 10, int(forward) + 11):
        width = _LANE_M if metre % 5 == 0 else 0.12
        for side in (-_LANE_M, _LANE_M):
            inner = side - np.sign(side) * width / 2
            half = (0.02, width / 2, 0.001)
            _add(scene, mujoco.mjtGeom.mjGEOM_BOX, _MARK_RGBA, pos=(metre, inner, 0.0), half=half)


_LEVEL = np.eye(3)


def _add(scene, kind, rgba, *, pos=(0, 0, 0), half=(0, 0, 0), turn=_LEVEL, ends=None):
    """Add a shape to the scene: a box at `pos` of half sizes `half`, turned, or an arrow between `ends`."""
    geom = scene.geoms[scene.ngeom]
    mujoco.mjv_initGeom(
        geom, kind, np.array(half, float), np.array(pos, float), np.ravel(turn).astype(float), rgba
    )
    if ends is not None:
        start, end, width = ends
        mujoco.mjv_connector(geom, kind, width, start, end)
    scene.ngeom += 1
    return geom


def gl_context(width: int, height: int):
    """An offscreen OpenGL context: EGL on Linux, which needs no screen, elsewhere the system's own."""
    if sys.platform != "linux":
        return mujoco.GLContext(width, height)
    try:
        return importlib.import_module("mujoco.egl").GLContext(width, height)
    except (ImportError, AttributeError, RuntimeError, OSError):  # whatever a missing library leads to
        raise InputError(
            "pictures need the OpenGL library EGL, which could not be loaded; "
            "on Debian or Ubuntu install it with: apt-get install libegl1 libgl1-mesa-dri"
        ) from None
