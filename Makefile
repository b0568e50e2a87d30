# Two commands for newcomers: `make demo` and `make test`. Each sets up what it needs by itself.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EXTRAS := dev

.PHONY: demo test check lint setup system clean

demo: $(VENV)/.installed
	@$(BIN)/python examples/demo.py

test: system $(VENV)/.installed-$(EXTRAS)
	@$(BIN)/python -m pytest -n auto --cov --cov-report=term

check: lint test

lint: $(VENV)/.installed-$(EXTRAS)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/f0ci validate
	$(BIN)/f0ci generate github --check

setup: $(VENV)/.installed-$(EXTRAS)

# Debian packages that tests use; without the right to install, the tests that need them are skipped and say so
system:
	@sh tools/system_packages.sh

$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "f0ci needs Python 3.11 or newer; set PYTHON=...")'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || sh tools/system_packages.sh python3-venv
	@echo "setting up $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.installed-$(EXTRAS): $(VENV)/.installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$(EXTRAS)]'
	@touch $@

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
