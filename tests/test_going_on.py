"""Studies gone on with: files cut anywhere, more of the same, and what is said of something else."""

import errno
import json
import os
import random
import shutil
from contextlib import nullcontext

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from bladerun.errors import InputError
from bladerun.study import _store, executors, optimise, sweep
from bladerun.study._search import JOURNAL, name_of, opened
from bladerun.study.file import study
from test_sweep import GRID, changed, row, same

CUTS = 200


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """Everything in this process, and no waiting for a disk."""
    monkeypatch.setattr(executors, "opened", lambda *_, **__: nullcontext(executors._Here()))
    monkeypatch.setattr(os, "fsync", lambda _: None)
    monkeypatch.setattr(_store, "_PACKAGES", ())


def search(**sections):
    return study(
        {
            "base": GRID["base"],
            "parameters": {"height_mm": {"low": 20, "high": 40}, "toe_out_deg": [0, 5, 10]},
            "search": {"trials": 4, "sampler": "random", "minimise": "cost_of_transport_j_kg_m",
                       "subject_to": ["|psis_difference_mm| < 4"]},
            **sections,
        }
    )  # fmt: skip


def searched(asked, folder):
    return optimise(asked, folder, solver="fakes.solvers:instant").table()


def grown(folder, document):
    return sweep(study(document), folder, solver="fakes.solvers:instant").table()


# --- Cut anywhere -----------------------------------------------------------------------------------------


def test_a_search_whose_journal_is_cut_anywhere_goes_on_and_loses_nothing(tmp_path):
    asked, whole = search(search=dict(search().document["search"], trials=3)), tmp_path / "whole"
    before = searched(asked, whole)
    for part in (whole / "outcomes.parquet").iterdir():  # as where the client was ended
        part.unlink()
    kept = [json.dumps(each) + "\n" for each in before.to_dict("records")]
    (whole / "rows.jsonl").write_text("".join(kept))
    size, chance = (whole / JOURNAL).stat().st_size, random.Random(1)
    for cut in [0, size - 1, *(chance.randrange(size) for _ in range(CUTS - 2))]:
        folder = tmp_path / "cut"
        shutil.copytree(whole, folder)
        os.truncate(folder / JOURNAL, cut)
        after = searched(asked, folder)
        pd.testing.assert_frame_equal(after, before, obj=f"cut at {cut}")  # nothing solved again
        trials = opened(asked, folder, None, name_of(asked)).get_trials()
        assert [trial.state.name for trial in trials] == ["COMPLETE"] * 3
        assert [t.values[0] for t in trials] == list(before.cost_of_transport_j_kg_m)
        assert [t.params["height_mm"] for t in trials] == pytest.approx(list(before.height_mm))
        shutil.rmtree(folder)


def test_a_journal_that_was_written_on_behind_a_cut_is_gone_on_with(tmp_path):
    asked = search()
    before = searched(asked, tmp_path)
    text = (tmp_path / JOURNAL).read_bytes()
    third = text.split(b"\n")[9]
    (tmp_path / JOURNAL).write_bytes(text.replace(third + b"\n", third[:20], 1))
    pd.testing.assert_frame_equal(searched(asked, tmp_path), before)


def test_a_full_disk_in_mid_search_is_a_sentence_and_room_is_enough_to_go_on(tmp_path, monkeypatch):
    asked, journal = search(), tmp_path / JOURNAL
    with monkeypatch.context() as full:

        def no_room(_):
            if journal.stat().st_size > 1500:
                os.truncate(journal, journal.stat().st_size - 7)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        full.setattr(os, "fsync", no_room)
        with pytest.raises(InputError, match="No space left on device; do the same again"):
            searched(asked, tmp_path)
    assert len(searched(asked, tmp_path)) == 4


def test_newest_rows_that_are_cut_anywhere_lose_only_the_unfinished_one(tmp_path):
    columns = pa.schema([("number", pa.int64()), ("identity", pa.string())])
    lines = [json.dumps(row(number)) + "\n" for number in range(8)]
    text, chance = "".join(lines).encode(), random.Random(2)
    for cut in [0, len(text), *(chance.randrange(len(text)) for _ in range(CUTS - 2))]:
        whole, folder = text[:cut].count(b"\n"), tmp_path / str(cut)
        (folder / "outcomes.parquet").mkdir(parents=True)
        (folder / "rows.jsonl").write_bytes(text[:cut])
        store = _store.Store(folder, columns, [])
        assert store.done - {whole} == set(range(whole))
        for number in set(range(8)) - store.done:
            store.add(row(number))
        store.close()
        table = pd.read_parquet(folder / "outcomes.parquet")
        assert sorted(table.number) == list(range(8))
        shutil.rmtree(folder)


def test_newest_rows_with_bytes_that_are_no_text_are_left_out(tmp_path):
    (tmp_path / "rows.jsonl").write_bytes(json.dumps(row(0)).encode() + b"\n\xff\xfe\x00\n7\n{}\n")
    assert [each["number"] for each in _store.newest(tmp_path)] == [0]


# --- More of the same -------------------------------------------------------------------------------------


