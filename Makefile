# make demo: run the whole pipeline on the embedded survey.  make test: run the tests.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Stamps of the environment of the pipeline, and of the one with the tools of development.
READY := $(VENV)/.ready
DEV := $(VENV)/.ready-dev
# A machine without NVIDIA's driver never loads these: a gigabyte.
GPU := $(wildcard /proc/driver/nvidia/version /dev/dxg)
EXCLUDED := $(if $(GPU),,triton nvidia-cuda-cccl cuda-bindings cuda-pathfinder)
# TORCH=cpu takes PyTorch from its own index, which the hashes of the lock do not cover. Later
# commands remember it.
TORCH ?= $(shell cat $(VENV)/torch 2> /dev/null)
CPU_TORCH := $(if $(filter cpu,$(TORCH)),torch torchvision)
# Versions and hashes are the lock's. Packages that nothing asks for are removed. Bytecode is
# compiled here: where PYTHONDONTWRITEBYTECODE is set, every process would spend seconds on PyTorch's.
UV_INSTALL = $(BIN)/uv pip install --compile-bytecode --python $(BIN)/python \
	--constraints requirements.lock
PACKAGES = printf '%s\n' $(EXCLUDED) $(CPU_TORCH) > $(VENV)/excluded.txt && \
	$(UV_INSTALL) --require-hashes $(if $(CPU_TORCH),,--exact) --excludes $(VENV)/excluded.txt \
	--requirements pyproject.toml
# Whoever has the tools of development keeps them when the lock changes.
EXTRAS = --extra checkout --extra segy $(if $(wildcard $(DEV)),--extra dev)
EDITABLE = $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation \
	--editable .
# DVC runs `python stages/...`, which must be the environment's Python.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help install demo test test-all slowest check format subset bench compare ui docs image lock deps repository

help:
	@echo "make demo    set up .venv, run the pipeline on the embedded survey, show the results;"
	@echo "             TORCH=cpu sets it up with PyTorch's build for CPUs, from PyTorch's own index"
	@echo "make test    set up .venv, run the tests"
	@echo "make test-all  the same with the tests that take minutes"
	@echo "make slowest  the same tests, and a list of the slowest twenty"
	@echo "make check   check lint, formatting and types"
	@echo "make subset  run the pipeline on a small subset, as CI does"
	@echo "make bench   run the benchmarks, write docs/results/benchmarks.md"
	@echo "make compare compare experiments in a table"
	@echo "make ui      compare runs in the MLflow UI, at a free port or PORT=..."
	@echo "make docs    build the documentation's site, check its links"
	@echo "make image   build a container that serves the champion"
	@echo "make deps    update the module lists in dvc.yaml"
	@echo "make lock    update requirements.lock from pyproject.toml"

install: repository $(DEV)

# DVC needs a git repository: check this before minutes of installation.
repository:
	@git rev-parse --git-dir > /dev/null || { echo "DVC needs a git repository, which 'Download ZIP'" \
		"leaves out: clone the project, or run git init, git add --all and git commit here"; exit 1; }

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "saltseg needs Python 3.11 or newer: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.13"
	$(if $(CPU_TORCH),$(UV_INSTALL) --no-verify-hashes --torch-backend cpu $(CPU_TORCH))
	$(PACKAGES) $(EXTRAS)
	$(EDITABLE)
	@echo $(TORCH) > $(VENV)/torch
	@touch $(READY)

$(DEV): $(READY)
	$(PACKAGES) --extra dev
	$(EDITABLE)
	@touch $(DEV)

demo: repository $(READY)
	dvc repro
	dvc exp save --quiet --force --name demo --include-untracked results/score.json \
		--include-untracked dvc.lock
	@saltseg summary
	@echo "experiment          demo, saved to compare with later experiments"

test: repository $(DEV)
	pytest -n auto --dist loadfile -m "not long"

test-all: repository $(DEV)
	pytest -n auto --dist loadfile

slowest: repository $(DEV)
	pytest -n auto --dist loadfile -m "not long" --durations 20

check: $(DEV)
	ruff check
	ruff format --check
	mypy

format: $(DEV)
	ruff check --fix
	ruff format

subset: repository $(READY)
	@echo "DVC warns of outputs without a hash: in a new clone the run has yet to make them."
	dvc exp run --temp --name subset --force -S recipe=subset

bench: $(DEV)
	python -m benchmarks.run

# Without --drop, each file that a stage reads is a column.
compare: $(READY)
	dvc exp show --only-changed --drop '.*/|models$$|stages$$|requirements.lock$$'

ui: $(READY)
	@python -m saltseg.tracking.ui $(PORT)

docs: $(DEV)
	NO_MKDOCS_2_WARNING=1 mkdocs build --strict
	@echo "open site/index.html"

image: $(READY)
	rm -rf tmp/champion
	mkdir -p tmp/champion
	MLFLOW_REGISTRY_URI= MLFLOW_TRACKING_URI=$${MLFLOW_TRACKING_URI:-sqlite:///mlruns/mlflow.db} \
		mlflow artifacts download --artifact-uri models:/saltseg@champion --dst-path tmp/champion
	docker build --tag saltseg .

deps: $(READY)
	python -m saltseg.project.stage_dependencies

lock: $(DEV)
	uv pip compile pyproject.toml --extra dev --universal --generate-hashes --no-emit-index-url \
		--no-header --quiet --upgrade --output-file requirements.lock
