"""Pictures: the runner is in them, they repeat with the stride, and a machine without OpenGL is told so."""

import json
import sys

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from bladerun.errors import InputError
from bladerun.show import video
from models import muscled
from strides.synthetic import SPEED, stride

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
    with pytest.raises(InputError, match="view: 'below' is not allowed"):
        video.frames(stride(), [0.1], view="below")


def test_from_above_the_lane_lies_level_and_runs_to_the_right():
    made = stride()
    first, later = (
        video.frames(made, [at], size=(320, 240), view="above")[0].min(axis=2) for at in (0, 0.05)
    )
    for picture in (first, later):
        lines = np.flatnonzero((picture > 80).all(axis=1))
        assert lines.min() < 120 < lines.max() and abs(lines.mean() - 119.5) < 1.5
    across = [int(np.argmax(each[80:100].sum(axis=0, dtype=int))) for each in (first, later)]
    assert across[1] < across[0]  # the line across the lane falls behind


def _drawn(tmp_path, name, made=None, **asked):
    """Pictures of a film, as numbers with a sign."""
    path = video.render_video(
        made if made is not None else stride(), tmp_path / name, fps=10, slow=1, strides=1, **asked
    )
    reader = imageio_ffmpeg.read_frames(str(path))
    width, height = next(reader)["size"]
    return [np.frombuffer(each, np.uint8).reshape(height, width, 3).astype(int) for each in reader]


@pytest.mark.parametrize("name", ["run.gif", "run.webp"])
def test_films_for_slides_begin_again_at_their_end(name, tmp_path):
    path = video.render_video(stride(), tmp_path / name, fps=10, slow=1, strides=1, size=SIZE)
    with Image.open(path) as film:
        assert (film.format, film.n_frames, film.info["loop"]) == (name[4:].upper(), 7, 0)
        assert film.size == SIZE
        durations = []
        for number in range(7):
            film.seek(number)
            film.load()
            durations.append(film.info["duration"])
    assert durations == [100] * 7


def test_two_runners_beside_each_other_are_in_step(tmp_path):
    """A runner of twice the stride time, and the same otherwise, is half as far in it at each moment."""
    slower = stride()
    slower = slower.assign_coords(time=2 * slower.time)
    slower.attrs |= {"stride_time_s": 2 * slower.attrs["stride_time_s"], "speed_m_s": 1.5}
    for picture in _drawn(tmp_path, "run.mp4", other=slower, size=(320, 96)):
        left, right = picture[:, :160], picture[:, 160:]
        assert left[:80].std() > 5 and np.abs(left - right)[:, 40:120].mean() < 3


def test_a_ghost_is_blue_where_the_other_runner_is(tmp_path):
    other = stride()
    other["q"] = other.q + 0.5 * (other.joint == other.joint[1])
    for view in ("behind", "front"):
        plain = _drawn(tmp_path, "plain.mp4", size=SIZE, view=view)[2]
        ghost = _drawn(tmp_path, "ghost.mp4", size=SIZE, view=view, other=other, together="ghost")[2]
        bluer = (ghost - plain)[..., 2] - (ghost - plain)[..., 0] > 40
        assert bluer.sum() > 20
        across = np.nonzero(bluer)[1].mean()
        assert (across < 80) == (view == "behind")  # left of the runner


def test_a_caption_stands_in_the_upper_left_corner(tmp_path):
    plain, words = (_drawn(tmp_path, f"{on}.mp4", size=(320, 240), caption=on)[0] for on in (False, True))
    changed = np.abs(words - plain).sum(axis=2) > 60
    assert changed[:60, :80].mean() > 0.02 and changed[200:, 200:].mean() < 0.01


def test_a_caption_says_speed_and_fitting():
    made = stride()
    assert video._caption(made).splitlines()[0] == f"{SPEED:.1f} m/s"
    made.attrs["fitting"] = json.dumps(
        json.loads(made.attrs["fitting"]) | {"height_mm": 25.0, "sagittal_deg": 7.5}
    )
    assert {"height 25 mm", "sagittal 7.5 deg"} <= set(video._caption(made).splitlines())
    made.attrs["fitting"] = "null"
    assert video._caption(made) == f"{SPEED:.1f} m/s"


def test_muscles_are_hidden_when_clothed(tmp_path):
    made = muscled.stride(knots=20)
    bare, clothed = (
        _drawn(tmp_path, f"{on}.mp4", made, size=(320, 240), muscles=on)[0] for on in (True, False)
    )
    assert (np.abs(bare - clothed).sum(axis=2) > 100).sum() > 100


def test_the_runner_throws_a_shade_also_in_flight():
    made = stride(right_down=0.0, left_down=0.35, contact=0.25)
    red, green, _ = np.moveaxis(video.frames(made, [0.30 / 0.7], size=(320, 240))[0].astype(int), 2, 0)
    down, across = np.nonzero((red > 15) & (red > 1.5 * green))
    assert len(down) > 5 and down.min() > 120 and abs(across.mean() - 160) < 30


def test_progress_counts_the_pictures(tmp_path):
    said = []
    video.render_video(
        stride(),
        tmp_path / "run.mp4",
        fps=10,
        slow=1,
        strides=1,
        size=SIZE,
        progress=lambda *a: said.append(a),
    )
    assert [each[:3] for each in said] == [(n, 7, "pictures") for n in range(1, 8)] and said[-1][3] == 0


@pytest.mark.parametrize(
    "asked, said",
    [
        ({"size": (161, 96)}, "size: 161 is not allowed; a multiple of 2"),
        ({"size": (0, 96)}, "size: 0 is not allowed"),
        ({"together": "above"}, "together: 'above' is not allowed"),
        ({"path": "run.avi"}, "'.avi' is not allowed"),
    ],
)
def test_a_film_that_cannot_be_made_is_refused(asked, said, tmp_path):
    asked = {"path": "run.mp4", "size": SIZE} | asked
    with pytest.raises(InputError, match=said):
        video.render_video(stride(), tmp_path / asked.pop("path"), **asked)


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
