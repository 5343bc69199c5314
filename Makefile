# The one entry point. Each target makes the environment it needs first.

.DEFAULT_GOAL := help
.PHONY: help setup run test check quick clean
MAKEFLAGS += --no-print-directory --no-builtin-rules

PYTHON_HERE := .venv/bin/python
# An environment that was moved with its folder is made up to date too.
PLACE := $(shell pwd | cksum | cut -d' ' -f1)
RUN := .venv/.run-$(PLACE)
DEV := .venv/.dev-$(PLACE)
TESTS ?= tests
LINT_IMPORTS := "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_logo=True))"

help:
	@echo "make run     start a server here and open the app on it"
	@echo "make test    everything that is tested (ARGS='-k name' goes to pytest)"
	@echo "make check   lint, types, imports, documents"
	@echo "make quick   the fast part of both, a minute at most"
	@echo "make setup   only make .venv"
	@echo "make clean   remove .venv and caches (var/, with your keys and messages, stays)"

setup: $(DEV)
	@echo "coterie: .venv is ready"

$(RUN): requirements/run.lock pyproject.toml tools/environment.sh
	@sh tools/environment.sh run
	@touch $@

$(DEV): requirements/dev.lock pyproject.toml tools/environment.sh
	@sh tools/environment.sh dev
	@touch $(RUN) $@

run: $(RUN)
	@$(PYTHON_HERE) -m coterie.cli.run

test: $(DEV)
	@sh tools/display.sh
	@$(PYTHON_HERE) -m pytest $(ARGS) $(TESTS)

check: $(DEV)
	@$(PYTHON_HERE) -m ruff check .
	@$(PYTHON_HERE) -m ruff format --check .
	@$(PYTHON_HERE) -m mypy
	@$(PYTHON_HERE) -c $(LINT_IMPORTS)
	@$(PYTHON_HERE) -m pytest -q tests/docs

quick: $(DEV)
	@$(PYTHON_HERE) -m ruff check --quiet .
	@$(PYTHON_HERE) -m ruff format --quiet --check .
	@$(PYTHON_HERE) -m mypy
	@$(PYTHON_HERE) -c $(LINT_IMPORTS)
	@$(PYTHON_HERE) -m pytest -q -n 2 --dist worksteal -m "not slow and not display" $(ARGS) $(TESTS)

clean:
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
