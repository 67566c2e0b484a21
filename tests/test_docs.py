"""The manual and the README: every command parses, every snippet runs, what is listed exists.

Blocks marked `sh` and `python` are taken from the pages themselves. Slow tests run them, page by page, on the
runner of experiments/first-fit.toml with a sweep of two fittings; `make docs` builds the site.
"""

import ast
import builtins
import importlib
import inspect
import re
import shlex
import shutil
import subprocess
import sys
from enum import Enum
from pathlib import Path

import pytest

import bladerun
from bladerun import build_model, cli, load_case
from bladerun.gait.outcomes import OUTCOMES

CHECKOUT = Path(__file__).parents[1]
DOCS = CHECKOUT / "docs"
PAGES = [CHECKOUT / "README.md", *sorted(DOCS.glob("*.md"))]
MAIN = "import sys; from bladerun.cli import main; sys.exit(main())"
READ = [  # what people read besides the pages
    *(CHECKOUT / name for name in ("VALIDATION.md", "CHANGELOG.md")),
    *(path for place in ("models", "experiments/validation") for path in (CHECKOUT / place).rglob("*.toml")),
    *(path for kind in ("html", "js") for path in (CHECKOUT / "sim").rglob(f"*.{kind}")),
    *(CHECKOUT / "notebooks").glob("*.ipynb"),
    *(CHECKOUT / "experiments").rglob("*.py"),
]
PRIVATE = re.compile(  # and what the field says
    r"nobody (gives|holds|drives)"  # residual forces, unactuated
    r"|\b(is|was|are|were) (weighed|minimised)\b"  # the objective
    r"|nobody (known|could|has (measured|published))"  # never measured
    r"|told apart"  # no clear difference
    r"|held against measurements"  # validated
    r"|facts (varied|behind)|varied facts|draws of the facts"  # uncertain inputs
    r"|toe held",  # fixed
    re.IGNORECASE,
)
SMALL = "\n[sweep]\ntoe_out_deg = [0, 5]\n"


def blocks(page, language):
    """The fenced blocks of a page in this language; README's set-up of a new machine is what CI does."""
    found = re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)
    return [block for block in found if "-m venv" not in block]


def lines(page, word):
    """Shell lines of a page that start with this word."""
    shell = "\n".join(blocks(page, "sh")).splitlines()
    return [line for line in shell if line.split()[:1] == [word]]


def _named(pages):
    return pytest.mark.parametrize("page", pages, ids=lambda page: page.stem)


@_named(PAGES)
def test_every_command_parses(page):
    for line in lines(page, "bladerun"):
        assert cli._parser().parse_args(shlex.split(line, comments=True)[1:]).command


@_named(PAGES)
def test_every_make_target_is_there(page):
    makefile = (CHECKOUT / "Makefile").read_text()
    for line in lines(page, "make"):
        assert re.search(rf"^{line.split()[1]}:", makefile, re.M), line


@_named(PAGES)
def test_shell_blocks_hold_nothing_else(page):
    shell = [line for line in "\n".join(blocks(page, "sh")).splitlines() if line.strip()]
    assert {line.split()[0] for line in shell} <= {"bladerun", "make"}


@_named([page for page in PAGES if blocks(page, "python")])
def test_what_snippets_import_is_there(page):
    for block in blocks(page, "python"):
        compile(block, str(page), "exec")
        for module, names in re.findall(r"^from (\S+) import (.+)$", block, re.M):
            for name in names.split(", "):
                assert hasattr(importlib.import_module(module), name)


PARALLEL = {"fit", "sweep", "optimise", "ensemble"}  # start processes, which read the file again
EXAMPLES = [(page, block) for page in PAGES for block in blocks(page, "python")]


@pytest.mark.parametrize(("page", "block"), EXAMPLES, ids=[page.stem for page, _ in EXAMPLES])
def test_an_example_is_a_file_of_its_own(page, block):
    """Every name it uses is its own, and what starts processes is guarded."""
    tree = ast.parse(block)
    used = {each.id for each in ast.walk(tree) if isinstance(each, ast.Name)}
    made = {each.id for each in ast.walk(tree) if isinstance(each, ast.Name) and not _is_read(each)}
    made |= {name.asname or name.name for each in ast.walk(tree) for name in getattr(each, "names", ())}
    assert not used - made - set(dir(builtins)) - {"__name__"}
    loose = [each for line in tree.body if not isinstance(line, ast.If) for each in ast.walk(line)]
    assert not PARALLEL & {
        each.func.id for each in loose if isinstance(each, ast.Call) and _is_name(each.func)
    }


def _is_read(name):
    return isinstance(name.ctx, ast.Load)


def _is_name(called):
    return isinstance(called, ast.Name)


def test_some_examples_start_processes():
    assert len(EXAMPLES) > 5
    assert sum("__main__" in block for _, block in EXAMPLES) >= 2


def test_the_manual_says_which_viewers_open_the_model():
    """Springs that stiffen came with MuJoCo 3.7: 3.6 says that `stiffness` has too much data."""
    case = load_case(CHECKOUT / "experiments" / "first-fit.toml")
    xml = build_model(case.runner, case.amputation, case.fitting).xml
    assert re.search(r'stiffness="\S+ \S+', xml)
    page = (DOCS / "start-research.md").read_text(encoding="utf-8")
    assert "MuJoCo 3.7 or newer" in page and "any MuJoCo viewer" not in page


