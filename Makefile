# Everything a person does with this checkout. CI and the README call the same targets.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= auto
# As everywhere, a variable that is set and empty is unset.
ifeq ($(strip $(LLMA_DATA_DIR)),)
override LLMA_DATA_DIR := $(CURDIR)/.llma
endif
ifeq ($(strip $(DAGSTER_HOME)),)
override DAGSTER_HOME := $(LLMA_DATA_DIR)/dagster
endif
export LLMA_DATA_DIR DAGSTER_HOME

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

# Pinned versions with the hashes of their files, wheels only: no other file is installed, and none runs code while it
# is. What is imported is compiled then: most of it never is. The stamp makes later calls start at once.
$(VENV)/installed: pyproject.toml requirements.lock
	$(PYTHON) -c 'import sys; assert (3, 11) <= sys.version_info[:2] <= (3, 13), "Python 3.11 to 3.13 is needed; name one by: make PYTHON=python3.12"'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes --no-deps --only-binary :all: --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

.PHONY: install
install: $(VENV)/installed ## Install everything into .venv

.PHONY: demo
demo: install ## Write sample traffic, run the whole graph, print each team's clusters
	$(BIN)/llma demo

.PHONY: web
web: install ## The pages on the same data, http://127.0.0.1:8321
	$(BIN)/llma web

.PHONY: dev
dev: install ## The Dagster UI on the same data, http://127.0.0.1:3000, and the pages beside it
	$(BIN)/llma dev

.PHONY: check
check: install ## Lint, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: defs
defs: install ## Load all Dagster definitions, as a code location does
	home=$$(mktemp -d) && trap 'rm -rf "$$home"' EXIT && cp dagster.yaml "$$home" && DAGSTER_HOME="$$home" $(BIN)/dg check defs

# Tests keep their compiled modules, also where Python is told to keep none: workers and processes that tests start
# would compile everything again.
PYTEST = env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest -n $(WORKERS)
NOT_HERE := llm or exhaustive or browser or postgres

.PHONY: test-fast
test-fast: install ## Tests that need no database and start no process, while you work
	$(PYTEST) --dist worksteal -m "not (slow or database or process or heavy or $(NOT_HERE))" --hypothesis-profile few

# A file is run by one worker, which plants the states that its tests share once.
# The checks run beside the tests, on what these leave of the processors; what they print is shown when they are done.
.PHONY: test
test: install ## The checks, and all tests but the slow ones: before you push
	@log=$$(mktemp); $(MAKE) --no-print-directory check >$$log 2>&1 & checks=$$!; \
	$(PYTEST) --dist loadfile -m "not (slow or $(NOT_HERE))"; tests=$$?; \
	wait $$checks; checked=$$?; cat $$log; rm -f $$log; \
	exit $$((tests ? tests : checked))

.PHONY: test-slow
test-slow: install ## Whole runs, faults and killed processes, batches. CI runs them
	$(PYTEST) --dist loadfile --no-loadscope-reorder -m "slow and not ($(NOT_HERE))"

.PHONY: test-exhaustive
test-exhaustive: install ## Every example of the property tests, every write to be killed at, every order: before a release
	$(PYTEST) --dist worksteal -m "(exhaustive or hypothesis) and not (llm or browser or postgres)" --hypothesis-profile full

.PHONY: test-web
test-web: install ## The pages in Debian's Chromium: journeys, accessibility, hostile words, and the API by its own description
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test-web]'
	$(BIN)/python -m pytest -m browser llma_assets_tests/browser

.PHONY: test-postgres
test-postgres: install ## Webserver, daemon and code server over Debian's PostgreSQL, each killed while runs are on
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[postgres]'
	$(BIN)/python -m pytest -m postgres llma_assets_tests/postgres

.PHONY: load-test
load-test: install ## 50 teams stream for an hour; daemon and database are killed: is anything lost, doubled or stuck?
	$(BIN)/python -m benchmarks.load --minutes 60

.PHONY: screenshots
screenshots: install ## Pictures of every page for the docs, from a demo that is made for them
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test-web]'
	$(BIN)/python -m benchmarks.screenshots

.PHONY: test-mutations
test-mutations: install ## Break the rules that must hold, one by one, and see that tests notice
	$(BIN)/python -m benchmarks.mutations

.PHONY: test-conformance
test-conformance: install ## clickhouse-connect's own tests against the embedded server: make test-conformance TESTS=folder
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[conformance]'
	$(BIN)/python -m benchmarks.conformance --tests $(TESTS)

.PHONY: test-llm
test-llm: install ## Three real traces through two small real models; builds llama.cpp first, which takes some minutes
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[llm]'
	$(BIN)/python -m pytest -m llm llma_assets_tests/llm

LOCK = $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --constraint constraints.txt \
	--generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet

.PHONY: lock
lock: install ## Write requirements.lock, and that of the image, anew, after a change of pyproject.toml or constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.13,<0.14'
	$(LOCK) --extra dev --extra all --output-file requirements.lock
	$(LOCK) --extra all --extra postgres --extra k8s --output-file deploy/requirements.lock

.PHONY: clean
clean: ## Stop the embedded server and remove what was built; the data in LLMA_DATA_DIR goes, too
	-test -x $(BIN)/llma && $(BIN)/llma db stop
	rm -rf $(VENV) $(LLMA_DATA_DIR) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
