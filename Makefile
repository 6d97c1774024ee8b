# Needs make and Python 3.11 or newer with venv; everything else goes into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Three workers on two cores: more, and what plays in real time comes too late.
PYTEST_ARGS ?= -n 3 --dist loadgroup --no-loadscope-reorder
# "-n 2 --dist loadgroup --no-loadscope-reorder" plays them in two labs, which share nothing but the machine. On one that is
# not quite quiet programs then start too late: one lab is what is known to be steady.
FAULTS_ARGS ?=
# Compiled once, not again in each program that the tests start, whatever the shell around says.
export PYTHONDONTWRITEBYTECODE :=
PIP := $(BIN)/python -m pip --disable-pip-version-check install --require-hashes

.DEFAULT_GOAL := help
.PHONY: help setup demo test faults check format keys events pictures engines sim sim-planted races kills fuzz bench soak lock clean

help: ## what there is to make
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.run ## make .venv with what running needs

demo: $(VENV)/.run ## four channels on air in the console; ends without a trace
	@$(BIN)/mcr demo $(ARGS)

test: $(VENV)/.test ## the suite, some six minutes on two cores; MCR_LONG_TESTS=1 leaves out nothing but the lab, MCR_SIM_SEEDS=n plays n worlds
	@$(BIN)/python -m pytest $(PYTEST_ARGS) -m "not faults and not campaign"

faults: $(VENV)/.test ## real faults in a lab of network namespaces, some six minutes; needs root, iproute2 and nftables
	@$(BIN)/python -m pytest $(FAULTS_ARGS) -m "faults$(if $(CI), and not second)" tests/faults

check: $(VENV)/.test ## format, lint, types, layers, drift: what CI runs beside the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/pyright --warnings
	$(BIN)/python -m bench.table --check

format: $(VENV)/.test ## put the code in order
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

keys: $(VENV)/.run ## write docs/keys.md from the table of keys
	@$(BIN)/python -m mcr_console.key_sheet > docs/keys.md

events: $(VENV)/.run ## write docs/events.md from the events' own shapes
	@$(BIN)/python -m supervisor.api.event_sheet > docs/events.md

settings: $(VENV)/.run ## write docs/settings.md from the tables of settings and options
	@$(BIN)/python -m supervisor.settings_page > docs/settings.md

pictures: $(VENV)/.test ## draw docs/wall.svg and docs/channel.svg, the pictures of the README
	@$(BIN)/python -m tests.console.pictures

sim: $(VENV)/.test ## SEEDS=2000 simulated worlds, or SEED=n alone and aloud
	@$(BIN)/python -m tests.simulation $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),200)) $(ARGS)

sim-planted: $(VENV)/.test ## Every bug planted for the simulation is found
	@$(BIN)/python -m pytest -q -s -m "campaign or not campaign" tests/simulation/test_planted.py $(ARGS)

races: $(VENV)/.test ## two channels and a recorder race 1,000 times for one port on SQLite and PostgreSQL; resumed if ended
	@$(BIN)/python -m tests.campaigns races $(ARGS)

kills: $(VENV)/.test ## a recording is killed 50 times at random: every file opens, and how much is missing; resumed if ended
	@$(BIN)/python -m tests.campaigns kills $(ARGS)

fuzz: $(VENV)/.test ## the whole API by schemathesis, CASES=50 of each operation by an admin, another project's operator and nobody
	@MCR_FUZZ_CASES=$(or $(CASES),50) $(BIN)/python -m pytest -q --show-capture=no -m campaign tests/integration/test_api_fuzz.py $(ARGS); \
	  code=$$?; head -4 .campaigns/fuzz.txt; exit $$code

engines: $(VENV)/.test ## the whole contract of both engines, the server in each of its bad manners; some ten minutes
	@MCR_LONG_TESTS=1 $(BIN)/python -m pytest -q -n 4 --dist load -p no:cacheprovider -m "campaign or not campaign" tests/contract/test_engines.py $(ARGS)

bench: $(VENV)/.test ## measure; writes bench/results and the README's table
	$(BIN)/python -m bench $(ARGS)
	$(BIN)/python -m bench.table

soak: $(VENV)/.test ## HOURS=2 of real channels with a fault every minute; writes bench/results/soak.json; goes on where it was
	$(BIN)/python -m bench soak --hours $(or $(HOURS),2) $(ARGS)

lock: $(VENV)/.test ## lock the requirements anew (needs uv on the PATH)
	for name in run test; do \
	  extra=""; [ $$name = test ] && extra="--extra test"; \
	  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    --no-emit-index-url --no-emit-find-links $$extra pyproject.toml requirements/build.in -o requirements/$$name.txt || exit 1; \
	done

clean: ## take .venv and caches away
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "MCR Console needs Python 3.11 or newer; '$(PYTHON)' is not. Name another: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "This Python has no venv. On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "making $(VENV)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.packages: requirements/run.txt | $(BIN)/python
	@echo "installing what running needs into $(VENV) (about a minute, once)"
	@$(PIP) --progress-bar on -r requirements/run.txt
	@touch $@

$(VENV)/.run: pyproject.toml $(VENV)/.packages
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.test: requirements/test.txt $(VENV)/.run
	@echo "installing what the tests need into $(VENV)"
	@$(PIP) --progress-bar on -r requirements/test.txt
	@touch $@