def test_every_outcome_is_in_the_manual():
    page = (DOCS / "outcomes.md").read_text(encoding="utf-8")
    keys = [row.key for row in OUTCOMES]
    shown = []
    for first, last in re.findall(r"^\{\{ outcomes (\S+) (\S+) \}\}$", page, re.M):
        shown += keys[keys.index(first) : keys.index(last) + 1]
    assert shown == keys


def test_the_python_page_has_every_public_name():
    shown = []
    for path in re.findall(r"^::: (\S+)$", (DOCS / "api.md").read_text(encoding="utf-8"), re.M):
        module, _, name = path.rpartition(".")
        assert getattr(importlib.import_module(module), name) is getattr(bladerun, name)
        assert getattr(bladerun, name).__doc__
        shown.append(name)
    assert sorted([*shown, "__version__"]) == sorted(bladerun.__all__)


def _with_methods():
    """Public functions, classes and those methods of theirs that take more than one argument."""
    for name in sorted(set(bladerun.__all__) - {"OUTCOMES", "__version__"}):
        yield getattr(bladerun, name)
        for method in vars(getattr(bladerun, name)) if inspect.isclass(getattr(bladerun, name)) else ():
            found = getattr(getattr(bladerun, name), method)
            if not method.startswith("_") and inspect.isroutine(found) and len(_arguments(found)) > 1:
                yield found


def _arguments(named):
    if inspect.isclass(named) and issubclass(named, Enum):
        return list(named.__members__)
    if inspect.isclass(named) and not {"__init__", "__new__"} & vars(named).keys():
        return []
    return [name for name in inspect.signature(named).parameters if name != "self"]


def _sections(named):
    """The sections of a docstring: title to the names at their margin."""
    _, *found = re.split(r"^(\w+)\n-+\n", inspect.cleandoc(named.__doc__ or ""), flags=re.M)
    return {
        title: [name for line in re.findall(r"^(\S.*)$", text, re.M) for name in line.split(", ")]
        for title, text in zip(found[::2], found[1::2], strict=True)
    }


@pytest.mark.parametrize("named", list(_with_methods()), ids=lambda named: named.__qualname__)
def test_a_public_name_says_what_it_takes_gives_and_raises(named):
    sections = _sections(named)
    told = sections.get("Parameters", []) + sections.get("Attributes", [])
    assert sorted(told) == sorted(_arguments(named))
    checks = getattr(named, "__post_init__", None) if inspect.isclass(named) else named
    if checks and re.search(r"^ +(raise\b|check\(self\))", inspect.getsource(checks), re.M):
        assert {"InputError", "ModelError", "StartError"} & set(sections.get("Raises", []))
    if inspect.isfunction(named) and "." not in named.__qualname__:
        returned = inspect.signature(named).return_annotation
        assert ("Returns" in sections) == (returned not in (None, "None"))


@_named([*PAGES, *READ])
def test_people_read_the_words_of_the_field(page):
    text = " ".join(page.read_text(encoding="utf-8").split())
    assert not PRIVATE.search(text)


@_named(PAGES)
def test_every_file_that_a_page_names_is_there(page):
    ours = r"`((?:sim|models|tests|docs|experiments/(?:calibration|validation|verification))/[\w./-]*)`"
    for named in re.findall(ours, page.read_text(encoding="utf-8")):
        assert (CHECKOUT / named).exists(), named


def test_a_term_of_the_glossary_says_where_it_stands():
    terms = re.findall(r"^(\w.*)\n((?:[: ]   .*\n)+)", (DOCS / "glossary.md").read_text("utf-8"), re.M)
    assert len(terms) > 40
    assert not [term for term, text in terms if not re.search(r"\]\(\S+\.md|`(sim|models)/", text)]


def test_every_page_is_in_the_menu():
    menu = (CHECKOUT / "mkdocs.yml").read_text(encoding="utf-8")
    for page in DOCS.glob("*.md"):
        assert re.search(rf": {re.escape(page.name)}$", menu, re.M), page.name


@pytest.mark.slow
@_named([page for page in PAGES if lines(page, "bladerun") or blocks(page, "python")])
def test_everything_on_the_page_runs(page, tmp_path):
    (tmp_path / "experiments").mkdir()
    runner = (CHECKOUT / "experiments" / "first-fit.toml").read_text(encoding="utf-8")
    small = runner.partition("\n[sweep]")[0] + SMALL
    (tmp_path / "experiments" / "first-fit.toml").write_text(small, encoding="utf-8")
    for name in ("my-blade.toml", "sweat.toml", "above-the-knee.toml"):
        shutil.copy(CHECKOUT / "experiments" / name, tmp_path / "experiments")
    knees = (CHECKOUT / "experiments" / "which-knee.toml").read_text(encoding="utf-8")
    few = knees.partition("\n[sweep]")[0] + "\n[sweep]\nknee_axis_mm = [0]\n"
    (tmp_path / "experiments" / "which-knee.toml").write_text(few, encoding="utf-8")
    for block in blocks(page, "python"):
        (tmp_path / "example.py").write_text(block, encoding="utf-8")
        done = _python(tmp_path, "example.py")
        assert done.returncode == 0, done.stderr
    for line in lines(page, "bladerun"):
        done = _python(tmp_path, "-c", MAIN, *shlex.split(line, comments=True)[1:])
        assert done.returncode == 0 or "libegl1" in done.stderr, f"{line}\n{done.stderr}"


def _python(folder, *arguments):
    return subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True)
