# `make help` lists the targets. Each installs what it needs into .venv* and does so once (stamp files).
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# The first Python that is new enough, unless PYTHON names one.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
# The Lambda's own Python, for `sam build`; where there is none, SAM builds in AWS's container.
LAMBDA_PYTHON = $(shell for p in python3.13 "$$HOME"/.pyenv/versions/3.13*/bin/python3.13; do \
  "$$p" -c 'import os, sys; print(os.path.dirname(sys.executable))' 2>/dev/null && break; done)
SAM_BUILD_FLAGS ?= $(if $(LAMBDA_PYTHON),,--use-container)

export SAM_CLI_TELEMETRY := 0
export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport PYTHONPATH

BIN := .venv/bin
WITH_LAMBDA_PYTHON = $(if $(LAMBDA_PYTHON),PATH="$(LAMBDA_PYTHON):$$PATH")
SAM := .venv-sam/bin/sam
# PARAMETERS="Architecture=x86_64 BudgetUnits=400" are the template's. The build needs them too: the wheels of the package
# are those of its processor. So they have a variable of their own, and ARGS, which only the deployment sees, may not.
PARAMETERS ?=
OVERRIDES = $(if $(strip $(PARAMETERS)),--parameter-overrides $(PARAMETERS))
BUILT_OTHERWISE = $(if $(findstring --parameter-overrides,$(ARGS)),$(error the build would not know these parameters: \
  make $@ PARAMETERS="Architecture=..." instead of ARGS="--parameter-overrides ..."))
# Two workers halve the wait from two processors on; more only start more imports.
WORKERS ?= 2
# TRACES=DIR replays the traces in DIR instead of traffic drawn from measured profiles.
TRACES ?=

.PHONY: help
help: ## list the targets
	@grep -E '^[a-z0-9-]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sort | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

# Full locks: every package is listed with its hashes, so pip has nothing to resolve (--no-deps).
define install
@$(or $(PYTHON),false) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
  echo "Warmcast needs Python 3.11 or newer$(if $(PYTHON),; $(PYTHON) is not): make PYTHON=/path/to/python3" >&2; exit 2; }
@echo "installing $< into $(@D)"
@test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
@$(@D)/bin/python -m pip install -qq --no-deps --require-hashes -r $<
endef

.venv/.installed: requirements/dev.txt pyproject.toml
	$(install)
	@$(@D)/bin/python -m pip install -qq --no-deps --no-build-isolation --editable .
	@touch $@

.venv-sam/.installed: requirements/sam.txt
	$(install)
	@touch $@

.venv-checkov/.installed: requirements/template-security.txt
	$(install)
	@touch $@

.venv-peers/.installed: requirements/peers.txt
	$(install)
	@touch $@

.PHONY: setup
setup: .venv/.installed ## install the package and its tools into .venv

.PHONY: demo
demo: .venv/.installed ## show a day of ticks on a local AWS and draw it; TRACES=DIR replays real traffic
	@PYTHONPATH=src:tests $(BIN)/python -m demo $(if $(TRACES),--traces "$(TRACES)")

