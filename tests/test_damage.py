"""Studies of which a file was cut, spoilt or deleted anywhere: gone on with, they lose and double nothing."""

import errno
import os
import random
import shutil

import pandas as pd
import pytest

from bladerun.errors import InputError
from bladerun.study import _store, optimise, sweep
from bladerun.study._optuna import JOURNAL, name_of, opened
from bladerun.study.file import study
from fakes.studies import changed, same, search, seeds

pytestmark = pytest.mark.usefixtures("in_process")
places = pytest.mark.parametrize("places", [25, pytest.param(75, marks=pytest.mark.slow)])
"""At which each of the tests below damages a study: 200 in all."""
FEW = study(
    changed(parameters={"height_mm": [20, 30, 40], "toe_out_deg": [0, 5]}, run={"keep_strides": True})
)


def swept(asked, folder, **options):
    return sweep(asked, folder, solver="fakes.solvers:instant", **options).table()


def searched(asked, folder, **options):
    return optimise(asked, folder, solver="fakes.solvers:instant", **options).table()


def stopped(run, asked, folder, rows, copy):
    """What a killed client leaves: a copy of a folder while it works on it, the log of the database too."""

    def look(done, *_):
        if done == rows:
            shutil.copytree(folder, copy, ignore=shutil.ignore_patterns(".lock", ".held"))

    run(asked, folder, progress=look)


def spoil(folder, chance):
    """Cut or delete a file, or put other bytes into its middle; gives what was done."""
    victim = chance.choice(sorted(path for path in folder.rglob("*") if path.is_file()))
    size, how = victim.stat().st_size, chance.choice(["cut", "bytes", "bytes", "delete"])
    at = chance.randrange(size) if size else 0
    if how == "delete":
        victim.unlink()
    elif how == "cut":
        os.truncate(victim, at)
    else:
        with open(victim, "r+b") as file:
            file.seek(at)
            file.write(chance.randbytes(chance.choice([1, 1, 100, 4096])))
            file.truncate(size)
    return f"{how} {victim.relative_to(folder)} at {at} of {size}"


def equal(found, expected, what):
    """The same rows; but one that is solved again may have begun from nothing, which costs a little less."""
    less = expected.cost_of_transport_j_kg_m - found.cost_of_transport_j_kg_m
    assert (less.round(9).isin([0.0, 0.001])).all(), what
    columns = ["cost_of_transport_j_kg_m", "visits"]
    pd.testing.assert_frame_equal(
        same(found).drop(columns=columns), same(expected).drop(columns=columns), obj=what
    )


@places
def test_a_sweep_whose_files_are_spoilt_anywhere_goes_on(places, tmp_path, capsys):
    expected, chance = swept(FEW, tmp_path / "whole"), random.Random(places)
    for rows in (2, 4):
        stopped(swept, FEW, tmp_path / f"of{rows}", rows, tmp_path / f"stopped{rows}")
    sources = [tmp_path / name for name in ("whole", "stopped2", "stopped4")]
    for _ in range(places):
        folder = shutil.copytree(chance.choice(sources), tmp_path / "spoilt")
        what = spoil(folder, chance)
        equal(swept(FEW, folder), expected, what)
        assert list(pd.read_parquet(folder / _store.TABLE).number) == list(range(6)), what
        assert not seeds(folder), what
        assert {path.read_bytes() for path in (folder / "strides").iterdir()} == {b"seed"}, what
        assert len(list((folder / "strides").iterdir())) == 6, what
        if chance.random() < 0.2:
            capsys.readouterr()
            again = swept(FEW, folder)
            assert "mended" not in capsys.readouterr().err, what
            equal(again, expected, what)
        shutil.rmtree(folder)


@places
def test_a_search_whose_files_are_spoilt_anywhere_goes_on(places, tmp_path, capsys):
    asked, chance = search(), random.Random(places)
    expected = searched(asked, tmp_path / "whole")
    stopped(searched, asked, tmp_path / "of2", 2, tmp_path / "stopped2")
    for _ in range(places):
        source = chance.choice([tmp_path / "whole", tmp_path / "stopped2"])
        folder = shutil.copytree(source, tmp_path / "spoilt")
        before = _rows(folder)
        what = spoil(folder, chance)
        table = searched(asked, folder)
        trials = opened(asked, folder, None, name_of(asked)).get_trials()
        assert [trial.state.name for trial in trials] == ["COMPLETE"] * 4, what
        assert list(table.number) == [0, 1, 2, 3] and table.identity.is_unique, what
        assert [t.values[0] for t in trials] == list(table.cost_of_transport_j_kg_m), what
        assert [t.params["height_mm"] for t in trials] == list(table.height_mm), what
        if source.name == "whole":  # what was asked for is not asked for otherwise
            equal(table, expected, what)
        assert source.name == "whole" or len(before) == 2
        if chance.random() < 0.2:
            capsys.readouterr()
            pd.testing.assert_frame_equal(searched(asked, folder), table, obj=what)
            assert "mended" not in capsys.readouterr().err, what
        shutil.rmtree(folder)


def _rows(folder):
    return _store.table(folder, ["number"]).column(0).to_pylist()


def test_a_search_whose_journal_is_cut_anywhere_solves_nothing_again(tmp_path):
    asked, whole = search(search=dict(search().document["search"], trials=3)), tmp_path / "whole"
    before = searched(asked, whole)
    size, chance = (whole / JOURNAL).stat().st_size, random.Random(1)
    for cut in [0, size - 1, *(chance.randrange(size) for _ in range(20))]:
        folder = shutil.copytree(whole, tmp_path / "cut")
        os.truncate(folder / JOURNAL, cut)
        pd.testing.assert_frame_equal(searched(asked, folder), before, obj=f"cut at {cut}")
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


def test_a_journal_that_says_otherwise_than_the_rows_is_told_anew(tmp_path, capsys):
    asked = search()
    before = searched(asked, tmp_path)
    text = (tmp_path / JOURNAL).read_text()
    value = str(before.cost_of_transport_j_kg_m[2])
    assert value in text
    (tmp_path / JOURNAL).write_text(text.replace(value, "1" + value[1:], 1))
    pd.testing.assert_frame_equal(searched(asked, tmp_path), before)
    assert "optuna.journal: mended" in capsys.readouterr().err
    trials = opened(asked, tmp_path, None, name_of(asked)).get_trials()
    assert [t.values[0] for t in trials] == list(before.cost_of_transport_j_kg_m)


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
