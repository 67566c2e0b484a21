"""The moving runner as pictures: frames and a video of a stride, drawn without a screen.

Takes a Stride dataset; gives images (height, width, 3) or an MP4 file. The camera runs along on the blade's
side, behind or in front; arrows are the ground reaction forces at the centre of pressure; the ground is
marked every metre. Where the stride has muscles they show through the skin: pale at rest, red when active.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import imageio_ffmpeg
import mujoco
import numpy as np
import xarray as xr

from bladerun._lib.files import atomic
from bladerun.dataset.model_text import model_of
from bladerun.dataset.reading import has_muscles
from bladerun.errors import InputError, one_of
from bladerun.gait.events import CONTACT_THRESHOLD_N, Leg
from bladerun.gait.periodic import Periodic
from bladerun.gait.posture import posture

_ARROW_M_PER_BW = 0.5
_ARROW_RGBA = np.array([0.96, 0.80, 0.13, 1.0], np.float32)
_MARK_RGBA = np.array([0.95, 0.95, 0.93, 1.0], np.float32)
_REST_RGB, _ACTIVE_RGB = np.array([0.90, 0.92, 0.95]), np.array([0.70, 0.0, 0.10])  # differ in lightness too
_SKIN_ALPHA = 0.12
VIEWS = {
    "side": (75.0, -8.0),
    "square": (90.0, 0.0),
    "behind": (0.0, -8.0),
    "front": (180.0, -8.0),
}  # deg from the running direction, and above level
_LOOK_AT_M, _DISTANCE_M, _LANE_M = 0.85, 2.9, 0.61  # lane: half of the 1.22 m of athletics tracks


def render_video(
    stride: xr.Dataset,
    path: str | Path,
    *,
    fps: int = 30,
    slow: float = 4.0,
    strides: int = 4,
    size: tuple[int, int] = (1280, 720),
    view: str = "side",
) -> Path:
    """Write an H.264 MP4 of several strides.

    Parameters
    ----------
    stride
        What `solve` gave.
    path
        The file.
    fps
        Pictures a second, more than 0.
    slow
        How many times slower than life, more than 0.
    strides
        How many, more than 0.
    size
        (width, height) in pixels.
    view
        From where: "side", the blade's, "square", the same square to the running direction and level, as a
        film to measure on is taken, "behind" or "front".

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        Where fps, slow or strides is not more than 0, the view is another word, no OpenGL library can be
        loaded, or the file cannot be written.
    """
    for key, value in (("fps", fps), ("slow", slow), ("strides", strides)):
        if not value > 0:
            raise InputError(f"{value!r} is not allowed; more than 0", key=key)
    seconds = strides * float(stride.attrs["stride_time_s"])
    path = Path(path)
    with _stage(stride, size, view) as draw, atomic(path) as tmp:
        writer = imageio_ffmpeg.write_frames(
            str(tmp.absolute()),  # else `run1:a` is taken for a protocol
            size,
            fps=fps,
            codec="libx264",
            quality=8,
            macro_block_size=2,
            ffmpeg_log_level="error",
        )
        writer.send(None)
        for time in np.arange(0.0, seconds, 1.0 / (fps * slow)):
            writer.send(np.ascontiguousarray(draw(time)))
        writer.close()
    return path


def frames(
    stride: xr.Dataset,
    phases: Sequence[float],
    *,
    size: tuple[int, int] = (1280, 720),
    view: str = "side",
) -> list[np.ndarray]:
    """Pictures of a stride.

    Parameters
    ----------
    stride
        What `solve` gave.
    phases
        When: 0 is the stride's start, 1 the next one's.
    size
        (width, height) in pixels.
    view
        From where: "side", the blade's, "square", the same square to the running direction and level, as a
        film to measure on is taken, "behind" or "front".

    Returns
    -------
    list of numpy.ndarray
        (height, width, 3) uint8, one a phase.

    Raises
    ------
    InputError
        Where no OpenGL library can be loaded.
    """
    with _stage(stride, size, view) as draw:
        return [draw(phase * float(stride.attrs["stride_time_s"])) for phase in phases]


@contextmanager
def _stage(stride: xr.Dataset, size: tuple[int, int], view: str) -> Iterator:
    """A function of time (s) that draws the runner then."""
    width, height = size
    model = model_of(stride)
    model.vis.global_.offwidth, model.vis.global_.offheight = width, height
    model.vis.quality.offsamples = 4
    data, scene = mujoco.MjData(model), mujoco.MjvScene(model, maxgeom=2000)
    option, camera, viewport = mujoco.MjvOption(), mujoco.MjvCamera(), mujoco.MjrRect(0, 0, width, height)
    scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = 0  # halves the time of a frame, and speckles the ground
    option.geomgroup[3] = 0  # contact spheres
    option.flags[mujoco.mjtVisFlag.mjVIS_TENDON] = has_muscles(stride)
    posed, legs = posture(stride), [Leg(stride, side) for side in ("right", "left")]
    colour = _muscles(stride, model) if has_muscles(stride) else None
    camera.distance = _DISTANCE_M
    camera.azimuth, camera.elevation = VIEWS[one_of(view, VIEWS, "view")]
    if stride.attrs["amputation_side"] == "left":  # seen, and lit, from the other side
        camera.azimuth *= -1
        model.light_pos[:, 1] *= -1
        model.light_dir[:, 1] *= -1
    speed = float(stride.attrs["speed_m_s"])
    pixels = np.empty((height, width, 3), np.uint8)
    with _renderer(model, width, height) as renderer:

        def draw(time: float) -> np.ndarray:
            data.qpos[:] = posed(time)
            if colour:
                colour(time)
            mujoco.mj_fwdPosition(model, data)
            camera.lookat[:] = speed * time, 0.0, _LOOK_AT_M
            everything = mujoco.mjtCatBit.mjCAT_ALL.value
            mujoco.mjv_updateScene(model, data, option, None, camera, everything, scene)
            _draw_marks(scene, speed * time)
            for leg in legs:
                _draw_force(scene, leg, time)
            mujoco.mjr_render(viewport, scene, renderer)
            mujoco.mjr_readPixels(pixels, None, viewport, renderer)
            return pixels[::-1].copy()

        yield draw


@contextmanager
def _renderer(model: mujoco.MjModel, width: int, height: int) -> Iterator[mujoco.MjrContext]:
    """MuJoCo's renderer on an offscreen OpenGL context."""
    gl = _gl_context(width, height)
    gl.make_current()
    renderer = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100.value)
    try:
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, renderer)
        yield renderer
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


def _add(scene, kind, rgba, *, pos=(0, 0, 0), half=(0, 0, 0), ends=None) -> None:
    """Add a shape to the scene: a box at `pos` of half sizes `half`, or an arrow between `ends`."""
    geom = scene.geoms[scene.ngeom]
    turn = np.eye(3).ravel()
    mujoco.mjv_initGeom(geom, kind, np.array(half, float), np.array(pos, float), turn, rgba)
    if ends is not None:
        start, end, width = ends
        mujoco.mjv_connector(geom, kind, width, start, end)
    scene.ngeom += 1


def _gl_context(width: int, height: int):
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
