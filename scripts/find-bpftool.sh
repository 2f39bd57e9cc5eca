#!/usr/bin/env bash
# Prints the path of a bpftool that runs. Ubuntu's /usr/sbin/bpftool is a wrapper that refuses to run without the
# package for the very kernel; the real program lies in /usr/lib/linux-tools*.
for candidate in "${BPFTOOL:-}" "$(command -v bpftool 2>/dev/null)" /usr/sbin/bpftool /usr/lib/linux-tools/*/bpftool /usr/lib/linux-tools-*/bpftool; do
  [ -n "$candidate" ] && [ -x "$candidate" ] && "$candidate" version >/dev/null 2>&1 && { echo "$candidate"; exit 0; }
done
echo 'bpftool was not found' >&2
exit 1
