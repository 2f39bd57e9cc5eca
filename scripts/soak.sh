#!/usr/bin/env bash
# `make soak`: the fault tests at length. KINDLING_KILLS (500), KINDLING_SEED and KINDLING_BENCH_SECONDS (600) change it.
# Ends with a non-zero code when an acknowledged span was lost and not counted.
set -euo pipefail
cd "$(dirname "$0")/.."
export KINDLING_KILLS="${KINDLING_KILLS:-500}" KINDLING_SEED="${KINDLING_SEED:-$RANDOM}"
echo "soak: $KINDLING_KILLS kills, seed $KINDLING_SEED"
npx vitest run --project e2e test/e2e/faults-
KINDLING_BENCH_SECONDS="${KINDLING_BENCH_SECONDS:-600}" npm run --silent bench -- queue dead-backend
