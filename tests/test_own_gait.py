"""A runner's own strides in the place of able-bodied running: the reference, its weight, what is told."""

import json
from dataclasses import replace

import numpy as np
import pytest

from bladerun import cli, study
from bladerun._lib.data_files import toml
from bladerun._lib.table import Table, plain
from bladerun.body.own_gait import PERCENT, Curve, OwnGait, Spread, Today
from bladerun.body.reference_gait import band, reference
from bladerun.body.variation import draw, names
from bladerun.case import Case, check_case, load_case
from bladerun.cost import Cost
from bladerun.dataset.asked import asked_of, person_of
from bladerun.errors import InputError
from bladerun.gait.events import Leg
from bladerun.gait.opensim import export
from bladerun.gait.outcomes import flat, outcomes
from bladerun.motion import measure
from bladerun.motion.comparison import AGREES, DIFFERS, UNKNOWN, Compared, whole
from bladerun.report.today import today_words
from bladerun.stride.cost import placement, tracking
from bladerun.stride.dynamics.tree import tree_of
from bladerun.study.fingerprint import of_strides
from bladerun.study.job import Inputs
from bladerun.study.strides import Asked
from bladerun.study.today import HeldToday
from bladerun.task import Task
from fakes import comparison
from models import muscled
from strides import running

SPEED, LEG = 3.0, 0.933  # the measured runners' leg length, at which people's stride time is as published
JOINTS = (
    "pelvis_tilt", "pelvis_list", "lumbar_extension", "lumbar_bending", "hip_flexion_r", "hip_flexion_l",
    "knee_flexion_r", "knee_flexion_l", "ankle_dorsiflexion_r",
)  # fmt: skip
AT = {joint: i for i, joint in enumerate(JOINTS)}
MEASURED = toml("motion.toml")["accuracy"]


def people(joint, speed=SPEED):
    """People's curve in deg, closed."""
    curve = band(joint.removesuffix("_r").removesuffix("_l"), speed)[1].copy()
    return np.append(curve[:-1], curve[0])


def own(off=None, *, sd=1.0, speed=SPEED, left=0.5, **more):
    """A runner who runs as people do but for what `off` adds to joints, deg."""
    off = off or {"hip_flexion_r": 0.0, "hip_flexion_l": 0.0, "knee_flexion_r": 0.0, "knee_flexion_l": 0.0}
    joints = {j: Curve(people(j, speed) + more_deg, np.full(51, sd)) for j, more_deg in off.items()}
    given = {"stride_time_s": Spread(0.7, 0.01), "step_width_m": Spread(0.05, 0.01)} | more
    return OwnGait(speed_m_s=speed, strides=8, side="none", joints=joints, left_after_right=left, **given)


def referred(gait, speed=SPEED, **more):
    return reference(JOINTS, speed, 100, leg_length_m=LEG, own=gait, **more)


def test_who_runs_as_people_do_has_their_reference():
    mine, usual = referred(own()), referred(None)
    np.testing.assert_allclose(mine.q, usual.q, atol=np.radians(0.3))  # of closing curves at their ends
    assert list(np.flatnonzero(mine.own)) == [AT[j] for j in JOINTS[4:8]] and not usual.own.any()


@pytest.mark.parametrize("speed", [SPEED, 3.5])
def test_what_differs_from_people_is_carried_to_another_speed(speed):
    mine = referred(own({"hip_flexion_r": 6.0, "knee_flexion_l": -4.0}), speed)
    off = np.degrees(mine.q - referred(own({"hip_flexion_r": 0.0, "knee_flexion_l": 0.0}), speed).q)
    np.testing.assert_allclose(off[:, AT["hip_flexion_r"]], 6.0, atol=1e-9)
    np.testing.assert_allclose(off[:, AT["knee_flexion_l"]], -4.0, atol=1e-9)
    rest = [i for j, i in AT.items() if j not in ("hip_flexion_r", "knee_flexion_l")]
    assert not off[:, rest].any(), "each leg has its own"


