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
scripts/setup-tests.sh
exec npm run --silent test:e2e
