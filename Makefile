# `make run`, `make check` and `make test` install what they need. Only Python 3.11 or newer has to be there.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PYTEST_ARGS ?=
# Where `make run` listens. See docs/deploy.md before opening it to a network.
ADDRESS ?= 127.0.0.1
PORT ?= 8501
# With more than one, that many processes run behind nginx: see docs/scaling.md.
WORKERS ?= 1
# Each test process starts a stack of its own. Two of them run the browser tests, each with an app and a browser; what
# they leave of two cores is for the others (tests/support/scheduling.py). 0 runs all tests in one process.
TEST_PROCESSES ?= 3
SOAK_SECONDS ?= 900
SOAK_SEED ?= 0
SOAK_PART = $(shell expr $(SOAK_SECONDS) / 4)

PYTEST = $(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder

# Even where the environment forbids it: the tests start Python some hundred times, and each start would compile anew.
export PYTHONDONTWRITEBYTECODE =

.PHONY: run setup check quick-tests test soak lint format bench bench-scale screenshots dist clean browser

run: $(VENV)/.installed
	@$(BIN)/python -m frontend >/dev/null
ifeq ($(WORKERS),1)
	$(BIN)/python -m streamlit run asgi.py --server.address=$(ADDRESS) --server.port=$(PORT)
else
	@$(BIN)/python -m deploy run --workers '$(WORKERS)' --address $(ADDRESS) --port $(PORT)
endif

setup: $(VENV)/.installed-dev browser

# What to run after each change: under 90 seconds on two cores, so lint and tests run at the same time.
check: $(VENV)/.installed-dev
	@$(MAKE) --no-print-directory -j 2 lint quick-tests

# The tests that start no process: no stack, no Postgres, no app, no browser (tests/support/services.py).
quick-tests: $(VENV)/.installed-dev
	$(PYTEST) -q -m 'not services' --hypothesis-profile=quick $(PYTEST_ARGS)

test: setup
	$(PYTEST) $(PYTEST_ARGS)

# Four long tests, each for a quarter of the time: network faults, killed services and apps, tabs that open and
# close, and attackers beside people who work.
# Each prints what it wrote, saw and lost, and the seed that repeats the run (SOAK_SEED=...).
soak: setup
	TAVERN_ORACLE_SECONDS=$(SOAK_PART) TAVERN_ORACLE_SEED=$(SOAK_SEED) \
	TAVERN_STORM_SECONDS=$(SOAK_PART) TAVERN_STORM_SEED=$(SOAK_SEED) TAVERN_SOAK_SECONDS=$(SOAK_PART) \
	TAVERN_HOSTILE_SECONDS=$(SOAK_PART) \
	$(BIN)/python -m pytest -s tests/livetables/test_oracle.py tests/storm/test_kills.py tests/storm/soak_memory.py \
	tests/security/hostile/soak_hostile.py

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup
	$(BIN)/python -m bench

# Live updates with many tabs. The docstring of bench/scale names the settings.
bench-scale: setup
	$(BIN)/python -m bench scale

screenshots: setup
	$(BIN)/python -m bench.screenshots

# The packages that others install, as wheels: packages/ has one folder for each.
dist: $(VENV)/.installed-dev
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation --wheel-dir dist packages/*

browser: $(VENV)/.installed-dev
	$(BIN)/python -m tests.support.chromium

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo 'Tavern needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)'; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt $(wildcard frontend/*.py frontend/*.js) | $(BIN)/python
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -r requirements.txt
	$(BIN)/python -m frontend
	@touch $@

$(VENV)/.installed-dev: requirements.txt requirements-dev.txt $(wildcard frontend/*.py frontend/*.js) | $(BIN)/python
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -r requirements-dev.txt
	$(BIN)/python -m frontend
	@touch $(VENV)/.installed $@
