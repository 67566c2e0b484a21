"""Marks on a film as numbers: outcomes within their own accuracy, and what is refused."""

import math

import pytest

from bladerun.case import check_case
from bladerun.dataset.asked import person_of
from bladerun.errors import InputError
from bladerun.gait.outcomes import OUTCOMES, flat, outcomes
from bladerun.model import build_model
from bladerun.motion.comparison import AGREES, DIFFERS, UNKNOWN, compare_seen
from bladerun.motion.film import marks_of, seen
from bladerun.report.seen import seen_in_words, seen_rows
from bladerun.seen import Seen, Value, _columns
from fakes.page import DOCUMENT
from strides import filmed, running

HZ = filmed.FILMED_HZ


@pytest.fixture(scope="module")
def made():
    return running.stride(side="right")


@pytest.fixture(scope="module")
def model(made):
    return build_model(*person_of(made))


def marked(made, view, strides=3, **changed):
    film = filmed.Film(made, {"side": "square"}.get(view, view))
    points = {"side": filmed.from_the_side, "behind": filmed.from_behind}[view](film, strides)
    return {"view": view, "filmed_hz": HZ, "events": film.events(strides), **points, **changed}


@pytest.mark.parametrize("view", ["side", "behind"])
def test_marks_give_the_strides_outcomes_within_their_accuracy(made, model, view):
    found, said = seen(marks_of(marked(made, view)), model, running.SPEED)
    own = flat(outcomes(made))
    assert not said
    wanted = {
        "side": ("knee_flexion_touchdown_deg_right", "landing_offset_hip_m_right"),
        "behind": (
            *("psis_difference_mm_left", "psis_difference_mm_right", "pelvic_obliquity_deg_left"),
            *("pelvic_obliquity_deg_right", "tip_swing_mm_right"),
        ),
    }[view]
    timing = ("stride_time_s", "contact_time_s_left", "flight_time_s_right", "step_time_s_left")
    assert found.outcomes.keys() >= {*wanted, *timing, "asymmetry_contact_time_percent"}
    for column, value in found.outcomes.items():
        off = 2 * math.hypot(value.accuracy, value.sd or 0.0)
        assert value.accuracy > 0 and abs(value.mean - own[column]) <= off, (column, value, own[column])


def test_lean_is_of_the_line_that_is_marked(made, model):
    own = flat(outcomes(made))
    lean = math.radians(own["trunk_lean_touchdown_deg_right"])
    marks = marked(made, "side")
    for each in [one for one in marks["points"] if one["point"] == "hip"]:
        at = {"x": each["x"] + 100 * math.sin(lean), "y": each["y"] - 100 * math.cos(lean)}
        marks["points"].append({**each, "point": "shoulder", **at})
    found = seen(marks_of(marks), model, running.SPEED)[0].outcomes["trunk_lean_touchdown_deg_right"]
    assert found.mean == pytest.approx(math.degrees(lean), abs=1e-6) and found.strides == 3
    assert 0.1 < abs(math.degrees(lean)) < 20


def test_a_runner_to_the_left_is_the_mirror_of_one_to_the_right(made, model):
    marks = marked(made, "side")
    turned = marked(made, "side", runs_to="left")
    for each in turned["points"]:
        each["x"] = filmed.SIZE[0] - each["x"]
    one, other = (seen(marks_of(each), model, 3.0)[0].outcomes for each in (marks, turned))
    for column in ("knee_flexion_touchdown_deg_right", "landing_offset_hip_m_right"):
        assert one[column].mean == pytest.approx(other[column].mean)


def test_a_slower_camera_leaves_more_open(made, model):
    def accuracy(hz):
        film = filmed.Film(made, "square")
        events = [
            {**each, "frame": math.ceil(each["frame"] * hz / HZ)} for each in film.events(3)
        ]  # the first frame of a slower camera
        marks = {"view": "side", "filmed_hz": hz, "events": events}
        return seen(marks_of(marks), model, 3.0)[0].outcomes["contact_time_s_right"].accuracy

    assert accuracy(30.0) == pytest.approx(8 * accuracy(240.0))
    assert accuracy(30.0) == pytest.approx(math.sqrt(2 / 3) / 30)  # two frames, of three contacts


