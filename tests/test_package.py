"""The package: public names, the facts it carries, and the wheel that people install."""

import ast
import importlib
import importlib.util
import json
import operator
import pickle
import pydoc
import re
import subprocess
import sys
import tomllib
import zipfile
from copy import deepcopy
from pathlib import Path

import pytest

import bladerun
from bladerun._lib import data_files
from bladerun.gait.outcomes import OUTCOMES
from bladerun.study.recommend import weights

CHECKOUT = Path(__file__).parents[1]
PACKAGE = CHECKOUT / "sim" / "bladerun"
MODULES = [
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts) for path in sorted(PACKAGE.rglob("*.py"))
]


def test_every_public_name_is_there():
    for name in bladerun.__all__:
        assert getattr(bladerun, name) is not None


def test_help_lists_every_public_name():
    text = pydoc.plain(pydoc.render_doc(bladerun))
    missing = [name for name in bladerun.__all__ if not re.search(rf"^    (class )?{name}\b", text, re.M)]
    assert missing == ["__version__"]  # which stands there as VERSION
    assert dir(bladerun) == sorted(bladerun.__all__)


def test_no_public_name_is_that_of_a_module():
    modules = {path.stem for path in PACKAGE.iterdir()}
    assert not modules & set(bladerun.__all__)


def test_a_name_that_is_not_there_says_so():
    with pytest.raises(AttributeError, match="'bladerun' has no attribute 'outcome'"):
        _ = bladerun.outcome


def test_a_user_script_with_every_public_name_is_strictly_typed():
    script = CHECKOUT / "tests" / "user_script.py"
    used = {node.attr for node in ast.walk(ast.parse(script.read_text())) if isinstance(node, ast.Attribute)}
    used |= {node.name for node in ast.walk(ast.parse(script.read_text())) if isinstance(node, ast.alias)}
    assert used >= set(bladerun.__all__)
    if importlib.util.find_spec("pyright") is None:
        pytest.skip("pyright is not installed: make lint checks the script")
    command = [sys.executable, "-m", "pyright", "--project", script.with_suffix(".json")]
    done = subprocess.run([*command, "--pythonpath", sys.executable], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_whatever_goes_wrong_can_be_caught_as_one():
    with pytest.raises(bladerun.BladerunError) as caught:
        bladerun.load_blade("j-sprimt")
    assert isinstance(caught.value, bladerun.InputError) and isinstance(caught.value, ValueError)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.key) == (str(caught.value), "blade")


@pytest.mark.parametrize("name", MODULES)
def test_every_module_says_what_it_is(name):
    inside = name.rpartition(".")[2].startswith("_")
    module = importlib.import_module(f"bladerun.{name}".removesuffix(".__init__"))
    assert module.__doc__ and len(module.__doc__.strip().splitlines()) >= (1 if inside else 3)
    for public in getattr(module, "__all__", ()):
        assert hasattr(module, public)


def test_a_function_fits_on_a_screen_and_a_file_in_a_sitting():
    """Without docstrings, which may be long."""
    functions, files = {}, {}
    for path in PACKAGE.rglob("*.py"):
        text, name = path.read_text(encoding="utf-8"), path.relative_to(PACKAGE).as_posix()
        tree = ast.parse(text)
        said = {id(node): _docstring_lines(node) for node in ast.walk(tree)}
        files[name] = len(text.splitlines()) - sum(said.values())
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                functions[f"{name}: {node.name}"] = node.end_lineno - node.lineno + 1 - said[id(node)]
    assert len(functions) > 1000
    assert not {name: lines for name, lines in functions.items() if lines > 60}
    assert not {name: lines for name, lines in files.items() if lines > 400}


def _docstring_lines(node):
    named = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    if not named or ast.get_docstring(node) is None:
        return 0
    return node.body[0].end_lineno - node.body[0].lineno + 1


def test_private_names_in_words_are_names_that_exist():
    """`_name` in a docstring or comment: a module of the same room, or a name of the same file."""
    gone = []
    for path in PACKAGE.rglob("*.py"):
        text, room = path.read_text(encoding="utf-8"), {other.stem for other in path.parent.iterdir()}
        without = re.sub(r"`_\w+", "", text)
        gone += [
            f"{path.name}: {name}"
            for name in re.findall(r"`(_[a-z]\w*)[`.]", text)
            if name not in room and not re.search(rf"\b{name}\b|{name}[\"']", without)
        ]
    assert not gone


def test_one_version_everywhere():
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    assert project["version"] == bladerun.__version__
    assert f"\nversion: {bladerun.__version__}\n" in (CHECKOUT / "CITATION.cff").read_text()
    assert f"\n## {bladerun.__version__}" in (CHECKOUT / "CHANGELOG.md").read_text()


def test_one_blas_thread_before_numpy_loads():
    code = "import bladerun, sys, os; print('numpy' in sys.modules, os.environ['OPENBLAS_NUM_THREADS'])"
    environment = {"PATH": ""}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.stdout.split() == ["False", "1"]


