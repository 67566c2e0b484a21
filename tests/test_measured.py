"""A stride written as files of a laboratory and measured again gives its own outcomes."""

import json
from dataclasses import replace

import numpy as np
import pytest

from bladerun import cli
from bladerun.body.runner import ABLE_BODIED, Runner
from bladerun.case import Case
from bladerun.dataset.asked import person_of
from bladerun.dataset.files import write_stride
from bladerun.errors import InputError
from bladerun.gait.opensim import export
from bladerun.gait.opensim import read as columns_of
from bladerun.gait.outcomes import OUTCOMES, flat, outcomes
from bladerun.gait.periodic import Periodic
from bladerun.motion import Forces, Plate, measure, read
from bladerun.motion.comparison import AGREES, DIFFERS, UNKNOWN, compare
from bladerun.motion.measured import read_measured
from bladerun.motion.moments import left_over
from bladerun.options import SolverOptions
from bladerun.stride import solve
from bladerun.task import Task
from models import muscled
from strides import running
from strides.motion_files import storage

ABSENT = (  # words of what takes moments, muscles, each sphere's force, or the bench
    "torque", "work", "metabolic", "cost", "activation", "reserve", "contact_force", "achilles", "alignment",
    "blade_compression", "blade_stiffness", "standing", "toe_ahead", "power_peak",
    "socket_", "suspension", "strength",
)  # fmt: skip
OFF = {"deg": 0.5, "s": 0.005, "m": 0.006, "mm": 6.0, "% leg length": 0.6, "%": 1.0}
AT_GREATEST_ENERGY = (  # of the blade, which in the made-up stride does not bend and stands in the ground
    "swing_clearance", "sweet_spot", "midstance", "foot_progression_deg", "hip_height", "psis", "obliquity",
    "recoil", "blade_",
)  # fmt: skip


@pytest.fixture(scope="module", params=["none", "right"])
def lab(request, tmp_path_factory):
    """The stride, its files, and whose they are."""
    made = running.stride(side=request.param)
    runner, amputation, fitting = person_of(made)
    paths = export(made, tmp_path_factory.mktemp("lab"), strides=4)
    return made, paths[0], paths[1], Case(runner, amputation, fitting, Task(running.SPEED))


@pytest.fixture(scope="module")
def able(tmp_path_factory):
    made = running.stride(side="none")
    paths = export(made, tmp_path_factory.mktemp("able"), strides=4)
    return made, paths[0], paths[1], Case(muscled.RUNNER, ABLE_BODIED, None, Task(running.SPEED))


def close(found, own, keys):
    for row in OUTCOMES:
        for side in ("_left", "_right") if row.per_leg else ("",):
            if row.key in keys and np.isfinite(own[row.key + side]):
                mean, _ = found.mean_and_sd(row.key + side)
                share = 0.05 if row.unit == "BW/s" else 0.02  # a rate between knots 10 ms apart
                within = OFF.get(row.unit, share * abs(own[row.key + side]) + 1e-3)
                assert mean == pytest.approx(own[row.key + side], abs=within), row.key + side


def kept(case):
    words = ABSENT + (AT_GREATEST_ENERGY if case.amputation.suffixes else ())
    return {row.key for row in OUTCOMES if not any(word in row.key for word in words)}


def changed(path, to, change):
    """The file again with its columns changed."""
    time, columns, degrees = columns_of(path)
    return storage(to, time, change(time, columns), degrees=degrees)


def test_a_stride_gives_its_own_outcomes_back(lab):
    made, motion, forces, case = lab
    found = measure(motion, forces, case)
    assert len(found.table) == 3 and found.ground == "overground"
    assert found.speed_m_s == pytest.approx(running.SPEED)
    own = flat(outcomes(made))
    close(found, own, kept(case))
    had = {key for key in kept(case) if any(np.isfinite(own[c]) for c in own if c.startswith(key))}
    assert had <= set(found.to_dict()["outcomes"])


def test_what_was_not_measured_is_absent(lab):
    _, motion, forces, case = lab
    said = measure(motion, forces, case).to_dict()["outcomes"]
    assert not [key for key in said if "metabolic" in key or "alignment" in key]
    assert {"hip_torque_rotation_peak_nm_kg", "knee_extension_torque_peak_nm_kg"} <= set(said)
    alone = measure(motion, None, case).to_dict()["outcomes"]
    words = ("vgrf", "hip_torque", "knee_extension_torque", "braking", "landing")
    assert not [key for key in alone if any(word in key for word in words)]
    assert {"stride_time_s", "contact_time_s", "knee_flexion_touchdown_deg"} <= set(alone)


