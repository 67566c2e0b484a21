"""Findings can be read, statistics are the papers' own, and a target that fails stays in the table."""

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bladerun import validation
from bladerun._lib.table import plain
from bladerun.errors import InputError
from bladerun.task import Task
from bladerun.validation import _runs, findings_dir, validate
from bladerun.validation._measures import agreement, measures
from bladerun.validation._statistics import estimate, verdict
from bladerun.validation.finding import Target, load
from strides import synthetic

RETRACTED = "10.1371/journal.pone.0229035"
FINDINGS, COHORTS = load(findings_dir())
TARGETS = [(finding, target) for finding in FINDINGS for target in finding.targets]


def table(**columns) -> pd.DataFrame:
    return pd.DataFrame(columns)


def target(**keys) -> Target:
    return Target(**{"cohort": "c", "quantity": "y", "unit": "", "basis": "b"} | keys)


def test_there_are_enough_targets_and_none_rests_on_a_retracted_paper():
    assert len(TARGETS) >= 25
    assert sum(finding.data == "blades" and not finding.used for finding in FINDINGS) >= 15
    assert RETRACTED not in {finding.doi for finding in FINDINGS}


@pytest.mark.parametrize("finding", FINDINGS, ids=lambda finding: finding.name)
def test_a_finding_says_where_it_and_its_tolerance_are_from(finding):
    assert finding.title and finding.source and finding.targets
    found_at = finding.doi or re.search(r"\w\.\w+/\w", finding.source)
    assert found_at or finding.status != "read" or "Tacca" in finding.source
    for one in finding.targets:
        assert one.basis and one.what


@pytest.mark.parametrize("cohort", [c for c in COHORTS.values() if c.runners], ids=lambda cohort: cohort.name)
def test_a_targets_conditions_are_among_those_its_cohort_runs(cohort):
    keys = {key for condition in cohort.conditions for key in condition}
    for _, one in TARGETS:
        for where in (one.where or {}, one.against or {}):
            if one.cohort == cohort.name:
                assert where.keys() <= keys
                assert any(where.items() <= condition.items() for condition in cohort.conditions)


def test_quantities_are_measures_of_a_stride_or_of_the_bench():
    known = set(measures_of_a_blade_stride()) | {"pelvis_excursion_mm", "emg_timing_percent"}
    for _, one in TARGETS:
        for name in filter(None, (one.quantity, one.minus)):
            if one.cohort != "bench" and not name.startswith(("within_1_sd_", "stance_share_")):
                assert name in known, name


def measures_of_a_blade_stride() -> dict[str, float]:
    stride = synthetic.stride()
    stride["q"].loc[{"joint": "pelvis_tz"}] = 0.05 * np.sin(np.arange(stride.sizes["time"]))
    bend = stride.assign_attrs(task=json.dumps(plain(Task(3.0, bend_radius_m=20.0))))
    return measures(stride) | measures(bend)


def test_in_a_bend_legs_are_inside_and_outside():
    found = measures_of_a_blade_stride()
    assert found["contact_time_s_inside"] + found["contact_time_s_outside"] == pytest.approx(
        2 * found["contact_time_s"]
    )


def test_legs_are_named_by_what_was_lost():
    right = measures_of_a_blade_stride()
    assert right["contact_time_s"] == pytest.approx(
        (right["contact_time_s_affected"] + right["contact_time_s_sound"]) / 2
    )
    assert np.isfinite(right["blade_energy_peak_j_affected"])
    assert np.isnan(right["blade_energy_peak_j_sound"])


def test_agreement_is_the_share_of_the_stride_within_the_band():
    from bladerun.body.reference_gait import band

    made = synthetic.stride(knots=200)
    percent, mean, sd = band("knee_flexion", made.attrs["speed_m_s"])
    at = 100 * made.time.values / made.attrs["stride_time_s"]
    curve = np.interp(at, percent, mean)
    assert agreement(made, curve, "knee_flexion") == pytest.approx((1.0, 0.0))
    off = curve + np.where(at < 24.9, 2, 0.5) * np.interp(at, percent, sd)
    assert agreement(made, off, "knee_flexion")[0] == pytest.approx(0.75, abs=0.006)


