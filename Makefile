# Two commands do everything on a fresh Debian 12 (git, make, Python 3.11 with venv): make demo, make test.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := acd commands config crm cti ivr journal runtime speech store switch workforce provision bench appliance.py
REQUIRE ?=
SWITCH ?= simulated
MUTANTS ?= tests/mutants

.DEFAULT_GOAL := help
.PHONY: help setup demo test docs live switches database bench soak fuzz mutants mutation lint format

help:  ## what can be made
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 12

# The lock file decides what is installed; uv follows the package index that pip is configured for.
$(VENV)/installed: requirements.lock
	@test -x $(BIN)/python || { echo "setup: making $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@test -x $(BIN)/uv || { echo "setup: installing uv"; $(BIN)/pip install --quiet --disable-pip-version-check uv==0.13.9; }
	@echo "setup: installing the packages of requirements.lock"
	@UV_DEFAULT_INDEX="$${UV_DEFAULT_INDEX:-$$($(BIN)/pip config get global.index-url 2>/dev/null)}"; \
	  if [ -n "$$UV_DEFAULT_INDEX" ]; then export UV_DEFAULT_INDEX; else unset UV_DEFAULT_INDEX; fi; \
	  $(BIN)/uv pip install --python $(BIN)/python --compile-bytecode --require-hashes -r requirements.lock
	@$(BIN)/python -m compileall -q $(SOURCES)  # a restart must not compile while callers wait
	@touch $@

setup: $(VENV)/installed  ## install packages, make the database, speak the prompts
	@./appliance.py db init
	@./appliance.py prompts build

demo: setup  ## call the hotline from this terminal (SWITCH=asterisk: with a real exchange)
	@./appliance.py demo --switch $(SWITCH)

format: $(VENV)/installed  ## format the sources
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lint: $(VENV)/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(SOURCES)
	$(BIN)/lint-imports

# A real Asterisk and PostgreSQL are unpacked under var/ where the host has a Debian mirror; in CI their absence is a failure.
comma := ,
CI_REQUIRES := $(if $(CI),asterisk$(comma)postgresql)

# One after the other: a switch, an appliance and their callers fill two processors, and what is heard is timed.
# Those with baresip need root, or user namespaces for everybody.
LIVE_TESTS := HOTLINE_LIVE_RESULTS=var/live.json $(BIN)/python -m tests.live.network $(BIN)/pytest -m live

test: setup lint switches database  ## every check that can run on this machine
	@HOTLINE_REQUIRE="$(or $(REQUIRE),$(CI_REQUIRES))" $(BIN)/pytest -m "not live" --numprocesses 2 --max-worker-restart 0 --dist loadfile --cov --cov-report=
	@$(BIN)/coverage report --fail-under=90 --skip-covered
	@HOTLINE_REQUIRE="$(or $(REQUIRE),$(CI_REQUIRES))" $(LIVE_TESTS)
	@./appliance.py check

docs: $(VENV)/installed  ## write the pages anew that are made of the code: verbs, messages, schemas
	@HOTLINE_WRITE_DOCS=1 $(BIN)/pytest -q tests/docs

live: setup switches  ## real calls, told in var/live.json; REQUIRE=freeswitch,asterisk fails when one is absent or a test skipped
	@HOTLINE_REQUIRE="$(REQUIRE)" $(LIVE_TESTS)

switches: $(VENV)/installed
	@$(BIN)/python -m provision.phones --prepare var/phones || echo "no test telephones: no real call will be made"
	@$(BIN)/python -m provision.asterisk --prepare var/asterisk || echo "no private Asterisk: no real call will go through one"

database: $(VENV)/installed
	@$(BIN)/python -m provision.postgres --prepare var/postgres || echo "no PostgreSQL: the databases are tried on SQLite alone"

soak: setup switches  ## 1,000 kills on real and simulated switches (hours), ten minutes of load on each (KILLS=n, SEED=n)
	@HOTLINE_KILLS="$(or $(KILLS),1000)" HOTLINE_SEED="$(or $(SEED),1)" HOTLINE_SECONDS=60 HOTLINE_TEST_WITHIN=0 \
	  $(BIN)/pytest -s tests/faults tests/faults/soak_of_load.py

# Not among the packages of requirements.lock: only this needs it, and it is as large as half of them.
fuzz: $(VENV)/installed  ## a million inputs each to what reads FreeSWITCH and Asterisk, guided by coverage (RUNS=n)
	@test -d var/fuzz/atheris || $(BIN)/uv pip install --quiet --target var/fuzz atheris==3.0.0
	@for target in esl ari; do mkdir -p var/fuzz/corpus/$$target; \
	  PYTHONPATH=.:var/fuzz $(BIN)/python -m tests.switch.fuzz $$target var/fuzz/corpus/$$target \
	  -runs=$(or $(RUNS),1000000) -rss_limit_mb=1024 -timeout=1 -max_len=4096 || exit 1; done

bench: setup  ## measure; writes bench/results.json (BENCH=journal: only that)
	@$(BIN)/python -m bench $(BENCH)

mutants: $(VENV)/installed  ## apply each patch in MUTANTS to a copy of the tree and see that a test fails
	@$(BIN)/python -m tests.mutation "$(MUTANTS)"

# Not among the packages of requirements.lock either. mutmut writes beside what it reads, so it gets a copy, and knows pytest 8.
mutation: $(VENV)/installed  ## make small slips in acd/ and list those that no test notices (SAMPLE=300 SEED=1 MINUTES=60 ONLY=engine)
	@test -d var/mutation/tool || $(BIN)/uv pip install --quiet --target var/mutation/tool mutmut==3.8.0 pytest==8.4.2
	@rm -rf var/mutation/tree && mkdir -p var/mutation/tree
	@git ls-files -z | tar --create --null --files-from - | tar --extract --directory var/mutation/tree
	@cd var/mutation/tree && PYTHONPATH=../tool $(CURDIR)/$(BIN)/python -m tests.survivors \
	  --sample $(or $(SAMPLE),300) --seed $(or $(SEED),1) --minutes $(or $(MINUTES),60) $(ONLY)