def test_without_forces_feet_land_and_leave_about_when_they_do(able):
    made, motion, _, case = able
    own, found = flat(outcomes(made)), measure(motion, None, case)
    assert len(found.table) >= 2 and "by the motion alone" in " ".join(found.notes)
    for side in ("left", "right"):
        assert found.mean_and_sd(f"contact_time_s_{side}")[0] == pytest.approx(
            own[f"contact_time_s_{side}"], abs=0.03
        )
    assert found.mean_and_sd("stride_time_s")[0] == pytest.approx(own["stride_time_s"], abs=0.005)


def test_curves_are_the_strides_own(able):
    made, motion, forces, case = able
    found = measure(motion, forces, case)
    mean, sd = found.curves["knee_flexion", "right"]
    period, knee = made.attrs["stride_time_s"], np.degrees(made.q.sel(joint="knee_flexion_r").values)
    times = found.table.start_s[0] + np.linspace(0, 1, 101) * period
    np.testing.assert_allclose(mean, np.interp(times, made.time.values, knee, period=period), atol=0.5)
    assert sd.max() < 0.5  # splines are free at the ends of the file


def test_on_a_treadmill_the_same(able, tmp_path):
    made, motion, forces, case = able

    def held(time, columns):
        return {
            k: v - running.SPEED * time if k == "pelvis_tx" or k.endswith("_px") else v
            for k, v in columns.items()
        }

    paths = [changed(path, tmp_path / path.name, held) for path in (motion, forces)]
    told = measure(paths[0], None, case)
    assert told.ground == "treadmill"
    found = measure(*paths, case, speed_m_s=running.SPEED)
    assert found.ground == "treadmill" and "as given" in " ".join(found.notes)
    close(found, flat(outcomes(made)), kept(case))
    with pytest.raises(InputError, match="'moon' is not allowed; treadmill or overground"):
        measure(*paths, case, ground="moon")


def test_running_another_way_through_the_room(able, tmp_path):
    made, motion, forces, case = able

    def turned(_, columns):
        new = dict(columns)
        for x, z in [("pelvis_tx", "pelvis_tz")] + [
            (f"{s}_ground_force_{w}x", f"{s}_ground_force_{w}z") for s in ("right", "left") for w in "vp"
        ]:
            if x in columns:
                new[x], new[z] = -columns[x], -columns[z]
        if "pelvis_rotation" in new:
            new["pelvis_rotation"] = columns["pelvis_rotation"] + 180.0
        return new

    found = measure(*(changed(p, tmp_path / p.name, turned) for p in (motion, forces)), case)
    assert "the runner faces 180 deg" in " ".join(found.notes)
    close(found, flat(outcomes(made)), kept(case))


def test_one_plate_for_both_feet_at_its_own_rate(able, tmp_path):
    """Forces at 1 kHz from one plate of a treadmill: the standing leg is told by its knee."""
    made, motion, forces, case = able
    time, columns, _ = columns_of(forces)
    fast = np.arange(time[0], time[-1], 1e-3)
    at = {name: np.interp(fast, time, values) for name, values in columns.items()}
    right, left = (
        {k: at[f"{s}_ground_force_{k}"] for k in ("vx", "vy", "vz", "px", "py", "pz")}
        for s in ("right", "left")
    )
    share = np.where(right["vy"] > left["vy"], 1.0, 0.0)
    one = {k: right[k] + left[k] if k[0] == "v" else share * right[k] + (1 - share) * left[k] for k in right}
    path = storage(
        tmp_path / "plate.mot", fast, {f"ground_force_{k}": v for k, v in one.items()}, degrees=False
    )
    found = measure(motion, path, case)
    timing = {
        "stride_time_s",
        "contact_time_s",
        "flight_time_s",
        "step_time_s",
        "peak_vgrf_bw",
        "step_length_m",
    }
    close(found, flat(outcomes(made)), timing)


def sideways(change):
    return lambda _, columns: {
        k: change(v) if k.endswith("_pz") else -v if k.endswith("_vz") else v for k, v in columns.items()
    }


def test_left_handed_forces_are_turned_and_those_of_another_place_refused(able, tmp_path):
    made, motion, forces, case = able
    aside = changed(motion, tmp_path / "aside.mot", lambda _, c: c | {"pelvis_tz": c["pelvis_tz"] + 0.4})
    mirrored = changed(forces, tmp_path / "mirrored.mot", sideways(lambda z: -(z + 0.4)))
    found = measure(aside, mirrored, case)
    assert "their axes are left-handed" in " ".join(found.notes)
    close(found, flat(outcomes(made)), kept(case))
    far = changed(forces, tmp_path / "far.mot", sideways(lambda z: z + 2.0))
    with pytest.raises(InputError, match=r"forces act 2.\d m from the standing foot"):
        measure(motion, far, case)


