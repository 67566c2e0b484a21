"""What a study keeps: rows that are there at once, once and whole; and who may see and change them."""

import errno
import json
import os
from threading import Thread

import pandas as pd
import pyarrow.parquet as pq
import pytest

from bladerun import cli
from bladerun.errors import InputError
from bladerun.study import _store
from bladerun.study._sweep import schema
from bladerun.study.file import study
from bladerun.study.status import export
from fakes.studies import ABOUT, GRID, refuse, row, seeds


@pytest.fixture
def columns():
    return schema(study(GRID))


def exported(folder):
    return pd.read_parquet(folder / "outcomes.parquet")


def test_rows_are_there_at_once_and_once(tmp_path, columns):
    with _store.opened(tmp_path, columns, ABOUT, refuse) as store:
        for number in (3, 1, 0, 2, 4):
            store.add(row(number))
            assert number in _store.table(tmp_path, ["number"]).column(0).to_pylist()
        store.add(row(2))
    assert list(exported(tmp_path).number) == list(range(5))
    with _store.opened(tmp_path, columns, ABOUT, refuse) as store:
        assert store.done == set(range(5)) and store.row(3)["identity"] == row(3)["identity"]
        store.add(row(5))
    assert list(exported(tmp_path).number) == list(range(6))
    assert not list(tmp_path.glob("*-wal"))


def test_a_row_and_its_seeds_are_kept_together_or_not_at_all(tmp_path, columns):
    with _store.opened(tmp_path, columns, ABOUT, refuse) as store:
        store.add(row(0), seeds={"0 0": b"start"})
        assert store.seed("0 0") == b"start" and store.seed("1 1") is None
        with pytest.raises(TypeError):
            store.add(row(1), seeds={"1 1": b"other", "0 0": None, "2 2": object()})
        assert store.done == {0} and store.seeds() == ["0 0"]
        store.add(row(1), seeds={"1 1": b"other", "0 0": None})
    assert list(exported(tmp_path).number) == [0, 1] and seeds(tmp_path) == ["1 1"]


def test_a_lost_row_is_shown_and_tried_again(tmp_path, columns):
    with _store.opened(tmp_path, columns, ABOUT, refuse) as store:
        store.add(row(0))
        store.add(row(1) | {"status": "lost"}, again=True)
        store.add(row(2))
        assert store.done == {0, 2}
    assert list(exported(tmp_path).status) == ["converged", "lost", "converged"]
    assert len(_store.table(tmp_path)) == 3
    with _store.opened(tmp_path, columns, ABOUT, refuse) as store:
        assert store.done == {0, 2} and len(_store.table(tmp_path)) == 2
        store.add(row(1))
    assert set(exported(tmp_path).status) == {"converged"}


def test_a_reader_sees_whole_rows_while_they_are_written(tmp_path, columns):
    with _store.opened(tmp_path, columns, ABOUT, refuse) as store:
        writer = Thread(target=lambda: [store.add(row(i)) for i in range(150)])
        writer.start()
        seen = [0]
        while writer.is_alive():
            numbers = _store.table(tmp_path, ["number"]).column(0).to_pylist()
            assert numbers == list(range(len(numbers)))
            seen.append(len(numbers))
        writer.join()
    assert seen == sorted(seen) and len(_store.table(tmp_path)) == 150


def test_another_study_or_program_is_refused(tmp_path, columns):
    with _store.opened(tmp_path, columns, ABOUT, refuse):
        pass
    for other, words in (({"study": {"x": 2}}, "another study"), ({"program": "q"}, "another version")):
        with pytest.raises(InputError, match=words), _store.opened(tmp_path, columns, ABOUT | other, refuse):
            pass


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (
            ("rows.jsonl", "manifest.json", "outcomes.parquet/part-0000003.parquet"),
            "of an earlier program; give",
        ),
        (("outcomes.parquet/lost.parquet",), "of an earlier program; give another --out, or delete it"),
        (("outcomes.parquet",), "holds other results; give another --out"),
    ],
)
def test_a_folder_of_something_else_is_refused_and_stays(files, words, tmp_path, columns, capsys):
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    with pytest.raises(InputError, match=words), _store.opened(tmp_path, columns, ABOUT, refuse):
        pass
    assert all((tmp_path / name).read_text() == "{}" for name in files)
    for command in ("status", "plot", "table"):
        assert cli.main([command, str(tmp_path)]) == 2
        assert words in capsys.readouterr().err


def test_units_are_in_the_table_and_what_is_missing_is_nan(tmp_path, columns):
    with _store.opened(tmp_path, columns, ABOUT, refuse) as store:
        store.add(row(0) | {"objective": 1.5})
    for found in (pq.read_schema(tmp_path / "outcomes.parquet"), _store.table(tmp_path).schema):
        assert found.equals(columns, check_metadata=True)
        assert found.field("stride_time_s").metadata == {b"unit": b"s"}
    (only,) = exported(tmp_path).to_dict("records")
    assert (
        only["objective"] == 1.5 and only["stride_time_s"] != only["stride_time_s"] and pd.isna(only["why"])
    )


