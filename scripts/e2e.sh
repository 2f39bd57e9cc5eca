#!/usr/bin/env bash
# `make e2e`: the built agent against real peers. The Collector is built from its Go modules (needs Go); without Go its
# tests are skipped with the reason, or fail when KINDLING_REQUIRE_E2E=1. With KINDLING_E2E_REFERENCE=1 the recorded
# answers of the contrib components are checked against a live Collector too.
set -euo pipefail
cd "$(dirname "$0")/.."
if command -v go >/dev/null; then
  scripts/otelcol/build.sh
  # The Collector with the contrib components takes ten minutes to build; its recorded answers are compared anyway.
  [ "${KINDLING_E2E_REFERENCE:-}" != 1 ] || scripts/otelcol/build.sh reference
else
  echo 'e2e: Go was not found, the tests against a real Collector are skipped.' >&2
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
