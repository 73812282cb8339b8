# Everything the project is asked to do, by name. `make help` lists it.
# A machine needs Python 3.11 or newer (with venv), make and a C library; the rest is installed
# into .venv and node_modules, Node.js included.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
PYTEST := $(PY) -m pytest
NODE_TOOLS := $(PY) -m scripts.node_tools
PYTHON_READY := $(VENV)/.ready
NODE_READY := node_modules/.ready
BENCHES := log gas money catalogue command index

export HARDHAT_DISABLE_TELEMETRY := true
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test test-python test-solidity test-browser test-long check format contracts \
	lock bench $(BENCHES:%=bench-%) clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "  make bench-X        one chapter: $(BENCHES)"
	@echo "                      bench-log N=210000000 measures the whole history"

setup: $(PYTHON_READY) $(NODE_READY) ## install everything into .venv and node_modules

$(PYTHON_READY): requirements-dev.lock pyproject.toml ledger/codec/kernel.c
	$(PYTHON) -m venv $(VENV)
	rm -f ledger/codec/_kernel*.so
	$(PY) -m pip install --quiet --no-compile --no-deps --require-hashes -r requirements-dev.lock
	$(PY) -m pip install --quiet --no-deps --no-build-isolation --no-index -e .
	@touch $@

$(NODE_READY): package.json package-lock.json .npmrc | $(PYTHON_READY)
	$(NODE_TOOLS) npm ci --ignore-scripts
	@touch $@

demo: setup ## the whole journey on real data, in a folder of its own
	$(BIN)/mdl demo

serve: setup ## the service on this machine
	$(BIN)/mdl serve

test: test-python test-solidity ## every quick test, Python and Solidity

test-python: setup
	$(PYTEST) -n 2 --dist loadfile -m "not long and not browser"

test-solidity: setup
	$(NODE_TOOLS) hardhat test solidity

test-long: setup ## the tests that take minutes
	$(PYTEST) -m "long or browser"
	$(NODE_TOOLS) hardhat test solidity --test-profile long

test-browser: setup ## every page in Chromium (the system's own), both languages
	$(PYTEST) -m browser

check: setup ## style, types, layers, freshness of what is generated
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(PY) -m ledger.chain.compile --check
	$(PYTEST) -m style

format: setup ## rewrite the Python files in the house format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

contracts: setup ## compile the contracts into ledger/chain/artifacts.json
	$(PY) -m ledger.chain.compile

lock: ## rewrite the Python lock files after a change of pyproject.toml (needs uv)
	scripts/lock.sh

bench: setup ## the small benchmarks; the last line is JSON
	@$(PY) -m scripts.bench

$(BENCHES:%=bench-%): bench-%: setup
	@$(PY) -m scripts.bench $* $(if $(N),--receipts $(N)) $(BENCH_OPTIONS)

clean: ## remove what can be made again
	rm -rf $(VENV) node_modules artifacts cache types build dist coverage .demo .home
	rm -f ledger/codec/_kernel*.so
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
