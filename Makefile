# Three commands: `make run`, `make plant` and `make test`. Each sets everything up by itself, from a bare clone.

.PHONY: setup run plant hosts test clean
VENV := .venv
BIN := $(VENV)/bin

# The newest suitable interpreter that starts here; `make PYTHON=... setup` names another.
SUITS := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))
PYTHON ?= $(firstword $(foreach p,python3.13 python3.12 python3.11 python3,$(shell $(p) -c '$(SUITS)' >/dev/null 2>&1 && echo $(p))))

setup: $(VENV)/.ready

# pip output is kept short; an editable install sees every change of the sources by itself.
$(VENV)/.ready: pyproject.toml
	@test -x $(BIN)/pip || test -n "$(PYTHON)" || { echo "byteor needs Python 3.11 or newer, with venv" >&2; exit 1; }
	@test -x $(BIN)/pip || { echo "making $(VENV) with $(PYTHON)"; $(PYTHON) -m venv $(VENV); }
	@echo "installing byteor and what it needs into $(VENV) (about half a minute)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[all,dev]'
	@touch $@

run: setup
	$(BIN)/python examples/flights/run.py

# `make plant OUT=DIR FLAGS="--processes"` writes the plant's two files to DIR.
PLANT := examples/flights-plant
OUT ?= build/plant
FLAGS ?=
plant: setup
	@mkdir -p '$(OUT)'
	@$(BIN)/python $(PLANT)/prepare.py build/flights
	$(BIN)/byteor run $(PLANT)/plan.toml -i weather=build/flights/weather.csv -i flights=build/flights/flights.csv \
		-o 'events=$(OUT)/events.parquet' -o 'alerts=$(OUT)/alerts.jsonl' $(FLAGS)

# The plant on two hosts, which are both this machine; it writes to build/hosts.
hosts: setup
	@mkdir -p build/hosts
	@$(BIN)/python $(PLANT)/prepare.py build/flights
	@for host in east west; do \
		$(BIN)/byteor host --new --name $$host --place $(PLANT)/two-hosts.toml --resume build/hosts/$$host & \
	done; wait
	@$(BIN)/python $(PLANT)/verify.py build/flights build/hosts

# Both always run, so that one command shows all that is wrong.
test: setup
	@status=0; \
	$(BIN)/python -m dev lint || status=1; \
	$(BIN)/python -m pytest -n 2 || status=1; \
	exit $$status

studio: setup
	$(BIN)/python -m dev studio

test-web: setup
	$(BIN)/python -m dev studio --set-up
	BYTEOR_WEB=1 $(BIN)/python -m pytest tests/web

clean:
	rm -rf $(VENV) build dist web/dist web/node_modules src/byteor/web/site runtime/src/byteor_pyodide/files .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
