"""What people bring: every row of the tables beside this file, and what it must get.

A table is a TOML file: the command, the file that its rows change, and one row a line. A row that cannot be
used must end with exit code 2 and one sentence with the words of `says`, nothing on stdout, nothing written;
one that can be used gets as far as solving (`exit = "solves"`), or done (`exit = 0`), without a traceback.
When a report of a fault comes in, a row is added.

what        the row, in words; its name as a test
change      [old, new]: of the base file's text; `changes`: several of them
plus        text after the base file's; `text`, `hex`: instead of it; `encoding`: saved in it
files       further files, by name; `folders`: empty folders
command     in place of the table's; <ff> stands for a byte that is not UTF-8, <long> for 5000 letters
env         variables of the environment; None is none
real        through the real command line, in a process of its own
"""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from bladerun import cli

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
MAIN = "import sys; from bladerun.cli import main; sys.exit(main())"
TABLES = {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in HERE.glob("*.toml")}
ROWS = [(table, row) for table, content in sorted(TABLES.items()) for row in content["rows"]]
KEYS = {
    "what", "exit", "says", "change", "changes", "plus", "text", "hex", "encoding", "files", "folders",
    "command", "env", "real",
}  # fmt: skip
SOLVERS = (  # what every command comes to once its input was accepted
    "bladerun.stride.solve",
    "bladerun.study.executors.opened",
    "bladerun.forward.verification.verify",
    "bladerun.forward.unadapted.hold",
    "bladerun.show.video.render_video",
    "bladerun.validation.validate",
)


class Solves(Exception):
    """Raised in place of solving."""


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """An empty working directory, where nothing is solved."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)

    def refused(*_, **__):
        raise Solves

    for name in SOLVERS:
        monkeypatch.setattr(name, refused)
    return folder


def test_the_tables_are_well_formed():
    names = [row["what"] for _, row in ROWS]
    assert len(ROWS) >= 200 and len(set(names)) == len(names)
    for _, row in ROWS:
        assert set(row) <= KEYS and (row.get("says") or row.get("exit") == "solves"), row


@pytest.mark.parametrize(("table", "row"), ROWS, ids=[f"{table}: {row['what']}" for table, row in ROWS])
def test_gets_what_it_must(table, row, elsewhere, capfd):
    brought(TABLES[table], row, elsewhere)
    before = files(elsewhere)
    argv = [typed(each) for each in row.get("command", TABLES[table]["command"])]
    if row.get("real"):
        code, out, err = really(argv, row.get("env", {}), elsewhere)
    else:
        code, out, err = here(argv, capfd)
    wanted = row.get("exit", 2)
    assert "Traceback" not in err and code == wanted, err
    if wanted == 2:
        assert out == "" and err.startswith("bladerun: ") and err.count("\n") == 1, (out, err)
        assert row["says"] in err and files(elsewhere) == before
    else:
        assert row.get("says", "") in out + err


def typed(argument):
    return argument.replace("<ff>", os.fsdecode(b"\xff")).replace("<long>", 5000 * "a")


def brought(table, row, folder):
    """Lay the files of a row into the folder."""
    for name in row.get("folders", ()):
        (folder / name).mkdir(parents=True)
    for name, text in {**table.get("files", {}), **row.get("files", {})}.items():
        path = folder / typed(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name in table.get("beside", ()):
        (folder / Path(name).name).write_bytes((CHECKOUT / name).read_bytes())
    if "file" not in table:
        return
    text = (CHECKOUT / table["base"]).read_text(encoding="utf-8") if "base" in table else ""
    for old, new in [*row.get("changes", ()), *([row["change"]] if "change" in row else ())]:
        assert old in text, old
        text = text.replace(old, new, 1)
    text = row.get("text", text) + row.get("plus", "")
    content = bytes.fromhex(row["hex"]) if "hex" in row else text.encode(row.get("encoding", "utf-8"))
    (folder / table["file"]).write_bytes(content)


def here(argv, capfd):
    try:
        code = cli.main(argv)
    except Solves:
        code = "solves"
    except SystemExit as stop:  # as argparse answers --help
        code = stop.code
    return code, *capfd.readouterr()


def really(argv, env, folder):
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT / "sim"), **env}
    done = subprocess.run(
        [sys.executable, "-c", MAIN, *argv], cwd=folder, env=environment, capture_output=True
    )
    return done.returncode, *(text.decode("utf-8", "replace") for text in (done.stdout, done.stderr))


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
