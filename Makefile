# make run    builds Quorum and opens it; without a display, runs the whole pipeline on the sample reviews instead.
# make test   every test, those in a real window included; says which lacked the data that they need.
# make lint   formatting and lints, for whoever changes the code; continuous integration (.ci/run) runs the tests.
# make crash-test  seeded crashes crossed with faults: RUNS= how many, SEED= from which; a failing seed replays with RUNS=1.
# make kill-test   kills the real program 200 times (KILLS=, SEED=) over one run of 4,000 requests.
# make tier1-test  100,000 requests on an account with two million enqueued tokens a model.
# make fuzz  lets libFuzzer look for bytes that break a reader: READER= which one (else all), SECONDS= how long each.
# make package  what this system installs; on Linux .deb and .rpm.
# make bench  what Quorum takes for the published run and ten times it, beside other tools: one table. Half an hour with the builds, 20 GB of disk.
# make screenshots  the pictures of the user guide, taken anew by the end-to-end tests in the real window.
# Missing system packages are installed with apt where that is allowed; otherwise you are told which.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := run
.PHONY: run test lint bench crash-test kill-test tier1-test fuzz screenshots ui prepare prepare-test clean package

OUT ?= ground-truth
# rustup puts cargo there; a fresh shell may not know yet.
export PATH := $(HOME)/.cargo/bin:$(PATH)

# Those that docs/guide.md and README.md show.
PICTURES := extraction runs results business-V3 queue whatif-moved compare catalog-questions

FUZZ := src-tauri/crates/quorum-fuzz

UI_SOURCES := $(shell find ui/src ui/public ui/index.html ui/vite.config.ts ui/svelte.config.js ui/tsconfig.json -type f)

run: ui/dist/index.html
	@if [ -n "$${DISPLAY:-}$${WAYLAND_DISPLAY:-}" ]; then \
		cargo run --bin quorum; \
	else \
		echo "No display (DISPLAY and WAYLAND_DISPLAY are empty), so the pipeline runs without a window."; \
		cargo run -p quorumctl -- demo --out "$(OUT)"; \
		echo "The ground-truth files are in $(abspath $(OUT))."; \
	fi

test:
	@.ci/test

lint: ui/dist/index.html
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cd ui && npm run lint && npm run check

crash-test:
	QUORUM_CRASH_RUNS=$(RUNS) QUORUM_CRASH_SEED=$(SEED) cargo test -q -p quorum-engine --test lab crash:: -- --nocapture

kill-test:
	QUORUM_KILLS=$(or $(KILLS),200) QUORUM_KILL_SEED=$(SEED) cargo test -q -p quorumctl --test kill -- --nocapture

tier1-test:
	QUORUM_TIER1_WHOLE=1 cargo test -q -p quorum-engine --test lab tier1:: -- --nocapture

# Needs a nightly compiler, as libFuzzer does; what it finds lies in fuzz/artifacts and belongs into corpus/.
fuzz:
	@.ci/prepare fuzz
	cd $(FUZZ) && export PATH="$(CURDIR)/.local/bin:$$PATH" && for reader in $(or $(READER),$(notdir $(wildcard $(FUZZ)/corpus/*))); do \
		mkdir -p fuzz/corpus/$$reader; \
		cargo +nightly fuzz run $$reader fuzz/corpus/$$reader corpus/$$reader -- -max_total_time=$(or $(SECONDS),60) -max_len=20000; \
	done

# The window is measured beside an empty one, so both are built; neither is in the packages' way.
bench: ui/dist/index.html | prepare-test
	cargo build --release --quiet -p quorumctl
	cargo build --release --quiet -p quorum --features empty-window --bin quorum --example empty_window
	python3 .ci/bench/run.py $(BENCH)

screenshots: ui/dist/index.html | prepare-test
	QUORUM_E2E_PICTURES=target/pictures cargo test -q --test e2e every_view
	mkdir -p docs/img
	for picture in $(PICTURES); do cp target/pictures/$$picture-light-1280.png docs/img/$$picture.png; done

ui: ui/dist/index.html

prepare:
	@.ci/prepare build

prepare-test:
	@.ci/prepare test

# Ahead of everything that needs Node.js, so that a missing one is named; no reason to make anything anew.
ui/node_modules/.package-lock.json: ui/package-lock.json | prepare
	cd ui && npm ci --no-audit --no-fund
	@touch $@

ui/dist/index.html: ui/node_modules/.package-lock.json ui/package.json $(UI_SOURCES)
	cd ui && npm run build
	@touch $@

# quorumctl first: the packages carry it beside the app.
package:
	@.ci/prepare package
	@$(MAKE) --no-print-directory ui
	cargo build --release -p quorumctl
	./ui/node_modules/.bin/tauri build --ci
	@find target/release/bundle -type f \( -name '*.deb' -o -name '*.rpm' -o -name '*.dmg' -o -name '*.msi' -o -name '*.exe' \)

clean:
	cargo clean
	rm -rf ui/dist ui/node_modules .local