def test_the_table_is_written_on_request_while_others_are_at_it(tmp_path, columns, monkeypatch, capsys):
    monkeypatch.setattr(_store, "_AT_ONCE", 2)
    with _store.opened(tmp_path, columns, ABOUT, refuse) as store:
        for number in range(5):
            store.add(row(number))
        assert not (tmp_path / "outcomes.parquet").exists()
        assert export(tmp_path) == tmp_path / "outcomes.parquet"
        assert list(exported(tmp_path).number) == list(range(5))
        store.add(row(5))
        assert cli.main(["table", str(tmp_path)]) == 0
        assert capsys.readouterr().out.strip() == str(tmp_path / "outcomes.parquet")
        assert list(exported(tmp_path).number) == list(range(6))


def test_the_table_is_written_where_a_study_is_interrupted(tmp_path, columns):
    with pytest.raises(KeyboardInterrupt), _store.opened(tmp_path, columns, ABOUT, refuse) as store:
        store.add(row(0))
        raise KeyboardInterrupt
    assert list(exported(tmp_path).number) == [0]


def test_what_the_study_is_stands_in_a_file_for_people_that_nothing_needs(tmp_path, columns):
    with _store.opened(tmp_path, columns, ABOUT, refuse) as store:
        store.add(row(0))
    told = json.loads((tmp_path / "manifest.json").read_text())
    assert told == _store.manifest(tmp_path) and told["study"] == {"x": 1} and told["gone_on"] == []
    for text in ("{", ""):
        (tmp_path / "manifest.json").write_text(text)
        with _store.opened(tmp_path, columns, ABOUT, refuse) as store:
            assert store.done == {0}
    told = json.loads((tmp_path / "manifest.json").read_text())
    assert len(told["gone_on"]) == 2


def test_rows_of_which_nobody_knows_the_study_are_none(tmp_path, columns, capsys):
    with _store.opened(tmp_path, columns, ABOUT, refuse) as store:
        store.add(row(0), seeds={"0 0": b"start"})
    for lost, done in (((), {0}), (("manifest.json",), set())):
        with _store._database.opened(tmp_path / _store.DATABASE) as database:
            database.remove(_store._ABOUT)
        for name in lost:
            (tmp_path / name).write_text("{")
        with _store.opened(tmp_path, columns, ABOUT, refuse) as store:
            assert store.done == done
        assert "rows that it lacks are solved again" in capsys.readouterr().err
    assert not seeds(tmp_path)


def test_a_stride_that_is_damaged_or_gone_takes_its_row_with_it(tmp_path, columns, capsys):
    with _store.opened(tmp_path, columns, ABOUT, refuse) as store:
        for number in range(4):
            store.add(row(number), stride=bytes([number]) * 100)
        store.add(row(4))
    strides = tmp_path / "strides"
    (strides / "1.nc").unlink()
    (strides / "2.nc").write_bytes(bytes([2]) * 50 + b"x" + bytes([2]) * 49)
    (strides / ".9-1234abcd.nc").write_bytes(b"half")
    with _store.opened(tmp_path, columns, ABOUT, refuse) as store:
        assert store.done == {0, 3, 4}
        for number in (1, 2):
            store.add(row(number), stride=b"again")
    said = capsys.readouterr().err
    assert said.count("mended") == 1 and "solved again; rows: 2" in said
    assert sorted(os.listdir(strides)) == ["0.nc", "1.nc", "2.nc", "3.nc"]
    with _store.opened(tmp_path, columns, ABOUT, refuse) as store:
        assert store.done == set(range(5))
    assert not capsys.readouterr().err


def test_a_folder_may_be_called_as_one_likes(tmp_path, monkeypatch, columns):
    monkeypatch.chdir(tmp_path)
    for name in ("run1:a", "s3:b", "a b%20c", "#?&*[1]"):
        with _store.opened(name, columns, ABOUT, refuse) as store:
            store.add(row(0))
            assert store.row(0)["number"] == 0
        with _store.opened(name, columns, ABOUT, refuse) as store:
            assert store.done == {0}
        assert len(_store.table(name)) == 1 and (tmp_path / name / "outcomes.parquet").is_file()


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_worked_on_by_one_at_a_time(tmp_path, monkeypatch, columns, code):
    def none(*_, **__):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("bladerun.study._lock.FileLock.acquire", none)
    with _store.opened(tmp_path, columns, ABOUT, refuse) as store:
        store.add(row(0))
        again = _store.opened(tmp_path, columns, ABOUT, refuse)
        with pytest.raises(InputError, match="is in use by process"), again:
            pass
    with _store.opened(tmp_path, columns, ABOUT, refuse) as store:
        assert store.done == {0}