def test_time_and_width_are_the_runners_with_their_spread():
    usual, mine, faster = referred(None), referred(own()), referred(own(), 3.5)
    assert (mine.stride_time_s, mine.step_width_m) == (pytest.approx(0.7), pytest.approx(0.05))
    assert mine.stride_time_sd_s == pytest.approx(np.hypot(0.01, MEASURED["s"]))
    assert mine.step_width_sd_m == pytest.approx(np.hypot(0.01, MEASURED["m"])) and mine.own_step_width
    change = referred(None, 3.5).stride_time_s - usual.stride_time_s
    assert faster.stride_time_s == pytest.approx(0.7 + change)
    assert faster.stride_time_sd_s > mine.stride_time_sd_s
    none = referred(own(step_width_m=None))
    assert none.step_width_m == usual.step_width_m and not none.own_step_width


def test_the_spread_is_that_of_strides_of_measuring_and_of_carrying():
    carried = toml("motion.toml")["reference"]["carried"]["deg"]
    for speed, by_speed in ((SPEED, 0.0), (3.5, 0.5 * carried)):
        sd = np.degrees(referred(own(sd=1.5), speed).sd[:, AT["knee_flexion_r"]])
        np.testing.assert_allclose(sd, np.sqrt(1.5**2 + MEASURED["deg"] ** 2 + by_speed**2))
    perfect = np.degrees(referred(own(sd=0.0)).sd[:, AT["knee_flexion_r"]])
    np.testing.assert_allclose(perfect, MEASURED["deg"])


def test_a_late_left_foot_is_late_in_the_reference():
    early, late = referred(own(left=0.5)), referred(own(left=0.53))
    i = AT["knee_flexion_l"]
    np.testing.assert_allclose(np.roll(early.q[:, i], 3), late.q[:, i], atol=1e-9)
    np.testing.assert_allclose(early.q[:, AT["knee_flexion_r"]], late.q[:, AT["knee_flexion_r"]])


def test_a_trunk_that_was_not_measured_keeps_its_posture_in_space():
    mine, usual = (referred(own({"pelvis_tilt": off, "pelvis_list": off})) for off in (5.0, 0.0))
    for pelvis, spine, sign in (
        ("pelvis_tilt", "lumbar_extension", -1),
        ("pelvis_list", "lumbar_bending", -1),
    ):
        np.testing.assert_allclose(np.degrees(mine.q - usual.q)[:, AT[pelvis]], 5.0, atol=1e-9)
        trunk = mine.q[:, AT[pelvis]] + sign * mine.q[:, AT[spine]]
        np.testing.assert_allclose(trunk, usual.q[:, AT[pelvis]] + sign * usual.q[:, AT[spine]], atol=1e-9)


def test_a_speed_too_far_away_is_refused():
    with pytest.raises(InputError, match=r"measured at 3\.00 m/s, asked for at 4\.2 m/s; at most 1 m/s"):
        referred(own(), 4.2)


def test_own_angles_count_by_their_own_spread_on_either_leg():
    body, cost = muscled.model("right"), Cost.default()
    gait = own()
    ref = reference(body.joints, SPEED, 60, leg_length_m=body.leg_length_m, own=gait)
    usual = reference(body.joints, SPEED, 60, leg_length_m=body.leg_length_m)
    weight, before = (tracking.prepare(body, body.joint_data, cost, r).weight for r in (ref, usual))
    for joint in gait.joints:
        i = body.joints.index(joint)
        sigma = np.radians(np.hypot(1.0, MEASURED["deg"]))
        assert weight[i] == pytest.approx(cost.tracking.weight / sigma), joint
    others = [i for i, name in enumerate(body.joints) if name not in gait.joints]
    np.testing.assert_array_equal(weight[others], before[others])
    tree = tree_of(body.mj)
    held = placement.prepare(body, tree, cost, ref).weight
    assert held[0] == held[1], "the blade's side too: where it stands was measured"


def test_what_was_measured_is_drawn_closer():
    gait = own({**dict.fromkeys(("hip_flexion_r", "hip_flexion_l", "knee_flexion_r", "knee_flexion_l"), 0.0),
                "lumbar_extension": 0.0})  # fmt: skip
    with_it, without = ([[getattr(v, n) for n in names()] for v in draw(64, own=g)] for g in (gait, None))
    narrower = np.std(with_it, axis=0) < 0.9 * np.std(without, axis=0)
    assert {n for n, less in zip(names(), narrower, strict=True) if less} == set(gait.known)
    assert own({"hip_flexion_r": 0.0}).known == (), "one joint says little of the legs"


