# Caption Gallery. `make run` starts it, `make test` proves it; `make help` lists the rest.

PYTHON ?= python3
PORT ?= 8080
UV_VERSION = 0.13.9
GENAI_PRICES_VERSION = 0.2.3 # the source of imgcore/captioning/prices.json
EXTRAS = aws mysql gemini local cli web # of imgcore; imgload has its own

VENV = .venv
BIN = $(VENV)/bin
UV = .local/tools/bin/uv
# The path may have spaces and quotes, so the shell reads it from the environment; ~ is the home folder also where it is quoted.
override PYTHON := $(patsubst ~/%,$(HOME)/%,$(PYTHON))
PREREQUISITES = sh roles/local_cloud/files/prerequisites.sh "$$PYTHON" $(MAKECMDGOALS)
INSTALL = -B roles/local_cloud/files/install.py
# Succeeds if the interpreter of .venv starts and has the packages' folder of its version (its Python may be removed or upgraded),
# and .venv was made in this folder: its programs and the path of imgcore are absolute. An empty .run is of an earlier release.
USABLE = { [ ! -s $(VENV)/.run ] || [ "$$(cat $(VENV)/.run)" = "$$(pwd -P)" ]; } && \
	$(BIN)/python -c 'import os, sysconfig; os.stat(sysconfig.get_path("purelib"))' 2>/dev/null
RENEWED := $(shell $(USABLE) || echo FORCE)
export PYTHON
export UV
unexport PYTHONDONTWRITEBYTECODE # Ansible would compile itself anew in each of its processes
export PORT
export RESET

.PHONY: help run venv check test lint bench load drill mutate docs lock clean distclean
.DEFAULT_GOAL := help

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' $(MAKEFILE_LIST) | \
		awk -F '[$$][(]PORT[)]' '{ print $$1 (NF > 1 ? ENVIRON["PORT"] $$2 : "") }'

run: $(VENV)/.run ## the gallery on this machine, at http://127.0.0.1:$(PORT)/ (RESET=1 starts empty)
	@exec $(BIN)/python roles/local_cloud/files/run.py

venv: $(VENV)/.run ## Ansible and imgcore in .venv, nothing started (then: . .venv/bin/activate)

check: $(VENV)/.test ## format, lint, types, unit and web tests: about two minutes, with no system packages
	@$(BIN)/python -m tests.support.stages check

test: $(VENV)/.test ## everything that CI needs (installs missing programs where it may); T=path::test runs that alone
	@$(if $(T),$(BIN)/python -m pytest $(T),$(BIN)/python -m tests.support.stages test)

lint: $(VENV)/.test ## ruff, shellcheck, mypy strict, eslint and stylelint where Node.js is, ansible-lint production
	@$(BIN)/python -m tests.support.stages lint

bench: $(VENV)/.test ## figures: medians and ratios of one run on this machine
	@for bench in tests/load/bench_*.py; do echo "== $$bench"; $(BIN)/python -m "$$(echo "$${bench%.py}" | tr / .)" || exit 1; done

drill: $(VENV)/.test ## long tests of rare events, an hour or two for all; D=name runs one of tests/drills/drills.toml
	@$(BIN)/python -m tests.support.drills $(D)

mutate: $(VENV)/.test ## which small faults of the modules in tests/mutation.toml no test notices (hours); M=module or folder
	@$(BIN)/python -m tests.support.mutation $(M)

load: $(VENV)/.test ## 40,000 requests at a hundred at a time for a gallery of 10,000 photos (some minutes)
	@sh tests/system.sh
	@$(BIN)/python -m tests.load.full_gallery
	@$(BIN)/python -m tests.load.mixed --rows 10000

docs: $(VENV)/.run ## docs/settings.md, generated from imgcore/config/settings.py
	@$(BIN)/python -m imgcore.cli.settings > docs/settings.md

lock: $(UV) ## compile the locks anew from pyproject.toml
	@$(UV) pip compile -q pyproject.toml $(EXTRAS:%=--extra %) --group run --universal --python-version 3.11 \
		--generate-hashes --no-annotate --no-header --upgrade -o requirements.txt
	@$(UV) pip compile -q pyproject.toml --all-extras --group run --group test --universal --python-version 3.11 \
		--generate-hashes --no-annotate --no-header --upgrade -c requirements.txt -o tests/requirements.txt
	@$(BIN)/python -m lambda_build.lock
	@$(BIN)/python -m lambda_build.weights.index
	@$(UV) run -q --no-project --with genai-prices==$(GENAI_PRICES_VERSION) python -m lambda_build.prices

clean: ## caches and builds; photos stay
	@rm -rf dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .coverage.* .ansible
	@find . -name __pycache__ -not -path './.venv/*' -not -path './.local/*' -prune -exec rm -rf {} +

distclean: clean ## everything that make created, including the photos of `make run`
	@rm -rf $(VENV) .local

FORCE:

$(UV):
	@$(PREREQUISITES)
	@rm -rf .local/tools
	@"$$PYTHON" $(INSTALL) "Installing uv, which installs the rest (18 MB)" sh -c '"$$0" -m venv .local/tools && \
		exec .local/tools/bin/python -m pip install --disable-pip-version-check --retries 2 uv==$(UV_VERSION)' "$$PYTHON"

$(VENV)/.run: requirements.txt pyproject.toml $(RENEWED) | $(UV)
	@if $(USABLE); then $(BIN)/python -B roles/local_cloud/files/prerequisites.py $(BIN)/python $(MAKECMDGOALS); \
		else $(PREREQUISITES) && $(UV) venv --quiet --clear --force --python "$$PYTHON" $(VENV); fi
	@$(BIN)/python $(INSTALL) "Installing the locked dependencies (130 MB of downloads the first time: Ansible, the emulator, the SDKs)" \
		$(UV) pip install --python $(VENV) --require-hashes -r requirements.txt
	@$(UV) pip install --quiet --python $(VENV) --no-deps --no-build-isolation -e .
	@pwd -P > $@

$(VENV)/.test: $(VENV)/.run tests/requirements.txt
	@$(BIN)/python $(INSTALL) "Installing what the tests need" $(UV) pip install --python $(VENV) --require-hashes -r tests/requirements.txt
	@touch $@
