# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# All paths are relative and all calls are "python -m": the checkout may lie in a folder with blanks in its name.
SHELL := /bin/sh
PYTHON ?= python3
PY := .venv/bin/python
LINK := .cache/tree/ansible_collections/cloudwait/conversion

.PHONY: help demo test check lint package rulebook sanity matrix others unit functional env docs bench lock clean
.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' Makefile

demo: export ANSIBLE_CONFIG := ansible.cfg
demo: export ANSIBLE_COLLECTIONS_PATH := .cache/tree
demo: .venv/.run $(LINK) ## convert in a stand-in cloud on this machine, and wait
	@$(PY) -m ansible playbook playbooks/demo.yml --extra-vars demo_report=.cache/demo.html

test: .venv/.dev $(LINK) ## the gates that take minutes; pytest last
	@$(PY) tools/run_gates.py lint sanity rulebook-smoke unit functional

check: .venv/.dev $(LINK) ## all gates, over all versions of ansible-core; pytest last
	@$(PY) tools/run_gates.py lint package rulebook matrix unit functional

lint package rulebook sanity matrix others unit functional: .venv/.dev $(LINK)
	@$(PY) tools/run_gates.py $@

lint: ## ruff, mypy, yamllint, changelog, licences, docs, workflows
package: ## build and import, ansible-lint, execution environment, molecule, docs, reports in a browser
rulebook: ## the event source with the real ansible-rulebook
matrix: ## ansible-test and pytest over all versions of ansible-core
others: ## make matrix, without what make test runs with the same ansible-core
sanity: ## ansible-test sanity, with no ignore file
unit: ## pytest on tests/unit
functional: ## pytest on tests/functional: playbooks against the simulator

env: .venv/.dev $(LINK) ## install what tests need into .venv; then pytest and nox run from there

docs: .venv/.dev $(LINK) ## the tables of README and guides, then the documentation site
	@$(PY) tools/tables.py
	@$(PY) -m nox -s docs

bench: .venv/.dev .cache/bench/.ready $(LINK) ## benchmarks against the alternatives; 50 minutes, quiet machine
	@$(PY) -m tests.benchmark --tools .cache/bench

lock: .venv/.dev ## the newest versions that the requirements allow, with hashes, into locks/
	@$(PY) tools/lock.py

clean: ## remove all that make has made
	rm -rf .venv .cache

.venv/.run: locks/uv.txt locks/run.txt
	@"$(PYTHON)" tools/bootstrap.py run

.venv/.dev: locks/uv.txt locks/dev.txt
	@"$(PYTHON)" tools/bootstrap.py dev

.cache/bench/.ready: locks/bench.txt
	@"$(PYTHON)" -m venv --clear .cache/bench
	@.cache/bench/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(LINK):
	@mkdir -p $(@D) && ln -sfn ../../../.. $@
