#!/usr/bin/env bash
# `make e2e`: the built agent against real peers: a Collector, the SDKs of JavaScript and Python, agents of other systems. Each
# is built when its tool chain is there; otherwise its tests are skipped with the reason, or fail when KINDLING_REQUIRE_E2E=1.
# With KINDLING_E2E_REFERENCE=1, which builds for half an hour the first time, also the SDKs of Go and Java, a Collector with
# the contrib components, whose answers are compared with the recorded ones, a real Jaeger and a real Prometheus.
set -euo pipefail
cd "$(dirname "$0")/.."

build_if() { # COMMAND WHAT BUILD...: the tests say what is missing when a build fails
  if ! command -v "$1" >/dev/null; then
    echo "e2e: $1 was not found, the tests against $2 are skipped." >&2
    return
  fi
  "${@:3}" || echo "e2e: $2 could not be built." >&2
}

build_if go 'a Collector' scripts/otelcol/build.sh
build_if python3 'the Python SDK' scripts/peers/build.sh python
if [ "${KINDLING_E2E_REFERENCE:-}" = 1 ]; then
  # These take minutes to build.
  scripts/peers/build.sh go
  scripts/peers/build.sh java
  scripts/otelcol/build.sh reference
  scripts/peers/build.sh prometheus
  scripts/peers/build.sh jaeger
fi
# Agents of other systems, as peers (26 MB).
mkdir -p build/apm-agents
if ! cmp -s test/e2e/apm-agents/package-lock.json build/apm-agents/package-lock.json || [ ! -d build/apm-agents/node_modules ]; then
  cp test/e2e/apm-agents/package.json test/e2e/apm-agents/package-lock.json build/apm-agents/
  npm ci --silent --ignore-scripts --no-audit --no-fund --prefix build/apm-agents ||
    echo 'e2e: the agents of other systems could not be installed, their tests are skipped.' >&2
fi
scripts/setup-tests.sh
exec npm run --silent test:e2e