def test_every_table_of_facts_can_be_read():
    files = [path.relative_to(data_files.models_dir()) for path in data_files.models_dir().rglob("*.toml")]
    assert len(files) > 4
    for file in files:
        assert data_files.toml(file.as_posix())


CHANGES = {
    "set": lambda facts: facts.__setitem__("fraction", 2.0),
    "delete": lambda facts: facts.__delitem__("fraction"),
    "update": lambda facts: facts.update(fraction=2.0),
    "merge": lambda facts: operator.ior(facts, {"fraction": 2.0}),
    "default": lambda facts: facts.setdefault("new", 2.0),
    "pop": lambda facts: facts.pop("fraction"),
    "pop one": lambda facts: facts.popitem(),
    "clear": lambda facts: facts.clear(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_facts_cannot_be_changed(change):
    facts = data_files.toml("body.toml")["reserve"]
    before = dict(facts)
    with pytest.raises(TypeError, match="cannot be changed"):
        change(facts)
    assert facts == before and isinstance(facts["joints"], tuple)


def test_facts_are_the_file():
    facts = data_files.toml("replay.toml")
    written = tomllib.loads((data_files.models_dir() / "replay.toml").read_text(encoding="utf-8"))
    assert json.loads(json.dumps(facts)) == written
    assert deepcopy(facts) == pickle.loads(pickle.dumps(facts)) == facts


def test_the_readme_shows_the_file_that_is_shipped():
    readme = (CHECKOUT / "README.md").read_text()
    shown = tomllib.loads(readme.partition("```toml\n")[2].partition("```")[0])
    assert shown == tomllib.loads((CHECKOUT / "experiments" / "first-fit.toml").read_text())


WITHOUT_KNOWN_HOLES = {  # by the advisories of GitHub and PyPI: the first version without them
    "starlette": "1.3.1",  # CVE-2025-62727, CVE-2026-48710, CVE-2026-54282, CVE-2026-54283
    "jinja2": "3.1.6",  # CVE-2025-27516
    "pyarrow": "23.0.1",  # CVE-2026-25087
    "distributed": "2026.1",  # CVE-2026-23528
    "filelock": "3.20.3",  # CVE-2025-68146, CVE-2026-22701
    "fonttools": "4.60.2",  # CVE-2025-66034
    "pytest": "9.0.3",  # CVE-2025-71176
    "jupyterlab": "4.6.2",  # CVE-2026-73415, CVE-2026-73417, CVE-2026-73627
    "nbconvert": "7.17",  # CVE-2025-53000
}


def test_lower_bounds_leave_out_known_holes():
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    asked = [*project["dependencies"], *(each for extra in extras for each in extra)]
    lowest = dict(re.findall(r"^([\w-]+)(?:\[\w+\])?>=([\d.]+)$", "\n".join(asked), re.M))
    for name, version in WITHOUT_KNOWN_HOLES.items():
        assert [*map(int, lowest[name].split("."))] >= [*map(int, version.split("."))], name


def test_the_readme_names_every_command():
    from bladerun import cli

    commands = cli._parser()._subparsers._group_actions[0].choices
    readme = (CHECKOUT / "README.md").read_text()
    assert all(f"`bladerun {command}" in readme for command in commands)


@pytest.mark.slow
def test_the_wheel_carries_its_facts_and_works_alone(tmp_path):
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", tmp_path, CHECKOUT], check=True)
    (wheel,) = tmp_path.glob("bladerun-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        archive.extractall(tmp_path / "site")
    facts = {path.relative_to(CHECKOUT) for path in (CHECKOUT / "models").rglob("*") if path.is_file()}
    assert {f"bladerun/{fact.as_posix()}" for fact in facts} <= names
    assert {"bladerun/py.typed", "bladerun/__init__.pyi"} <= names
    assert not [name for name in names if "test" in name]

    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); from bladerun import cli; "
        "from bladerun._lib import data_files; print(data_files.models_dir(), file=sys.stderr); "
        "sys.exit(cli.main(['catalog', '--json']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert Path(done.stderr.strip()) == tmp_path / "site" / "bladerun" / "models"
    assert len(json.loads(done.stdout)["blades"]) >= 2


SCRIPTS = sorted((CHECKOUT / "experiments").rglob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_imports_what_there_is(script):
    nodes = ast.walk(ast.parse(script.read_text(encoding="utf-8")))
    asked = [each for each in nodes if isinstance(each, ast.ImportFrom) and each.module is not None]
    for each in asked:
        if each.module.split(".")[0] == "bladerun":
            module = importlib.import_module(each.module)
            lacking = [name.name for name in each.names if not hasattr(module, name.name)]
            assert all(importlib.util.find_spec(f"{each.module}.{name}") for name in lacking), lacking


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_shows_outcomes_that_there_are(script):
    known = {row.key for row in OUTCOMES} | {row["key"] for row in weights()["tradeoff"]}
    for node in ast.parse(script.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in ("SHOWN", "MAIN"):
            keys = ast.literal_eval(node.value)
            assert [
                key for key in keys if key.removesuffix("_left").removesuffix("_right") not in known
            ] == []


def test_scripts_were_found():
    assert len(SCRIPTS) > 5
