# Every target does its own set-up: a fresh Linux machine needs Python >= 3.11, pip and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
LOWEST := $(VENV)-lowest
PIP := $(PYTHON) -m pip --disable-pip-version-check --python $(BIN)/python install --quiet

.PHONY: help app audit fit run lessons docs bench mutants validation test test-slow test-faults test-lessons test-lowest lint check format clean

help:
	@echo "make fit     compare the fittings of experiments/first-fit.toml; ends with the report's path"
	@echo "make app     the page, in the browser"
	@echo "make test    the fast tests"
	@echo "make run     one stride of experiments/first-fit.toml"
	@echo "make lessons  open the lessons in notebooks/ in the browser"
	@echo "make docs    build the manual: site/index.html"
	@echo "make bench   how long a stride takes, how well it repeats, and beside an earlier program (10 minutes)"
	@echo "make mutants  200 random one-line faults in the code: how many the tests notice (hours)"
	@echo "make validation  predictions beside published measurements: VALIDATION.md (about 20 minutes)"
	@echo "make check   lint, format, types and the fast tests"
	@echo "make audit   known vulnerabilities of the newest and the oldest versions that pyproject.toml allows"
	@echo "make lint | test-slow | test-faults | test-lessons | test-lowest | format | clean"

fit: $(VENV)/.installed
	@$(BIN)/bladerun fit experiments/first-fit.toml

app: $(VENV)/.installed
	@$(BIN)/bladerun app

run: $(VENV)/.installed
	@$(BIN)/bladerun run experiments/first-fit.toml

lessons: $(VENV)/.notebooks
	@$(BIN)/jupyter lab --LabApp.news_url=None notebooks

docs: $(VENV)/.docs
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo site/index.html

bench: $(VENV)/.installed
	@$(BIN)/python experiments/benchmarks/stride.py
	@$(BIN)/python experiments/benchmarks/paired.py

# MUTANTS="--number 20 --seed 1": fewer, others.
mutants: $(VENV)/.mutants
	@$(BIN)/python tests/mutants.py $(MUTANTS)

validation: $(VENV)/.installed
	@$(BIN)/bladerun validate
	@cp runs/validation/VALIDATION.md .

test: $(VENV)/.installed
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadgroup

test-slow: $(VENV)/.installed
	$(BIN)/python -m pytest -m slow -n auto --maxprocesses 4

test-faults: $(VENV)/.installed
	$(BIN)/python -m pytest -m faults -n 2 --durations=0 tests/test_faults.py

# Without a Jupyter kernel, whose client now and then waits for it until the time is over; and not as script files,
# which worker processes would run again.
test-lessons: $(VENV)/.notebooks
	@$(BIN)/jupyter nbconvert --log-level WARN --to python --output-dir runs/lessons/scripts notebooks/*.ipynb
	@for lesson in runs/lessons/scripts/*.py; do \
	  echo "$$lesson"; (cd notebooks && MPLBACKEND=agg PYTHONPATH=. "$(abspath $(BIN))/python" -m IPython -c "exec(open('../$$lesson').read())" >../runs/lessons/said.txt 2>&1) \
	    || { tail -n 40 runs/lessons/said.txt; exit 1; }; \
	done

# The oldest versions that pyproject.toml allows; what they compile is kept apart from what others do.
test-lowest: export NUMBA_CACHE_DIR = $(abspath $(LOWEST))/compiled
test-lowest: $(LOWEST)/.installed
	@rm -rf runs/lowest && mkdir -p runs/lowest
	@{ sed '/^\[sweep\]/,$$d' experiments/first-fit.toml; echo '[sweep]'; echo 'height_mm = [20, 30]'; } >runs/lowest/two.toml
	$(LOWEST)/bin/bladerun run experiments/first-fit.toml --out runs/lowest/stride >runs/lowest/stride.txt
	$(LOWEST)/bin/bladerun fit runs/lowest/two.toml --ensemble 0 --out runs/lowest/fit
	$(LOWEST)/bin/python -m pytest $(patsubst %,tests/test_%.py,kernel solver dynamics contact linear mesh muscles tension passive settings)

# Of what is installed, and of the oldest versions that are allowed; asks PyPI, so it needs the network.
audit: $(VENV)/.audit $(VENV)/.installed
	@mkdir -p runs
	@$(BIN)/uv pip compile --quiet --resolution lowest-direct --python-version 3.11 --all-extras pyproject.toml -o runs/lowest.txt
	$(BIN)/pip-audit --skip-editable
	$(BIN)/pip-audit --disable-pip --no-deps -r runs/lowest.txt

check: lint test

lint: $(VENV)/.lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/pyright --pythonpath $(BIN)/python --project tests/user_script.json
	$(BIN)/lint-imports --no-logo

format: $(VENV)/.lint
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) $(LOWEST) build dist runs site .pytest_cache .ruff_cache .hypothesis

# --without-pip, then pip from outside: also works where Debian's python3-venv is missing.
$(BIN)/python:
	@echo "setting up $(VENV) (once, a few minutes)" >&2
	@$(PYTHON) -m venv --without-pip $(VENV)
	@$(PIP) pip

$(VENV)/.installed: pyproject.toml | $(BIN)/python
	@$(PIP) --editable '.[test]'
	@touch $@

$(LOWEST)/.installed: pyproject.toml | $(BIN)/python
	@$(PIP) uv
	@$(BIN)/uv venv --quiet --clear --python 3.11 $(LOWEST)
	@$(BIN)/uv pip install --quiet --python $(LOWEST)/bin/python --resolution lowest-direct --editable '.[test]'
	@touch $@

$(VENV)/.lint: $(VENV)/.installed
	@$(PIP) --editable '.[test,lint]'
	@touch $@

$(VENV)/.audit: | $(BIN)/python
	@$(PIP) pip-audit uv
	@touch $@

$(VENV)/.mutants: $(VENV)/.installed
	@$(PIP) coverage
	@touch $@

$(VENV)/.notebooks: $(VENV)/.installed
	@$(PIP) --editable '.[test,notebooks]'
	@touch $@

$(VENV)/.docs: $(VENV)/.installed
	@$(PIP) --editable '.[test,docs]'
	@touch $@