def test_a_sole_that_is_not_on_the_ground_has_no_clearance(able, tmp_path):
    _, motion, forces, case = able
    high = changed(motion, tmp_path / "high.mot", lambda _, c: c | {"pelvis_ty": c["pelvis_ty"] + 0.2})
    found = measure(high, forces, case)
    assert "swing_clearance_mm" not in found.to_dict()["outcomes"]
    assert "soles are far from the ground" in " ".join(found.notes)


def test_gaps_are_bridged_or_end_their_stride(able, tmp_path):
    made, motion, forces, case = able

    def missing(rows):
        def change(_, columns):
            knee = columns["knee_flexion_l"].copy()
            knee[rows] = np.nan
            return columns | {"knee_flexion_l": knee}

        return change

    short = measure(changed(motion, tmp_path / "short.mot", missing(slice(150, 160))), forces, case)
    assert len(short.table) == 3
    close(short, flat(outcomes(made)), {"knee_flexion_touchdown_deg"})
    long = measure(changed(motion, tmp_path / "long.mot", missing(slice(150, 190))), forces, case)
    assert len(long.table) == 2 and "the motion has a gap" in " ".join(long.notes)


def test_legs_alone_give_what_legs_give(able, tmp_path):
    _, motion, forces, case = able
    parts = ("pelvis", "hip", "knee", "ankle")
    legs = changed(
        motion, tmp_path / "legs.mot", lambda _, c: {k: v for k, v in c.items() if k.startswith(parts)}
    )
    found = measure(legs, forces, case)
    said = found.to_dict()["outcomes"]
    assert "com_excursion_mm" not in said and "leg_stiffness_kn_m" not in said and "contact_time_s" in said
    assert "the trunk was not measured" in " ".join(found.notes)


def test_an_unmeasured_blade_has_no_outcomes(tmp_path):
    made = running.stride(side="right")
    runner, amputation, fitting = person_of(made)
    motion, forces = export(made, tmp_path, strides=3)[:2]
    gone = ("blade_", "socket_")
    bare = changed(
        motion, tmp_path / "bare.mot", lambda _, c: {k: v for k, v in c.items() if not k.startswith(gone)}
    )
    found = measure(bare, forces, Case(runner, amputation, fitting, Task(running.SPEED)))
    said = found.to_dict()["outcomes"]
    assert not {"blade_energy_peak_j", "lateral_whip_deg", "sweet_spot_offset_m"} & set(said)
    assert set(said["psis_difference_mm"]) == {"left"} and set(said["contact_time_s"]) == {"left", "right"}
    assert "the blade was not measured" in " ".join(found.notes)


def test_half_a_stride_and_a_walk_are_refused(able, tmp_path):
    _, motion, _, case = able
    time, columns, _ = columns_of(motion)
    early = time < 0.5
    half = storage(tmp_path / "half.mot", time[early], {k: v[early] for k, v in columns.items()})
    with pytest.raises(InputError, match=r"half.mot: no whole stride in 0.\d+ s, .* contacts of the right"):
        measure(half, None, case)

    def slow(_, columns):
        return columns | {"pelvis_tx": 0.3 * columns["pelvis_tx"]}

    with pytest.raises(InputError, match=r"0.90 m/s is a walk \(Froude number 0.0\d"):
        measure(changed(motion, tmp_path / "slow.mot", slow), None, case, ground="overground")


def test_a_walk_on_plates_is_said_and_so_is_who_stays(able):
    made, motion, _, case = able
    time, period = np.arange(0, 2.8, 1e-3), made.attrs["stride_time_s"]
    plates = []
    for side, later in (("right", 0.0), ("left", 0.5)):
        phase = (time / period - later - 0.1) % 1
        up = np.where(phase < 0.6, 800 * np.sin(np.pi * np.minimum(phase / 0.6, 1)), 0.0)
        plates.append(Plate(side, side, np.column_stack([0 * up, 0 * up, up]), np.full((len(up), 3), np.nan)))
    forces = Forces(time, tuple(plates))
    found = measure(motion, forces, case)
    assert "each foot is down for 5" in " ".join(found.notes) and "this is walking" in " ".join(found.notes)
    assert not [key for key in found.to_dict()["outcomes"] if "landing" in key or "step_length" in key]
    still = replace(read(motion), pelvis_m=0 * read(motion).pelvis_m)
    with pytest.raises(InputError, match=r"0.00 m/s forward is no gait"):
        measure(still, forces, case, ground="overground")


