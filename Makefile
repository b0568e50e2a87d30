# Two commands for newcomers: `make demo` and `make test`. Each sets up what it needs by itself.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test thorough fuzz check lint setup system tools clean

demo: $(VENV)/.installed
	@sh tools/system_packages.sh demo
	@$(BIN)/python examples/demo.py

test: system setup tools
	@$(BIN)/python -m pytest -n auto --dist loadgroup --cov --cov-report=term:skip-covered

# the same, with crash, race and fuzzing proofs repeated as often as the documentation claims; hours
thorough: export F0CI_THOROUGH = 1
thorough: test

# the longer job: libFuzzer on whatever reads what people write; see tests/fuzz/run.py
FUZZ_SECONDS ?= 300
fuzz: setup
	@$(PIP) --editable '.[dev,fuzz]'
	@for target in documents readers natives expressions configurations templates; do \
		echo "fuzzing $$target for $(FUZZ_SECONDS) s"; \
		$(BIN)/python -m tests.fuzz.run $$target -max_total_time=$(FUZZ_SECONDS) -verbosity=0 -print_final_stats=1 || exit 1; \
	done

check: lint test

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/f0ci validate --fail-on note
	$(BIN)/f0ci generate github --check

setup: $(VENV)/.installed-dev

# programs of CI systems that tests run generated pipelines with; without them those tests are skipped and say so
tools: $(VENV)/.installed-tools

$(VENV)/.installed-tools: $(VENV)/.installed-dev tools/node/package-lock.json
	@{ $(PIP) --editable '.[tools]' && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --prefix tools/node --ignore-scripts \
		--no-fund --no-audit --silent && touch $@; } || echo "some programs of CI systems could not be installed;" \
		"tests that run pipelines with them are skipped and say so, and 'make tools' tries again"

# Debian packages that tests use; without the right to install, the tests that need them are skipped and say so
system:
	@sh tools/system_packages.sh test

$(VENV)/.installed: pyproject.toml hatch_build.py $(wildcard f0ci/source/_*.[ch])
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "f0ci needs Python 3.11 or newer; set PYTHON=...")'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || sh tools/system_packages.sh demo python3-venv
	@echo "setting up $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@$(PIP) --editable '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) f0ci/source/_libyaml.*.so tools/node/node_modules dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
