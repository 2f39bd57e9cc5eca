#!/usr/bin/env bash
# Builds the OpenTelemetry Collector that the end-to-end tests and benchmarks use, from its Go modules, into
# build/otelcol/otelcol. Does nothing when it is there and its sources have not changed.
#
# Needs: Go 1.25 or later, and the Go module proxy for the first build (135 MB of modules; two to three minutes on two
# cores; later builds come from Go's caches).
set -euo pipefail
cd "$(dirname "$0")"
out="$(cd ../.. && pwd)/build/otelcol"
stamp="$(cat go.mod go.sum main.go | sha256sum | cut -d' ' -f1)"

if [[ -x "$out/otelcol" && "$(cat "$out/stamp" 2>/dev/null)" == "$stamp" ]]; then
  echo "otelcol: up to date ($out/otelcol)"
  exit 0
fi
if ! command -v go >/dev/null; then
  echo 'otelcol: Go 1.25 or later is needed (https://go.dev/dl/, or the package golang-go of a recent distribution).' >&2
  exit 1
fi
mkdir -p "$out"
echo "otelcol: building with $(go env GOVERSION); the first time takes some minutes ..."
# One package at a time: the machine may be a small one that has other work.
nice go build -p 1 -trimpath -buildvcs=false -ldflags '-s -w' -o "$out/otelcol" .
echo "$stamp" > "$out/stamp"
echo "otelcol: built $out/otelcol"
