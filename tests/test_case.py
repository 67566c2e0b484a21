"""A runner's file: what is read, and the one sentence for each thing that can be wrong with it."""

import math
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bladerun.body.runner import Amputation, Runner
from bladerun.case import Case, load_case
from bladerun.cost import Cost
from bladerun.environment import Environment, Wrench
from bladerun.errors import InputError
from bladerun.fitting import Fitting
from bladerun.task import Task

FIRST_FIT = Path(__file__).parents[1] / "experiments" / "first-fit.toml"
GOOD = FIRST_FIT.read_text(encoding="utf-8")


def _besides(line):
    """Of the good file, what a further line of [runner] replaces and by what."""
    return "\n[amputation]", f"{line}\n[amputation]"


def _reaching(line):
    return _besides(f"[runner.joint_range_deg]\n{line}")


def _lacking(line):
    """The same for [amputation]."""
    return "\n[fitting]", f"{line}\n[fitting]"


# What is wrong: text of the good file -> its replacement, and words that the sentence must contain.
BAD = {
    "unknown section": ("[task]", "[tasks]", ["[tasks]", "did you mean 'task'?"]),
    "missing section": ("[task]\nspeed_m_s = 3.3", "", ["[task]", "missing"]),
    "unknown key": ("mass_kg", "mas_kg", ["[runner] mas_kg", "did you mean 'mass_kg'?"]),
    "key of another unit": ("height_mm = 20", "height_cm = 3", ["[fitting] height_cm", "height_mm"]),
    "missing key": ("height_m = 1.76\n", "", ["[runner] height_m", "missing"]),
    "missing speed": ("speed_m_s = 3.3", "", ["[task] speed_m_s", "missing"]),
    "missing blade": ('blade = "j-sprint"', "", ["[fitting] blade", "missing"]),
    "text for a number": ("mass_kg = 72.0", 'mass_kg = "72"', ["[runner] mass_kg", "'72'", "number"]),
    "true for a number": ("mass_kg = 72.0", "mass_kg = true", ["[runner] mass_kg", "True", "number"]),
    "list for a number": ("speed_m_s = 3.3", "speed_m_s = [3, 4]", ["[task] speed_m_s", "[3, 4]"]),
    "date for a number": ("height_m = 1.76", "height_m = 2020-01-01", ["[runner] height_m"]),
    "number for text": ('sex = "female"', "sex = 1", ["[runner] sex", "female"]),
    "list for text": ('side = "right"', 'side = ["right"]', ["[amputation] side", "right"]),
    "table for a name": ('blade = "j-sprint"', "blade = {}", ["[fitting] blade"]),
    "not a number": ("mass_kg = 72.0", "mass_kg = nan", ["[runner] mass_kg", "nan"]),
    "infinite": ("speed_m_s = 3.3", "speed_m_s = inf", ["[task] speed_m_s", "inf"]),
    "huge": ("height_mm = 20", f"height_mm = {10**400}", ["[fitting] height_mm"]),
    "a number of 5000 digits": ("mass_kg = 72.0", "mass_kg = 0x" + "f" * 5000, ["[runner] mass_kg"]),
    "a list with one": ("[10, 20, 30]", "[20, [0x" + "f" * 5000 + "]]", ["[sweep] height_mm"]),
    "mass": ("mass_kg = 72.0", "mass_kg = 7", ["[runner] mass_kg", "7 ", "40", "140", "kg"]),
    "height": ("height_m = 1.76", "height_m = 176", ["[runner] height_m", "176", "2.1"]),
    "long name": (*_besides(f"name = '{'a' * 101}'"), ["[runner] name", "100 characters"]),
    "number for a name": (*_besides("name = 7"), ["[runner] name", "text"]),
    "sex": ('"female"', '"f"', ["[runner] sex", "'f'", "female", "male"]),
    "strength": ("[amputation]", "strength = 0\n[amputation]", ["[runner] strength", "0"]),
    "strength of a group": (*_besides("strength = { hip_abductors = -1 }"), ["strength.hip_abductors", "-1"]),
    "strength in words": (*_besides('strength = { hip_abductors = "weak" }'), ["hip_abductors", "'weak'"]),
    "strength as a list": (*_besides("strength = [0.7]"), ["[runner] strength", "[0.7]", "number"]),
    "unknown group": (*_besides("strength = { hip_abductor = 0.7 }"), ["did you mean 'hip_abductors'?"]),
    "unknown joint": (*_reaching("hip_flexon = [-10, 120]"), ["joint_range_deg.hip_flexon", "'hip_flexion'"]),
    "joint of one side": (*_reaching("hip_flexion_r = [-10, 120]"), ["hip_flexion_r", "'hip_flexion'"]),
    "range the wrong way round": (*_reaching("hip_flexion = [120, -10]"), ["[120, -10]", "first"]),
    "range of one angle": (*_reaching("hip_flexion = [120]"), ["[120]", "two angles"]),
    "range in words": (*_reaching('hip_flexion = ["tight", 120]'), ["'tight'", "number"]),
    "range beyond anatomy": (*_reaching("knee_flexion = [-30, 120]"), ["-30", "-5 to 145 deg"]),
    "range as a number": (*_besides("joint_range_deg = 3"), ["[runner] joint_range_deg", "3", "table"]),
    "range nobody runs in": (*_reaching("hip_flexion = [0, 120]"), ["0 to 120 deg", "3.3 m/s", "at least"]),
    "residual strength": (*_lacking("residual_strength = 0"), ["[amputation] residual_strength", "0.2 to 1"]),
    "gastrocnemius": (*_lacking('gastrocnemius = "reatached"'), ["gastrocnemius", "'reattached'"]),
    "gastrocnemius as a list": (*_lacking("gastrocnemius = []"), ["[amputation] gastrocnemius", "[]"]),
    "side": ('side = "right"', 'side = "rigth"', ["[amputation] side", "'rigth'", "right"]),
    "level": ('"transtibial"', '"knee disarticulation"', ["[amputation] level", "transtibial"]),
    "limb longer than the shank": (
        "residual_limb_m = 0.16",
        "residual_limb_m = 0.6",
        ["residual_limb_m", "shank"],
    ),
    "limb without length": ("residual_limb_m = 0.16", "residual_limb_m = 0", ["residual_limb_m"]),
    "unknown blade": ('"j-sprint"', '"j-sprnit"', ["[fitting] blade", "did you mean 'j-sprint'?"]),
    "category": ('category = "recommended"', "category = 12", ["[fitting] category", "12", "1 to 9"]),
    "category in words": ('"recommended"', '"soft"', ["[fitting] category", "'soft'", "recommended"]),
    "height of the limb": ("height_mm = 20", "height_mm = 3000", ["[fitting] height_mm", "3000"]),
    "toe-out": ("toe_out_deg = 0 ", "toe_out_deg = 90 ", ["[fitting] toe_out_deg", "90"]),
    "sagittal": ("sagittal_deg = 5 ", "sagittal_deg = -80 ", ["[fitting] sagittal_deg", "-80"]),
    "too slow": ("speed_m_s = 3.3", "speed_m_s = 0.5", ["[task] speed_m_s", "0.5", "2.0", "5.0"]),
    "backwards": ("speed_m_s = 3.3", "speed_m_s = -3.3", ["[task] speed_m_s", "-3.3"]),
    "unknown sweep": ("toe_out_deg = [", "toe_deg = [", ["[sweep] toe_deg", "toe_out_deg"]),
    "empty sweep": ("[10, 20, 30]", "[]", ["[sweep] height_mm", "[]", "at least one"]),
    "sweep of a number": ("[10, 20, 30]", "30", ["[sweep] height_mm", "30", "list"]),
    "sweep twice": ("[10, 20, 30]", "[20, 20.0]", ["[sweep] height_mm", "once"]),
    "sweep of text": ("[10, 20, 30]", '["20"]', ["[sweep] height_mm", "'20'"]),
    "sweep of true": ("[-5, 0, 5]", "[true]", ["[sweep] toe_out_deg", "True"]),
    "sweep of nothing real": ("[-5, 0, 5]", "[nan]", ["[sweep] toe_out_deg", "nan"]),
    "sweep out of range": ("[10, 20, 30]", "[20, 900]", ["[sweep] height_mm", "900"]),
    "sweep of half steps": ("[-1, 0, 1]", "[0.5]", ["[sweep] category", "0.5", "whole"]),
    "sweep beyond the blade": ("[-1, 0, 1]", "[0, 9]", ["[sweep] category", "14", "1 to 9"]),
    "syntax": ("mass_kg = 72.0", "mass_kg = ", ["TOML", "line 7"]),
    "key twice": ("height_m = 1.76", "height_m = 1.76\nheight_m = 1.8", ["TOML", "line"]),
}