def test_a_stride_is_known_by_its_reference():
    who = {"mass_kg": 70.0, "height_m": 1.75, "sex": "male"}
    case = check_case({"runner": who, "task": {"speed_m_s": 3.0}, "amputation": {"side": "none"}})
    usual = Inputs.of(case, None)
    mine = Inputs.of(replace(case, reference=Today(own())), None)
    other = Inputs.of(replace(case, reference=Today(own({"hip_flexion_r": 1.0}))), None)
    program = of_strides()
    assert len({each.identity(program) for each in (usual, mine, other)}) == 3
    solved = [Asked(usual), Asked(other)]
    assert Asked.from_nearest(mine, solved).start is None, "no stride starts from one of another reference"
    assert Asked.from_nearest(mine, [*solved, Asked(mine)]).start == Asked(mine)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A folder with a runner's file and what was measured of it, strides a little apart."""
    folder = tmp_path_factory.mktemp("own")
    made = running.stride(side="none")
    paths = export(made, folder, strides=5)
    assert not cli.main(["measure", str(paths[0]), "--forces", str(paths[1]), "--runner",
                         str(runner(folder, reference="")), "--out", str(folder)])  # fmt: skip
    return folder


def runner(folder, reference='[reference]\nmotion = "measured.json"\n', speed=3.0, name="runner.toml"):
    who = muscled.RUNNER
    path = folder / name
    path.write_text(
        f'[runner]\nmass_kg = {who.mass_kg}\nheight_m = {who.height_m}\nsex = "{who.sex}"\n'
        f'[amputation]\nside = "none"\n[task]\nspeed_m_s = {speed}\n{reference}'
    )
    return path


def test_what_measure_wrote_is_a_reference(lab):
    today = load_case(runner(lab)).reference
    gait = today.motion
    assert gait.strides == 4 and gait.speed_m_s == pytest.approx(running.SPEED)
    assert gait.left_after_right == pytest.approx(0.5, abs=0.01)
    knee = np.interp(30.0, PERCENT, gait.joints["knee_flexion_r"].mean)
    assert knee == pytest.approx(np.interp(30.0, PERCENT, people("knee_flexion_r")), abs=1.5)
    mean, sd = today.mean_and_sd("stride_time_s")
    assert mean == pytest.approx(gait.stride_time_s.mean) and sd < 1e-3
    assert OwnGait.of_json(json.loads(json.dumps(plain(gait)))) == gait
    assert np.isnan(today.mean_and_sd("no such outcome")[0])


@pytest.mark.parametrize(
    ("section", "speed", "said"),
    [
        (
            '[reference]\nmotion = "measured.toml"',
            3.0,
            r"\[reference\] motion: 'measured.toml' is not allowed",
        ),
        ('[reference]\nmotion = "other.json"', 3.0, r"\[reference\] motion: other.json: cannot be read"),
        ('[reference]\nmotoin = "measured.json"', 3.0, r"did you mean 'motion'\?"),
        ('[reference]\nmotion = "broken.json"', 3.0, "broken.json: not the measured.json"),
        ('[reference]\nmotion = "few.json"', 3.0, "few.json: measured on fewer than 3 strides"),
        ('[reference]\nmotion = "wild.json"', 3.0, "wild.json: not how somebody runs"),
        ('[reference]\nmotion = "right.json"', 3.0, "amputated on the right side, not without an amputation"),
        ('[reference]\nmotion = "measured.json"', 4.4, "asked for at 4.4 m/s; at most 1 m/s"),
    ],
)
def test_what_cannot_be_a_reference_is_said_in_one_sentence(lab, section, speed, said):
    good = json.loads((lab / "measured.json").read_text())
    (lab / "broken.json").write_text('{"outcomes": 3')
    (lab / "few.json").write_text(json.dumps(good | {"reference": None}))
    (lab / "wild.json").write_text(
        json.dumps(good | {"reference": good["reference"] | {"left_after_right": 7}})
    )
    (lab / "right.json").write_text(json.dumps(good | {"reference": good["reference"] | {"side": "right"}}))
    with pytest.raises(InputError, match=said) as found:
        load_case(runner(lab, section, speed, "wrong.toml"))
    assert "\n" not in str(found.value)


