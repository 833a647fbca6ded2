# Everything a newcomer needs is `make demo` and `make test`; both set up what is missing first (tools/setup).

SHELL := bash
MAKEFLAGS += --no-print-directory
.NOTPARALLEL:
.DEFAULT_GOAL := help

bin := .venv/bin
# What the demo command is given besides, as in: make demo ARGS='--scale 10'
ARGS ?=

.PHONY: help
help: ## says what there is
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 16

.PHONY: demo
demo: setup ## one whole cycle on a throw-away PostgreSQL, and a signed report (ARGS='…' for its flags)
	@$(bin)/attestore --log human demo $(ARGS)

.PHONY: test
test: dev ## style, types, floors, the suite against the built wheel, then the suite
	@tools/check
	@tools/wheel-suite
	@$(bin)/python -m pytest --quiet --numprocesses=auto --maxprocesses=4 --dist=worksteal $(ARGS)

.PHONY: check
check: dev ## style, types and floors only
	@tools/check

.PHONY: format
format: dev ## lays the code out, mends what ruff can mend
	@$(bin)/ruff check --fix --quiet .
	@$(bin)/ruff format --quiet .

.PHONY: coverage
coverage: dev ## which lines the suite runs
	@$(bin)/python -m coverage run -m pytest --quiet $(ARGS)
	@$(bin)/python -m coverage report

# Which of cycle, memory, fingerprint, tables, s3, source, start, report, site and audit, and how much data (1: as much as is owed), as in: make bench BENCH=tables SCALE=0.1
BENCH ?= all
SCALE ?= 1

.PHONY: bench
bench: dev ## measures memory and speed, writes bench/RESULTS.md (BENCH=… SCALE=…; 1½ hours and 40 GB at scale 1; ARGS=--quick: 15 minutes, nothing is written)
	@$(bin)/python bench/bench.py --bench $(BENCH) --scale $(SCALE) $(ARGS)

.PHONY: wheel
wheel: dev ## builds wheel and sdist into dist/
	@$(bin)/python -m hatchling build

.PHONY: lock
lock: ## writes the lock files anew (needs uv; ARGS=--upgrade takes the newest)
	@tools/lock $(ARGS)

.PHONY: setup
setup: ## .venv with what `attestore` needs
	@tools/setup run

.PHONY: dev
dev: ## .venv with what the checks and tests need too
	@tools/setup dev

.PHONY: clean
clean: ## removes .venv, caches and builds; never reports/ or .attestore/
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
