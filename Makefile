# The commands people type. Each assumes the virtual environment that `make setup` makes.
VENV ?= .venv
PYTHON ?= $(VENV)/bin/python
export PYTHONPATH := $(CURDIR):$(CURDIR)/app

.PHONY: setup check test page port

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

# The page's and Kotlin's own tests and their agreement with Python; the last runs Maven.
PORTS = tests/app/test_web.py tests/app/browser tests/app/test_android.py

port: ## constants, golden vectors and page anew, then the tests of all three languages, none left out
	@for tool in node npm mvn javac "$${CHROMIUM:-chromium}"; do command -v "$$tool" > /dev/null \
		|| { echo "make port needs $$tool (a browser may be named in CHROMIUM)" >&2; exit 1; }; done
	@$(PYTHON) -c "import playwright" || { echo "make port needs make setup first" >&2; exit 1; }
	$(PYTHON) -m export.constants
	$(PYTHON) -m export.golden
	cd app/web && npm ci --silent --no-audit --no-fund
	$(MAKE) page
	$(PYTHON) -m pytest -q $(PORTS:%=--ignore=%)
	$(PYTHON) -m pytest -q $(PORTS)
