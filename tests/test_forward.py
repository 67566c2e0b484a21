"""Pictures: the runner is in them, they repeat with the stride, and a machine without OpenGL is told so."""

import sys

import imageio_ffmpeg
import numpy as np
import pytest

from bladerun.errors import InputError
from bladerun.show import video
from models import muscled
from strides.synthetic import stride

SIZE = (160, 96)


def test_frame_shows_the_runner_before_the_ground():
    seen = video.frames(stride(), [0.1], size=SIZE)[0]
    assert seen.shape == (96, 160, 3) and seen.dtype == np.uint8
    assert seen.std() > 10


def _yellow(picture):
    red, green, blue = (picture[..., i].astype(int) for i in range(3))
    return (red > 120) & (green > 90) & (blue < 60)


def test_arrow_is_drawn_in_contact_only():
    made = stride(right_down=0.0, left_down=0.35, contact=0.25)
    assert _yellow(video.frames(made, [0.125 / 0.7], size=SIZE)[0]).sum() > 5
    assert not _yellow(video.frames(made, [0.30 / 0.7], size=SIZE)[0]).any()


def test_the_right_foot_is_on_the_right_from_behind_and_on_the_left_from_the_front():
    made = stride(right_down=0.0, left_down=0.35, contact=0.25)
    places = {}
    for view in ("behind", "front"):
        _, across = np.nonzero(_yellow(video.frames(made, [0.125 / 0.7], size=(320, 240), view=view)[0]))
        places[view] = across.mean() - (320 - 1) / 2
    assert places["behind"] > 1 and places["front"] < -1
    with pytest.raises(InputError, match="view: 'above' is not allowed"):
        video.frames(stride(), [0.1], view="above")


def test_video_is_written_whole_and_lasts_as_long_as_asked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run1:a").mkdir()  # no protocol of ffmpeg's
    path = video.render_video(stride(), "run1:a/run.mp4", fps=10, slow=1, strides=1, size=SIZE)
    assert path.read_bytes()[4:8] == b"ftyp"
    assert [p.name for p in path.parent.iterdir()] == ["run.mp4"]
    assert imageio_ffmpeg.count_frames_and_secs(str(path.absolute()))[0] == 7


def test_active_muscles_are_red_and_resting_ones_are_pale():
    made = muscled.stride(knots=20)
    pictures = []
    for activation in (0.0, 1.0):
        made["activation"] = 0 * made.activation + activation
        pictures.append(video.frames(made, [0.1], size=(320, 240))[0].astype(int))
    resting, active = pictures
    changed = np.abs(resting - active).sum(axis=2) > 150
    assert changed.sum() > 50
    assert (resting[changed].sum(axis=1) > active[changed].sum(axis=1)).all()
    red, green, blue = active[changed].mean(axis=0)
    assert red > 2 * max(green, blue)
    assert np.ptp(resting[changed].mean(axis=0)) < 30


@pytest.mark.parametrize("key", ["fps", "slow", "strides"])
def test_a_video_without_pictures_is_refused(key, tmp_path):
    with pytest.raises(InputError, match=f"{key}: 0 is not allowed; more than 0"):
        video.render_video(stride(), tmp_path / "run.mp4", **{key: 0})


def test_without_opengl_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setitem(sys.modules, "mujoco.egl", None)
    with pytest.raises(InputError, match="apt-get install libegl1"):
        video.frames(stride(), [0.0], size=SIZE)