def test_a_slope_leaves_differences_between_runners_out():
    rows = table(runner=[1, 1, 1, 2, 2, 2], x=[1.0, 2, 3, 2, 3, 4], y=[10.0, 12, 14, 0, 2, 4])
    found = estimate(target(statistic="slope", over="x", sign=1), rows)
    assert found.value == pytest.approx(2.0)
    assert (found.runners, found.p) == (2, 0.0)


def cohort(slopes, **condition) -> pd.DataFrame:
    """Runners of these slopes at x = -1, 0, 1, each with an own level and a bend that no slope explains."""
    rows = [
        (who, x, 10 * who + slope * x + 0.5 * x**2) for who, slope in enumerate(slopes) for x in (-1, 0, 1)
    ]
    return pd.DataFrame(rows, columns=["runner", "x", "y"]).assign(**condition)


def test_a_slope_is_as_sure_as_the_runners_agree_about_it():
    """Slopes of 1, 2 and 4: a t-test of three numbers, t = 7^0.5; of 2 degrees p = 1 - t / (2 + t^2)^0.5."""
    found = estimate(target(statistic="slope", over="x", sign=1), cohort([1, 2, 4]))
    assert found == pytest.approx((7 / 3, 7**0.5 / 3, 1 - 7**0.5 / 3, 3))


def test_slopes_of_the_same_runners_are_compared_runner_by_runner():
    """They respond as 1 to 20, and by 1, 2 and 4 less at the higher speed, where all is more."""
    fast = cohort([0, 3, 16], speed=4)
    rows = pd.concat([cohort([1, 5, 20], speed=3), fast.assign(x=fast.x + 1, y=fast.y + 5)])
    one = target(statistic="slope", over="x", where={"speed": 4}, against={"speed": 3}, sign=-1)
    small = (17 / 16) ** 0.5  # (rows - 1) / (rows - slopes)
    t = 7**0.5 / small
    expected = (-7 / 3, 7**0.5 / 3 * small, 1 - t / (2 + t**2) ** 0.5, 3)
    assert estimate(one, rows) == pytest.approx(expected)
    lost = rows[(rows.runner != 2) | (rows.speed != 4)]
    assert estimate(one, lost)[0::3] == pytest.approx((-1.5, 2)), "who ran at one speed only is left out"


def test_runners_with_more_spread_count_for_more_in_a_slope():
    """By hand: x'y = 2 and 24, x'x = 2 and 8, so 26 / 10; what is left is -3.2 and 3.2."""
    rows = table(runner=list("aaabbcc"), x=[0, 1, 2, 0, 4, 3, 3], y=[0, 1, 2, 0, 12, 5, 9])
    found = estimate(target(statistic="slope", over="x", sign=1), rows)
    assert found == pytest.approx((2.6, 0.64, 1 - 2 / np.pi * np.arctan(2.6 / 0.64), 2))


def test_one_runner_says_nothing_about_others():
    one = target(statistic="slope", over="x", sign=1)
    found = estimate(one, cohort([2]))
    assert (found.value, found.runners) == (pytest.approx(2), 1) and np.isnan([found.se, found.p]).all()
    assert verdict(one, found) == "agrees"
    assert verdict(one, estimate(one, cohort([2])[:1])) == "no prediction"


def test_a_difference_is_taken_runner_by_runner():
    rows = table(runner=[1, 1, 2, 2], blade=["j", "c", "j", "c"], y=[9.0, 10, 18, 20])
    one = target(statistic="difference", where={"blade": "j"}, against={"blade": "c"}, sign=-1)
    assert estimate(one, rows).value == pytest.approx(-1.5)
    assert estimate(replace(one, percent=True), rows).value == pytest.approx(-10.0)


def test_a_leg_can_be_held_against_the_other():
    rows = table(runner=[1, 2], y_affected=[1.0, 2.0], y_sound=[2.0, 2.5])
    assert estimate(target(quantity="y_affected", minus="y_sound", sign=-1), rows).value == -0.75


def test_what_was_not_solved_is_left_out_and_nothing_is_no_prediction():
    rows = table(runner=[1, 2], y=[np.nan, 3.0])
    one = target(value=3.0, tolerance=0.1)
    assert estimate(one, rows).runners == 1
    assert verdict(one, estimate(one, rows)) == "agrees"
    assert verdict(one, estimate(one, table(runner=[1], y=[np.nan]))) == "no prediction"
    assert verdict(one, estimate(replace(one, quantity="nowhere"), rows)) == "no prediction"


