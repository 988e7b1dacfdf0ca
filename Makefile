# The verbs of this repository. Each does its own set-up, so any of them works in a fresh clone.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup run orders test check format bench bench-http soak golden pythons docs pictures mutants changelog lock clean

PYTHON := .venv/bin/python
SECONDS ?= 60
ARGS ?=

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## make .venv, install what the lock file pins, build the pages, and PostgreSQL and Chromium where missing
	@tools/setup.sh tests

run: ## a living wallet: pages, API, ledger and a small town, in one process (ARGS='--port 9000 --empty')
	@tools/setup.sh
	@.venv/bin/formicary up $(ARGS)

orders: ## the ledger alone: post a month of real standing orders, print balances, a statement and a receipt
	@tools/setup.sh
	@$(PYTHON) examples/standing_orders.py $(ARGS)

test: setup ## run the tests (ARGS='tests/kernel -x' for some of them)
	@$(PYTHON) -m pytest $(ARGS)

check: setup ## lint, format, types, layers and the rules of tests/tidy
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-logo
	@$(PYTHON) -m pytest -q tests/tidy

format: setup ## mend what ruff can mend by itself
	@.venv/bin/ruff check --fix-only .
	@.venv/bin/ruff format .

bench: setup ## measure, and write docs/benchmarks.md with its plot and README's table
	@$(PYTHON) bench/report.py $(ARGS)
	@$(PYTHON) tools/figures.py

bench-http: setup ## measure the public API beside FastAPI and PostgreSQL; write docs/benchmarks-http.md
	@$(PYTHON) bench/http_report.py $(ARGS)
	@$(PYTHON) tools/figures.py

soak: setup ## crash, tear, flip and kill at random for SECONDS=60 and check that nothing is lost
	@HYPOTHESIS_PROFILE=soak $(PYTHON) -m formicary.testing.soak --seconds $(SECONDS) $(ARGS)

golden: setup ## record this release's golden log and its digest
	@$(PYTHON) -m formicary.testing.golden $(ARGS)

pythons: setup ## replay the golden logs on each Python there is, 3.11 to 3.14; their digests must be the same
	@$(PYTHON) -m tests.machine.other_pythons $(ARGS)

docs: setup ## write the generated pages, check every link, run the examples, find what is not documented
	@$(PYTHON) tools/reference.py
	@$(PYTHON) tools/contents.py
	@$(PYTHON) tools/links.py
	@$(PYTHON) -m pytest -q tests/docs

pictures: setup ## photograph the pages anew for docs and README, from a fresh town (ARGS='wallet-home portrait' for some)
	@$(PYTHON) -m tests.browser.screenshots $(ARGS)

mutants: setup ## change the kernel and money in small ways and count the changes that no test notices
	@$(PYTHON) tools/mutants.py $(ARGS)

changelog: setup ## gather changes/ into CHANGELOG.md (ARGS='--release 0.2.0' closes a version)
	@$(PYTHON) tools/changelog.py $(ARGS)

lock: ## write requirements/lock-*.txt anew (ARGS=--upgrade takes the newest of everything)
	@tools/lock.sh $(ARGS)

clean: ## remove what the tools made, but no ledger
	@rm -rf pages/node_modules src/formicary/web/static .venv .venv-* .pytest_cache .hypothesis .mypy_cache .ruff_cache .import_linter_cache mutants dist build
	@find . -name __pycache__ -prune -exec rm -rf {} +
