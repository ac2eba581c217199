# Two commands matter: `make demo` and `make test`. The rest serves them.
#
# PYTHON=python3.12 names the interpreter to use; else the first that is 3.11, 3.12 or 3.13 is taken.

VENV  := .venv
PY    := $(VENV)/bin/python
RUN   := $(VENV)/.run
STAMP := $(VENV)/.installed
JOBS  ?= auto

FITS   := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(firstword $(foreach python,python3 python3.13 python3.12 python3.11 python,\
            $(shell $(python) -c '$(FITS)' 2>/dev/null && echo $(python))) python3)
# Debian's Python may lack ensurepip: then its own pip fills the environment.
PIP     = $$($(PY) -c 'import pip' 2>/dev/null && echo $(PY) -m pip || echo $(PYTHON) -m pip --python $(PY)) \
            install --no-input --disable-pip-version-check
LOCK    = $(PY) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
            --no-header --upgrade pyproject.toml

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test setup run lint bench bench-capacity bench-find bench-teach fuzz alerts soak siege cluster image operations docs screenshot lock clean

help:  ## show this list
	@sed -nE 's/^([a-z-]+):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 13

demo: $(STAMP)  ## see the bot answer in a simulated Discord (ONCE=1: print the answers and end)
	@$(PY) -m bot demo

# What Discord's own schema says of each body sent, and Grafana's of the dashboard, where there is npm; elsewhere these
# checks are skipped, and say so.
SCHEMAS := $(foreach folder,payloads dashboard,tests/$(folder)/node_modules/.package-lock.json)
$(SCHEMAS): tests/%/node_modules/.package-lock.json: tests/%/package-lock.json
	-@cd tests/$* && npm ci --silent --fetch-retries=1 --fetch-timeout=20000 && touch node_modules/.package-lock.json

test: $(STAMP) $(if $(shell command -v npm),$(SCHEMAS))  ## run every test (JOBS=1: one after the other)
	$(PY) -m pytest -n $(JOBS) --dist worksteal

setup: $(RUN)  ## install what the bot needs to run, and none of the developer's tools

run: $(RUN)  ## start the bot on Discord, with the token in DISCORD_TOKEN or the file DISCORD_TOKEN_FILE names
	@$(PY) -m bot run

lint: $(STAMP)  ## ruff, mypy --strict, and the imports that must never be
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports --no-cache

# The other engines that the comparison measures, and the int8 variant.
$(VENV)/.bench: requirements/bench.txt | $(STAMP)
	$(PY) -m uv pip install --quiet --python $(PY) --require-hashes --requirement $<
	@touch $@

bench: $(VENV)/.bench  ## compare with others (20 minutes; quietly), and write docs/bench.json, docs/bench.svg and README's ratios
	$(PY) -m bot models quantize efficientnet_lite0
	$(PY) -m benchmarks --json docs/bench.json --plot docs/bench.svg --readme README.md

# On your own pictures: make bench-teach KINDS="FOLDER ..." STRANGERS="FOLDER ..."; a kind has a folder for each label.
bench-teach: $(STAMP)  ## measure taught labels: right names, strangers, seconds and bytes (without KINDS: the last two)
	$(PY) -m benchmarks.teaching $(KINDS) $(if $(STRANGERS),--strangers $(STRANGERS)) $(if $(JSON),--json $(JSON))
bench-find: $(STAMP)  ## measure how pictures are found again (FOLDER=pictures; Debian: tuxpaint-stamps-default), and write docs/finding.md
	$(PY) -m benchmarks.finding $(FOLDER) --out docs/finding.md

bench-capacity: $(STAMP)  ## hold `whatsit capacity` against this machine, quietly (12 minutes; JSON=FILE: write what was found)
	$(PY) -m benchmarks.capacity $(if $(JSON),--json $(JSON))

fuzz: $(STAMP)  ## decode N damaged pictures of every format (N=100000: some minutes)
	FUZZ_N=$(or $(N),20000) $(PY) -m pytest tests/fuzz