def write(folder, old="", new=""):
    assert old in GOOD
    path = folder / "runner.toml"
    path.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    return path


def one_sentence(error, file):
    text = str(error.value)
    assert text.startswith(f"{file}: ") and "\n" not in text
    return text


def test_every_value_of_the_first_file_is_read():
    document = tomllib.loads(GOOD)
    case = load_case(FIRST_FIT)
    for section in ("runner", "amputation", "fitting", "task"):
        for key, value in document[section].items():
            assert getattr(getattr(case, section), key) == value
    assert case.sweep == {key: tuple(values) for key, values in document["sweep"].items()}


def test_only_mass_height_and_speed_are_needed(tmp_path):
    path = tmp_path / "able.toml"
    path.write_text("[runner]\nmass_kg = 70\nheight_m = 1.7\n[task]\nspeed_m_s = 3\n")
    assert load_case(path) == Case(Runner(70, 1.7), Amputation(), None, Task(3), {})


def test_name_and_notes_are_any_text_and_no_physics(tmp_path):
    path = write(tmp_path, *_besides("name = '<b>A & \"B\"</b>'\nnotes = 'one two'"))
    case = load_case(path)
    assert (case.name, case.notes) == ('<b>A & "B"</b>', "one two")
    assert case.runner == load_case(FIRST_FIT).runner


