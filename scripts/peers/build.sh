#!/usr/bin/env bash
# Builds what the end-to-end tests talk to besides a Collector, into build/peers/: programs that send with the
# OpenTelemetry SDKs (test/peers), and the backends that Kindling exports to. Versions are pinned in the files of each.
#
#   scripts/peers/build.sh python|go|java        seconds to a minute each
#   scripts/peers/build.sh prometheus|jaeger     four to seven minutes each on two cores, the first time
#
# Does nothing for what is there and has not changed. Fails with what is missing when the tool chain is not there.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=build/peers

up_to_date() { # NAME SOURCES: leaves the stamp for `done_with`
  stamp="$(find "$2" -type f -print0 | sort -z | xargs -0 cat | sha256sum | cut -d' ' -f1)"
  [[ "$(cat "$out/$1.stamp" 2>/dev/null)" == "$stamp" ]] && echo "$1: up to date ($out/$1)"
}
done_with() {
  echo "$stamp" > "$out/$1.stamp"
  echo "$1: built $out/$1"
}
need() { command -v "$2" >/dev/null || { echo "$1: $3 is needed." >&2; exit 1; }; }

mkdir -p "$out"
case "${1:-}" in
  python)
    up_to_date python test/peers/python && exit 0
    need python python3 'Python 3.10 or later'
    rm -rf "$out/python"
    python3 -m venv "$out/python"
    "$out/python/bin/pip" install --quiet --disable-pip-version-check --requirement test/peers/python/requirements.txt
    done_with python
    ;;
  go) exec scripts/build-go.sh "$out/go" test/peers/go . ;;
  java)
    up_to_date java test/peers/java && exit 0
    need java mvn 'Maven with a JDK 11 or later'
    rm -rf "$out/java"
    mvn --quiet --batch-mode --file test/peers/java process-classes
    done_with java
    ;;
  prometheus)
    # Without service discovery: the tests send to it.
    scripts/build-go.sh "$out/promtool" scripts/peers/prometheus -tags remove_all_sd \
      github.com/prometheus/prometheus/cmd/promtool
    exec scripts/build-go.sh "$out/prometheus" scripts/peers/prometheus -tags remove_all_sd \
      github.com/prometheus/prometheus/cmd/prometheus
    ;;
  jaeger)
    exec scripts/build-go.sh "$out/jaeger" scripts/peers/jaeger github.com/jaegertracing/jaeger/cmd/jaeger
    ;;
  *) echo "peers: no peer called ${1:-''}" >&2; exit 1 ;;
esac