.PHONY: wheel
wheel: .venv/.installed ## build the package into dist/, for pipx, uvx or pip on any machine
	@rm -rf dist
	@$(BIN)/python -m pip wheel -qq --no-deps --no-build-isolation --wheel-dir dist .
	@ls dist/*.whl

.PHONY: account
account: .venv/.installed ## run a local AWS with a function for every verdict of a scan, to try it on, until Ctrl-C
	@echo "in another terminal:" >&2
	@PYTHONPATH=src:tests $(BIN)/python -m localaws --seed verdicts --port 4566 >/dev/null

.PHONY: test
test: .venv/.installed ## run the tests; ARGS="tests/test_tick.py -k ramp" narrows them
	@$(BIN)/python -m pytest -q -n $(WORKERS) $(ARGS)

.PHONY: check
check: .venv/.installed .venv-sam/.installed .venv-checkov/.installed ## format, lint, types, schema drift, template, docstrings
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/interrogate --quiet --fail-under 100 --ignore-init-method --ignore-magic --ignore-private --ignore-semiprivate --ignore-nested-functions --ignore-init-module --ignore-overloaded-functions src/warmcast
	$(BIN)/warmcast schema | diff -u src/fleet/fleet.schema.json - || { echo "run: warmcast schema > src/fleet/fleet.schema.json" >&2; exit 1; }
	.venv-sam/bin/cfn-lint template.yaml
	AWS_DEFAULT_REGION=us-east-1 $(SAM) validate --lint
	.venv-checkov/bin/checkov --file template.yaml --compact --quiet --skip-download

.PHONY: validate
validate: .venv/.installed ## check the policies in src/fleet; ARGS="--account ID --region R" compares where they are
	@$(BIN)/warmcast validate $(ARGS)

.PHONY: build
build: .venv-sam/.installed ## build the Lambda's package into .aws-sam; PARAMETERS as for deploy
	@$(BUILT_OTHERWISE)$(WITH_LAMBDA_PYTHON) $(SAM) build $(SAM_BUILD_FLAGS) $(OVERRIDES)

.PHONY: e2e
e2e: .venv/.installed .venv-sam/.installed ## build, then invoke the function in its container against the local AWS
	@$(WITH_LAMBDA_PYTHON) SAM="$(CURDIR)/$(SAM)" $(BIN)/python -m pytest -v -m e2e tests/e2e $(ARGS)

.PHONY: bench
bench: .venv/.installed ## measure ticks, decisions, imports and the package; ARGS=--write writes docs/benchmark.md
	@PYTHONPATH=src:tests $(BIN)/python -m bench $(ARGS)

.PHONY: bench-traces
bench-traces: .venv/.installed ## compare cost on real traffic with what else one could run, TRACES=DIR; ARGS=--write writes docs/benchmark-traces.md
	@$(if $(TRACES),,$(error name a folder of traces: make $@ TRACES=DIR))PYTHONPATH=src:tests $(BIN)/python -m bench.traces "$(TRACES)" $(ARGS)

.PHONY: bench-scan
bench-scan: .venv/.installed ## scan 2,000 functions on a local AWS with its limits on; ARGS=--write writes docs/benchmark-scan.md
	@PYTHONPATH=src:tests $(BIN)/python -m bench.scan $(ARGS)

.PHONY: peers
peers: .venv-peers/.installed ## install the forecasters that Warmcast's is measured against into .venv-peers

.PHONY: bench-forecasts
bench-forecasts: .venv/.installed .venv-peers/.installed ## measure forecasts against statsforecast's on TRACES=DIR; ARGS=--write writes docs/benchmark-forecasts.md
	@$(if $(TRACES),,$(error name a folder of traces: make $@ TRACES=DIR))OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 PYTHONPATH=src:tests $(BIN)/python -m bench.forecasts "$(TRACES)" $(ARGS)

.PHONY: incidents
incidents: .venv/.installed ## play outages, pushes, failovers, ... on the traces in TRACES=DIR; ARGS=--write writes docs/incidents.md
	@$(if $(TRACES),,$(error name a folder of traces: make $@ TRACES=DIR))PYTHONPATH=src:tests $(BIN)/python -m incidents "$(TRACES)" --workers $(WORKERS) $(ARGS)

.PHONY: deploy
deploy: build ## build and deploy; PARAMETERS="Architecture=x86_64" for both, ARGS=--guided the first time
	$(SAM) deploy $(OVERRIDES) $(ARGS)

.PHONY: lock
lock: .venv/.installed ## pin all requirements again, with hashes
	@PATH="$(CURDIR)/$(BIN):$$PATH" requirements/lock.sh

.PHONY: clean
clean: ## remove environments, builds and caches
	rm -rf .venv .venv-sam .venv-checkov .venv-peers .aws-sam build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
