#!/usr/bin/env bash
# Builds one Go program for the tests, unless it is there and neither its sources nor its arguments have changed.
#
#   scripts/build-go.sh OUTPUT SOURCES [argument of go build]...    the last argument is the package; `.` is SOURCES itself
#
# Needs: Go 1.25 or later (Go fetches a newer one itself when a module asks for it), and the Go module proxy for the first
# build; later builds come from Go's caches.
set -euo pipefail
output="$(realpath -m "$1")"
name="$(basename "$output")"
cd "$2"
shift 2
stamp="$( (cat go.mod go.sum; find . -maxdepth 1 -name '*.go' -exec cat {} +; echo "$@") | sha256sum | cut -d' ' -f1)"

if [[ -x "$output" && "$(cat "$output.stamp" 2>/dev/null)" == "$stamp" ]]; then
  echo "$name: up to date ($output)"
  exit 0
fi
if ! command -v go >/dev/null; then
  echo "$name: Go 1.25 or later is needed (https://go.dev/dl/, or the package golang-go of a recent distribution)." >&2
  exit 1
fi
mkdir -p "$(dirname "$output")"
echo "$name: building with $(go env GOVERSION); the first time takes some minutes ..."
# One package at a time: the machine may be a small one that has other work.
nice go build -p 1 -trimpath -buildvcs=false -ldflags '-s -w' -o "$output" "$@"
echo "$stamp" > "$output.stamp"
echo "$name: built $output"
