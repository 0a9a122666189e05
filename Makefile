# `make demo` and `make test` do all the set-up that they need; `make env` brings every extra.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test env lint bench clean

demo: .venv/demo
	$(BIN)/profundus demo --out demo_run --overwrite

test: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2 --dist worksteal

env: .venv/env

bench: .venv/env
	$(BIN)/python benchmarks/all.py

lint: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.venv/made:
	$(PYTHON) -m venv .venv
	touch $@

.venv/demo: .venv/made pyproject.toml constraints.txt
	$(PIP) -c constraints.txt -e .
	touch $@

.venv/test: .venv/made pyproject.toml constraints.txt
	$(PIP) -c constraints.txt -e ".[test]"
	touch $@ .venv/demo

.venv/env: .venv/made pyproject.toml constraints.txt
	$(PIP) -c constraints.txt -e ".[test,opensim]"
	touch $@ .venv/test .venv/demo

clean:
	rm -rf .venv demo_run build dist .pytest_cache .mypy_cache .ruff_cache
