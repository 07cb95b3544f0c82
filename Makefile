# Everything starts here: `make run` and `make test` install what is missing by themselves.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
.PHONY: help setup run test bench lint train pictures clean

export MUJOCO_GL := egl
VENV := .venv/bin
SAMPLE := $(firstword $(sort $(wildcard resources/scenes/*.nascene)))

help: ## Show what there is
	@echo "make TARGET:"
	sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 14

setup: ## Install what is missing (run and test do it by themselves)
	@.ci/setup

run: setup ## Open the studio on a sample scene
	@if $(VENV)/python -m app --can-open; then
	    exec $(VENV)/python -m app $(SAMPLE)
	fi
	echo "There is no display: making an edit from the command line instead, pictures in out/."
	mkdir -p out
	name=$$($(VENV)/neural-assets info $(SAMPLE) --json |
	    $(VENV)/python -c 'import json, sys; print(json.load(sys.stdin)["objects"][0]["name"])')
	$(VENV)/neural-assets edit $(SAMPLE) --object "$$name" --translate -0.1 0 0 --rotate-z 12 \
	    --out out/edited.nascene
	$(VENV)/neural-assets render $(SAMPLE) --out out/before.png
	$(VENV)/neural-assets render out/edited.nascene --out out/after.png

test: setup lint ## Style, types, import contracts and tests
	@$(VENV)/python -m pytest tests/neural_assets_core
	xvfb-run -a -s "-screen 0 1600x1000x24" $(VENV)/python -m pytest tests/app

bench: setup ## How fast the studio is under the hand: a table, the same in out/bench.json
	@xvfb-run -a -s "-screen 0 1600x1000x24" $(VENV)/python -m tests.benchmarks

lint: setup ## Style, types and import contracts only
	@$(VENV)/ruff check .
	$(VENV)/mypy
	$(VENV)/lint-imports

train: setup ## Train on this machine: data, then all stages (resumes if interrupted)
	@# One process a core: threads that wait for each other at every operation are slower.
	OMP_NUM_THREADS=1 $(VENV)/torchrun --standalone --nproc_per_node $$(nproc) \
	    -m neural_assets_core.cli train --config resources/training/two-cores.toml --resume

pictures: setup ## Make the pictures of the README again
	@xvfb-run -a -s "-screen 0 1600x1000x24" $(VENV)/python resources/pictures.py

clean: ## Remove what can be made again (not data, not training runs)
	@rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -rf .import_linter_cache .venv out/before.png out/after.png out/edited.nascene*
	find . -name __pycache__ -prune -exec rm -rf {} +
