#!/usr/bin/env bash
# Builds the OpenTelemetry Collectors that tests and benchmarks use, from their Go modules, into build/otelcol/. Does
# nothing when they are there and their sources have not changed.
#
#   scripts/otelcol/build.sh             otelcol: the small one, peer of the end-to-end tests and the benchmarks
#   scripts/otelcol/build.sh reference   reference: with the components of the contrib distribution that Kindling has
#                                        counterparts of; what Kindling is compared with case by case
#
# Needs: Go 1.25 or later, and the Go module proxy for the first build (135 MB of modules and two to three minutes on two
# cores, about 1 GB and ten minutes for `reference`; later builds come from Go's caches).
set -euo pipefail
name="${1:-otelcol}"
cd "$(dirname "$0")"
out="$(cd ../.. && pwd)/build/otelcol"
case "$name" in
  otelcol) ;;
  reference) cd reference ;;
  *) echo "otelcol: no build called $name" >&2; exit 1 ;;
esac
stamp_file="$out/$([[ "$name" == otelcol ]] && echo stamp || echo "$name.stamp")"
stamp="$(cat go.mod go.sum ./*.go | sha256sum | cut -d' ' -f1)"

if [[ -x "$out/$name" && "$(cat "$stamp_file" 2>/dev/null)" == "$stamp" ]]; then
  echo "$name: up to date ($out/$name)"
  exit 0
fi
if ! command -v go >/dev/null; then
  echo "$name: Go 1.25 or later is needed (https://go.dev/dl/, or the package golang-go of a recent distribution)." >&2
  exit 1
fi
mkdir -p "$out"
echo "$name: building with $(go env GOVERSION); the first time takes some minutes ..."
# One package at a time: the machine may be a small one that has other work.
nice go build -p 1 -trimpath -buildvcs=false -ldflags '-s -w' -o "$out/$name" .
echo "$stamp" > "$stamp_file"
echo "$name: built $out/$name"