def test_more_trials_go_on(tmp_path):
    few = searched(search(), tmp_path)
    more = dict(search().document["search"], trials=7)
    many = searched(search(search=more), tmp_path)
    assert len(many) == 7
    pd.testing.assert_frame_equal(many[:4], few)


def test_more_values_of_a_grid_go_on_with_the_rows_that_are_there(tmp_path):
    small = changed(parameters={"height_mm": [20, 30], "toe_out_deg": [0, 5]})
    large = changed(parameters={"height_mm": [20, 25, 30.0], "toe_out_deg": [0, 5, 10]})
    first = grown(tmp_path, small)
    both = grown(tmp_path, large)
    assert len(both) == 9 and both.number.tolist() == list(range(9)) and both.identity.is_unique
    pd.testing.assert_frame_equal(both[:4], first)
    assert set(zip(both.height_mm, both.toe_out_deg, strict=True)) == {
        (h, t) for h in (20, 25, 30) for t in (0, 5, 10)
    }
    pd.testing.assert_frame_equal(grown(tmp_path, large), both)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["rows"] == 9 and len(manifest["grown_from"]) == 1


def test_a_study_that_was_not_done_grows_twice_and_with_new_runners(tmp_path):
    ann, bob = {"name": "ann", "mass_kg": "60"}, {"name": "bob", "mass_kg": "80"}
    first = changed(parameters={"height_mm": [20, 30]}, cohort=[ann], run={"ensemble": 1})
    second = changed(parameters={"height_mm": [20, 30, 35]}, cohort=[ann], run={"ensemble": 1})
    third = changed(parameters={"height_mm": [15, 20, 30, 35]}, cohort=[ann, bob], run={"ensemble": 1})

    def stop(done, *_):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(study(first), tmp_path, solver="fakes.solvers:instant", progress=stop)
    assert len(grown(tmp_path, second)) == 6
    table = grown(tmp_path, third)
    assert table.number.tolist() == list(range(16)) and table.identity.is_unique
    assert not list((tmp_path / "seeds").iterdir())
    fresh = grown(tmp_path.parent / "fresh", third)
    keys = ["runner", "height_mm", "member"]
    a, b = (each.set_index(keys).sort_index() for each in (table, fresh))
    np.testing.assert_array_equal(a.objective, b.objective)
    assert list(a.identity) == list(b.identity)


def test_more_points_of_a_sobol_design_go_on(tmp_path):
    parameters = {"height_mm": {"low": 20, "high": 40}}
    four, six = (changed(parameters=parameters, design={"kind": "sobol", "count": count}) for count in (4, 6))
    first, both = grown(tmp_path, four), grown(tmp_path, six)
    pd.testing.assert_frame_equal(both[:4], first)
    assert len(both) == 6


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (changed(environment={"ground": {"friction": 0.7}}), r"\[environment\] ground.friction is 0.8 there"),
        (changed(environment={"ground": {"friction": 0.8}}, run={"ensemble": 1}), r"\[run\] ensemble"),
        (
            changed(parameters={"height_mm": [20, 25], "toe_out_deg": [0]}),
            r"height_mm is \[20, 30\] there and \[20, 25\] here; points may be added, none taken away",
        ),
        (changed(parameters={"toe_out_deg": [0], "height_mm": [20, 30]}), "another study"),
        (changed(parameters={"height_mm": [20, 30], "speed_m_s": [3.0]}), r"\[parameters\] toe_out_deg"),
        (changed(task={"speed_m_s": 3.1}), r"\[task\] speed_m_s is 3.3 there and 3.1 here"),
    ],
)
def test_what_differs_is_said(document, said, tmp_path):
    base = {"environment": {"ground": {"friction": 0.8}}}
    held = changed(parameters={"height_mm": [20, 30], "toe_out_deg": [0]}, **base)
    table = grown(tmp_path, held)
    with pytest.raises(InputError, match=said) as error:
        given = {key: value for key, value in document.items() if value != GRID.get(key)}
        grown(tmp_path, {**held, **given})
    assert str(tmp_path) in str(error.value) and "\n" not in str(error.value)
    pd.testing.assert_frame_equal(same(grown(tmp_path, held)), same(table))


def test_a_runner_who_is_changed_is_named(tmp_path):
    def of(**about):
        return changed(parameters={"height_mm": [20]}, cohort=[{"name": "ann", **about}])

    grown(tmp_path, of(mass_kg="60"))
    with pytest.raises(InputError, match=r"\[cohort\] ann.mass_kg is '60' there and '61' here"):
        grown(tmp_path, of(mass_kg="61"))
    with pytest.raises(InputError, match=r"\[cohort\] ann.height_m is not set there and '1.7' here"):
        grown(tmp_path, of(mass_kg="60", height_m="1.7"))


def test_another_aim_of_a_search_is_said(tmp_path):
    searched(search(), tmp_path)
    other = dict(search().document["search"], minimise="objective")
    with pytest.raises(InputError, match=r"\[search\] minimise is 'cost_of_transport_j_kg_m' there"):
        searched(search(search=other), tmp_path)
