# 两条命令：make run、make test。缺什么装什么，都齐了就很快。
SHELL := /bin/sh
PYTHON ?= $(shell bin/find-python)
APP := .venv/app/bin/python

.PHONY: run test eval bench demo-data lint format setup setup-test check-python

run: setup
	@exec bin/hotline run

test: setup-test
	@$(APP) -m ops.checks

lint: setup-test
	@$(APP) -m ops.checks lint

eval: setup
	@$(APP) -m ops.evaluate $(EVAL_ARGS)

bench: setup-test
	@$(APP) -m ops.bench

demo-data: setup
	@bin/hotline demo-data $(DEMO_ARGS)

format: setup-test
	@.venv/app/bin/ruff check --fix -q . ; .venv/app/bin/ruff format -q .

setup: check-python
	@$(PYTHON) -m ops.setup run

setup-test: check-python
	@$(PYTHON) -m ops.setup test

check-python:
	@test -n "$(PYTHON)" || { echo "没有找到 Python 3.11 或更新的版本（要带 venv）。Debian/Ubuntu：sudo apt-get install -y python3 python3-venv" >&2; exit 1; }
