# The commands people type. Each assumes the virtual environment that `make setup` makes.
VENV ?= .venv
PYTHON ?= $(VENV)/bin/python
export PYTHONPATH := $(CURDIR):$(CURDIR)/app

.PHONY: setup check test page

setup: ## an environment with everything needed to develop
	python3 -m venv $(VENV)
	$(PYTHON) -m pip install -q -e '.[dev]'
	cd app/web && npm ci --silent --no-audit --no-fund

check: ## lint, format and types
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy

test: ## the Python tests; those of the page and of Kotlin run where node and Maven are installed
	$(PYTHON) -m pytest -q

page: ## the web page, from app/web into app/relight_app/page
	cd app/web && npm run build
