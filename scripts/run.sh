#!/usr/bin/env bash
# `make run`: the agent in the foreground and, unless DEMO=0, the demo application beside it.
#   RUN_SECONDS=N   stop by itself after N seconds, exit code 0
#   DEMO=0          no demo application
#   CONFIG=FILE     another configuration than config/default.yaml
# With OTEL_EXPORTER_OTLP_ENDPOINT set, telemetry also goes there over OTLP (config/otlp.yaml is merged in).
# Without the rights to load BPF it says what is missing and replays a recording of the demo instead.
set -uo pipefail
cd "$(dirname "$0")/.."

config=(--config "${CONFIG:-config/default.yaml}")
[ -n "${OTEL_EXPORTER_OTLP_ENDPOINT:-}" ] && config+=(--config config/otlp.yaml)
limit=()
[ -n "${RUN_SECONDS:-}" ] && limit=(--run-seconds "$RUN_SECONDS")

if ! bin/kindling doctor >build/doctor.txt 2>&1; then
  cat build/doctor.txt
  # With a terminal sudo may ask for a password; who has none gets the replay.
  if [ "$(id -u)" -ne 0 ] && command -v sudo >/dev/null && { sudo -n true 2>/dev/null || { [ -t 0 ] && sudo -v; }; }; then
    echo 'Not root: starting again with sudo.'
    exec sudo --preserve-env=RUN_SECONDS,DEMO,CONFIG,OTEL_EXPORTER_OTLP_ENDPOINT,OTEL_EXPORTER_OTLP_HEADERS,OTEL_EXPORTER_OTLP_PROTOCOL,NO_COLOR \
      env "PATH=$PATH" scripts/run.sh
  fi
  echo
  echo 'The kernel cannot be observed here, for the reasons above. Replaying a recording of the demo instead.'
  exec bin/kindling replay test/fixtures/demo.recording "${config[@]}" ${limit[@]+"${limit[@]}"}
fi

agent=
stop() { [ -n "$agent" ] && kill -TERM "$agent" 2>/dev/null; }
trap stop INT TERM

# In a process group of its own: Ctrl-C then reaches it once, through the trap, and not a second time from the terminal,
# which the agent would take for "do not wait".
set -m
bin/kindling "${config[@]}" ${limit[@]+"${limit[@]}"} &
agent=$!
set +m

if [ "${DEMO:-1}" != 0 ]; then
  # The demo ends when its standard input closes, so it cannot outlive this script, however that ends.
  exec 3> >(exec node demo/main.mjs --until-eof --endpoint http://127.0.0.1:4318)
fi

# A signal interrupts `wait`; the agent is then still shutting down, so wait again for its exit code.
wait "$agent"; code=$?
while kill -0 "$agent" 2>/dev/null; do wait "$agent"; code=$?; done
exec 3>&- 2>/dev/null
exit "$code"
