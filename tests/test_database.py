"""A file of entries: all of a change or nothing, and what is left of it where bytes of it are wrong."""

import os
import random
import shutil
import sqlite3
from multiprocessing import get_context

import pytest

from bladerun.errors import InputError
from bladerun.study import _database

DAMAGES = 150
ROWS = {n: f"{n} ".encode() * random.Random(n).randrange(20, 2000) for n in range(40)}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.sqlite"


def filled(path):
    with _database.opened(path) as database, database.transaction():
        for number, value in ROWS.items():
            database.put("row", number, value)
    return path


def test_entries_are_kept_by_kind_and_key(path):
    with _database.opened(path) as database:
        database.put("row", 10, b"ten")
        database.put("row", 9, b"nine")
        database.put("row", 10, b"TEN")
        database.put("seed", "10", b"text")
        database.put("seed", "11", b"")
        database.remove("row", 8)
    with _database.opened(path) as database, _database.reading(path) as seen:
        for each in (database, seen):
            assert list(each.items("row")) == [(9, b"nine"), (10, b"TEN")] and each.keys("seed") == [
                "10",
                "11",
            ]
            assert each.get("seed", "11") == b"" and each.get("seed", 10) is None
        database.remove("row")
        database.remove("seed", "10")
        assert database.keys("row") == [] and database.keys("seed") == ["11"]
        assert seen.keys("row") == [9, 10]  # as it was when the reading began


def test_a_change_is_whole_or_none(path):
    filled(path)
    with _database.opened(path) as database:
        with pytest.raises(KeyboardInterrupt), database.transaction():
            database.put("row", 0, b"new")
            database.remove("row", 1)
            raise KeyboardInterrupt
        with database.transaction():
            database.put("row", 2, b"new")
    with _database.opened(path) as database:
        assert dict(database.items("row")) == ROWS | {2: b"new"}


def test_a_full_disk_is_a_sentence_and_undoes_only_the_last_change(path):
    filled(path)
    with _database.opened(path) as database:
        (pages,) = database._connection.execute("PRAGMA page_count").fetchone()
        database._connection.execute(f"PRAGMA max_page_count = {pages + 3}")
        with (
            pytest.raises(InputError, match="No space left on device; do the same again to go on from here"),
            database.transaction(),
        ):
            database.put("row", 0, b"new")
            database.put("row", 40, bytes(100_000))
        assert dict(database.items("row")) == ROWS


def test_where_it_cannot_be_written_or_read_is_a_sentence(tmp_path):
    for kind, what in ((_database.opened, "written"), (_database.reading, "read")):
        with pytest.raises(InputError, match=f"a.sqlite: cannot be {what}: "), kind(tmp_path / "no/a.sqlite"):
            pass
    with _database.opened(tmp_path / "a.sqlite") as database:
        database._connection.execute("PRAGMA user_version = 2")
    with (
        pytest.raises(InputError, match="newer version of bladerun"),
        _database.opened(tmp_path / "a.sqlite"),
    ):
        pass


def test_a_file_system_without_shared_memory_has_a_rollback_journal(path):
    filled(path)
    os.symlink("no/such/place", f"{path}-shm")  # which SQLite does not follow
    with _database.opened(path) as database:
        database.put("row", 0, b"new")
        assert database._connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    with _database.reading(path) as database:
        assert dict(database.items("row")) == ROWS | {0: b"new"}


def add(path, first):
    with _database.opened(path, check=False) as database:
        for number in range(first, first + 20):
            with database.transaction():
                database.put("row", number, b"%d" % number)


def test_processes_may_write_at_once(path):
    with get_context("spawn").Pool(2) as pool:
        pool.starmap(add, [(path, 0), (path, 100)])
    with _database.reading(path) as database:
        assert database.keys("row") == [*range(20), *range(100, 120)]


def test_an_entry_that_is_not_as_it_was_written_is_none(path, capsys):
    filled(path)
    text = path.read_bytes()
    at = text.index(ROWS[7][:40])
    path.write_bytes(text[:at] + b"8" + text[at + 1 :])
    with _database.opened(path, check=False) as database:
        assert database.get("row", 7) is None and len(dict(database.items("row"))) == 39
        assert not database.mended
    with _database.opened(path) as database:
        assert dict(database.items("row")) == {n: value for n, value in ROWS.items() if n != 7}
        assert "a.sqlite: was damaged and is mended: 39 entries are kept" in database.mended
        assert database.mended.endswith("the damaged file is a.damaged-1.sqlite")
    assert (path.parent / "a.damaged-1.sqlite").exists()


def test_a_damaged_first_page_loses_nothing(path):
    filled(path)
    for junk in (bytes(4096), random.Random(1).randbytes(100)):
        with open(path, "r+b") as file:
            file.write(junk)
        with _database.opened(path) as database:
            assert database.mended and dict(database.items("row")) == ROWS


def test_damage_found_without_a_check_is_a_sentence(path):
    filled(path).write_bytes(b"no database" * 1000)
    with pytest.raises(InputError, match="is damaged; go on with"), _database.opened(path, check=False):
        pass
    with pytest.raises(InputError, match="is damaged; go on with"), _database.reading(path) as database:
        database.keys("row")


def test_bytes_damaged_anywhere_spoil_what_they_belong_to_and_no_more(tmp_path):
    """Of a file that was closed, and of one whose process was killed, with its log."""
    closed, killed, chance = tmp_path / "closed", tmp_path / "killed", random.Random(4)
    closed.mkdir()
    with _database.opened(closed / "a.sqlite") as database:
        for number, value in ROWS.items():
            database.put("row", number, value)
        shutil.copytree(closed, killed)
    kept = []
    for turn in range(DAMAGES):
        source = chance.choice((closed, killed))
        folder = shutil.copytree(source, tmp_path / str(turn))
        victim = folder / chance.choice(sorted(os.listdir(folder)))
        size, length = victim.stat().st_size, chance.choice((1, 1, 512, 4096))
        with open(victim, "r+b") as file:
            file.seek(chance.randrange(size))
            file.write(chance.randbytes(length))
            file.truncate(size)
        with _database.opened(folder / "a.sqlite") as database:
            found = dict(database.items("row"))
            assert found.items() <= ROWS.items()
            if not victim.name.endswith("-wal"):  # what follows damage there was never written, for SQLite
                kept.append(len(found) / len(ROWS))
            for number in ROWS.keys() - found.keys():
                database.put("row", number, ROWS[number])
        with _database.opened(folder / "a.sqlite") as database:
            assert not database.mended and dict(database.items("row")) == ROWS
        shutil.rmtree(folder)
    assert len(kept) > DAMAGES / 2 and sum(kept) / len(kept) > 0.9


def test_what_was_dropped_gives_its_room_back(path):
    with _database.opened(path) as database:
        for number in range(20):
            database.put("seed", number, bytes(100_000))
        database.remove("seed")
        database.shrink()
    assert path.stat().st_size < 100_000
    assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone() == ("ok",)
