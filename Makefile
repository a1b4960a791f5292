# Two commands need nothing but Python 3.10 or newer, make and git:
#     make search    and    make test
# Both make .venv and install into it once; afterwards .venv/bin/python runs everything directly.

PYTHON ?= python3
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint requirements.lock

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help search test lint format lock clean

help:  ## list the commands
	@echo "make search   install if needed, then search: python tune.py --space gan_balance (options: ARGS='...')"
	@echo "make test     install if needed, then check the code (make lint) and run the tests on all cores (one: ARGS='-n 0')"
	@echo "make lint     ruff, mypy, the import rules and codespell"
	@echo "make format   let ruff rewrite the code"
	@echo "make lock     pin versions anew after a change of pyproject.toml (newest of all: ARGS=--upgrade)"
	@echo "make clean    remove .venv and caches; results stay"
	@echo
	@echo "Another Python:             make search PYTHON=/path/to/python3.12"
	@echo "No GPU (a smaller download): PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu make search"

search: $(VENV)/.installed
	$(BIN)/python tune.py --space gan_balance $(ARGS)

test: lint
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist worksteal $(ARGS)

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# Without ARGS=--upgrade the pins in the file are kept where pyproject.toml still allows them.
lock: | $(VENV)/pyvenv.cfg
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.10 --all-extras --no-header \
	    --annotation-style line $(ARGS) pyproject.toml --output-file requirements.lock
	@{ echo "# The tested versions, made by 'make lock' (uv pip compile --universal --python-version 3.10 --all-extras)."; \
	   echo "# They are constraints, not requirements: pip install -c requirements.lock -e .   installs only what is needed."; \
	   cat requirements.lock; } > requirements.lock.new
	@mv requirements.lock.new requirements.lock

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps: an install is repeated only when pyproject.toml or requirements.lock is newer.
$(VENV)/.installed: pyproject.toml requirements.lock | $(VENV)/pyvenv.cfg
	@echo "Installing into $(VENV) (once; several minutes and up to some gigabytes, most of it torch) ..."
	@$(INSTALL) --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml requirements.lock | $(VENV)/pyvenv.cfg
	@echo "Installing into $(VENV) with the tools for tests (once; several minutes and up to some gigabytes, most of it torch) ..."
	@$(INSTALL) --editable '.[test,dev]'
	@touch $(VENV)/.installed $@

$(VENV)/pyvenv.cfg:
	@command -v $(PYTHON) >/dev/null || { echo "error: no '$(PYTHON)' here; install Python 3.10 or newer, or name it: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "error: $(PYTHON) is older than Python 3.10; name a newer one: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "error: $(PYTHON) lacks the module venv; on Debian and Ubuntu: sudo apt install python3-venv"; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version) ..."
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }
