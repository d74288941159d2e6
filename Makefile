# The two commands are `make run` and `make test`; `make help` lists the others.
VENV := .venv
PYTHON := $(VENV)/bin/python
# The first of these that starts: a version manager's python3 may refuse to.
BASE_PYTHON := $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$name && break; done)
RUN_INSTALLED := $(VENV)/.run-installed
TEST_INSTALLED := $(VENV)/.test-installed
CALL_INSTALLED := $(VENV)/.call-installed
RELEASE_INSTALLED := $(VENV)/.release-installed
WORKERS := -n 2 --dist worksteal

.PHONY: help run superuser bench bench-scale bench-soak test test-sqlite test-postgresql test-sdks test-call \
	test-deploy check format lock audit clients clean

help:  ## List the commands
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 18

run: $(RUN_INSTALLED)  ## Start the server, with a local OpenTok unless credentials are set
	@$(PYTHON) -m scripts.run $(if $(LISTEN),--host '$(LISTEN)') $(if $(TLS),--tls) $(if $(NOBODY_CONNECTED),--nobody-connected) \
		$(if $(OPENTOK_PORT),--opentok-port $(OPENTOK_PORT))

superuser: $(RUN_INSTALLED)  ## Make an account for the admin of `make run`
	@$(PYTHON) manage.py createsuperuser --skip-checks

test: $(TEST_INSTALLED)  ## Run the whole suite, on SQLite and on PostgreSQL
	$(PYTHON) -m tests.on_both

test-sqlite: $(TEST_INSTALLED)
	$(PYTHON) -m tests.on_sqlite $(PYTHON) -m pytest $(WORKERS)

test-postgresql: $(TEST_INSTALLED)
	$(PYTHON) -m tests.on_postgresql $(PYTHON) -m pytest $(WORKERS)

test-sdks: $(TEST_INSTALLED)  ## Make every call of the official SDKs against the local OpenTok
	$(PYTHON) -m pytest tests_sdks

test-deploy: $(TEST_INSTALLED)  ## Do what Heroku does with a push, with the last commit
	$(PYTHON) -m scripts.as_heroku

test-call: $(CALL_INSTALLED)  ## Hold calls between pages of a browser; needs Chromium and npm
	$(PYTHON) -m tests.on_sqlite $(PYTHON) -m pytest tests_call

bench: $(TEST_INSTALLED)  ## Measure speed and memory beside the sample server's; needs wrk and Node.js
	$(PYTHON) -m bench $(PARTS) $(if $(RUNS),--runs $(RUNS)) $(if $(SECONDS),--seconds $(SECONDS))

bench-scale: $(TEST_INSTALLED)  ## Measure what a million rooms, recordings and meetings cost; needs wrk
	$(PYTHON) -m bench.scale $(if $(RUNS),--runs $(RUNS)) $(if $(ROWS),--rows $(ROWS))

bench-soak: $(TEST_INSTALLED)  ## Measure whether memory, descriptors and connections stay flat for an hour
	$(PYTHON) -m bench.soak $(if $(MINUTES),--minutes $(MINUTES))

check: $(TEST_INSTALLED)  ## Formatting, lint, types, imports, migrations, deployment settings, OpenAPI
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy .
	$(VENV)/bin/lint-imports
	DJANGO_SETTINGS_MODULE=tests.settings $(PYTHON) manage.py makemigrations --check --dry-run
	$(PYTHON) -m tests.as_deployed manage.py check --deploy --fail-level WARNING
	$(PYTHON) -m tests.as_deployed manage.py spectacular --validate --fail-on-warn --file /dev/null

lock: $(RELEASE_INSTALLED)  ## Write down which packages a release installs, with their hashes
	$(VENV)/bin/uv pip compile requirements.txt --universal --python-version 3.11 --generate-hashes \
		--upgrade --quiet --custom-compile-command "make lock" --output-file requirements.lock

audit: $(RELEASE_INSTALLED)  ## Look the locked packages up among known holes; says which it could not
	$(VENV)/bin/pip-audit --requirement requirements.lock --require-hashes --disable-pip --progress-spinner off

clients: $(TEST_INSTALLED)  ## Make clients of the API in clients/: Python, TypeScript, Bruno
	@mkdir -p clients
	$(PYTHON) -m tests.as_deployed manage.py spectacular --format openapi-json --file clients/openapi.json
	$(PYTHON) -m tests_sdks.making clients

format: $(TEST_INSTALLED)  ## Format the code
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

clean:  ## Remove what was installed and built; the database stays
	rm -rf $(VENV) staticfiles .mypy_cache .pytest_cache .ruff_cache .import_linter_cache \
		tests_sdks/.venv tests_sdks/*/node_modules

$(PYTHON):
	@test -n "$(BASE_PYTHON)" || { echo "Python 3.11 or newer is needed."; exit 1; }
	$(BASE_PYTHON) -m venv --clear $(VENV) || { rm -rf $(VENV); exit 1; }

$(RUN_INSTALLED): requirements.txt | $(PYTHON)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(TEST_INSTALLED): requirements.txt requirements-test.txt | $(PYTHON)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements-test.txt
	@touch $@ $(RUN_INSTALLED)

$(RELEASE_INSTALLED): requirements-release.txt | $(PYTHON)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements-release.txt
	@touch $@

$(CALL_INSTALLED): requirements-call.txt | $(TEST_INSTALLED)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements-call.txt
	@touch $@
