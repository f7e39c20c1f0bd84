# make run and make test set up what they need; nothing has to be installed first but Python >= 3.11.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PYTEST_ARGS ?=
# What fails beside others, on a busy machine, has to pass alone.
# Tests wait more than they compute; each process has a stack, an app and a browser of its own. 0: all in one process.
TEST_PROCESSES ?= 2
SOAK_SECONDS ?= 900
SOAK_SEED ?= 0
SOAK_PART = $(shell expr $(SOAK_SECONDS) / 3)

.PHONY: run setup test soak lint format bench screenshots clean browser

run: $(VENV)/.installed
	$(BIN)/python -m streamlit run asgi.py

setup: $(VENV)/.installed-dev browser

test: setup
	$(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS) \
	  || $(BIN)/python -m pytest -n 0 --last-failed --last-failed-no-failures none $(PYTEST_ARGS)

# Three storms, a third of the time each: faults of the network, killed services and apps, tabs without end. Each prints
# what was written, seen, repaired, lost and foreign, and the seed that repeats it (SOAK_SEED=...).
soak: setup
	TAVERN_ORACLE_SECONDS=$(SOAK_PART) TAVERN_ORACLE_SEED=$(SOAK_SEED) \
	TAVERN_STORM_SECONDS=$(SOAK_PART) TAVERN_STORM_SEED=$(SOAK_SEED) TAVERN_SOAK_SECONDS=$(SOAK_PART) \
	$(BIN)/python -m pytest -s tests/live/test_oracle.py tests/storm/test_kills.py tests/storm/soak_memory.py

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

screenshots: setup
	$(BIN)/python -m bench.screenshots

browser: $(VENV)/.installed-dev
	$(BIN)/python -m tests.support.chromium

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo 'Tavern needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)'; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements.txt requirements-dev.txt | $(BIN)/python
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -r requirements-dev.txt
	@touch $(VENV)/.installed $@