def test_strength_flexibility_and_residual_limb_are_read(tmp_path):
    path = write(tmp_path, *_reaching("hip_flexion = [-10, 120]"))
    text = path.read_text().replace(*_lacking('residual_strength = 0.9\ngastrocnemius = "reattached"'))
    strength = "strength = { hip_abductors = 0.7, hip_flexors = 0.8 }"
    path.write_text(text.replace('sex = "female"', strength))
    case = load_case(path)
    assert case.runner.strength == {"hip_abductors": 0.7, "hip_flexors": 0.8}
    assert case.runner.joint_range_deg == {"hip_flexion": (-10, 120)}
    assert (case.amputation.residual_strength, case.amputation.gastrocnemius) == (0.9, "reattached")


def test_tight_hips_exclude_fast_running_only(tmp_path):
    """Runners extend the hip by 16 (SD 4) deg at 3.3 m/s, by 19 (4) at 4 m/s."""
    path = write(tmp_path, *_reaching("hip_flexion = [-9.5, 120]"))
    load_case(path)
    path.write_text(path.read_text().replace("speed_m_s = 3.3", "speed_m_s = 4"))
    with pytest.raises(InputError, match=r"hip_flexion: -9.5 to 120 deg"):
        load_case(path)


def test_without_an_amputation_the_fitting_is_checked_and_left_out(tmp_path):
    case = load_case(write(tmp_path, 'side = "right"', 'side = "none"'))
    assert case.fitting is None and not case.sweep
    path = write(tmp_path, 'side = "right"', 'side = "none"')
    path.write_text(path.read_text().replace("sagittal_deg = 5 ", "sagittal_deg = 80 "))
    with pytest.raises(InputError, match="sagittal_deg"):
        load_case(path)


def test_an_amputation_needs_a_fitting_and_a_sweep_too(tmp_path):
    head, _, tail = GOOD.partition("[fitting]")
    path = tmp_path / "runner.toml"
    path.write_text(head + tail[tail.index("[task]") :])
    with pytest.raises(InputError, match=r"\[fitting\]"):
        load_case(path)
    path.write_text(path.read_text().replace('"right"', '"none"'))
    with pytest.raises(InputError, match=r"\[sweep\].*\[fitting\]"):
        load_case(path)


def test_a_byte_order_mark_and_windows_line_ends_do_not_matter(tmp_path):
    path = tmp_path / "runner.toml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load_case(path) == load_case(FIRST_FIT)


@pytest.mark.parametrize("wrong", BAD)
def test_what_is_wrong_is_named_in_one_sentence(wrong, tmp_path):
    old, new, words = BAD[wrong]
    path = write(tmp_path, old, new)
    with pytest.raises(InputError) as error:
        load_case(path)
    text = one_sentence(error, path)
    assert all(word in text for word in words), text


def test_a_section_must_be_a_section(tmp_path):
    path = tmp_path / "runner.toml"
    path.write_text("sweep = 3\n" + GOOD[: GOOD.index("[sweep]")])
    with pytest.raises(InputError, match=r"\[sweep\]: a single value"):
        load_case(path)


