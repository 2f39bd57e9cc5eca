#!/usr/bin/env bash
# Builds the OpenTelemetry Collectors that tests and benchmarks use, from their Go modules, into build/otelcol/. Does
# nothing when they are there and their sources have not changed.
#
#   scripts/otelcol/build.sh             otelcol: the small one, peer of the end-to-end tests and the benchmarks
#   scripts/otelcol/build.sh reference   reference: with the components of the contrib distribution that Kindling has
#                                        counterparts of; what Kindling is compared with case by case
#
# The first build fetches 135 MB of modules and takes two to three minutes on two cores; `reference` about 1 GB and ten
# minutes.
set -euo pipefail
name="${1:-otelcol}"
cd "$(dirname "$0")/../.."
case "$name" in
  otelcol) sources=scripts/otelcol ;;
  reference) sources=scripts/otelcol/reference ;;
  *) echo "otelcol: no build called $name" >&2; exit 1 ;;
esac
exec scripts/build-go.sh "build/otelcol/$name" "$sources" .
