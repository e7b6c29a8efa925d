# Lifehouse: every command a person needs. `make` alone lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
TOOLS := .tools
UV := $(TOOLS)/bin/uv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

export UV_PYTHON_DOWNLOADS := never
export UV_COMPILE_BYTECODE := 1
export UV_NO_PROGRESS := 1
export UV_LINK_MODE := copy

.PHONY: help setup demo up down test mutations proof bench soak lint lock clean distclean

help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(UV):
	@echo "• bringing the installer (uv) into $(TOOLS)"
	@$(PYTHON) -m venv $(TOOLS)
	@$(TOOLS)/bin/pip install --quiet --disable-pip-version-check 'uv>=0.8,<1'

$(STAMP): requirements.lock pyproject.toml | $(UV)
	@echo "• installing the environment into $(VENV) (some 240 packages; the first time takes a few minutes)"
	@test -x $(BIN)/python || $(UV) venv --quiet --python $(PYTHON) $(VENV)
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(UV) pip sync --quiet --require-hashes requirements.lock
	@VIRTUAL_ENV=$(CURDIR)/$(VENV) $(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

setup: $(STAMP)  ## install everything into .venv

demo: setup  ## run three nights of a whole company and print what they found
	@$(BIN)/lifehouse demo

up: setup  ## start the warehouse and Airflow (UI, scheduler) to live with
	@$(BIN)/lifehouse up

down: setup  ## stop what `make up` or `make demo` started
	@$(BIN)/lifehouse down

test: setup  ## run all tests, a file at a time on each core
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

mutations: setup  ## inject sixty corruptions, play thirty clean nights, print what was caught
	@PYTHONPATH=tests:. $(BIN)/python -m mutations

proof: setup  ## thirty nights of a real shop, each released, one by one and in another order, against a full rebuild
	@LIFEHOUSE_EVERY_NIGHT=1 $(BIN)/python -m pytest -q tests/e2e/test_online_retail.py

bench: setup  ## measure what the promises about speed and waiting say (SIZE=large: 1 million customers; BENCH=identity: one)
	@SIZE=$(SIZE) PYTHONPATH=tests:. $(BIN)/python -m benchmarks $(BENCH)

soak: setup  ## kill syncs at 200 random instants while platforms misbehave; print what was lost and doubled (KILLS=20 ROWS=2000: less)
	@KILLS=$(KILLS) ROWS=$(ROWS) PYTHONPATH=tests:tests/activation:. $(BIN)/python -m soak

lint: setup  ## ruff, mypy, sqlfluff
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/sqlfluff lint dbt_project

lock: $(UV)  ## work out requirements.lock anew
	@$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --all-extras --upgrade -o requirements.lock pyproject.toml

clean:  ## stop everything and remove the state (.lifehouse)
	@if [ -x $(BIN)/lifehouse ]; then $(BIN)/lifehouse clean --yes; fi

distclean: clean  ## also remove the environment
	@rm -rf $(VENV) $(TOOLS)
