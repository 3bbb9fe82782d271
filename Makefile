# `make report` and `make test` each work from a fresh clone that has Python 3.11 or newer and make.
PYTHON ?= python3
CORES ?= 8
VENV := $(CURDIR)/.venv
READY := $(VENV)/.ready
export PATH := $(VENV)/bin:$(PATH)
# Another environment's settings must not leak into this one.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV

.DEFAULT_GOAL := help
.PHONY: help setup report report-from republish compare check audit test test-all test-faults test-browser docs test-slurm scale schema lock clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

setup: $(READY) ## make .venv with everything pinned

$(READY): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "error: $(PYTHON) is missing or older than Python 3.11; install 3.11 or newer, or name one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "error: $(PYTHON) has no venv module; install it first (on Debian and Ubuntu: apt-get install python3-venv)" >&2; exit 2; }
	$(PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e '.[report]'
	@touch $@

# Snakemake reads what --configfile names before any file of ours: a file that is no study would end in its traceback.
report: $(READY) ## measure this machine and render its report; STUDY=smoke for a first look, another study by its name
	@test -z "$$STUDY" || test -e "workflow/studies/$$STUDY.yaml" || { \
	  echo "error: no study $$STUDY in workflow/studies; leave STUDY out for the default, or name one of $(basename $(notdir $(wildcard workflow/studies/*.yaml)))" >&2; exit 2; }
	@test -z "$$STUDY" || python -m gnn_checkpointing design --study "workflow/studies/$$STUDY.yaml" > /dev/null
	snakemake --cores "$(CORES)" $${STUDY:+--configfile "workflow/studies/$$STUDY.yaml"}

report-from: $(READY) ## make a published report again from its data: FROZEN=report/<hardware>/<study>, OUTPUT=folder
	@test -n "$$FROZEN" || { echo "error: name a published report: make report-from FROZEN=report/<hardware>/<study>" >&2; exit 2; }
	python -m gnn_checkpointing rebuild --frozen "$$FROZEN" --templates templates --output-folder "$${OUTPUT:-$$FROZEN}"

republish: $(READY) ## make all published reports again from their data, and the documentation, after a change to what is computed or said
	set -e; for study in report/*/*/study.json; do folder=$${study%study.json}; python -m gnn_checkpointing rebuild --frozen $$folder --templates templates --output-folder $$folder; done
	rm -rf report/docs && $(SITE) report/docs
	python -m gnn_checkpointing index --reports report --templates templates --output report/index.html

compare: $(READY) ## compare all machines that have a report of the same study; the index then tells of it
	python -m gnn_checkpointing compare --reports report --templates templates --output-folder report
	python -m gnn_checkpointing index --reports report --templates templates --output report/index.html

check: $(READY) ## linters, types, import contracts, workflow lint
	ruff check .
	ruff format --check .
	mypy
	lint-imports
	snakefmt --check Snakefile workflow/Snakefile workflow/rules
	snakemake --lint
	hadolint Containerfile
	python -m pip check

audit: $(READY) ## ask PyPI whether anything pinned has a known vulnerability (needs a network)
	python -m venv $(VENV).audit && $(VENV).audit/bin/python -m pip install --quiet pip-audit==2.10.0
	$(VENV).audit/bin/pip-audit --strict --disable-pip --no-deps --requirement requirements.lock

# Two at a time, in the order of tests/conftest.py. All tests are one run: each import and each report is made once.
TOGETHER := pytest -n 2 --dist loadfile --no-loadscope-reorder --ignore tests/browser --ignore tests/cluster
test: $(READY) ## the tests of every room, in five minutes
	$(TOGETHER) -m "not slow and not minutes"

test-all: $(READY) ## those and the slow ones: every test but those of the browser and the cluster, and faults by the thousand
	EVERY_PDF=1 $(TOGETHER) -m "not minutes"

SITE := python -m sphinx -q -W --keep-going -E -d .sphinx docs
docs: $(READY) ## build the documentation into build/docs
	$(SITE) build/docs

test-faults: $(READY) ## everything that can go wrong, done on purpose, a thousand inputs of each kind drawn: minutes
	FAULTS_DRAWN=1000 pytest tests/faults tests/workflow tests/docs tests/study tests/graphs/test_tables_drawn.py tests/graphs/test_npz.py tests/checkpointing/test_situations.py

scale: $(READY) ## plan, collect, analyse and report ten thousand replayed cells: seconds and memory of each
	python tests/scale/ten_thousand.py

test-browser: $(READY) ## the published pages in a headless Chromium, which is installed where it is missing
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium; } || { \
	  echo "error: no chromium here; install it first (on Debian and Ubuntu, as root: apt-get install chromium)" >&2; exit 2; }
	@command -v npm >/dev/null || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq npm; } || { \
	  echo "error: no npm here; install it first (on Debian and Ubuntu, as root: apt-get install npm)" >&2; exit 2; }
	npm ci --prefix tests/browser --silent --no-audit --no-fund
	REQUIRE_BROWSER=1 pytest -n 2 tests/browser

test-slurm: $(READY) ## a study on a SLURM cluster of two nodes on this machine; SLURM is installed where it is missing
	@( PATH="$$PATH:/usr/sbin"; for tool in slurmctld slurmd sbatch munged; do command -v $$tool || exit 1; done ) >/dev/null || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends slurm-wlm munge; } || { \
	  echo "error: no SLURM here; install it first (on Debian and Ubuntu, as root: apt-get install slurm-wlm munge)" >&2; exit 2; }
	REQUIRE_SLURM=1 pytest tests/cluster

schema: $(READY) ## write the JSON schemas of study files, claims.json and summary.json anew
	python -m gnn_checkpointing schema > workflow/studies/schema.json
	python -m gnn_checkpointing schema --of claims > workflow/claims.schema.json
	python -m gnn_checkpointing schema --of summary > workflow/summary.schema.json

clean: ## forget measurements and the environment (published reports stay)
	rm -rf results .snakemake .venv

lock: ## pin anew what pyproject.toml asks for, from a fresh environment
	rm -rf $(VENV).lock && $(PYTHON) -m venv $(VENV).lock
	$(VENV).lock/bin/python -m pip install --quiet 'torch==2.13.0' setuptools '.[dev]'
	{ sed -n '/^#/p' requirements.lock; $(VENV).lock/bin/python -m pip freeze --all \
	  | grep -vE '^(pip|gnn-checkpointing)\b' | sed 's/+cpu//'; } > requirements.lock.new
	mv requirements.lock.new requirements.lock && rm -rf $(VENV).lock
