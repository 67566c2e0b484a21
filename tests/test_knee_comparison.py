"""Knees that a runner's file compares: which fittings those are, what is refused, what is said."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bladerun.body.runner import Amputation
from bladerun.case import check_case
from bladerun.errors import InputError
from bladerun.fitting import Fitting
from bladerun.knees import knee_title, on_each_knee
from bladerun.report import write_report
from bladerun.report._knees import knee_section
from bladerun.study import fit, job
from bladerun.study.intervals import intervals
from bladerun.study.knee_answer import catches, in_words
from bladerun.study.knee_comparison import KneeComparison
from fakes.comparison import CASE, installed, numbers

RUNNER = {"mass_kg": 72.0, "height_m": 1.78, "sex": "male"}
WORN = Fitting("j-sprint", 5.0, knee="hydraulic-running", knee_damping_flexion=1.5)
THIGH = Amputation("right", "transfemoral", 0.27)


def case(sweep, *, knee="hydraulic-running", level="transfemoral", **more):
    limb = {"side": "right", "level": level, "residual_limb_m": 0.27 if level == "transfemoral" else 0.15}
    fitting = {"blade": "j-sprint"} | ({"knee": knee} if knee else {})
    document = {"runner": RUNNER, "amputation": limb, "fitting": fitting, "task": {"speed_m_s": 3.0}}
    return check_case({**document, "sweep": sweep, **more}, "runner.toml")


def test_each_knee_is_tried_in_each_of_its_settings_and_damping_on_what_bends_alone():
    lists = {
        "knee": ("hydraulic-running", "pylon"),
        "knee_damping_flexion": (1.0, 2.0),
        "knee_axis_mm": (0, 5),
    }
    found = [(f.knee, f.knee_damping_flexion, f.knee_axis_mm) for f in on_each_knee(WORN, THIGH, lists)]
    assert found == [
        ("hydraulic-running", 1.5, 5.0),  # worn today
        ("hydraulic-running", 1.0, 0), ("hydraulic-running", 1.0, 5),
        ("hydraulic-running", 2.0, 0), ("hydraulic-running", 2.0, 5),
        ("pylon", 1.0, 0), ("pylon", 1.0, 5),
    ]  # fmt: skip


def test_a_leg_below_the_knee_keeps_what_it_wears():
    mixed = Amputation("both", left={"level": "transfemoral"}, right={"residual_limb_m": 0.15})
    worn = Fitting("j-sprint", 5.0, left={"knee": "pylon", "height_mm": 30})
    found = on_each_knee(worn, mixed, {"knee": ("pylon", "hybrid")})
    assert [(f.of("left").knee, f.of("left").height_mm, f.of("right").knee) for f in found] == [
        ("pylon", 30, "none"),
        ("hybrid", 30, "none"),
    ]
    assert [knee_title(f, mixed) for f in found] == [
        "straight pylon, no knee",
        "hydraulic knee that can be locked",
    ]


def test_knees_are_called_by_name_and_by_what_is_not_as_usual():
    assert knee_title(WORN, THIGH) == "hydraulic running knee, damping in flexion 1.5 times the usual"
    both = Amputation("both", "transfemoral", 0.27)
    apart = replace(WORN, knee_damping_flexion=1.0, left={"knee": "pylon"})
    assert knee_title(apart, both) == "right: hydraulic running knee; left: straight pylon, no knee"


@pytest.mark.parametrize(
    ("sweep", "more", "words"),
    [
        ({"knee": ["stilt"]}, {}, ["[sweep] knee", "'stilt'", "pylon"]),
        ({"knee": ["pylon", "pylon"]}, {}, ["[sweep] knee", "each value once"]),
        ({"knee": []}, {}, ["[sweep] knee", "at least one knee"]),
        ({"knee": ["none"]}, {}, ["[sweep] knee", "'none'", "pylon"]),
        (
            {"knee": ["pylon"], "knee_damping_flexion": [2.0]},
            {},
            ["knee_damping_flexion", "pylon", "no damping"],
        ),
        ({"knee_damping_extension": [0.5]}, {"knee": "pylon"}, ["knee_damping_extension", "no damping"]),
        ({"knee": ["pylon"]}, {"level": "transtibial", "knee": ""}, ["[sweep] knee", "no leg ends above"]),
        ({"speed_m_s": [2.5]}, {}, ["[sweep] speed_m_s", "comparing knees", "bladerun sweep"]),
        ({"knee": ["pylon"], "speed_m_s": [25.0]}, {}, ["[sweep] speed_m_s", "25"]),
        ({"knee_axis_mm": [200]}, {}, ["[sweep] knee_axis_mm", "200"]),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_sentence(sweep, more, words):
    with pytest.raises(InputError) as error:
        case(sweep, **more)
    text = str(error.value)
    assert text.startswith("runner.toml: ") and "\n" not in text and all(word in text for word in words), text


@pytest.fixture
def solver(monkeypatch):
    return installed(monkeypatch)


ABOVE = replace(CASE, amputation=THIGH, fitting=Fitting("j-sprint", knee="hydraulic-running"))


def test_knees_alone_leave_the_blade_as_it_is(solver, tmp_path):
    own = replace(ABOVE, sweep={"knee": ("hydraulic-running", "pylon"), "speed_m_s": (2.5, 3.3)})
    result = fit(own, tmp_path, workers=1, ensemble=0)
    assert list(result.table.index) == [result.current] and result.window is None
    assert len(solver.calls) == 4  # today's fitting at today's speed is solved once
    assert result.knees.speeds == [2.5, 3.3]
    assert list(result.knees.at(3.3).title) == ["hydraulic running knee", "straight pylon, no knee"]
    assert list(result.knees.table.today) == [True, False, True, False]
    assert (tmp_path / "knees.parquet").exists()
    assert fit(own, tmp_path, workers=1, ensemble=0).knees.table.equals(result.knees.table)
    assert len(solver.calls) == 4


def test_settings_of_a_knee_start_from_a_stride_on_it(solver, tmp_path, monkeypatch):
    own = replace(ABOVE, sweep={"knee": ("hydraulic-running", "pylon"), "knee_axis_mm": (0.0, 5.0)})
    started = {}

    def solve(fitting, task, *, start=None, **settings):
        started[fitting.knee, fitting.knee_axis_mm] = start is not None
        return solver(fitting, task, start=start, **settings)

    monkeypatch.setattr(job, "solve", solve)
    fit(own, tmp_path, workers=1, ensemble=0)
    assert started == {
        ("hydraulic-running", 5.0): False, ("hydraulic-running", 0.0): True,
        ("pylon", 0.0): False, ("pylon", 5.0): True,
    }  # fmt: skip


def test_knees_are_told_apart_by_what_is_uncertain_and_by_what_matters(solver, tmp_path, monkeypatch):
    costs = {"hydraulic-running": 2.0, "pylon": 3.0, "hybrid": 2.02}

    def solve(fitting, task, **settings):
        values = numbers(fitting) | {"joint_work_j_kg_m": costs[fitting.knee]}
        return solver(fitting, task, **settings).assign_attrs(values=json.dumps(values))

    monkeypatch.setattr(job, "solve", solve)
    own = replace(ABOVE, sweep={"knee": tuple(costs)})
    unknown = fit(own, tmp_path / "none", workers=1, ensemble=0).knees
    known = fit(own, tmp_path / "some", workers=1, ensemble=4).knees
    running, pylon, hybrid = known.table.index
    assert not unknown.differ("cost_j_kg_m", running, pylon)
    assert known.differ("cost_j_kg_m", running, pylon)
    assert not known.differ("cost_j_kg_m", running, hybrid)
    assert len(known.members) == 3 * 5 and np.isfinite(known.table.cost_j_kg_m_low).all()


# --- What is said -----------------------------------------------------------------------------------------


def compared(costs, clearance_mm, draws=4, failed=()):
    """A comparison at 3 m/s of knees with these costs and clearances, each draw a little off, alike."""
    names = {title: f"{title} at 3 m/s" for title in costs}
    rows = {
        names[title]: {
            "speed_m_s": 3.0, "title": title, "today": i == 0, "stride": "",
            "status": "not converged" if title in failed else "converged", "why": "it <fell> over",
            "cost_j_kg_m": cost, "asymmetry_percent": 5.0, "swing_clearance_mm_right": clearance_mm[title],
            "hip_flexion_strength_used_percent_right": 60.0,
            "hip_abduction_strength_used_percent_right": 95.0 - 10 * i, "peak_vgrf_bw_left": 2.5,
        }
        for i, (title, cost) in enumerate(costs.items())
    }  # fmt: skip
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("name")
    numbers = table.select_dtypes("number").columns
    members = pd.concat(
        {m: table.assign(**{c: table[c] + 0.01 * m for c in numbers}) for m in range(draws + 1)}
    )
    members.index = members.index.set_names(["member", "name"])
    members = members.swaplevel().sort_index() if draws else pd.DataFrame()
    return KneeComparison(table.join(intervals(members)), members)


COSTS, CLEAR = {"running knee": 3.0, "pylon": 3.5}, {"running knee": 24.0, "pylon": 6.6}


def test_a_sentence_a_speed_says_which_knee_is_first_in_what():
    text = in_words(compared(COSTS, CLEAR), THIGH)
    assert text.startswith("At 3 m/s cheapest (an order that measurements contradict): running knee;")
    assert (
        "asks least of the hip's strength in abduction: pylon" in text and "first to stumble: pylon." in text
    )
    assert "most even" not in text and "sound leg" not in text  # alike
    failed = in_words(compared(COSTS, CLEAR, failed=("pylon",)), THIGH)
    assert failed == "At 3 m/s the knees do not differ clearly. No stride was found on: pylon."
    assert "do not differ clearly" in in_words(compared(COSTS, CLEAR, draws=0), THIGH)


def test_a_blade_that_passes_too_low_is_named():
    (said,) = catches(compared(COSTS, CLEAR), THIGH)
    assert said.startswith("Pylon at 3 m/s: the blade passes 7 mm over the ground")


def test_the_report_has_one_table_a_speed_with_margins_and_marks(tmp_path):
    from test_report import study, words_of

    found = study(tmp_path)
    case_above = replace(found.case, amputation=THIGH)
    result = replace(found, case=case_above, knees=compared(COSTS, CLEAR, failed=()))
    section = knee_section(result)
    (table,) = section["tables"]
    assert [head["title"] for head in table["heads"]] == list(COSTS)
    cost = table["rows"][0]
    assert [value for value, _ in cost["values"]] == [3.0, 3.5] and all(
        half > 0 for _, half in cost["values"]
    )
    assert cost["least"] == "running knee" and "trained runners spent less" in cost["unconfirmed"]
    assert next(row for row in table["rows"] if row["key"] == "swing_clearance_mm")["untested"]
    text = words_of(write_report(result).read_text(encoding="utf-8"))
    assert "Which knee?" in text and "No knee is recommended" in text and "running knee (worn today)" in text
    assert "Not confirmed by validation" in text and "may catch" in text
    one = found.table.loc[[found.current]]
    alone = replace(result, table=one, recommended=None, comparison=[], indistinct=[])
    text = words_of(write_report(alone).read_text(encoding="utf-8"))
    assert "Knees compared" in text and "from a simulation of 2 knees" in text