@pytest.mark.parametrize("content", [b"\xff\xfe[\x00r\x00", b"\x00", b"[" * 5000, b"a = " + b"[" * 5000])
def test_files_that_are_no_text(content, tmp_path):
    path = tmp_path / "runner.toml"
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        load_case(path)
    one_sentence(error, path)


def test_files_that_cannot_be_read(tmp_path):
    for path, reason in (
        (tmp_path, "Is a directory"),
        (tmp_path / "none.toml", "No such file"),
        (FIRST_FIT / "below-a-file", "Not a directory"),
        (tmp_path / "null\0byte", "null"),
    ):
        with pytest.raises(InputError, match=reason) as error:
            load_case(path)
        one_sentence(error, path)


WORLD = """
[cost.tracking]
weight = 0.9
[environment]
wrenches = [{ body = "torso", force_n = [-10, 0, 0] }]
[environment.ground]
friction = 0.6
"""


def test_cost_and_environment_are_changed_by_the_file(tmp_path):
    path = tmp_path / "runner.toml"
    path.write_text(GOOD + WORLD, encoding="utf-8")
    case = load_case(path)
    assert case.cost == Cost.default({"tracking.weight": 0.9})
    assert case.environment.ground == Environment.default().ground._replace(friction=0.6)
    assert case.environment.wrenches == (Wrench("torso", (-10.0, 0.0, 0.0)),)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("weight = 0.9", "wieght = 0.9", "[cost] tracking.wieght: not a known key; did you mean 'weight'"),
        ("weight = 0.9", "weight = -1", "[cost] tracking.weight: -1 is not allowed; a number from 0"),
        ("[cost.tracking]", "[cost.trackin]", "[cost] trackin: not a known key; did you mean 'tracking'"),
        ("friction = 0.6", 'friction = "low"', "[environment] ground.friction: 'low' is not allowed"),
        ("body", "bodi", "[environment] wrenches.bodi: not a known key; did you mean 'body'"),
    ],
)
def test_bad_weights_are_one_sentence(tmp_path, old, new, words):
    path = tmp_path / "runner.toml"
    assert old in WORLD
    path.write_text(GOOD + WORLD.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=r"^[^\n]*$") as caught:
        load_case(path)
    assert words in str(caught.value) and str(path) in str(caught.value)


def test_a_task_outside_python_files_checks_itself_too():
    for speed in (math.nan, math.inf, 1.0, 9.0, True, "3", None):
        with pytest.raises(InputError) as error:
            Task(speed)
        assert error.value.key == "speed_m_s"


VALUE = st.one_of(
    st.integers(-(10**30), 10**30), st.floats(), st.booleans(), st.text(max_size=8),
    st.sampled_from(["right", "none", "male", "j-sprint", "c-distance", "recommended", 3.3, 72, 30]),
)  # fmt: skip
LINES = [line for line in GOOD.splitlines() if line]


def toml(value):
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(c):08X}" for c in value) + '"'
    return str(value).lower()


@given(
    st.lists(
        st.tuples(st.sampled_from(range(len(LINES))), st.lists(VALUE, min_size=1, max_size=4)),
        min_size=1, max_size=3,
    )
)  # fmt: skip
def test_any_values_give_a_case_or_a_sentence(tmp_path_factory, changes):
    lines = list(LINES)
    for where, values in changes:
        key, equals, _ = lines[where].partition("=")
        if equals and not key.startswith("#"):
            new = toml(values[0]) if len(values) == 1 else f"[{', '.join(map(toml, values))}]"
            lines[where] = f"{key}= {new}"
    case_or_sentence(tmp_path_factory, "\n".join(lines).encode("utf-8", "surrogatepass"))


@given(st.lists(st.sampled_from([*LINES, "[runner", "]", "x = 1", "a.b = 2", "[[sweep]]", "\0", "'''", "é"])))
def test_any_lines_give_a_case_or_a_sentence(tmp_path_factory, lines):
    case_or_sentence(tmp_path_factory, "\n".join(lines).encode())


@given(st.binary(max_size=200))
def test_any_bytes_give_a_sentence(tmp_path_factory, content):
    case_or_sentence(tmp_path_factory, content)


def case_or_sentence(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(content)
    try:
        case = load_case(path)
    except InputError as error:
        assert str(error).startswith(f"{path}: ")
    else:
        assert isinstance(case, Case) and isinstance(case.fitting, Fitting | None)
