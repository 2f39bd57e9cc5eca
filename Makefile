# Two commands do everything on a fresh Debian or Ubuntu machine:
#   make run     install what is missing, build, start the agent with a demo application
#   make test    install what is missing, build, run all checks and tests
# `make help` lists the rest. Nothing here needs anything but Node.js >= 20.19 and the distribution's packages.

SHELL := /bin/bash
.DEFAULT_GOAL := help

TS_SOURCES := $(shell find src -name '*.ts' 2>/dev/null)
BPF_SOURCES := $(shell find bpf -name '*.c' -o -name '*.h' 2>/dev/null)
NATIVE_SOURCES := $(shell find native -name '*.cc' -o -name '*.h' 2>/dev/null)

.PHONY: help run test check unit native kernel kernels e2e soak bench build deb check-deploy setup clean

help: ## List the targets.
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: build ## Start the agent and the demo. RUN_SECONDS=N stops by itself, DEMO=0 leaves the demo out, CONFIG=FILE replaces the configuration.
	@scripts/run.sh

test: build check unit native kernel ## All checks and tests that need no other tool chain.

check: setup ## Formatting, lint, types, generated files.
	npm run --silent lint
	npm run --silent typecheck
	npm run --silent generate:check

unit: setup ## Unit, golden and fuzz tests (no privileges needed).
	npm run --silent test
	npm run --silent test:fuzz

native: build ## The addon's core under AddressSanitizer and UndefinedBehaviorSanitizer.
	@if [ -e build/.no-native ]; then echo 'Addon not tested: compilers are missing'; else $(MAKE) -s -C native/test; fi

kernel: build ## Tests that load BPF for real; skipped with the reason when the machine does not allow it.
	@scripts/setup-tests.sh
	npm run --silent test:kernel

kernels: build ## The kernel tests on Debian's 5.10, 6.1, 6.12 and newest kernels, in QEMU; needs root, takes an hour when emulated.
	scripts/kernels/run.sh

e2e: build ## Whole-system tests against real peers; a Collector is built when Go is there.
	scripts/e2e.sh

soak: build ## Long fault tests (over an hour): 500 kills, every fault, ten minutes of load on a dead backend.
	@scripts/soak.sh

bench: build ## Benchmarks; prints tables and writes JSON to build/bench.
	npm run --silent bench

deb: build ## build/kindling_VERSION_ARCH.deb, with a systemd unit.
	@deploy/debian/build.sh

check-deploy: build ## The Helm chart, manifests, unit and package through helm, kubeconform, systemd-analyze and lintian; needs Go.
	@deploy/check.sh

setup: build/.setup node_modules/.package-lock.json ## Install the distribution's packages and npm modules that are missing.

build: setup build/.bpf build/.native dist/.built ## Build BPF programs, addon and TypeScript.

build/.setup: scripts/setup.sh
	@mkdir -p build
	@scripts/setup.sh
	@touch $@

node_modules/.package-lock.json: package.json package-lock.json
	npm ci --no-fund --no-audit --loglevel=error
	@touch $@

# build/.no-native is left by setup when compilers are missing and cannot be installed: the agent then only replays.
build/.bpf: build/.setup $(BPF_SOURCES)
	@if [ -e build/.no-native ]; then echo 'BPF programs not built: compilers are missing'; else $(MAKE) -s -C bpf; fi
	@touch $@

build/.native: build/.bpf node_modules/.package-lock.json $(NATIVE_SOURCES)
	@if [ -e build/.no-native ]; then echo 'Addon not built: compilers are missing'; else $(MAKE) -s -C native; fi
	@touch $@

dist/.built: node_modules/.package-lock.json $(TS_SOURCES) tsconfig.json tsconfig.build.json
	npm run --silent build:ts
	@touch $@

clean: ## Remove everything that was built; installed packages stay.
	rm -rf build dist
