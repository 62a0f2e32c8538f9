# Each command does all of its own set-up and stops what it started. Each has its own data directory,
# so that `make test` and `make demo` run beside `make up`.
SHELL := /bin/sh
PYTHON := .venv/bin/python
LOCAL := $(PYTHON) -m deploy.local
TEST_DIR := UPI_LOCAL_DIR=.local/test
MAKEFLAGS += --no-print-directory

.DEFAULT_GOAL := help
.PHONY: help up demo test check bench host reset sync certify soak

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: sync ## start the platform; it stays up until Ctrl-C
	@$(LOCAL) up

demo: sync ## play every kind of payment on a fresh platform and prove the books
	@UPI_LOCAL_DIR=.local/demo $(LOCAL).demo

test: sync ## everything that must hold: check, then the tests (PYTEST="..." adds options)
	@$(PYTHON) -m tests.lanes $(PYTEST)

host: sync ## the suites that move money, with the money at a bank's host (PYTEST="..." adds options)
	@CORE_BANKING=iso8583 UPI_LOCAL_DIR=.local/host $(LOCAL) run --only postgres,redis,hsm -- \
		$(PYTHON) -m pytest tests/payments tests/api tests/merchants tests/vpa $(PYTEST)

check: sync ## style, types, import contracts, settings, migrations
	@$(TEST_DIR) $(LOCAL) run --only postgres,redis,hsm -- $(PYTHON) -m deploy.local.checks

bench: sync ## measure; the figures go to .local/bench.json (BENCH="posting legs" chooses, ROUNDS=3)
	@$(PYTHON) -m tests.benchmarks

reset: sync ## remove all data that the commands above left under .local
	@$(LOCAL) reset

sync:
	@sh deploy/local/bootstrap.sh

certify: sync ## play every conformance case on a fresh platform (CERTIFY="--only 'REM-*'" chooses)
	@UPI_LOCAL_DIR=.local/certify UPI_TIMER_SCALE=0.7 $(LOCAL).certify $(CERTIFY)

soak: sync ## the long runs; results go to .local/soak.json (PARTS="legs fuzz" runs some)
	@UPI_LOCAL_DIR=.local/soak UPI_TIMER_SCALE=0.7 $(LOCAL).soak $(if $(PARTS),--parts "$(PARTS)") $(SOAK)
