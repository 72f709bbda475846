# Everything works on a fresh clone with only Python 3.11 or newer, make and the package registries.
#
#   make demo     real models, watched: prints an address and a log-in (PORT=8000)
#   make test     the whole suite, on servers of its own (ARGS="tests/config -k env")
#   make check    style, types, import layers, migrations, the API's description
#   make bench    ratios against references measured in the same run (ONLY="ingest pages")
#   make clean    remove the environment and the caches; data folders stay

PORT ?= 8000
HOST ?= 127.0.0.1
# python3 if it is 3.11 or 3.12 (a Redis server comes as a wheel there), else another that is new enough.
PYTHON ?= $(shell \
	new='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))'; \
	for p in python3 python3.12 python3.11; do $$p -c "$$new" 2>/dev/null && echo $$p && exit; done; echo python3)
RUN := .venv/bin/python
# Two processes are faster than one from two cores on; more than four gain little.
JOBS ?= $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1); [ $$n -gt 4 ] && n=4; echo $$n)

.PHONY: demo up test check bench clean env lock
.NOTPARALLEL:

demo: env
	@exec $(RUN) manage.py demo --host $(HOST) --port $(PORT)

up: env
	@exec $(RUN) manage.py up --host $(HOST) --port $(PORT)

test: env
	@exec $(RUN) -m pytest -q -n $(JOBS) $(ARGS)

# The settings are read, but no data folder is touched and no secret made.
check: export VITALS_SECRET_KEY = used-by-no-one
check: export VITALS_FERNET_KEYS = bmV2ZXIgdXNlZCB0byBlbmNyeXB0IGFueXRoaW5nISE=
check: env
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy .
	.venv/bin/lint-imports
	$(RUN) manage.py on_scratch makemigrations --check --dry-run
	$(RUN) manage.py spectacular --validate --fail-on-warn --file /dev/null

bench: env
	@exec $(RUN) -m benchmarks $(ONLY)

env:
	@$(PYTHON) -I config/make_env.py

# Resolve again after a change in pyproject.toml.
lock: env
	$(RUN) -m pip install -q uv
	.venv/bin/uv pip compile pyproject.toml --group demo --group dev --universal --generate-hashes --no-emit-index-url \
		--python-version 3.11 -q -o requirements.lock
	@$(MAKE) env

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