def test_a_film_taken_for_real_time_is_refused(made, model):
    with pytest.raises(InputError, match=r"takes 5\.\d\d s; runners take 0\.4 to 1\.2 s"):
        seen(marks_of(marked(made, "side", filmed_hz=30.0)), model, 3.0)


def test_a_leg_cannot_land_twice(made, model):
    marks = marked(made, "side")
    marks["events"] = [e for e in marks["events"] if (e["leg"], e["event"]) != ("left", "toe-off")]
    with pytest.raises(InputError, match=r"the left leg has a touchdown on frame .* no toe-off between"):
        seen(marks_of(marks), model, 3.0)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"filmed_hz": 0}, "filmed_hz: 0 is not allowed; a number from 10 to 2000 frames a second"),
        ({"view": "above"}, "'above' is not one of side, behind"),
        ({"length": {"mm": 400, "from_x": 1, "from_y": 1, "to_x": 1, "to_y": 1}}, "the same point"),
        ({"length": {"mm": 4}}, "from 50 to 3000 mm"),
        ({"points": [{"leg": "right", "point": "nose", "frame": 1, "x": 1, "y": 1}]}, "'nose'"),
        ({"points": 3}, "not allowed"),
    ],
)
def test_what_is_no_mark_is_refused(made, model, changed, words):
    with pytest.raises(InputError) as refused:
        seen(marks_of(marked(made, "side") | changed), model, 3.0)
    assert words in str(refused.value)


def test_points_without_a_length_or_a_moment_are_said(made, model):
    marks = marked(made, "side")
    del marks["length"]
    found, said = seen(marks_of(marks), model, 3.0)
    assert "no known length" in said[0] and "knee_flexion_touchdown_deg_right" not in found.outcomes
    marks = marked(made, "side")
    for point in marks["points"]:
        point["frame"] += 9
    found, said = seen(marks_of(marks), model, 3.0)
    assert len(said) == 3 and "it has no touchdown there" in said[0]


def test_what_a_film_gives_are_outcomes():
    known = flat({row.key: {"left": 0, "right": 0} if row.per_leg else 0 for row in OUTCOMES})
    assert set(_columns()) <= set(known)


def test_the_runners_file_has_what_was_seen():
    values = {"contact_time_s_right": {"mean": 0.21, "accuracy": 0.003, "sd": 0.004, "strides": 3}}
    case = check_case({**DOCUMENT, "measured": {"speed_m_s": 3.0, "outcomes": values}})
    assert case.measured and case.measured.mean_and_sd("contact_time_s_right") == (0.21, 0.004)
    assert math.isnan(case.measured.mean_and_sd("stride_time_s")[0])
    for table, words in (
        ({"outcomes": {}}, "[measured] speed_m_s: missing"),
        ({"speed_m_s": 3.0, "outcomes": {"contact_time_right": {}}}, "not a known outcome; did you mean"),
        ({"speed_m_s": 3.0, "outcomes": {"stride_time_s": {"mean": 1}}}, "stride_time_s.accuracy: missing"),
        ({"speed_m_s": 3.0, "outcomes": {"stride_time_s": 0.7}}, "a section of keys"),
    ):
        with pytest.raises(InputError) as refused:
            check_case({**DOCUMENT, "measured": table})
        assert words in str(refused.value)


def test_the_verdict_is_that_of_a_measured_runner():
    values = {
        "stride_time_s": Value(0.70, 0.003, 0.004, 3),
        "contact_time_s_left": Value(0.25, 0.003, 0.0, 3),
        "contact_time_s_right": Value(0.25, 0.003),
    }
    measured = Seen(3.0, values)
    predicted = {"stride_time_s": 0.709, "contact_time_s_left": 0.26, "contact_time_s_right": 0.4}
    rows = compare_seen(predicted, measured)
    assert [row.verdict for row in rows] == [AGREES, DIFFERS, UNKNOWN]
    words = seen_in_words(seen_rows(measured, predicted))
    assert words.startswith("1 of 2 outcomes seen agree") and "contact time left 250 ± 6 ms for 260" in words
    assert "1 cannot be told" in words
    assert {row["predicted"] for row in seen_rows(measured)} == {"–"}
