# Needs Python 3.11 or newer, make and pip; uses uv when it is on PATH. Everything is installed into .venv, nothing else is touched.
#   make install                  set everything up in .venv
#   make demo                     set everything up, run the main job end to end, say what happened
#   make test [ARGS="-k pump"]    the tests, short forms          make coverage   the same, measured
#   make check                    lint, types, layers
#   make bench [BENCH=latency]    figures as JSON lines
#   make chaos [SEED=1] [MINUTES=5]   everything goes wrong, by a seed: docs/chaos.md
#   make proofs [ARGS="-k kills"]     the long forms of the tests; tests of properties search ten times as long
#   make fuzz [REQUESTS=20000]    hostile requests to every door of a running gateway
#   make senders                  the tests of foreign senders, each fetched from its own package into .cache/senders
#   make lock                     resolve requirements.lock anew (needs uv)
#   make clean                    remove .venv, caches and build results; state (TOCSIN_STATE_DIR) stays

SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
BIN := .venv/bin
READY := .venv/.ready
LOCK := requirements.lock
# Three processes share the files, for a third of the time is waiting; a test marked `alone` runs while the others wait (tests/turns.py).
TESTS := pytest -m "not slow" -n 3 --dist loadfile --no-loadscope-reorder
SEED ?= 1
MINUTES ?= 5
REQUESTS ?= 20000

.PHONY: install demo test coverage check bench chaos proofs fuzz senders lock clean help
.DEFAULT_GOAL := help

help:
	@sed -n 's/^#   //p' Makefile

install: $(READY)

demo: $(READY)
	@$(BIN)/python -m deploy.local demo

test: $(READY)
	@$(BIN)/python -m $(TESTS) $(ARGS)

coverage: $(READY)
	@mkdir -p .coverage && $(BIN)/coverage erase
	@$(BIN)/coverage run -m $(TESTS) $(ARGS)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report --fail-under=90

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)
	@$(BIN)/python -m tests.bench $(BENCH)

chaos: $(READY)
	@$(BIN)/python -m tests.chaos --seed $(SEED) --minutes $(MINUTES) $(ARGS)

proofs: $(READY)
	@SEED=$(SEED) TOCSIN_TEST_EFFORT=10 $(BIN)/python -m pytest -m "slow or hypothesis" $(ARGS)

fuzz: $(READY)
	@FUZZ_REQUESTS=$(REQUESTS) $(BIN)/python -m pytest -s tests/fuzz $(ARGS)

senders: $(READY)
	@$(BIN)/python -m tests.senders.install
	@$(BIN)/python -m pytest tests/senders $(ARGS)

# A version that merely exists is not enough: a shim of a version manager may be there and refuse to run.
FIND_PYTHON = for python in $(PYTHON) python3.14 python3.13 python3.12 python3.11 python3 python; do \
	  "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; python=; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "Python 3.11 or newer is needed and none was found on PATH. Install one (apt install python3 python3-venv," >&2; \
	  echo "brew install python), or name it: make PYTHON=/path/to/python3.13 ..." >&2; exit 1; \
	fi

# Make compares times: a second run finds the stamp newer than the lock and pyproject.toml and starts at once.
$(READY): $(LOCK) pyproject.toml
	@rm -f $(READY)
	@$(FIND_PYTHON); \
	if command -v uv >/dev/null 2>&1; then $(INSTALL_WITH_UV); else $(INSTALL_WITH_PIP); fi
	@touch $(READY)

# The project itself is built with the locked setuptools, so that nothing outside the lock is fetched.
EDITABLE := --no-deps --no-build-isolation --editable .

INSTALL_WITH_UV = echo "Setting up .venv with uv and $$("$$python" -V) ..." >&2; set -e; \
	[ -x $(BIN)/python ] || uv venv --quiet --python "$$python" .venv; \
	uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes $(LOCK); \
	uv pip install --quiet --python $(BIN)/python $(EDITABLE)

# Debian ships venv without ensurepip in a package of its own: then the outer pip installs into the bare .venv.
INSTALL_WITH_PIP = echo "Setting up .venv with pip and $$("$$python" -V), a minute or two the first time ..." >&2; set -e; \
	[ -x $(BIN)/python ] || "$$python" -m venv .venv >/dev/null 2>&1 || "$$python" -m venv --clear --without-pip .venv; \
	if $(BIN)/python -m pip --version >/dev/null 2>&1; then pip="$(BIN)/python -m pip"; \
	else pip="$$python -m pip --python $(BIN)/python"; fi; \
	$$pip install --quiet --disable-pip-version-check --require-hashes --requirement $(LOCK); \
	$$pip install --quiet --disable-pip-version-check $(EDITABLE)

# One lock for Python 3.11 and later on Linux and macOS; it names versions and hashes, never a place to get them from.
lock:
	@command -v uv >/dev/null 2>&1 || { echo "make lock needs uv: pip install uv" >&2; exit 1; }
	@echo "setuptools>=77" | uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
	  --no-strip-extras --no-emit-index-url --no-emit-find-links --no-annotate --no-header --group dev \
	  --output-file $(LOCK) pyproject.toml -

clean:
	rm -rf .venv .cache .coverage .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