def test_too_few_strides_are_no_reference(tmp_path):
    paths = export(running.stride(side="none"), tmp_path, strides=2)
    assert measure(paths[0], paths[1]).reference is None


def rows(*verdicts):
    return tuple(Compared("k", "t", "s", "", 1.0, 1.0, 0.1, verdict) for verdict in verdicts)


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ((AGREES, AGREES, AGREES, DIFFERS), AGREES),
        ((AGREES, AGREES, DIFFERS, DIFFERS), DIFFERS),
        ((AGREES, AGREES, AGREES, UNKNOWN), UNKNOWN),
    ],
)
def test_one_verdict_of_all_outcomes(verdicts, said):
    assert whole(rows(*verdicts)) == said


def test_the_misfit_of_today_is_said_first_and_what_was_gained():
    gained = ({"key": "a", "title": "cost", "unit": "J", "with": 1.0, "without": 2.0},)
    held = HeldToday("m.json", 3.3, 3.0, 5, rows(AGREES, DIFFERS, DIFFERS, DIFFERS), DIFFERS, gained)
    words = today_words(held)
    assert words["doubt"] and "1 of 4 outcomes agree" in words["verdict"]
    assert "measured" in words["verdict"] and "3.30 m/s, the prediction is of 3.00 m/s" in words["verdict"]
    assert "50 %" in words["narrowed"] and "±2.0 to ±1.0 J" in words["narrowed"]
    assert not today_words(replace(held, narrowed=()))["narrowed"]
    json.dumps(held.to_dict(), allow_nan=False)


def test_fit_holds_today_s_fitting_against_the_measurement(tmp_path, monkeypatch):
    solver = comparison.installed(monkeypatch)
    predicted = flat(outcomes(comparison.WHOLE))
    columns = [c for c in predicted if c.startswith(("contact_time_s", "peak_vgrf_bw"))]
    right = Table({c: Spread(predicted[c], 0.01 * abs(predicted[c])) for c in columns})
    wrong = Table({c: Spread(1.5 * each.mean, each.sd) for c, each in right.items()})
    for seen, said in ((right, AGREES), (wrong, DIFFERS)):
        today = Today(replace(own(speed=3.3), side="right"), seen, "measured.json")
        case = replace(comparison.SMALL, reference=today)
        result = study.fit(case, tmp_path / said, workers=1, widen=False, ensemble=4)
        assert result.today and result.today.verdict == said and len(result.today.rows) == len(columns) == 4
        assert len(result.today.narrowed) == len(result.weights["tradeoff"])
        assert json.loads((tmp_path / said / "study.json").read_text())["today"]["verdict"] == said
    before = len(solver.calls)
    usual = study.fit(comparison.SMALL, tmp_path / "usual", workers=1, widen=False, ensemble=4)
    assert usual.today is None and usual.to_dict()["today"] is None
    assert before == 2 * (len(solver.calls) - before + 4), "today's fitting is drawn once more, as if unknown"


def test_a_stride_says_whose_reference_it_has():
    made = running.stride(side="none")
    assert asked_of(made.assign_attrs(reference=json.dumps(plain(own())))).reference == own()
    assert asked_of(made).reference is None


def test_a_blade_stands_where_the_objective_holds_it(tmp_path):
    """Heel of the sound foot to the middle of the blade's sole, each in the middle of its contact."""
    made = running.stride(side="right")
    case = Case(*person_of(made), Task(running.SPEED))
    found = measure(*export(made, tmp_path, strides=5)[:2], case).reference
    legs = {side: Leg(made, side) for side in ("left", "right")}
    middle = {side: (leg.down + leg.up) / 2 % leg.period for side, leg in legs.items()}
    sole = made.contact_position.sel(xyz="y")[:, made.contact_side.values == "right"].mean("contact")
    blade = np.interp(middle["right"], made.time.values, sole.values)
    heel = np.interp(middle["left"], made.time.values, made.site_position.sel(site="heel_l", xyz="y").values)
    assert found.side == "right" and found.step_width_m.mean == pytest.approx(heel - blade, abs=2e-3)
