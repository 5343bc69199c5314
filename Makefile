# The one entry point. Each target makes the environment it needs first.

.DEFAULT_GOAL := help
.PHONY: help setup engines run test check quick coverage covered garbage lies mutants bench soak torture overload rolling planted clean
MAKEFLAGS += --no-print-directory --no-builtin-rules
# What was compiled once is not compiled again by each of the many programs that tests start.
export PYTHONDONTWRITEBYTECODE :=

PYTHON_HERE := .venv/bin/python
# An environment that was moved with its folder is made up to date too.
PLACE := $(shell pwd | cksum | cut -d' ' -f1)
RUN := .venv/.run-$(PLACE)
DEV := .venv/.dev-$(PLACE)
ENGINES := .engines/.fetched
TESTS ?= tests
SECONDS ?= 300
ROLLING_SECONDS ?= 10
SEEDS ?= $(shell seq 1 20)
# Packages of which every branch has to be tested, and the tests that are enough to see it.
WHOLE := wire ledger e2ee content client/core
COVERING := tests/wire tests/ledger tests/e2ee tests/content tests/vectors tests/client tests/attacks tests/village
WHOLE_FILES = $(shell echo $(WHOLE:%=src/coterie/%/*) | tr ' ' ,)
OTHERS = $(filter-out $(COVERING),$(patsubst %/,%,$(wildcard tests/*/)) $(wildcard tests/test_*.py))
LINT_IMPORTS := "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_logo=True))"

help:
	@echo "make run     start a server here and open the app on it"
	@echo "make test    everything that is tested (ARGS='-k name' goes to pytest)"
	@echo "make check   lint, types, imports, documents"
	@echo "make quick   the fast part of both, a minute at most"
	@echo "make coverage  which branches of the inner packages are tested"
	@echo "make bench   how fast it is on this machine (ARGS='--quick' takes two or three minutes)"
	@echo "make mutants   take each defence out once, and see its test fail (ARGS='ghost' for some)"
	@echo "make planted   plant bugs that lose messages, and see the torture find each"
	@echo "make garbage   half a million calls of garbage into every parser, and a thousand orders of lies"
	@echo "make lies    orders of what people and a lying server do, for five minutes (SECONDS=60 for one)"
	@echo "make soak    ten minutes of 20 clients and many days: is anything lost? (ARGS='--seed 7')"
	@echo "make torture   twenty seeds of two minutes: people talk while everything breaks (SEEDS='3 4' for some)"
	@echo "make overload   a minute of three times what a server takes: who is told to wait, is anything lost?"
	@echo "make rolling   two servers are brought to a newer version while people talk (ROLLING_SECONDS=60 for long)"
	@echo "make setup   only make .venv"
	@echo "make engines   only fetch the programs that tests run against, into .engines"
	@echo "make clean   remove .venv, .engines and caches (var/, with your keys and messages, stays)"

setup: $(DEV)
	@echo "coterie: .venv is ready"

$(RUN): requirements/run.lock pyproject.toml tools/environment.sh
	@sh tools/environment.sh run
	@touch $@

$(DEV): requirements/dev.lock pyproject.toml tools/environment.sh
	@sh tools/environment.sh dev
	@touch $(RUN) $@

$(ENGINES): requirements/engines.lock tools/environment.sh | $(DEV)
	@sh tools/environment.sh engines
	@touch $@

engines: $(ENGINES)
	@echo "coterie: .engines is ready"

run: $(RUN)
	@$(PYTHON_HERE) -m coterie.cli.run

test: $(DEV) $(ENGINES)
	@sh tools/display.sh
ifdef COVERAGE
# Measured as far as it is needed (`make covered` says afterwards what came of it), since that takes its time.
	@rm -rf .coverage
	@$(PYTHON_HERE) -m coverage run -m pytest $(ARGS) $(COVERING); measured=$$?; \
	    $(PYTHON_HERE) -m pytest $(ARGS) $(OTHERS) && exit $$measured
else
	@$(PYTHON_HERE) -m pytest $(ARGS) $(TESTS)
endif

coverage: $(DEV)
	@rm -rf .coverage
	@$(PYTHON_HERE) -m coverage run -m pytest -q -n 2 --dist worksteal $(ARGS) $(COVERING)
	@$(MAKE) covered

mutants: $(DEV)
	@$(PYTHON_HERE) tools/break_defences.py $(ARGS)

planted: $(DEV)
	@$(PYTHON_HERE) tools/plant_bugs.py $(ARGS)

garbage: $(DEV)
	@COTERIE_GARBAGE_CALLS=500000 $(PYTHON_HERE) -m pytest -q tests/attacks/test_garbage.py
	@COTERIE_ANY_LIES=1000 $(PYTHON_HERE) -m pytest -q -o timeout=3600 tests/attacks/test_any_lies.py

lies: $(DEV)
	@COTERIE_ANY_LIES=100 COTERIE_ANY_LIES_SECONDS=$(SECONDS) \
	    $(PYTHON_HERE) -m pytest -q -s --show-capture=no -o timeout=0 tests/attacks/test_any_lies.py

covered: $(DEV)
	@$(PYTHON_HERE) -m coverage combine --quiet
	@$(PYTHON_HERE) -m coverage report --fail-under=0
	@$(PYTHON_HERE) -m coverage report --include=$(WHOLE_FILES) --fail-under=100 --format=total >.coverage/total || \
	    { echo "coterie: a branch of $(WHOLE) is not tested (see above)"; exit 1; }

check: $(DEV) $(ENGINES)
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
	@$(PYTHON_HERE) -m pytest -q -n 2 --dist worksteal -m "not slow and not display" --hypothesis-profile=quick \
	    $(ARGS) $(TESTS)

bench: $(RUN)
	@$(PYTHON_HERE) -m coterie.cli bench $(ARGS)

soak: $(RUN)
	@$(PYTHON_HERE) -m coterie.cli soak $(ARGS)

torture: $(RUN)
	@for seed in $(SEEDS); do \
	    $(PYTHON_HERE) -m coterie.cli --json torture --seed $$seed $(ARGS) || exit 1; done

overload: $(RUN)
	@$(PYTHON_HERE) -m coterie.cli overload $(ARGS)

rolling: $(DEV) $(ENGINES)
	@COTERIE_ROLLING_SECONDS=$(ROLLING_SECONDS) $(PYTHON_HERE) -m pytest -q -s tests/real/test_rolling_upgrade.py

clean:
	@rm -rf .venv .engines .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage build dist
