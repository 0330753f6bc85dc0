# Two commands matter: `make run` starts Flowdesk, `make test` runs everything that must hold.
# Both work on a machine with Python 3.11 (or newer) and make; PYTHON=… names another one.

VENV := .venv/bin
# Processes, each with a database server of its own; more than cores, because many tests wait for what they started.
MANY := -n 3 --dist loadfile --no-loadscope-reorder
export PYTHON

.PHONY: run demo setup test check check-format lint types contracts tests tests-system faults soak bench lock help

run: ## install, start database, web and worker, print address and login (ARGS="--port 9000")
	@scripts/setup.sh run
	@exec $(VENV)/python -m flowdesk run $(ARGS)

demo: ## fill the running desk with a lively demo tenant
	@scripts/setup.sh run
	@exec $(VENV)/python -m flowdesk demo $(ARGS)

setup: ## everything a developer needs in .venv
	@scripts/setup.sh dev

test: setup check tests tests-system faults ## everything CI runs

check: setup check-format lint types contracts ## format, lint, types, import contract

check-format:
	$(VENV)/ruff format --check .

lint:
	$(VENV)/ruff check .

types:
	$(VENV)/mypy

contracts:
	$(VENV)/lint-imports

tests: setup ## pytest on the embedded PostgreSQL (ARGS="-k clocks")
	$(VENV)/python -m pytest $(MANY) -m "not faults" $(ARGS)

tests-system: setup ## the tests that touch the database again, on the system's own PostgreSQL
	@scripts/test_system.sh $(MANY) $(ARGS)

faults: setup ## kill processes, cut lines and fail over under load, and count what was lost (minutes)
	$(VENV)/python -m pytest -n 2 -m faults $(ARGS)

soak: setup ## kill processes under load for as long as told (ARGS="--minutes 60 --seed 7 --workers 2")
	$(VENV)/python -m tests.faults.campaign $(ARGS)

bench: setup ## speed, as ratios
	$(VENV)/python -m benchmarks $(ARGS)

lock: setup ## write the lock files anew (ARGS="--upgrade")
	scripts/lock.sh $(ARGS)

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14