alerts: $(STAMP)  ## make every fault of docs/alerts.yml, and see its alert fire and resolve (Debian: prometheus)
	ALERTS=1 $(PY) -m pytest -n 6 tests/alerts/test_firing.py

soak: $(STAMP)  ## load, kills and cancellations for MINUTES=10; then the books must balance
	$(PY) -m tests.soak --minutes $(or $(MINUTES),10)

siege: $(STAMP)  ## costly pictures against the real bot for MINUTES=5, while honest ones must be answered
	$(PY) -m tests.siege --minutes $(or $(MINUTES),5)

# Ray is for machines of a cluster alone, so nothing else installs it.
$(VENV)/.cluster: requirements/cluster.txt | $(STAMP)
	$(PY) -m uv pip install --quiet --python $(PY) --require-hashes --requirement $<
	@touch $@

cluster: $(VENV)/.cluster  ## kill what a cluster of Ray is made of, under load (5 minutes; SHORT=1: two)
	$(PY) -m tests.cluster $(if $(SHORT),--short)

image: $(STAMP)  ## build the container image without Docker, and see it answer (root; Debian: buildah, mmdebstrap)
	$(PY) -m tests.deployment.image

operations: $(STAMP)  ## follow docs/operations.md on a new Debian (root; Debian: git, mmdebstrap, systemd-container)
	$(PY) -m tests.deployment.operations

docs: $(STAMP)  ## write what is derived from the code: config/whatsit.toml, README's table of settings, what to translate
	$(PY) -m config.reference
	$(VENV)/bin/pybabel -q extract --omit-header --no-location --sort-output -k locale_str -k NC_:1c,2 -o config/locales/whatsit.pot bot
	$(PY) -m config.translations

screenshot: $(STAMP)  ## take the pictures in docs (Debian: chromium, chromium-driver, fonts-noto-cjk)
	$(PY) -m tests.e2e.screenshot

lock: $(STAMP)  ## pin and hash the newest versions that pyproject.toml allows
	$(LOCK) --extra dev --output-file requirements/dev.txt
	$(LOCK) --constraint requirements/dev.txt --output-file requirements/run.txt
	$(LOCK) --extra bench --constraint requirements/dev.txt --output-file requirements/bench.txt
	$(LOCK) --extra cluster --constraint requirements/dev.txt --override requirements/not-on-nodes.txt \
	    --output-file requirements/cluster.txt
	echo asyncpg | $(subst pyproject.toml,-,$(LOCK)) --no-annotate --constraint requirements/dev.txt \
	    --output-file requirements/postgres.txt

clean:  ## remove what was made here: the environment and the caches of the tools
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# What the bot runs on, and on top of it what all the other targets need. An environment without either stamp was not
# finished, so it is made anew.
$(RUN): requirements/run.txt pyproject.toml
	@$(PYTHON) -c '$(FITS)' 2>/dev/null || { echo "Whatsit needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is" \
	    "$$($(PYTHON) --version 2>/dev/null || echo not there). Name another: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version). The first time this downloads about 750 MB and takes minutes."
	@clear=$$([ -e $(RUN) ] || [ -e $(STAMP) ] || echo --clear); rm -f $(RUN) $(STAMP); \
	$(PYTHON) -m venv $$clear $$($(PYTHON) -c 'import ensurepip' 2>/dev/null || echo --without-pip) $(VENV)
	@$(PIP) --require-hashes --requirement requirements/run.txt
	@$(PIP) --quiet --no-deps --no-build-isolation --editable .
	@touch $(RUN)

$(STAMP): requirements/dev.txt $(RUN)
	@echo "Adding the developer's tools. The first time this downloads about 210 MB more."
	@rm -f $(RUN) $(STAMP)
	@$(PIP) --require-hashes --requirement requirements/dev.txt
	@touch $(RUN) $(STAMP)