@pytest.mark.parametrize(
    ("published", "values", "expected"),
    [
        ({"sign": 1}, [1.0, 1.1, 0.9], "agrees"),
        ({"sign": -1}, [1.0, 1.1, 0.9], "fails"),
        ({"sign": 1}, [1.0, -1.2, 0.9], "fails"),  # not significant
        ({"bound": 1.05}, [1.0, 1.1, 0.9], "agrees"),
        ({"bound": 0.5}, [1.0, 1.1, 0.9], "fails"),
        ({"range": [0.9, 1.2]}, [1.0, 1.1, 0.9], "agrees"),
        ({"value": 2.0, "tolerance": 0.5}, [1.0, 1.1, 0.9], "fails"),
    ],
)
def test_verdicts(published, values, expected):
    one = target(**published)
    rows = table(runner=range(len(values)), y=values)
    assert verdict(one, estimate(one, rows)) == expected


def test_a_part_of_a_cohort_is_judged_by_sign_alone():
    one, rows = target(sign=1), table(runner=[1, 2], y=[1.0, 0.2])
    assert verdict(one, estimate(one, rows)) == "fails"
    assert verdict(one, estimate(one, rows), whole=False) == "agrees"


def test_the_table_keeps_what_fails_and_what_was_not_solved(tmp_path, monkeypatch):
    def unsolved(cohorts, out, *, runners, workers, progress):
        rows = [dict(cohort.conditions[0]) | {"runner": 1, "status": "not converged"} for cohort in cohorts]
        return {c.name: pd.DataFrame([r]) for c, r in zip(cohorts, rows, strict=True)}

    monkeypatch.setattr(validation, "run_cohorts", unsolved)
    result = validate(tmp_path, runners=1)
    assert len(result.rows) == len(TARGETS)
    written = json.loads((tmp_path / "validation.json").read_text())
    assert {row["verdict"] for row in written["targets"]} == {"no prediction"}
    for name in ("validation.html", "VALIDATION.md"):
        text = (tmp_path / name).read_text()
        assert all(finding.source.split(",")[0] in text.replace("&amp;", "&") for finding in FINDINGS)
        assert "no prediction" in text


def test_a_bench_cohort_is_tested_on_the_bench(tmp_path):
    bench = replace(COHORTS["bench"], conditions=COHORTS["bench"].conditions[:1])
    row = _runs.run_cohorts([bench], tmp_path, runners=None, workers=1)["bench"].iloc[0]
    assert 15 < row.stiffness_kn_m < 20
    assert 85 < row.return_percent < 95


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sign = 1\nvalue = 2.0\ntolerance = 1.0", "one of value"),
        ("sign = 1\ntolerrance = 1.0", "tolerance"),
        ("sign = 1\nstatistic = 'median'", "median"),
        ("sign = 1\nstatistic = 'slope'", "over"),
    ],
)
def test_a_finding_that_cannot_be_used_is_said_before_anything_is_solved(tmp_path, text, said):
    (tmp_path / "cohorts").mkdir()
    (tmp_path / "cohorts" / "c.toml").write_text(
        "source = 's'\nstatus = 'read'\n[[condition]]\nblade = 'none'"
    )
    (tmp_path / "f.toml").write_text(
        "title = 't'\nsource = 's'\nstatus = 'read'\ndata = 'bench'\n"
        f"[[target]]\ncohort = 'c'\nquantity = 'y'\nunit = ''\nbasis = 'b'\n{text}\n"
    )
    with pytest.raises(InputError, match=said):
        validate(tmp_path / "out", findings=tmp_path)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("status = 'read'", "c.toml: source: missing"),
        ("source = 's'\nstatus = 'read'", "c.toml: condition: missing"),
        ("source = 's'\nstatus = 'read'\ncondition = 3", "c.toml: condition: 3 is not allowed"),
        ("source = 's'\nstatus = 'read'\n[[conditions]]\nblade = 'none'", "did you mean 'condition'"),
    ],
)
def test_a_cohort_that_cannot_be_used_is_said_too(tmp_path, text, said):
    (tmp_path / "cohorts").mkdir()
    (tmp_path / "cohorts" / "c.toml").write_text(text)
    with pytest.raises(InputError, match=said):
        load(tmp_path)


def test_a_part_of_no_runner_is_refused(tmp_path):
    with pytest.raises(InputError, match="runners: 0 is not allowed"):
        validate(tmp_path, runners=0)
    assert not any(tmp_path.iterdir())
