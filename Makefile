# make demo: the whole pipeline on the embedded survey.  make test: the tests.  Both set up .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# DVC runs `python stages/...`, and that python is the environment's.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help install demo test check format subset bench ui lock deps repository

help:
	@echo "make demo    set up .venv, run the pipeline on the embedded survey, show what it made"
	@echo "make test    set up .venv, run the tests"
	@echo "make check   lint, formatting and types"
	@echo "make subset  reproduce the pipeline on a small subset, as CI does"
	@echo "make bench   measure side by side, write docs/results/benchmarks.md"
	@echo "make ui      compare runs in the MLflow UI"
	@echo "make deps    bring the lists of modules in dvc.yaml up to date"
	@echo "make lock    pin the dependencies of pyproject.toml anew in requirements.lock"

install: repository $(READY)

# Before minutes of installing: DVC, and so the pipeline, needs a git repository.
repository:
	@git rev-parse --git-dir > /dev/null || { echo "DVC needs a git repository, which 'Download ZIP'" \
		"leaves out: clone the project, or run git init, git add --all and git commit here"; exit 1; }

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "saltseg needs Python 3.11 or newer; name one: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip sync --python $(BIN)/python --require-hashes requirements.lock
	$(BIN)/uv pip install --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $(READY)

demo: repository $(READY)
	dvc repro
	dvc exp save --quiet --force --name demo --include-untracked results --include-untracked dvc.lock
	@saltseg summary
	@echo "experiment          demo: what the next dvc exp run is compared with; nothing of it is lost"

test: repository $(READY)
	pytest -n auto --dist loadfile

check: $(READY)
	ruff check
	ruff format --check
	mypy

format: $(READY)
	ruff check --fix
	ruff format

subset: repository $(READY)
	dvc exp run --temp --name subset --force -S recipe=subset

bench: $(READY)
	python -m benchmarks.run

ui: $(READY)
	@echo "open http://127.0.0.1:5000/#/experiments/1/runs?workflowType=machine_learning"
	mlflow ui --backend-store-uri sqlite:///mlruns/mlflow.db

deps: $(READY)
	python -m saltseg.project.stage_dependencies

lock: $(READY)
	uv pip compile pyproject.toml --extra dev --universal --generate-hashes --no-emit-index-url \
		--no-header --quiet --upgrade --output-file requirements.lock
