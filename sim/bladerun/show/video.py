"""The moving runner as pictures: frames and a film of a stride, drawn without a screen.

Takes a Stride dataset; gives images (height, width, 3) or a file: MP4, or for slides GIF or WebP. A second
stride is shown beside the first or as its ghost, in step with it.
"""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import xarray as xr

from bladerun._lib.files import atomic
from bladerun.dataset.asked import person_of
from bladerun.errors import InputError, one_of
from bladerun.show._stage import stage

Progress = Callable[[int, int, str, float | None], None]
"""Called with pictures drawn, how many in all, what is done, and seconds left."""

_UNITS = ("mm", "deg")
TOGETHER = ("beside", "ghost")
_ENDLESS = ["-loop", "0"]
_PALETTE = "split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=new=1:dither=none"
KINDS = {
    ".mp4": {"codec": "libx264", "quality": 8},
    ".gif": {
        "codec": "gif",
        "pix_fmt_out": "pal8",
        "output_params": ["-filter_complex", _PALETTE, *_ENDLESS],
    },
    ".webp": {"codec": "libwebp_anim", "output_params": ["-quality", "80", *_ENDLESS]},
}


def render_video(
    stride: xr.Dataset,
    path: str | Path,
    *,
    fps: int = 30,
    slow: float = 4.0,
    strides: int = 4,
    size: tuple[int, int] = (1280, 720),
    view: str = "side",
    muscles: bool = True,
    other: xr.Dataset | None = None,
    together: str = "beside",
    caption: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Write a film of several strides.

    Parameters
    ----------
    stride
        What `solve` gave.
    path
        The file. Its name's end says what it becomes: `.mp4` (H.264), or `.gif` or `.webp`, which begin again
        at their end.
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
        film to measure on is taken, "behind", "front" or "above".
    muscles
        Whether muscles show through the skin, where the stride has them.
    other
        Another stride to see the difference, in step: at each moment at the same part of its stride.
    together
        Where the other one is: "beside", in the right half, or "ghost", blue in the same place.
    caption
        Whether fitting and speed stand in the corner.
    progress
        Called with pictures drawn, how many in all, "pictures" and seconds left.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        Where fps, slow or strides is not more than 0, the view, `together` or the file's ending is another,
        a size is odd or not more than 0, no OpenGL library can be loaded, or the file cannot be written.
    """
    for key, value in (("fps", fps), ("slow", slow), ("strides", strides)):
        if not value > 0:
            raise InputError(f"{value!r} is not allowed; more than 0", key=key)
    unit = 4 if other is not None and together == "beside" else 2
    for length in size:
        if length <= 0 or length % unit:
            raise InputError(f"{length!r} is not allowed; a multiple of {unit}, more than 0", key="size")
    path = Path(path)
    kind = KINDS[one_of(path.suffix, KINDS, "the ending of a film's name")]
    one_of(together, TOGETHER, "together")
    times = np.arange(0.0, strides * float(stride.attrs["stride_time_s"]), 1.0 / (fps * slow))
    begun = clock.monotonic()
    shown = _both(stride, other, together, size, view, muscles, caption)
    with shown as draw, atomic(path) as tmp:
        writer = imageio_ffmpeg.write_frames(
            str(tmp.absolute()),  # else `run1:a` is taken for a protocol
            size,
            fps=fps,
            macro_block_size=2,
            ffmpeg_log_level="error",
            **kind,
        )
        writer.send(None)
        for drawn, time in enumerate(times, start=1):
            writer.send(np.ascontiguousarray(draw(time)))
            if progress:
                left = (clock.monotonic() - begun) / drawn * (len(times) - drawn)
                progress(drawn, len(times), "pictures", left)
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
        film to measure on is taken, "behind", "front" or "above".

    Returns
    -------
    list of numpy.ndarray
        (height, width, 3) uint8, one a phase.

    Raises
    ------
    InputError
        Where no OpenGL library can be loaded.
    """
    with stage(stride, size, view) as draw:
        return [draw(phase * float(stride.attrs["stride_time_s"])) for phase in phases]


@contextmanager
def _both(
    stride: xr.Dataset,
    other: xr.Dataset | None,
    together: str,
    size: tuple[int, int],
    view: str,
    muscles: bool,
    caption: bool,
) -> Iterator:
    """A function of time (s) that draws one runner, or two."""
    words = _caption(stride) if caption else ""
    if other is None or together == "ghost":
        if caption and other is not None:
            words += f"\n\nblue:\n{_caption(other)}"
        with stage(stride, size, view, muscles=muscles, ghost=other, caption=words) as draw:
            yield draw
        return
    half, in_step = (size[0] // 2, size[1]), other.attrs["stride_time_s"] / stride.attrs["stride_time_s"]
    with ExitStack() as both:
        left = both.enter_context(stage(stride, half, view, muscles=muscles, caption=words))
        words = _caption(other) if caption else ""
        right = both.enter_context(stage(other, half, view, muscles=muscles, caption=words))
        yield lambda time: np.hstack([left(time), right(time * in_step)])


def _caption(stride: xr.Dataset) -> str:
    """Speed and fitting of a stride, a setting a line."""
    fitting = person_of(stride)[2]
    lines = [f"{float(stride.attrs['speed_m_s']):.1f} m/s"]
    row = fitting.row() if fitting else {}
    lines += [
        _setting(key, value) for key, value in row.items() if value == value and f"{key}_left" not in row
    ]
    return "\n".join(lines)


def _setting(key: str, value: str | float) -> str:
    words = key.split("_")
    unit = next((word for word in words if word in _UNITS), "")
    name = " ".join(word for word in words if word != unit)
    return f"{name} {value if isinstance(value, str) else f'{value:g}'} {unit}".strip()