def test_files_in_each_others_place(able):
    _, motion, forces, case = able
    with pytest.raises(InputError, match=r"ground_forces.mot: ground forces, not joint angles"):
        measure(forces, motion, case)


def test_another_body_than_the_forces_carry_is_said(able):
    _, motion, forces, _ = able
    found = measure(motion, forces)
    assert "no runner's file" in found.notes[0]
    heavy = Case(Runner(100.0, 1.75, "male"), ABLE_BODIED, None, Task(running.SPEED))
    assert "the runner weighs 100.0 kg: one is wrong" in " ".join(measure(motion, forces, heavy).notes)


def test_a_prediction_beside_a_measurement(able):
    made, motion, forces, case = able
    found = measure(motion, forces, case)
    rows = {(row.key, row.side): row for row in compare(made, found)}
    assert {rows["contact_time_s", side].verdict for side in ("left", "right")} == {AGREES}
    late = found.table.assign(contact_time_s_left=found.table.contact_time_s_left + 0.02)
    late.loc[0, "contact_time_s_left"] += 0.001
    other = compare(made, type(found)(late, found.curves, found.ground, found.speed_m_s, ()))
    assert next(r for r in other if (r.key, r.side) == ("contact_time_s", "left")).verdict == DIFFERS
    one = compare(made, type(found)(found.table[:1], found.curves, found.ground, found.speed_m_s, ()))
    assert {row.verdict for row in one} == {UNKNOWN}


def test_the_commands(able, tmp_path, monkeypatch, capsys):
    made, motion, forces, _ = able
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runner.toml").write_text(
        '[runner]\nmass_kg = 75\nheight_m = 1.75\nsex = "male"\n'
        '[amputation]\nside = "none"\n[task]\nspeed_m_s = 3.0\n'
    )
    write_stride(made, tmp_path / "stride.nc")
    assert (
        cli.main(["measure", str(motion), "--forces", str(forces), "--runner", "runner.toml", "--json"]) == 0
    )
    said = json.loads(capsys.readouterr().out)
    assert said["outcomes"]["stride_time_s"]["mean"] == pytest.approx(made.attrs["stride_time_s"], abs=1e-3)
    assert read_measured(said["file"]).mean_and_sd("stride_time_s")[0] == pytest.approx(
        made.attrs["stride_time_s"], abs=1e-3
    )
    assert cli.main(["compare", "stride.nc", said["file"]]) == 0
    out = capsys.readouterr().out
    assert "agrees" in out and (tmp_path / "compared.png").stat().st_size > 10_000
    assert cli.main(["measure", str(motion), "--speed", "-1"]) == 2
    assert "--speed: -1 is not allowed" in capsys.readouterr().err
    assert cli.main(["compare", "stride.nc", "runner.toml"]) == 2
    assert "not the measured.json" in capsys.readouterr().err


@pytest.mark.slow
def test_a_solved_stride_gives_its_own_outcomes_back(tmp_path):
    """Blade, socket and all; centres of pressure under 30 N, at touchdown and toe-off, are of no plate."""
    model = muscled.model("right")
    case = Case(model.runner, model.amputation, model.fitting, Task(3.3))
    options = SolverOptions.default({"knots": 60, "muscle_driven": False})
    solved = solve(model, case.task, options=options)
    motion, forces = export(solved, tmp_path, strides=4)[:2]
    found, own = measure(motion, forces, case), flat(outcomes(solved))
    assert len(found.table) == 3
    close(found, own, {row.key for row in OUTCOMES if not any(word in row.key for word in ABSENT)})
    _moments_are_the_solvers(found, solved)
    assert found.mean_and_sd("blade_energy_peak_j_right")[0] == pytest.approx(
        own["blade_energy_peak_j_right"], rel=1e-3
    )


def _moments_are_the_solvers(found, solved):
    """To 2 % of their peak, both low-passed; and next to nothing is left over."""
    stride, start = found.strides[1], found.table.start_s[1]
    period = stride.attrs["stride_time_s"]
    time = (start + stride.time.values) % period
    for joint in ("hip_flexion", "hip_adduction", "hip_rotation", "knee_flexion", "ankle_dorsiflexion"):
        for side in "rl":
            if (name := f"{joint}_{side}") in solved.joint.values:
                own = Periodic(solved.tau.sel(joint=name).values, solved.time.values, period).filtered(15.0)
                off = stride.tau.sel(joint=name).values - own(time)
                assert np.sqrt(np.mean(off**2)) < 0.02 * np.abs(own(time)).max(), name
    assert left_over(stride.tau.values)[0] < 0.05 * stride.attrs["mass_kg"] * 9.81
